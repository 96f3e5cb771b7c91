"""Writes histories straight into the books, as their owner: long ones, and ones whose every moment is chosen.

What it writes is what the kernel would have written, less the events.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.support.books import Books, Person, new_phone
from wallet import wiring
from wallet.ledger import ids
from wallet.storage.database import connect

GATEWAY_ACCOUNT = UUID("00000000000070008000000000000002")
PAYOUT_ACCOUNT = UUID("00000000000070008000000000000004")
FEES_ACCOUNT = UUID("00000000000070008000000000000005")

# each may refer to those before it
_ORDER = (
    "users",
    "accounts",
    "wallets",
    "wallet_slots",
    "holds",
    "withdrawals",
    "transactions",
    "gateway_payments",
    "hold_captures",
    "withdrawal_bookings",
    "source_refund_bookings",
    "postings",
    "held_changes",
)
#: What only some types of transactions have, by the column that names it: where it stands.
BESIDE = {
    "gateway_payment_id": "gateway_payments",
    "hold_id": "hold_captures",
    "withdrawal_id": "withdrawal_bookings",
    "source_refund_id": "source_refund_bookings",
}

_HOLD = "id, payer_wallet_id, payee_wallet_id, amount, captured, currency, status, created_at, expires_at, ended_at"

_TICK = timedelta(microseconds=1)
_BEGINNING = datetime(2026, 4, 1, tzinfo=UTC)


@dataclass(slots=True)
class Slot:
    """A slot as the pen has left it."""

    entries: int = 0
    balance: int = 0
    last: datetime = _BEGINNING


@dataclass(slots=True)
class Page:
    """A wallet that the pen writes: its slots, how often `held` changed, and what is held."""

    person: Person
    name: str
    slots: list[Slot]
    held: int = 0
    held_changes: int = 0

    @property
    def total(self) -> int:
        return sum(slot.balance for slot in self.slots)

    @property
    def last(self) -> datetime:
        return max(slot.last for slot in self.slots)


@dataclass(slots=True)
class Hold:
    """A hold as the pen has left it."""

    id: UUID
    payer: Page
    payee: Page
    amount: int
    created_at: datetime
    expires_at: datetime
    captured: int = 0
    status: str = "placed"
    ended_at: datetime | None = None

    @property
    def row(self) -> tuple[object, ...]:
        ends = (self.payer.person.wallet_id.bytes, self.payee.person.wallet_id.bytes)
        times = (self.created_at, self.expires_at, self.ended_at)
        return (self.id.bytes, *ends, self.amount, self.captured, "INR", self.status, *times)


@dataclass(slots=True)
class Pen:
    """Everything is in memory until `flush` writes it in one commit; holds are written once, as they then stand."""

    books: Books
    pages: dict[UUID, Page] = field(default_factory=dict)
    last: UUID = FEES_ACCOUNT
    _holds: list[Hold] = field(default_factory=list)
    _rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def wallet(self, *, slots: int = 1, name: str = "Asha Rao", kind: str = "personal") -> Page:
        """A new wallet, empty."""
        page = Page(Person(wiring.new_id(), wiring.new_id(), new_phone()), name, [Slot() for _ in range(slots)])
        user, wallet = page.person.user_id.bytes, page.person.wallet_id.bytes
        self.add(
            "users",
            "id, phone, name, kind, password_hash, created_at",
            user,
            page.person.phone,
            name,
            kind,
            b"x" * 60,
            _BEGINNING,
        )
        self.add("accounts", "id, code, kind, created_at", wallet, f"wallet:{wallet.hex()}", "wallet", _BEGINNING)
        self.add(
            "wallets",
            "id, user_id, tier, currency, status, balance, held, entries, slots, last_entry_at, created_at",
            wallet,
            user,
            "merchant",
            "INR",
            "active",
            0,
            0,
            0,
            slots,
            _BEGINNING,
            _BEGINNING,
        )
        for slot in range(1, slots):
            self.add("wallet_slots", "wallet_id, slot, balance, entries, last_entry_at", wallet, slot, 0, 0, _BEGINNING)
        self.pages[page.person.wallet_id] = page
        return page

    def post(
        self,
        kind: str,
        debit: Page | UUID,
        credit: Page | UUID,
        amount: int,
        at: datetime,
        *,
        debit_slot: int = 0,
        credit_slot: int = 0,
        **columns: object,
    ) -> UUID:
        """A transaction of two postings; other `columns` of its row, or of what stands beside it, by name."""
        transaction_id = self.last = ids.uuid7(unix_ms=int(at.timestamp() * 1000), entropy=secrets.token_bytes(10))
        beside = {name: columns.pop(name) for name in (*BESIDE, "gateway") if name in columns}
        own = {"id": transaction_id.bytes, "type": kind, "amount": amount, "currency": "INR", "created_at": at}
        self._add("transactions", own | columns)
        for table in (table for name, table in BESIDE.items() if name in beside):
            more: dict[str, object] = {"transaction_id": transaction_id.bytes}
            if table == "gateway_payments":
                more |= {"answer": b"x", "answer_digest": b"d" * 32, "surcharge": 0, "created_at": at}
            elif table == "withdrawal_bookings":
                more["type"] = kind
            self._add(table, beside | more)
        self._posting(transaction_id, 1, (debit, debit_slot), -amount, kind=kind, at=at)
        self._posting(transaction_id, 2, (credit, credit_slot), amount, kind=kind, at=at)
        return transaction_id

    def _posting(
        self, transaction_id: UUID, line: int, where: tuple[Page | UUID, int], change: int, *, kind: str, at: datetime
    ) -> None:
        account, number = where
        entry_no = balance = None
        account_id = account.person.wallet_id if isinstance(account, Page) else account
        if isinstance(account, Page):
            slot = account.slots[number]
            assert at > slot.last, "a slot's time only grows"
            slot.entries, slot.balance, slot.last = slot.entries + 1, slot.balance + change, at
            entry_no, balance = slot.entries, slot.balance
        self.add(
            "postings",
            "transaction_id, line, account_id, slot, type, side, amount, entry_no, balance_after, created_at",
            transaction_id.bytes,
            line,
            account_id.bytes,
            number,
            kind,
            "credit" if change > 0 else "debit",
            abs(change),
            entry_no,
            balance,
            at,
        )

    def gather(self, page: Page, need: int, at: datetime) -> datetime:
        """Brings money from other slots to slot 0 until it has `need`; the time behind that."""
        for number, slot in enumerate(page.slots[1:], start=1):
            missing = need - page.slots[0].balance
            if missing > 0 and slot.balance > 0:
                at = max(at, slot.last, page.slots[0].last) + _TICK
                self.post("gather", page, page, slot.balance, at, debit_slot=number)
        return at

    def hold(self, payer: Page, payee: Page, amount: int, at: datetime, *, seconds: int) -> Hold:
        """Money set aside for `seconds`."""
        hold = Hold(wiring.new_id(), payer, payee, amount, at, at + timedelta(seconds=seconds))
        self._holds.append(hold)
        self.set_aside(payer, amount, hold.id, at)
        return hold

    def end(self, hold: Hold, status: str, at: datetime, *, captured: int = 0) -> None:
        """The end of a hold: what was captured is paid, the rest is free again."""
        assert hold.status == "placed"
        if captured:
            at = self.gather(hold.payer, captured, at) + _TICK
            self.post("hold_capture", hold.payer, hold.payee, captured, at, hold_id=hold.id.bytes)
        hold.status, hold.captured, hold.ended_at = status, captured, at
        self.set_aside(hold.payer, -hold.amount, hold.id, at)

    def set_aside(self, page: Page, amount: int, cause_id: UUID, at: datetime) -> None:
        """A change of what is held."""
        page.held, page.held_changes = page.held + amount, page.held_changes + 1
        self.add(
            "held_changes",
            "wallet_id, change_no, amount, held_after, cause, cause_id, created_at",
            page.person.wallet_id.bytes,
            page.held_changes,
            amount,
            page.held,
            "hold",
            cause_id.bytes,
            at,
        )

    def flush(self) -> None:
        """Writes what is there."""
        for hold in self._holds:
            self.add("holds", _HOLD, *hold.row)
        self._holds.clear()
        connection = connect(self.books.server, self.books.owner_credentials, patience_s=300)
        with connection, connection.cursor() as cursor:
            cursor.execute("START TRANSACTION")
            for into, rows in sorted(self._rows.items(), key=lambda item: _ORDER.index(item[0].partition(" ")[0])):
                places = ", ".join(["%s"] * len(rows[0]))
                values = [_plain(row) for row in rows]
                cursor.executemany(f"INSERT INTO {into} VALUES ({places})", values)  # noqa: S608 - names of our own
            for page in self.pages.values():
                first, *others = page.slots
                wallet_id = page.person.wallet_id.bytes
                cursor.execute(
                    "UPDATE wallets SET balance = %s, entries = %s, last_entry_at = %s, held = %s, held_changes = %s"
                    " WHERE id = %s",
                    _plain((first.balance, first.entries, first.last, page.held, page.held_changes, wallet_id)),
                )
                cursor.executemany(
                    "UPDATE wallet_slots SET balance = %s, entries = %s, last_entry_at = %s"
                    " WHERE wallet_id = %s AND slot = %s",
                    [_plain((slot.balance, slot.entries, slot.last, wallet_id, n)) for n, slot in enumerate(others, 1)],
                )
            cursor.execute("COMMIT")
        self._rows.clear()

    def _add(self, table: str, row: dict[str, object]) -> None:
        self.add(table, ", ".join(row), *row.values())

    def add(self, table: str, columns: str, *values: object) -> None:
        """A row of any table."""
        self._rows.setdefault(f"{table} ({columns})", []).append(values)


def _plain(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in values)
