"""Cashfree's API as the wallet's Gateway.

https://www.cashfree.com/docs/api-reference/payments/latest. Orders and refunds go by ids of ours, so that a lost answer
is resolved by asking for that id; each request that has something done also carries an idempotency key, which Cashfree
remembers for a day.
"""

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Self, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid5

from wallet.gateways.cashfree import wire
from wallet.gateways.exact_json import json_object, json_objects
from wallet.gateways.exchange import Exchange, ThrottledError
from wallet.gateways.http import Deadline, HttpTransport, Limits, Transport
from wallet.gateways.port import GatewayOrder, GatewayRejectedError, GatewayUnavailableError, UpiIntent
from wallet.ledger.attempts import ObservedPayment
from wallet.ledger.money import MAX_AMOUNT
from wallet.ledger.refunds import ObservedRefund

_ORDERS: Final = "/orders"
_SESSIONS: Final = "/orders/sessions"
_KEY_HEADER: Final = "x-idempotency-key"

#: Every key of ours is made in here from what it stands for, so that it is the same for ever.
_KEYS: Final = UUID("5b0c6f1e-3a0e-5c61-9d0a-7b6a1f0f2a94")

#: What both an order's id (3 to 45 characters) and a refund's (3 to 40) may be.
_ID_OF_OURS = re.compile(r"[A-Za-z0-9_-]{3,40}")

_OK, _BAD_REQUEST, _NOT_FOUND, _CONFLICT = 200, 400, 404, 409
_KNOWN_ALREADY = frozenset({"order_already_exists", "refund_id_already_exists", "idempotency_key_mismatch"})

T = TypeVar("T")


class CashfreeGateway:
    """Asks Cashfree. Safe to share between threads; holds a pool of connections and no other state."""

    def __init__(
        self,
        transport: Transport,
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] | None = None,
    ) -> None:
        """Take a transport. `clock`, `sleep` and `uniform` are in seconds and replaced by tests only."""
        self._exchange = Exchange(transport, wire.rejection_of, clock=clock, sleep=sleep, uniform=uniform)
        self._limits = limits or Limits()

    @classmethod
    def over_http(cls, *, base_url: str, client_id: str, client_secret: str, limits: Limits | None = None) -> Self:
        """Build the real thing. `base_url` is with `/pg`, such as `https://api.cashfree.com/pg`."""
        limits = limits or Limits()
        headers = wire.credentials(client_id, client_secret)
        return cls(HttpTransport(base_url=base_url, headers=headers, limits=limits), limits=limits)

    @property
    def name(self) -> str:
        """See Gateway."""
        return wire.CASHFREE

    def checkout(self, *, order_id: str | None, session: str | None) -> Mapping[str, str | None]:
        """See Gateway."""
        return {"order_id": order_id, "payment_session_id": session}

    def create_order(
        self, *, receipt: str, amount_minor: int, currency: str, contact: str, expires_at: datetime | None = None
    ) -> GatewayOrder:
        """See Gateway.

        An order whose making is in doubt is looked for by its id, and asked for once more only if it is not there.
        """
        if not _ID_OF_OURS.fullmatch(receipt):
            raise ValueError("a receipt is 3 to 40 letters, digits, _ and -")
        if type(amount_minor) is not int or not 1 <= amount_minor <= MAX_AMOUNT:
            raise ValueError("an order's amount is a positive whole number of minor units")
        wanted = wire.order_request(
            receipt=receipt, amount_minor=amount_minor, currency=currency, contact=contact, expires_at=expires_at
        )
        deadline = self._exchange.deadline(self._limits.order_seconds)
        order = self._made_or_found(receipt, wanted, deadline) or self._made_or_found(receipt, wanted, deadline)
        if order is None:
            raise GatewayUnavailableError(f"POST {_ORDERS}: asked twice, and there is no order")
        _check_terms(order, order_id=receipt, amount_minor=amount_minor, currency=currency)
        return order

    def find_order(self, *, receipt: str) -> GatewayOrder | None:
        """See Gateway."""
        return self._order(receipt, self._exchange.deadline(self._limits.question_seconds))

    def payments_of(self, order_id: str) -> tuple[ObservedPayment, ...]:
        """See Gateway. Where money has arrived, the order's refunds are asked for too: payments don't tell of them."""
        deadline = self._exchange.deadline(self._limits.question_seconds)
        payments = self._payments(order_id, deadline)
        if not any(payment.captured for payment in payments):
            return payments
        refunds = self._refunds(order_id, deadline)
        return tuple(wire.with_refunds(payment, refunds) for payment in payments)

    def upi_intent(
        self,
        *,
        order_id: str,
        amount_minor: int,
        currency: str,
        contact: str,  # noqa: ARG002 - the order has it
        email: str,  # noqa: ARG002 - Cashfree demands none
    ) -> UpiIntent:
        """See Gateway. Needs the account to be allowed server-to-server payments."""
        deadline = self._exchange.deadline(self._limits.intent_seconds)
        order = self._exchange.get(_path(order_id), deadline, _one(wire.order_of))
        _check_terms(order, order_id=order_id, amount_minor=amount_minor, currency=currency)
        body = wire.session_request(order.checkout_session or "")
        key = _key("upi-intent", order_id)
        return self._exchange.post(_SESSIONS, body, deadline, _one(wire.intent_of), headers=key, repeatable=True)

    def refund(
        self, *, payment_id: str, order_id: str | None, reference: str, amount_minor: int, currency: str
    ) -> ObservedRefund:
        """See Gateway. Our reference is the refund's id, by which it is looked for first.

        Cashfree refunds an order and picks the payment itself. So an order that was paid twice is left to people.
        """
        order_id = _known_order(order_id)
        deadline = self._exchange.deadline(self._limits.order_seconds)
        known = self._refund_of(payment_id, order_id, reference, deadline)
        if known is not None:
            return known
        if {one.payment_id for one in self._payments(order_id, deadline) if one.captured} != {payment_id}:
            raise GatewayRejectedError(http_status=_OK, reason="payment_not_selectable", field="payment_id")
        path = f"{_path(order_id)}/refunds"
        body = wire.refund_request(reference=reference, amount_minor=amount_minor)
        key = _key("refund", reference)
        try:
            made = self._exchange.post(path, body, deadline, _one(wire.refund_of), headers=key, repeatable=True)
        except GatewayRejectedError as error:
            if not _says_that_it_is_known(error):
                raise
            raise GatewayUnavailableError(f"POST {path}: there is such a refund, which will be found") from error
        told = (made.reference, made.payment_id, made.amount, made.currency)
        if told != (reference, payment_id, amount_minor, currency):
            raise GatewayUnavailableError(f"POST {path}: malformed answer (another refund than was asked for)")
        return made

    def find_refund(self, *, payment_id: str, order_id: str | None, reference: str) -> ObservedRefund | None:
        """See Gateway."""
        deadline = self._exchange.deadline(self._limits.question_seconds)
        return self._refund_of(payment_id, _known_order(order_id), reference, deadline)

    def refunds_of(self, *, payment_id: str, order_id: str | None) -> tuple[ObservedRefund, ...]:
        """See Gateway."""
        refunds = self._refunds(_known_order(order_id), self._exchange.deadline(self._limits.question_seconds))
        return tuple(one for one in refunds if one.payment_id == payment_id)

    def _made_or_found(self, receipt: str, wanted: Mapping[str, object], deadline: Deadline) -> GatewayOrder | None:
        """Ask for the order; when nobody knows whether that worked, look for it: None says that it didn't."""
        try:
            return self._exchange.post(_ORDERS, wanted, deadline, _one(wire.order_of), headers=_key("order", receipt))
        except ThrottledError:
            raise
        except GatewayUnavailableError:
            pass
        except GatewayRejectedError as error:
            if not _says_that_it_is_known(error):
                raise
        return self._order(receipt, deadline)

    def _order(self, receipt: str, deadline: Deadline) -> GatewayOrder | None:
        try:
            return self._exchange.get(_path(receipt), deadline, _one(wire.order_of))
        except GatewayRejectedError as error:
            if error.http_status == _NOT_FOUND:
                return None
            raise

    def _refunds(self, order_id: str, deadline: Deadline) -> tuple[ObservedRefund, ...]:
        return self._exchange.get(f"{_path(order_id)}/refunds", deadline, _each(wire.refund_of))

    def _refund_of(self, payment_id: str, order_id: str, reference: str, deadline: Deadline) -> ObservedRefund | None:
        """Return the refund of this reference, or of this id."""
        of_payment = [one for one in self._refunds(order_id, deadline) if one.payment_id == payment_id]
        return next((one for one in of_payment if reference in (one.reference, one.refund_id)), None)

    def _payments(self, order_id: str, deadline: Deadline) -> tuple[ObservedPayment, ...]:
        path = f"{_path(order_id)}/payments"
        payments = self._exchange.get(path, deadline, _each(lambda entity: wire.payment_of(entity, entity)))
        if any(payment.order_id != order_id for payment in payments):
            raise GatewayUnavailableError(f"GET {path}: malformed answer (a payment of another order)")
        return payments


def _one(read: Callable[[Mapping[str, object]], T]) -> Callable[[bytes], T]:
    """Read an answer that is one entity."""
    return lambda raw: read(json_object(raw))


def _each(read: Callable[[Mapping[str, object]], T]) -> Callable[[bytes], tuple[T, ...]]:
    """Read an answer that is a list of entities."""
    return lambda raw: tuple(read(entity) for entity in json_objects(raw))


def _path(order_id: str) -> str:
    return f"{_ORDERS}/{quote(order_id, safe='')}"


def _key(purpose: str, name: str) -> Mapping[str, str]:
    """Make the idempotency key of one purpose, in the form that Cashfree wants: a UUID."""
    return {_KEY_HEADER: str(uuid5(_KEYS, f"{purpose}:{name}"))}


def _known_order(order_id: str | None) -> str:
    if order_id is None:
        raise GatewayRejectedError(http_status=_BAD_REQUEST, reason="order_unknown", field="order_id")
    return order_id


def _check_terms(order: GatewayOrder, *, order_id: str, amount_minor: int, currency: str) -> None:
    """Refuse an order that isn't what we asked for: a payer must never be shown another amount."""
    if (order.order_id, order.amount_minor, order.currency) != (order_id, amount_minor, currency):
        raise GatewayRejectedError(http_status=_OK, reason="order_mismatch", field="receipt")


def _says_that_it_is_known(error: GatewayRejectedError) -> bool:
    """Whether a refusal means an earlier request of ours. A key with another body: 400 in one page, 422 in another."""
    return error.http_status == _CONFLICT or error.reason in _KNOWN_ALREADY or error.code == "idempotency_error"
