"""On a schedule: ends the holds whose time has passed. Their money is available without it; this makes it known."""

from typing import Any, Protocol

from wallet import wiring
from wallet.edge.logs import logger
from wallet.movements.hold import expire_holds

# Seconds kept back for the hold under way when Lambda's time ends.
_RESERVE_S = 15


class Invocation(Protocol):
    """What Lambda says about a run."""

    def get_remaining_time_in_millis(self) -> int:
        """How long it may still take."""
        ...


class UnhealthyRunError(Exception):
    """A hold could not be ended: the alarm counts it, and the log says which."""


def handler(_event: dict[str, Any], context: Invocation) -> dict[str, int]:
    """One run; what there is no time for is due next time. All that can be ended is, then what could not is raised."""
    sweep = expire_holds(
        wiring.database(), time_left_s=lambda: context.get_remaining_time_in_millis() / 1000 - _RESERVE_S
    )
    logger().info("holds expired", expired=sweep.expired, broken=list(sweep.broken.values()))
    if sweep.broken:
        raise UnhealthyRunError(f"{len(sweep.broken)} holds not ended")
    return {"expired": sweep.expired}
