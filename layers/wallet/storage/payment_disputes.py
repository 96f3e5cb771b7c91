"""Payment disputes, through the kernel."""

from datetime import UTC, datetime
from uuid import UUID

from wallet.ledger.disputes import DisputeNews, ObservedDispute
from wallet.storage.database import Database
from wallet.storage.rows import uuid_of


def record_dispute(database: Database, dispute: ObservedDispute, *, new_id: UUID) -> DisputeNews:
    """Writes down what a gateway says of a dispute, in any order, however often, and reserves what it is about.

    `new_id` is the dispute's if it is new, and never used before.
    """
    answer = database.call(
        "record_payment_dispute",
        new_id.bytes,
        dispute.gateway,
        dispute.dispute_id,
        dispute.payment_id,
        dispute.amount,
        dispute.currency,
        dispute.phase.value,
        dispute.status.value,
        dispute.reason,
        None if dispute.respond_by is None else _utc(dispute.respond_by),
        _utc(dispute.told_at),
    )
    return DisputeNews(answer.outcome)


def _utc(at: datetime) -> datetime:
    """A moment as the database has it."""
    return at.astimezone(UTC).replace(tzinfo=None)


_WITHOUT_PAYMENT = """
SELECT d.id FROM payment_disputes d
JOIN gateway_payments g ON g.gateway = d.gateway AND g.gateway_payment_id = d.gateway_payment_id
WHERE d.transaction_id IS NULL ORDER BY d.id LIMIT %s
"""


def disputes_to_attach(database: Database, *, limit: int) -> list[UUID]:
    """Disputes that were told before their payment was in the books, where it is."""
    return [uuid_of(row["id"]) for row in database.read(_WITHOUT_PAYMENT, limit)]


def attach_dispute(database: Database, dispute_id: UUID, *, new_id: UUID) -> bool:
    """Reserves what such a dispute is about; False if somebody else has."""
    return database.call("attach_payment_dispute", dispute_id.bytes, new_id.bytes).outcome == "done"
