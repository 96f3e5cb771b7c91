"""Alerts: what an owner must know of their account is noted in its commit, once for each time that it happens."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.books import Books, Person, unique
from tests.support.crowd import together
from tests.support.moves import connection, refusal_of
from tests.support.proofs import proof_of
from tests.support.sign_in import PASSWORD_HASH, SignedIn, generation, sign_in
from wallet import wiring
from wallet.identity.accounts import store
from wallet.identity.phone_proofs.model import Purpose, proof_hash
from wallet.ledger.refusals import Refusal
from wallet.storage import users
from wallet.storage.users import NewUser

if TYPE_CHECKING:
    from wallet.storage.database import Database

NEW_HASH = b"n" * 60
DAY_S = 86_400
PERSONAL = ("SignedInOnNewDevice", "PasswordChanged", "PasswordReset", "UnfreezeRequested", "WalletFrozen")


@pytest.fixture
def identity(books: Books) -> "Iterator[Database]":
    yield connection(books, "identity")
    # among the faults: an event that is not as its schema says
    assert books.faults() == []


def alerts(books: Books, person: Person) -> list[str]:
    """The types of what was noted of somebody's account, and whose a freeze is, in their order."""
    rows = books.select(
        "SELECT type, JSON_UNQUOTE(JSON_EXTRACT(detail, '$.reason')) AS reason FROM outbox WHERE wallet_id = %s"
        " AND type IN %s ORDER BY position",
        person.wallet_id.bytes,
        PERSONAL,
    )
    return [row["type"] + (f" by {row['reason']}" if row["reason"] else "") for row in rows]


def now_of(books: Books, session: SignedIn) -> Any:
    """Who they are after a refresh."""
    return replace(session.principal, generation=generation(books, session.principal.user_id))


def by_an_operator(books: Books, person: Person) -> None:
    with closing(books.as_role("operator")) as operator:
        for key in (unique("key-"),) * 2:  # the answer was lost
            told = (wiring.new_id().bytes, "meera@example.com", "a report", person.wallet_id.bytes)
            operator.call("freeze_wallet", person.user_id.bytes, key.encode(), b"h" * 32, *told)


# ------------------------------------------------------------------------------------------- devices


@pytest.mark.usefixtures("identity")
def test_a_device_is_new_once_and_the_first_one_never(books: Books) -> None:
    person, other = books.person(), books.person()
    sign_in(books, person, device="a phone")
    sign_in(books, person, device="a phone")
    assert alerts(books, person) == []
    for _ in range(2):
        sign_in(books, person, device="a laptop")
        sign_in(books, person, device="a phone")
    assert alerts(books, person) == ["SignedInOnNewDevice"]
    sign_in(books, person, device="A laptop")
    sign_in(books, other, device="a laptop")
    assert alerts(books, person) == ["SignedInOnNewDevice"] * 2
    assert alerts(books, other) == []
    details = books.select("SELECT detail FROM outbox WHERE wallet_id = %s ORDER BY position", person.wallet_id.bytes)
    assert [row["detail"] for row in details] == ['{"device": "a laptop"}', '{"device": "A laptop"}']


@pytest.mark.usefixtures("identity")
def test_whoever_comes_back_when_no_session_is_kept_any_more_is_on_a_new_device(books: Books) -> None:
    """A thief who finds an account that sleeps is not the one who has just registered."""
    person = books.person()
    sign_in(books, person)
    books.write(
        "DELETE FROM session_tokens WHERE session_id IN (SELECT id FROM sessions WHERE user_id = %s)",
        person.user_id.bytes,
    )
    books.write("DELETE FROM sessions WHERE user_id = %s", person.user_id.bytes)
    sign_in(books, person)
    assert alerts(books, person) == ["SignedInOnNewDevice"]


@pytest.mark.usefixtures("identity")
def test_of_many_who_sign_in_at_once_on_a_new_device_one_is_told_of(books: Books) -> None:
    person = books.person()
    sign_in(books, person)
    together([partial(sign_in, books, person, device="a laptop") for _ in range(6)])
    assert alerts(books, person) == ["SignedInOnNewDevice"]


def test_a_sign_in_that_is_asked_for_again_because_its_answer_was_lost_is_told_once(
    books: Books, identity: "Database"
) -> None:
    person = books.person()
    sign_in(books, person)
    asked = (person.user_id.bytes, PASSWORD_HASH, None, wiring.new_id().bytes, "tokens", "a laptop", b"a" * 32)
    for _ in range(2):
        identity.call("start_session", *asked, b"t" * 16 + person.user_id.bytes, b"s" * 32, 60, 600)
    assert alerts(books, person) == ["SignedInOnNewDevice"]


@pytest.mark.usefixtures("identity")
def test_a_sign_in_that_is_refused_is_no_alert(books: Books) -> None:
    person = books.person()
    sign_in(books, person)
    refused = partial(sign_in, books, person, device="a laptop", password_hash=b"w" * 60)
    assert refusal_of(refused) is Refusal.INVALID_CREDENTIALS
    assert alerts(books, person) == []


# ---------------------------------------------------------------------------- passwords and freezes


def test_a_changed_password_is_told_once(books: Books, identity: "Database") -> None:
    person = books.person()
    session = sign_in(books, person)
    wrong = partial(
        store.change_password, identity, session.principal, password_hash=b"w" * 60, new_password_hash=NEW_HASH
    )
    assert refusal_of(wrong) is Refusal.INVALID_CREDENTIALS
    for _ in range(2):  # the answer was lost
        store.change_password(identity, session.principal, password_hash=PASSWORD_HASH, new_password_hash=NEW_HASH)
    users.rehash_password(identity, user_id=person.user_id, password_hash=NEW_HASH, new_password_hash=b"r" * 60)
    assert alerts(books, person) == ["PasswordChanged"]


def test_a_reset_password_is_told_once_and_ends_the_sessions_once(books: Books, identity: "Database") -> None:
    person = books.person()
    sign_in(books, person)
    proof, reset_id = proof_hash(proof_of(identity, person.phone, Purpose.RESET_PASSWORD)), wiring.new_id()
    asked = partial(
        store.reset_password,
        identity,
        proof_hash=proof,
        password_hash=NEW_HASH,
        seen_within_days=90,
    )
    asked(reset_id=reset_id)
    before = generation(books, person.user_id)
    asked(reset_id=reset_id)  # the answer was lost
    assert refusal_of(partial(asked, reset_id=wiring.new_id())) is Refusal.INVALID_PROOF
    assert alerts(books, person) == ["PasswordReset"]
    assert generation(books, person.user_id) == before


def unfreeze(identity: "Database", books: Books, session: SignedIn, person: Person) -> Callable[[], datetime]:
    return partial(
        store.unfreeze_own_wallet,
        identity,
        now_of(books, session),
        request_id=wiring.new_id(),
        proof_hash=proof_hash(proof_of(identity, person.phone, Purpose.UNFREEZE)),
        wait_s=DAY_S,
    )


def test_a_freeze_says_whose_it_is_and_its_end_is_told_each_time_it_is_asked_for(
    books: Books, identity: "Database"
) -> None:
    person = books.person()
    session = sign_in(books, person)
    for _ in range(2):  # the answer was lost
        store.freeze_own_wallet(identity, session.principal)
    store.freeze_own_wallet(identity, now_of(books, session))
    assert alerts(books, person) == ["WalletFrozen by owner"]
    asked = unfreeze(identity, books, session, person)
    ends_at = asked()
    assert asked() == ends_at
    assert unfreeze(identity, books, session, person)() == ends_at
    assert alerts(books, person)[1:] == ["UnfreezeRequested"]
    (row,) = books.select(
        "SELECT detail FROM outbox WHERE wallet_id = %s AND type = 'UnfreezeRequested'", person.wallet_id.bytes
    )
    assert ends_at.strftime("%Y-%m-%dT%H:%M:%S.%f") in row["detail"]
    store.freeze_own_wallet(identity, now_of(books, session))  # calls the end off
    unfreeze(identity, books, session, person)()
    assert alerts(books, person)[1:] == ["UnfreezeRequested", "WalletFrozen by owner", "UnfreezeRequested"]
    by_an_operator(books, person)
    assert alerts(books, person)[4:] == ["WalletFrozen by operator"]


@pytest.mark.usefixtures("identity")
def test_an_operators_freeze_is_told_once(books: Books) -> None:
    person = books.person()
    for _ in range(2):
        by_an_operator(books, person)
    assert alerts(books, person) == ["WalletFrozen by operator"]


def test_a_phone_that_is_replaced_is_told_to_us_alone(books: Books, identity: "Database") -> None:
    person = books.person()
    books.write("UPDATE users SET created_at = created_at - INTERVAL 1 YEAR WHERE id = %s", person.user_id.bytes)
    sign_in(books, person)
    proof = proof_hash(proof_of(identity, person.phone))
    user = NewUser(person.phone, "Bela Iyer", None, "personal", b"y" * 60, "full", replace=True)
    user_id, wallet_id = wiring.new_id(), wiring.new_id()
    for _ in range(2):  # the answer was lost
        users.register_user(identity, user, proof_hash=proof, user_id=user_id, wallet_id=wallet_id, claim=None)
    assert alerts(books, person) == ["WalletFrozen by phone_replaced"]
    assert alerts(books, Person(user_id, wallet_id, person.phone)) == []
