"""What a wallet's slots had at a time: one seek each.

Every posting carries its slot's balance behind it, and the times of a slot's postings only grow. So the newest entry of
a time says all that was before, however long the history.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from wallet.storage.database import Database, Row
from wallet.storage.rows import uuid_of

# The branch names wallet, slot and time as constants: both MySQL and MariaDB seek in an index with constants only, and
# would read a slot's whole history to compare it with a column.
_BRANCH = """(SELECT {number} AS n, p.* FROM postings p FORCE INDEX (postings_by_time) WHERE account_id = %s
AND slot = %s AND created_at {before} %s AND entry_no <= %s ORDER BY created_at DESC LIMIT 1)"""

# RDS Proxy gives a connection to its user for good that sends a query of more than 16 KB.
_BRANCHES = 48


_NOBODY = UUID(int=0)
_EVER = datetime.min.replace(tzinfo=UTC)


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
        for start in range(0, len(points), _BRANCHES)
        for known in _seek(database, wallet_id, points[start : start + _BRANCHES])
    ]


def naive(time: datetime) -> datetime:
    """As the database keeps it: UTC, without saying so."""
    return time.astimezone(UTC).replace(tzinfo=None)


def _seek(database: Database, wallet_id: UUID, points: Sequence[Point]) -> Iterator[SlotBalance]:
    branches = [
        _BRANCH.format(number=number, before="<" if point.strictly else "<=") for number, point in enumerate(points)
    ]
    arguments = [
        argument for point in points for argument in (wallet_id.bytes, point.slot, naive(point.at), point.upto)
    ]
    found = {row["n"]: row for row in database.read(" UNION ALL ".join(branches), *arguments)}
    return (_slot_balance(found.get(number)) for number in range(len(points)))


def _slot_balance(row: Row | None) -> SlotBalance:
    if row is None:
        return SlotBalance()
    return SlotBalance(
        entry_no=row["entry_no"],
        balance=row["balance_after"],
        change=row["amount"] if row["side"] == "credit" else -row["amount"],
        transaction_id=uuid_of(row["transaction_id"]),
        created_at=row["created_at"].replace(tzinfo=UTC),
    )
