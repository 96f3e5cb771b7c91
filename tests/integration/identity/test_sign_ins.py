"""The brake on guessing, as the database counts it."""

import time
import timeit
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import bcrypt
import pytest

from tests.integration.conftest import Functions
from tests.support.books import Books, new_phone, unique
from tests.support.crowd import together
from tests.support.functions import api_event
from tests.support.moves import connection
from tests.support.proofs import proof_of
from tests.support.sign_in import sign_in
from wallet.identity.phone_proofs.model import Purpose, proof_hash
from wallet.identity.sessions import store
from wallet.identity.sessions.model import SignInRules, address_hash, subject_hash
from wallet.identity.sessions.store import SignInCounters
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.database import Database

LIMIT = 10
_ENOUGH = 10**6
#: Of the three limits one alone can be met.
BY_PHONE = SignInRules(password_cost=4, per_pair=_ENOUGH, per_phone=LIMIT, per_address=_ENOUGH, window_s=900)
BY_PAIR = SignInRules(password_cost=4, per_pair=LIMIT, per_phone=_ENOUGH, per_address=_ENOUGH, window_s=900)
BY_ADDRESS = SignInRules(password_cost=4, per_pair=_ENOUGH, per_phone=_ENOUGH, per_address=LIMIT, window_s=900)


def counters(phone: str, address: str) -> SignInCounters:
    return SignInCounters(
        pair=subject_hash("sign-in", f"{phone} from {address}"),
        phone=subject_hash("sign-in", phone),
        address=address_hash(address),
    )


def attempt(
    database: Database, phone: str, address: str, rules: SignInRules, proof: str | None = None
) -> Callable[[], SignInCounters]:
    """One attempt, to be made later."""
    shown = None if proof is None else proof_hash(proof)
    return lambda: store.count_sign_in(database, counters(phone, address), rules, phone=phone, proof_hash=shown)


def uses_of(books: Books, counted: SignInCounters) -> dict[bytes, int]:
    query = "SELECT subject_hash, uses FROM quotas WHERE subject_hash IN (%s, %s, %s)"
    rows = books.select(query, counted.pair, counted.phone, counted.address)
    return {row["subject_hash"]: row["uses"] for row in rows}


def refused(work: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value


@pytest.mark.parametrize(
    ("rules", "passing"),
    [(BY_PHONE, LIMIT), (BY_ADDRESS, LIMIT), (BY_PAIR, LIMIT // 2)],
    ids=["to one phone", "from one address", "to one phone from one address"],
)
def test_of_many_attempts_at_once_exactly_the_limit_gets_through(
    books: Books, rules: SignInRules, passing: int
) -> None:
    """Behind the first half of a pair's there is a pause, which nobody outruns."""
    callers = [books.as_role("identity") for _ in range(LIMIT + 2)]
    for _ in range(10):
        phone, address = new_phone(), unique("address:")
        phones = [phone] * len(callers) if rules is not BY_ADDRESS else [new_phone() for _ in callers]
        addresses = [address] * len(callers) if rules is not BY_PHONE else [unique("address:") for _ in callers]
        outcomes = together(
            [attempt(*told, rules) for told in zip(callers, phones, addresses, strict=True)], at_once=len(callers)
        )
        told = [outcome for outcome in outcomes if not isinstance(outcome, SignInCounters)]
        assert len(told) == len(callers) - passing
        assert all(isinstance(outcome, Refused) and outcome.refusal is Refusal.TOO_MANY_ATTEMPTS for outcome in told)


def test_each_failure_behind_the_first_half_doubles_the_pause_and_the_last_one_lasts_the_window(books: Books) -> None:
    phone, address, at = new_phone(), unique("address:"), datetime.now(UTC).replace(tzinfo=None)
    for number in range(LIMIT):
        database = books.as_role("identity", at=at)
        attempt(database, phone, address, BY_PAIR)()
        if number + 1 >= LIMIT // 2:
            wait = refused(attempt(database, phone, address, BY_PAIR)).retry_after_s
            assert wait is not None
            pause = 2 ** (number + 1 - LIMIT // 2) if number + 1 < LIMIT else 900 - sum(2**n for n in range(5))
            assert pause - 5 <= wait <= pause + 1
            at += timedelta(seconds=pause if number + 1 < LIMIT else 0)
    attempt(books.as_role("identity", at=at + timedelta(seconds=900)), phone, address, BY_PAIR)()


def test_guesses_from_elsewhere_keep_nobody_out_who_was_here_before(books: Books) -> None:
    owner, home, identity = books.person(), unique("address:"), connection(books, "identity")
    sign_in(books, owner, address_hash=address_hash(home))
    for _ in range(LIMIT):
        attempt(identity, owner.phone, unique("address:"), BY_PHONE)()
    assert refused(attempt(identity, owner.phone, unique("address:"), BY_PHONE)).refusal is Refusal.TOO_MANY_ATTEMPTS
    attempt(identity, owner.phone, home, BY_PHONE)()


def test_who_shows_a_proof_of_the_phone_is_held_up_by_nobody_ten_times(books: Books) -> None:
    phone, address, identity = new_phone(), unique("address:"), connection(books, "identity")
    none = SignInRules(password_cost=4, per_pair=0, per_phone=0, per_address=0, window_s=900)
    assert refused(attempt(identity, phone, address, none)).refusal is Refusal.TOO_MANY_ATTEMPTS
    proof = proof_of(identity, phone, Purpose.SIGN_IN)
    for _ in range(10):
        attempt(identity, phone, address, none, proof)()
    assert refused(attempt(identity, phone, address, none, proof)).refusal is Refusal.INVALID_PROOF


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.SIGN_IN])
def test_a_proof_for_something_else_or_of_another_phone_lets_nobody_try(books: Books, purpose: Purpose) -> None:
    phone, address, identity = new_phone(), unique("address:"), connection(books, "identity")
    for proof in (proof_of(identity, phone, purpose), proof_of(identity, new_phone(), Purpose.SIGN_IN), "pp_none"):
        assert refused(attempt(identity, phone, address, BY_PAIR, proof)).refusal is Refusal.INVALID_PROOF


def test_who_got_it_right_has_a_clean_slate_and_only_their_own_attempt_back_from_the_others(books: Books) -> None:
    phone, address, identity = new_phone(), unique("address:"), connection(books, "identity")
    for _ in range(3):
        counted = attempt(identity, phone, address, BY_PAIR)()
    assert counted == counters(phone, address)
    store.forgive_sign_in(identity, counted)
    assert uses_of(books, counted) == {counted.phone: 2, counted.address: 2}


def test_who_signs_in_from_where_they_have_been_gives_strangers_no_guess_more(books: Books) -> None:
    """What was not counted is not taken back: neither at home, nor with a proof of the phone."""
    person, address, identity = books.person(), unique("address:"), connection(books, "identity")
    for _ in range(3):
        attempt(identity, person.phone, unique("address:"), BY_PHONE)()
    sign_in(books, person, address_hash=address_hash(address))
    known = attempt(identity, person.phone, address, BY_PHONE)()
    proved = attempt(identity, person.phone, address, BY_PHONE, proof_of(identity, person.phone, Purpose.SIGN_IN))()
    assert (known.phone, proved.phone, proved.address) == (None, None, None)
    for counted in (known, proved):
        store.forgive_sign_in(identity, counted)
    told = counters(person.phone, address)
    assert uses_of(books, told) == {told.phone: 3, told.address: 0}


def test_a_password_that_fails_on_many_phones_is_counted_once_for_each(books: Books) -> None:
    password, phones, identity = unique("password:"), [new_phone() for _ in range(5)], connection(books, "identity")

    def note(phone: str) -> int:
        return store.note_failed_sign_in(
            identity,
            password_hash=subject_hash("failed", password),
            pair_hash=subject_hash("failed", f"{password} for {phone}"),
            window_s=900,
        )

    assert [note(phone) for phone in phones] == [1, 2, 3, 4, 5]
    assert [note(phone) for phone in phones] == [5] * 5


def hashing(books: Books, address: str, proof: str = "pp_none") -> None:
    store.count_hashing(
        connection(books, "identity"),
        proof_hash=proof_hash(proof),
        address_hash=address_hash(address),
        per_address=LIMIT,
        window_s=900,
    )


def test_hashing_for_one_address_is_counted_with_its_sign_ins(books: Books) -> None:
    address = unique("address:")
    attempt(connection(books, "identity"), new_phone(), address, BY_ADDRESS)()
    outcomes = together([partial(hashing, books, address) for _ in range(12)], at_once=6)
    told = [outcome for outcome in outcomes if outcome is not None]
    assert len(told) == 3
    assert all(isinstance(outcome, Refused) and outcome.refusal is Refusal.TOO_MANY_ATTEMPTS for outcome in told)


def test_who_has_a_proof_registers_and_resets_ten_times_whatever_their_neighbours_do(books: Books) -> None:
    address = unique("address:")
    for _ in range(LIMIT):
        hashing(books, address)
    proof = proof_of(connection(books, "identity"), new_phone())
    for _ in range(10):
        hashing(books, address, proof)
    assert refused(partial(hashing, books, address, proof)).refusal is Refusal.TOO_MANY_ATTEMPTS


def test_an_unknown_phone_takes_as_long_as_a_wrong_password(books: Books, functions: Functions) -> None:
    """Where a hash takes far more than all else that a sign-in does, as it does in production."""
    cost, phone = 10, new_phone()
    register = functions.make("register", PASSWORD_COST=f"{cost}")
    told = {"phone": phone, "name": "Asha Rao", "password": "correct horse"}
    proof = proof_of(connection(books, "identity"), phone)
    assert register.invoke(api_event("POST", "/register", body=told | {"phone_proof": proof}))["statusCode"] == 201
    # so many attempts that none is too many, and there is no pause behind any
    login = functions.make("login", PASSWORD_COST=f"{cost}", SIGN_INS_PER_PHONE_AND_ADDRESS=f"{_ENOUGH}")
    took: dict[str, list[float]] = {"wrong": [], "unknown": []}
    for number in range(60):  # in turns, and the quickest of each counts: what else the machine does only adds to it
        for kind, shown in (("wrong", phone), ("unknown", new_phone())):
            event = api_event("POST", "/login", body={"phone": shown, "password": "not the password at all"})
            began = time.perf_counter()
            assert login.invoke(event)["statusCode"] == 401
            took[kind].append(time.perf_counter() - began)
        wrong, unknown = (min(times) for times in took.values())
        if number >= 8 and 0.6 < wrong / unknown < 1.6:
            break
    assert 0.6 < wrong / unknown < 1.6, took
    salt = bcrypt.gensalt(cost)
    a_hash = min(timeit.repeat(lambda: bcrypt.hashpw(b"a password", salt), number=1))
    assert unknown > a_hash / 2, "no password was hashed"
