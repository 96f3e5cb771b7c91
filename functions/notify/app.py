"""On events that take money from a wallet: tells its owner, by SMS or through a topic."""

from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.ledger.notices import debit_of
from wallet.movements.notify import notify


def handler(event: dict[str, Any], context: object) -> None:
    """One event from the bus. What fails is raised: Lambda tries again, and the alarm counts it."""
    debit = debit_of(event["detail-type"], event["detail"])

    def tell() -> None:
        notify(wiring.database(), wiring.notices(), debit, report_to=wiring.setting("NOTICE_CONTACT"))

    told_now = wiring.once_per_event("wallet.notify.v1").run(debit.event_id, context, tell)
    logger().info("notified" if told_now else "notified before", event_id=debit.event_id, type=debit.type)
