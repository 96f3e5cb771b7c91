"""Times as everybody outside is told them: in UTC, wherever the machine and the moment are."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from wallet.ledger.times import show_time


@pytest.mark.usefixtures("clock_in_india")
@pytest.mark.parametrize("hours", [-8, 0, 5.5])
def test_a_time_is_told_in_utc_to_the_millisecond(hours: float) -> None:
    at = datetime(2026, 11, 22, 6, 30, 0, 123_999, tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))
    assert show_time(at) == "2026-11-22T06:30:00.123Z"


def test_a_whole_second_has_its_milliseconds_too() -> None:
    assert show_time(datetime(2026, 11, 22, tzinfo=UTC)) == "2026-11-22T00:00:00.000Z"
