"""Reading wallets, as they are now and as they were."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from wallet.ledger import periods
from wallet.ledger.limits import Limits
from wallet.ledger.receipts import Balance, Usage, WalletState
from wallet.storage.database import Database, Row
from wallet.storage.rows import time_of, uuid_of
from wallet.storage.slot_balances import Point, find_slot_balances, naive

# A hold whose time is over holds nothing, whether or not the sweep has come by. Slots are all there in one snapshot.
# A wallet's own time may be ahead of the server's clock, which may have been set back: it is as of its last entry.
_WALLET = """
SELECT w.id, u.kind, m.user_id IS NOT NULL AS approved, w.currency, w.status, w.slots, w.tier,
       l.max_balance, l.max_top_up, l.max_payment, l.max_load_month, l.max_load_year, l.max_debit_day,
       l.max_debit_month, l.person_to_person, l.withdrawals,
       w.usage_day, w.debited_day, w.usage_month, w.debited_month, w.loaded_month, w.usage_year, w.loaded_year,
       CAST(w.balance + COALESCE(
           (SELECT SUM(s.balance) FROM wallet_slots s WHERE s.wallet_id = w.id), 0) AS SIGNED) AS total,
       CAST(w.held - COALESCE(
           (SELECT SUM(h.amount - h.captured) FROM holds h WHERE h.payer_wallet_id = w.id AND h.status = 'placed'
            AND h.expires_at <= UTC_TIMESTAMP(6)), 0) AS SIGNED) AS held,
       GREATEST(UTC_TIMESTAMP(6), w.last_entry_at, COALESCE(
           (SELECT MAX(s.last_entry_at) FROM wallet_slots s WHERE s.wallet_id = w.id), w.last_entry_at)) AS now
FROM wallets w
JOIN users u ON u.id = w.user_id
LEFT JOIN merchant_approvals m ON m.user_id = u.id
JOIN tier_limits l ON l.tier = w.tier AND l.valid_from = (
    SELECT MAX(f.valid_from) FROM tier_limits f WHERE f.tier = w.tier AND f.valid_from <= UTC_TIMESTAMP(6))
WHERE w.user_id = %s
"""

# Every change of `held` has what is held behind it, as postings have the balance. A hold that had expired by then and
# was not swept yet is one that has ended as expired since or not at all: captures and releases come before the expiry.
_HELD_AT = """
SELECT CAST(
    COALESCE((SELECT held_after FROM held_changes FORCE INDEX (held_changes_by_time)
        WHERE wallet_id = %s AND created_at <= %s ORDER BY created_at DESC, change_no DESC LIMIT 1), 0)
    - COALESCE((SELECT SUM(amount - captured) FROM holds
        WHERE payer_wallet_id = %s AND status IN ('placed', 'expired') AND expires_at <= %s
            AND (ended_at IS NULL OR ended_at > %s)), 0) AS SIGNED) AS held
"""
_ALL = 2**63 - 1


def find_wallet(database: Database, *, user_id: UUID, at: datetime | None = None) -> WalletState | None:
    """The user's wallet as it stands, or with its balance as it was right behind `at`.

    Before there was a wallet, that is nothing. Its status and limits are today's. `as_of` is the moment of asking, or
    `at` if that is in the past.
    """
    rows = database.read(_WALLET, user_id.bytes)
    if not rows:
        return None
    state = _state(rows[0])
    if at is None:
        return state
    points = [Point(slot, at, _ALL) for slot in range(rows[0]["slots"])]
    total = sum(known.balance for known in find_slot_balances(database, state.id, points))
    return replace(state, balance=Balance(total, _held_at(database, state.id, at)), as_of=min(at, state.as_of))


def _held_at(database: Database, wallet_id: UUID, at: datetime) -> int:
    wallet, time = wallet_id.bytes, naive(at)
    held: int = database.read(_HELD_AT, wallet, time, wallet, time, time)[0]["held"]
    return held


def _state(row: Row) -> WalletState:
    now = time_of(row["now"])
    return WalletState(
        id=uuid_of(row["id"]),
        kind=row["kind"],
        currency=row["currency"],
        status=row["status"],
        balance=Balance(row["total"], row["held"]),
        limits=_limits(row),
        used=_usage(row, now),
        as_of=now,
        approved=bool(row["approved"]),
    )


def _limits(row: Row) -> Limits:
    return Limits(
        tier=row["tier"],
        max_balance=row["max_balance"],
        max_top_up=row["max_top_up"],
        max_payment=row["max_payment"],
        max_load_month=row["max_load_month"],
        max_load_year=row["max_load_year"],
        max_debit_day=row["max_debit_day"],
        max_debit_month=row["max_debit_month"],
        person_to_person=bool(row["person_to_person"]),
        withdrawals=bool(row["withdrawals"]),
    )


def _usage(row: Row, now: datetime) -> Usage:
    """The sums of the periods that run now: one of a period that is over counts for nothing."""
    this_day = row["usage_day"] == periods.day_of(now)
    this_month = row["usage_month"] == periods.month_of(now)
    this_year = row["usage_year"] == periods.year_of(now)
    return Usage(
        debited_today=row["debited_day"] if this_day else 0,
        debited_this_month=row["debited_month"] if this_month else 0,
        loaded_this_month=row["loaded_month"] if this_month else 0,
        loaded_this_year=row["loaded_year"] if this_year else 0,
    )
