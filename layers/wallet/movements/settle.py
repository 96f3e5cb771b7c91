"""Booking what a gateway says has happened: the one way in which money enters a wallet.

Both inputs of the state machine end here, the webhook and the reconciler's question. Each may tell the same thing
again, late, or before the other; the kernel books a gateway payment once.
"""

import hashlib
from collections.abc import Callable
from enum import StrEnum
from uuid import UUID

from wallet.gateways.port import GatewayEvent
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.disputes import DisputeNews
from wallet.ledger.refunds import RefundNews
from wallet.movements.payment_disputes import book_dispute
from wallet.movements.payouts import book_payout
from wallet.movements.refund_to_source import book_refund
from wallet.storage import settlement
from wallet.storage.database import Database
from wallet.storage.settlement import Noted, ReferenceKind
from wallet.storage.withdrawals import Settled


class EventOutcome(StrEnum):
    """What an event came to."""

    PROCESSED = "processed"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    STUCK = "stuck"  # it can't be acted on: for people to look at
    EARLY = "early"  # it tells of what follows from something that we have not heard of yet: to be acted on later

    @property
    def told(self) -> str:
        """What the gateway is told, which has nothing to do about one that is stuck or early."""
        return (EventOutcome.IGNORED if self in (EventOutcome.STUCK, EventOutcome.EARLY) else self).value


_NOTED = {
    Noted.NEW: EventOutcome.PROCESSED,
    Noted.LATE: EventOutcome.DUPLICATE,
    Noted.UNKNOWN_ORDER: EventOutcome.IGNORED,
}

_SETTLED = {
    Settled.NEW: EventOutcome.PROCESSED,
    Settled.KNOWN: EventOutcome.DUPLICATE,
    Settled.FOREIGN: EventOutcome.IGNORED,
    Settled.MISMATCH: EventOutcome.STUCK,
    Settled.DISPUTED: EventOutcome.STUCK,
    Settled.NOT_COVERED: EventOutcome.STUCK,
}

_REFUNDED = {
    RefundNews.NEW: EventOutcome.PROCESSED,
    RefundNews.KNOWN: EventOutcome.DUPLICATE,
    RefundNews.NO_MONEY: EventOutcome.IGNORED,
    RefundNews.UNKNOWN_PAYMENT: EventOutcome.EARLY,
}

_DISPUTED = {
    DisputeNews.NEW: EventOutcome.PROCESSED,
    DisputeNews.KNOWN: EventOutcome.DUPLICATE,
    DisputeNews.MISMATCH: EventOutcome.STUCK,
    DisputeNews.CONTRADICTED: EventOutcome.STUCK,
}


def book(
    database: Database, new_id: Callable[[], UUID], payment: ObservedPayment, *, event_id: UUID | None = None
) -> EventOutcome:
    """Books one observed payment: credited, sent to suspense, or noted as failed.

    `event_id` is the stored event that tells of it, None where the gateway has answered our own question.
    """
    if payment.amount <= 0:
        return EventOutcome.IGNORED  # a mandate that was registered: no money, though gateways call it captured
    settlement.record_bank_reference(
        database,
        ReferenceKind.PAYMENT,
        gateway=payment.gateway,
        outside_id=payment.payment_id,
        reference=payment.rrn,
    )
    if payment.has_arrived:
        settled = settlement.settle_payment(database, payment, transaction_id=new_id(), event_id=event_id)
        return EventOutcome.PROCESSED if settled.new else EventOutcome.DUPLICATE
    if payment.status is PaymentStatus.FAILED and payment.order_id is not None:
        return _NOTED[settlement.note_unsuccessful_payment(database, payment)]
    return EventOutcome.IGNORED


def receive(
    database: Database,
    new_id: Callable[[], UUID],
    event: GatewayEvent,
    *,
    gateway: str,
    body: bytes,
) -> EventOutcome:
    """Keeps a verified event, then acts on it. If anything fails, the gateway sends it again and finds it kept."""
    stored = settlement.store_event(
        database,
        new_id=new_id(),
        gateway=gateway,
        digest=hashlib.sha256(body).digest(),
        event_id=event.event_id,
        name=event.name,
        body=body,
    )
    if stored.outcome is not None:
        return EventOutcome.DUPLICATE
    outcome = act(database, new_id, event, event_id=stored.id)
    if outcome is not EventOutcome.EARLY:
        settlement.finish_event(database, stored.id, outcome)
    return outcome


def act(database: Database, new_id: Callable[[], UUID], event: GatewayEvent, *, event_id: UUID) -> EventOutcome:
    """Acts on a kept event, as often as it is told to. One that tells of no money of ours is left alone."""
    outcomes = {book(database, new_id, payment, event_id=event_id) for payment in event.payments}
    outcomes |= {_SETTLED[book_payout(database, new_id, payout)] for payout in event.payouts}
    news = {book_refund(database, new_id, refund, event_id=event_id) for refund in event.refunds}
    outcomes |= {_REFUNDED.get(one, EventOutcome.STUCK) for one in news}
    outcomes |= {_DISPUTED[book_dispute(database, new_id, dispute)] for dispute in event.disputes}
    for outcome in (EventOutcome.STUCK, EventOutcome.EARLY, EventOutcome.PROCESSED, EventOutcome.DUPLICATE):
        if outcome in outcomes:
            return outcome
    return EventOutcome.IGNORED
