"""Orders, payments and refunds, and how Razorpay writes each of them as JSON."""

import json
import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Json = dict[str, object]

_ALPHANUMERICS = string.ascii_letters + string.digits
_ID_LENGTH = 14


def new_id(prefix: str = "") -> str:
    """Make an id as Razorpay's are: a prefix and 14 letters and digits. Event ids have no prefix."""
    return prefix + "".join(secrets.choice(_ALPHANUMERICS) for _ in range(_ID_LENGTH))


def compact(value: object) -> bytes:
    """Write JSON as it is sent: no blanks, nulls kept."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def collection(items: Iterable[Json]) -> Json:
    """Write a list."""
    listed = list(items)
    return {"entity": "collection", "count": len(listed), "items": listed}


def _notes(notes: Mapping[str, str]) -> object:
    return dict(notes) or []  # the original is PHP, where an empty map is an empty list


@dataclass
class Order:
    """An order; amounts in minor units, times in Unix seconds."""

    id: str
    amount: int
    currency: str
    receipt: str | None
    created_at: int
    amount_paid: int = 0
    status: str = "created"
    attempts: int = 0
    notes: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> Json:
        """Write it."""
        return {
            "id": self.id,
            "entity": "order",
            "amount": self.amount,
            "amount_paid": self.amount_paid,
            "amount_due": max(0, self.amount - self.amount_paid),
            "currency": self.currency,
            "receipt": self.receipt,
            "offer_id": None,
            "status": self.status,
            "attempts": self.attempts,
            "notes": _notes(self.notes),
            "created_at": self.created_at,
        }


@dataclass
class Payment:
    """A payment by UPI; amounts in minor units, times in Unix seconds. `failure` is an error's four words."""

    id: str
    order_id: str
    amount: int
    currency: str
    created_at: int
    email: str
    contact: str
    status: str = "created"
    captured: bool = False
    amount_refunded: int = 0
    vpa: str | None = None
    rrn: str | None = None
    upi_transaction_id: str | None = None
    failure: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def refund_status(self) -> str | None:
        """How much of it went back: None, `partial` or `full`."""
        if self.amount_refunded == 0:
            return None
        return "full" if self.amount_refunded == self.amount else "partial"

    def as_json(self) -> Json:
        """Write it."""
        acquirer: Json = {"rrn": self.rrn}
        if self.upi_transaction_id is not None:
            acquirer["upi_transaction_id"] = self.upi_transaction_id
        upi: Json = {"payer_account_type": "bank_account", "flow": "intent"}
        if self.vpa is not None:
            upi["vpa"] = self.vpa
        return {
            "id": self.id,
            "entity": "payment",
            "amount": self.amount,
            "currency": self.currency,
            "base_amount": self.amount,
            "status": self.status,
            "order_id": self.order_id,
            "invoice_id": None,
            "international": False,
            "method": "upi",
            "amount_refunded": self.amount_refunded,
            "amount_transferred": 0,
            "refund_status": self.refund_status,
            "captured": self.captured,
            "description": None,
            "card_id": None,
            "bank": None,
            "wallet": None,
            "vpa": self.vpa,
            "email": self.email,
            "contact": self.contact,
            "notes": _notes(self.notes),
            # 2 % and 18 % tax on it, the tax included in the fee; known once it is captured.
            "fee": self.amount * 236 // 10_000 if self.captured else None,
            "tax": self.amount * 36 // 10_000 if self.captured else None,
            "error_code": self.failure.get("code"),
            "error_description": self.failure.get("description"),
            "error_source": self.failure.get("source"),
            "error_step": self.failure.get("step"),
            "error_reason": self.failure.get("reason"),
            "acquirer_data": acquirer,
            "created_at": self.created_at,
            "upi": upi,
        }


@dataclass
class Refund:
    """Money given back; the amount in minor units, times in Unix seconds."""

    id: str
    payment_id: str
    amount: int
    currency: str
    created_at: int
    status: str
    receipt: str | None = None
    speed_requested: str = "normal"
    notes: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> Json:
        """Write it."""
        return {
            "id": self.id,
            "entity": "refund",
            "amount": self.amount,
            "currency": self.currency,
            "payment_id": self.payment_id,
            "notes": _notes(self.notes),
            "receipt": self.receipt,
            "acquirer_data": {"arn": None},
            "created_at": self.created_at,
            "batch_id": None,
            "status": self.status,
            "speed_processed": "normal",
            "speed_requested": self.speed_requested,
        }
