"""Razorpay's webhooks: the signature over the bytes as they came, then the event.

https://razorpay.com/docs/webhooks/validate-test. There is no time stamp and so no replay window: what guards
against a replay is that a payment is credited once.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from wallet.gateways.exact_json import MalformedJsonError, json_object
from wallet.gateways.port import GatewayEvent, MalformedEventError, SignatureMismatchError
from wallet.gateways.razorpay import wire
from wallet.ledger.attempts import ObservedPayment

_SIGNATURE_HEADER = "x-razorpay-signature"
_EVENT_ID_HEADER = "x-razorpay-event-id"
_SIGNATURE_LENGTH = 64


class RazorpayWebhook:
    """Reads webhooks that are signed with any of the live secrets.

    Several are live after a rotation: Razorpay signs its retries of older events with the secret of their
    day.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        """Take the live secrets; blank ones are left out. Raises ValueError if none remains."""
        # A lone text is a sequence too, of one-letter secrets that anybody guesses.
        if isinstance(secrets, str):
            raise TypeError("the webhook's secrets are a list, not one text")
        self._keys = tuple(secret.encode() for secret in secrets if secret.strip())
        if not self._keys:
            raise ValueError("a webhook without a secret would believe anybody")

    def read(self, raw_body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        """Verify, then read; see WebhookReader for what it raises."""
        self._verify(raw_body, _header(headers, _SIGNATURE_HEADER))
        return event_of(raw_body, _header(headers, _EVENT_ID_HEADER))

    def _verify(self, raw_body: bytes, signature: object) -> None:
        # compare_digest raises TypeError on non-ASCII text, which would answer a forgery with a 500.
        if not isinstance(signature, str) or len(signature) != _SIGNATURE_LENGTH or not signature.isascii():
            raise SignatureMismatchError("no usable signature")
        matches = False
        for key in self._keys:
            expected = hmac.new(key, raw_body, hashlib.sha256).hexdigest()
            # Every secret is tried, always: the time taken must not tell which one it was.
            matches |= hmac.compare_digest(expected, signature)
        if not matches:
            raise SignatureMismatchError("no live secret gives this signature")


def event_of(raw_body: bytes, event_id: object = None) -> GatewayEvent:
    """Read an event that was verified before; raises MalformedEventError."""
    try:
        event = json_object(raw_body)
        return GatewayEvent(
            event_id=wire.event_id_of(event_id),
            name=wire.event_name_of(event),
            account_id=wire.account_of(event),
            payments=_payments(event),
        )
    except (MalformedJsonError, wire.MalformedWireError) as error:
        raise MalformedEventError(str(error)) from error


def _payments(event: Mapping[str, object]) -> tuple[ObservedPayment, ...]:
    payload = wire.inner_object(event, "payload") or {}
    envelope = wire.inner_object(payload, "payment")
    if envelope is None:
        return ()
    entity = wire.inner_object(envelope, "entity")
    if entity is None:
        raise wire.MalformedWireError("a payment without its entity")
    payment = wire.payment_of(entity)
    # A mandate is registered with a payment of nothing. Refusing it would make Razorpay retry for a day and
    # then switch the webhook off; there is no money in it to speak of.
    return (payment,) if payment.amount > 0 else ()


def _header(headers: Mapping[str, str], name: str) -> object:
    """Find a header whatever its case; one that is told twice, differently, is no header at all."""
    found: list[object] = [value for key, value in headers.items() if key.lower() == name]
    return found[0] if found and all(value == found[0] for value in found) else None
