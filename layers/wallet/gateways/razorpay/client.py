"""Razorpay's API as the wallet's Gateway.

https://razorpay.com/docs/api. The recipe for a lost answer is here: an order is looked for by our receipt
before it is ever asked for again.
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final, Self
from urllib.parse import quote, urlencode

from wallet.gateways.exact_json import MalformedJsonError, json_object
from wallet.gateways.port import GatewayOrder, GatewayRejectedError, GatewayUnavailableError, UpiIntent
from wallet.gateways.razorpay import wire
from wallet.gateways.razorpay.transport import Answer, Deadline, HttpTransport, Limits, Transport
from wallet.ledger.attempts import ObservedPayment
from wallet.ledger.money import MAX_AMOUNT

_ORDERS: Final = "/v1/orders"
_UPI_PAYMENTS: Final = "/v1/payments/create/upi"

_TRIES = 3
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
_RECEIPT_MAX = 40
_DEFAULT_PAGE = 10
_LARGEST_PAGE = 100
_PAGES_MAX = 10

_OK, _REDIRECT, _CLIENT_ERROR, _SERVER_ERROR = 200, 300, 400, 500
_BAD_REQUEST, _REQUEST_TIMEOUT, _TOO_MANY_REQUESTS = 400, 408, 429


class _ThrottledError(GatewayUnavailableError):
    """429: surely not carried out, and so safe to repeat whatever it was."""


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
        self._transport = transport
        self._public_key_id = public_key_id
        self._limits = limits or Limits()
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform or secrets.SystemRandom().uniform

    @classmethod
    def over_http(cls, *, base_url: str, key_id: str, key_secret: str, limits: Limits | None = None) -> Self:
        """Build the real thing. `base_url` is without `/v1`, such as `https://api.razorpay.com`."""
        limits = limits or Limits()
        transport = HttpTransport(base_url=base_url, key_id=key_id, key_secret=key_secret, limits=limits)
        return cls(transport, public_key_id=key_id, limits=limits)

    @property
    def name(self) -> str:
        """See Gateway."""
        return wire.RAZORPAY

    @property
    def public_key_id(self) -> str:
        """See Gateway."""
        return self._public_key_id

    def create_order(self, *, receipt: str, amount_minor: int, currency: str) -> GatewayOrder:
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
        deadline = self._deadline(self._limits.order_seconds)
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
        found = self._orders_of(receipt, self._deadline(self._limits.question_seconds))
        return found[0] if found else None

    def payments_of(self, order_id: str) -> tuple[ObservedPayment, ...]:
        """See Gateway.

        The endpoint is documented to give all payments at once and takes no documented paging. Should it page
        by ten after all, as every other collection does, a full page makes us ask for the rest.
        """
        deadline = self._deadline(self._limits.question_seconds)
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
        answer = self._post(_UPI_PAYMENTS, body, self._deadline(self._limits.intent_seconds))
        try:
            return wire.intent_of(answer)
        except wire.MalformedWireError as error:
            raise _malformed("POST", _UPI_PAYMENTS, error) from error

    def _post_or_find(self, wanted: Mapping[str, object], deadline: Deadline) -> GatewayOrder:
        """Ask for the order; when nobody knows whether that worked, look: _NotMadeYetError says it didn't."""
        try:
            answer = self._post(_ORDERS, wanted, deadline)
            order = wire.order_of(answer)
        except _ThrottledError:
            raise
        except (GatewayUnavailableError, wire.MalformedWireError) as error:
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
        except wire.MalformedWireError as error:
            raise _malformed("GET", _ORDERS, error) from error

    def _page_of_payments(self, path: str, deadline: Deadline) -> list[ObservedPayment]:
        answer = self._get(path, deadline)
        try:
            return [wire.payment_of(entity) for entity in wire.items_of(answer)]
        except wire.MalformedWireError as error:
            raise _malformed("GET", path, error) from error

    def _get(self, path: str, deadline: Deadline) -> Mapping[str, object]:
        return self._exchange("GET", path, None, deadline, GatewayUnavailableError)

    def _post(self, path: str, body: Mapping[str, object], deadline: Deadline) -> Mapping[str, object]:
        raw = json.dumps(body, separators=(",", ":")).encode()
        return self._exchange("POST", path, raw, deadline, _ThrottledError)

    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        deadline: Deadline,
        worth_repeating: type[GatewayUnavailableError],
    ) -> Mapping[str, object]:
        """Send, and send again after a pause while it is worth it and there is time."""
        for pause in self._pauses():
            try:
                return _understood(method, path, self._transport.send(method, path, body, deadline))
            except worth_repeating as error:
                # Full jitter, so that callers who failed together don't come back together.
                wait = self._uniform(0, pause) + (error.retry_after_s or 0)
                if pause == 0 or wait >= deadline.seconds_left():
                    raise
                self._sleep(wait)
        raise AssertionError("the last pause is 0, after which the error is raised")

    @staticmethod
    def _pauses() -> list[float]:
        growing = [min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**n) for n in range(_TRIES - 1)]
        return [*growing, 0]

    def _deadline(self, seconds: float) -> Deadline:
        return Deadline(seconds, self._clock)


def _understood(method: str, path: str, answer: Answer) -> Mapping[str, object]:
    name = f"{method} {path.partition('?')[0]}"
    if _OK <= answer.status < _REDIRECT:
        try:
            return json_object(answer.body)
        except MalformedJsonError as error:
            raise _malformed(method, path, error) from error
    if answer.status == _TOO_MANY_REQUESTS:
        raise _ThrottledError(f"{name}: throttled", retry_after_s=answer.retry_after_s)
    if _CLIENT_ERROR <= answer.status < _SERVER_ERROR and answer.status != _REQUEST_TIMEOUT:
        raise wire.rejection_of(answer.status, answer.body)
    raise GatewayUnavailableError(f"{name}: status {answer.status}", retry_after_s=answer.retry_after_s)


def _malformed(method: str, path: str, error: ValueError) -> GatewayUnavailableError:
    return GatewayUnavailableError(f"{method} {path.partition('?')[0]}: malformed answer ({error})")


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
