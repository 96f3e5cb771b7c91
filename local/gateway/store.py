"""The simulator's memory: one SQLite file, so that it outlives a restart or a kill."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local.gateway.shapes import RAZORPAY, Dispute, Order, Payment, Payout, Refund

_TABLES = """
CREATE TABLE IF NOT EXISTS documents (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, id TEXT NOT NULL, parent TEXT, body TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS documents_by_parent ON documents (kind, parent);
CREATE INDEX IF NOT EXISTS documents_by_time ON documents (kind, json_extract(body, '$.created_at'), position);
CREATE TABLE IF NOT EXISTS refund_keys (key TEXT PRIMARY KEY, request TEXT NOT NULL, refund_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payout_keys (key TEXT PRIMARY KEY, request TEXT NOT NULL, payout_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cashfree_keys (key TEXT PRIMARY KEY, request TEXT NOT NULL, made TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS webhooks (
    position INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL,
    event_id TEXT NOT NULL, event TEXT NOT NULL, order_id TEXT NOT NULL, payment_id TEXT NOT NULL,
    body BLOB NOT NULL, headers TEXT NOT NULL, created_at REAL NOT NULL, due_at REAL NOT NULL,
    status TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, url TEXT, answers TEXT NOT NULL DEFAULT '[]'
);
CREATE TABLE IF NOT EXISTS messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, phone TEXT NOT NULL, text TEXT NOT NULL,
    attributes TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_phone ON messages (phone, position);
CREATE INDEX IF NOT EXISTS webhooks_by_due ON webhooks (status, due_at);
"""

Row = sqlite3.Row


class Store:
    """One connection, used by one thread at a time, inside atomic blocks."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it and its folder if need be."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")  # safe from a kill, if not from a power cut
        self._database.executescript(_TABLES)

    @contextmanager
    def block(self) -> Iterator[None]:
        """Make everything inside happen whole or not at all. Not to be nested."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def rows(self, sql: str, *values: object) -> list[Row]:
        """Run one statement and return its rows."""
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def setting(self, name: str) -> str | None:
        """Return a setting, None if it was never made."""
        found = self.rows("SELECT value FROM settings WHERE name = ?", name)
        return None if not found else str(found[0]["value"])

    def keep_setting(self, name: str, value: str) -> None:
        """Make or replace a setting."""
        self.rows("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", name, value)

    def keep_order(self, order: Order) -> None:
        """Insert or replace an order."""
        self._keep("order", order.id, order.receipt, asdict(order))

    def keep_payment(self, payment: Payment) -> None:
        """Insert or replace a payment."""
        self._keep("payment", payment.id, payment.order_id, asdict(payment))

    def keep_refund(self, refund: Refund) -> None:
        """Insert or replace a refund."""
        self._keep("refund", refund.id, refund.payment_id, asdict(refund))

    def keep_dispute(self, dispute: Dispute) -> None:
        """Insert or replace a dispute."""
        self._keep("dispute", dispute.id, dispute.payment_id, asdict(dispute))

    def keep_payout(self, payout: Payout) -> None:
        """Insert or replace a payout."""
        self._keep("payout", payout.id, payout.reference_id, asdict(payout))

    def order(self, order_id: str) -> Order | None:
        """Find an order."""
        found = self._bodies("kind = 'order' AND id = ?", order_id)
        return Order(**found[0]) if found else None

    def payment(self, payment_id: str) -> Payment | None:
        """Find a payment."""
        found = self._bodies("kind = 'payment' AND id = ?", payment_id)
        return Payment(**found[0]) if found else None

    def refund(self, refund_id: str) -> Refund | None:
        """Find a refund."""
        found = self._bodies("kind = 'refund' AND id = ?", refund_id)
        return Refund(**found[0]) if found else None

    def dispute(self, dispute_id: str) -> Dispute | None:
        """Find a dispute."""
        found = self._bodies("kind = 'dispute' AND id = ?", dispute_id)
        return Dispute(**found[0]) if found else None

    def disputes(self, gateway: str) -> list[Dispute]:
        """Return all disputes of payments of one protocol, oldest first."""
        every = [Dispute(**body) for body in self._bodies("kind = 'dispute'")]
        payments = {dispute.payment_id: self.payment(dispute.payment_id) for dispute in every}
        return [one for one in every if getattr(payments[one.payment_id], "gateway", None) == gateway]

    def disputes_of(self, payment_id: str) -> list[Dispute]:
        """Return a payment's disputes, oldest first."""
        return [Dispute(**body) for body in self._bodies("kind = 'dispute' AND parent = ?", payment_id)]

    def payout(self, payout_id: str) -> Payout | None:
        """Find a payout."""
        found = self._bodies("kind = 'payout' AND id = ?", payout_id)
        return Payout(**found[0]) if found else None

    def payouts(self, reference_id: str | None) -> list[Payout]:
        """Return all payouts, or those of one reference, oldest first."""
        if reference_id is None:
            return [Payout(**body) for body in self._bodies("kind = 'payout'")]
        return [Payout(**body) for body in self._bodies("kind = 'payout' AND parent = ?", reference_id)]

    def orders(self, receipt: str | None) -> list[Order]:
        """Return all orders, or those of one receipt, oldest first."""
        if receipt is None:
            return [Order(**body) for body in self._bodies("kind = 'order'")]
        return [Order(**body) for body in self._bodies("kind = 'order' AND parent = ?", receipt)]

    def latest_orders(self, count: int) -> list[Order]:
        """Return so many orders at most, newest first."""
        rows = self.rows("SELECT body FROM documents WHERE kind = 'order' ORDER BY position DESC LIMIT ?", count)
        return [Order(**json.loads(row["body"])) for row in rows]

    def payments_of(self, order_id: str) -> list[Payment]:
        """Return an order's payments, oldest first."""
        return [Payment(**body) for body in self._bodies("kind = 'payment' AND parent = ?", order_id)]

    def payments_between(self, first: int, last: int, gateway: str, *, count: int, skip: int) -> list[Payment]:
        """Return a page of the payments that were begun in this time (Unix seconds), newest first."""
        rows = self.rows(
            "SELECT body FROM documents WHERE kind = 'payment' AND json_extract(body, '$.created_at') BETWEEN ? AND ?"
            " AND json_extract(body, '$.gateway') = ?"
            " ORDER BY json_extract(body, '$.created_at') DESC, position DESC LIMIT ? OFFSET ?",
            first,
            last,
            gateway,
            count,
            skip,
        )
        return [Payment(**json.loads(row["body"])) for row in rows]

    def captured(self, gateway: str) -> list[Payment]:
        """Return every payment that was captured, oldest first."""
        payments = [Payment(**body) for body in self._bodies("kind = 'payment'")]
        return [payment for payment in payments if payment.captured and payment.gateway == gateway]

    def processed_refunds(self) -> list[Refund]:
        """Return every refund of a captured payment that has been paid out, oldest first."""
        refunds = [Refund(**body) for body in self._bodies("kind = 'refund'")]
        return [refund for refund in refunds if refund.status == "processed" and self._is_captured(refund.payment_id)]

    def keep_settled(self, entity_id: str, day: str, line: dict[str, object]) -> None:
        """Insert or replace a line of a settlement report."""
        self._keep("settled", entity_id, day, line)

    def is_settled(self, entity_id: str) -> bool:
        """Tell whether some report has this payment or refund."""
        return bool(self._bodies("kind = 'settled' AND id = ?", entity_id))

    def settled_on(self, days: str, *, count: int, skip: int) -> list[dict[str, Any]]:
        """Return a page of the lines of one day (`2026-11-22`) or one month (`2026-11-%`)."""
        rows = self.rows(
            "SELECT body FROM documents WHERE kind = 'settled' AND parent LIKE ? ORDER BY position LIMIT ? OFFSET ?",
            days,
            count,
            skip,
        )
        return [json.loads(row["body"]) for row in rows]

    def _is_captured(self, payment_id: str) -> bool:
        payment = self.payment(payment_id)
        return payment is not None and payment.captured and payment.gateway == RAZORPAY

    def refunds_of(self, payment_id: str) -> list[Refund]:
        """Return a payment's refunds, oldest first."""
        return [Refund(**body) for body in self._bodies("kind = 'refund' AND parent = ?", payment_id)]

    def _keep(self, kind: str, document_id: str, parent: str | None, body: dict[str, object]) -> None:
        self.rows(
            "INSERT INTO documents (kind, id, parent, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            kind,
            document_id,
            parent,
            json.dumps(body),
        )

    def _bodies(self, where: str, *values: str) -> list[dict[str, Any]]:
        # `where` is one of the fixed texts above; Any, for the bodies are what `_keep` wrote.
        sql = f"SELECT body FROM documents WHERE {where} ORDER BY position"  # noqa: S608
        return [json.loads(row["body"]) for row in self.rows(sql, *values)]
