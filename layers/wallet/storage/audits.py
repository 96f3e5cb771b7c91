"""The audits that were made: what each came to, and where the next one goes on."""

import json
from uuid import UUID

from wallet.ledger.audits import AuditReport
from wallet.storage.database import Database


def next_number(database: Database) -> int:
    """The checkpoint with which the last audit did not begin any more; 1 before the first audit."""
    rows = database.read("SELECT next_number FROM audits ORDER BY ended_at DESC, id DESC LIMIT 1")
    return rows[0]["next_number"] if rows else 1


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
