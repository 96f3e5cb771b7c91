"""Booking what a gateway says of refunds: money that goes back the way it came.

Both inputs end here, the webhook and the reconciler's question; each may tell the same thing again, late, or before the
other. A refund of ours was set aside before the gateway was asked for it. One that somebody else began (the gateway
itself, a person at its dashboard) is written down when it is first heard of, then settled the same way.
"""

from collections.abc import Callable
from uuid import UUID

from wallet.ledger import ids
from wallet.ledger.refunds import ObservedRefund, RefundNews, RefundStatus
from wallet.storage import settlement, source_refunds
from wallet.storage.database import Database


def book_refund(
    database: Database, new_id: Callable[[], UUID], refund: ObservedRefund, *, event_id: UUID | None = None
) -> RefundNews:
    """Books one observed refund. A status that is new to us is not final, and moves nothing.

    `event_id` is the stored event that tells of it, None where the gateway has answered our own question.
    """
    if refund.status is RefundStatus.UNKNOWN:
        return RefundNews.NO_MONEY
    settlement.record_bank_reference(
        database,
        settlement.ReferenceKind.REFUND,
        gateway=refund.gateway,
        outside_id=refund.refund_id,
        reference=refund.rrn,
    )
    ours = ids.read(ids.REFUND, refund.reference) if refund.reference is not None else None
    if ours is not None:
        news = source_refunds.settle_refund(database, ours, refund, transaction_id=new_id())
        if news not in (RefundNews.NOT_OURS, RefundNews.MADE_AFTER_ALL):
            return news
    return _book_foreign(database, new_id, refund, event_id)


def _book_foreign(
    database: Database, new_id: Callable[[], UUID], refund: ObservedRefund, event_id: UUID | None
) -> RefundNews:
    payment = refund.payment
    if payment is not None and not payment.captured:
        return RefundNews.NO_MONEY  # it was never ours: the gateway gives back by itself what nobody captured
    if payment is not None and payment.has_arrived:
        # The refund may be heard of before the payment. Booked now it goes to suspense, never to the wallet first.
        settlement.settle_payment(database, payment, transaction_id=new_id(), event_id=event_id)
    noted = source_refunds.note_foreign_refund(database, refund, refund_id=new_id())
    if isinstance(noted, RefundNews):
        return noted
    return source_refunds.settle_refund(database, noted, refund, transaction_id=new_id())
