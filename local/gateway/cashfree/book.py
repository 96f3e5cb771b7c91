"""Orders, their payments and refunds, as Cashfree keeps them. Each method is one atomic block."""

import json
import time
from collections.abc import Callable

from local.gateway.cashfree import fields
from local.gateway.cashfree.failures import CashfreeError
from local.gateway.cashfree.shapes import new_session, order_json, payment_json, refund_json, session_json
from local.gateway.refunds import Refunds
from local.gateway.shapes import CASHFREE, Json, Order, Payment, Refund, new_number, new_payment
from local.gateway.store import Store
from local.gateway.webhooks import Outbox

_ORDER_ID = "[A-Za-z0-9_-]{3,45}"
_REFUND_ID = "[A-Za-z0-9_-]{3,40}"
_VALID_S = 30 * 24 * 3600


class CashfreeBook:
    """What is kept of the orders that were made with this protocol."""

    def __init__(self, store: Store, refunds: Refunds, outbox: Outbox) -> None:
        """Take the memory, who gives money back, and where events go."""
        self._store = store
        self._refunds = refunds
        self._outbox = outbox

    def create_order(self, body: Json, key: str | None) -> Json:
        """`POST /pg/orders`."""
        known = ("order_id", "order_amount", "order_currency", "customer_details", "order_meta", "order_expiry_time")
        fields.only(body, *known)
        order_id, amount = fields.text(body, "order_id", _ORDER_ID), fields.paise(body, "order_amount")
        currency = fields.text(body, "order_currency", "INR")
        customer = fields.inner(body, "customer_details")
        customer_id = fields.text(customer, "customer_id", "[A-Za-z0-9]{3,50}")
        phone = fields.text(customer, "customer_phone", "[6-9][0-9]{9}")
        expires_at = fields.expiry(body)

        def make() -> str:
            if self._store.order(order_id) is not None:
                message = "order with same id is already present"
                raise CashfreeError(message, status=409, code="order_already_exists")
            order = Order(order_id, amount, currency, None, int(time.time()), gateway=CASHFREE)
            order.number, order.session = new_number(), new_session()
            order.customer, order.contact = customer_id, phone
            order.expires_at = expires_at or order.created_at + _VALID_S
            self._store.keep_order(order)
            return order_id

        return self.get_order(self._once(key, ["order", order_id, amount, customer_id, phone, expires_at], make))

    def get_order(self, order_id: str) -> Json:
        """`GET /pg/orders/{id}`."""
        return order_json(self._order(order_id))

    def payments_of(self, order_id: str) -> list[Json]:
        """`GET /pg/orders/{id}/payments`, all of them, the latest first."""
        return [payment_json(payment) for payment in reversed(self._payments(order_id))]

    def begin_session(self, body: Json, key: str | None) -> Json:
        """`POST /pg/orders/sessions`: begins a payment by a UPI link. The session's id is what opens this door."""
        fields.only(body, "payment_session_id", "payment_method")
        session = fields.text(body, "payment_session_id", "session_[A-Za-z0-9_-]+")
        if body.get("payment_method") != {"upi": {"channel": "link"}}:
            raise CashfreeError("only UPI by link is offered", code="payment_method_unsupported")

        def make() -> str:
            order = next((one for one in self._store.orders(None) if one.session == session), None)
            if order is None:
                raise CashfreeError(
                    "payment_session_id is not present or is invalid", code="payment_session_id_invalid"
                )
            if order.status == "paid":
                raise CashfreeError("order is already paid", code="order_already_paid")
            if order.is_over:
                raise CashfreeError("order is expired", code="order_expired")
            payment = new_payment(order)
            order.attempts += 1
            self._store.keep_order(order)
            self._store.keep_payment(payment)
            return payment.id

        payment = self._store.payment(self._once(key, ["session", session], make))
        assert payment is not None  # noqa: S101 - it has just been kept
        return session_json(payment)

    def refund(self, order_id: str, body: Json, key: str | None) -> Json:
        """`POST /pg/orders/{id}/refunds`, of the order's payment; `refund_id` is what makes it the same refund."""
        fields.only(body, "refund_id", "refund_amount", "refund_note", "refund_speed")
        refund_id, amount = fields.text(body, "refund_id", _REFUND_ID), fields.paise(body, "refund_amount")
        note = fields.text(body, "refund_note", ".{3,100}")

        def make() -> str:
            known = self._known_refund(order_id, refund_id)
            if known is None:
                self._begin_refund(order_id, refund_id, amount, note)
            elif known[0].amount != amount:
                raise CashfreeError("refund_id already exists", code="refund_id_already_exists")
            return refund_id

        self._once(key, ["refund", order_id, refund_id, amount, note], make)
        self._outbox.wake()
        return self.get_refund(order_id, refund_id)

    def refunds_of(self, order_id: str) -> list[Json]:
        """`GET /pg/orders/{id}/refunds`, all of them."""
        return [refund_json(refund, payment) for refund, payment in self._refunds_of(order_id)]

    def get_refund(self, order_id: str, refund_id: str) -> Json:
        """`GET /pg/orders/{id}/refunds/{refund_id}`."""
        known = self._known_refund(order_id, refund_id)
        if known is None:
            raise CashfreeError("refund not found", status=404, code="refund_not_found")
        return refund_json(*known)

    def _begin_refund(self, order_id: str, refund_id: str, amount: int, note: str) -> None:
        payment = next((one for one in self._payments(order_id) if one.captured), None)
        if payment is None:
            raise CashfreeError("the order has no successful payment", code="refund_order_invalid")
        if amount > payment.amount - payment.amount_refunded:
            raise CashfreeError("refund amount is more than what is left", code="refund_amount_invalid")
        self._refunds.begin(payment, amount, receipt=refund_id, notes={"note": note})

    def _known_refund(self, order_id: str, refund_id: str) -> tuple[Refund, Payment] | None:
        return next((one for one in self._refunds_of(order_id) if one[0].receipt == refund_id), None)

    def _refunds_of(self, order_id: str) -> list[tuple[Refund, Payment]]:
        payments = self._payments(order_id)
        return [(refund, payment) for payment in payments for refund in self._store.refunds_of(payment.id)]

    def _payments(self, order_id: str) -> list[Payment]:
        self._order(order_id)
        return self._store.payments_of(order_id)

    def _order(self, order_id: str) -> Order:
        order = self._store.order(order_id)
        if order is None or order.gateway != CASHFREE:
            raise CashfreeError("Order Reference Id does not exist", status=404, code="order_not_found")
        return order

    def _once(self, key: str | None, request: list[object], make: Callable[[], str]) -> str:
        """Have it made, and return its id; under a key that was used before, what was made then."""
        asked = json.dumps(request)
        with self._store.block():
            found = self._store.rows("SELECT request, made FROM cashfree_keys WHERE key = ?", key)
            if found and found[0]["request"] != asked:
                message = "another request was made with this idempotency key"
                raise CashfreeError(message, status=422, code="request_invalid", kind="idempotency_error")
            if found:
                return str(found[0]["made"])
            made = make()
            if key is not None:
                self._store.rows("INSERT INTO cashfree_keys VALUES (?, ?, ?)", key, asked, made)
            return made
