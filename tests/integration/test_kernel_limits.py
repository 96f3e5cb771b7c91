"""Limits in the commit, on a real server: at their edge, by many at once, and at the border of each Indian period."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.support.books import Books, Person, captured, unique
from tests.support.crowd import together
from tests.support.moves import capture, clock_at, pay, place, refusal_of, refusals_in, release, settle
from wallet.ledger.attempts import SuspenseReason
from wallet.ledger.refusals import Refusal
from wallet.storage.settlement import Settlement

# The last millisecond of a day, a month and a financial year in India, and of a calendar year.
END_OF_DAY = datetime(2030, 6, 10, 18, 29, 59, 999_000, tzinfo=UTC)
END_OF_MONTH = datetime(2030, 6, 30, 18, 29, 59, 999_000, tzinfo=UTC)
END_OF_YEAR = datetime(2030, 3, 31, 18, 29, 59, 999_000, tzinfo=UTC)
END_OF_DECEMBER = datetime(2029, 12, 31, 18, 29, 59, 999_000, tzinfo=UTC)
A_MILLISECOND = timedelta(milliseconds=1)


def somebody(books: Books, limits: dict[str, object], *, money: int = 0, kind: str = "personal") -> Person:
    """A person with limits of their own, which come into force behind their first money."""
    person = books.person(money=money, tier="full" if kind == "personal" else "merchant", kind=kind)
    code = unique("t")[:16]
    books.tier(code, {"2021-01-01": limits}, for_merchants=kind == "merchant")
    books.set_tier(person, code)
    return person


@pytest.mark.parametrize("limit", ["max_debit_day", "max_debit_month"])
def test_of_payments_at_the_edge_of_a_period_exactly_as_many_as_fit_are_made(books: Books, limit: str) -> None:
    payer, payees = somebody(books, {limit: 1_000}, money=10_000), [books.person() for _ in range(4)]
    answers = together([partial(pay, books, payer, payees[turn % 4], 150) for turn in range(40)], at_once=16)
    assert refusals_in(answers) == [Refusal.WALLET_LIMIT_EXCEEDED] * 34
    assert books.total(*payees) == 900
    pay(books, payer, payees[0], 100)  # the last of it
    assert refusal_of(lambda: pay(books, payer, payees[0], 1)) is Refusal.WALLET_LIMIT_EXCEEDED
    assert books.faults() == []


@pytest.mark.parametrize("limit", ["max_debit_day", "max_debit_month"])
def test_payments_and_holds_at_the_edge_of_a_period_never_come_to_more_than_it(books: Books, limit: str) -> None:
    payer, payee = somebody(books, {limit: 1_000}, money=10_000), books.person()
    tasks: list[Any] = [partial(pay, books, payer, payee, 70), partial(place, books, payer, payee, 70)] * 15
    answers = together(tasks, at_once=16)
    assert refusals_in(answers) == [Refusal.WALLET_LIMIT_EXCEEDED] * 16
    assert books.balance(payee) + books.held(payer) == 980
    assert books.faults() == []


def test_one_payment_has_a_limit_of_its_own(books: Books) -> None:
    payer, payee = somebody(books, {"max_payment": 400}, money=10_000), books.person()
    pay(books, payer, payee, 400)
    for verb in (pay, place):
        assert refusal_of(partial(verb, books, payer, payee, 401)) is Refusal.WALLET_LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("max_balance", SuspenseReason.OVER_BALANCE_LIMIT),
        ("max_load_month", SuspenseReason.OVER_LOAD_LIMIT),
        ("max_load_year", SuspenseReason.OVER_LOAD_LIMIT),
    ],
)
def test_of_two_top_ups_at_the_edge_of_a_cap_one_is_credited_and_one_waits_in_suspense_with_its_reason(
    books: Books, limit: str, reason: SuspenseReason
) -> None:
    person = somebody(books, {limit: 1_000})
    payments = [captured(books.order(person, 600), 600) for _ in range(2)]
    answers = together([partial(settle, books, payment) for payment in payments])
    reasons = [answer.suspense for answer in answers if isinstance(answer, Settlement)]
    assert sorted(reasons, key=str) == sorted([None, reason], key=str)
    assert books.balance(person) == 600
    rows = books.select(
        "SELECT suspense_reason AS reason FROM transactions WHERE gateway_payment_id IN (%s, %s) AND type = 'suspense'",
        *[payment.payment_id for payment in payments],
    )
    assert [row["reason"] for row in rows] == [reason.value]
    assert books.faults() == []


@pytest.mark.parametrize("limit", ["max_balance", "max_load_month", "max_load_year"])
def test_what_people_are_paid_stops_at_each_cap_as_well(books: Books, limit: str) -> None:
    payers, payee = [books.person(money=1_000) for _ in range(8)], somebody(books, {limit: 1_000})
    answers = together([partial(pay, books, payer, payee, 300) for payer in payers])
    assert refusals_in(answers) == [Refusal.PAYEE_UNAVAILABLE] * 5
    assert books.balance(payee) == 900
    assert books.faults() == []


@pytest.mark.parametrize("limit", ["max_balance", "max_load_month", "max_load_year"])
def test_captures_stop_at_each_cap_of_their_payee(books: Books, limit: str) -> None:
    payers, payee = [books.person(money=1_000) for _ in range(6)], somebody(books, {limit: 1_000})
    placed = [place(books, payer, payee, 300) for payer in payers]
    answers = together([partial(capture, books, payee, hold.id, None) for hold in placed])
    assert refusals_in(answers) == [Refusal.WALLET_LIMIT_EXCEEDED] * 3
    assert books.balance(payee) == 900
    assert books.faults() == []


def test_what_merchants_take_is_no_load(books: Books) -> None:
    payer, merchant = books.person(money=10_000), somebody(books, {"max_load_month": 100}, kind="merchant")
    pay(books, payer, merchant, 5_000)
    assert books.balance(merchant) == 5_000
    assert books.faults() == []


@pytest.mark.parametrize("verb", [pay, place])
def test_who_only_says_that_they_are_a_merchant_is_none_to_the_limits(books: Books, verb: Any) -> None:
    payer, said = somebody(books, {"person_to_person": False}, money=1_000), books.person(kind="merchant")
    assert refusal_of(partial(verb, books, payer, said, 1)) is Refusal.WALLET_LIMIT_EXCEEDED
    books.set_tier(said, "merchant")
    verb(books, payer, said, 1)


def test_who_may_not_pay_people_may_pay_merchants(books: Books) -> None:
    payer = somebody(books, {"person_to_person": False}, money=10_000)
    person, merchant = books.person(), books.person(kind="merchant", tier="merchant")
    for verb in (pay, place):
        assert refusal_of(partial(verb, books, payer, person, 1)) is Refusal.WALLET_LIMIT_EXCEEDED
        verb(books, payer, merchant, 1)


@pytest.mark.parametrize(
    ("limit", "end"),
    [("max_debit_day", END_OF_DAY), ("max_debit_month", END_OF_MONTH), ("max_debit_month", END_OF_DECEMBER)],
)
def test_a_period_of_debits_ends_at_midnight_in_india_and_not_a_millisecond_before(
    books: Books, limit: str, end: datetime
) -> None:
    payer, payee = somebody(books, {limit: 1_000}, money=10_000), books.person()
    with clock_at(books, end - timedelta(hours=2)):
        pay(books, payer, payee, 900)
    with clock_at(books, end):
        assert refusal_of(lambda: pay(books, payer, payee, 101)) is Refusal.WALLET_LIMIT_EXCEEDED
        pay(books, payer, payee, 100)
    with clock_at(books, end + A_MILLISECOND):
        pay(books, payer, payee, 1_000)
        assert refusal_of(lambda: pay(books, payer, payee, 1)) is Refusal.WALLET_LIMIT_EXCEEDED
    assert books.faults() == []


@pytest.mark.parametrize(
    ("limit", "end"),
    [("max_load_month", END_OF_MONTH), ("max_load_month", END_OF_DECEMBER), ("max_load_year", END_OF_YEAR)],
)
def test_a_period_of_loads_ends_at_midnight_in_india_and_not_a_millisecond_before(
    books: Books, limit: str, end: datetime
) -> None:
    payer, payee = books.person(money=10_000), somebody(books, {limit: 1_000})
    with clock_at(books, end):
        pay(books, payer, payee, 900)
        assert refusal_of(lambda: pay(books, payer, payee, 101)) is Refusal.PAYEE_UNAVAILABLE
        assert settle(books, captured(books.order(payee, 100), 100)).suspense is None
    with clock_at(books, end + A_MILLISECOND):
        pay(books, payer, payee, 1_000)
        assert refusal_of(lambda: pay(books, payer, payee, 1)) is Refusal.PAYEE_UNAVAILABLE
    assert books.faults() == []


def test_the_financial_year_does_not_end_with_the_calendars(books: Books) -> None:
    payer, payee = books.person(money=10_000), somebody(books, {"max_load_year": 1_000})
    with clock_at(books, END_OF_DECEMBER):
        pay(books, payer, payee, 900)
    with clock_at(books, END_OF_DECEMBER + A_MILLISECOND):
        assert refusal_of(lambda: pay(books, payer, payee, 101)) is Refusal.PAYEE_UNAVAILABLE


def test_a_hold_counts_for_the_day_it_was_placed_on_and_gives_back_only_to_that_day(books: Books) -> None:
    payer, payee = somebody(books, {"max_debit_day": 1_000}, money=10_000), books.person()
    with clock_at(books, END_OF_DAY):
        kept, let_go = (place(books, payer, payee, 500, valid_s=86_400) for _ in range(2))
        assert refusal_of(lambda: pay(books, payer, payee, 1)) is Refusal.WALLET_LIMIT_EXCEEDED
        release(books, payee, let_go.id)
        pay(books, payer, payee, 500)  # what was let go may be spent the same day
    with clock_at(books, END_OF_DAY + A_MILLISECOND):
        capture(books, payee, kept.id, 200)  # counted yesterday
        pay(books, payer, payee, 1_000)
        release(books, payee, kept.id)
        assert refusal_of(lambda: pay(books, payer, payee, 1)) is Refusal.WALLET_LIMIT_EXCEEDED
    assert books.faults() == []


def test_a_limit_is_in_force_from_its_moment_on(books: Books) -> None:
    payer, payee, code = books.person(money=10_000), books.person(), unique("t")[:16]
    books.tier(code, {"2021-01-01": {"max_payment": 100}, "2030-06-10 18:30:00": {"max_payment": 300}})
    books.set_tier(payer, code)
    with clock_at(books, END_OF_DAY):
        assert refusal_of(lambda: pay(books, payer, payee, 101)) is Refusal.WALLET_LIMIT_EXCEEDED
    with clock_at(books, END_OF_DAY + A_MILLISECOND):
        pay(books, payer, payee, 300)
        assert refusal_of(lambda: pay(books, payer, payee, 301)) is Refusal.WALLET_LIMIT_EXCEEDED


def test_a_clock_that_is_set_back_over_midnight_leaves_no_hold_that_can_not_end(books: Books) -> None:
    payer, payee = somebody(books, {"max_debit_day": 1_000}, money=10_000), books.person()
    with clock_at(books, END_OF_DAY):
        hold = place(books, payer, payee, 500, valid_s=86_400)
    with clock_at(books, END_OF_DAY + A_MILLISECOND):
        place(books, payer, payee, 10, valid_s=86_400)
    with clock_at(books, END_OF_DAY):
        place(books, payer, payee, 20, valid_s=86_400)
        release(books, payee, hold.id)
    assert books.held(payer) == 30
    assert books.faults() == []
