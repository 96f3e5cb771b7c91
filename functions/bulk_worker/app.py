"""When a file has come in, and on a schedule: pays the rows of bulk payments that wait."""

from dataclasses import asdict
from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.edge.runs import Invocation, UnhealthyRunError, time_left_s
from wallet.movements.bulk import BulkRun, BulkWorker


def handler(_event: dict[str, Any], context: Invocation) -> dict[str, Any]:
    """One run: it pays what there is until nothing waits or its time is over; what is left is due next time."""
    run = BulkRun()
    worker = BulkWorker(
        wiring.database(),
        wiring.new_id,
        time_left_s=lambda: time_left_s(context),
    )
    worker.work(run)
    logger().info("paid in bulk", **asdict(run))
    if run.broken:
        raise UnhealthyRunError(f"{len(run.broken)} rows not understood")
    return asdict(run)
