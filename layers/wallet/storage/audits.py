"""The audits that were made: what each came to.

No audit asks this record anything: who can write to it would steer the next one.
"""

import json
from uuid import UUID

from wallet.ledger.audits import AuditReport
from wallet.storage.database import Database


def note_audit(database: Database, audit_id: UUID, report: AuditReport) -> None:
    """Writes down what an audit came to, once."""
    database.call(
        "note_audit",
        audit_id.bytes,
        report.outcome.value,
        report.checkpoints,
        report.verified,
        report.next_number,
        json.dumps([str(fault) for result in report.results for fault in result.faults]),
    )
