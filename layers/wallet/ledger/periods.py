"""Indian days, months and years: what limits and monthly statements are counted by.

A day begins at midnight in India (UTC+05:30, without summer time), a month on its first day, a year on 1 April.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

INDIA = timezone(timedelta(hours=5, minutes=30))

_MONTH = re.compile(r"(?P<year>20[0-9]{2})-(?P<month>0[1-9]|1[0-2])")
_APRIL = 4


def day_of(at: datetime) -> date:
    """The Indian day of a moment."""
    return at.astimezone(INDIA).date()


def month_of(at: datetime) -> date:
    """The first day of the Indian month of a moment."""
    return day_of(at).replace(day=1)


def year_of(at: datetime) -> date:
    """The first day of the Indian financial year of a moment: a 1 April."""
    day = day_of(at)
    return date(day.year if day.month >= _APRIL else day.year - 1, _APRIL, 1)


def day_ends_at(at: datetime) -> datetime:
    """The first moment that is no longer in the Indian day of `at`, in UTC."""
    return _midnight(day_of(at) + timedelta(days=1))


def month_ends_at(at: datetime) -> datetime:
    """The first moment that is no longer in its Indian month, in UTC."""
    return Month.of(at).ends_at


def year_ends_at(at: datetime) -> datetime:
    """The first moment that is no longer in its Indian financial year, in UTC."""
    return _midnight(date(year_of(at).year + 1, _APRIL, 1))


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, as its first day."""

    first_day: date

    @classmethod
    def of(cls, at: datetime) -> "Month":
        """The month that a moment is in."""
        return cls(month_of(at))

    @classmethod
    def read(cls, text: str) -> "Month | None":
        """The month that `2026-10` names, or None if the text names none of this century."""
        found = _MONTH.fullmatch(text)
        return cls(date(int(found["year"]), int(found["month"]), 1)) if found else None

    def __str__(self) -> str:
        return f"{self.first_day:%Y-%m}"

    @property
    def last_day(self) -> date:
        """Its last day."""
        return self._next() - timedelta(days=1)

    @property
    def begins_at(self) -> datetime:
        """Its first moment, in UTC."""
        return _midnight(self.first_day)

    @property
    def ends_at(self) -> datetime:
        """The first moment that is no longer in it, in UTC."""
        return _midnight(self._next())

    def _next(self) -> date:
        years, month = divmod(self.first_day.month, 12)
        return date(self.first_day.year + years, month + 1, 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), INDIA).astimezone(UTC)
