"""Refunds: asked for by a merchant's API key, begun by a person at the dashboard, or by the gateway itself."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from local.gateway import fields
from local.gateway.events import happened
from local.gateway.failures import ApiError, unknown_id
from local.gateway.shapes import CASHFREE, Json, Payment, Refund, collection, new_id, new_number
from local.gateway.store import Store
from local.gateway.webhooks import Event, Outbox

#: As in Razorpay's test mode, a refund of this many paise fails at the bank.
REFUND_THAT_FAILS = 24_68

_RECEIPT_MAX = 40
_KEY = re.compile(r"[A-Za-z0-9_-]{10,}")
_ANSWER = "refund_answer"
_ANSWERS: Final = ("processed", "pending")
_ENDS: Final = ("processed", "failed")


class NoSuchRefundError(Exception):
    """404: no such refund, or no such payment."""


class UnplayableRefundError(Exception):
    """422: the request has a field or a value that isn't known here, or the payment has no money left to give back."""


class EndedRefundError(Exception):
    """409: the refund has ended."""


class Refunds:
    """Gives money back. Each method is one atomic block."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        """Take the memory and where events go."""
        self._store = store
        self._outbox = outbox
        self._running: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def running(self, key: str | None) -> Iterator[None]:
        """A request under a key, from its arrival to its answer: 409 for another one meanwhile."""
        with self._lock:
            if key in self._running:
                sentence = "Another request with the same idempotency key is still in progress."
                raise ApiError(sentence, status=409, reason="NA")
            if key is not None:
                self._running.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(key or "")

    def create(self, payment_id: str, body: Json, key: str | None) -> Json:
        """`POST /v1/payments/{id}/refund`; without an amount, all that is left."""
        fields.only(body, "amount", "speed", "notes", "receipt")
        notes, receipt = fields.notes(body), fields.optional_text(body, "receipt", longest=_RECEIPT_MAX)
        speed = body.get("speed", "normal")
        if not isinstance(speed, str) or speed not in ("normal", "optimum"):
            raise ApiError("The speed must be normal or optimum", field="speed")
        if key is not None and not _KEY.fullmatch(key):
            raise ApiError("An idempotency key has ten letters, digits, - or _ at least")
        amount = None if body.get("amount") is None else fields.amount(body)
        request = json.dumps([payment_id, body], sort_keys=True)
        with self._store.block():
            replayed = self._replayed(key, request)
            if replayed is not None:
                return replayed.as_json()
            payment = self._store.payment(payment_id)
            if payment is None:
                raise unknown_id()
            if not payment.captured:
                raise ApiError("Only a captured payment can be refunded")
            left = payment.amount - payment.amount_refunded
            if left == 0 or (amount or left) > left:
                raise ApiError("The refunds would add up to more than the payment", field="amount")
            refund = self.begin(payment, amount or left, receipt=receipt, speed=speed, notes=notes)
            if key is not None:
                self._store.rows("INSERT INTO refund_keys VALUES (?, ?, ?)", key, request, refund.id)
        self._outbox.wake()
        return refund.as_json()

    def get(self, refund_id: str) -> Json:
        """`GET /v1/refunds/{id}`."""
        refund = self._store.refund(refund_id)
        if refund is None:
            raise unknown_id()
        return refund.as_json()

    def of_payment(self, payment_id: str, query: dict[str, str]) -> Json:
        """`GET /v1/payments/{id}/refunds`, ten unless more are asked for."""
        count, skip = fields.page(query)
        if self._store.payment(payment_id) is None:
            raise unknown_id()
        found = self._store.refunds_of(payment_id)
        return collection(refund.as_json() for refund in found[skip : skip + count])

    def answer_from_now_on(self, body: Json) -> Json:
        """Choose whether refunds are `processed` at once (as at the start) or stay `pending` until they are ended."""
        answer = _choice(body, "answer", _ANSWERS)
        with self._store.block():
            self._store.keep_setting(_ANSWER, answer)
        return {"answer": answer}

    def begin_at_dashboard(self, payment_id: str, body: Json) -> Json:
        """Play the person at the dashboard: all that is left, or an `amount`, with no word of the API's caller."""
        amount = body.get("amount")
        with self._store.block():
            payment = self._store.payment(payment_id)
            if payment is None:
                raise NoSuchRefundError(payment_id)
            left = payment.amount - payment.amount_refunded
            amount = left if amount is None else amount
            if set(body) - {"amount"} or type(amount) is not int or not 1 <= amount <= left or not payment.captured:
                raise UnplayableRefundError("amount must be a whole number up to what is left of a captured payment")
            refund = self.begin(payment, amount)
        self._outbox.wake()
        return refund.as_json()

    def end(self, refund_id: str, body: Json) -> Json:
        """Play the bank: a pending refund comes to its end."""
        outcome = _choice(body, "outcome", _ENDS)
        with self._store.block():
            refund = self._store.refund(refund_id)
            payment = self._store.payment(refund.payment_id) if refund is not None else None
            if refund is None or payment is None:
                raise NoSuchRefundError(refund_id)
            if refund.status != "pending":
                raise EndedRefundError(refund_id)
            self._outbox.add(self._ended(refund, payment, outcome))
        self._outbox.wake()
        return refund.as_json()

    def _replayed(self, key: str | None, request: str) -> Refund | None:
        found = self._store.rows("SELECT * FROM refund_keys WHERE key = ?", key)
        if not found:
            return None
        if found[0]["request"] != request:
            sentence = "Different request with the same idempotency key has already been processed."
            raise ApiError(sentence, status=409, reason="NA")
        return self._store.refund(found[0]["refund_id"])

    def begin(
        self,
        payment: Payment,
        amount: int,
        *,
        receipt: str | None = None,
        speed: str = "normal",
        notes: dict[str, str] | None = None,
    ) -> Refund:
        """The money leaves the merchant's balance now; the events tell of it in two steps.

        Within the caller's atomic block.
        """
        refund = _new(payment, amount, receipt=receipt, speed=speed, notes=notes)
        answer = self._store.setting(_ANSWER) or "processed"
        payment.amount_refunded += refund.amount
        payment.status = "refunded" if payment.refund_status == "full" else payment.status
        events = happened("refund.created", payment, refund=refund)
        self._store.keep_refund(refund)
        self._store.keep_payment(payment)
        if refund.amount == REFUND_THAT_FAILS:
            events += self._ended(refund, payment, "failed")
        elif answer == "processed":
            events += self._ended(refund, payment, "processed")
        self._outbox.add(events)
        return refund

    def _ended(self, refund: Refund, payment: Payment, outcome: str) -> list[Event]:
        refund.status = outcome
        if outcome == "failed":
            payment.amount_refunded -= refund.amount
            payment.status = "captured"
        self._store.keep_refund(refund)
        self._store.keep_payment(payment)
        return happened(f"refund.{outcome}", payment, refund=refund)


def auto_refund(store: Store, payment: Payment) -> list[Event]:
    """Give back, unasked, a payment that was never captured; within the caller's atomic block. The events to send."""
    refund = _new(payment, payment.amount)
    payment.amount_refunded, payment.status = payment.amount, "refunded"
    created = happened("refund.created", payment, refund=refund)
    refund.status = "processed"
    store.keep_refund(refund)
    store.keep_payment(payment)
    return created + happened("refund.processed", payment, refund=refund)


def _new(
    payment: Payment,
    amount: int,
    *,
    receipt: str | None = None,
    speed: str = "normal",
    notes: dict[str, str] | None = None,
) -> Refund:
    now = int(time.time())
    refund_id = new_number() if payment.gateway == CASHFREE else new_id("rfnd_")
    return Refund(refund_id, payment.id, amount, payment.currency, now, "pending", receipt, speed, notes or {})


def _choice(body: Json, name: str, known: tuple[str, ...]) -> str:
    value = body.get(name)
    if set(body) != {name} or not isinstance(value, str) or value not in known:
        raise UnplayableRefundError(f"{name} must be one of {', '.join(known)}")
    return value
