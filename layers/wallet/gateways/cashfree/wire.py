"""Cashfree's JSON turned into our values, and ours into its. Version 2025-01-01 of the API.

Fields that we don't know are passed over: the API grows without notice. Rupees are decimals there: they are read and
written digit for digit.

Shapes: https://www.cashfree.com/docs/api-reference/payments/latest/orders/create, …/latest/payments/webhooks,
…/latest/refunds/webhooks and …/latest/disputes/dispute-webhooks.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from wallet.gateways.exact_json import DecimalNumber, MalformedJsonError, compact_json, json_object
from wallet.gateways.fields import (
    CURRENCY,
    REFUND_REFERENCE,
    UPI_LINK,
    MalformedWireError,
    bank_reference,
    description,
    event_name,
    inner_object,
    matching,
    optional_object,
    text,
    word,
)
from wallet.gateways.http import header_value
from wallet.gateways.port import GatewayOrder, GatewayRejectedError, UpiIntent
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.disputes import DisputePhase, DisputeStatus, ObservedDispute
from wallet.ledger.money import MAX_AMOUNT
from wallet.ledger.periods import INDIA
from wallet.ledger.refunds import ObservedRefund, RefundStatus

CASHFREE = "cashfree"
API_VERSION = "2025-01-01"

_PAISE = 100
_SURCHARGES = ("payment_surcharge_service_charge", "payment_surcharge_service_tax")
#: Two places at most; zeros behind them change nothing. No sign, no exponent, no leading zero.
_RUPEES = re.compile(r"(0|[1-9][0-9]{0,15})\.([0-9]{1,2})0*")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SESSION = re.compile(r"[!-~]{1,512}")
_EVENT_ID = re.compile(r"[A-Za-z0-9+/=_-]{1,64}")

_INDIAN_PHONE = re.compile(r"\+91([0-9]{10})")
#: A payer abroad has no number of ten digits; the documentation allows made-up details where nobody needs them.
_NO_PHONE = "9999999999"

#: FAILED and its like are not the end of a payment here: `SUCCESS` may follow. PENDING is on its way, so that its
#: outcome is unknown; any word that is new to us is taken so too.
_PAYMENT_STATUSES = {
    "SUCCESS": PaymentStatus.CAPTURED,
    "NOT_ATTEMPTED": PaymentStatus.CREATED,
    "FAILED": PaymentStatus.FAILED,
    "USER_DROPPED": PaymentStatus.FAILED,
    "CANCELLED": PaymentStatus.FAILED,
    "VOID": PaymentStatus.FAILED,
}

#: CANCELLED is what Cashfree says when it has tried often enough. FAILED is in its prose and not in its list of states:
#: not final, then, as every word that we don't know.
_REFUND_STATUSES = {
    "PENDING": RefundStatus.PENDING,
    "ONHOLD": RefundStatus.PENDING,
    "SUCCESS": RefundStatus.SUCCEEDED,
    "CANCELLED": RefundStatus.FAILED,
}

DISPUTE_CLOSED = "DISPUTE_CLOSED"
#: How a dispute's status ends; it begins with its type. Evidence that is not enough may be sent again.
_DISPUTE_STATUSES = {
    "_CREATED": DisputeStatus.OPEN,
    "_DOCS_RECEIVED": DisputeStatus.UNDER_REVIEW,
    "_UNDER_REVIEW": DisputeStatus.UNDER_REVIEW,
    "_INSUFFICIENT_EVIDENCE": DisputeStatus.ACTION_REQUIRED,
    "_MERCHANT_WON": DisputeStatus.WON,
    "_MERCHANT_LOST": DisputeStatus.LOST,
    "_MERCHANT_ACCEPTED": DisputeStatus.LOST,
}
_NO_MORE_EVIDENCE = "_INSUFFICIENT_EVIDENCE"
_EPOCH = 1971


def credentials(client_id: str, client_secret: str) -> Mapping[str, str]:
    """Write the API's pair as the headers that it wants; ValueError, which doesn't show it, if it can't be one."""
    return {
        "x-client-id": header_value("client id", client_id),
        "x-client-secret": header_value("client secret", client_secret),
        "x-api-version": API_VERSION,
    }


def order_request(
    *, receipt: str, amount_minor: int, currency: str, contact: str, expires_at: datetime | None = None
) -> dict[str, object]:
    """Write a new order. It must be the same for ever: under one idempotency key another body is refused.

    `contact` is an E.164 number; its digits are the customer's id too, so that Cashfree knows a payer who comes again.
    From `expires_at` on no payment of it can be begun; what comes later than that goes back. Without it an order can be
    paid for 30 days, far longer than we ask about it.
    """
    indian = _INDIAN_PHONE.fullmatch(contact)
    return {
        "order_id": receipt,
        "order_amount": rupees(amount_minor),
        "order_currency": currency,
        "customer_details": {
            "customer_id": contact.removeprefix("+"),
            "customer_phone": indian[1] if indian else _NO_PHONE,
        },
        "order_meta": {"payment_methods": "upi"},
    } | ({} if expires_at is None else {"order_expiry_time": f"{expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"})


def session_request(session: str) -> dict[str, object]:
    """Write the beginning of a UPI payment by an intent link."""
    return {"payment_session_id": session, "payment_method": {"upi": {"channel": "link"}}}


def refund_request(*, reference: str, amount_minor: int) -> dict[str, object]:
    """Write a refund. It must be the same for ever, as an order."""
    return {
        "refund_id": reference,
        "refund_amount": rupees(amount_minor),
        "refund_note": "Wallet top-up refund",
        "refund_speed": "STANDARD",
    }


def order_of(entity: Mapping[str, object]) -> GatewayOrder:
    """Read an order. Its id is ours: payments name that one, and not the id that Cashfree gives it."""
    order_id = matching(entity, "order_id", _ID)
    return GatewayOrder(
        order_id=order_id,
        receipt=order_id,
        amount_minor=paise(entity, "order_amount"),
        currency=matching(entity, "order_currency", CURRENCY),
        checkout_session=matching(entity, "payment_session_id", _SESSION),
    )


def payment_of(entity: Mapping[str, object], order: Mapping[str, object], error: object = None) -> ObservedPayment:
    """Read a payment, of `order`: a webhook tells of the two side by side, an answer of both in one entity.

    The amount is what was paid: less than the order's with an offer, more with a surcharge. `error` is what a webhook
    says of the error, beside the payment.
    """
    status = text(entity, "payment_status")
    known = _PAYMENT_STATUSES.get(status, PaymentStatus.UNKNOWN)
    captured = known is PaymentStatus.CAPTURED and _is_captured(entity)
    return ObservedPayment(
        gateway=CASHFREE,
        payment_id=identifier(entity, "cf_payment_id"),
        order_id=matching(order, "order_id", _ID),
        amount=paise(entity, "payment_amount"),
        currency=matching(entity, "payment_currency", CURRENCY),
        # money that the bank has set aside and Cashfree has not taken yet
        status=PaymentStatus.AUTHORIZED if known is PaymentStatus.CAPTURED and not captured else known,
        captured=captured,
        reason=_reason(status, error if error is not None else entity.get("error_details")),
        surcharge=_surcharge(entity),
        rrn=bank_reference(entity.get("bank_reference")),
        told=compact_json(entity),
    )


def with_refunds(payment: ObservedPayment, refunds: tuple[ObservedRefund, ...]) -> ObservedPayment:
    """Return the payment with what went back of it, or is about to: Cashfree's payments don't say it themselves."""
    back = sum(
        refund.amount
        for refund in refunds
        if refund.payment_id == payment.payment_id and refund.status is not RefundStatus.FAILED
    )
    is_all = back >= payment.amount - payment.surcharge
    status = PaymentStatus.REFUNDED if payment.captured and is_all else payment.status
    return replace(payment, amount_refunded=back, status=status)


def refund_of(entity: Mapping[str, object]) -> ObservedRefund:
    """Read a refund. A status that is new to us is `unknown`, not an error."""
    status = text(entity, "refund_status")
    ours = entity.get("refund_id")
    is_ours = isinstance(ours, str) and REFUND_REFERENCE.fullmatch(ours) is not None
    return ObservedRefund(
        gateway=CASHFREE,
        refund_id=identifier(entity, "cf_refund_id"),
        reference=str(ours) if is_ours else None,
        payment_id=identifier(entity, "cf_payment_id"),
        amount=paise(entity, "refund_amount"),
        currency=matching(entity, "refund_currency", CURRENCY),
        status=_REFUND_STATUSES.get(status, RefundStatus.UNKNOWN),
        reason=word(status.lower()) if status == "CANCELLED" else None,
    )


def dispute_of(
    entity: Mapping[str, object], order: Mapping[str, object], *, event: str, told_at: object
) -> ObservedDispute:
    """Read a dispute, of `order` (which names the payment). A status that is new to us ends nothing.

    One that is closed for want of evidence is lost. What we could do without (deadline, reason) may be of any form.
    """
    told = _time(told_at) or _time(entity.get("updated_at")) or _time(entity.get("created_at"))
    if told is None:
        raise MalformedWireError("a dispute that nobody says the time of")
    # of a dispute no currency is told in older versions: then it is the payment's
    named = "dispute_amount_currency" if entity.get("dispute_amount_currency") is not None else "payment_currency"
    return ObservedDispute(
        gateway=CASHFREE,
        dispute_id=identifier(entity, "dispute_id"),
        payment_id=identifier(order, "cf_payment_id"),
        amount=paise(entity, "dispute_amount"),
        currency=matching(entity if named in entity else order, named, CURRENCY),
        phase=_dispute_phase(entity.get("dispute_type")),
        status=_dispute_status(text(entity, "dispute_status"), is_closed=event == DISPUTE_CLOSED),
        told_at=told,
        respond_by=_time(entity.get("respond_by")),
        reason=word(entity.get("reason_code")),
    )


def _dispute_status(told: str, *, is_closed: bool) -> DisputeStatus:
    if is_closed and told.endswith(_NO_MORE_EVIDENCE):
        return DisputeStatus.LOST
    found = (status for ending, status in _DISPUTE_STATUSES.items() if told.endswith(ending))
    return next(found, DisputeStatus.OPEN)


def _dispute_phase(told: object) -> DisputePhase:
    try:
        return DisputePhase(str(told).lower())
    except ValueError:
        return DisputePhase.UNKNOWN


def _time(value: object) -> datetime | None:
    """Read a time; one without a zone is Indian."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is None or at.year < _EPOCH:
            return None
        return (at if at.tzinfo is not None else at.replace(tzinfo=INDIA)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def intent_of(answer: Mapping[str, object]) -> UpiIntent:
    """Read the answer to a UPI payment's beginning. The link is signed by its maker: checked and never rebuilt."""
    data = inner_object(answer, "data") or {}
    links = inner_object(data, "payload") or {}
    # Beside it are links for one app each, in schemes of their own.
    return UpiIntent(payment_id=identifier(answer, "cf_payment_id"), link=matching(links, "default", UPI_LINK))


def event_name_of(event: Mapping[str, object]) -> str:
    """Read an event's name, such as `PAYMENT_SUCCESS_WEBHOOK`."""
    return event_name(event, "type")


def event_id_of(header: object) -> str | None:
    """Read the event id's header, which is not signed: anything unusual counts as absent."""
    return header if isinstance(header, str) and _EVENT_ID.fullmatch(header) else None


def rejection_of(http_status: int, body: bytes) -> GatewayRejectedError:
    """Read an error's body; one that is not of the documented shape, or no JSON at all, leaves the status."""
    try:
        error = json_object(body)
    except MalformedJsonError:
        error = {}
    return GatewayRejectedError(
        http_status=http_status,
        code=word(error.get("type")),
        reason=word(error.get("code")),
        description=description(error.get("message")),
    )


def rupees(amount_minor: int) -> DecimalNumber:
    """Write paise as rupees with two places."""
    return DecimalNumber(f"{amount_minor // _PAISE}.{amount_minor % _PAISE:02d}")


def paise(entity: Mapping[str, object], name: str) -> int:
    """Read an amount in rupees, as it was written: `100`, `100.5` or `100.50`, never `100.005` or `1e2`."""
    amount = _in_paise(entity.get(name))
    if amount is None or not 0 <= amount <= MAX_AMOUNT:
        raise MalformedWireError(f"{name} is not an amount in rupees with two places at most")
    return amount


def _in_paise(value: object) -> int | None:
    # bool is an int to Python: the type itself has to be right
    if type(value) is int:
        return value * _PAISE
    written = _RUPEES.fullmatch(value.text) if isinstance(value, DecimalNumber) else None
    return int(written[1]) * _PAISE + int(written[2].ljust(2, "0")) if written else None


def identifier(entity: Mapping[str, object], name: str) -> str:
    """Read an id of Cashfree's: a text or a whole number, by version of the API and by place."""
    value = entity.get(name)
    return str(value) if type(value) is int and value >= 0 else matching(entity, name, _ID)


def _is_captured(entity: Mapping[str, object]) -> bool:
    """Whether a successful payment is taken already; only an answer says so, and only an authorisation is not."""
    captured = entity.get("is_captured")
    if captured is not None and not isinstance(captured, bool):
        raise MalformedWireError("is_captured is not a boolean")
    return captured is not False


def _surcharge(entity: Mapping[str, object]) -> int:
    """What of a payment is Cashfree's charge, and the tax on it, where its payer bears them.

    One that can't be read explains nothing.
    """
    told = optional_object(entity, "payment_surcharge")
    try:
        return sum(paise(told, name) for name in _SURCHARGES if told.get(name) is not None)
    except MalformedWireError:
        return 0


def _reason(status: str, error: object) -> str | None:
    """The stable word for a failure: why, else what, else that the payer went away."""
    if isinstance(error, Mapping):
        reason = word(error.get("error_reason")) or word(error.get("error_code"))
        if reason is not None:
            return reason
    return status.lower() if status in ("USER_DROPPED", "CANCELLED", "VOID") else None
