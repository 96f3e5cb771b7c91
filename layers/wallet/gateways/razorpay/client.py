"""Razorpay's API as the wallet's Gateway.

https://razorpay.com/docs/api. The recipe for a lost answer is here: an order is looked for by our receipt
before it is ever asked for again.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Final, Self
from urllib.parse import quote, urlencode

from wallet.gateways.exact_json import json_object
from wallet.gateways.exchange import Exchange, ThrottledError, malformed
from wallet.gateways.fields import MalformedWireError
from wallet.gateways.http import Deadline, HttpTransport, Limits, TooMuchError, Transport
from wallet.gateways.port import (
    GatewayOrder,
    GatewayRejectedError,
    GatewayUnavailableError,
    PaymentPage,
    SettlementPage,
    UpiIntent,
)
from wallet.gateways.razorpay import listing, wire
from wallet.ledger.attempts import ObservedPayment
from wallet.ledger.money import MAX_AMOUNT
from wallet.ledger.refunds import ObservedRefund

_ORDERS: Final = "/v1/orders"
_PAYMENTS: Final = "/v1/payments"
_UPI_PAYMENTS: Final = "/v1/payments/create/upi"
_SETTLED: Final = "/v1/settlements/recon/combined"
_REFUND_KEY: Final = "X-Refund-Idempotency"

_RECEIPT_MAX = 40
_DEFAULT_PAGE = 10
_LARGEST_PAGE = 100
_PAGES_MAX = 10
_LARGEST_REPORT_PAGE = 250
#: Each page begins with the last item of the one before: a page of one would lead nowhere.
_SMALLEST_PAGE = 2
#: A stretch of time that has more than this is no answer but a fault: a hundred thousand payments in an hour.
_LISTED_PAGES_MAX = 1_000

_OK, _BAD_REQUEST, _CONFLICT = 200, 400, 409


class _NotMadeYetError(Exception):
    """We asked for an order, nobody told us what came of it, and there is none of that receipt."""


class RazorpayGateway:
    """Asks Razorpay. Safe to share between threads; holds a pool of connections and no other state."""

    def __init__(
        self,
        transport: Transport,
        *,
        public_key_id: str,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] | None = None,
    ) -> None:
        """Take a transport. `clock`, `sleep` and `uniform` are in seconds and replaced by tests only."""
        self._exchange = Exchange(transport, wire.rejection_of, clock=clock, sleep=sleep, uniform=uniform)
        self._public_key_id = public_key_id
        self._limits = limits or Limits()

    @classmethod
    def over_http(cls, *, base_url: str, key_id: str, key_secret: str, limits: Limits | None = None) -> Self:
        """Build the real thing. `base_url` is without `/v1`, such as `https://api.razorpay.com`."""
        limits = limits or Limits()
        transport = HttpTransport(base_url=base_url, headers=wire.credentials(key_id, key_secret), limits=limits)
        return cls(transport, public_key_id=key_id, limits=limits)

    @property
    def name(self) -> str:
        """See Gateway."""
        return wire.RAZORPAY

    def checkout(
        self,
        *,
        order_id: str | None,
        session: str | None,  # noqa: ARG002 - Razorpay's checkout goes by the public key instead
    ) -> Mapping[str, str | None]:
        """See Gateway."""
        return {"key_id": self._public_key_id, "order_id": order_id}

    def create_order(
        self,
        *,
        receipt: str,
        amount_minor: int,
        currency: str,
        contact: str,  # noqa: ARG002 - Razorpay asks the payer itself
        expires_at: datetime | None = None,  # noqa: ARG002 - its orders have no end
    ) -> GatewayOrder:
        """See Gateway.

        `unique_receipt` makes Razorpay give back the order it has. Elsewhere it is documented to answer a
        receipt used before with an error; and an answer may be lost. In each of these cases the order is
        looked for by its receipt, and asked for once more only if it is not there.
        """
        _check_order(receipt, amount_minor)
        wanted = {
            "amount": amount_minor,
            "currency": currency,
            "receipt": receipt,
            "unique_receipt": True,
            "payment": {"capture": "automatic"},
        }
        deadline = self._exchange.deadline(self._limits.order_seconds)
        try:
            return self._post_or_find(wanted, deadline)
        except _NotMadeYetError:
            pass
        try:
            return self._post_or_find(wanted, deadline)
        except _NotMadeYetError as error:
            raise GatewayUnavailableError(f"POST {_ORDERS}: asked twice, and there is no order") from error

    def find_order(self, *, receipt: str) -> GatewayOrder | None:
        """See Gateway."""
        found = self._orders_of(receipt, self._exchange.deadline(self._limits.question_seconds))
        return found[0] if found else None

    def payments_of(self, order_id: str) -> tuple[ObservedPayment, ...]:
        """See Gateway.

        The endpoint is documented to give all payments at once and takes no documented paging. Should it page
        by ten after all, as every other collection does, a full page makes us ask for the rest.
        """
        deadline = self._exchange.deadline(self._limits.question_seconds)
        path = f"{_ORDERS}/{quote(order_id, safe='')}/payments"
        found: dict[str, ObservedPayment] = {}
        page = self._page_of_payments(path, deadline)
        for _ in range(_PAGES_MAX):
            fresh = {payment.payment_id: payment for payment in page if payment.payment_id not in found}
            found |= fresh
            if not fresh or len(page) % _DEFAULT_PAGE:
                break
            try:
                page = self._page_of_payments(f"{path}?count={_LARGEST_PAGE}&skip={len(found)}", deadline)
            except GatewayRejectedError as error:
                if error.http_status != _BAD_REQUEST:
                    raise
                break  # it takes no paging, so that what we have is all there is
        if any(payment.order_id != order_id for payment in found.values()):
            raise GatewayUnavailableError(f"GET {path}: malformed answer (a payment of another order)")
        return tuple(found.values())

    def upi_intent(self, *, order_id: str, amount_minor: int, currency: str, contact: str, email: str) -> UpiIntent:
        """See Gateway. Needs the account to be allowed server-to-server UPI payments."""
        body = {
            "amount": amount_minor,
            "currency": currency,
            "order_id": order_id,
            "email": email,
            "contact": contact,
            "method": "upi",
            "upi": {"flow": "intent"},
        }
        answer = self._exchange.post(
            _UPI_PAYMENTS, body, self._exchange.deadline(self._limits.intent_seconds), json_object
        )
        try:
            return wire.intent_of(answer)
        except MalformedWireError as error:
            raise malformed("POST", _UPI_PAYMENTS, error) from error

    def refund(
        self,
        *,
        payment_id: str,
        order_id: str | None,  # noqa: ARG002 - Razorpay refunds payments
        reference: str,
        amount_minor: int,
        currency: str,
    ) -> ObservedRefund:
        """See Gateway.

        Our reference is the idempotency key, the receipt and a note. The key makes a repetition safe for as long as
        Razorpay remembers it, which it doesn't say; so the refund is looked for first, for a repetition may come late.
        https://razorpay.com/docs/api/refunds/normal-refunds-idempotent
        """
        deadline = self._exchange.deadline(self._limits.order_seconds)
        known = self._refund_of(payment_id, reference, deadline)
        if known is not None:
            return known
        path = f"{_PAYMENTS}/{quote(payment_id, safe='')}/refund"
        body = {"amount": amount_minor, "speed": "normal", "receipt": reference, "notes": {"reference": reference}}
        key = {_REFUND_KEY: reference}
        try:
            answer = self._exchange.post(path, body, deadline, json_object, headers=key, repeatable=True)
            return wire.refund_of(answer, currency=currency)
        except MalformedWireError as error:
            raise malformed("POST", path, error) from error
        except GatewayRejectedError as error:
            if error.http_status == _CONFLICT:
                # It is being made at this moment, or was made when we wrote the body otherwise: it will be found.
                raise GatewayUnavailableError("the refund's key is in use") from error
            raise

    def find_refund(
        self,
        *,
        payment_id: str,
        order_id: str | None,  # noqa: ARG002 - as above
        reference: str,
    ) -> ObservedRefund | None:
        """See Gateway."""
        return self._refund_of(payment_id, reference, self._exchange.deadline(self._limits.question_seconds))

    def refunds_of(
        self,
        *,
        payment_id: str,
        order_id: str | None,  # noqa: ARG002 - as above
    ) -> tuple[ObservedRefund, ...]:
        """See Gateway."""
        return self._refunds(payment_id, self._exchange.deadline(self._limits.question_seconds))

    def payments_between(self, *, since_s: int, until_s: int) -> Iterator[PaymentPage]:
        """See ListingGateway. https://razorpay.com/docs/api/payments/fetch-all-payments."""
        path = f"{_PAYMENTS}?from={since_s}&to={until_s}"
        for page in self._pages(path, size=_LARGEST_PAGE):
            yield listing.payments_of(page)

    def payment(self, payment_id: str) -> ObservedPayment | None:
        """See ListingGateway."""
        path = f"{_PAYMENTS}/{quote(payment_id, safe='')}"
        try:
            answer = self._get(path, self._exchange.deadline(self._limits.question_seconds))
            return wire.payment_of(answer)
        except MalformedWireError as error:
            raise malformed("GET", path, error) from error
        except GatewayRejectedError as error:
            if error.knows_none:
                return None
            raise

    def settlement_lines(self, day: date) -> Iterator[SettlementPage]:
        """See ListingGateway. https://razorpay.com/docs/api/settlements/fetch-recon."""
        path = f"{_SETTLED}?year={day.year}&month={day.month:02}&day={day.day:02}"
        for page in self._pages(path, size=_LARGEST_REPORT_PAGE):
            yield listing.lines_of(page)

    def _pages(self, path: str, *, size: int) -> Iterator[list[Mapping[str, object]]]:
        """Read a collection to its end. Each page after the first begins with the last item of the one before.

        The newest come first, so that what is new meanwhile moves everything further on: then the item is there all the
        same. If it isn't, something may have slipped through between two pages. A page that is too large or too slow is
        asked for again at half its size: notes are partly the payer's to choose.
        """
        skip, last = 0, None
        for _ in range(_LISTED_PAGES_MAX):
            asked = f"{path}&count={size}&skip={skip}"
            try:
                answer = self._get(asked, self._exchange.deadline(self._limits.question_seconds))
            except TooMuchError:
                if size == _SMALLEST_PAGE:
                    raise
                size = max(_SMALLEST_PAGE, size // 2)
                continue
            try:
                page = wire.items_of(answer)
            except MalformedWireError as error:
                raise malformed("GET", path, error) from error
            if last is not None and last not in [listing.identity_of(item) for item in page]:
                raise GatewayUnavailableError(f"GET {path.partition('?')[0]}: its pages have shifted")
            yield page
            if len(page) < size:
                return
            last = listing.identity_of(page[-1])
            skip += size - 1
        raise GatewayUnavailableError(f"GET {path.partition('?')[0]}: there is no end of it")

    def _refund_of(self, payment_id: str, reference: str, deadline: Deadline) -> ObservedRefund | None:
        """Return the (oldest) refund of this reference, or of this id."""
        refunds = self._refunds(payment_id, deadline)
        return next((one for one in refunds if reference in (one.reference, one.refund_id)), None)

    def _refunds(self, payment_id: str, deadline: Deadline) -> tuple[ObservedRefund, ...]:
        """Return a payment's refunds, oldest first, whichever page they are on."""
        path = f"{_PAYMENTS}/{quote(payment_id, safe='')}/refunds"
        found: list[Mapping[str, object]] = []
        try:
            for number in range(_PAGES_MAX):
                page = self._get(f"{path}?count={_LARGEST_PAGE}&skip={number * _LARGEST_PAGE}", deadline)
                entities = wire.items_of(page)
                found += entities
                if len(entities) < _LARGEST_PAGE:
                    break
            currency = self._currency_of(payment_id, deadline) if any(map(wire.is_silent, found)) else None
            return tuple(wire.refund_of(entity, currency=currency) for entity in sorted(found, key=_creation_time))
        except MalformedWireError as error:
            raise malformed("GET", path, error) from error

    def _currency_of(self, payment_id: str, deadline: Deadline) -> str:
        """The currency of a payment, for a refund of it that leaves its own empty."""
        return wire.payment_of(self._get(f"{_PAYMENTS}/{quote(payment_id, safe='')}", deadline)).currency

    def _post_or_find(self, wanted: Mapping[str, object], deadline: Deadline) -> GatewayOrder:
        """Ask for the order; when nobody knows whether that worked, look: _NotMadeYetError says it didn't."""
        try:
            answer = self._exchange.post(_ORDERS, wanted, deadline, json_object)
            order = wire.order_of(answer)
        except ThrottledError:
            raise
        except (GatewayUnavailableError, MalformedWireError) as error:
            unknown: Exception = error
        except GatewayRejectedError as error:
            if not _says_that_the_receipt_is_taken(error):
                raise
            unknown = error
        else:
            return _agreeing([order], wanted)
        found = self._orders_of(str(wanted["receipt"]), deadline)
        if not found:
            raise _NotMadeYetError from unknown
        return _agreeing(found, wanted)

    def _orders_of(self, receipt: str, deadline: Deadline) -> list[GatewayOrder]:
        """Return the orders of exactly this receipt, oldest first."""
        path = f"{_ORDERS}?{urlencode({'receipt': receipt, 'count': _LARGEST_PAGE}, quote_via=quote)}"
        answer = self._get(path, deadline)
        try:
            entities = wire.items_of(answer)
            # Were the filter ignored, these would be anybody's orders.
            ours = [entity for entity in entities if entity.get("receipt") == receipt]
            ours.sort(key=_creation_time)
            return [wire.order_of(entity) for entity in ours]
        except MalformedWireError as error:
            raise malformed("GET", _ORDERS, error) from error

    def _page_of_payments(self, path: str, deadline: Deadline) -> list[ObservedPayment]:
        answer = self._get(path, deadline)
        try:
            return [wire.payment_of(entity) for entity in wire.items_of(answer)]
        except MalformedWireError as error:
            raise malformed("GET", path, error) from error

    def _get(self, path: str, deadline: Deadline) -> Mapping[str, object]:
        return self._exchange.get(path, deadline, json_object)


def _agreeing(orders: list[GatewayOrder], wanted: Mapping[str, object]) -> GatewayOrder:
    """Return the first order that is what we asked for: a payer must never be shown another amount."""
    for order in orders:
        if (order.receipt, order.amount_minor, order.currency) == (
            wanted["receipt"],
            wanted["amount"],
            wanted["currency"],
        ):
            return order
    raise GatewayRejectedError(http_status=_OK, reason="order_mismatch", field="receipt")


def _says_that_the_receipt_is_taken(error: GatewayRejectedError) -> bool:
    # The error index gives this case no reason of its own, only this sentence: "Order receipt should be
    # unique."
    description = (error.description or "").lower()
    return "receipt" in description and "unique" in description


def _creation_time(entity: Mapping[str, object]) -> tuple[int, str]:
    created_at = entity.get("created_at")
    return (created_at if isinstance(created_at, int) else 0, str(entity.get("id")))


def _check_order(receipt: str, amount_minor: int) -> None:
    if not 1 <= len(receipt) <= _RECEIPT_MAX or not receipt.isascii() or not receipt.isprintable():
        raise ValueError("a receipt is 1 to 40 printable ASCII characters")
    if type(amount_minor) is not int or not 1 <= amount_minor <= MAX_AMOUNT:
        raise ValueError("an order's amount is a positive whole number of minor units")
