"""Limits: what a wallet of a tier may hold and move, from which day on, and what counts towards it.

Loads are top-ups, and what people (not merchants) are paid; debits are payments, holds and withdrawals. A hold counts
when it is placed; what of it is never captured is given back.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

from wallet.ledger.dated import in_force
from wallet.ledger.periods import day_of, month_of, year_of


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tier allows; amounts are minor units, None is no limit."""

    tier: str
    max_balance: int | None = None
    max_top_up: int | None = None
    max_payment: int | None = None
    max_load_month: int | None = None
    max_load_year: int | None = None
    max_debit_day: int | None = None
    max_debit_month: int | None = None
    person_to_person: bool = True
    withdrawals: bool = True


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier's limits, each with the moment from which it is in force."""

    rules: tuple[tuple[datetime, Limits], ...]

    def at(self, now: datetime) -> Limits:
        """What is in force. A tier without limits in force is a ValueError: it would mean none at all."""
        limits = in_force(self.rules, now)
        if limits is None:
            raise ValueError("a tier needs limits that are in force")
        return limits


def exceeds(amount: int, limit: int | None) -> bool:
    """Whether `amount` is above a limit, if there is one."""
    return limit is not None and amount > limit


_NEVER = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Usage:
    """The sums that limits look at, in minor units, with the Indian day, month and financial year they are of.

    A sum of another period than the one asked about is nothing.
    """

    day: date = _NEVER
    debited_day: int = 0
    month: date = _NEVER
    debited_month: int = 0
    loaded_month: int = 0
    year: date = _NEVER
    loaded_year: int = 0

    def begun(self, now: datetime) -> "Usage":
        """The same, with every period that is over begun anew."""
        day, month, year = day_of(now), month_of(now), year_of(now)
        same_month = month == self.month
        return Usage(
            day,
            self.debited_day if day == self.day else 0,
            month,
            self.debited_month if same_month else 0,
            self.loaded_month if same_month else 0,
            year,
            self.loaded_year if year == self.year else 0,
        )

    def with_debit(self, amount: int, now: datetime) -> "Usage":
        """Behind a debit."""
        used = self.begun(now)
        return replace(used, debited_day=used.debited_day + amount, debited_month=used.debited_month + amount)

    def with_load(self, amount: int, now: datetime) -> "Usage":
        """Behind a load."""
        used = self.begun(now)
        return replace(used, loaded_month=used.loaded_month + amount, loaded_year=used.loaded_year + amount)

    def without_debit(self, amount: int, asked_at: datetime) -> "Usage":
        """A debit that was counted at `asked_at` and did not happen after all, as far as its periods still run."""
        return replace(
            self,
            debited_day=self.debited_day - (amount if day_of(asked_at) == self.day else 0),
            debited_month=self.debited_month - (amount if month_of(asked_at) == self.month else 0),
        )

    def debit_exceeds(self, limits: Limits, amount: int, now: datetime) -> bool:
        """Whether a debit would break a limit: of its own size, of the day, of the month."""
        behind = self.with_debit(amount, now)
        return (
            exceeds(amount, limits.max_payment)
            or exceeds(behind.debited_day, limits.max_debit_day)
            or exceeds(behind.debited_month, limits.max_debit_month)
        )

    def load_exceeds(self, limits: Limits, amount: int, now: datetime) -> bool:
        """Whether a load would break a limit: of the month, of the year."""
        behind = self.with_load(amount, now)
        return exceeds(behind.loaded_month, limits.max_load_month) or exceeds(behind.loaded_year, limits.max_load_year)


#: Of a wallet that nothing has come into or gone out of.
UNUSED = Usage()
