"""On events that take money from a wallet: tells its owner, by SMS or through a topic."""

from datetime import UTC, datetime
from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.ledger.notices import debit_of
from wallet.movements.notify import Untold, notify


def handler(event: dict[str, Any], context: object) -> None:
    """One event from the bus. What fails is raised: Lambda tries again, and the alarm counts it."""
    debit = debit_of(event["detail-type"], event["detail"])
    came_to: list[Untold | None] = []

    def tell() -> None:
        came_to.append(notify(wiring.database(), wiring.messenger(), debit, now=datetime.now(UTC)))

    wiring.once_per_event().run(debit.event_id, context, tell)
    untold = came_to[0] if came_to else None
    logger().info(
        "not notified" if untold else "notified" if came_to else "notified before",
        event_id=debit.event_id,
        type=debit.type,
        reason=untold.value if untold else None,
    )
