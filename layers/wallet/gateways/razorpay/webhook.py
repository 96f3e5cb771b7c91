"""Razorpay's webhooks: the signature over the bytes as they came, then the event."""

from collections.abc import Mapping, Sequence

from wallet.gateways.exact_json import MalformedJsonError, json_object
from wallet.gateways.fields import MalformedWireError, inner_object
from wallet.gateways.port import GatewayEvent, MalformedEventError
from wallet.gateways.razorpay import wire
from wallet.gateways.razorpay.signature import Signature, event_id
from wallet.ledger.attempts import ObservedPayment
from wallet.ledger.refunds import ObservedRefund

#: The events that say something about a payment to us; every other one of a payment is left alone.
_PAYMENT_EVENTS = frozenset({"payment.captured", "order.paid", "payment.failed"})


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
        name, is_ours = wire.event_name_of(event), wire.account_of(event) == account_id
        refund = _refund_entity(event)
        # Payments stand in many other events, in other forms (`captured` as a text in a subscription's).
        payments = _payments(event) if name in _PAYMENT_EVENTS or refund is not None else ()
        return GatewayEvent(
            event_id=wire.event_id_of(named),
            name=name,
            payments=payments if is_ours and name in _PAYMENT_EVENTS else (),
            refunds=_refunds(refund, payments) if is_ours else (),
        )
    except (MalformedJsonError, MalformedWireError) as error:
        raise MalformedEventError(str(error)) from error


def _refund_entity(event: Mapping[str, object]) -> Mapping[str, object] | None:
    """The refund that a `refund.…` event tells of; `refund.speed_changed` may come without."""
    return _entity(event, "refund") if wire.event_name_of(event).startswith("refund.") else None


def _refunds(entity: Mapping[str, object] | None, payments: tuple[ObservedPayment, ...]) -> tuple[ObservedRefund, ...]:
    if entity is None:
        return ()
    refund = wire.refund_of(entity, payment=payments[0] if payments else None)
    return (refund,) if refund.amount > 0 else ()


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
