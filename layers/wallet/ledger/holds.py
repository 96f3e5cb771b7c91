"""Holds: payments in two steps. A payer promises, and the payee takes it, or a part of it, or lets it go."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class HoldStatus(StrEnum):
    """Where a hold stands; all but `placed` are ends."""

    PLACED = "placed"  # what is left of it is the payer's, and not available
    CAPTURED = "captured"  # taken, in whole or in part; the rest is free again
    RELEASED = "released"  # let go by its payee
    EXPIRED = "expired"  # its time has passed


@dataclass(frozen=True, slots=True)
class Hold:
    """A promise of `amount` (minor units) from one wallet to another, until `expires_at`.

    `captured` is the part of it that has been paid. What is left is the payer's all along, and not available while the
    hold is open.
    """

    id: UUID
    payer: UUID
    payee: UUID
    amount: int
    created_at: datetime
    expires_at: datetime
    captured: int = 0
    status: HoldStatus = HoldStatus.PLACED

    @property
    def left(self) -> int:
        """What has not been paid of it."""
        return self.amount - self.captured

    def is_open(self, now: datetime) -> bool:
        """Whether it holds anything: it ends at its time, whether or not anybody has written that down."""
        return self.status is HoldStatus.PLACED and now < self.expires_at

    def take(self, amount: int, *, final: bool) -> "Hold":
        """Behind a capture; a `final` one, or one of all that is left, is the last."""
        ends = final or amount == self.left
        return replace(self, captured=self.captured + amount, status=HoldStatus.CAPTURED if ends else HoldStatus.PLACED)

    def end(self, status: HoldStatus) -> "Hold":
        """Ended: what is left is the payer's to spend again."""
        return replace(self, status=status)
