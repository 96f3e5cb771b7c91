"""The signature that Razorpay puts on webhooks of payments and of payouts: hexadecimal, over the bytes as they came.

https://razorpay.com/docs/webhooks/validate-test. There is no time stamp and so no replay window: what guards
against a replay is that everything an event tells of is booked once.
"""

from collections.abc import Mapping, Sequence

from wallet.gateways.signing import LiveSecrets, header

_SIGNATURE_HEADER = "x-razorpay-signature"
_EVENT_ID_HEADER = "x-razorpay-event-id"


class Signature:
    """Verifies what is signed with any of the live secrets."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Take the live secrets, as LiveSecrets does."""
        self._secrets = LiveSecrets(secrets)

    def verify(self, raw_body: bytes, headers: Mapping[str, str]) -> None:
        """Raise SignatureMismatchError unless a live secret gives the signature in the headers."""
        self._secrets.check(raw_body, header(headers, _SIGNATURE_HEADER), bytes.hex)


def event_id(headers: Mapping[str, str]) -> object:
    """Return what stands where the event's id does; it is not signed."""
    return header(headers, _EVENT_ID_HEADER)
