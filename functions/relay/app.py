"""On a schedule: hands the events that the kernel noted to EventBridge, and signs those that merchants are sent."""

import time
from typing import Any, Protocol

from wallet import wiring
from wallet.edge.logs import logger
from wallet.movements.relay import Deliveries, Relay

# Seconds kept back for the call under way, and for giving the lease back, when Lambda's time ends.
_RESERVE_S = 8


class Invocation(Protocol):
    """What Lambda says about a run."""

    def get_remaining_time_in_millis(self) -> int:
        """How long it may still take."""
        ...


class UnhealthyRunError(Exception):
    """Events could not be understood, or EventBridge could not be reached: the alarm counts it, the log says what."""


def handler(_event: dict[str, Any], context: Invocation) -> None:
    """One run: it delivers what there is and what comes until its time is over; the next one has begun by then."""
    deliveries = Deliveries()
    relay = Relay(wiring.database(), wiring.event_bus(), wiring.new_id(), wiring.webhook_signing_secrets())
    relay.run(
        deliveries,
        time_left_s=lambda: context.get_remaining_time_in_millis() / 1000 - _RESERVE_S,
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
