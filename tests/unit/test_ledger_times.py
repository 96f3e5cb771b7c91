"""Times as everybody outside is told them: in UTC, wherever the machine and the moment are."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.times import as_shown, first_shown_from, last_shown_by, show_time


@pytest.mark.usefixtures("clock_in_india")
@pytest.mark.parametrize("hours", [-8, 0, 5.5])
def test_a_time_is_told_in_utc_to_the_millisecond(hours: float) -> None:
    at = datetime(2026, 11, 22, 6, 30, 0, 123_999, tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))
    assert show_time(at) == "2026-11-22T06:30:00.123Z"


def test_a_whole_second_has_its_milliseconds_too() -> None:
    assert show_time(datetime(2026, 11, 22, tzinfo=UTC)) == "2026-11-22T00:00:00.000Z"


moments = st.datetimes(timezones=st.just(UTC))
_TICK = timedelta(microseconds=1)


@given(moments)
def test_what_comes_back_is_the_moment_that_was_shown(at: datetime) -> None:
    assert datetime.fromisoformat(show_time(at)) == as_shown(at) <= at


@given(moments, moments)
def test_a_moment_is_up_to_a_time_if_it_is_shown_so(moment: datetime, at: datetime) -> None:
    assert (moment <= last_shown_by(at)) == (as_shown(moment) <= at)


@given(moments, moments)
def test_a_moment_is_from_a_time_on_if_it_is_shown_so(moment: datetime, at: datetime) -> None:
    assert (moment >= first_shown_from(at)) == (as_shown(moment) >= at) or at > as_shown(
        datetime.max.replace(tzinfo=UTC)
    )


@given(st.integers(0, 999), st.integers(0, 999))
def test_within_one_millisecond_nothing_is_parted(moment_us: int, at_us: int) -> None:
    second = datetime(2026, 11, 22, tzinfo=UTC)
    moment, at = second + moment_us * _TICK, second + at_us * _TICK
    assert moment <= last_shown_by(at)
    assert (moment >= first_shown_from(at)) == (at_us == 0)


def test_the_end_of_time_is_a_time() -> None:
    end = datetime.max.replace(tzinfo=UTC)
    assert last_shown_by(end) == first_shown_from(end) == end
