"""On a schedule: hands the events that the kernel noted to EventBridge."""

import time
from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.edge.runs import Invocation, UnhealthyRunError, time_left_s
from wallet.movements.relay import Deliveries, Relay

# Seconds kept back for the call under way, and for giving the lease back, when Lambda's time ends.
_RESERVE_S = 8


def handler(_event: dict[str, Any], context: Invocation) -> None:
    """One run: it delivers what there is and what comes until its time is over; the next one has begun by then."""
    deliveries = Deliveries()
    relay = Relay(wiring.database(), wiring.event_bus(), wiring.new_id())
    relay.run(
        deliveries,
        time_left_s=lambda: time_left_s(context, reserve_s=_RESERVE_S),
        pause=time.sleep,
    )
    logger().info(
        "relayed",
        delivered=deliveries.delivered,
        refused=deliveries.refused,
        unreachable=deliveries.unreachable,
        broken=sorted(deliveries.broken),
    )
    if not deliveries.is_healthy:
        raise UnhealthyRunError(f"{len(deliveries.broken)} not understood, {deliveries.unreachable} calls failed")
