"""On events that take money from a wallet, or tell of its owner's account: tells them, by SMS or through a topic."""

from datetime import UTC, datetime
from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.ledger.notices import Alert, read_event
from wallet.movements.notify import Untold, alert, notify


def handler(event: dict[str, Any], context: object) -> None:
    """One event from the bus. What fails is raised: Lambda tries again, and the alarm counts it."""
    told = read_event(event["detail-type"], event["detail"])
    if told is None:
        return
    came_to: list[Untold | None] = []

    def tell() -> None:
        database, now = wiring.database(), datetime.now(UTC)
        if isinstance(told, Alert):
            came_to.append(alert(database, wiring.alert_messenger(), told, now=now))
        else:
            came_to.append(notify(database, wiring.messenger(), told, now=now))

    wiring.once_per_event().run(told.event_id, context, tell)
    untold = came_to[0] if came_to else None
    logger().info(
        "not notified" if untold else "notified" if came_to else "notified before",
        event_id=told.event_id,
        type=told.type,
        reason=untold.value if untold else None,
    )
