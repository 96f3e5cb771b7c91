"""On a schedule: ends the holds whose time has passed, and the freezes that their wallets' owners wanted to end.

The money of such a hold is available without it; this makes it known.
"""

from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.edge.runs import Invocation, UnhealthyRunError, time_left_s
from wallet.identity.accounts.store import end_due_freezes
from wallet.movements.hold import expire_holds


def handler(_event: dict[str, Any], context: Invocation) -> dict[str, int]:
    """One run; what there is no time for is due next time. All that can be ended is, then what could not is raised."""
    sweep = expire_holds(wiring.database(), time_left_s=lambda: time_left_s(context))
    logger().info("holds expired", expired=sweep.expired, broken=list(sweep.broken.values()))
    unfrozen = end_due_freezes(wiring.database())
    logger().info("freezes ended", ended=unfrozen)
    if sweep.broken:
        raise UnhealthyRunError(f"{len(sweep.broken)} holds not ended")
    return {"expired": sweep.expired}
