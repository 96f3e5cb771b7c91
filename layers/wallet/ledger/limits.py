"""Limits: what a wallet of a tier may hold and move, from which day on, and what counts towards it.

Loads are top-ups, and what people (not merchants) are paid; debits are payments, holds and withdrawals. A hold counts
when it is placed; what of it is never captured is given back.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self

from wallet.ledger.dated import in_force
from wallet.ledger.periods import day_ends_at, day_of, month_ends_at, month_of, year_ends_at, year_of


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


class LimitCode(StrEnum):
    """The limits that `wallet_limit_exceeded` names, as `GET /wallet` calls them where it shows them."""

    MAX_BALANCE = "max_balance"
    MAX_PAYMENT = "max_payment"
    MAX_LOAD_MONTH = "max_load_month"
    MAX_LOAD_YEAR = "max_load_year"
    MAX_DEBIT_DAY = "max_debit_day"
    MAX_DEBIT_MONTH = "max_debit_month"
    PERSON_TO_PERSON = "person_to_person"
    WITHDRAWALS = "withdrawals"
    MAX_PLACED_HOLDS = "max_placed_holds"


_RENEWED: dict[LimitCode, Callable[[datetime], datetime]] = {
    LimitCode.MAX_DEBIT_DAY: day_ends_at,
    LimitCode.MAX_DEBIT_MONTH: month_ends_at,
    LimitCode.MAX_LOAD_MONTH: month_ends_at,
    LimitCode.MAX_LOAD_YEAR: year_ends_at,
}


@dataclass(frozen=True, slots=True)
class BrokenLimit:
    """A limit that something would break: what is left of it (minor units; holds of the number of holds).

    `renews_at` is when all of it is there again; None of one that time does not bring back.
    """

    code: LimitCode
    left: int
    renews_at: datetime | None

    @classmethod
    def at(cls, code: LimitCode, left: int, now: datetime) -> Self:
        """As it stands now; of one that was lowered below what has been used, nothing is left."""
        renewed = _RENEWED.get(code)
        return cls(code, max(0, left), renewed(now) if renewed else None)


def broken_debit_limit(
    limits: Limits, *, amount: int, debited_today: int, debited_this_month: int, now: datetime
) -> BrokenLimit | None:
    """The limit that a debit would break; of several the one of which the least is left."""
    return _tightest(
        amount,
        now,
        (LimitCode.MAX_PAYMENT, _left(limits.max_payment, 0)),
        (LimitCode.MAX_DEBIT_MONTH, _left(limits.max_debit_month, debited_this_month)),
        (LimitCode.MAX_DEBIT_DAY, _left(limits.max_debit_day, debited_today)),
    )


def broken_load_limit(
    limits: Limits, *, amount: int, balance: int, loaded_this_month: int, loaded_this_year: int, now: datetime
) -> BrokenLimit | None:
    """The limit that a load would break; of several the one of which the least is left."""
    return _tightest(
        amount,
        now,
        (LimitCode.MAX_BALANCE, _left(limits.max_balance, balance)),
        (LimitCode.MAX_LOAD_YEAR, _left(limits.max_load_year, loaded_this_year)),
        (LimitCode.MAX_LOAD_MONTH, _left(limits.max_load_month, loaded_this_month)),
    )


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else limit - used


def _tightest(amount: int, now: datetime, *known: tuple[LimitCode, int | None]) -> BrokenLimit | None:
    broken = [(left, code) for code, left in known if left is not None and left < amount]
    if not broken:
        return None
    left, code = min(broken, key=lambda one: one[0])  # of two with as much left the one that comes back later
    return BrokenLimit.at(code, left, now)


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
