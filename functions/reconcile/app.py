"""On schedules: holds what we asked for, what the gateway has and the ledger against each other, and finishes the rest.

Every few minutes what is open and what the gateway's list has; every day (`{"task": "settlements"}`) its report.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.edge.runs import Invocation, UnhealthyRunError, time_left_s
from wallet.movements.reconcile import Findings
from wallet.movements.rounds import Tools, daily_round, frequent_round
from wallet.storage.breaks import figures


def handler(event: dict[str, Any], context: Invocation) -> dict[str, Any]:
    """One run. Everything that can be done is done, then what could not is raised."""
    findings, gateway = Findings(), wiring.gateway()
    tools = Tools(
        database=wiring.database(),
        gateway=gateway,
        listing=wiring.listing_gateway(),
        provider=wiring.payout_provider(),
        new_id=wiring.new_id,
        parse=wiring.kept_event,
        now=lambda: datetime.now(UTC),
    )
    left = partial(time_left_s, context)
    if event.get("task") == "settlements":
        daily_round(tools, findings, settled_within_days=wiring.settled_within_days(), time_left_s=left)
    else:
        frequent_round(tools, findings, first_check_s=wiring.first_check_s(), time_left_s=left)
    standing = figures(tools.database, gateway=gateway.name, dispute_notice_h=wiring.dispute_notice_h())
    told = asdict(findings) | asdict(standing)
    logger().info("reconciled", **told)
    if findings.keys_refused:
        logger().error("keys_refused", times=findings.keys_refused)
    if not findings.is_healthy:
        raise UnhealthyRunError(f"{findings.unreachable} not reached, {len(findings.broken)} not understood")
    return told
