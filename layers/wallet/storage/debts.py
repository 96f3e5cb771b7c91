"""Debts: money that left for somebody and that nothing of theirs covers, with its owner, while it is open and after.

Three things make one. Somebody refunded a payment at the gateway when its wallet had spent the money, or when money in
suspense had been credited (`uncovered_refund`). A withdrawal is said to have been paid out whose money is back in its
wallet (`disputed_withdrawal`). A payer's bank took back, or wants back, more than the wallet has (`payment_dispute`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from wallet.ledger import ids
from wallet.storage.database import Database, Row
from wallet.storage.rows import time_of, uuid_if_any, uuid_of

_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Debt:
    """A debt of a wallet's owner to us, in minor units.

    `subject` is what it is known by at the gateway or (of a withdrawal) to everybody. The wallet is None where the
    money was never credited to anybody. It is open until `until`; `resolution` says how it ended: `gone` (it is no
    longer there), `failed` (the refund was not made), `ended` (an operator's order was carried out), `operator` (an
    operator says so, and why), `borne` (it is our loss).
    """

    debt_id: UUID
    cause: str
    gateway: str
    subject: str
    user_id: UUID | None
    wallet_id: UUID | None
    phone: str | None
    name: str | None
    amount: int
    currency: str
    since: datetime
    until: datetime | None
    resolution: str | None
    resolved_by: str | None
    reason: str | None


# Of money in suspense the owner is whom it was credited to: the first, if there are several.
_REFUNDS = """
SELECT r.id, 'uncovered_refund' AS cause, r.gateway, r.gateway_refund_id AS subject,
       IF(t.type = 'top_up', a.wallet_id, (
           SELECT MIN(p.account_id) FROM postings p WHERE p.side = 'credit' AND p.transaction_id = (
               SELECT MIN(c.id) FROM transactions c WHERE c.cause_id = t.id AND c.type = 'adjustment'))) AS wallet_id,
       IF(m.rest < 0, LEAST(r.amount, -m.rest), r.amount) AS amount, r.currency, r.created_at AS since,
       COALESCE(IF(r.status = 'failed', r.ended_at, NULL), b.resolved_at) AS until,
       IF(r.status = 'failed', 'failed', b.resolution) AS resolution, b.resolved_by, b.reason
FROM source_refunds r
JOIN transactions t ON t.id = r.transaction_id
JOIN gateway_payments g ON g.transaction_id = t.id
LEFT JOIN payment_attempts a ON a.id = g.attempt_id
LEFT JOIN money_in_suspense m ON m.id = t.id
LEFT JOIN reconciliation_breaks b ON b.id = r.id
WHERE r.wallet_id IS NULL AND r.origin = 'gateway'
    AND (b.id IS NOT NULL OR r.status <> 'failed' AND (t.type = 'top_up' OR m.rest < 0))
"""

_DISPUTES = """
SELECT d.id, 'payment_dispute' AS cause, d.gateway, d.gateway_dispute_id AS subject, d.wallet_id,
       IF(d.ended_at IS NULL,
          d.amount - d.reserved - d.from_wallet - d.from_suspense - d.from_losses
              - LEAST(COALESCE(m.undisputed, 0), d.amount - d.from_suspense),
          d.from_losses) AS amount,
       d.currency, d.created_at AS since, d.ended_at AS until, IF(d.ended_at IS NULL, NULL, 'borne') AS resolution,
       o.operator AS resolved_by, o.reason
FROM payment_disputes d
LEFT JOIN (SELECT t.id, GREATEST(0, t.amount
                  - COALESCE((SELECT SUM(r.amount) FROM source_refunds r
                              WHERE r.transaction_id = t.id AND r.status <> 'failed'), 0)
                  - COALESCE((SELECT SUM(c.amount) FROM transactions c
                              WHERE c.cause_id = t.id AND c.type = 'adjustment'), 0)) AS undisputed
           FROM gateway_payments g JOIN transactions t ON t.id = g.transaction_id
           WHERE g.suspense_reason IS NOT NULL) m ON m.id = d.transaction_id
LEFT JOIN operator_actions o ON d.ended_at IS NOT NULL AND o.id = (
    SELECT MAX(x.id) FROM operator_actions x WHERE x.subject_id = d.id AND x.command = 'resolve_payment_dispute')
"""

# ruff: noqa: S608 - every query is made of the constants here
_OWED = f"""
SELECT x.*, u.id AS user_id, u.phone, u.name FROM ({_REFUNDS} UNION ALL {_DISPUTES}) x
LEFT JOIN wallets w ON w.id = x.wallet_id LEFT JOIN users u ON u.id = w.user_id
WHERE x.amount > 0 AND x.id > %s AND (%s IS NULL OR x.wallet_id = %s) AND (NOT %s OR x.until IS NULL)
ORDER BY x.id LIMIT %s
"""

_WITHDRAWALS = """
SELECT b.id, b.kind AS cause, b.gateway, b.subject, b.their_amount - b.our_amount AS amount, b.currency,
       b.open_since AS since, b.resolved_at AS until, b.resolution, b.resolved_by, b.reason
FROM reconciliation_breaks b
WHERE b.kind = 'disputed_withdrawal' AND b.their_amount > b.our_amount AND b.id > %s
    AND (NOT %s OR b.resolved_at IS NULL)
ORDER BY b.id LIMIT %s
"""

_OWNERS = """
SELECT d.id, d.wallet_id, u.id AS user_id, u.phone, u.name
FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id JOIN users u ON u.id = w.user_id WHERE d.id IN ({places})
"""


def debts(
    database: Database,
    *,
    wallet_id: UUID | None = None,
    only_open: bool = False,
    after: UUID | None = None,
    limit: int,
) -> tuple[Debt, ...]:
    """Debts of one wallet's owner or (None) of everybody, in the order in which they were first seen.

    Those behind the one whose id is `after`; those that have ended too, unless `only_open`.
    """
    behind = after.bytes if after is not None else bytes(16)
    own_id = wallet_id.bytes if wallet_id is not None else None
    owed = [_debt(row) for row in database.read(_OWED, behind, own_id, own_id, only_open, limit)]
    paid_out = islice(_of_withdrawals(database, wallet_id, behind, only_open=only_open), limit)
    return tuple(sorted([*owed, *paid_out], key=lambda debt: debt.debt_id)[:limit])


def _of_withdrawals(database: Database, wallet_id: UUID | None, behind: bytes, *, only_open: bool) -> Iterator[Debt]:
    """A break knows a withdrawal by its public id alone: whose it is, is looked up by that."""
    while rows := database.read(_WITHDRAWALS, behind, only_open, _AT_ONCE):
        behind = rows[-1]["id"]
        named = {row["subject"]: ids.read(ids.WITHDRAWAL, row["subject"]) for row in rows}
        known = [own_id.bytes for own_id in named.values() if own_id is not None] or [bytes(16)]
        owners = {
            ids.show(ids.WITHDRAWAL, uuid_of(row["id"])): row
            for row in database.read(_OWNERS.format(places=", ".join(["%s"] * len(known))), *known)
        }
        for row in rows:
            found = owners.get(row["subject"], {})
            owner = {name: found.get(name) for name in ("wallet_id", "user_id", "phone", "name")}
            if wallet_id is None or owner["wallet_id"] == wallet_id.bytes:
                yield _debt(row | owner)


def _debt(row: Row) -> Debt:
    return Debt(
        debt_id=uuid_of(row["id"]),
        cause=row["cause"],
        gateway=row["gateway"],
        subject=row["subject"],
        user_id=uuid_if_any(row["user_id"]),
        wallet_id=uuid_if_any(row["wallet_id"]),
        phone=row["phone"],
        name=row["name"],
        amount=int(row["amount"]),
        currency=row["currency"],
        since=time_of(row["since"]),
        until=None if row["until"] is None else time_of(row["until"]),
        resolution=row["resolution"],
        resolved_by=row["resolved_by"],
        reason=row["reason"],
    )
