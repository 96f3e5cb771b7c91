"""What the wallet asks of payment gateways and payout providers: Protocols, their values and their errors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from wallet.ledger.attempts import ObservedPayment
from wallet.ledger.breaks import SettlementLine, Unreadable
from wallet.ledger.disputes import ObservedDispute
from wallet.ledger.refunds import ObservedRefund
from wallet.ledger.withdrawals import ObservedPayout

_OK, _BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _UNPROCESSABLE = 200, 400, 401, 403, 404, 422


#: What the gateway refuses for when it names no reason.
REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class GatewayOrder:
    """An order as the gateway keeps it.

    `order_id` is what payments of it name, `receipt` is ours; `amount_minor` is in minor units of `currency` (ISO
    4217). `checkout_session` is what the gateway's checkout in the payer's browser wants beside the order's id, None
    where it wants nothing. Whoever has it can pay the order, as with a UPI link, and do nothing else.
    """

    order_id: str
    receipt: str
    amount_minor: int
    currency: str
    checkout_session: str | None = None


@dataclass(frozen=True, slots=True)
class UpiIntent:
    """A payment that waits for a UPI app: `link` (`upi://pay?…`) is opened or shown as a QR code as it is."""

    payment_id: str
    link: str


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """A webhook that was really sent by the gateway, as far as the wallet cares.

    `event_id` comes from an unsigned header: it may short-cut a repeat, and must never decide about money.
    `name` is the gateway's word (`payment.captured`). `payments` are snapshots from the time of the event, not the
    present state; it is empty where no money of ours is spoken of, which only the adapter can say. `refunds` and
    `payouts` are the same for money that leaves: an event that tells of a refund tells of its payment in there, and
    `payments` is empty. `disputes` are what payers' banks take back, or want to.
    """

    event_id: str | None
    name: str
    payments: tuple[ObservedPayment, ...] = ()
    refunds: tuple[ObservedRefund, ...] = ()
    payouts: tuple[ObservedPayout, ...] = ()
    disputes: tuple[ObservedDispute, ...] = ()


class Gateway(Protocol):
    """The questions that we put to a gateway.

    Every method may raise GatewayUnavailableError (nobody knows: ask again later) and GatewayRejectedError
    (the gateway says no, and will again).
    """

    @property
    def name(self) -> str:
        """The gateway's name in our books, such as `razorpay`."""
        ...

    def checkout(self, *, order_id: str | None, session: str | None) -> Mapping[str, str | None]:
        """Return what the gateway's own checkout in the payer's browser needs for an order: nothing of it is secret.

        `session` is the order's `checkout_session`.
        """
        ...

    def create_order(
        self, *, receipt: str, amount_minor: int, currency: str, contact: str, expires_at: datetime | None = None
    ) -> GatewayOrder:
        """Make the order of this receipt, or give back the one that is already there: never a second one.

        `receipt` is 3 to 40 letters, digits and underscores, unique to the attempt; `amount_minor` is in minor
        units; `contact` is the payer's E.164 phone number, for a gateway that demands it; from `expires_at` on it is
        not to be paid any more, where the gateway can see to that (None: for as long as it likes). Raises
        GatewayRejectedError too when the receipt belongs to an order of another amount or currency.
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

    def refund(
        self, *, payment_id: str, order_id: str | None, reference: str, amount_minor: int, currency: str
    ) -> ObservedRefund:
        """Give back (a part of) a captured payment, or find the refund of this `reference`: never a second one.

        `order_id` is the payment's order, None if we know of none: a gateway that refunds orders rejects that.
        `reference` is ours (`rfd_…`, 30 characters) and what makes a repetition safe, however often and however late.
        Raises GatewayRejectedError when the gateway will not refund it, GatewayUnavailableError when nobody knows.
        """
        ...

    def find_refund(self, *, payment_id: str, order_id: str | None, reference: str) -> ObservedRefund | None:
        """Return the refund of this reference as it stands, None if the gateway knows none.

        `order_id` as in `refund`; `reference` is ours, or the gateway's own refund id for a refund that we did not
        begin.
        """
        ...

    def refunds_of(self, *, payment_id: str, order_id: str | None) -> tuple[ObservedRefund, ...]:
        """Return every refund of a payment, failed ones included, whoever began it. `order_id` as in `refund`."""
        ...


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """A page of a gateway's list of payments, and what on it can't be read."""

    payments: tuple[ObservedPayment, ...]
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, slots=True)
class SettlementPage:
    """A page of a gateway's settlement report. `unreadable` as above."""

    lines: tuple[SettlementLine, ...]
    unreadable: tuple[Unreadable, ...] = ()


class ListingGateway(Gateway, Protocol):
    """A gateway that also gives lists of its own: of its payments, and of what it settled. They raise as above."""

    def payments_between(self, *, since_s: int, until_s: int) -> Iterator[PaymentPage]:
        """Give every payment that was begun in this stretch of time (Unix seconds, both ends included), page by page.

        Some may be given twice. Raises GatewayUnavailableError where the pages don't fit together: then something may
        be missing, and the stretch has to be read anew.
        """
        ...

    def payment(self, payment_id: str) -> ObservedPayment | None:
        """Return one payment as it stands, None if the gateway knows none of this id."""
        ...

    def settlement_lines(self, day: date) -> Iterator[SettlementPage]:
        """Give every line of what was settled on a day (the gateway's own, in India), page by page; as above."""
        ...


class PayoutProvider(Protocol):
    """The questions that we put to a payout provider. They raise as a Gateway's do."""

    @property
    def name(self) -> str:
        """The provider's name in our books, such as `razorpayx`."""
        ...

    def send(self, *, reference: str, amount_minor: int, currency: str, vpa: str, name: str) -> ObservedPayout:
        """Pay out to a VPA, or find the payout of this `reference`: never a second one.

        `reference` is ours (`wdr_…`, 30 characters) and what makes a repetition safe, however often and however late.
        `name` is the payee's. Raises GatewayRejectedError when it will not be paid, GatewayUnavailableError when
        nobody knows.
        """
        ...

    def find(self, *, reference: str) -> ObservedPayout | None:
        """Return the payout of this reference as it stands, None if the provider knows none."""
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

    @property
    def is_about_us(self) -> bool:
        """Whether it is us that it doesn't want, by our keys, and not one order or payment."""
        return self.http_status in (_UNAUTHORIZED, _FORBIDDEN)

    @property
    def is_for_good(self) -> bool:
        """Whether it blames what was asked for, so that nothing was made of it and never will be.

        Our adapters say so with 200 of an answer that isn't what was asked for. Any other status (our keys, an address,
        a conflict) is ours to mend, and says nothing about the request.
        """
        return self.http_status in (_OK, _BAD_REQUEST, _UNPROCESSABLE)

    @property
    def word(self) -> str:
        """The gateway's stable word for why: short, visible ASCII."""
        return self.reason or self.code or REJECTED

    @property
    def knows_none(self) -> bool:
        """Whether it says that there is nothing of this id; of the 400s it is Razorpay's one with this sentence."""
        described = (self.description or "").lower()
        return self.http_status == _NOT_FOUND or (
            self.http_status == _BAD_REQUEST and "id" in described and "does not exist" in described
        )


def refuses_our_keys(error: BaseException | None) -> bool:
    """Whether an error says, or follows from one that says, that a gateway refuses our keys: nothing works then."""
    while error is not None:
        if isinstance(error, GatewayRejectedError) and error.is_about_us:
            return True
        error = error.__cause__
    return False


class SignatureMismatchError(Exception):
    """No live secret gives this signature for these bytes, or there is no usable signature at all."""


class MalformedEventError(Exception):
    """The signature is right, but the body is no event that can be read."""
