"""What somebody changes of their own account: their name and their phone, behind a confirmation."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.integration.confirmations.test_granting import events_of, retry_after
from tests.support.books import Books, new_phone
from tests.support.confirmations import Confirming, required, tier_with
from tests.support.crowd import together
from tests.support.moves import connection, pay, refusal_of, refusals_in
from tests.support.owners import Owner
from tests.support.sign_in import sign_in
from wallet.identity.phone_proofs.model import Purpose
from wallet.identity.sessions.store import list_sessions
from wallet.ledger.refusals import Refusal
from wallet.storage.recipients import find_former_phone
from wallet.storage.rows import time_of

DAY_S = 86_400


@pytest.fixture(autouse=True)
def _right(books: Books) -> Iterator[None]:
    yield
    assert books.faults() == []


# --------------------------------------------------------------------------------------------------- names


def test_a_name_changes_behind_a_confirmation_and_its_owner_is_told(books: Books) -> None:
    owner = Owner.new(books)
    required(partial(owner.rename, "Asha Iyer"))
    assert owner.row()["name"] == "Asha Rao"
    owner.confirmed(partial(owner.rename, "Asha Iyer"))
    owner.rename("Asha Iyer")  # the answer was lost
    assert owner.row()["name"] == "Asha Iyer"
    assert events_of(books, owner.person)[-1] == "NameChanged"
    kept = books.select("SELECT name FROM former_names WHERE user_id = %s", owner.person.user_id.bytes)
    assert [one["name"] for one in kept] == ["Asha Rao"]


def test_a_confirmation_of_one_name_gives_no_other(books: Books) -> None:
    owner = Owner.new(books)
    Confirming(books, owner.now()).confirm(required(partial(owner.rename, "Asha Iyer")).id)
    required(partial(owner.rename, "Mallory"))


def test_a_name_changes_once_in_thirty_days(books: Books) -> None:
    owner = Owner.new(books)
    owner.confirmed(partial(owner.rename, "Asha Iyer"))
    refusal, wait_s = retry_after(partial(owner.rename, "Asha Rao"))
    assert refusal is Refusal.NAME_CHANGED_LATELY
    assert 30 * DAY_S - 60 < wait_s <= 30 * DAY_S + 1
    books.write(
        "UPDATE former_names SET ended_at = ended_at - INTERVAL 30 DAY WHERE user_id = %s", owner.person.user_id.bytes
    )
    owner.confirmed(partial(owner.rename, "Asha Rao"))
    books.write(
        "UPDATE former_names SET ended_at = ended_at - INTERVAL 31 DAY WHERE user_id = %s", owner.person.user_id.bytes
    )
    owner.confirmed(partial(owner.rename, "Asha Iyer"))  # what was confirmed before is no confirmation of today


def test_a_merchants_name_is_an_operators(books: Books) -> None:
    """Who is approved by their papers must not be somebody else by then."""
    owner = Owner.new(books, kind="merchant")
    assert refusal_of(partial(owner.rename, "State Bank")) is Refusal.OPERATOR_NEEDED


def test_an_address_for_mail_proves_nothing_and_needs_no_confirmation(books: Books) -> None:
    owner = Owner.new(books)
    owner.rename(None, "asha@example.com")
    assert owner.row()["email"] == "asha@example.com"
    required(partial(owner.rename, "Asha Iyer", "mallory@example.com"))
    assert owner.row()["email"] == "asha@example.com", "both or none"
    owner.rename(None, "")
    assert owner.row()["email"] is None


# -------------------------------------------------------------------------------------------------- phones


def test_a_phone_changes_behind_a_confirmation_by_the_one_before(books: Books) -> None:
    owner = Owner.new(books, tier=tier_with(books, above=0, reset_wait_s=DAY_S))
    elsewhere, phone = sign_in(books, owner.person), new_phone()
    move = partial(owner.move, owner.proof(phone))
    asked = required(move)
    sent = Confirming(books, owner.now()).ask_for_code(asked.id)
    assert (sent.phone, sent.payee) == (owner.person.phone, phone[-4:])
    Confirming(books, owner.now()).show_code(asked.id)
    move()
    move()  # the answer was lost
    assert owner.row()["phone"] == phone
    assert [one.id for one in list_sessions(connection(books, "identity"), owner.person.user_id)] == [
        owner.session.principal.session_id
    ]
    assert elsewhere.principal.session_id != owner.session.principal.session_id
    assert events_of(books, owner.person)[-1] == "PhoneChanged"
    reader = connection(books, "reader")
    (row,) = books.select(
        "SELECT created_at FROM outbox WHERE wallet_id = %s AND type = 'PhoneChanged'", owner.person.wallet_id.bytes
    )
    told_at = time_of(row["created_at"]).replace(microsecond=row["created_at"].microsecond // 1000 * 1000)
    found = find_former_phone(reader, user_id=owner.person.user_id, ended_at=told_at)
    assert found == owner.person.phone
    assert refusal_of(partial(pay, books, owner.now(), books.person(), 1)) is Refusal.CONFIRMATION_PAUSED


def test_a_proof_that_was_used_changes_nothing_when_it_comes_again_late(books: Books) -> None:
    owner, first, second = Owner.new(books), new_phone(), new_phone()
    early = owner.proof(first)
    owner.confirmed(partial(owner.move, early))
    owner = Owner(books, owner.person, sign_in(books, owner.person))
    owner.confirmed(partial(owner.move, owner.proof(second)))
    owner = Owner(books, owner.person, sign_in(books, owner.person))
    assert refusal_of(partial(owner.move, early)) is Refusal.INVALID_PROOF
    assert owner.row()["phone"] == second


def test_the_new_phone_is_known_to_be_its_owners(books: Books) -> None:
    owner, phone = Owner.new(books), new_phone()
    owner.confirmed(partial(owner.move, owner.proof(phone)))
    proved = books.select("SELECT phone FROM proved_phones WHERE user_id = %s", owner.person.user_id.bytes)
    assert [one["phone"] for one in proved] == [phone]


def test_who_has_not_shown_all_of_it_has_no_other_phone(books: Books) -> None:
    owner, other, phone = Owner.new(books), books.person(), new_phone()
    assert refusal_of(partial(owner.move, "pp_nothing")) is Refusal.INVALID_PROOF
    register = owner.proof(phone, Purpose.REGISTER)
    assert refusal_of(partial(owner.move, register)) is Refusal.INVALID_PROOF
    proof = owner.proof(phone)
    assert refusal_of(partial(owner.move, proof, b"w" * 60)) is Refusal.INVALID_CREDENTIALS
    assert refusal_of(partial(owner.move, owner.proof(other.phone))) is Refusal.PHONE_TAKEN
    books.turn(owner.person, "frozen")
    assert refusal_of(partial(owner.move, proof)) is Refusal.WALLET_FROZEN
    books.turn(owner.person, "active")
    owner.confirmed(partial(owner.move, proof))  # no refusal has used the proof up


def test_a_confirmation_of_one_phone_gives_no_other(books: Books) -> None:
    owner = Owner.new(books)
    Confirming(books, owner.now()).confirm(required(partial(owner.move, owner.proof(new_phone()))).id)
    required(partial(owner.move, owner.proof(new_phone())))


def test_a_closed_wallets_phone_is_free(books: Books) -> None:
    owner, closed = Owner.new(books), books.person()
    books.turn(closed, "closed")
    owner.confirmed(partial(owner.move, owner.proof(closed.phone)))
    assert owner.row()["phone"] == closed.phone
    (row,) = books.select("SELECT phone FROM users WHERE id = %s", closed.user_id.bytes)
    assert row["phone"] is None


def test_of_two_who_want_a_phone_at_once_one_has_it(books: Books) -> None:
    phone = new_phone()
    owners = [Owner.new(books) for _ in range(2)]
    moves = [partial(owner.move, owner.proof(phone)) for owner in owners]
    for owner, move in zip(owners, moves, strict=True):
        Confirming(books, owner.now()).confirm(required(move).id)
    assert refusals_in(together(moves)) == [Refusal.PHONE_TAKEN]
    assert sorted(owner.row()["phone"] == phone for owner in owners) == [False, True]
