"""Settlements: what the gateway pays out to the merchant's bank, and its report of that, line by line."""

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from local.gateway import fields
from local.gateway.failures import ApiError
from local.gateway.shapes import RAZORPAY, Dispute, Json, Payment, Refund, collection, new_id
from local.gateway.store import Store

_INDIA = timezone(timedelta(hours=5, minutes=30))
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KNOWN: Final = ("day", "adjustment", "leave_out", "amounts")
_PAGE_MAX = 1000


class UnplayableSettlementError(Exception):
    """422: the request has a field or a value that isn't known here."""


class Settlements:
    """Pays the merchant out, and reports it."""

    def __init__(self, store: Store) -> None:
        """Take the memory."""
        self._store = store

    def report(self, query: dict[str, str]) -> Json:
        """`GET /v1/settlements/recon/combined`: the lines of a day, or of a month, in the order of their settlement."""
        year = fields.number(query, "year", default=0, most=9999)
        month = fields.number(query, "month", default=0, most=99)
        day = fields.number(query, "day", default=0, most=99)
        count = fields.number(query, "count", default=10, most=_PAGE_MAX)
        skip = fields.number(query, "skip", default=0, most=10**9)
        if year < 1000:
            raise ApiError("The year must be 4 digits.", field="year")
        if not 1 <= month <= 12:
            raise ApiError("The month is not a valid month.", field="month")
        if "day" in query and not 1 <= day <= 31:
            raise ApiError("The day must be between 1 and 2 digits.", field="day")
        if count == 0:
            raise ApiError("The count must be at least 1.", field="count")
        days = f"{year:04}-{month:02}-" + (f"{day:02}" if "day" in query else "%")
        return collection(self._store.settled_on(days, count=count, skip=skip))

    def settle(self, body: Json) -> Json:
        """Play the day's settlement: everything that is captured or refunded and was not settled yet, in one.

        `day` is when (today in India, if it isn't told); `leave_out` are ids that are left for later, `amounts` says of
        some what the report is to claim instead, `adjustment` adds a line by which so much is taken from the merchant.
        What disputes took or gave back since the last one is an adjustment that names the dispute.
        """
        day, adjustment, left_out, amounts = _read(body)
        with self._store.block():
            settled_at = _noon(day)
            settlement = {"settlement_id": new_id("setl_"), "settlement_utr": f"{settled_at}{new_id()[:6].lower()}"}
            entities: list[Payment | Refund] = [*self._store.captured(RAZORPAY), *self._store.processed_refunds()]
            lines = [
                self._line(one, amounts.get(one.id, one.amount))
                for one in entities
                if one.id not in left_out and not self._store.is_settled(one.id)
            ]
            lines += [line for dispute in self._store.disputes(RAZORPAY) for line in self._of_dispute(dispute)]
            if adjustment:
                lines.append(_adjustment(adjustment))
            for line in lines:
                line |= {"settled": True, "settled_at": settled_at, **settlement}
                self._store.keep_settled(str(line["entity_id"]), day, line)
        return {**settlement, "day": day, "lines": len(lines)}

    def _of_dispute(self, dispute: Dispute) -> list[Json]:
        """The line for what a dispute took since the last report, or (negative) gave back; none if that is nothing."""
        name = f"disputed:{dispute.id}"
        before = int(self._store.setting(name) or 0)
        self._store.keep_setting(name, str(dispute.deducted))
        taken = dispute.deducted - before
        if taken == 0:
            return []
        line = _adjustment(abs(taken)) | {"dispute_id": dispute.id, "payment_id": dispute.payment_id}
        return [line if taken > 0 else line | {"debit": 0, "credit": -taken}]

    def _line(self, entity: Payment | Refund, amount: int) -> Json:
        payment = self._store.payment(entity.id if isinstance(entity, Payment) else entity.payment_id)
        return _line(entity, amount, payment)


def _read(body: Json) -> tuple[str, int, list[str], dict[str, int]]:
    day = body.get("day", f"{datetime.now(_INDIA):%Y-%m-%d}")
    adjustment, left_out, amounts = body.get("adjustment", 0), body.get("leave_out", []), body.get("amounts", {})
    if set(body) - set(_KNOWN):
        raise UnplayableSettlementError(
            "a settlement has a day, an adjustment, leave_out and amounts, or some of these"
        )
    if not isinstance(day, str) or not _DAY.fullmatch(day):
        raise UnplayableSettlementError("day must be like 2026-11-22")
    if type(adjustment) is not int or not isinstance(left_out, list) or not isinstance(amounts, dict):
        raise UnplayableSettlementError("adjustment is paise, leave_out a list of ids, amounts are paise by id")
    return day, adjustment, left_out, amounts


def _noon(day: str) -> int:
    at = datetime.strptime(day, "%Y-%m-%d").replace(hour=12, tzinfo=_INDIA)
    return int(at.astimezone(UTC).timestamp())


def _line(entity: Payment | Refund, amount: int, payment: Payment | None) -> Json:
    is_payment = isinstance(entity, Payment)
    fee, tax = (amount * 236 // 10_000, amount * 36 // 10_000) if is_payment else (0, 0)
    if isinstance(entity, Payment) and entity.surcharge:
        fee, tax = entity.fee, entity.tax
    return {
        "entity_id": entity.id,
        "type": "payment" if is_payment else "refund",
        "debit": 0 if is_payment else amount,
        "credit": amount - fee if is_payment else 0,
        "amount": amount,
        "currency": entity.currency,
        "fee": fee,
        "tax": tax,
        "on_hold": False,
        "created_at": entity.created_at,
        "posted_at": None,
        "credit_type": "default",
        "description": None,
        "notes": None,
        "payment_id": None if isinstance(entity, Payment) else entity.payment_id,
        "order_id": payment.order_id if payment is not None else None,
        "order_receipt": None,
        "method": "upi",
        "card_network": None,
        "card_issuer": None,
        "card_type": None,
        "dispute_id": None,
    }


def _adjustment(amount: int) -> Json:
    return {
        "entity_id": new_id("adj_"),
        "type": "adjustment",
        "debit": amount,
        "credit": 0,
        "amount": amount,
        "currency": "INR",
        "fee": 0,
        "tax": 0,
        "on_hold": False,
        "created_at": int(time.time()),
        "posted_at": None,
        "description": "an adjustment",
        "notes": None,
        "payment_id": None,
        "order_id": None,
        "order_receipt": None,
        "method": None,
        "card_network": None,
        "card_issuer": None,
        "card_type": None,
        "dispute_id": None,
    }
