"""Razorpay's JSON turned into our values.

Fields that we don't know are passed over: the API grows without notice.

Shapes: https://razorpay.com/docs/api/orders/entity, …/api/payments/entity, …/errors.
"""

import re
from collections.abc import Mapping

from wallet.gateways.exact_json import MalformedJsonError, json_object
from wallet.gateways.port import GatewayOrder, GatewayRejectedError, UpiIntent
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.money import MAX_AMOUNT

RAZORPAY = "razorpay"

_ID = re.compile(r"[A-Za-z0-9_]{1,64}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_EVENT_NAME = re.compile(r"[a-z0-9_.]{1,64}")
# Blanks and other scripts do occur in it; what no text column takes does not.
_LINK = re.compile(r"upi://pay\?[^\x00-\x1f\x7f\ud800-\udfff]{1,2000}")
_RECEIPT_MAX = 40
_WORD_MAX = 64
_DESCRIPTION_MAX = 256


class MalformedWireError(ValueError):
    """A field has another type or form than the documented one."""


def order_of(entity: Mapping[str, object]) -> GatewayOrder:
    """Read an order entity."""
    receipt = entity.get("receipt")
    if receipt is None:
        receipt = ""
    if not isinstance(receipt, str) or len(receipt) > _RECEIPT_MAX:
        raise MalformedWireError("receipt is not a short text")
    return GatewayOrder(
        order_id=_matching(entity, "id", _ID),
        receipt=receipt,
        amount_minor=_minor_units(entity, "amount"),
        currency=_matching(entity, "currency", _CURRENCY),
    )


def payment_of(entity: Mapping[str, object]) -> ObservedPayment:
    """Read a payment entity. A status that is new to us is `unknown`, not an error."""
    captured = entity.get("captured")
    if not isinstance(captured, bool):
        raise MalformedWireError("captured is not a boolean")
    refunded = 0 if entity.get("amount_refunded") is None else _minor_units(entity, "amount_refunded")
    return ObservedPayment(
        gateway=RAZORPAY,
        payment_id=_matching(entity, "id", _ID),
        order_id=None if entity.get("order_id") is None else _matching(entity, "order_id", _ID),
        amount=_minor_units(entity, "amount"),
        currency=_matching(entity, "currency", _CURRENCY),
        status=_payment_status(entity),
        captured=captured,
        amount_refunded=refunded,
        reason=_word(entity.get("error_reason")) or _word(entity.get("error_code")),
    )


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
    return UpiIntent(payment_id=_matching(answer, "razorpay_payment_id", _ID), link=_matching(answer, "link", _LINK))


def event_name_of(event: Mapping[str, object]) -> str:
    """Read an event's name, such as `payment.captured`."""
    return _matching(event, "event", _EVENT_NAME)


def account_of(event: Mapping[str, object]) -> str | None:
    """Read the account that an event speaks of; None where it names none."""
    return None if event.get("account_id") is None else _matching(event, "account_id", _ID)


def event_id_of(header: object) -> str | None:
    """Read the event id's header, which is not signed: anything unusual counts as absent."""
    return header if isinstance(header, str) and _ID.fullmatch(header) else None


def inner_object(outer: Mapping[str, object], name: str) -> Mapping[str, object] | None:
    """Return the object under a name, None if there is none."""
    value = outer.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MalformedWireError(f"{name} is not an object")
    return value


def rejection_of(http_status: int, body: bytes) -> GatewayRejectedError:
    """Read an error's body; one that is not of the documented shape, or no JSON at all, leaves the status."""
    try:
        error = inner_object(json_object(body), "error") or {}
    except (MalformedJsonError, MalformedWireError):
        error = {}
    description = error.get("description")
    return GatewayRejectedError(
        http_status=http_status,
        code=_word(error.get("code")),
        reason=_word(error.get("reason")),
        description=description[:_DESCRIPTION_MAX] if isinstance(description, str) else None,
        field=_word(error.get("field")),
    )


def _payment_status(entity: Mapping[str, object]) -> PaymentStatus:
    status = entity.get("status")
    if not isinstance(status, str):
        raise MalformedWireError("status is not a text")
    try:
        return PaymentStatus(status)
    except ValueError:
        return PaymentStatus.UNKNOWN


def _minor_units(entity: Mapping[str, object], name: str) -> int:
    value = entity.get(name)
    # bool is an int to Python, and `100.0 == 100`: the type itself has to be right.
    if type(value) is not int or not 0 <= value <= MAX_AMOUNT:
        raise MalformedWireError(f"{name} is not a whole number of minor units")
    return value


def _matching(entity: Mapping[str, object], name: str, form: re.Pattern[str]) -> str:
    value = entity.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise MalformedWireError(f"{name} is not of the documented form")
    return value


def _word(value: object) -> str | None:
    """Read an error's word: null and "NA" mean none; the rest becomes short ASCII, fit for any log."""
    if not isinstance(value, str) or value in ("", "NA"):
        return None
    return "".join(character if "!" <= character <= "~" else "_" for character in value[:_WORD_MAX])
