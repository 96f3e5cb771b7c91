"""Times as everybody outside is told them: to the millisecond, and the books know them to the microsecond.

So a time that comes back from outside is compared with times as they were shown, not as they are kept: what was told
as 12.345 s is at 12.345 s, whatever its microseconds.
"""

from datetime import UTC, datetime, timedelta

_MILLISECOND_US = 1_000


def show_time(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def as_shown(at: datetime) -> datetime:
    """The moment that `at` is shown as: its microseconds are cut off."""
    return at.replace(microsecond=at.microsecond // _MILLISECOND_US * _MILLISECOND_US)


def last_shown_by(at: datetime) -> datetime:
    """The last moment of those that are shown as `at` or as an earlier one."""
    return as_shown(at) + timedelta(microseconds=_MILLISECOND_US - 1)


def first_shown_from(at: datetime) -> datetime:
    """The first moment of those that are shown as `at` or as a later one; `at` itself where time ends."""
    try:
        return as_shown(at + timedelta(microseconds=_MILLISECOND_US - 1))
    except OverflowError:
        return at
