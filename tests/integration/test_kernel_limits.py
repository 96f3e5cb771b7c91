"""Limits in the commit, on a real server: at their edge, by many at once, and at the border of each Indian period."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.books import Books, Person, captured, unique
from tests.support.crowd import together
from tests.support.moves import capture, clock_at, connection, pay, place, refusal_of, refusals_in, release, settle
from wallet import wiring
from wallet.ledger.attempts import SuspenseReason
from wallet.ledger.limits import BrokenLimit, LimitCode
from wallet.ledger.refusals import Refusal, Refused
from wallet.movements.top_up import TopUpRules, open_top_up
from wallet.movements.withdraw import Wish, withdraw
from wallet.storage.database import DatabaseBrokenError
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
        "SELECT g.suspense_reason AS reason FROM gateway_payments g"
        " JOIN transactions t ON t.id = g.transaction_id AND t.type = 'suspense'"
        " WHERE g.gateway_payment_id IN (%s, %s)",
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


def broken_by(work: Callable[[], object]) -> BrokenLimit | None:
    """The limit that a call names, which must be refused for one."""
    with pytest.raises(Refused) as caught:
        work()
    assert caught.value.refusal is Refusal.WALLET_LIMIT_EXCEEDED
    return caught.value.limit


_NOON = datetime(2030, 6, 10, 6, 30, tzinfo=UTC)
_MIDNIGHT = datetime(2030, 6, 10, 18, 30, tzinfo=UTC)
_JULY = datetime(2030, 6, 30, 18, 30, tzinfo=UTC)
_APRIL = datetime(2031, 3, 31, 18, 30, tzinfo=UTC)


def withdrawing(books: Books, person: Person, amount: int) -> Callable[[], object]:
    """As the function does it: the provider is never asked."""
    claim, wish = person.claim(), Wish.read(amount=amount, vpa="asha@okbank")
    provider: Any = SimpleNamespace(name="razorpayx")
    return lambda: withdraw(
        connection(books, "withdrawals"), provider, wiring.new_id, claim=claim, wish=wish, first_check_s=3_600
    )


def topping_up(books: Books, person: Person, amount: int) -> Callable[[], object]:
    """As the function does it: the gateway is never asked."""
    gateway: Any = SimpleNamespace(name="razorpay")
    rules = TopUpRules(valid_s=3_600, first_check_s=3_600, upi_intent=False)
    return lambda: open_top_up(
        connection(books, "money"), gateway, wiring.new_id, rules, claim=person.claim(), amount=amount
    )


@pytest.mark.parametrize(
    ("limits", "broken"),
    [
        ({"max_payment": 150}, BrokenLimit(LimitCode.MAX_PAYMENT, 150, None)),
        ({"max_debit_day": 1_000}, BrokenLimit(LimitCode.MAX_DEBIT_DAY, 100, _MIDNIGHT)),
        ({"max_debit_month": 1_050}, BrokenLimit(LimitCode.MAX_DEBIT_MONTH, 150, _JULY)),
        ({"max_debit_day": 1_000, "max_debit_month": 950}, BrokenLimit(LimitCode.MAX_DEBIT_MONTH, 50, _JULY)),
        ({"max_debit_day": 950, "max_debit_month": 1_000}, BrokenLimit(LimitCode.MAX_DEBIT_DAY, 50, _MIDNIGHT)),
        ({"max_debit_day": 500}, BrokenLimit(LimitCode.MAX_DEBIT_DAY, 0, _MIDNIGHT)),
    ],
)
def test_whatever_leaves_a_wallet_names_the_limit_that_it_meets(
    books: Books, limits: dict[str, object], broken: BrokenLimit
) -> None:
    payer, shop = books.person(money=10_000), books.person(kind="merchant", tier="merchant")
    with clock_at(books, _NOON):
        pay(books, payer, shop, 900)
        code = unique("t")[:16]
        books.tier(code, {"2021-01-01": limits})
        books.set_tier(payer, code)
        for work in (
            partial(pay, books, payer, shop, 200),
            partial(place, books, payer, shop, 200),
            withdrawing(books, payer, 200),
        ):
            assert broken_by(work) == broken
    assert books.balance(payer) == 9_100


@pytest.mark.parametrize(
    ("limits", "broken"),
    [
        ({"max_balance": 1_050}, BrokenLimit(LimitCode.MAX_BALANCE, 150, None)),
        ({"max_load_month": 1_000}, BrokenLimit(LimitCode.MAX_LOAD_MONTH, 100, _JULY)),
        ({"max_load_year": 1_000}, BrokenLimit(LimitCode.MAX_LOAD_YEAR, 100, _APRIL)),
        ({"max_load_month": 1_000, "max_load_year": 1_050}, BrokenLimit(LimitCode.MAX_LOAD_MONTH, 100, _JULY)),
    ],
)
def test_whatever_its_owner_has_come_into_a_wallet_names_the_limit_that_it_meets(
    books: Books, limits: dict[str, object], broken: BrokenLimit
) -> None:
    payer, person = books.person(money=10_000), somebody(books, limits)
    with clock_at(books, _NOON):
        hold = place(books, payer, person, 500)
        pay(books, payer, person, 900)
        assert broken_by(topping_up(books, person, 200)) == broken
        assert broken_by(partial(capture, books, person, hold.id, 200)) == broken


def test_a_tier_that_may_not_names_that(books: Books) -> None:
    person, other = somebody(books, {"person_to_person": False, "withdrawals": False}, money=1_000), books.person()
    for verb in (pay, place):
        assert broken_by(partial(verb, books, person, other, 1)) == BrokenLimit(LimitCode.PERSON_TO_PERSON, 0, None)
    assert broken_by(withdrawing(books, person, 100)) == BrokenLimit(LimitCode.WITHDRAWALS, 0, None)


@pytest.mark.parametrize("limit", ["max_balance", "max_load_month", "max_load_year"])
def test_no_payer_is_told_of_a_limit_of_the_payees(books: Books, limit: str) -> None:
    payer, payee = books.person(money=1_000), somebody(books, {limit: 100})
    with pytest.raises(Refused) as caught:
        pay(books, payer, payee, 101)
    assert (caught.value.refusal, caught.value.limit) == (Refusal.PAYEE_UNAVAILABLE, None)


@pytest.mark.parametrize("limit", [LimitCode.MAX_DEBIT_DAY, LimitCode.MAX_DEBIT_MONTH])
def test_what_lapsed_holds_held_is_left_of_a_limit_of_sums(books: Books, limit: LimitCode) -> None:
    payer, shop = somebody(books, {limit.value: 1_000}, money=10_000), books.person(kind="merchant", tier="merchant")
    with clock_at(books, _NOON):
        place(books, payer, shop, 400, valid_s=1)
    with clock_at(books, _NOON + timedelta(seconds=2)):
        for work in (
            partial(pay, books, payer, shop, 1_001),
            partial(place, books, payer, shop, 1_001),
            withdrawing(books, payer, 1_001),
        ):
            broken = broken_by(work)
            assert broken is not None
            assert (broken.code, broken.left) == (limit, 1_000)
        pay(books, payer, shop, 1_000)


def test_in_a_tier_whose_limits_are_not_in_force_yet_nothing_moves(books: Books) -> None:
    books.tier("tomorrows", {"2100-01-01": {}})
    person, other = books.person(money=1_000), books.person(money=1_000)
    books.set_tier(person, "tomorrows")
    for work in (
        partial(pay, books, person, other, 100),
        partial(place, books, person, other, 100),
        partial(pay, books, other, person, 100),
        partial(place, books, other, person, 100),
        withdrawing(books, person, 100),
        topping_up(books, person, 100),
    ):
        with pytest.raises(DatabaseBrokenError):
            work()
    assert (books.balance(person), books.balance(other)) == (1_000, 1_000)


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


def test_what_is_no_load_is_not_refused_for_loads(books: Books) -> None:
    """A merchant who had loaded more than the cap that came later is paid all the same: sales are no loads."""
    payer, code = books.person(money=1_000), unique("t")[:16]
    merchant = books.person(kind="merchant", tier="merchant", money=1_000)
    books.tier(code, {"2021-01-01": {"max_load_month": 500, "max_load_year": 500}}, for_merchants=True)
    books.set_tier(merchant, code)
    pay(books, payer, merchant, 10)
    capture(books, merchant, place(books, payer, merchant, 10).id, None)
    assert books.balance(merchant) == 1_020
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
