"""Breaks, how far a gateway's lists have been read, and what its settlement reports said."""

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from wallet.ledger.breaks import BookedDispute, BookedPayment, BookedRefund, Break, Kind, SettlementLine
from wallet.storage.database import Database, Row
from wallet.storage.rows import time_of

_AT_ONCE = 200

Item = TypeVar("Item")


def note_break(database: Database, found: Break, *, gateway: str, break_id: UUID) -> bool:
    """Writes a break down, or that it is still there; True if it is new, or there again."""
    answer = database.call(
        "note_break",
        break_id.bytes,
        found.kind.value,
        gateway,
        found.subject,
        found.ours,
        found.theirs,
        found.currency,
    )
    return answer.outcome == "done"


def clear_break(database: Database, kind: Kind, *, gateway: str, subject: str) -> bool:
    """Resolves a break that is no longer there; False if none was open."""
    return database.call("clear_break", kind.value, gateway, subject).outcome == "done"


def tidy_breaks(database: Database) -> None:
    """Makes a break of every stuck event and of every refund that nothing covers.

    It also has withdrawals asked about that an operator's order waits for.
    """
    database.call("tidy_breaks")


# A look at a subject writes down one of its breaks: it has been looked at when the latest of them was seen.
_OPEN = """
SELECT b.subject FROM reconciliation_breaks b
JOIN reconciliation_breaks o ON o.gateway = b.gateway AND o.subject = b.subject AND o.kind IN ({places})
WHERE b.resolved_at IS NULL AND b.gateway = %s AND b.kind IN ({places})
GROUP BY b.subject ORDER BY MAX(o.last_seen_at), b.subject LIMIT %s
"""


def open_subjects(database: Database, kinds: Collection[Kind], *, gateway: str, limit: int) -> list[str]:
    """What open breaks of these kinds are about, first what was not looked at for the longest."""
    named = [kind.value for kind in kinds]
    rows = database.read(_OPEN.format(places=_places(named)), *named, gateway, *named, limit)
    return [row["subject"] for row in rows]


_OPEN_LINES = """
SELECT b.subject FROM reconciliation_breaks b
WHERE b.resolved_at IS NULL AND b.gateway = %s AND b.kind IN ({places})
  AND EXISTS (SELECT 1 FROM settlement_lines l
              WHERE l.gateway = b.gateway AND l.entity_id = b.subject
                AND (l.type IN ('payment', 'refund') OR l.dispute_id IS NOT NULL))
GROUP BY b.subject ORDER BY MAX(b.last_seen_at), b.subject LIMIT %s
"""


def open_lines(database: Database, kinds: Collection[Kind], *, gateway: str, limit: int) -> list[str]:
    """The same of what a report has told of and a look has something to go by: payments, refunds, adjustments about
    disputes.
    """
    rows = database.read(_OPEN_LINES.format(places=_places(kinds)), gateway, *(kind.value for kind in kinds), limit)
    return [row["subject"] for row in rows]


_OPEN_DISPUTES = """
SELECT b.subject FROM reconciliation_breaks b
JOIN payment_disputes d ON d.gateway = b.gateway AND d.gateway_dispute_id = b.subject
WHERE b.resolved_at IS NULL AND b.gateway = %s AND b.kind IN ({places})
GROUP BY b.subject ORDER BY MAX(b.last_seen_at), b.subject LIMIT %s
"""


def open_dispute_subjects(database: Database, kinds: Collection[Kind], *, gateway: str, limit: int) -> list[str]:
    """The same of disputes themselves."""
    rows = database.read(_OPEN_DISPUTES.format(places=_places(kinds)), gateway, *(kind.value for kind in kinds), limit)
    return [row["subject"] for row in rows]


_OPEN_ABOUT = """
SELECT kind, subject FROM reconciliation_breaks
WHERE resolved_at IS NULL AND gateway = %s AND subject IN ({places})
"""


def open_about(database: Database, subjects: Collection[str], *, gateway: str) -> set[tuple[Kind, str]]:
    """Which open breaks there are about these subjects."""
    found: set[tuple[Kind, str]] = set()
    for some in _batches(subjects):
        rows = database.read(_OPEN_ABOUT.format(places=_places(some)), gateway, *some)
        found |= {(Kind(row["kind"]), row["subject"]) for row in rows}
    return found


_WALK = "SELECT done_until FROM reconciliation_walks WHERE gateway = %s AND walk = %s"
_FIRST_ATTEMPT = "SELECT created_at FROM payment_attempts WHERE gateway = %s ORDER BY id LIMIT 1"


def walked_until(database: Database, *, gateway: str, walk: str, farthest: datetime) -> datetime | None:
    """Up to when a walk has been done, however long ago that is.

    If it never was, when the first attempt was made, but nothing before `farthest`; None if there is none.
    """
    rows = database.read(_WALK, gateway, walk)
    if rows:
        return time_of(rows[0]["done_until"])
    attempts = database.read(_FIRST_ATTEMPT, gateway)
    return max(farthest, time_of(attempts[0]["created_at"])) if attempts else None


def advance_walk(database: Database, *, gateway: str, walk: str, done_until: datetime) -> None:
    """Writes down how far a walk has come; it never goes back."""
    database.call("advance_walk", gateway, walk, done_until.replace(tzinfo=None))


_PAYMENTS = """
SELECT g.gateway_payment_id, t.amount, t.currency, g.surcharge,
       CAST(COALESCE(SUM(CASE WHEN r.status = 'succeeded' THEN r.amount ELSE 0 END), 0) AS SIGNED) AS returned,
       CAST(COALESCE(SUM(CASE WHEN r.status <> 'failed' THEN r.amount ELSE 0 END), 0) AS SIGNED) AS promised
FROM gateway_payments g
JOIN transactions t ON t.id = g.transaction_id
LEFT JOIN source_refunds r ON r.transaction_id = g.transaction_id
WHERE g.gateway = %s AND g.gateway_payment_id IN ({places})
GROUP BY g.gateway_payment_id, t.amount, t.currency, g.surcharge
"""


def booked_payments(database: Database, ids: Collection[str], *, gateway: str) -> dict[str, BookedPayment]:
    """Those of these gateway payments that are in the ledger, by their id."""
    found: dict[str, BookedPayment] = {}
    for some in _batches(ids):
        for row in database.read(_PAYMENTS.format(places=_places(some)), gateway, *some):
            payment = BookedPayment(
                payment_id=row["gateway_payment_id"],
                amount=row["amount"],
                currency=row["currency"],
                returned=row["returned"],
                promised=row["promised"],
                surcharge=row["surcharge"],
            )
            found[payment.payment_id] = payment
    return found


_REFUNDS = """
SELECT gateway_refund_id, amount, currency FROM source_refunds
WHERE gateway = %s AND status = 'succeeded' AND gateway_refund_id IN ({places})
"""


def booked_refunds(database: Database, ids: Collection[str], *, gateway: str) -> dict[str, BookedRefund]:
    """Those of these gateway refunds that are in the ledger, by their id."""
    found: dict[str, BookedRefund] = {}
    for some in _batches(ids):
        for row in database.read(_REFUNDS.format(places=_places(some)), gateway, *some):
            found[row["gateway_refund_id"]] = BookedRefund(row["gateway_refund_id"], row["amount"], row["currency"])
    return found


_DISPUTES = """
SELECT d.gateway_dispute_id, d.amount, d.currency, d.from_wallet + d.from_suspense + d.from_losses AS booked,
       d.ended_at IS NULL AS is_open,
       CAST(COALESCE((SELECT SUM(l.debit) - SUM(l.credit) FROM settlement_lines l
                      WHERE l.gateway = d.gateway AND l.dispute_id = d.gateway_dispute_id), 0) AS SIGNED) AS deducted
FROM payment_disputes d WHERE d.gateway = %s AND d.gateway_dispute_id IN ({places})
"""


def booked_disputes(database: Database, ids: Collection[str], *, gateway: str) -> dict[str, BookedDispute]:
    """Those of these disputes that were told of, by the gateway's id, with what settlement reports took for each."""
    found: dict[str, BookedDispute] = {}
    for some in _batches(ids):
        for row in database.read(_DISPUTES.format(places=_places(some)), gateway, *some):
            found[row["gateway_dispute_id"]] = BookedDispute(
                dispute_id=row["gateway_dispute_id"],
                amount=row["amount"],
                currency=row["currency"],
                booked=row["booked"],
                is_open=bool(row["is_open"]),
                deducted=row["deducted"],
            )
    return found


# What was booked when goes by the time that the server gave it: ids begin with a time that their maker chose.
_BOOKED_BETWEEN = """
SELECT gateway_payment_id FROM gateway_payments WHERE created_at >= %s AND created_at < %s AND gateway = %s
"""


def booked_between(database: Database, since: datetime, until: datetime, *, gateway: str) -> set[str]:
    """The ids of the gateway's payments that were booked in this stretch of time."""
    times = since.replace(tzinfo=None), until.replace(tzinfo=None)
    rows = database.read(_BOOKED_BETWEEN, *times, gateway)
    return {row["gateway_payment_id"] for row in rows}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something in the books that a settlement report should have told of; in minor units."""

    subject: str
    amount: int
    currency: str


_PAYMENTS_NOT_SETTLED = """
SELECT g.gateway_payment_id AS subject, t.amount, t.currency
FROM gateway_payments g JOIN transactions t ON t.id = g.transaction_id
LEFT JOIN settlement_lines l
    ON l.gateway = g.gateway AND l.type = 'payment' AND l.entity_id = g.gateway_payment_id
WHERE g.created_at >= %s AND g.created_at < %s AND g.gateway = %s AND l.entity_id IS NULL
"""

# A refund ends when it is booked.
_REFUNDS_NOT_SETTLED = """
SELECT r.gateway_refund_id AS subject, r.amount, r.currency FROM source_refunds r
LEFT JOIN settlement_lines l
    ON l.gateway = r.gateway AND l.type = 'refund' AND l.entity_id = r.gateway_refund_id
WHERE r.ended_at >= %s AND r.ended_at < %s AND r.gateway = %s AND r.status = 'succeeded' AND l.entity_id IS NULL
"""


# A dispute that was lost ends when that is booked.
_LOSSES_NOT_SETTLED = """
SELECT d.gateway_dispute_id AS subject, d.from_wallet + d.from_suspense + d.from_losses AS amount, d.currency
FROM payment_disputes d
LEFT JOIN settlement_lines l ON l.gateway = d.gateway AND l.dispute_id = d.gateway_dispute_id
WHERE d.ended_at >= %s AND d.ended_at < %s AND d.gateway = %s AND l.entity_id IS NULL
    AND d.from_wallet + d.from_suspense + d.from_losses > 0
"""


def not_settled(database: Database, since: datetime, until: datetime, *, gateway: str) -> list[Waiting]:
    """Payments, refunds and lost disputes that were booked in this stretch of time and that no report has told of."""
    times = since.replace(tzinfo=None), until.replace(tzinfo=None)
    rows = [
        *database.read(_PAYMENTS_NOT_SETTLED, *times, gateway),
        *database.read(_REFUNDS_NOT_SETTLED, *times, gateway),
        *database.read(_LOSSES_NOT_SETTLED, *times, gateway),
    ]
    return [Waiting(row["subject"], row["amount"], row["currency"]) for row in rows]


def keep_lines(database: Database, lines: Iterable[SettlementLine], *, gateway: str) -> None:
    """Keeps lines of a settlement report; of one that was told before, the latest word stays."""
    for some in _batches(list(lines)):
        database.call("keep_settlement_lines", gateway, json.dumps([asdict(line) for line in some]))


_LINES = """
SELECT type, entity_id, payment_id, amount, currency, debit, credit, fee, tax, settlement_id, utr, dispute_id
FROM settlement_lines WHERE gateway = %s AND entity_id IN ({places})
"""


def lines_about(database: Database, ids: Collection[str], *, gateway: str) -> dict[str, SettlementLine]:
    """The lines about these subjects; the time of their settlement is left out."""
    found: dict[str, SettlementLine] = {}
    for some in _batches(ids):
        for row in database.read(_LINES.format(places=_places(some)), gateway, *some):
            found[row["entity_id"]] = SettlementLine(settled_at=None, **row)
    return found


@dataclass(frozen=True, slots=True)
class Figures:
    """What alarms look at. Ages are seconds, 0 where there is nothing; money is minor units.

    `suspense_minor` is of rupees, which wallets hold; money of another currency is seen by its age.
    `webhook_silence_s`: for how long no webhook has come while somebody might have paid: since the last one, or since
    the oldest open attempt was made if that is later; 0 while no attempt is open. `disputes_due`: how many payment
    disputes wait for our answer whose deadline is near, or over.
    """

    open_breaks: int
    oldest_break_s: int
    suspense_minor: int
    oldest_suspense_s: int
    webhook_silence_s: int
    disputes_due: int


_BREAK_FIGURES = """
SELECT COUNT(*) AS open_breaks,
       COALESCE(TIMESTAMPDIFF(SECOND, MIN(open_since), UTC_TIMESTAMP(6)), 0) AS oldest_break_s
FROM reconciliation_breaks WHERE resolved_at IS NULL
"""

_SUSPENSE_FIGURES = """
SELECT CAST(COALESCE(SUM(IF(currency = 'INR', rest, 0)), 0) AS SIGNED) AS suspense_minor,
       COALESCE(TIMESTAMPDIFF(SECOND, MIN(created_at), UTC_TIMESTAMP(6)), 0) AS oldest_suspense_s
FROM money_in_suspense WHERE rest > 0
"""

_SILENCE = """
SELECT COALESCE(TIMESTAMPDIFF(SECOND, GREATEST(
           (SELECT MIN(created_at) FROM payment_attempts
            WHERE gateway = %s AND next_check_at IS NOT NULL AND status IN ('created', 'pending', 'failed')
              AND expires_at > UTC_TIMESTAMP(6)),
           COALESCE((SELECT received_at FROM gateway_events WHERE gateway = %s ORDER BY id DESC LIMIT 1), '1970-01-01')
       ), UTC_TIMESTAMP(6)), 0) AS webhook_silence_s
"""


_DUE_DISPUTES = """
SELECT COUNT(*) AS disputes_due FROM payment_disputes
WHERE ended_at IS NULL AND status IN ('open', 'action_required') AND respond_by < UTC_TIMESTAMP(6) + INTERVAL %s HOUR
"""


def figures(database: Database, *, gateway: str, dispute_notice_h: int) -> Figures:
    """How much is open, and for how long. A dispute's deadline is near from `dispute_notice_h` hours before it on."""
    row: Row = {}
    row |= database.read(_BREAK_FIGURES)[0]
    row |= database.read(_SUSPENSE_FIGURES)[0]
    row |= database.read(_SILENCE, gateway, gateway)[0]
    row |= database.read(_DUE_DISPUTES, dispute_notice_h)[0]
    return Figures(**row)


def _places(values: Collection[object]) -> str:
    return ", ".join(["%s"] * len(values))


def _batches(items: Collection[Item]) -> Iterable[list[Item]]:
    listed = list(items)
    return (listed[at : at + _AT_ONCE] for at in range(0, len(listed), _AT_ONCE))
