"""Which money out wants a confirmation: by its amount, the day's sum, where it goes; and nothing that is refused."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.integration.test_bulk import opened, retry, rows, work
from tests.support.books import Books
from tests.support.confirmations import Confirming, required, set_rules, tier_with
from tests.support.crowd import together
from tests.support.moves import clock_at, pay, place, refusal_of, refusals_in
from tests.support.payouts import cancelled, withdraw
from wallet import wiring
from wallet.ledger.refusals import Refusal
from wallet.storage.database import DatabaseBrokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAY = timedelta(days=1)
#: Midday in India, on a day of its own: sums of a day begin with nothing.
NOON = datetime(2031, 5, 5, 6, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _right(books: Books) -> "Iterator[None]":
    yield
    assert books.faults() == []


# -------------------------------------------------------------------------------------------------- the amount


def test_a_payment_above_the_amount_goes_through_once_it_is_confirmed_and_only_once(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, above=500), money=2_000), books.person()
    claim = payer.claim()
    ask = partial(pay, books, payer, payee, 501, claim=claim)
    asked = required(ask)
    assert asked.methods == ("sms",)
    assert asked.expires_at > datetime.now(UTC) + timedelta(minutes=14)
    assert required(ask).id == asked.id, "the same request is the same confirmation"
    assert (books.balance(payer), books.balance(payee)) == (2_000, 0)
    Confirming(books, payer).confirm(asked.id)
    receipt, replayed = ask()
    assert (receipt.amount, replayed, books.balance(payee)) == (501, False, 501)
    again, replayed = ask()
    assert (again.transaction_id, replayed, books.balance(payee)) == (receipt.transaction_id, True, 501)
    (row,) = books.select("SELECT * FROM confirmations WHERE id = %s", asked.id.bytes)
    assert (row["used_for"], row["method"]) == (receipt.transaction_id.bytes, "sms"), "the evidence stays"


def test_up_to_the_amount_nobody_is_asked(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, above=500), money=2_000), books.person()
    pay(books, payer, payee, 500)
    place(books, payer, payee, 500)
    withdraw(books, payer, 500)
    assert books.select("SELECT id FROM confirmations WHERE user_id = %s", payer.user_id.bytes) == []


def test_from_nothing_on_means_every_one(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, above=0), money=2_000), books.person()
    moves: list[Callable[[], object]] = [
        partial(pay, books, payer, payee, 1, claim=payer.claim()),
        partial(place, books, payer, payee, 1, claim=payer.claim()),
        partial(withdraw, books, payer, 100, claim=payer.claim()),
        partial(opened, books, payer, rows(payee, 2, 1), payer.claim()),
    ]
    for move in moves:
        Confirming(books, payer).confirm(required(move).id)
        move()
    assert books.held(payer) == 101


def test_a_tier_without_rules_asks_nobody(books: Books) -> None:
    payer, payee = books.person(money=100_000), books.person()
    pay(books, payer, payee, 50_000)
    withdraw(books, payer, 50_000)


def test_a_rule_counts_from_its_day_on(books: Books) -> None:
    payer, payee = books.person(tier=(tier := tier_with(books, above=100)), money=2_000), books.person()
    set_rules(books, tier, "2026-01-01")
    pay(books, payer, payee, 500)
    set_rules(books, tier, "2031-05-05", above=400)
    with clock_at(books, NOON - 2 * DAY):
        pay(books, payer, payee, 500)
    with clock_at(books, NOON):
        required(partial(pay, books, payer, payee, 500))


# ------------------------------------------------------------------------------------------------- the day's sum


def test_small_payments_come_to_a_sum_that_wants_one(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, day_above=1_000), money=9_000), books.person()
    with clock_at(books, NOON):
        pay(books, payer, payee, 600)
        place(books, payer, payee, 400)
        claim = payer.claim()
        asked = required(partial(pay, books, payer, payee, 1, claim=claim))
        Confirming(books, payer).confirm(asked.id)
        pay(books, payer, payee, 1, claim=claim)
        required(partial(pay, books, payer, payee, 1))
        required(partial(place, books, payer, payee, 1))
    with clock_at(books, NOON + DAY):
        pay(books, payer, payee, 1_000)


def test_what_is_confirmed_leaves_the_sum_as_it_is(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, above=500, day_above=1_000), money=9_000), books.person()
    with clock_at(books, NOON):
        claim = payer.claim()
        Confirming(books, payer).confirm(required(partial(pay, books, payer, payee, 5_000, claim=claim)).id)
        pay(books, payer, payee, 5_000, claim=claim)
        pay(books, payer, payee, 500)
        pay(books, payer, payee, 500)
        required(partial(pay, books, payer, payee, 1))


def test_a_hold_that_is_let_go_takes_nothing_off_the_sum(books: Books) -> None:
    """Or a thief would promise and let go, in turn, for as long as they like."""
    payer, payee = books.person(tier=tier_with(books, day_above=1_000), money=9_000), books.person()
    with clock_at(books, NOON):
        place(books, payer, payee, 1_000, valid_s=1)
    with clock_at(books, NOON + timedelta(seconds=5)):
        required(partial(pay, books, payer, payee, 1))


def test_sixteen_at_once_stay_below_the_sum(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, day_above=1_000), money=9_000), books.person()
    answers = together([partial(pay, books, payer, payee, 300) for _ in range(16)])
    assert refusals_in(answers) == [Refusal.CONFIRMATION_REQUIRED] * 13
    assert books.balance(payee) == 900


def test_a_file_counts_as_a_whole_when_it_comes(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, day_above=1_000), money=9_000), books.person()
    opened(books, payer, rows(payee, 6, 100))
    required(partial(pay, books, payer, payee, 401))
    pay(books, payer, payee, 400)
    required(partial(withdraw, books, payer, 100))
    answers = together([partial(opened, books, payer, rows(payee, 1, 1)) for _ in range(4)])
    assert refusals_in(answers) == [Refusal.CONFIRMATION_REQUIRED] * 4


def test_two_files_at_once_stay_below_the_sum(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, day_above=1_000), money=9_000), books.person()
    answers = together([partial(opened, books, payer, rows(payee, 6, 100)) for _ in range(4)])
    assert refusals_in(answers) == [Refusal.CONFIRMATION_REQUIRED] * 3


def test_a_file_that_is_tried_again_is_confirmed_again(books: Books) -> None:
    """Else a thief would send files that nobody can be paid by, and have them paid when all of that is forgotten."""
    payer, payee = books.person(tier=tier_with(books, day_above=1_000), money=9_000), books.person()
    books.turn(payee, "frozen")
    file, _ = opened(books, payer, rows(payee, 6, 100))
    work(books)
    books.turn(payee, "active")
    claim = payer.claim()
    again = partial(retry, books, payer, file.id, claim)
    Confirming(books, payer).confirm(required(again).id)
    assert again() == (6, False)
    assert again() == (6, True)
    work(books)
    assert books.balance(payee) == 600
    pay(books, payer, payee, 400)
    required(partial(pay, books, payer, payee, 1))


def test_a_file_comes_to_what_it_says(books: Books) -> None:
    """What is confirmed is its sum, so whoever calls the database can't say another one."""
    payer, payee = books.person(tier=tier_with(books, above=500), money=9_000), books.person()
    told = f'[[2,"{payee.wallet_id.hex}",null,9000,null,null]]'
    claim = payer.claim()
    with closing(books.as_role("money")) as database, pytest.raises(DatabaseBrokenError):
        database.call("open_bulk_payment", *claim.signed_in(), wiring.new_id().bytes, 1, 1, told)
    assert books.select("SELECT 1 FROM bulk_payments WHERE user_id = %s", payer.user_id.bytes) == []


# ---------------------------------------------------------------------------------------------------- where it goes


def test_a_payee_is_new_above_an_amount_until_one_is_confirmed(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, new_payee_above=200), money=9_000), books.person()
    pay(books, payer, payee, 200)
    claim = payer.claim()
    asked = required(partial(pay, books, payer, payee, 201, claim=claim))
    Confirming(books, payer).confirm(asked.id)
    pay(books, payer, payee, 201, claim=claim)
    pay(books, payer, payee, 2_000)
    place(books, payer, payee, 2_000)
    required(partial(pay, books, payer, books.person(), 201))
    required(partial(opened, books, payer, rows(payee, 3, 100)))


def test_a_payee_who_is_known_still_wants_one_above_the_amount(books: Books) -> None:
    payer, payee = books.person(tier=tier_with(books, above=1_000, new_payee_above=0), money=9_000), books.person()
    claim = payer.claim()
    Confirming(books, payer).confirm(required(partial(pay, books, payer, payee, 10, claim=claim)).id)
    pay(books, payer, payee, 10, claim=claim)
    pay(books, payer, payee, 1_000)
    required(partial(pay, books, payer, payee, 1_001))


def test_each_withdrawal_to_a_new_vpa_wants_one_and_the_next_does_not(books: Books) -> None:
    person = books.person(tier=tier_with(books, new_vpa=1), money=9_000)
    claim = person.claim()
    ask = partial(withdraw, books, person, 100, claim=claim)
    Confirming(books, person).confirm(required(ask).id)
    receipt, _ = ask()
    assert receipt.waits_until is None
    withdraw(books, person, 5_000)
    required(partial(withdraw, books, person, 100, vpa="somebody.else@okbank"))


def test_while_a_new_vpa_waits_it_stays_new(books: Books) -> None:
    person = books.person(tier=tier_with(books, new_vpa=1, new_vpa_wait_s=86_400), money=9_000)
    claim = person.claim()
    Confirming(books, person).confirm(required(partial(withdraw, books, person, 100, claim=claim)).id)
    receipt, _ = withdraw(books, person, 100, claim=claim)
    required(partial(withdraw, books, person, 100))
    cancelled(books, person, receipt)
    assert books.select("SELECT 1 FROM known_vpas WHERE wallet_id = %s", person.wallet_id.bytes) == []


# ---------------------------------------------------------------------------------------- nothing that is refused


def test_nobody_is_asked_to_confirm_what_would_be_refused(books: Books) -> None:
    payer, payee, full = books.person(tier=tier_with(books, above=0), money=1_000), books.person(), books.person()
    books.turn(full, "frozen")
    refusals: dict[Refusal, Callable[[], object]] = {
        Refusal.INSUFFICIENT_FUNDS: partial(pay, books, payer, payee, 1_001),
        Refusal.PAYEE_UNAVAILABLE: partial(pay, books, payer, full, 10),
        Refusal.SELF_PAYMENT: partial(pay, books, payer, payer, 10),
        Refusal.AMOUNT_OUT_OF_RANGE: partial(withdraw, books, payer, 99),
    }
    for refusal, move in refusals.items():
        assert refusal_of(move) is refusal
    books.turn(payer, "frozen")
    assert refusal_of(partial(pay, books, payer, payee, 10)) is Refusal.WALLET_FROZEN
    assert books.select("SELECT id FROM confirmations WHERE user_id = %s", payer.user_id.bytes) == []
