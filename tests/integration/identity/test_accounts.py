"""Accounts: phones that pass to somebody else, passwords that change, and the freeze that is its owner's own."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.books import Books, Person, new_phone, unique
from tests.support.crowd import together
from tests.support.moves import connection, pay, refusal_of
from tests.support.operators import asked
from tests.support.proofs import proof_of
from tests.support.sign_in import PASSWORD_HASH, SignedIn, generation, sign_in
from wallet import wiring
from wallet.identity.accounts import store
from wallet.identity.phone_proofs.model import Purpose, proof_hash
from wallet.identity.sessions.store import list_sessions
from wallet.ledger.receipts import Registration
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import operators, users
from wallet.storage.claims import Claim
from wallet.storage.operators import Instruction
from wallet.storage.users import NewUser
from wallet.storage.wallets import find_wallet

if TYPE_CHECKING:
    from collections.abc import Callable

NEW_HASH = b"n" * 60
DAY_S = 86_400


def register(books: Books, phone: str, *, replace_owner: bool = False, claim: Claim | None = None) -> Registration:
    user = NewUser(
        phone=phone,
        name="Bela Iyer",
        email=None,
        kind="personal",
        password_hash=b"y" * 60,
        tier="full",
        replace=replace_owner,
    )
    database = connection(books, "identity")
    return users.register_user(
        database,
        user,
        proof_hash=proof_hash(proof_of(database, phone)),
        user_id=wiring.new_id(),
        wallet_id=wiring.new_id(),
        claim=claim,
    )[0]


def of_last_year(books: Books, person: Person) -> Person:
    """An account that is old enough for its phone to have another owner by now."""
    books.write("UPDATE users SET created_at = created_at - INTERVAL 1 YEAR WHERE id = %s", person.user_id.bytes)
    return person


def reset(books: Books, person: Person, *, at: datetime | None = None, password_hash: bytes = NEW_HASH) -> None:
    with closing(books.as_role("identity", at=at)) as database:
        store.reset_password(
            database,
            reset_id=wiring.new_id(),
            proof_hash=proof_hash(proof_of(database, person.phone, Purpose.RESET_PASSWORD)),
            password_hash=password_hash,
            seen_within_days=90,
        )


def status(books: Books, person: Person) -> str:
    return str(books.select("SELECT status FROM wallets WHERE id = %s", person.wallet_id.bytes)[0]["status"])


def now_of(books: Books, session: SignedIn) -> Any:
    """Who they are after a refresh."""
    return replace(session.principal, generation=generation(books, session.principal.user_id))


# --------------------------------------------------------------------------- a number with another owner


def test_a_phone_with_an_account_is_taken_unless_who_proves_it_wants_it_replaced(books: Books) -> None:
    old, payer = of_last_year(books, books.person(money=1_000)), books.person(money=1_000)
    session = sign_in(books, old)
    assert refusal_of(partial(register, books, old.phone)) is Refusal.PHONE_TAKEN
    assert status(books, old) == "active"
    fresh = register(books, old.phone, replace_owner=True)
    assert status(books, old) == "frozen"
    claim = replace(old.claim(), generation=session.principal.generation)
    assert refusal_of(lambda: pay(books, old, payer, 10, claim=claim)) is Refusal.INVALID_TOKEN
    assert list_sessions(connection(books, "identity"), old.user_id) == []
    assert refusal_of(partial(sign_in, books, old)) is Refusal.INVALID_CREDENTIALS
    pay(books, payer, None, 60, payee_phone=old.phone)
    assert books.balance(Person(fresh.user_id, fresh.wallet_id, old.phone)) == 60
    assert books.balance(old) == 1_000
    assert (books.faults(), books.broken_promises()) == ([], [])


def test_of_many_who_replace_at_once_one_does_and_the_others_are_sent_to_an_operator(books: Books) -> None:
    old = of_last_year(books, books.person(money=100))
    answers = together([partial(register, books, old.phone, replace_owner=True) for _ in range(4)])
    assert sum(isinstance(one, Registration) for one in answers) == 1
    assert {one.refusal for one in answers if isinstance(one, Refused)} == {Refusal.OPERATOR_NEEDED}
    assert len(books.select("SELECT id FROM users WHERE phone = %s", old.phone)) == 1
    assert status(books, old) == "frozen"


def test_nobody_begins_anew_with_their_own_number(books: Books) -> None:
    """Limits of the month, and a freeze by operators, would be gone."""
    young, frozen, closing = books.person(), *(of_last_year(books, books.person()) for _ in range(2))
    frozen_by_an_operator(books, frozen)
    books.write("UPDATE wallets SET status = 'closing' WHERE id = %s", closing.wallet_id.bytes)
    for person in (young, frozen, closing):
        assert refusal_of(partial(register, books, person.phone, replace_owner=True)) is Refusal.OPERATOR_NEEDED
    own = of_last_year(books, books.person())
    store.freeze_own_wallet(connection(books, "identity"), sign_in(books, own).principal)
    assert register(books, own.phone, replace_owner=True).phone == own.phone


def test_the_phone_of_a_new_account_is_known_to_be_its_owners(books: Books) -> None:
    fresh = register(books, phone := new_phone())
    (row,) = books.select("SELECT phone FROM proved_phones WHERE user_id = %s", fresh.user_id.bytes)
    assert row["phone"] == phone


# ------------------------------------------------------------------------------------------------ passwords


def test_a_password_that_changes_ends_every_other_session(books: Books) -> None:
    person, payee = books.person(money=100), books.person()
    here, thief = sign_in(books, person), sign_in(books, person)
    identity = connection(books, "identity")
    wrong = {"password_hash": b"w" * 60, "new_password_hash": NEW_HASH}
    assert refusal_of(partial(store.change_password, identity, here.principal, **wrong)) is Refusal.INVALID_CREDENTIALS
    right = {"password_hash": PASSWORD_HASH, "new_password_hash": NEW_HASH}
    store.change_password(identity, here.principal, **right)
    store.change_password(identity, here.principal, **right)  # the answer was lost
    assert [one.id for one in list_sessions(identity, person.user_id)] == [here.principal.session_id]
    stolen = replace(person.claim(), generation=thief.principal.generation)
    assert refusal_of(lambda: pay(books, person, payee, 10, claim=stolen)) is Refusal.INVALID_TOKEN
    assert refusal_of(partial(sign_in, books, person)) is Refusal.INVALID_CREDENTIALS
    assert sign_in(books, person, password_hash=NEW_HASH)


def test_who_is_in_an_ended_session_changes_no_password(books: Books) -> None:
    person = books.person()
    thief = sign_in(books, person)
    reset(books, person)
    again = {"password_hash": NEW_HASH, "new_password_hash": b"t" * 60}
    identity = connection(books, "identity")
    assert refusal_of(partial(store.change_password, identity, thief.principal, **again)) is Refusal.INVALID_TOKEN


def test_a_sign_in_that_looked_at_the_password_before_a_reset_does_not_come_in_behind_it(books: Books) -> None:
    person = books.person()
    tasks: list[Callable[[], Any]] = [
        partial(reset, books, person),
        *[partial(sign_in, books, person) for _ in range(6)],
    ]
    assert together(tasks)[0] is None
    assert list_sessions(connection(books, "identity"), person.user_id) == []
    assert refusal_of(partial(sign_in, books, person)) is Refusal.INVALID_CREDENTIALS


def test_a_reset_ends_every_session(books: Books) -> None:
    person = books.person()
    sign_in(books, person)
    reset(books, person)
    assert list_sessions(connection(books, "identity"), person.user_id) == []


def test_who_was_not_here_for_ninety_days_is_sent_to_an_operator(books: Books) -> None:
    """The number may have been given to somebody else, who has the phone and not the account."""
    person = books.person()
    late = datetime.now(UTC) + timedelta(days=91)
    assert refusal_of(partial(reset, books, person, at=late)) is Refusal.OPERATOR_NEEDED
    sign_in(books, person, at=datetime.now(UTC) + timedelta(days=2))
    reset(books, person, at=late)


@pytest.mark.parametrize("same", [True, False])
def test_two_operators_who_know_whose_a_phone_is_let_a_code_reset_the_password_again(
    books: Books, *, same: bool
) -> None:
    person = books.person()
    late = datetime.now(UTC) + timedelta(days=91)
    assert refusal_of(partial(reset, books, person, at=late)) is Refusal.OPERATOR_NEEDED
    phone = person.phone if same else new_phone()
    move_phone(books, person, phone, at=late)
    reset(books, Person(person.user_id, person.wallet_id, phone), at=late + timedelta(hours=1))


def test_a_phone_that_nobody_has_registered_resets_nothing(books: Books) -> None:
    nobody = Person(wiring.new_id(), wiring.new_id(), new_phone())
    assert refusal_of(partial(reset, books, nobody)) is Refusal.NOT_FOUND


def test_a_new_cost_keeps_the_password_and_the_sessions(books: Books) -> None:
    person = books.person()
    sign_in(books, person)
    identity = connection(books, "identity")
    before = generation(books, person.user_id)
    users.rehash_password(identity, user_id=person.user_id, password_hash=b"o" * 60, new_password_hash=NEW_HASH)
    assert users.find_password(identity, person.phone) == (person.user_id, PASSWORD_HASH)
    users.rehash_password(identity, user_id=person.user_id, password_hash=PASSWORD_HASH, new_password_hash=NEW_HASH)
    assert users.find_password(identity, person.phone) == (person.user_id, NEW_HASH)
    assert generation(books, person.user_id) == before
    assert len(list_sessions(identity, person.user_id)) == 1


# ----------------------------------------------------------------------------------------- one's own freeze


def unfreeze(books: Books, session: SignedIn, person: Person, *, at: datetime | None = None) -> datetime:
    with closing(books.as_role("identity", at=at)) as database:
        return store.unfreeze_own_wallet(
            database,
            now_of(books, session),
            request_id=wiring.new_id(),
            proof_hash=proof_hash(proof_of(database, person.phone, Purpose.UNFREEZE)),
            wait_s=DAY_S,
        )


def move_phone(books: Books, person: Person, phone: str | None, *, at: datetime | None = None) -> None:
    """By two operators."""
    operator = connection(books, "operator") if at is None else books.as_role("operator", at=at)
    claim = Claim(wiring.new_id(), unique("key-"), b"h" * 32)
    command = "free_phone" if phone is None else "change_phone"
    instruction = asked(operator, command, Instruction("111122223333/meera", "a lost phone", claim))
    operators.move_phone(operator, instruction, action_id=wiring.new_id(), wallet_id=person.wallet_id, phone=phone)


def due(books: Books, at: datetime) -> int:
    with closing(books.as_role("clock", at=at)) as database:
        return store.end_due_freezes(database)


def shown_end(books: Books, person: Person) -> datetime | None:
    """When the freeze ends, as the wallet tells its owner."""
    found = find_wallet(connection(books, "reader"), user_id=person.user_id)
    assert found is not None
    return found.unfreezes_at


def test_who_freezes_their_wallet_pays_nothing_until_a_day_behind_a_proof(books: Books) -> None:
    person, payee = books.person(money=1_000), books.person()
    here, thief = sign_in(books, person), sign_in(books, person)
    identity = connection(books, "identity")
    for _ in range(2):  # again, as the answer was lost
        store.freeze_own_wallet(identity, here.principal)
    assert status(books, person) == "frozen"
    assert [one.id for one in list_sessions(identity, person.user_id)] == [here.principal.session_id]
    claim = replace(person.claim(), generation=generation(books, person.user_id))
    assert refusal_of(lambda: pay(books, person, payee, 10, claim=claim)) is Refusal.WALLET_FROZEN
    assert refusal_of(partial(store.freeze_own_wallet, identity, thief.principal)) is Refusal.INVALID_TOKEN
    now = datetime.now(UTC)
    at = unfreeze(books, here, person)
    assert abs((at - now).total_seconds() - DAY_S) < 60
    assert unfreeze(books, here, person, at=now + timedelta(hours=1)) == at  # asked again, the first time stands
    assert due(books, at - timedelta(seconds=1)) == 0
    assert status(books, person) == "frozen"
    assert due(books, at + timedelta(seconds=1)) == 1
    assert status(books, person) == "active"
    assert due(books, at + timedelta(days=1)) == 0
    pay(books, person, payee, 10, claim=replace(claim, key=unique("key-")))


def test_frozen_again_the_end_that_was_asked_for_is_called_off(books: Books) -> None:
    """Whoever has the owner's phone and password asks for the end; the owner has a day to see it."""
    person = books.person()
    session = sign_in(books, person)
    store.freeze_own_wallet(connection(books, "identity"), session.principal)
    assert shown_end(books, person) is None
    at = unfreeze(books, session, person)
    assert shown_end(books, person) == at
    store.freeze_own_wallet(connection(books, "identity"), now_of(books, session))
    assert shown_end(books, person) is None
    assert due(books, at + timedelta(days=2)) == 0
    assert status(books, person) == "frozen"
    again = unfreeze(books, session, person, at=at)
    assert again == shown_end(books, person) == at + timedelta(days=1), "asked again, it is a whole day again"
    store.freeze_own_wallet(connection(books, "identity"), now_of(books, session))
    assert shown_end(books, person) is None


def test_an_end_is_shown_until_it_has_come_about(books: Books) -> None:
    person = books.person()
    session = sign_in(books, person)
    store.freeze_own_wallet(connection(books, "identity"), session.principal)
    at = unfreeze(books, session, person)
    with closing(books.as_role("reader", at=at + timedelta(minutes=1))) as late:  # the clock comes by every five
        found = find_wallet(late, user_id=person.user_id)
        assert found is not None
        assert (found.status, found.unfreezes_at) == ("frozen", at)
    assert due(books, at + timedelta(minutes=2)) == 1
    assert shown_end(books, person) is None


def test_nobody_ends_an_operators_freeze_by_a_proof(books: Books) -> None:
    person = books.person()
    session = sign_in(books, person)
    identity = connection(books, "identity")
    frozen_by_an_operator(books, person)
    store.freeze_own_wallet(identity, now_of(books, session))
    assert refusal_of(partial(unfreeze, books, session, person)) is Refusal.NOT_FOUND


def test_what_its_owner_froze_and_an_operator_froze_then_is_the_operators(books: Books) -> None:
    person = books.person()
    session = sign_in(books, person)
    store.freeze_own_wallet(connection(books, "identity"), session.principal)
    at = unfreeze(books, session, person)
    frozen_by_an_operator(books, person)
    assert shown_end(books, person) is None
    assert due(books, at + timedelta(days=1)) == 0
    assert status(books, person) == "frozen"


def test_a_thief_who_froze_the_wallet_is_out_when_an_operator_freezes_it_too(books: Books) -> None:
    person = books.person(money=100)
    thief = sign_in(books, person)
    store.freeze_own_wallet(connection(books, "identity"), thief.principal)
    frozen_by_an_operator(books, person)
    assert list_sessions(connection(books, "identity"), person.user_id) == []
    books.write("UPDATE wallets SET status = 'active' WHERE id = %s", person.wallet_id.bytes)
    spared = replace(person.claim(), generation=thief.principal.generation + 1)
    assert refusal_of(lambda: pay(books, person, books.person(), 10, claim=spared)) is Refusal.INVALID_TOKEN


def test_a_thief_is_out_when_an_operator_freezes(books: Books) -> None:
    person = books.person(money=100)
    thief = sign_in(books, person)
    frozen_by_an_operator(books, person)
    assert list_sessions(connection(books, "identity"), person.user_id) == []
    claim = replace(person.claim(), generation=thief.principal.generation)
    assert refusal_of(lambda: pay(books, person, books.person(), 10, claim=claim)) is Refusal.INVALID_TOKEN


def frozen_by_an_operator(books: Books, person: Person) -> None:
    books.as_role("operator").call(
        "freeze_wallet",
        wiring.new_id().bytes,
        unique("key-").encode(),
        b"h" * 32,
        wiring.new_id().bytes,
        "meera@example.com",
        "a report",
        person.wallet_id.bytes,
    )


@pytest.mark.parametrize("purpose", [Purpose.REGISTER, Purpose.SIGN_IN])
def test_a_proof_for_something_else_ends_no_freeze(books: Books, purpose: Purpose) -> None:
    person = books.person()
    session = sign_in(books, person)
    identity = connection(books, "identity")
    store.freeze_own_wallet(identity, session.principal)
    proof = proof_hash(proof_of(identity, person.phone, purpose))
    unfreezing = partial(
        store.unfreeze_own_wallet,
        identity,
        now_of(books, session),
        request_id=wiring.new_id(),
        proof_hash=proof,
        wait_s=DAY_S,
    )
    assert refusal_of(unfreezing) is Refusal.INVALID_PROOF


@pytest.mark.parametrize("moved", ["freed", "changed"])
def test_the_end_of_a_freeze_that_was_asked_for_by_a_phone_is_off_when_operators_move_the_phone(
    books: Books, moved: str
) -> None:
    """Who asked may have been the thief with the phone: its owner asks again, by the phone that they have now."""
    person = books.person()
    session = sign_in(books, person)
    store.freeze_own_wallet(connection(books, "identity"), session.principal)
    at = unfreeze(books, session, person)
    move_phone(books, person, None if moved == "freed" else new_phone())
    assert due(books, at + timedelta(days=1)) == 0
    assert status(books, person) == "frozen"
    assert (books.faults(), books.broken_promises()) == ([], [])


def test_a_phone_that_moves_on_twice_leaves_no_fault(books: Books) -> None:
    """Its owners before are known by the history of phones, though nobody has it any more."""
    first = of_last_year(books, books.person())
    second = register(books, first.phone, replace_owner=True)
    move_phone(books, Person(second.user_id, second.wallet_id, first.phone), None)
    assert books.broken_promises() == []
