"""What the gateway knows: orders, payments tried on them, refunds. Each method is one atomic block."""

import json
import re
import secrets
import time
from urllib.parse import quote

from local.gateway import fields
from local.gateway.failures import ApiError, unknown_id
from local.gateway.shapes import Json, Order, Payment, Refund, collection, new_id
from local.gateway.store import Store
from local.gateway.webhooks import Event, Outbox

_RECEIPT_MAX = 40
_REFUND_KEY = re.compile(r"[A-Za-z0-9_-]{10,}")
#: As in Razorpay's test mode, a refund of this many paise fails at the bank.
REFUND_THAT_FAILS = 24_68
_FAR_FUTURE = 2**40


class Book:
    """Orders, payments and refunds."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        """Take the memory and where events go."""
        self._store = store
        self._outbox = outbox

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

    def create_upi_payment(self, body: Json) -> Json:
        """`POST /v1/payments/create/upi`: begins an intent payment and answers its link."""
        amount, currency, notes = fields.amount(body), fields.currency(body), fields.notes(body)
        email = fields.text(body, "email", longest=254)
        contact = fields.text(body, "contact", longest=20)
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
        return {"razorpay_payment_id": payment.id, "link": _intent_link(payment)}

    def refund(self, payment_id: str, body: Json, key: str | None) -> Json:
        """`POST /v1/payments/{id}/refund`; without an amount, all that is left."""
        fields.only(body, "amount", "speed", "notes", "receipt")
        notes, receipt = fields.notes(body), fields.optional_text(body, "receipt", longest=_RECEIPT_MAX)
        if body.get("speed", "normal") not in ("normal", "optimum"):
            raise ApiError("The speed must be normal or optimum", field="speed")
        if key is not None and not _REFUND_KEY.fullmatch(key):
            raise ApiError("An idempotency key has ten letters, digits, - or _ at least")
        request = json.dumps([payment_id, body], sort_keys=True)
        with self._store.block():
            replayed = self._replayed_refund(key, request)
            if replayed is not None:
                return replayed.as_json()
            payment = self._payment(payment_id)
            if not payment.captured:
                raise ApiError("Only a captured payment can be refunded")
            left = payment.amount - payment.amount_refunded
            amount = left if body.get("amount") is None else fields.amount(body)
            if left == 0 or amount > left:
                raise ApiError("The refunds would add up to more than the payment", field="amount")
            refund = Refund(
                new_id("rfnd_"),
                payment.id,
                amount,
                payment.currency,
                _now(),
                "pending",
                receipt,
                str(body.get("speed", "normal")),
                notes,
            )
            self._carry_out(refund, payment)
            if key is not None:
                self._store.rows("INSERT INTO refund_keys VALUES (?, ?, ?)", key, request, refund.id)
        self._outbox.wake()
        return refund.as_json()

    def get_refund(self, refund_id: str) -> Json:
        """`GET /v1/refunds/{id}`."""
        refund = self._store.refund(refund_id)
        if refund is None:
            raise unknown_id()
        return refund.as_json()

    def refunds_of(self, payment_id: str) -> Json:
        """`GET /v1/payments/{id}/refunds`."""
        self._payment(payment_id)
        return collection(refund.as_json() for refund in self._store.refunds_of(payment_id))

    def _replayed_refund(self, key: str | None, request: str) -> Refund | None:
        found = self._store.rows("SELECT * FROM refund_keys WHERE key = ?", key)
        if not found:
            return None
        if found[0]["request"] != request:
            sentence = "Different request with the same idempotency key has already been processed."
            raise ApiError(sentence, status=409, reason="NA")
        return self._store.refund(found[0]["refund_id"])

    def _carry_out(self, refund: Refund, payment: Payment) -> None:
        """Give the money back at once; the events tell it in two steps."""
        created = Event("refund.created", payment, refund=refund)
        if refund.amount == REFUND_THAT_FAILS:
            refund.status = "failed"
        else:
            refund.status = "processed"
            payment.amount_refunded += refund.amount
            payment.status = "refunded" if payment.refund_status == "full" else payment.status
        self._store.keep_refund(refund)
        self._store.keep_payment(payment)
        self._outbox.add([created, Event(f"refund.{refund.status}", payment, refund=refund)])

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


def _intent_link(payment: Payment) -> str:
    """Write the link as a UPI app reads it: rupees with two decimals, blanks as %20."""
    fields_in_order = {
        "pa": "wallet.simulator@upi",
        "pn": "Wallet Simulator",
        "tr": payment.id.removeprefix("pay_") + secrets.token_hex(8),
        "tn": "Top up",
        "am": f"{payment.amount // 100}.{payment.amount % 100:02d}",
        "cu": payment.currency,
        "mc": "6540",
    }
    return "upi://pay?" + "&".join(f"{name}={quote(value, safe='@')}" for name, value in fields_in_order.items())


def _now() -> int:
    return int(time.time())
