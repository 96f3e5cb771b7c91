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
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import settlement
from wallet.storage.database import Database

#: The events that say something about money of ours; every other one is kept and left alone.
_PAYMENT_EVENTS = frozenset({"payment.captured", "order.paid", "payment.failed"})


class EventOutcome(StrEnum):
    """What an event came to."""

    PROCESSED = "processed"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"


def book(database: Database, new_id: Callable[[], UUID], payment: ObservedPayment) -> EventOutcome:
    """Books one observed payment: credited, sent to suspense, or noted as failed."""
    if payment.has_arrived:
        new = settlement.settle_payment(database, payment, transaction_id=new_id()).new
    elif payment.status is PaymentStatus.FAILED and payment.order_id is not None:
        new = settlement.note_unsuccessful_payment(database, payment)
    else:
        return EventOutcome.IGNORED
    return EventOutcome.PROCESSED if new else EventOutcome.DUPLICATE


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
    if len(event.name) > 64 or not event.name.isascii():
        raise Refused(Refusal.MALFORMED_EVENT)
    stored = settlement.store_event(
        database,
        new_id=new_id(),
        gateway=gateway,
        digest=hashlib.sha256(body).digest(),
        event_id=_plain(event.event_id),
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


def _plain(event_id: str | None) -> str | None:
    """The event's id comes from a header that nobody signs: kept if it fits, for people to look for."""
    return event_id if event_id and event_id.isascii() and len(event_id) <= 64 else None
