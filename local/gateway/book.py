"""What the gateway knows: orders, and payments tried on them. Each method is one atomic block."""

import re
import time

from local.gateway import fields
from local.gateway.failures import ApiError, unknown_id
from local.gateway.shapes import RAZORPAY, Json, Order, Payment, collection, intent_link, new_id
from local.gateway.store import Store

_RECEIPT_MAX = 40
#: A phone in India that takes no text messages: gateways call it no contact.
_NO_MOBILE = re.compile(r"\+91[0-5][0-9]{9}")
_FAR_FUTURE = 2**40
_EARLIEST, _LATEST = 946_684_800, 4_765_046_400


class Book:
    """Orders and payments."""

    def __init__(self, store: Store) -> None:
        """Take the memory."""
        self._store = store

    def create_order(self, body: Json) -> Json:
        """`POST /v1/orders`."""
        known = ("amount", "currency", "receipt", "notes", "partial_payment", "payment", "unique_receipt")
        fields.only(body, *known)
        amount, currency, notes = fields.amount(body), fields.currency(body), fields.notes(body)
        receipt = fields.optional_text(body, "receipt", longest=_RECEIPT_MAX)
        _check_capture(body)
        with self._store.block():
            if fields.flag(body, "unique_receipt") and receipt is not None:
                earlier = self._store.orders(receipt)
                if earlier and (earlier[0].amount, earlier[0].currency) != (amount, currency):
                    raise ApiError("Order receipt should be unique.", field="receipt", reason="NA")
                if earlier:
                    return earlier[0].as_json()
            order = Order(new_id("order_"), amount, currency, receipt, _now(), notes=notes)
            self._store.keep_order(order)
        return order.as_json()

    def find_orders(self, query: dict[str, str]) -> Json:
        """`GET /v1/orders`, newest first."""
        count, skip = fields.page(query)
        first = fields.number(query, "from", default=0, most=_FAR_FUTURE)
        last = fields.number(query, "to", default=_FAR_FUTURE, most=_FAR_FUTURE)
        found = [o for o in self._store.orders(query.get("receipt")) if first <= o.created_at <= last]
        found.reverse()
        return collection(order.as_json() for order in found[skip : skip + count])

    def get_order(self, order_id: str) -> Json:
        """`GET /v1/orders/{id}`."""
        return self._order(order_id).as_json()

    def payments_of(self, order_id: str) -> Json:
        """`GET /v1/orders/{id}/payments`, all of them."""
        self._order(order_id)
        return collection(payment.as_json() for payment in self._store.payments_of(order_id))

    def get_payment(self, payment_id: str) -> Json:
        """`GET /v1/payments/{id}`."""
        return self._payment(payment_id).as_json()

    def find_payments(self, query: dict[str, str]) -> Json:
        """`GET /v1/payments`, newest first, by the time when they were begun."""
        count, skip = fields.page(query)
        first = fields.number(query, "from", default=0, most=_FAR_FUTURE)
        last = fields.number(query, "to", default=_FAR_FUTURE, most=_FAR_FUTURE)
        if ("from" in query and not _EARLIEST <= first <= _LATEST) or (
            "to" in query and not _EARLIEST <= last <= _LATEST
        ):
            raise ApiError(f"from must be between {_EARLIEST} and {_LATEST}", reason="input_validation_failed")
        found = self._store.payments_between(first, last, RAZORPAY, count=count, skip=skip)
        return collection(payment.as_json() for payment in found)

    def create_upi_payment(self, body: Json) -> Json:
        """`POST /v1/payments/create/upi`: begins an intent payment and answers its link."""
        amount, currency, notes = fields.amount(body), fields.currency(body), fields.notes(body)
        email = fields.text(body, "email", longest=254)
        contact = fields.text(body, "contact", longest=20)
        if _NO_MOBILE.fullmatch(contact):
            raise ApiError("The contact must be a valid mobile number", field="contact")
        order_id = fields.text(body, "order_id", longest=40)
        if body.get("method") != "upi" or body.get("upi") != {"flow": "intent"}:
            raise ApiError("Only the intent flow of UPI is offered", field="upi")
        with self._store.block():
            order = self._store.order(order_id)
            if order is None:
                raise ApiError("There is no such order", field="order_id")
            if order.status == "paid":
                raise ApiError("The order is paid already", reason="order_already_paid", field="order_id")
            if (order.amount, order.currency) != (amount, currency):
                raise ApiError("The payment's amount is not the order's", field="amount")
            payment = Payment(new_id("pay_"), order.id, amount, currency, _now(), email, contact, notes=notes)
            order.attempts += 1
            order.status = "attempted"
            self._store.keep_order(order)
            self._store.keep_payment(payment)
        return {"razorpay_payment_id": payment.id, "link": intent_link(payment)}

    def _order(self, order_id: str) -> Order:
        order = self._store.order(order_id)
        if order is None:
            raise unknown_id()
        return order

    def _payment(self, payment_id: str) -> Payment:
        payment = self._store.payment(payment_id)
        if payment is None:
            raise unknown_id()
        return payment


def _check_capture(body: Json) -> None:
    payment = body.get("payment", {"capture": "automatic"})
    if not isinstance(payment, dict) or payment.get("capture") != "automatic":
        raise ApiError("Only automatic capture is offered here", field="payment")


def _now() -> int:
    return int(time.time())
