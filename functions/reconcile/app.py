"""On a schedule: asks the gateway about every top-up that is still open, and finishes what a dead webhook left."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.edge.runs import Invocation, UnhealthyRunError, time_left_s
from wallet.movements.reconcile import Findings, finish_leftovers, reconcile
from wallet.movements.reconcile_refunds import reconcile_refunds
from wallet.movements.reconcile_withdrawals import reconcile_withdrawals
from wallet.storage.users import sweep_identity


def handler(_event: dict[str, Any], context: Invocation) -> dict[str, Any]:
    """One run. Everything that can be done is done, then what could not is raised."""
    database, findings = wiring.database(), Findings()

    whole_s = time_left_s(context)

    def until(quarter: int) -> Callable[[], float]:
        """What is left until so many quarters of the time are over: a backlog of one kind starves no other."""
        return lambda: time_left_s(context) - whole_s * (4 - quarter) / 4

    gateway, provider, new_id = wiring.gateway(), wiring.payout_provider(), wiring.new_id
    first_check_s = wiring.first_check_s()
    reconcile(database, gateway, new_id, findings, first_check_s=first_check_s, time_left_s=until(2))
    reconcile_refunds(database, gateway, new_id, findings, first_check_s=first_check_s, time_left_s=until(3))
    reconcile_withdrawals(database, provider, new_id, findings, first_check_s=first_check_s, time_left_s=until(4))
    finish_leftovers(database, new_id, wiring.kept_event, findings)
    sweep_identity(database)
    logger().info("reconciled", **asdict(findings))
    if not findings.is_healthy:
        raise UnhealthyRunError(f"{findings.unreachable} not reached, {len(findings.broken)} not understood")
    return asdict(findings)
