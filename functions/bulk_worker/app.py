"""When a file has come in, and on a schedule: pays the rows of bulk payments that wait."""

from dataclasses import asdict
from typing import Any, Protocol

from wallet import wiring
from wallet.edge.logs import logger
from wallet.movements.bulk import BulkRun, BulkWorker

# Seconds kept back for the row under way when Lambda's time ends.
_RESERVE_S = 15


class Invocation(Protocol):
    """What Lambda says about a run."""

    def get_remaining_time_in_millis(self) -> int:
        """How long it may still take."""
        ...


class UnhealthyRunError(Exception):
    """Rows could not be understood: the alarm counts it, the log says which."""


def handler(_event: dict[str, Any], context: Invocation) -> dict[str, Any]:
    """One run: it pays what there is until nothing waits or its time is over; what is left is due next time."""
    run = BulkRun()
    worker = BulkWorker(
        wiring.database(),
        wiring.new_id,
        time_left_s=lambda: context.get_remaining_time_in_millis() / 1000 - _RESERVE_S,
    )
    worker.work(run)
    logger().info("paid in bulk", **asdict(run))
    if run.broken:
        raise UnhealthyRunError(f"{len(run.broken)} rows not understood")
    return asdict(run)
