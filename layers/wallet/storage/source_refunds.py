"""Refunds to source, through the kernel."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from wallet.ledger.refunds import ObservedRefund, RefundNews
from wallet.storage.database import Database
from wallet.storage.rows import uuid_of


@dataclass(frozen=True, slots=True)
class OpenRefund:
    """A refund that the gateway has not said its last word about. `amount` is in minor units of `currency`.

    `ours` is False for one that somebody began at the gateway. `gateway_order_id` is the order of its payment, None
    where we know of none; `gateway_refund_id` is None until the gateway is known to have it.
    """

    id: UUID
    ours: bool
    payment_id: str
    gateway_order_id: str | None
    gateway_refund_id: str | None
    amount: int
    currency: str
    checks: int


def settle_refund(database: Database, refund_id: UUID, refund: ObservedRefund, *, transaction_id: UUID) -> RefundNews:
    """Books what a gateway says of a refund in the books, in any order, however often; its status is not `unknown`."""
    answer = database.call(
        "settle_source_refund",
        refund_id.bytes,
        refund.gateway,
        refund.refund_id,
        refund.payment_id,
        refund.amount,
        refund.currency,
        refund.status.value,
        refund.reason,
        transaction_id.bytes,
    )
    return RefundNews(answer.outcome)


def reject_refund(database: Database, refund: OpenRefund, *, gateway: str, reason: str) -> RefundNews:
    """Ends a refund that the gateway will not make: what was set aside is free again. Never one that it has made."""
    answer = database.call(
        "settle_source_refund",
        refund.id.bytes,
        gateway,
        None,
        refund.payment_id,
        refund.amount,
        refund.currency,
        "failed",
        reason,
        None,
    )
    return RefundNews(answer.outcome)


def note_foreign_refund(database: Database, refund: ObservedRefund, *, refund_id: UUID) -> UUID | RefundNews:
    """Writes down a refund that we did not begin, or finds it; its id, or why it can't be written down."""
    answer = database.call(
        "note_foreign_refund",
        refund_id.bytes,
        refund.gateway,
        refund.refund_id,
        refund.payment_id,
        refund.amount,
        refund.currency,
    )
    return uuid_of(answer.result["refund_id"]) if answer.outcome == "done" else RefundNews(answer.outcome)


_DUE = """
SELECT r.id, r.origin, r.gateway_payment_id, a.gateway_order_id, r.gateway_refund_id, r.amount, r.currency, r.checks
FROM source_refunds r
JOIN gateway_payments g ON g.transaction_id = r.transaction_id
LEFT JOIN payment_attempts a ON a.id = g.attempt_id
WHERE r.gateway = %s AND r.next_check_at <= UTC_TIMESTAMP(6) ORDER BY r.next_check_at LIMIT %s
"""


def due_refunds(database: Database, *, gateway: str, limit: int) -> list[OpenRefund]:
    """Refunds through this gateway that it is time to ask for, or about; the longest overdue first."""
    return [
        OpenRefund(
            id=uuid_of(row["id"]),
            ours=row["origin"] == "ours",
            payment_id=row["gateway_payment_id"],
            gateway_order_id=row["gateway_order_id"],
            gateway_refund_id=row["gateway_refund_id"],
            amount=row["amount"],
            currency=row["currency"],
            checks=row["checks"],
        )
        for row in database.read(_DUE, gateway, limit)
    ]


class Claimed(StrEnum):
    """What came of the wish to ask for, or about, a refund that is due."""

    DONE = "done"  # it is ours to ask now
    DISPUTED = "disputed"  # the same, but it is not to be asked for: its payment is disputed, and nothing left of it
    TAKEN = "taken"  # by somebody else


def claim_check(database: Database, refund: OpenRefund, *, first_check_s: int) -> Claimed:
    """Takes a due refund, and sets the next question further off."""
    return Claimed(database.call("claim_refund_check", refund.id.bytes, refund.checks, first_check_s).outcome)


def release_check(database: Database, refund: OpenRefund, *, first_check_s: int) -> None:
    """Gives a taken refund back, unasked: it is due again in `first_check_s` seconds at the latest."""
    database.call("release_refund_check", refund.id.bytes, refund.checks, first_check_s)
