"""RazorpayX's webhooks: signed as Razorpay's others are, with a secret of their own, and about payouts.

https://razorpay.com/docs/webhooks/payouts. The event's name is for the log: what counts is the payout's own status.
"""

from collections.abc import Mapping, Sequence

from wallet.gateways.exact_json import MalformedJsonError, json_object
from wallet.gateways.fields import MalformedWireError, inner_object
from wallet.gateways.port import GatewayEvent, MalformedEventError
from wallet.gateways.razorpay import wire as razorpay
from wallet.gateways.razorpay.signature import Signature, event_id
from wallet.gateways.razorpayx import wire
from wallet.ledger.withdrawals import ObservedPayout


class RazorpayXWebhook:
    """Reads webhooks that are signed with any of the live secrets."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Take the live secrets, as Signature does."""
        self._signature = Signature(secrets)

    def read(self, raw_body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        """Verify, then read; see WebhookReader for what it raises."""
        self._signature.verify(raw_body, headers)
        return event_of(raw_body, event_id(headers))


def event_of(raw_body: bytes, named: object = None) -> GatewayEvent:
    """Read an event that was verified before; raises MalformedEventError."""
    try:
        event = json_object(raw_body)
        return GatewayEvent(
            event_id=razorpay.event_id_of(named),
            name=razorpay.event_name_of(event),
            payouts=_payouts(event),
        )
    except (MalformedJsonError, MalformedWireError) as error:
        raise MalformedEventError(str(error)) from error


def _payouts(event: Mapping[str, object]) -> tuple[ObservedPayout, ...]:
    payload = inner_object(event, "payload") or {}
    envelope = inner_object(payload, "payout")
    if envelope is None:
        return ()  # a downtime's, or one of the dashboard's other things
    entity = inner_object(envelope, "entity")
    if entity is None:
        raise MalformedWireError("a payout without its entity")
    return (wire.payout_of(entity),)
