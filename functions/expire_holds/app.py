"""On a schedule: ends the holds whose time has passed. Their money is available without it; this makes it known."""

from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.edge.runs import Invocation, UnhealthyRunError, time_left_s
from wallet.movements.hold import expire_holds


def handler(_event: dict[str, Any], context: Invocation) -> dict[str, int]:
    """One run; what there is no time for is due next time. All that can be ended is, then what could not is raised."""
    sweep = expire_holds(wiring.database(), time_left_s=lambda: time_left_s(context))
    logger().info("holds expired", expired=sweep.expired, broken=list(sweep.broken.values()))
    if sweep.broken:
        raise UnhealthyRunError(f"{len(sweep.broken)} holds not ended")
    return {"expired": sweep.expired}
