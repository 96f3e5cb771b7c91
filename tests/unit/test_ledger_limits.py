"""Limits: which of them are in force, and what counts towards them in which Indian period."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.dated import in_force
from wallet.ledger.limits import (
    UNUSED,
    BrokenLimit,
    LimitCode,
    Limits,
    Tier,
    Usage,
    broken_debit_limit,
    broken_load_limit,
    exceeds,
)
from wallet.ledger.periods import day_of, month_of, year_of

# 23:59:59.999 on 31 March in India, and the first moment of the next day, month and year
LATE = datetime(2027, 3, 31, 18, 29, 59, 999_000, tzinfo=UTC)
NEXT = datetime(2027, 3, 31, 18, 30, tzinfo=UTC)

moments = st.datetimes(datetime(2021, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
sums = st.integers(0, 10**12)


def test_a_rule_is_in_force_from_its_moment_on() -> None:
    rules = ((LATE, "old"), (NEXT, "new"))
    moments = [LATE - timedelta(microseconds=1), LATE, NEXT - timedelta(microseconds=1), NEXT]
    assert [in_force(rules, at) for at in moments] == [None, "old", "old", "new"]


@given(st.lists(moments, unique=True, min_size=1, max_size=5), moments)
def test_the_rule_in_force_is_the_latest_that_has_begun_in_whatever_order_they_stand(
    begins: list[datetime], now: datetime
) -> None:
    begun = [since for since in begins if since <= now]
    assert in_force([(since, since) for since in begins], now) == (max(begun) if begun else None)


def test_a_tier_before_its_first_limits_is_no_tier_without_limits() -> None:
    with pytest.raises(ValueError, match="in force"):
        Tier(((NEXT, Limits("late")),)).at(LATE)


@pytest.mark.parametrize(("limit", "over"), [(None, False), (99, True), (100, False), (101, False)])
def test_the_limit_itself_is_allowed(limit: int | None, *, over: bool) -> None:
    assert exceeds(100, limit) is over


def test_a_second_before_midnight_in_india_is_another_day_month_and_year() -> None:
    used = UNUSED.with_debit(5, LATE).with_load(7, LATE)
    assert (used.day, used.month, used.year) == (date(2027, 3, 31), date(2027, 3, 1), date(2026, 4, 1))
    assert used.begun(NEXT) == Usage(date(2027, 4, 1), 0, date(2027, 4, 1), 0, 0, date(2027, 4, 1), 0)


def test_half_past_six_in_the_evening_utc_is_midnight_in_india_in_december_too() -> None:
    late = datetime(2026, 12, 31, 18, 29, 59, tzinfo=UTC)
    used = UNUSED.with_load(7, late).begun(late + timedelta(seconds=1))
    assert (used.loaded_month, used.loaded_year) == (0, 7)


@given(first=sums, second=sums, at=moments)
def test_debits_of_one_period_add_up(first: int, second: int, at: datetime) -> None:
    used = UNUSED.with_debit(first, at).with_debit(second, at)
    assert (used.debited_day, used.debited_month) == (first + second, first + second)


@given(amount=sums, other=sums, at=moments)
def test_what_is_given_back_in_its_own_period_was_never_counted(amount: int, other: int, at: datetime) -> None:
    before = UNUSED.with_debit(other, at)
    assert before.with_debit(amount, at).without_debit(amount, at) == before


@given(amount=sums, counted=moments, days=st.integers(0, 800))
def test_what_is_given_back_later_lowers_no_sum_of_a_later_period(amount: int, counted: datetime, days: int) -> None:
    later = counted + timedelta(days=days)
    used = UNUSED.with_debit(amount, counted).with_debit(3, later).without_debit(amount, counted)
    assert used.debited_day == 3
    assert used.debited_month == 3
    assert (used.day, used.month) == (day_of(later), month_of(later))


@given(at=moments, later=moments)
def test_a_load_begins_a_new_month_for_debits_as_well(at: datetime, later: datetime) -> None:
    used = UNUSED.with_debit(5, at).with_load(7, later)
    assert used.debited_month == (5 if month_of(at) == month_of(later) else 0)
    assert (used.loaded_month, used.loaded_year, used.year) == (7, 7, year_of(later))


@pytest.mark.parametrize(
    ("limits", "over"),
    [
        (Limits("t"), False),
        (Limits("t", max_payment=9), True),
        (Limits("t", max_payment=10), False),
        (Limits("t", max_debit_day=14), True),
        (Limits("t", max_debit_day=15), False),
        (Limits("t", max_debit_month=14), True),
        (Limits("t", max_debit_month=15), False),
        (Limits("t", max_load_month=1, max_load_year=1, max_balance=1), False),
    ],
)
def test_a_debit_of_10_behind_one_of_5_meets_the_limits_of_debits(limits: Limits, *, over: bool) -> None:
    assert UNUSED.with_debit(5, LATE).debit_exceeds(limits, 10, LATE) is over


@pytest.mark.parametrize(
    ("limits", "over"),
    [
        (Limits("t"), False),
        (Limits("t", max_load_month=14), True),
        (Limits("t", max_load_month=15), False),
        (Limits("t", max_load_year=14), True),
        (Limits("t", max_load_year=15), False),
        (Limits("t", max_payment=1, max_debit_day=1, max_debit_month=1), False),
    ],
)
def test_a_load_of_10_behind_one_of_5_meets_the_limits_of_loads(limits: Limits, *, over: bool) -> None:
    used = UNUSED.with_load(5, LATE)
    assert used.load_exceeds(limits, 10, LATE) is over


@given(
    amount=st.integers(1, 30),
    used=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    limits=st.builds(
        Limits,
        tier=st.just("t"),
        max_payment=st.none() | st.integers(1, 30),
        max_debit_day=st.none() | st.integers(1, 30),
        max_debit_month=st.none() | st.integers(1, 30),
    ),
)
def test_a_debit_that_is_refused_names_the_limit_of_which_the_least_is_left(
    amount: int, used: tuple[int, int], limits: Limits
) -> None:
    usage = replace(UNUSED.begun(LATE), debited_day=used[0], debited_month=used[1])
    broken = broken_debit_limit(limits, amount=amount, debited_today=used[0], debited_this_month=used[1], now=LATE)
    assert (broken is not None) == usage.debit_exceeds(limits, amount, LATE)
    if broken is not None:
        assert broken.left < amount
        if broken.left:
            fits = broken_debit_limit(
                limits, amount=broken.left, debited_today=used[0], debited_this_month=used[1], now=LATE
            )
            assert fits is None, "what is left may be paid"


@given(
    amount=st.integers(1, 30),
    used=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    balance=st.integers(0, 30),
    limits=st.builds(
        Limits,
        tier=st.just("t"),
        max_balance=st.none() | st.integers(1, 30),
        max_load_month=st.none() | st.integers(1, 30),
        max_load_year=st.none() | st.integers(1, 30),
    ),
)
def test_a_load_that_is_refused_names_the_limit_of_which_the_least_is_left(
    amount: int, used: tuple[int, int], balance: int, limits: Limits
) -> None:
    usage = replace(UNUSED.begun(LATE), loaded_month=used[0], loaded_year=used[1])
    is_over = usage.load_exceeds(limits, amount, LATE) or exceeds(balance + amount, limits.max_balance)

    def broken_by(amount: int) -> BrokenLimit | None:
        return broken_load_limit(
            limits,
            amount=amount,
            balance=balance,
            loaded_this_month=used[0],
            loaded_this_year=used[1],
            now=LATE,
        )

    broken = broken_by(amount)
    assert (broken is not None) == is_over
    if broken is not None:
        assert broken.left < amount
        assert broken.left == 0 or broken_by(broken.left) is None, "what is left may be loaded"


@pytest.mark.parametrize(
    ("code", "renews_at"),
    [
        (LimitCode.MAX_DEBIT_DAY, datetime(2026, 10, 30, 18, 30, tzinfo=UTC)),
        (LimitCode.MAX_DEBIT_MONTH, datetime(2026, 10, 31, 18, 30, tzinfo=UTC)),
        (LimitCode.MAX_LOAD_MONTH, datetime(2026, 10, 31, 18, 30, tzinfo=UTC)),
        (LimitCode.MAX_LOAD_YEAR, datetime(2027, 3, 31, 18, 30, tzinfo=UTC)),
        (LimitCode.MAX_PAYMENT, None),
        (LimitCode.MAX_BALANCE, None),
        (LimitCode.PERSON_TO_PERSON, None),
        (LimitCode.WITHDRAWALS, None),
        (LimitCode.MAX_PLACED_HOLDS, None),
    ],
)
def test_a_limit_of_a_period_is_new_when_that_ends_in_india(code: LimitCode, renews_at: datetime | None) -> None:
    noon = datetime(2026, 10, 30, 6, 30, tzinfo=UTC)
    assert BrokenLimit.at(code, 7, noon) == BrokenLimit(code, 7, renews_at)


def test_of_a_limit_that_was_lowered_nothing_is_left() -> None:
    assert BrokenLimit.at(LimitCode.MAX_DEBIT_DAY, -5, LATE).left == 0


def test_of_two_limits_with_as_much_left_the_one_is_named_that_comes_back_later() -> None:
    limits = Limits(
        "t", max_payment=5, max_debit_day=5, max_debit_month=5, max_balance=5, max_load_month=5, max_load_year=5
    )
    spent = {"debited_today": 0, "debited_this_month": 0}
    codes = []
    for each in (limits, replace(limits, max_payment=None), replace(limits, max_payment=None, max_debit_month=None)):
        broken = broken_debit_limit(each, amount=6, now=LATE, **spent)
        codes.append(broken and broken.code)
    for each in (limits, replace(limits, max_balance=None), replace(limits, max_balance=None, max_load_year=None)):
        broken = broken_load_limit(each, amount=6, balance=0, loaded_this_month=0, loaded_this_year=0, now=LATE)
        codes.append(broken and broken.code)
    assert codes == [
        "max_payment",
        "max_debit_month",
        "max_debit_day",
        "max_balance",
        "max_load_year",
        "max_load_month",
    ]


def test_every_limit_is_called_as_the_wallet_shows_it() -> None:
    shown = {field.name for field in fields(Limits)}
    assert set(LimitCode) - shown == {LimitCode.MAX_PLACED_HOLDS}
