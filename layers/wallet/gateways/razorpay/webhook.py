"""Razorpay's webhooks: the signature over the bytes as they came, then the event.

Only what we need is read, and only that may be malformed: anything but a 200 makes Razorpay send an event again for a
day, then switch off the webhook that our money is told by.
"""

from collections.abc import Mapping, Sequence

from wallet.gateways.exact_json import MalformedJsonError, json_object
from wallet.gateways.fields import MalformedWireError, inner_object
from wallet.gateways.port import GatewayEvent, MalformedEventError
from wallet.gateways.razorpay import wire
from wallet.gateways.razorpay.signature import Signature, event_id
from wallet.ledger.attempts import ObservedPayment
from wallet.ledger.disputes import ObservedDispute
from wallet.ledger.refunds import ObservedRefund

#: The events that say something to us. Payments and refunds stand in many others, in other forms (`captured` as a text
#: in a subscription's), and say nothing new there.
_PAYMENT_EVENTS = frozenset({"payment.captured", "order.paid", "payment.failed"})
_REFUND_EVENTS = frozenset({"refund.created", "refund.processed", "refund.failed"})
_OF_DISPUTES = "payment.dispute."


class RazorpayWebhook:
    """Reads webhooks that are signed with any of the live secrets."""

    def __init__(self, secrets: Sequence[str], *, account_id: str) -> None:
        """Take the live secrets, as Signature does, and our account: money of another's is not ours to book."""
        self._signature = Signature(secrets)
        self._account_id = account_id

    def read(self, raw_body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        """Verify, then read; see WebhookReader for what it raises."""
        self._signature.verify(raw_body, headers)
        return event_of(raw_body, event_id(headers), account_id=self._account_id)


def event_of(raw_body: bytes, named: object = None, *, account_id: str) -> GatewayEvent:
    """Read an event that was verified before; raises MalformedEventError. `account_id` is ours."""
    try:
        event = json_object(raw_body)
        name = wire.event_name_of(event)
        is_known = name in _PAYMENT_EVENTS | _REFUND_EVENTS or name.startswith(_OF_DISPUTES)
        is_read = is_known and wire.account_of(event) == account_id
        return GatewayEvent(
            event_id=wire.event_id_of(named),
            name=name,
            payments=_payments(event) if is_read and name in _PAYMENT_EVENTS else (),
            refunds=_refunds(event) if is_read and name in _REFUND_EVENTS else (),
            disputes=_disputes(event, name) if is_read and name.startswith(_OF_DISPUTES) else (),
        )
    except (MalformedJsonError, MalformedWireError) as error:
        raise MalformedEventError(str(error)) from error


def _refunds(event: Mapping[str, object]) -> tuple[ObservedRefund, ...]:
    entity = _entity(event, "refund")
    if entity is None:
        return ()
    refund = wire.refund_of(entity, payment=_payment_beside(event))
    return (refund,) if refund.amount > 0 else ()


def _payment_beside(event: Mapping[str, object]) -> ObservedPayment | None:
    """The payment that a refund is of, where it can be read: the refund names it, and it is asked about if need be."""
    try:
        payments = _payments(event)
    except MalformedWireError:
        return None
    return payments[0] if payments else None


def _disputes(event: Mapping[str, object], name: str) -> tuple[ObservedDispute, ...]:
    entity = _entity(event, "dispute")
    if entity is None:
        return ()
    dispute = wire.dispute_of(entity, event=name.removeprefix(_OF_DISPUTES), told_at=event.get("created_at"))
    return (dispute,) if dispute.amount > 0 else ()


def _entity(event: Mapping[str, object], name: str) -> Mapping[str, object] | None:
    payload = inner_object(event, "payload") or {}
    envelope = inner_object(payload, name)
    if envelope is None:
        return None
    entity = inner_object(envelope, "entity")
    if entity is None:
        raise MalformedWireError(f"a {name} without its entity")
    return entity


def _payments(event: Mapping[str, object]) -> tuple[ObservedPayment, ...]:
    entity = _entity(event, "payment")
    if entity is None:
        return ()
    payment = wire.payment_of(entity)
    # A mandate is registered with a payment of nothing. Refusing it would make Razorpay retry for a day and
    # then switch the webhook off; there is no money in it to speak of.
    return (payment,) if payment.amount > 0 else ()
