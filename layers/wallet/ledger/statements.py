"""Statements: a wallet's entries in the order of time, page by page or a month at once.

A hot wallet takes its credits in several slots, each with postings of its own, numbered without a gap and later from
one to the next. Its statement is these slots merged by time (by transaction where two have the same), so a *span*, so
many entries of each slot, is a snapshot that stays what it is whatever arrives: a later entry has a higher number,
even one that is dated before those that we know because it was committed behind them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wallet.ledger.periods import Month
from wallet.ledger.transactions import Side

#: A wallet has at most this many slots.
MAX_SLOTS = 16


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries of one slot: those numbered above `after` and not above `upto`."""

    slot: int
    after: int
    upto: int

    @property
    def length(self) -> int:
        """How many they are."""
        return max(0, self.upto - self.after)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of each slot of a wallet, in the order of the slots, as they were at `as_of`."""

    wallet_id: UUID
    stretches: tuple[Stretch, ...]
    as_of: datetime

    @property
    def length(self) -> int:
        """How many entries there are, those that statements don't show among them."""
        return sum(stretch.length for stretch in self.stretches)

    def before(self, page: "Iterable[StatementEntry]") -> "Span":
        """What is left behind a page of the newest."""
        oldest = {stretch.slot: stretch.upto for stretch in self.stretches}
        for entry in page:
            oldest[entry.slot] = min(oldest[entry.slot], entry.entry_no - 1)
        left = tuple(Stretch(stretch.slot, stretch.after, oldest[stretch.slot]) for stretch in self.stretches)
        return Span(self.wallet_id, left, self.as_of)


@dataclass(frozen=True, slots=True)
class Holder:
    """A wallet with the name and the kind of who has it: `merchant` for an approved one, else `personal`."""

    wallet_id: UUID
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Outside:
    """The other side of an entry that is no wallet.

    `kind` is `gateway` (`name` is the gateway's), `vpa` (a UPI address, masked) or `account` (of ours, by its code).
    """

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One line: `amount` is in minor units, `balance_after` the whole wallet's balance behind it.

    `rrn` is the banks' reference of what came in by UPI or went back where it came from, `utr` that of a payout.
    """

    slot: int
    entry_no: int
    transaction_id: UUID
    type: str
    side: Side
    amount: int
    balance_after: int
    counterparty: Holder | Outside
    description: str | None
    reference: str | None
    created_at: datetime
    rrn: str | None = None
    utr: str | None = None

    @property
    def signed(self) -> int:
        """Credits count up, debits down."""
        return self.amount if self.side is Side.CREDIT else -self.amount


@dataclass(frozen=True, slots=True)
class Belonging:
    """What an entry belongs to, by ids; None where there is no such thing.

    `payment_id` is the payment that it is, or whose fee it is; `refund_of` the payment that it gives back.
    """

    payment_id: UUID | None
    refund_of: UUID | None
    hold_id: UUID | None
    top_up_id: UUID | None
    withdrawal_id: UUID | None


@dataclass(frozen=True, slots=True)
class StatementPage:
    """A page, newest first; `rest` is where the next one begins, None if this is the last."""

    entries: tuple[StatementEntry, ...]
    rest: Span | None


class StatementBrokenError(Exception):
    """A month's entries don't lead from its opening to its closing balance: the books are wrong, or our reading."""


@dataclass(frozen=True, slots=True)
class MonthlyStatement:
    """A month of a wallet, oldest first. Amounts are minor units of `currency`.

    `until` is the end of the month, or the moment of asking if the month is not over.
    """

    month: Month
    holder: Holder
    phone: str
    currency: str
    opening: int
    closing: int
    entries: tuple[StatementEntry, ...]
    until: datetime
    made_at: datetime

    def __post_init__(self) -> None:
        """Every line's balance follows from the one before, from the opening to the closing one."""
        balance = self.opening
        for entry in self.entries:
            balance += entry.signed
            if entry.balance_after != balance:
                raise StatementBrokenError(f"{self.holder.wallet_id} {self.month} entry {entry.slot}/{entry.entry_no}")
        if balance != self.closing:
            raise StatementBrokenError(f"{self.holder.wallet_id} {self.month} does not close")

    @property
    def is_whole(self) -> bool:
        """Whether the month was over."""
        return self.until == self.month.ends_at

    @property
    def total_in(self) -> int:
        """What came in."""
        return _sum(self.entries, Side.CREDIT)

    @property
    def total_out(self) -> int:
        """What went out."""
        return _sum(self.entries, Side.DEBIT)


def _sum(entries: Sequence[StatementEntry], side: Side) -> int:
    return sum(entry.amount for entry in entries if entry.side is side)
