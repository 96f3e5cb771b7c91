"""What a wallet's slots had at a time: one seek each.

Every posting carries its slot's balance behind it, and the times of a slot's postings only grow. So the newest entry of
a time says all that was before, however long the history.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from wallet.storage.database import Database
from wallet.storage.rows import time_of, uuid_of

# RDS Proxy gives a connection to its user for good that sends a query of more than 16 KB.
_AT_ONCE = 200

_NOBODY = UUID(int=0)
_EVER, _TICK = datetime.min.replace(tzinfo=UTC), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Point:
    """A moment in a slot: its newest posting at `at` (`strictly`: before it), of those numbered up to `upto`."""

    slot: int
    at: datetime
    upto: int
    strictly: bool = False


@dataclass(frozen=True, slots=True)
class SlotBalance:
    """A slot right behind its posting `entry_no` (0: before the first), in minor units.

    `change` is what that posting of `transaction_id` at `created_at` had just added to `balance`.
    """

    entry_no: int = 0
    balance: int = 0
    change: int = 0
    transaction_id: UUID = _NOBODY
    created_at: datetime = _EVER


def find_slot_balances(database: Database, wallet_id: UUID, points: Sequence[Point]) -> list[SlotBalance]:
    """What the slot of each point had there, in the order of the points."""
    return [
        known
        for start in range(0, len(points), _AT_ONCE)
        for known in _seek(database, wallet_id, points[start : start + _AT_ONCE])
    ]


def naive(time: datetime) -> datetime:
    """As the database keeps it: UTC, without saying so."""
    return time.astimezone(UTC).replace(tzinfo=None)


def _seek(database: Database, wallet_id: UUID, points: Sequence[Point]) -> Iterator[SlotBalance]:
    asked = json.dumps([[point.slot, _until(point), point.upto] for point in points])
    (row,) = database.read("CALL find_slot_balances(%s, %s)", wallet_id.bytes, asked)
    return (_slot_balance(one) for one in json.loads(row["found"]))


def _until(point: Point) -> str:
    """The last moment that counts, as the database writes one: between two microseconds there is none."""
    last = max(point.at, _EVER + _TICK) - _TICK if point.strictly else point.at
    return naive(last).isoformat(" ", "microseconds")


def _slot_balance(found: tuple[int, int, int, str, str] | None) -> SlotBalance:
    if found is None:
        return SlotBalance()
    entry_no, balance, change, transaction_id, created_at = found
    return SlotBalance(entry_no, balance, change, uuid_of(transaction_id), time_of(created_at))
