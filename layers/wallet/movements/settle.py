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
from wallet.storage import settlement
from wallet.storage.database import Database
from wallet.storage.settlement import Noted

#: The events that say something about money of ours; every other one is kept and left alone.
_PAYMENT_EVENTS = frozenset({"payment.captured", "order.paid", "payment.failed"})


class EventOutcome(StrEnum):
    """What an event came to."""

    PROCESSED = "processed"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    STUCK = "stuck"  # it can't be acted on: for people to look at


_NOTED = {
    Noted.NEW: EventOutcome.PROCESSED,
    Noted.LATE: EventOutcome.DUPLICATE,
    Noted.UNKNOWN_ORDER: EventOutcome.IGNORED,
}


def book(database: Database, new_id: Callable[[], UUID], payment: ObservedPayment) -> EventOutcome:
    """Books one observed payment: credited, sent to suspense, or noted as failed."""
    if payment.amount <= 0:
        return EventOutcome.IGNORED  # a mandate that was registered: no money, though gateways call it captured
    if payment.has_arrived:
        settled = settlement.settle_payment(database, payment, transaction_id=new_id())
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
    account_id: str,
    body: bytes,
) -> EventOutcome:
    """Keeps a verified event, then acts on it. If anything fails, the gateway sends it again and finds it kept.

    `account_id` is our account at the gateway: money of another account is not ours to book.
    """
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
    outcome = act(database, new_id, event, account_id=account_id)
    settlement.finish_event(database, stored.id, outcome)
    return outcome


def act(database: Database, new_id: Callable[[], UUID], event: GatewayEvent, *, account_id: str) -> EventOutcome:
    """Acts on a kept event, as often as it is told to."""
    if event.name not in _PAYMENT_EVENTS or event.account_id != account_id:
        return EventOutcome.IGNORED
    outcomes = {book(database, new_id, payment) for payment in event.payments}
    for outcome in (EventOutcome.PROCESSED, EventOutcome.DUPLICATE):
        if outcome in outcomes:
            return outcome
    return EventOutcome.IGNORED
