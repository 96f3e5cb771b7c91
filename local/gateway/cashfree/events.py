"""Cashfree's webhooks: signed with the API's own secret, over a time stamp and the body."""

import base64
import hashlib
import hmac
import time

from local.gateway.cashfree import shapes
from local.gateway.shapes import CASHFREE, Dispute, Payment, Refund, compact
from local.gateway.webhooks import Event


class CashfreeEvent(Event):
    """A snapshot of what has happened."""

    channel = CASHFREE

    def __init__(self, written: dict[str, object], payment: Payment) -> None:
        """Take what is told, and of which payment."""
        self.name = str(written["type"])
        self.order_id = payment.order_id
        self.payment_id = payment.id
        self._body = compact(written)
        self.id = base64.b64encode(hashlib.sha256(self._body).digest()).decode()

    def body(self, account_id: str) -> bytes:
        """Write it as it is sent; no account is named in it."""
        del account_id
        return self._body

    def headers(self, body: bytes, secret: str) -> dict[str, str]:
        """Sign it. The time stamp is of this moment, and stays the same when it is sent again."""
        stamp = str(time.time_ns() // 1_000_000)
        digest = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
        return {
            "User-Agent": "Cashfree-Webhook/simulated",
            "x-webhook-version": "2025-01-01",
            "x-webhook-timestamp": stamp,
            "x-webhook-signature": base64.b64encode(digest).decode(),
            "x-idempotency-key": self.id,
        }


def told(name: str, payment: Payment, refund: Refund | None) -> CashfreeEvent | None:
    """Return the event that tells of it, None if Cashfree tells nobody."""
    written = shapes.event(name, payment, refund, time.time())
    return None if written is None else CashfreeEvent(written, payment)


def told_of_dispute(dispute: Dispute, payment: Payment, *, is_new: bool) -> CashfreeEvent:
    """Return the event that tells of a dispute as it stands."""
    return CashfreeEvent(shapes.dispute_event(dispute, payment, is_new=is_new), payment)
