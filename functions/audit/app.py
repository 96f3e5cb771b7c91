"""On a schedule, or for a person at a desk: looks at every promise about the books, and says what breaks one."""

from typing import Any

from wallet import wiring
from wallet.edge.logs import logger
from wallet.edge.runs import Invocation, UnhealthyRunError, time_left_s
from wallet.ledger.audits import AuditReport, Outcome
from wallet.movements.audit import Audit
from wallet.storage.audits import note_audit

# Seconds kept back for the checkpoint under way, and for writing down what was found.
_RESERVE_S = 20


def handler(event: dict[str, Any], context: Invocation) -> dict[str, object]:
    """One run. A break is an error of the run, and so an alarm; who asks for the report gets it in any case."""
    report = AuditReport()
    audit = Audit(
        wiring.patient_database(), wiring.kept_checkpoints(), wiring.checkpoint_public_key(), wiring.random_below
    )
    audit.run(report, time_left_s=lambda: time_left_s(context, reserve_s=_RESERVE_S))
    note_audit(wiring.patient_database(), wiring.new_id(), report)
    for result in report.results:
        if result.outcome is not Outcome.PASSED:
            told = [str(fault) for fault in result.faults]
            logger().error("audit", code=result.code, outcome=result.outcome.value, faults=told, told=result.told)
        if result.notes:
            logger().warning("noted", code=result.code, notes=[str(note) for note in result.notes], told=result.told)
    logger().info(
        "audited",
        outcome=report.outcome.value,
        verified=report.verified,
        checkpoints=report.checkpoints,
        unfinished=report.unfinished,
    )
    if report.outcome is Outcome.BROKEN and event.get("command") != "report":
        raise UnhealthyRunError("the books are not as they should be; the log says where")
    return dict(report.told())
