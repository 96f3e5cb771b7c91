"""RazorpayX's webhooks: signed as Razorpay's others are, with a secret of their own, and about payouts.

https://razorpay.com/docs/webhooks/payouts. What counts is the payout's own status, whichever of its events tells it.
What is no payout of ours (the account's own entries, a payout made at the dashboard, a downtime) may have any form.
"""

from collections.abc import Mapping, Sequence

from wallet.gateways.exact_json import MalformedJsonError, json_object
from wallet.gateways.fields import MalformedWireError, inner_object
from wallet.gateways.port import GatewayEvent, MalformedEventError
from wallet.gateways.razorpay import wire as razorpay
from wallet.gateways.razorpay.signature import Signature, event_id
from wallet.gateways.razorpayx import wire
from wallet.ledger.withdrawals import ObservedPayout

_OF_PAYOUTS = "payout."


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
    if not razorpay.event_name_of(event).startswith(_OF_PAYOUTS):
        return ()
    envelope = inner_object(inner_object(event, "payload") or {}, "payout")
    if envelope is None:
        return ()  # a downtime's
    entity = inner_object(envelope, "entity")
    if entity is None:
        raise MalformedWireError("a payout without its entity")
    try:
        return (wire.payout_of(entity),)
    except MalformedWireError:
        if wire.is_ours(entity):
            raise
        return ()
