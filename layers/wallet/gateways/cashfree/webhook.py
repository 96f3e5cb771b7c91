"""Cashfree's webhooks: the signature over the time stamp and the bytes as they came, then the event.

https://www.cashfree.com/docs/api-reference/webhooks/payloads-and-signatures. The time stamp is signed and there is no
replay window all the same: retries come up to 30 minutes later, more if so configured, and nowhere is it said whether
their time stamp is new. What guards against a replay is that everything an event tells of is booked once.

No account is named: that the signature is made with our client's secret is what says that it is about our money.

Only what we need is read, and only that may be malformed, as with Razorpay.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from wallet.gateways.cashfree import wire
from wallet.gateways.exact_json import MalformedJsonError, json_object
from wallet.gateways.fields import MalformedWireError, inner_object, optional_object
from wallet.gateways.port import GatewayEvent, MalformedEventError, SignatureMismatchError
from wallet.gateways.signing import LiveSecrets, header
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.disputes import ObservedDispute
from wallet.ledger.refunds import ObservedRefund

_SIGNATURE_HEADER = "x-webhook-signature"
_TIME_STAMP_HEADER = "x-webhook-timestamp"
_EVENT_ID_HEADER = "x-idempotency-key"

#: Milliseconds since 1970; or seconds, as older versions had them. Digits only: time stamp and body are signed without
#: anything between them, and what begins with anything but a brace is no event.
_TIME_STAMP = re.compile(r"[0-9]{10,16}")

_SUCCESS = "PAYMENT_SUCCESS_WEBHOOK"
_PAYMENT_EVENTS = frozenset({_SUCCESS, "PAYMENT_FAILED_WEBHOOK", "PAYMENT_USER_DROPPED_WEBHOOK"})
#: Which refund an event tells of; the automatic ones are of payments that failed, came twice or had no order.
_REFUND_EVENTS = {"REFUND_STATUS_WEBHOOK": "refund", "AUTO_REFUND_STATUS_WEBHOOK": "auto_refund"}
_DISPUTE_EVENTS = frozenset({"DISPUTE_CREATED", "DISPUTE_UPDATED", wire.DISPUTE_CLOSED})


class CashfreeWebhook:
    """Reads webhooks that are signed with any of the live client secrets."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Take the live secrets, as LiveSecrets does."""
        self._secrets = LiveSecrets(secrets)

    def read(self, raw_body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        """Verify, then read; see WebhookReader for what it raises."""
        time_stamp = header(headers, _TIME_STAMP_HEADER)
        if not isinstance(time_stamp, str) or not _TIME_STAMP.fullmatch(time_stamp):
            raise SignatureMismatchError("no usable time stamp")
        signed = time_stamp.encode("ascii") + raw_body
        self._secrets.check(signed, header(headers, _SIGNATURE_HEADER), _in_base64)
        return event_of(raw_body, header(headers, _EVENT_ID_HEADER))


def event_of(raw_body: bytes, event_id: object = None) -> GatewayEvent:
    """Read an event that was verified before; raises MalformedEventError."""
    try:
        event = json_object(raw_body)
        name = wire.event_name_of(event)
        return GatewayEvent(
            event_id=wire.event_id_of(event_id),
            name=name,
            payments=_payments(event, name) if name in _PAYMENT_EVENTS else (),
            refunds=_refunds(event, _REFUND_EVENTS[name]) if name in _REFUND_EVENTS else (),
            disputes=_disputes(event, name) if name in _DISPUTE_EVENTS else (),
        )
    except (MalformedJsonError, MalformedWireError) as error:
        raise MalformedEventError(str(error)) from error


def _payments(event: Mapping[str, object], name: str) -> tuple[ObservedPayment, ...]:
    data = inner_object(event, "data") or {}
    entity, order = inner_object(data, "payment"), inner_object(data, "order")
    if entity is None or order is None:
        raise MalformedWireError("an event of a payment without the payment or its order")
    payment = wire.payment_of(entity, order, optional_object(data, "error_details"))
    if payment.captured and name != _SUCCESS:
        # The event and the payment in it say two things: the reconciler asks which it is.
        payment = replace(payment, status=PaymentStatus.UNKNOWN, captured=False)
    return (payment,) if payment.amount > 0 else ()


def _refunds(event: Mapping[str, object], name: str) -> tuple[ObservedRefund, ...]:
    entity = inner_object(inner_object(event, "data") or {}, name)
    if entity is None:
        raise MalformedWireError("an event of a refund without the refund")
    if entity.get("cf_payment_id") is None:
        return ()  # of money that never became a payment
    refund = wire.refund_of(entity)
    return (refund,) if refund.amount > 0 else ()


def _disputes(event: Mapping[str, object], name: str) -> tuple[ObservedDispute, ...]:
    data = inner_object(event, "data") or {}
    entity, order = inner_object(data, "dispute"), inner_object(data, "order_details")
    if not entity:
        return ()
    if order is None:
        raise MalformedWireError("an event of a dispute without its payment")
    dispute = wire.dispute_of(entity, order, event=name, told_at=event.get("event_time"))
    return (dispute,) if dispute.amount > 0 else ()


def _in_base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")
