"""What the wallet asks of any payment gateway: two Protocols, their values and their errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from wallet.ledger.attempts import ObservedPayment


@dataclass(frozen=True, slots=True)
class GatewayOrder:
    """An order as the gateway keeps it.

    `order_id` is the gateway's own, `receipt` is ours; `amount_minor` is in minor units of `currency` (ISO
    4217).
    """

    order_id: str
    receipt: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class UpiIntent:
    """A payment that waits for a UPI app: `link` (`upi://pay?…`) is opened or shown as a QR code as it is."""

    payment_id: str
    link: str


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """A webhook that was really sent by the gateway, as far as the wallet cares.

    `event_id` comes from an unsigned header: it may short-cut a repeat, and must never decide about money.
    `name` is the gateway's word (`payment.captured`), `account_id` the account it speaks of. `payments` are
    snapshots from the time of the event, not the present state; it is empty where no money is spoken of.
    """

    event_id: str | None
    name: str
    account_id: str | None
    payments: tuple[ObservedPayment, ...]


class Gateway(Protocol):
    """The questions that we put to a gateway.

    Every method may raise GatewayUnavailableError (nobody knows: ask again later) and GatewayRejectedError
    (the gateway says no, and will again).
    """

    @property
    def name(self) -> str:
        """The gateway's name in our books, such as `razorpay`."""
        ...

    @property
    def public_key_id(self) -> str:
        """The key that the gateway's own checkout in the payer's browser needs. It is not a secret."""
        ...

    def create_order(self, *, receipt: str, amount_minor: int, currency: str) -> GatewayOrder:
        """Make the order of this receipt, or give back the one that is already there: never a second one.

        `receipt` is 1 to 40 printable ASCII characters, unique to the attempt; `amount_minor` is in minor
        units. Raises GatewayRejectedError too when the receipt belongs to an order of another amount or
        currency.
        """
        ...

    def find_order(self, *, receipt: str) -> GatewayOrder | None:
        """Return the (oldest) order of this receipt, None if the gateway knows none."""
        ...

    def payments_of(self, order_id: str) -> tuple[ObservedPayment, ...]:
        """Return every payment that was tried on this order, failed ones included, in the gateway's order."""
        ...

    def upi_intent(self, *, order_id: str, amount_minor: int, currency: str, contact: str, email: str) -> UpiIntent:
        """Begin a UPI payment on an order and return the link for the payer's app.

        `contact` is an E.164 phone number, `email` an address: the gateway demands both. A payment begun
        twice harms nobody: a link that is not opened is never paid.
        """
        ...


class WebhookReader(Protocol):
    """Reads what arrives at the webhook's door."""

    def read(self, raw_body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        """Verify the bytes as they came, then read them.

        Raises SignatureMismatchError when the gateway didn't send them, MalformedEventError when it did but
        they say nothing that can be understood. It raises nothing else, whatever arrives.
        """
        ...


class GatewayUnavailableError(Exception):
    """The gateway was not reached, or what it did is unknown.

    Transport, timeout, 5xx, 429, or an answer that can't be read.
    `retry_after_s` is how many seconds the gateway wants to be left alone, if it said so.
    """

    def __init__(self, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class GatewayRejectedError(Exception):
    """The gateway understood and said no (4xx). Asking the same again gives the same answer.

    `reason` is the gateway's stable word and the one to match on; `description` is meant for people, may hold
    personal data, and so is kept out of the message.
    """

    def __init__(
        self,
        *,
        http_status: int,
        code: str | None = None,
        reason: str | None = None,
        description: str | None = None,
        field: str | None = None,
    ) -> None:
        told = {"code": code, "reason": reason, "field": field}
        said = [f"{label}={word}" for label, word in told.items() if word]
        super().__init__(" ".join([f"the gateway refused with status {http_status}", *said]))
        self.http_status = http_status
        self.code = code
        self.reason = reason
        self.description = description
        self.field = field


class SignatureMismatchError(Exception):
    """No live secret gives this signature for these bytes, or there is no usable signature at all."""


class MalformedEventError(Exception):
    """The signature is right, but the body is no event that can be read."""
