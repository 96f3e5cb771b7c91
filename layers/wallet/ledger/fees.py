"""Fees: what a movement costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wallet.ledger.dated import in_force


@dataclass(frozen=True, slots=True)
class FeeRate:
    """`flat` minor units, and `basis_points` (1/100 of a percent) of the amount; half a minor unit is rounded up."""

    basis_points: int
    flat: int

    def on(self, amount: int) -> int:
        """The fee on `amount`, both in minor units."""
        return self.flat + (amount * self.basis_points + 5_000) // 10_000


def payment_fee(rates: Sequence[tuple[datetime, FeeRate]], amount: int, now: datetime) -> int:
    """What a merchant who is paid `amount` pays for it, out of what has just come in: so at most all of it."""
    rate = in_force(rates, now)
    return 0 if rate is None else min(rate.on(amount), amount)
