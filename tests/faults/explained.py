"""How long it takes until the value of top-ups is explained: credited, or in suspense with a reason."""

import math
import time
from dataclasses import dataclass

from tests.faults.world import World

#: "99.99 % of the value of top-ups is explained within 15 minutes of the last fault."
OBJECTIVE_MINUTES, OBJECTIVE_SHARE = 15, 0.9999


@dataclass(frozen=True, slots=True)
class Explained:
    """What came of it. Amounts in minor units."""

    captured: int
    unexplained_at_the_last_fault: int
    unexplained_after_the_objective: int
    #: Minutes behind the last fault until all of it was explained, begun ones counted; None if it was not in time.
    minutes: int | None

    @property
    def share(self) -> float:
        """Of all captured value, what was explained within the objective's time."""
        return 1 - self.unexplained_after_the_objective / self.captured if self.captured else 1.0

    @property
    def is_met(self) -> bool:
        """Whether the objective was."""
        return self.share >= OBJECTIVE_SHARE


@dataclass(frozen=True, slots=True)
class LastFault:
    """When it was (monotonic seconds), and what was unexplained then (minor units)."""

    at: float
    unexplained: int

    @classmethod
    def now(cls, world: World) -> "LastFault":
        """To be called when the last fault is over."""
        return cls(time.monotonic(), unexplained(world)[1])

    def minutes_ago(self, ahead_s: int) -> int:
        """Begun minutes since, on a clock that was moved on by so many seconds meanwhile."""
        return math.ceil((time.monotonic() - self.at + ahead_s) / 60)


def unexplained(world: World) -> tuple[int, int]:
    """The value that the gateway has captured, and what of it the ledger does not know; minor units."""
    payments = [row for row in world.read_gateway().payments if row["captured"]]
    with world.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT gateway_payment_id FROM gateway_payments")
        known = {row[0] for row in cursor.fetchall()}
    missing = [row for row in payments if row["id"] not in known]
    return sum(row["amount"] for row in payments), sum(row["amount"] for row in missing)
