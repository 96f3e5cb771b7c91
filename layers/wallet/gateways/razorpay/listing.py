"""Razorpay's lists turned into our values: of payments, and of what was settled.

An item that can't be read is named and passed over, so that one odd payment doesn't hide all the others on its page.

Shapes: https://razorpay.com/docs/api/payments/fetch-all-payments, …/api/settlements/fetch-recon.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence

from wallet.gateways.fields import CURRENCY, MalformedWireError, matching, minor_units
from wallet.gateways.port import PaymentPage, SettlementPage
from wallet.gateways.razorpay import wire
from wallet.ledger.breaks import SettlementLine, Unreadable

_ID = re.compile(r"[A-Za-z0-9_]{1,64}")
_TYPE = re.compile(r"[a-z_]{1,16}")
_UTR = re.compile(r"[!-~]{1,64}")
_UNIX_MAX = 1 << 40


def payments_of(page: Sequence[Mapping[str, object]]) -> PaymentPage:
    """Read a page of payments."""
    payments, unreadable = [], []
    for entity in page:
        try:
            payments.append(wire.payment_of(entity))
        except MalformedWireError as error:
            unreadable.append(Unreadable(_subject_of(entity), str(error), _amount_of(entity)))
    return PaymentPage(tuple(payments), tuple(unreadable))


def lines_of(page: Sequence[Mapping[str, object]]) -> SettlementPage:
    """Read a page of a settlement report. What it lists and has not settled yet is left for the day when it is."""
    lines, unreadable = [], []
    for entity in page:
        try:
            if entity.get("settled") is not False:
                lines.append(_line_of(entity))
        except MalformedWireError as error:
            unreadable.append(Unreadable(_subject_of(entity), str(error)))
    return SettlementPage(tuple(lines), tuple(unreadable))


def identity_of(entity: Mapping[str, object]) -> str:
    """What tells an item of a list from the others."""
    return _id_of(entity) or "an item without an id"


def _id_of(entity: Mapping[str, object]) -> str | None:
    name = entity.get("id") or entity.get("entity_id")
    return name if isinstance(name, str) and _ID.fullmatch(name) else None


def _subject_of(entity: Mapping[str, object]) -> str:
    """What something that can't be read is known by: without an id, by its content."""
    content = json.dumps(entity, sort_keys=True, default=str).encode()
    return _id_of(entity) or f"nameless_{hashlib.sha256(content).hexdigest()[:24]}"


def _amount_of(entity: Mapping[str, object]) -> int | None:
    """What an unreadable payment is worth: nothing only where it says so itself."""
    if entity.get("captured") is False:
        return 0
    try:
        return minor_units(entity, "amount")
    except MalformedWireError:
        return None


def _line_of(entity: Mapping[str, object]) -> SettlementLine:
    return SettlementLine(
        type=matching(entity, "type", _TYPE),
        entity_id=matching(entity, "entity_id", _ID),
        payment_id=_maybe(entity, "payment_id", _ID),
        amount=minor_units(entity, "amount"),
        currency=matching(entity, "currency", CURRENCY),
        debit=minor_units(entity, "debit"),
        credit=minor_units(entity, "credit"),
        fee=minor_units(entity, "fee"),
        tax=minor_units(entity, "tax"),
        settlement_id=_maybe(entity, "settlement_id", _ID),
        utr=_maybe(entity, "settlement_utr", _UTR),
        settled_at=_unix(entity, "settled_at"),
        dispute_id=_maybe(entity, "dispute_id", _ID),
    )


def _maybe(entity: Mapping[str, object], name: str, form: re.Pattern[str]) -> str | None:
    return None if entity.get(name) is None else matching(entity, name, form)


def _unix(entity: Mapping[str, object], name: str) -> int | None:
    value = entity.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 < value < _UNIX_MAX:
        raise MalformedWireError(f"{name} is not a time in Unix seconds")
    return value
