"""On a schedule: asks the gateway about every top-up that is still open, and finishes what a dead webhook left."""

from dataclasses import asdict
from typing import Any, Protocol

from wallet import wiring
from wallet.edge.logs import logger
from wallet.movements.reconcile import finish_leftovers, reconcile

# Seconds kept back for the question under way when Lambda's time ends.
_RESERVE_S = 15


class Invocation(Protocol):
    """What Lambda says about a run."""

    def get_remaining_time_in_millis(self) -> int:
        """How long it may still take."""
        ...


def handler(_event: dict[str, Any], context: Invocation) -> dict[str, Any]:
    """One run; what it found is its answer and a line in the log. A failure is raised: the alarm counts it."""
    database = wiring.database()
    findings = reconcile(
        database,
        wiring.gateway(),
        wiring.new_id,
        first_check_s=wiring.first_check_s(),
        time_left_s=lambda: context.get_remaining_time_in_millis() / 1000 - _RESERVE_S,
    )
    finished = finish_leftovers(database, wiring.new_id, wiring.event_parser(), account_id=wiring.gateway_account_id())
    told = {"leftovers": finished, **asdict(findings)}
    logger().info("reconciled", **told)
    return told
