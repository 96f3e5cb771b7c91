"""Orders, payments, refunds and payouts, and how Razorpay writes each of them as JSON."""

import json
import re
import secrets
import string
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

Json = dict[str, object]

#: What an order was made with, and so what is told of it.
RAZORPAY, CASHFREE = "razorpay", "cashfree"

_MARKED = re.compile(r'"\\u0000([0-9.]+)\\u0000"')
_ALPHANUMERICS = string.ascii_letters + string.digits
_ID_LENGTH = 14

#: Whom a UPI app shows as the payee.
PAYEE_VPA, PAYEE_NAME = "wallet.simulator@upi", "Wallet Simulator"
#: What a link's reference has after the payment's id, in bytes and so in twice as many hexadecimal digits.
_REFERENCE_BYTES = 8


def new_id(prefix: str = "") -> str:
    """Make an id as Razorpay's are: a prefix and 14 letters and digits. Event ids have no prefix."""
    return prefix + "".join(secrets.choice(_ALPHANUMERICS) for _ in range(_ID_LENGTH))


@dataclass(frozen=True)
class Rupees:
    """An amount of paise that is written as a number with two decimals."""

    paise: int

    def __str__(self) -> str:
        """Write it."""
        return f"{self.paise // 100}.{self.paise % 100:02d}"


def compact(value: object) -> bytes:
    """Write JSON as it is sent: no blanks, nulls kept."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_marked)
    return _MARKED.sub(r"\1", text).encode()


def _marked(value: object) -> str:
    # json writes no decimals that aren't floats: so a text, which is made a number afterwards
    if not isinstance(value, Rupees):
        raise TypeError(type(value).__name__)
    return f"\0{value}\0"


def collection(items: Iterable[Json]) -> Json:
    """Write a list."""
    listed = list(items)
    return {"entity": "collection", "count": len(listed), "items": listed}


def _notes(notes: Mapping[str, str]) -> object:
    return dict(notes) or []  # the original is PHP, where an empty map is an empty list


@dataclass
class Order:
    """An order; amounts in minor units, times in Unix seconds. What Razorpay's orders don't have comes last."""

    id: str
    amount: int
    currency: str
    receipt: str | None
    created_at: int
    amount_paid: int = 0
    status: str = "created"
    attempts: int = 0
    notes: dict[str, str] = field(default_factory=dict)
    gateway: str = RAZORPAY
    number: str = ""
    session: str = ""
    customer: str = ""
    contact: str = ""
    expires_at: int = 0

    @property
    def is_over(self) -> bool:
        """Whether it takes no new payment any more."""
        return 0 < self.expires_at <= time.time()

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
    gateway: str = RAZORPAY
    order_amount: int = 0
    surcharge: int = 0

    @property
    def fee(self) -> int:
        """The gateway's fee with the tax in it: 2 % and 18 % tax on it, or what the payer bears."""
        return self.surcharge or self.amount * 236 // 10_000

    @property
    def tax(self) -> int:
        """The tax in the fee."""
        return self.surcharge * 18 // 118 or self.amount * 36 // 10_000

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
            "fee": self.fee if self.captured else None,
            "tax": self.tax if self.captured else None,
            "fee_bearer": "customer" if self.surcharge else "platform",
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


@dataclass
class Dispute:
    """A payment that its payer's bank wants back; amounts in minor units, times in Unix seconds.

    `deducted` is what was taken from the merchant for it, before it was decided (`at_onset`) or when it was lost.
    """

    id: str
    payment_id: str
    amount: int
    currency: str
    created_at: int
    phase: str
    status: str
    reason: str
    respond_by: int
    at_onset: bool = False
    deducted: int = 0
    told_at: int = 0

    def as_json(self) -> Json:
        """Write it."""
        return {
            "id": self.id,
            "entity": "dispute",
            "payment_id": self.payment_id,
            "amount": self.amount,
            "currency": self.currency,
            "amount_deducted": self.deducted,
            "reason_code": self.reason,
            "respond_by": self.respond_by,
            "status": "open" if self.status == "action_required" else self.status,
            "phase": self.phase,
            "created_at": self.created_at,
            "comments": None,
            "evidence": None,
        }


@dataclass
class Payout:
    """Money paid out to a UPI address; amount in minor units, times in Unix seconds. `details`: why it stands so."""

    id: str
    account_number: str
    fund_account_id: str
    contact_id: str
    vpa: str
    name: str
    amount: int
    currency: str
    purpose: str
    narration: str | None
    reference_id: str | None
    created_at: int
    status: str = "processing"
    utr: str | None = None
    details: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> Json:
        """Write it."""
        username, _, handle = self.vpa.partition("@")
        return {
            "id": self.id,
            "entity": "payout",
            "fund_account_id": self.fund_account_id,
            "fund_account": {
                "id": self.fund_account_id,
                "entity": "fund_account",
                "contact_id": self.contact_id,
                "account_type": "vpa",
                "batch_id": None,
                "vpa": {"username": username, "handle": handle, "address": self.vpa},
                "active": True,
                "created_at": self.created_at,
            },
            "amount": self.amount,
            "currency": self.currency,
            "notes": _notes(self.notes),
            "fees": 0,
            "tax": 0,
            "status": self.status,
            "purpose": self.purpose,
            "utr": self.utr,
            "mode": "UPI",
            "reference_id": self.reference_id,
            "narration": self.narration,
            "batch_id": None,
            "status_details": dict(self.details) or [],
            "created_at": self.created_at,
            "fee_type": "",
        }


def new_number() -> str:
    """Make an id as Cashfree's are: ten digits."""
    return str(1_000_000_000 + secrets.randbelow(9_000_000_000))


def new_payment(order: Order) -> Payment:
    """Begin a payment of an order, by somebody with a UPI app."""
    return Payment(
        new_number() if order.gateway == CASHFREE else new_id("pay_"),
        order.id,
        order.amount,
        order.currency,
        int(time.time()),
        email="payer@example.com",
        contact=order.contact or "+910000000000",
        gateway=order.gateway,
        order_amount=order.amount,
    )


def intent_link(payment: Payment) -> str:
    """Write the link as a UPI app reads it: rupees with two decimals, blanks as %20."""
    fields_in_order = {
        "pa": PAYEE_VPA,
        "pn": PAYEE_NAME,
        "tr": payment.id.removeprefix("pay_") + secrets.token_hex(_REFERENCE_BYTES),
        "tn": "Top up",
        "am": f"{payment.amount // 100}.{payment.amount % 100:02d}",
        "cu": payment.currency,
        "mc": "6540",
    }
    return "upi://pay?" + "&".join(f"{name}={quote(value, safe='@')}" for name, value in fields_in_order.items())


def payment_ids_of(reference: str) -> tuple[str, str]:
    """Return the ids that the payment with this reference in its link (`tr`) may have: Razorpay's, Cashfree's."""
    own = reference[: -2 * _REFERENCE_BYTES]
    return f"pay_{own}", own
