"""Who may confirm what, by which code, and what a confirmation is good for: one request, of one caller, once."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest

from tests.integration.test_kernel_atomicity import failing
from tests.support.books import Books, Person, new_phone
from tests.support.confirmations import CODE_LIMITS, WRONG, Confirming, required, tier_with
from tests.support.crowd import together
from tests.support.moves import clock_at, connection, pay, place, refusal_of, refusals_in
from tests.support.payouts import withdraw
from tests.support.sign_in import sign_in, signed_in_anew
from wallet.confirmations.model import ConfirmationKind
from wallet.identity.sessions.store import end_own_sessions
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.database import DatabaseBrokenError

NOON = datetime(2031, 5, 5, 6, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _right(books: Books) -> Iterator[None]:
    yield
    assert books.faults() == []


@pytest.fixture(scope="module")
def careful(books: Books) -> str:
    """A tier in which everything is confirmed."""
    return tier_with(books, above=0)


def retry_after(call: Callable[[], object]) -> tuple[Refusal, int]:
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.retry_after_s is not None
    return caught.value.refusal, caught.value.retry_after_s


def events_of(books: Books, person: Person) -> list[str]:
    query = "SELECT type FROM outbox WHERE wallet_id = %s ORDER BY position"
    return [row["type"] for row in books.select(query, person.wallet_id.bytes)]


# ------------------------------------------------------------------------------------------------ one, and once


def test_sixteen_requests_with_one_confirmation_move_money_once(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    claim = payer.claim()
    ask = partial(pay, books, payer, payee, 600, claim=claim)
    Confirming(books, payer).confirm(required(ask).id)
    answers = together([ask] * 16)
    receipts = [one for one in answers if isinstance(one, tuple)]
    assert len(receipts) == 16, [one for one in answers if not isinstance(one, tuple)]
    assert len({receipt.transaction_id for receipt, _ in receipts}) == 1
    assert (books.balance(payer), books.balance(payee)) == (8_400, 600)


def test_sixteen_requests_that_differ_find_the_confirmation_of_one(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    claims = [payer.claim() for _ in range(16)]
    Confirming(books, payer).confirm(required(partial(pay, books, payer, payee, 600, claim=claims[7])).id)
    answers = together([partial(pay, books, payer, payee, 600, claim=claim) for claim in claims])
    assert refusals_in(answers) == [Refusal.CONFIRMATION_REQUIRED] * 15
    assert isinstance(answers[7], tuple)
    assert books.balance(payee) == 600


@pytest.mark.parametrize("other", ["amount", "payee", "key", "caller", "request", "a VPA", "kind"])
def test_another_request_finds_none(books: Books, careful: str, other: str) -> None:
    payer, payee, third = books.person(tier=careful, money=9_000), books.person(), books.person()
    stranger = books.person(tier=careful, money=9_000)
    claim = payer.claim("the-key", "this")
    ask = partial(pay, books, payer, payee, 600, claim=claim)
    asked = required(ask)
    Confirming(books, payer).confirm(asked.id)
    theirs: dict[str, Callable[[], object]] = {
        "amount": partial(pay, books, payer, payee, 601, claim=claim),
        "payee": partial(pay, books, payer, third, 600, claim=claim),
        "key": partial(pay, books, payer, payee, 600, claim=payer.claim("another-key", "this")),
        "caller": partial(pay, books, stranger, payee, 600, claim=stranger.claim("the-key", "this")),
        "request": partial(pay, books, payer, payee, 600, claim=payer.claim("the-key", "that")),
        "kind": partial(place, books, payer, payee, 600, claim=claim),
        "a VPA": partial(withdraw, books, payer, 600, claim=claim),
    }
    assert required(theirs[other]).id != asked.id
    assert [books.balance(one) for one in (payer, stranger, payee, third)] == [9_000, 9_000, 0, 0]


def test_a_phone_that_has_changed_hands_since_is_somebody_else(books: Books, careful: str) -> None:
    """The request is the same to the letter; whom it would pay is not."""
    payer, payee, heir = books.person(tier=careful, money=9_000), books.person(), books.person()
    claim = payer.claim()
    ask = partial(pay, books, payer, None, 600, payee_phone=payee.phone, claim=claim)
    asked = required(ask)
    Confirming(books, payer).confirm(asked.id)
    books.write("UPDATE users SET phone = %s WHERE id = %s", new_phone(), payee.user_id.bytes)
    books.write("UPDATE users SET phone = %s WHERE id = %s", payee.phone, heir.user_id.bytes)
    again = required(ask)
    assert again.id != asked.id
    assert refusal_of(partial(Confirming(books, payer).show_code, asked.id)) is Refusal.NOT_FOUND
    Confirming(books, payer).confirm(again.id)
    ask()
    assert (books.balance(payee), books.balance(heir)) == (0, 600)


def test_a_confirmation_that_is_used_is_over(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    claim = payer.claim()
    asked = required(partial(pay, books, payer, payee, 600, claim=claim))
    confirming = Confirming(books, payer)
    confirming.confirm(asked.id)
    confirming.show_code(asked.id)  # the answer was lost
    pay(books, payer, payee, 600, claim=claim)
    assert refusal_of(partial(confirming.show_code, asked.id)) is Refusal.CONFIRMATION_ENDED
    assert refusal_of(partial(confirming.ask_for_code, asked.id)) is Refusal.CONFIRMATION_ENDED


def test_it_is_good_for_fifteen_minutes_and_then_asked_for_anew(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    claim = payer.claim()
    ask = partial(pay, books, payer, payee, 600, claim=claim)
    confirming = Confirming(books, payer)
    with clock_at(books, NOON):
        asked = required(ask)
        confirming.confirm(asked.id)
    with clock_at(books, NOON + 15 * MINUTE):
        again = required(ask)
        assert again.id != asked.id
    with clock_at(books, NOON + 30 * MINUTE):
        assert refusal_of(partial(confirming.ask_for_code, again.id)) is Refusal.CONFIRMATION_ENDED
        confirming.confirm(required(ask).id)
    with clock_at(books, NOON + 44 * MINUTE):
        ask()
    assert books.balance(payee) == 600


def test_the_same_request_many_times_at_once_wants_one_confirmation(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    claim = payer.claim()
    asked = together([partial(required, partial(pay, books, payer, payee, 600, claim=claim))] * 16)
    assert len({one.id for one in asked if not isinstance(one, Exception)}) == 1
    assert not [one for one in asked if isinstance(one, Exception)]


#: What a confirmed payment writes.
WRITES = (
    "INSERT ON idempotency_records",
    "UPDATE ON confirmations",
    "UPDATE ON quotas",
    "INSERT ON known_payees",
    "INSERT ON transactions",
    "UPDATE ON wallets",
    "INSERT ON postings",
    "INSERT ON outbox",
)


@pytest.mark.parametrize("write", WRITES)
def test_a_commit_that_fails_uses_no_confirmation_up(books: Books, careful: str, write: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    claim = payer.claim()
    ask = partial(pay, books, payer, payee, 600, claim=claim)
    asked = required(ask)
    Confirming(books, payer).confirm(asked.id)
    with failing(books, write), pytest.raises(DatabaseBrokenError):
        ask()
    (row,) = books.select("SELECT used_for FROM confirmations WHERE id = %s", asked.id.bytes)
    assert (row["used_for"], books.balance(payee)) == (None, 0)
    ask()
    assert books.balance(payee) == 600


def test_one_that_is_granted_while_the_request_is_sent_again_is_found(books: Books, careful: str) -> None:
    """Whoever asks at that very moment either is told of the same confirmation or goes through."""
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    confirming = Confirming(books, payer)
    for _ in range(25):
        claim = payer.claim()
        ask = partial(pay, books, payer, payee, 10, claim=claim)
        asked = required(ask)
        confirming.ask_for_code(asked.id)
        granting = threading.Thread(target=partial(confirming.show_code, asked.id))
        granting.start()
        found: list[Refused] = []
        try:
            ask()
        except Refused as refused:
            found.append(refused)
        granting.join()
        assert {one.confirmation and one.confirmation.id for one in found} <= {asked.id}
        ask()
    assert books.balance(payee) == 250


# ------------------------------------------------------------------------------------------------------ whose


def test_nobody_confirms_for_somebody_else(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person(tier=careful)
    asked = required(partial(pay, books, payer, payee, 600))
    stranger = Confirming(books, payee)
    assert refusal_of(partial(stranger.ask_for_code, asked.id)) is Refusal.NOT_FOUND
    Confirming(books, payer).ask_for_code(asked.id)
    assert refusal_of(partial(stranger.show_code, asked.id)) is Refusal.NOT_FOUND


def test_a_session_that_has_ended_confirms_nothing(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    thief, owner = sign_in(books, payer), sign_in(books, payer)
    stolen = replace(payer, generation=thief.principal.generation)
    asked = required(partial(pay, books, stolen, payee, 600))
    Confirming(books, stolen).ask_for_code(asked.id)
    end_own_sessions(connection(books, "identity"), owner.principal, thief.principal.session_id)
    assert refusal_of(partial(Confirming(books, stolen).show_code, asked.id)) is Refusal.INVALID_TOKEN
    assert refusal_of(partial(Confirming(books, stolen).ask_for_code, asked.id)) is Refusal.INVALID_TOKEN


def test_what_was_confirmed_ends_with_any_session(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    here, there = sign_in(books, payer), sign_in(books, payer)
    payer = replace(payer, generation=here.principal.generation)
    claim = payer.claim("the-key", "this")
    asked = required(partial(pay, books, payer, payee, 600, claim=claim))
    Confirming(books, payer).confirm(asked.id)
    end_own_sessions(connection(books, "identity"), here.principal, there.principal.session_id)
    payer = signed_in_anew(books, payer)
    claim = payer.claim("the-key", "this")
    again = required(partial(pay, books, payer, payee, 600, claim=claim))
    assert again.id != asked.id
    Confirming(books, payer).confirm(again.id)
    pay(books, payer, payee, 600, claim=claim)
    assert books.balance(payee) == 600


def test_who_only_asks_counts_as_who_was_paid(books: Books, careful: str) -> None:
    """The message names the payee: or phones could be counted up, and nobody be paid."""
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    for _ in range(100):
        required(partial(pay, books, payer, None, 1, payee_phone=payee.phone))
    refused = partial(pay, books, payer, None, 1, payee_phone=payee.phone)
    assert refusal_of(refused) is Refusal.TOO_MANY_LOOKUPS


# ------------------------------------------------------------------------------------------------------ codes


def test_a_code_names_what_it_is_for(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    confirming = Confirming(books, payer)
    sent = confirming.ask_for_code(required(partial(place, books, payer, payee, 600)).id)
    assert (sent.phone, sent.kind, sent.amount, sent.payee) == (payer.phone, ConfirmationKind.HOLD, 600, "Asha Rao")
    assert sent.resend_after_s == 30
    out = confirming.ask_for_code(required(partial(withdraw, books, payer, 600)).id)
    assert (out.kind, out.payee) == (ConfirmationKind.WITHDRAWAL, "asha.rao@okbank")


def test_a_code_is_guessed_five_times_and_its_owner_is_told(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    claim = payer.claim()
    ask = partial(pay, books, payer, payee, 600, claim=claim)
    asked, confirming = required(ask), Confirming(books, payer)
    confirming.ask_for_code(asked.id)
    for _ in range(5):
        assert refusal_of(partial(confirming.show_code, asked.id, WRONG)) is Refusal.INVALID_CODE
    assert refusal_of(partial(confirming.show_code, asked.id)) is Refusal.CONFIRMATION_ENDED
    assert events_of(books, payer).count("ConfirmationFailed") == 1
    again = required(ask)
    assert again.id != asked.id
    confirming.confirm(again.id)
    ask()


def test_a_hundred_guesses_at_once_are_five(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    asked, confirming = required(partial(pay, books, payer, payee, 600)), Confirming(books, payer)
    confirming.ask_for_code(asked.id)
    answers = together([partial(confirming.show_code, asked.id, WRONG)] * 100, at_once=16)
    refusals = refusals_in(answers)
    assert refusals.count(Refusal.INVALID_CODE) == 5
    assert refusals.count(Refusal.CONFIRMATION_ENDED) == 95


def test_before_a_code_was_sent_every_one_is_wrong_and_nobody_is_told(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    asked, confirming = required(partial(pay, books, payer, payee, 600)), Confirming(books, payer)
    for _ in range(6):
        assert refusal_of(partial(confirming.show_code, asked.id)) is Refusal.INVALID_CODE
    assert "ConfirmationFailed" not in events_of(books, payer)
    confirming.confirm(asked.id)


def test_three_codes_are_sent_each_in_the_place_of_the_one_before(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    confirming = Confirming(books, payer)
    with clock_at(books, NOON):
        asked = required(partial(pay, books, payer, payee, 600))
        assert confirming.ask_for_code(asked.id, "000001").resend_after_s == 30
        assert retry_after(partial(confirming.ask_for_code, asked.id, "000002")) == (Refusal.TOO_MANY_CODES, 31)
    with clock_at(books, NOON + timedelta(seconds=30)):
        assert confirming.ask_for_code(asked.id, "000002").resend_after_s == 60
        assert refusal_of(partial(confirming.show_code, asked.id, "000001")) is Refusal.INVALID_CODE
    with clock_at(books, NOON + timedelta(minutes=14)):
        assert confirming.ask_for_code(asked.id, "000003").expires_at == NOON + timedelta(minutes=24)
    with clock_at(books, NOON + timedelta(minutes=23)):
        assert refusal_of(partial(confirming.ask_for_code, asked.id, "000004")) is Refusal.TOO_MANY_CODES
        confirming.show_code(asked.id, "000003")


def test_so_many_codes_a_day_that_come_to_nothing(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    confirming = Confirming(books, payer, replace(CODE_LIMITS, per_day=3))

    def asked() -> UUID:
        return required(partial(pay, books, payer, payee, 600)).id

    for _ in range(5):
        claim = payer.claim()
        confirming.confirm(required(partial(pay, books, payer, payee, 600, claim=claim)).id)
        pay(books, payer, payee, 600, claim=claim)  # what comes to something counts for nothing
    confirming.confirm(asked())
    for _ in range(2):
        confirming.ask_for_code(asked())
    refusal, wait_s = retry_after(partial(confirming.ask_for_code, asked()))
    assert refusal is Refusal.TOO_MANY_CODES
    assert 86_000 < wait_s <= 86_401


def test_a_thief_uses_up_the_codes_of_their_own_session(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    limits = replace(CODE_LIMITS, per_day=2)

    def asked() -> UUID:
        return required(partial(pay, books, payer, payee, 600)).id

    for _ in range(9):
        thief = Confirming(books, payer, limits)
        for _ in range(2):
            thief.ask_for_code(asked())
        assert refusal_of(partial(thief.ask_for_code, asked())) is Refusal.TOO_MANY_CODES
    owner = Confirming(books, payer, limits)
    owner.confirm(asked())
    owner.ask_for_code(asked())
    # and in all there are ten times as many, or somebody could have us send messages without end
    assert refusal_of(partial(Confirming(books, payer, limits).ask_for_code, asked())) is Refusal.TOO_MANY_CODES


def test_a_code_that_could_not_be_sent_counts_for_nothing(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    confirming = Confirming(books, payer, replace(CODE_LIMITS, per_day=1))
    asked = required(partial(pay, books, payer, payee, 600))
    for _ in range(4):
        confirming.ask_for_code(asked.id)
        confirming.forget_code(asked.id)
        assert refusal_of(partial(confirming.show_code, asked.id, WRONG)) is Refusal.INVALID_CODE
    confirming.confirm(asked.id)


def test_a_code_whose_answer_was_lost_is_the_same_code(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    confirming = Confirming(books, payer)
    asked = required(partial(pay, books, payer, payee, 600))
    assert confirming.ask_for_code(asked.id) == confirming.ask_for_code(asked.id)
    (row,) = books.select("SELECT codes FROM confirmations WHERE id = %s", asked.id.bytes)
    assert row["codes"] == 1


# --------------------------------------------------------------------------------------------------- the sweep


def test_what_was_not_used_goes_after_a_day_and_what_was_stays(books: Books, careful: str) -> None:
    payer, payee = books.person(tier=careful, money=9_000), books.person()
    claim = payer.claim()
    used = required(partial(pay, books, payer, payee, 600, claim=claim))
    Confirming(books, payer).confirm(used.id)
    pay(books, payer, payee, 600, claim=claim)
    left = required(partial(pay, books, payer, payee, 600))
    books.write(
        "UPDATE confirmations SET expires_at = expires_at - INTERVAL 2 DAY WHERE user_id = %s", payer.user_id.bytes
    )
    connection(books, "gateway").call("sweep_identity")
    rows = books.select("SELECT id FROM confirmations WHERE user_id = %s", payer.user_id.bytes)
    assert [row["id"] for row in rows] == [used.id.bytes] != [left.id.bytes]
