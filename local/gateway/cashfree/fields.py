"""Reads a request's fields, and refuses them as Cashfree does."""

import json
import re
import time
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from local.gateway.cashfree.failures import CashfreeError, invalid
from local.gateway.shapes import Json

_AMOUNT_MAX = 2**53 - 1
_SHORTEST_S = 15 * 60


def body_of(raw: bytes) -> Json:
    """Read a JSON object; decimals are Decimals."""
    try:
        value: object = json.loads(raw, parse_float=Decimal)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise CashfreeError("bad request, the body is not a JSON object", code="request_invalid")
    return value


def only(body: Json, *known: str) -> None:
    """Refuse fields that nobody asked for."""
    for name in body:
        if name not in known:
            raise invalid(name, "is not a field of this request")


def paise(body: Json, name: str) -> int:
    """Read an amount: rupees with two decimals at most, one rupee at least."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise invalid(name, "should be a number")
    amount = Decimal(value) * 100
    if not amount.is_finite() or amount != int(amount) or not 100 <= amount <= _AMOUNT_MAX:
        raise invalid(name, "should be at least 1.00, with two decimals at most")
    return int(amount)


def text(body: Json, name: str, form: str) -> str:
    """Read a text of this form."""
    value = body.get(name)
    if not isinstance(value, str) or not re.fullmatch(form, value):
        raise invalid(name, "should be of the documented form")
    return value


def expiry(body: Json) -> int | None:
    """Read when an order ends, in Unix seconds: a quarter of an hour from now at the least; None if it isn't told."""
    value = body.get("order_expiry_time")
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at.timestamp() < time.time() + _SHORTEST_S:
        raise invalid("order_expiry_time", "should be a time in ISO 8601, 15 minutes from now at least")
    return int(at.timestamp())


def inner(body: Json, name: str) -> Json:
    """Read an object that must be there."""
    value = body.get(name)
    if not isinstance(value, dict):
        raise invalid(name, "should be an object")
    return value


def key(given: str | None) -> str | None:
    """Read an idempotency key: a UUID, as the documentation wants it."""
    if given is None:
        return None
    try:
        return str(UUID(given))
    except ValueError:
        raise invalid("x-idempotency-key", "should be a UUID") from None
