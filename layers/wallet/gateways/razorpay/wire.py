"""Razorpay's JSON turned into our values.

Fields that we don't know are passed over: the API grows without notice.

Shapes: https://razorpay.com/docs/api/orders/entity, …/api/payments/entity, …/api/disputes/entity, …/errors.
"""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from wallet.gateways.exact_json import MalformedJsonError, compact_json, json_object
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
    minor_units,
    optional_object,
    text,
    word,
)
from wallet.gateways.http import header_value
from wallet.gateways.port import GatewayOrder, GatewayRejectedError, UpiIntent
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.disputes import DisputePhase, DisputeStatus, ObservedDispute
from wallet.ledger.refunds import ObservedRefund, RefundStatus

RAZORPAY = "razorpay"

_ID = re.compile(r"[A-Za-z0-9_]{1,64}")
_RECEIPT_MAX = 40
_UNIX_MAX = 253_402_214_400  # the last day of the year 9999

_REFUND_STATUSES = {
    "pending": RefundStatus.PENDING,
    "processed": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
}


def credentials(key_id: str, key_secret: str) -> Mapping[str, str]:
    """Write an API's key pair as the header that it wants; ValueError, which doesn't show it, if it can't be one."""
    if ":" in key_id:
        raise ValueError("the gateway's key id has a colon, which none has")
    pair = f"{header_value('key id', key_id)}:{header_value('key secret', key_secret)}"
    # The gateway takes this spelling of the scheme and no other.
    return {"Authorization": "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")}


def order_of(entity: Mapping[str, object]) -> GatewayOrder:
    """Read an order entity."""
    receipt = entity.get("receipt")
    if receipt is None:
        receipt = ""
    if not isinstance(receipt, str) or len(receipt) > _RECEIPT_MAX:
        raise MalformedWireError("receipt is not a short text")
    return GatewayOrder(
        order_id=matching(entity, "id", _ID),
        receipt=receipt,
        amount_minor=minor_units(entity, "amount"),
        currency=matching(entity, "currency", CURRENCY),
    )


def payment_of(entity: Mapping[str, object]) -> ObservedPayment:
    """Read a payment entity. A status that is new to us is `unknown`, not an error."""
    captured = entity.get("captured")
    if not isinstance(captured, bool):
        raise MalformedWireError("captured is not a boolean")
    refunded = 0 if entity.get("amount_refunded") is None else minor_units(entity, "amount_refunded")
    return ObservedPayment(
        gateway=RAZORPAY,
        payment_id=matching(entity, "id", _ID),
        order_id=None if entity.get("order_id") is None else matching(entity, "order_id", _ID),
        amount=minor_units(entity, "amount"),
        currency=matching(entity, "currency", CURRENCY),
        status=_payment_status(entity),
        captured=captured,
        amount_refunded=refunded,
        reason=word(entity.get("error_reason")) or word(entity.get("error_code")),
        surcharge=_surcharge(entity),
        rrn=_rrn(entity),
        told=compact_json(entity),
    )


def refund_of(
    entity: Mapping[str, object], *, payment: ObservedPayment | None = None, currency: str | None = None
) -> ObservedRefund:
    """Read a refund entity. A status that is new to us is `unknown`, not an error.

    `payment` is the refunded payment where it is told of; `currency` is the payment's, for an answer that leaves it
    empty, as the documented answer to an idempotent request does.
    """
    payment_id = matching(entity, "payment_id", _ID)
    if payment is not None and payment.payment_id != payment_id:
        raise MalformedWireError("a refund of another payment than the one beside it")
    return ObservedRefund(
        gateway=RAZORPAY,
        refund_id=matching(entity, "id", _ID),
        reference=reference_of(entity),
        payment_id=payment_id,
        amount=minor_units(entity, "amount"),
        currency=currency if is_silent(entity) and currency is not None else matching(entity, "currency", CURRENCY),
        status=_REFUND_STATUSES.get(text(entity, "status"), RefundStatus.UNKNOWN),
        payment=payment,
        rrn=_rrn(entity),
    )


def dispute_of(entity: Mapping[str, object], *, event: str, told_at: object) -> ObservedDispute:
    """Read a dispute entity, of `payment.dispute.<event>`, made at `told_at` (Unix seconds).

    An end is believed only where event and entity say the same; a word that is new to us ends nothing. What is deducted
    at once, and given back if the dispute is won, is no loss yet; what is deducted of a lost one is the loss, also if
    that is less than was disputed. What we could do without (deadline, reason) may be of any form.
    """
    status = _dispute_status(entity, event)
    amount, deducted = minor_units(entity, "amount"), entity.get("amount_deducted")
    was_deducted = type(deducted) is int and 0 < deducted <= amount
    if status is DisputeStatus.CLOSED and was_deducted:
        status = DisputeStatus.LOST
    told = _time(told_at) or _time(entity.get("created_at"))
    if told is None:
        raise MalformedWireError("a dispute that nobody says the time of")
    return ObservedDispute(
        gateway=RAZORPAY,
        dispute_id=matching(entity, "id", _ID),
        payment_id=matching(entity, "payment_id", _ID),
        amount=int(str(deducted)) if status is DisputeStatus.LOST and was_deducted else amount,
        currency=matching(entity, "currency", CURRENCY),
        phase=_dispute_phase(entity.get("phase")),
        status=status,
        told_at=told,
        respond_by=_time(entity.get("respond_by")),
        reason=word(entity.get("reason_code")),
    )


def _dispute_status(entity: Mapping[str, object], event: str) -> DisputeStatus:
    word_for_it = text(entity, "status")
    try:
        status = DisputeStatus(word_for_it)
    except ValueError:
        status = DisputeStatus.OPEN
    if event == DisputeStatus.ACTION_REQUIRED.value and not status.is_final:
        return DisputeStatus.ACTION_REQUIRED
    return DisputeStatus.OPEN if status.is_final and event != status.value else status


def _dispute_phase(told: object) -> DisputePhase:
    try:
        return DisputePhase(str(told))
    except ValueError:
        return DisputePhase.UNKNOWN


def _time(value: object) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if type(value) is int and 0 < value < _UNIX_MAX else None


def is_silent(entity: Mapping[str, object]) -> bool:
    """Whether a refund leaves its currency empty."""
    return entity.get("currency") in (None, "")


def reference_of(entity: Mapping[str, object]) -> str | None:
    """Read our own reference off a refund: its receipt, else the note that says it again; None if it is not ours."""
    notes = entity.get("notes")
    told = (entity.get("receipt"), notes.get("reference") if isinstance(notes, dict) else None)
    return next((one for one in told if isinstance(one, str) and REFUND_REFERENCE.fullmatch(one)), None)


def items_of(answer: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Read a collection's items: `{"entity": "collection", "count": n, "items": [{…}, …]}`."""
    items = answer.get("items")
    if not isinstance(items, list):
        raise MalformedWireError("items is not a list")
    entities: list[Mapping[str, object]] = []
    for item in items:
        if not isinstance(item, dict):
            raise MalformedWireError("an item is not an object")
        entities.append(item)
    return entities


def intent_of(answer: Mapping[str, object]) -> UpiIntent:
    """Read the answer to a UPI intent. The link is signed by its maker: it is checked and never rebuilt."""
    return UpiIntent(payment_id=matching(answer, "razorpay_payment_id", _ID), link=matching(answer, "link", UPI_LINK))


def event_name_of(event: Mapping[str, object]) -> str:
    """Read an event's name, such as `payment.captured`."""
    return event_name(event, "event")


def account_of(event: Mapping[str, object]) -> str | None:
    """Read the account that an event speaks of; None where it names none."""
    return None if event.get("account_id") is None else matching(event, "account_id", _ID)


def event_id_of(header: object) -> str | None:
    """Read the event id's header, which is not signed: anything unusual counts as absent."""
    return header if isinstance(header, str) and _ID.fullmatch(header) else None


def rejection_of(http_status: int, body: bytes) -> GatewayRejectedError:
    """Read an error's body; one that is not of the documented shape, or no JSON at all, leaves the status."""
    try:
        error = inner_object(json_object(body), "error") or {}
    except (MalformedJsonError, MalformedWireError):
        error = {}
    return GatewayRejectedError(
        http_status=http_status,
        code=word(error.get("code")),
        reason=word(error.get("reason")),
        description=description(error.get("description")),
        field=word(error.get("field")),
    )


def _rrn(entity: Mapping[str, object]) -> str | None:
    return bank_reference(optional_object(entity, "acquirer_data").get("rrn"))


def _surcharge(entity: Mapping[str, object]) -> int:
    """What of a payment is Razorpay's fee, tax included, where its payer bears it ("customer fee bearer").

    Such a payment's amount is the order's and the fee. One that can't be read explains nothing.
    """
    if entity.get("fee_bearer") != "customer":
        return 0
    try:
        return minor_units(entity, "fee")
    except MalformedWireError:
        return 0


def _payment_status(entity: Mapping[str, object]) -> PaymentStatus:
    status = text(entity, "status")
    try:
        return PaymentStatus(status)
    except ValueError:
        return PaymentStatus.UNKNOWN
