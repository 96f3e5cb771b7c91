"""Phone proofs: codes are counted, guessed five times at most, and good for one phone, one purpose and one use."""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest

from tests.support.books import Books, new_phone, unique
from tests.support.crowd import together
from tests.support.moves import connection, refusal_of
from tests.support.proofs import proof_of
from tests.support.sign_in import sign_in
from wallet import wiring
from wallet.identity.phone_proofs import store
from wallet.identity.phone_proofs.model import CodeRules, Purpose, SentCode, proof_hash
from wallet.identity.phone_proofs.store import CodeCounters
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import users
from wallet.storage.users import NewUser

RULES = CodeRules(
    valid_s=600,
    proof_valid_s=900,
    per_phone_day=5,
    per_address_hour=8,
    in_all_day=10**6,
    pause_s=30,
    regions=frozenset({"IN"}),
)
CODE = hashlib.sha256(b"the right one").digest()
WRONG = hashlib.sha256(b"a wrong one").digest()


def hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True)
class Asking:
    """Who asks for codes, from where: `address` as sessions remember it."""

    books: Books
    address: str
    rules: CodeRules = RULES

    def code(self, phone: str, purpose: Purpose = Purpose.REGISTER, *, at: datetime | None = None) -> SentCode:
        counters = CodeCounters(
            phone=hashed(f"codes to {phone}"),
            owner=hashed(f"codes to the owner of {phone}"),
            origin=hashed(f"codes from {self.address}"),
            everybody=hashed(f"everybody {self.rules.in_all_day}"),
        )
        with closing(self.books.as_role("identity", at=at)) as database:
            return store.ask_for_code(
                database,
                counters,
                self.rules,
                proof_id=wiring.new_id(),
                phone=phone,
                purpose=purpose,
                code_hash=CODE,
                address_hash=hashed(self.address),
            )


def show(books: Books, proof_id: UUID, code_hash: bytes, *, at: datetime | None = None) -> str:
    proof = f"pp_{secrets.token_urlsafe(16)}"
    with closing(books.as_role("identity", at=at)) as database:
        store.show_code(
            database, proof_id=proof_id, code_hash=code_hash, proof_hash=proof_hash(proof), proof_valid_s=900
        )
    return proof


def register(books: Books, phone: str, proof: str, *, at: datetime | None = None) -> UUID:
    user = NewUser(phone=phone, name="Asha Rao", email=None, kind="personal", password_hash=b"x" * 60, tier="full")
    with closing(books.as_role("identity", at=at)) as database:
        registration, _ = users.register_user(
            database,
            user,
            proof_hash=proof_hash(proof),
            user_id=wiring.new_id(),
            wallet_id=wiring.new_id(),
            claim=None,
        )
    return registration.user_id


def refused(asked: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        asked()
    return caught.value


@pytest.fixture
def asking(books: Books) -> Asking:
    return Asking(books, unique("address-"))


# -------------------------------------------------------------------------------------------------- codes


def test_each_code_to_a_phone_doubles_the_pause_before_the_next_and_the_fifth_is_the_days_last(asking: Asking) -> None:
    phone, at, pauses = new_phone(), datetime.now(UTC), []
    for _ in range(5):
        sent = asking.code(phone, at=at)
        pauses.append(sent.resend_after_s)
        early = refused(partial(asking.code, phone, at=at + timedelta(seconds=sent.resend_after_s - 2)))
        assert early.refusal is Refusal.TOO_MANY_CODES
        assert early.retry_after_s is not None
        assert early.retry_after_s <= 3
        at += timedelta(seconds=sent.resend_after_s + 1)
    assert pauses[:4] == [30, 60, 120, 240]
    assert 85_000 < pauses[4] <= 86_400
    assert asking.code(phone, at=at).resend_after_s == 30


def test_one_address_asks_for_so_many_codes_to_whatever_phones(asking: Asking, books: Books) -> None:
    """Text messages to numbers that earn from them, or 25 accounts from one script."""
    answers = together([lambda: asking.code(new_phone()) for _ in range(25)], at_once=8)
    assert sum(isinstance(one, SentCode) for one in answers) == RULES.per_address_hour
    late = refused(partial(asking.code, new_phone()))
    assert 3_500 < (late.retry_after_s or 0) <= 3_601
    assert Asking(books, unique("address-")).code(new_phone()).resend_after_s == 30


def test_of_many_codes_at_once_to_one_phone_one_is_sent(books: Books) -> None:
    phone = new_phone()
    answers = together([partial(Asking(books, unique("address-")).code, phone) for _ in range(8)])
    assert sum(isinstance(one, SentCode) for one in answers) == 1


def test_strangers_use_up_no_code_of_the_owners(books: Books, asking: Asking) -> None:
    """Nobody keeps the owner out by asking for codes all day: those from where they have signed in are their own."""
    person, at = books.person(), datetime.now(UTC)
    home = Asking(books, unique("home-"), replace(RULES, in_all_day=RULES.per_phone_day))
    sign_in(books, person, address_hash=hashed(home.address))
    stranger = Asking(books, unique("address-"), home.rules)
    for _ in range(RULES.per_phone_day):
        at += timedelta(seconds=stranger.code(person.phone, Purpose.RESET_PASSWORD, at=at).resend_after_s + 1)
        at = min(at, datetime.now(UTC) + timedelta(hours=2))
    assert refused(partial(stranger.code, person.phone, at=at)).refusal is Refusal.TOO_MANY_CODES
    assert (
        refused(partial(stranger.code, new_phone(), at=at)).refusal is Refusal.TOO_MANY_CODES
    )  # nor is any left in all
    assert home.code(person.phone, Purpose.RESET_PASSWORD, at=at).resend_after_s == 30


def test_owners_have_ten_times_as_many_codes_from_one_address_and_no_more(books: Books) -> None:
    """Numbers that earn from each message may be registered ones."""
    office = Asking(books, unique("office-"), replace(RULES, per_address_hour=1))
    people = [books.person() for _ in range(11)]
    for person in people:
        sign_in(books, person, address_hash=hashed(office.address))
    for person in people[:10]:
        office.code(person.phone, Purpose.SIGN_IN)
    assert refused(partial(office.code, people[10].phone, Purpose.SIGN_IN)).refusal is Refusal.TOO_MANY_CODES
    assert office.code(new_phone()).resend_after_s == 30


def test_a_code_that_could_not_be_sent_is_not_counted(books: Books, asking: Asking) -> None:
    phone = new_phone()
    sent = asking.code(phone)
    counters = CodeCounters(hashed(f"codes to {phone}"), hashed(f"codes to the owner of {phone}"), b"", b"")
    store.forget_code(connection(books, "identity"), counters, proof_id=sent.id)
    assert refusal_of(partial(show, books, sent.id, CODE)) is Refusal.NOT_FOUND
    assert asking.code(phone).resend_after_s == 30


# -------------------------------------------------------------------------------------------------- guesses


def test_a_code_is_guessed_five_times_and_then_the_right_one_is_wrong(books: Books, asking: Asking) -> None:
    sent = asking.code(new_phone())
    for _ in range(4):
        assert refusal_of(partial(show, books, sent.id, WRONG)) is Refusal.INVALID_CODE
    other = asking.code(new_phone())
    assert show(books, other.id, CODE)
    assert refusal_of(partial(show, books, sent.id, WRONG)) is Refusal.INVALID_CODE
    assert refusal_of(partial(show, books, sent.id, CODE)) is Refusal.INVALID_CODE


def test_a_hundred_guesses_at_once_are_a_hundred(books: Books, asking: Asking) -> None:
    """Each is counted before it is compared: the right one among the last of them finds no way in."""
    sent = asking.code(new_phone())
    answers = together([partial(show, books, sent.id, WRONG) for _ in range(100)], at_once=8)
    assert {one.refusal for one in answers if isinstance(one, Refused)} == {Refusal.INVALID_CODE}
    assert refusal_of(partial(show, books, sent.id, CODE)) is Refusal.INVALID_CODE


def test_a_code_is_good_for_ten_minutes_and_its_proof_for_fifteen(books: Books, asking: Asking) -> None:
    phone, at = new_phone(), datetime.now(UTC)
    sent = asking.code(phone, at=at)
    assert abs((sent.expires_at - at).total_seconds() - 600) < 1
    assert refusal_of(partial(show, books, sent.id, CODE, at=at + timedelta(seconds=601))) is Refusal.NOT_FOUND
    proof = show(books, sent.id, CODE, at=at + timedelta(seconds=599))
    late = at + timedelta(seconds=599 + 901)
    assert refusal_of(partial(register, books, phone, proof, at=late)) is Refusal.INVALID_PROOF
    assert register(books, phone, proof, at=late - timedelta(seconds=5))


def test_the_right_code_again_gives_another_proof_and_the_first_is_none(books: Books, asking: Asking) -> None:
    """The answer was lost: the client asks again."""
    phone = new_phone()
    sent = asking.code(phone)
    lost, told = show(books, sent.id, CODE), show(books, sent.id, CODE)
    assert refusal_of(partial(register, books, phone, lost)) is Refusal.INVALID_PROOF
    assert register(books, phone, told)
    assert refusal_of(partial(show, books, sent.id, CODE)) is Refusal.NOT_FOUND


# --------------------------------------------------------------------------------------------------- proofs


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.REGISTER])
def test_a_proof_for_another_purpose_registers_nobody(books: Books, purpose: Purpose) -> None:
    phone = new_phone()
    proof = proof_of(connection(books, "identity"), phone, purpose)
    assert refusal_of(partial(register, books, phone, proof)) is Refusal.INVALID_PROOF


def test_a_proof_of_another_phone_registers_nobody(books: Books) -> None:
    mine, theirs = new_phone(), new_phone()
    proof = proof_of(connection(books, "identity"), mine)
    assert refusal_of(partial(register, books, theirs, proof)) is Refusal.INVALID_PROOF
    assert register(books, mine, proof)  # a refusal has not used it up


def test_of_sixteen_who_use_one_proof_at_once_one_registers(books: Books) -> None:
    phone = new_phone()
    proof = proof_of(connection(books, "identity"), phone)
    answers = together([partial(register, books, phone, proof) for _ in range(16)])
    assert sum(isinstance(one, UUID) for one in answers) == 1
    assert {one.refusal for one in answers if isinstance(one, Refused)} <= {Refusal.INVALID_PROOF, Refusal.PHONE_TAKEN}
    assert len(books.select("SELECT 1 FROM users WHERE phone = %s", phone)) == 1


def test_what_is_stored_is_neither_the_code_nor_the_proof(books: Books) -> None:
    phone = new_phone()
    proof = proof_of(connection(books, "identity"), phone)
    (row,) = books.select("SELECT * FROM phone_proofs WHERE phone = %s", phone)
    assert row["proof_hash"] == hashlib.sha256(proof.encode()).digest()
    assert not any(proof.encode() in value for value in row.values() if isinstance(value, bytes))
