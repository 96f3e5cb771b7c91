"""How Cashfree writes orders, payments, refunds and events: rupees as decimals, states in capitals, Indian time."""

import secrets
from datetime import UTC, datetime, timedelta, timezone

from local.gateway.shapes import Dispute, Json, Order, Payment, Refund, Rupees, intent_link

_INDIA = timezone(timedelta(hours=5, minutes=30))
_ORDER_STATUSES = {"paid": "PAID"}
_PAYMENT_STATUSES = {"created": "NOT_ATTEMPTED", "authorized": "PENDING", "captured": "SUCCESS", "failed": "FAILED"}
_REFUND_STATUSES = {"pending": "PENDING", "processed": "SUCCESS", "failed": "CANCELLED"}

_DISPUTE_STATUSES = {
    "open": "CREATED",
    "under_review": "UNDER_REVIEW",
    "action_required": "INSUFFICIENT_EVIDENCE",
    "won": "MERCHANT_WON",
    "closed": "MERCHANT_WON",
    "lost": "MERCHANT_LOST",
}

#: What has happened, in our words, and the event that tells of it; of the rest Cashfree tells nobody.
_PAYMENT_EVENTS = {
    "payment.captured": "PAYMENT_SUCCESS_WEBHOOK",
    "payment.failed": "PAYMENT_FAILED_WEBHOOK",
    "payment.dropped": "PAYMENT_USER_DROPPED_WEBHOOK",
    "payment.pending": "PAYMENT_SUCCESS_WEBHOOK",  # documented: of a payment that has not succeeded yet
}
_ENDED_REFUNDS = ("refund.processed", "refund.failed")


def new_session() -> str:
    """Make the id that a checkout in a browser needs."""
    return f"session_{secrets.token_urlsafe(72)}"


def order_json(order: Order) -> Json:
    """Write an order."""
    return {
        "cf_order_id": order.number,
        "order_id": order.id,
        "entity": "order",
        "order_currency": order.currency,
        "order_amount": Rupees(order.amount),
        "order_status": "EXPIRED"
        if order.is_over and order.status != "paid"
        else _ORDER_STATUSES.get(order.status, "ACTIVE"),
        "payment_session_id": order.session,
        "order_expiry_time": _time(order.expires_at),
        "order_note": None,
        "created_at": _time(order.created_at),
        "order_splits": [],
        "customer_details": {
            "customer_id": order.customer,
            "customer_phone": order.contact,
            "customer_name": None,
            "customer_email": None,
        },
        "order_meta": {"return_url": None, "notify_url": None, "payment_methods": "upi"},
        "order_tags": order.notes or None,
    }


def payment_json(payment: Payment) -> Json:
    """Write a payment as an answer has it: with its order's amount."""
    return {
        **_payment(payment),
        "entity": "payment",
        "order_id": payment.order_id,
        "order_amount": Rupees(payment.order_amount),
        "order_currency": payment.currency,
        "is_captured": payment.captured,
        "payment_completion_time": _time(payment.created_at) if payment.status != "created" else None,
        "error_details": _error(payment),
        "authorization": None,
    }


def session_json(payment: Payment) -> Json:
    """Write the beginning of a payment by a UPI link: one for every app, and the same for some apps alone."""
    link = intent_link(payment)
    rest = link.removeprefix("upi://")
    return {
        "action": "custom",
        "cf_payment_id": payment.id,
        "channel": "link",
        "data": {
            "url": None,
            "payload": {
                "bhim": link,
                "default": link,
                "gpay": f"tez://upi/{rest}",
                "paytm": f"paytmmp://{rest}",
                "phonepe": f"phonepe://{rest}",
            },
            "content_type": None,
            "method": None,
        },
        "payment_amount": Rupees(payment.amount),
        "payment_method": "upi",
    }


def refund_json(refund: Refund, payment: Payment) -> Json:
    """Write a refund."""
    is_automatic = refund.receipt is None
    return {
        "entity": "refund",
        "cf_payment_id": payment.id,
        "cf_refund_id": refund.id,
        "order_id": payment.order_id,
        "refund_id": refund.receipt or f"auto_{refund.id}",
        "refund_amount": Rupees(refund.amount),
        "refund_currency": refund.currency,
        "refund_note": refund.notes.get("note"),
        "refund_status": _REFUND_STATUSES[refund.status],
        "refund_arn": None,
        "refund_charge": Rupees(0),
        "status_description": None,
        "refund_splits": [],
        "refund_type": "PAYMENT_AUTO_REFUND" if is_automatic and not payment.captured else "MERCHANT_INITIATED",
        "refund_mode": "STANDARD",
        "created_at": _time(refund.created_at),
        "processed_at": _time(refund.created_at) if refund.status == "processed" else None,
    }


def event(name: str, payment: Payment, refund: Refund | None, at: float) -> Json | None:
    """Write what has happened as an event, None if nobody is told. `at` is in Unix seconds."""
    if refund is not None:
        if name not in _ENDED_REFUNDS:
            return None
        kind, data = _refund_event(refund, payment)
    elif name in _PAYMENT_EVENTS:
        kind, data = _PAYMENT_EVENTS[name], _payment_event(payment)
    else:
        return None
    return {"data": data, "event_time": _time(at), "type": kind}


def dispute_event(dispute: Dispute, payment: Payment, *, is_new: bool) -> Json:
    """Write an event of a dispute: its status begins with its type, and ids are numbers in some places."""
    kind = dispute.phase.upper()
    is_over = dispute.status in ("won", "lost", "closed")
    return {
        "data": {
            "dispute": {
                "dispute_id": dispute.id,
                "dispute_type": kind,
                "reason_code": dispute.reason,
                "reason_description": "Goods or Services Not Provided",
                "dispute_amount": Rupees(dispute.amount),
                "dispute_amount_currency": dispute.currency,
                "created_at": _time(dispute.created_at),
                "updated_at": _time(dispute.told_at),
                "respond_by": _time(dispute.respond_by),
                "resolved_at": _time(dispute.told_at) if is_over else None,
                "dispute_status": f"{kind}_{_DISPUTE_STATUSES[dispute.status]}",
                "cf_dispute_remarks": None,
                "dispute_action_on": "MERCHANT",
            },
            "order_details": {
                "order_id": payment.order_id,
                "order_amount": Rupees(payment.order_amount),
                "order_currency": payment.currency,
                "cf_payment_id": int(payment.id),
                "payment_amount": Rupees(payment.amount),
                "payment_currency": payment.currency,
            },
            "customer_details": {"customer_name": None, "customer_phone": payment.contact, "customer_email": None},
        },
        "event_time": _time(dispute.told_at),
        "type": "DISPUTE_CREATED" if is_new else "DISPUTE_CLOSED" if is_over else "DISPUTE_UPDATED",
    }


def _payment_event(payment: Payment) -> Json:
    data: Json = {
        "order": {
            "order_id": payment.order_id,
            "order_amount": Rupees(payment.order_amount),
            "order_currency": payment.currency,
            "order_tags": None,
        },
        "payment": _payment(payment),
        "customer_details": {
            "customer_name": None,
            "customer_id": None,
            "customer_email": None,
            "customer_phone": payment.contact,
        },
        "payment_gateway_details": None,
        "payment_offers": None,
    }
    error = _error(payment)
    return data if error is None else data | {"error_details": error}


def _refund_event(refund: Refund, payment: Payment) -> tuple[str, Json]:
    # ids are whole numbers in these, and texts everywhere else
    told = refund_json(refund, payment) | {"cf_payment_id": int(payment.id), "cf_refund_id": int(refund.id)}
    if told["refund_type"] == "MERCHANT_INITIATED":
        return "REFUND_STATUS_WEBHOOK", {"refund": told}
    del told["order_id"], told["refund_id"]
    return "AUTO_REFUND_STATUS_WEBHOOK", {"auto_refund": told | {"refund_reason": "failed payment"}}


def _payment(payment: Payment) -> Json:
    upi: Json = {"channel": "link", "upi_id": payment.vpa}
    return {
        "cf_payment_id": payment.id,
        "payment_status": _payment_status(payment),
        "payment_amount": Rupees(payment.amount),
        "payment_currency": payment.currency,
        "payment_message": "00::Transaction success" if payment.captured else None,
        "payment_time": _time(payment.created_at),
        "bank_reference": payment.rrn,
        "auth_id": None,
        "payment_method": {"upi": upi},
        "payment_group": "upi",
        "international_payment": {"international": False},
        "payment_surcharge": {
            "payment_surcharge_service_charge": Rupees(payment.surcharge - payment.tax if payment.surcharge else 0),
            "payment_surcharge_service_tax": Rupees(payment.tax if payment.surcharge else 0),
        },
    }


def _payment_status(payment: Payment) -> str:
    if payment.status == "refunded":  # a state of its own is unknown here: the refunds tell
        return "SUCCESS" if payment.captured else "FAILED"
    if payment.status == "failed" and not payment.failure:
        return "USER_DROPPED"
    return _PAYMENT_STATUSES[payment.status]


def _error(payment: Payment) -> Json | None:
    if not payment.failure:
        return None
    return {
        "error_code": "TRANSACTION_DECLINED",
        "error_description": payment.failure.get("description"),
        "error_reason": payment.failure.get("reason"),
        "error_source": payment.failure.get("source"),
        "error_code_raw": None,
        "error_description_raw": None,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone(_INDIA).isoformat(timespec="seconds")
