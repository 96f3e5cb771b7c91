"""What waits for a seal, the chain as far as it goes, and the checkpoints that are not published yet."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from uuid import UUID

from wallet.ledger.checkpoints import Balances, Checkpoint, CheckpointRow, entries_of
from wallet.ledger.seals import (
    BEGINNING,
    POSTING_COLUMNS,
    TRANSACTION_COLUMNS,
    Content,
    Record,
    Seal,
    Value,
    canonical,
)
from wallet.storage.database import Database, Row
from wallet.storage.rows import exact_time, time_of

# What only some types of transactions have lies in tables of their own.
_ALIAS_OF = {
    "attempt_id": "g",
    "gateway": "g",
    "gateway_payment_id": "g",
    "suspense_reason": "g",
    "hold_id": "h",
    "withdrawal_id": "d",
    "source_refund_id": "r",
}
#: All that is sealed of a transaction `t`, and where it stands.
SEALED_COLUMNS = ", ".join(f"{_ALIAS_OF.get(column, 't')}.{column}" for column in TRANSACTION_COLUMNS)
SEALED_TABLES = """
LEFT JOIN gateway_payments g ON g.transaction_id = t.id LEFT JOIN hold_captures h ON h.transaction_id = t.id
LEFT JOIN withdrawal_bookings d ON d.transaction_id = t.id LEFT JOIN source_refund_bookings r ON r.transaction_id = t.id
"""

_HEAD = """
SELECT i.id AS ledger, c.number, c.last_position, c.chain, c.balances, c.digest
FROM ledger_identity i LEFT JOIN (SELECT * FROM checkpoints ORDER BY number DESC LIMIT 1) c ON TRUE
"""

# By id, which is the order of the index and nearly that of time: a backlog of millions is not sorted for each batch.
# What is not in the ledger, or has a seal, is stepped over: else a thousand such ids would keep all others waiting.
_TO_BE_SEALED = """
FROM unsealed u STRAIGHT_JOIN transactions t ON t.id = u.transaction_id
LEFT JOIN seals s ON s.transaction_id = u.transaction_id
WHERE s.transaction_id IS NULL ORDER BY u.transaction_id LIMIT %s
"""

_WAITING = f"""
SELECT {SEALED_COLUMNS}
FROM (SELECT u.transaction_id {_TO_BE_SEALED}) u JOIN transactions t ON t.id = u.transaction_id {SEALED_TABLES}
"""  # noqa: S608 - of constants

_STRAY = """
SELECT u.transaction_id, t.id IS NULL AS is_missing
FROM (SELECT transaction_id FROM unsealed ORDER BY transaction_id LIMIT %s) u
LEFT JOIN transactions t ON t.id = u.transaction_id LEFT JOIN seals s ON s.transaction_id = u.transaction_id
WHERE t.id IS NULL OR s.transaction_id IS NOT NULL ORDER BY u.transaction_id LIMIT %s
"""
# So many of those that wait are looked at for strays: with a backlog of millions each run would read all of it.
_LOOKED_AT = 10_000

_UNLISTED = """
SELECT t.id FROM transactions t
WHERE t.id >= %s AND NOT EXISTS (SELECT 1 FROM seals s WHERE s.transaction_id = t.id)
  AND NOT EXISTS (SELECT 1 FROM unsealed u WHERE u.transaction_id = t.id)
ORDER BY t.id LIMIT %s
"""

_POSTINGS = f"""
SELECT p.transaction_id, {", ".join(f"p.{column}" for column in POSTING_COLUMNS)}, a.kind, a.code
FROM postings p LEFT JOIN accounts a ON a.id = p.account_id
WHERE p.transaction_id IN ({{places}}) ORDER BY p.transaction_id, p.line
"""  # noqa: S608 - of constants

# RDS Proxy gives a connection to its user for good that sends a query of more than 16 KB.
_AT_ONCE = 200

_CHECKPOINT = """
SELECT i.id AS ledger, c.*, before_it.digest AS digest_before
FROM checkpoints c JOIN ledger_identity i LEFT JOIN checkpoints before_it ON before_it.number = c.number - 1
"""

_LAG = f"""
SELECT UTC_TIMESTAMP(6) AS now,
       (SELECT MIN(sealed_at) FROM checkpoints WHERE published_at IS NULL) AS unpublished_since,
       (SELECT t.created_at {_TO_BE_SEALED}) AS unsealed_since
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain goes: all zero before its first checkpoint."""

    ledger: str
    number: int = 0
    position: int = 0
    chain: bytes = BEGINNING
    digest: bytes = BEGINNING
    balances: Balances = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a seal, by time and id. `codes`: the accounts of ours in it by id."""

    contents: tuple[Content, ...]
    codes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Strays:
    """Ids that wait for a seal and get none.

    `missing` are not in the ledger: somebody has taken them out. `sealed` have a seal: somebody has put them there.
    """

    missing: tuple[str, ...]
    sealed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unpublished:
    """A checkpoint and its list of transactions as the database has them, and the digest it was appended with."""

    checkpoint: Checkpoint
    entries: list[list[str]]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds for which the oldest transaction has waited for its seal, and the oldest checkpoint to be published."""

    unsealed_s: int
    unpublished_s: int


def head(database: Database) -> Head:
    """Where the chain ends. Raises ValueError if what it says of balances can't be read."""
    row = database.read(_HEAD)[0]
    ledger = row["ledger"].hex()
    if row["number"] is None:
        return Head(ledger)
    return Head(
        ledger,
        number=row["number"],
        position=row["last_position"],
        chain=row["chain"],
        digest=row["digest"],
        balances=_balances(row["balances"]),
    )


def waiting(database: Database, *, limit: int) -> Waiting:
    """At most `limit` transactions that have no seal yet. It locks nothing."""
    rows = database.read(_WAITING, limit)
    transactions = [record(row, TRANSACTION_COLUMNS) for row in rows]
    postings, codes = _postings(database, [row["id"] for row in rows])
    transactions.sort(key=lambda found: (str(found["created_at"]), str(found["id"])))
    return Waiting(tuple(Content(found, postings.get(str(found["id"]), ())) for found in transactions), codes)


def strays(database: Database, *, limit: int) -> Strays:
    """At most `limit` of those that wait and get no seal, among the first of those that wait."""
    rows = database.read(_STRAY, _LOOKED_AT, limit)
    return Strays(
        missing=tuple(row["transaction_id"].hex() for row in rows if row["is_missing"]),
        sealed=tuple(row["transaction_id"].hex() for row in rows if not row["is_missing"]),
    )


def unlisted(database: Database, *, since: UUID, limit: int) -> tuple[str, ...]:
    """At most `limit` transactions from this id on that have no seal and don't wait for one: of one moment."""
    return tuple(row["id"].hex() for row in database.read(_UNLISTED, since.bytes, limit))


def append(database: Database, checkpoint: Checkpoint, seals: Sequence[Seal]) -> bool:
    """Appends a batch in one commit; False, and nothing is written, if another sealer was first."""
    answer = database.call(
        "append_sealed",
        checkpoint.form,
        checkpoint.number,
        checkpoint.first,
        checkpoint.chain_before,
        checkpoint.chain,
        canonical(checkpoint.balances).decode("ascii"),
        checkpoint.digest,
        _naive(checkpoint.sealed_at),
        b"".join(bytes.fromhex(seal.transaction_id) + seal.salt + seal.leaf for seal in seals),
    )
    return answer.outcome == "done"


def oldest_unpublished(database: Database) -> Unpublished | None:
    """The first checkpoint that is not known to be published. Raises ValueError as above."""
    rows = database.read(f"{_CHECKPOINT} WHERE c.published_at IS NULL ORDER BY c.number LIMIT 1")
    if not rows:
        return None
    row = rows[0]
    seals = read_seals(database, first=row["first_position"], last=row["last_position"])
    checkpoint = checkpoint_of(row, _balances(row["balances"]))
    return Unpublished(checkpoint.under(seals), entries_of(seals), row["digest"])


def note_published(database: Database, number: int, *, signature: bytes) -> None:
    """Writes down that a checkpoint is published, under this signature."""
    database.call("note_checkpoint_published", number, signature)


def read_seals(database: Database, *, first: int, last: int) -> list[Seal]:
    """The seals at these positions, in their order."""
    rows = database.read("SELECT * FROM seals WHERE position BETWEEN %s AND %s ORDER BY position", first, last)
    return [seal_of(row) for row in rows]


def seal_of(row: Row) -> Seal:
    """A row of `seals`."""
    return Seal(row["position"], row["transaction_id"].hex(), row["salt"], row["leaf"], row["form"])


def checkpoint_of(row: Row, balances: Balances) -> CheckpointRow:
    """A row of `checkpoints` that has its `ledger` and the `digest_before` it, with its balances as they were read."""
    return CheckpointRow(
        ledger=row["ledger"].hex(),
        number=row["number"],
        first=row["first_position"],
        last=row["last_position"],
        chain_before=row["chain_before"],
        chain=row["chain"],
        previous=row["digest_before"] or BEGINNING,
        sealed_at=exact_time(row["sealed_at"]),
        balances=balances,
    )


def lag(database: Database) -> Lag:
    """How far sealing and publishing are behind."""
    row = database.read(_LAG, 1)[0]
    return Lag(
        unsealed_s=_age_s(row["unsealed_since"], row["now"]),
        unpublished_s=_age_s(row["unpublished_since"], row["now"]),
    )


def record(row: Row, columns: Sequence[str]) -> Record:
    """These columns of a row, as they are sealed."""
    return {column: _value(row[column]) for column in columns}


def _value(value: object) -> Value:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return exact_time(value)
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"a column of the ledger has a value that has no sealed form: {type(value).__name__}")


def _postings(
    database: Database, transaction_ids: Sequence[bytes]
) -> tuple[dict[str, tuple[Record, ...]], dict[str, str]]:
    """The postings of each transaction by its id, and the codes of the accounts of ours in them by theirs."""
    postings: dict[str, tuple[Record, ...]] = {}
    codes: dict[str, str] = {}
    for start in range(0, len(transaction_ids), _AT_ONCE):
        asked = transaction_ids[start : start + _AT_ONCE]
        rows = database.read(_POSTINGS.format(places=", ".join(["%s"] * len(asked))), *asked)
        codes.update({row["account_id"].hex(): row["code"] for row in rows if row["kind"] not in (None, "wallet")})
        for transaction_id, lines in groupby(rows, key=lambda row: row["transaction_id"].hex()):
            postings[transaction_id] = tuple(record(line, POSTING_COLUMNS) for line in lines)
    return postings, codes


def _balances(text: str) -> Balances:
    """Raises ValueError if somebody has made something else of them."""
    told = json.loads(text)
    if not isinstance(told, dict) or not all(isinstance(accounts, dict) for accounts in told.values()):
        raise ValueError("the balances of a checkpoint are none")
    return told


def _naive(time: str) -> datetime:
    return datetime.fromisoformat(time).replace(tzinfo=None)


def _age_s(since: datetime | None, now: datetime) -> int:
    return 0 if since is None else max(0, int((time_of(now) - time_of(since)).total_seconds()))
