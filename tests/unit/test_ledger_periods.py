"""Indian days, months and years."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.periods import Month, day_ends_at, day_of, month_ends_at, month_of, year_ends_at, year_of

TICK = timedelta(microseconds=1)
moments = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - naive bounds are what it takes


@pytest.mark.parametrize(
    ("utc", "day", "month", "year"),
    [
        ("2026-11-22T06:30:00Z", date(2026, 11, 22), date(2026, 11, 1), date(2026, 4, 1)),
        ("2026-10-31T18:29:59.999999Z", date(2026, 10, 31), date(2026, 10, 1), date(2026, 4, 1)),
        ("2026-10-31T18:30:00Z", date(2026, 11, 1), date(2026, 11, 1), date(2026, 4, 1)),
        ("2027-03-31T18:29:59Z", date(2027, 3, 31), date(2027, 3, 1), date(2026, 4, 1)),
        ("2027-03-31T18:30:00Z", date(2027, 4, 1), date(2027, 4, 1), date(2027, 4, 1)),
        ("2027-01-01T00:00:00Z", date(2027, 1, 1), date(2027, 1, 1), date(2026, 4, 1)),
    ],
)
def test_a_day_begins_at_midnight_in_india_and_a_year_in_april(utc: str, day: date, month: date, year: date) -> None:
    at = datetime.fromisoformat(utc)
    assert (day_of(at), month_of(at), year_of(at)) == (day, month, year)


@given(moments)
def test_every_moment_is_in_its_month_and_in_no_other(at: datetime) -> None:
    month = Month.of(at)
    assert month.begins_at <= at < month.ends_at
    assert Month.of(month.begins_at - TICK) < month
    assert Month.of(month.ends_at) > month
    assert Month.of(month.ends_at - TICK) == month
    assert Month.read(str(month)) == month


def test_a_month_has_a_last_day() -> None:
    days = {
        text: month.last_day.day for text in ("2026-02", "2028-02", "2026-12", "2026-04") if (month := Month.read(text))
    }
    assert days == {"2026-02": 28, "2028-02": 29, "2026-12": 31, "2026-04": 30}


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-1", "2026-00", "2026-13", "1999-12", "2100-01", "2026-10-01", " 2026-10", "2026-10\n"]
)
def test_what_names_no_month_of_this_century_is_none(text: str) -> None:
    assert Month.read(text) is None


@pytest.mark.usefixtures("clock_in_india")
def test_a_month_begins_and_ends_at_midnight_in_india_told_in_utc() -> None:
    month = Month.read("2026-11")
    assert month is not None
    assert month.first_day == date(2026, 11, 1)
    assert month.begins_at.isoformat() == "2026-10-31T18:30:00+00:00"
    assert month.ends_at.isoformat() == "2026-11-30T18:30:00+00:00"


@given(moments)
def test_a_period_ends_with_the_first_moment_that_is_of_the_next(at: datetime) -> None:
    for of, ends_at in ((day_of, day_ends_at), (month_of, month_ends_at), (year_of, year_ends_at)):
        assert at < ends_at(at)
        assert of(ends_at(at) - TICK) == of(at) < of(ends_at(at))
