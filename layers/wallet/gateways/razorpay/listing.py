"""Razorpay's lists turned into our values: of payments, and of what was settled.

An item that can't be read is named and passed over, so that one odd payment doesn't hide all the others on its page.

Shapes: https://razorpay.com/docs/api/payments/fetch-all-payments, …/api/settlements/fetch-recon.
"""

import re
from collections.abc import Mapping, Sequence

from wallet.gateways.fields import CURRENCY, MalformedWireError, matching, minor_units
from wallet.gateways.port import GatewayRejectedError, PaymentPage, SettlementPage
from wallet.gateways.razorpay import wire
from wallet.ledger.breaks import SettlementLine

_ID = re.compile(r"[A-Za-z0-9_]{1,64}")
_TYPE = re.compile(r"[a-z_]{1,16}")
_UTR = re.compile(r"[!-~]{1,64}")
_UNIX_MAX = 1 << 40

_BAD_REQUEST, _NOT_FOUND = 400, 404


def payments_of(page: Sequence[Mapping[str, object]]) -> PaymentPage:
    """Read a page of payments."""
    payments, unreadable = [], []
    for entity in page:
        try:
            payments.append(wire.payment_of(entity))
        except MalformedWireError as error:
            unreadable.append(f"{identity_of(entity)}: {error}")
    return PaymentPage(tuple(payments), tuple(unreadable))


def lines_of(page: Sequence[Mapping[str, object]]) -> SettlementPage:
    """Read a page of a settlement report. What it lists and has not settled yet is left for the day when it is."""
    lines, unreadable = [], []
    for entity in page:
        try:
            if entity.get("settled") is not False:
                lines.append(_line_of(entity))
        except MalformedWireError as error:
            unreadable.append(f"{identity_of(entity)}: {error}")
    return SettlementPage(tuple(lines), tuple(unreadable))


def identity_of(entity: Mapping[str, object]) -> str:
    """What tells an item of a list from the others."""
    name = entity.get("id") or entity.get("entity_id")
    return name if isinstance(name, str) and _ID.fullmatch(name) else "an item without an id"


def says_that_there_is_none(error: GatewayRejectedError) -> bool:
    """Whether a refusal means that there is nothing of this id; of the 400s it is the one with this sentence."""
    described = (error.description or "").lower()
    return error.http_status == _NOT_FOUND or (
        error.http_status == _BAD_REQUEST and "id" in described and "does not exist" in described
    )


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
