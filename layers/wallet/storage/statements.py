"""Reading a wallet's entries: which there are, and what stands in them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from wallet.ledger import vpa
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.statements import Belonging, Holder, Outside, Span, StatementEntry, StatementPage, Stretch
from wallet.ledger.transactions import Side
from wallet.storage.database import Database, Row
from wallet.storage.rows import time_of, uuid_if_any, uuid_of
from wallet.storage.slot_balances import Point, SlotBalance, find_slot_balances


def find_span(
    database: Database,
    *,
    user_id: UUID,
    upto: Sequence[int] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Span | None:
    """The user's entries made in [`since`, `until`), None for somebody without a wallet.

    `upto` says how many entries of each slot to look at, as an earlier span did; what has come since is left out.
    Raises `Refused` if no span can have said that.
    """
    slots = database.read("CALL list_slots(%s)", user_id.bytes)
    if not slots:
        return None
    wallet_id = uuid_of(slots[0]["wallet_id"])
    known = [row["entries"] for row in slots]
    if upto is not None:
        known = _as_before(known, upto)
    ends = known if until is None else _entries_before(database, wallet_id, known, until)
    begins = [0] * len(known) if since is None else _entries_before(database, wallet_id, known, since)
    stretches = tuple(Stretch(slot, *bounds) for slot, bounds in enumerate(zip(begins, ends, strict=True)))
    return Span(wallet_id, stretches, time_of(slots[0]["now"]))


def _as_before(known: Sequence[int], upto: Sequence[int]) -> list[int]:
    """The counts of an earlier span: slots and entries only grow, and a slot that is newer had nothing then."""
    if len(upto) > len(known) or any(then > now for then, now in zip(upto, known, strict=False)):
        raise Refused(Refusal.INVALID_REQUEST, fields=(("cursor", "A cursor is what next_cursor said."),))
    return [*upto, *[0] * (len(known) - len(upto))]


def _entries_before(database: Database, wallet_id: UUID, known: Sequence[int], time: datetime) -> list[int]:
    points = [Point(slot, time, upto, strictly=True) for slot, upto in enumerate(known)]
    return [known.entry_no for known in find_slot_balances(database, wallet_id, points)]


def read_page(database: Database, span: Span, *, transaction_type: str | None = None, limit: int) -> StatementPage:
    """The newest `limit` entries of a span, all or those of one type."""
    types = None if transaction_type is None else (transaction_type,)
    found = read_entries(database, span, types=types, limit=limit + 1)
    entries = found[:limit]
    if len(span.stretches) > 1:
        entries = _with_totals(database, span, entries, unbroken=transaction_type is None)
    return StatementPage(tuple(entries), span.before(entries) if len(found) > limit else None)


def read_entries(database: Database, span: Span, *, types: Sequence[str] | None, limit: int) -> list[StatementEntry]:
    """The newest entries of a span, all or those of some types. Their `balance_after` is that of their slot alone."""
    stretches = json.dumps([[stretch.slot, stretch.after, stretch.upto] for stretch in span.stretches])
    arguments = (span.wallet_id.bytes, stretches, None if types is None else json.dumps(types), limit)
    return [_entry(row) for row in database.read("CALL list_entries(%s, %s, %s, %s)", *arguments)]


def find_entry(database: Database, *, user_id: UUID, transaction_id: UUID) -> tuple[StatementEntry, Belonging] | None:
    """The user's entry in a transaction, with what it belongs to."""
    rows = database.read("CALL find_entry(%s, %s)", user_id.bytes, transaction_id.bytes)
    span = find_span(database, user_id=user_id)
    if not rows or span is None:
        return None
    row = rows[0]
    itself = Span(span.wallet_id, (Stretch(row["slot"], row["entry_no"] - 1, row["entry_no"]),), span.as_of)
    entries = read_entries(database, itself, types=None, limit=1)
    if len(span.stretches) > 1:
        entries = _with_totals(database, span, entries, unbroken=False)
    return entries[0], Belonging(**{name: uuid_if_any(row[name]) for name in _BELONGINGS})


_BELONGINGS = ("payment_id", "refund_of", "hold_id", "top_up_id", "withdrawal_id")


def _with_totals(
    database: Database, span: Span, entries: Sequence[StatementEntry], *, unbroken: bool
) -> list[StatementEntry]:
    """Entries of a hot wallet with the balance of all of its slots behind each.

    `unbroken`: they follow on one another, so that the balance of the newest is that of all.
    """
    totals = _totals(database, span, entries[:1] if unbroken else entries)
    while len(totals) < len(entries):
        totals.append(totals[-1] - entries[len(totals) - 1].signed)
    return [replace(entry, balance_after=total) for entry, total in zip(entries, totals, strict=True)]


def _totals(database: Database, span: Span, entries: Sequence[StatementEntry]) -> list[int]:
    """The balance of all slots behind each entry, as far as the span knows them."""
    points = [Point(stretch.slot, entry.created_at, stretch.upto) for entry in entries for stretch in span.stretches]
    found = iter(find_slot_balances(database, span.wallet_id, points))
    return [sum(_had(next(found), entry) for _ in span.stretches) for entry in entries]


def _had(known: SlotBalance, entry: StatementEntry) -> int:
    """What a slot had behind `entry`: of two that have the same time, the greater id is the later."""
    is_later = (known.created_at, known.transaction_id) > (entry.created_at, entry.transaction_id)
    return known.balance - known.change if is_later else known.balance


def _entry(row: Row) -> StatementEntry:
    return StatementEntry(
        slot=row["slot"],
        entry_no=row["entry_no"],
        transaction_id=uuid_of(row["transaction_id"]),
        type=row["type"],
        side=Side(row["side"]),
        amount=row["amount"],
        balance_after=row["balance_after"],
        counterparty=_counterparty(row),
        description=row["description"],
        reference=row["reference"],
        created_at=time_of(row["created_at"]),
        rrn=row["bank_reference"] if row["reference_kind"] != "payout" else None,
        utr=row["bank_reference"] if row["reference_kind"] == "payout" else None,
    )


def _counterparty(row: Row) -> Holder | Outside:
    kind, _, name = row["account_code"].partition(":")
    if row["account_kind"] == "wallet":
        return Holder(uuid_of(row["account_id"]), row["holder_name"], row["holder_kind"])
    if row["vpa"] is not None and kind == "payout":
        return Outside("vpa", vpa.mask(row["vpa"]))
    return Outside("gateway", name) if kind == "gateway" else Outside("account", row["account_code"])


class Owner(NamedTuple):
    """Who has a wallet, since when, and in which currency."""

    holder: Holder
    phone: str
    currency: str
    since: datetime


def find_owner(database: Database, wallet_id: UUID) -> Owner:
    """The owner of a wallet that there is."""
    row = database.read("CALL find_wallet_owner(%s)", wallet_id.bytes)[0]
    holder = Holder(wallet_id, row["name"], row["kind"])
    return Owner(holder, row["phone"], row["currency"], time_of(row["created_at"]))


def balance_before(database: Database, span: Span, time: datetime) -> int:
    """What all slots together had right before `time`, as far as the span knows them."""
    points = [Point(stretch.slot, time, stretch.upto, strictly=True) for stretch in span.stretches]
    return sum(known.balance for known in find_slot_balances(database, span.wallet_id, points))
