"""Reading wallets, as they are now and as they were."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from wallet.ledger import periods
from wallet.ledger.limits import Limits
from wallet.ledger.receipts import Balance, Usage, WalletState
from wallet.storage.database import Database, Row
from wallet.storage.rows import time_if_any, time_of, uuid_of
from wallet.storage.slot_balances import Point, find_slot_balances, naive

_ALL = 2**63 - 1


def find_wallet(database: Database, *, user_id: UUID, at: datetime | None = None) -> WalletState | None:
    """The user's wallet as it stands, or with its balance as it was right behind `at`.

    Before there was a wallet, that is nothing. Its status and limits are today's. `as_of` is the moment of asking, or
    `at` if that is in the past.
    """
    rows = database.read("CALL find_wallet(%s)", user_id.bytes)
    if not rows:
        return None
    state = _state(rows[0])
    if at is None:
        return state
    points = [Point(slot, at, _ALL) for slot in range(rows[0]["slots"])]
    total = sum(known.balance for known in find_slot_balances(database, state.id, points))
    return replace(state, balance=Balance(total, _held_at(database, state.id, at)), as_of=min(at, state.as_of))


def _held_at(database: Database, wallet_id: UUID, at: datetime) -> int:
    held: int = database.read("CALL find_held_at(%s, %s)", wallet_id.bytes, naive(at))[0]["held"]
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
        unfreezes_at=time_if_any(row["unfreeze_at"]),
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
