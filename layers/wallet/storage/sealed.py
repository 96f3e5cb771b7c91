"""Seals with what the ledger has for them, and the checkpoints as the database has them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from wallet.ledger.checkpoints import Balances, CheckpointRow
from wallet.ledger.evidence import Sealed
from wallet.ledger.seals import BEGINNING, POSTING_COLUMNS, TRANSACTION_COLUMNS, Content, Record
from wallet.storage.database import Reader, Row
from wallet.storage.rows import exact_time
from wallet.storage.seals import SEALED_COLUMNS, SEALED_TABLES, checkpoint_of, record, seal_of

# The id of the seal beside that of the transaction, which is not there if somebody has taken it out.
_SEALED = f"""
SELECT s.position, s.transaction_id, s.salt, s.leaf, s.form, {SEALED_COLUMNS}
FROM seals s LEFT JOIN transactions t ON t.id = s.transaction_id {SEALED_TABLES}
WHERE s.position BETWEEN %s AND %s ORDER BY s.position
"""  # noqa: S608 - of constants

_WITHOUT_SEAL = f"""
SELECT u.transaction_id IS NOT NULL AS waiting, {SEALED_COLUMNS}
FROM transactions t LEFT JOIN seals s ON s.transaction_id = t.id LEFT JOIN unsealed u ON u.transaction_id = t.id
{SEALED_TABLES} WHERE s.transaction_id IS NULL AND t.id > %s AND t.id <= %s ORDER BY t.id
"""  # noqa: S608 - of constants

_OF_NOTHING = f"""
SELECT p.transaction_id, {", ".join(f"p.{column}" for column in POSTING_COLUMNS)}
FROM postings p LEFT JOIN transactions t ON t.id = p.transaction_id
WHERE t.id IS NULL AND p.transaction_id > %s AND p.transaction_id <= %s ORDER BY p.transaction_id, p.line
"""  # noqa: S608 - of constants

# Where a page ends that begins behind an id: what is nowhere can only be found by looking at all, which no one query
# has the time for.
_END_OF_PAGE = {
    "transactions": "SELECT id FROM transactions WHERE id > %s ORDER BY id LIMIT 1 OFFSET %s",
    "postings": "SELECT transaction_id AS id FROM postings WHERE transaction_id > %s ORDER BY transaction_id"
    " LIMIT 1 OFFSET %s",
}
_PAGE = 10_000
_BEFORE_ALL, _BEHIND_ALL = b"", b"\xff" * 16

_POSTINGS = f"""
SELECT p.transaction_id, {", ".join(f"p.{column}" for column in POSTING_COLUMNS)}
FROM postings p WHERE p.transaction_id IN ({{places}}) ORDER BY p.transaction_id, p.line
"""  # noqa: S608 - of constants

_CHECKPOINT = """
SELECT i.id AS ledger, c.*, b.digest AS digest_before, b.last_position AS last_before, b.chain AS chain_of_before,
       b.balances AS balances_before, b.first_position AS first_before, b.sealed_at AS sealed_before
FROM ledger_identity i LEFT JOIN checkpoints c ON c.number = %s LEFT JOIN checkpoints b ON b.number = %s
"""

_ENDS = """
SELECT (SELECT COALESCE(MAX(number), 0) FROM checkpoints) AS number,
       (SELECT COALESCE(MAX(last_position), 0) FROM checkpoints) AS last_position,
       (SELECT COALESCE(MAX(position), 0) FROM seals) AS position
"""

# RDS Proxy gives a connection to its user for good that sends a query of more than 16 KB.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Before:
    """What a checkpoint follows from, in the database: the one before it, or nothing."""

    first: int = 0
    last: int = 0
    chain: bytes = BEGINNING
    balances: Balances | None = None
    sealed_at: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """A checkpoint as its row says, with the digest and the signature that stand there."""

    checkpoint: CheckpointRow
    digest: bytes
    signature: bytes | None
    before: Before


@dataclass(frozen=True, slots=True)
class Ends:
    """The last checkpoint's number and position, and the last seal's position: 0 where there is none."""

    number: int
    last_position: int
    position: int


@dataclass(frozen=True, slots=True)
class WithoutSeal:
    """A transaction that has no seal; `waiting` says whether it is on the list of those that get one."""

    content: Content
    waiting: bool


def read_sealed(reader: Reader, *, first: int, last: int) -> list[Sealed]:
    """The seals at these positions, as far as there are any, with their transactions."""
    rows = reader.read(_SEALED, first, last)
    postings = _postings(reader, [row["transaction_id"] for row in rows])
    return [
        Sealed(
            seal_of(row),
            None if row["id"] is None else content_of(row, postings.get(row["id"].hex(), ())),
        )
        for row in rows
    ]


def read_without_seal(reader: Reader) -> Iterator[WithoutSeal]:
    """The transactions that have no seal, in the order of their ids."""
    for page in _pages(reader, "transactions"):
        rows = reader.read(_WITHOUT_SEAL, *page)
        postings = _postings(reader, [row["id"] for row in rows])
        for row in rows:
            yield WithoutSeal(content_of(row, postings.get(row["id"].hex(), ())), bool(row["waiting"]))


def read_postings_of_nothing(reader: Reader) -> Iterator[tuple[str, tuple[Record, ...]]]:
    """The postings whose transaction is not there, in the order of its id, which they name (hexadecimal)."""
    for page in _pages(reader, "postings"):
        rows = reader.read(_OF_NOTHING, *page)
        for transaction_id, lines in groupby(rows, key=lambda row: row["transaction_id"].hex()):
            yield transaction_id, tuple(posting_of(line) for line in lines)


def _pages(reader: Reader, table: str) -> Iterator[tuple[bytes, bytes]]:
    """All ids of a table page by page: of each the id behind which it begins, and the last one in it."""
    behind = _BEFORE_ALL
    while rows := reader.read(_END_OF_PAGE[table], behind, _PAGE - 1):
        yield behind, rows[0]["id"]
        behind = rows[0]["id"]
    yield behind, _BEHIND_ALL


def read_ends(reader: Reader) -> Ends:
    """How far seals and checkpoints go."""
    return Ends(**reader.read(_ENDS)[0])


def find_checkpoint(reader: Reader, number: int) -> Stored | None:
    """A checkpoint by its number, with the one before it."""
    return stored_of(reader.read(_CHECKPOINT, number, number - 1)[0])


def stored_of(row: Row) -> Stored | None:
    """A checkpoint's row with what it follows from, if there is one."""
    if row["number"] is None:
        return None
    checkpoint = checkpoint_of(row, _balances(row["balances"]))
    return Stored(checkpoint, row["digest"], row["signature"], _before(row))


def newest_time(reader: Reader, *, first: int, last: int) -> str:
    """The latest time of what is sealed at these positions; nothing if nothing is."""
    rows = reader.read(
        "SELECT MAX(t.created_at) AS newest FROM seals s JOIN transactions t ON t.id = s.transaction_id"
        " WHERE s.position BETWEEN %s AND %s",
        first,
        last,
    )
    return exact_time(rows[0]["newest"]) if rows[0]["newest"] is not None else ""


def position_of(reader: Reader, transaction_id: str) -> int | None:
    """Where a transaction is sealed, None if nowhere."""
    rows = reader.read("SELECT position FROM seals WHERE transaction_id = %s", bytes.fromhex(transaction_id))
    return rows[0]["position"] if rows else None


def number_at(reader: Reader, position: int) -> int:
    """The number of the checkpoint that a position is under, 0 if there is none: both grow together, so by halving."""
    low, high = 0, read_ends(reader).number
    while low < high:
        middle = (low + high + 1) // 2
        rows = reader.read("SELECT first_position FROM checkpoints WHERE number = %s", middle)
        if rows and rows[0]["first_position"] <= position:
            low = middle
        else:
            high = middle - 1
    return low


def our_accounts(reader: Reader) -> dict[str, str]:
    """The codes of the accounts that are no wallets, by their ids."""
    return {row["id"].hex(): row["code"] for row in reader.read("SELECT id, code FROM accounts WHERE kind <> 'wallet'")}


def ledger_id(reader: Reader) -> str:
    """Which ledger this is."""
    return str(reader.read("SELECT id FROM ledger_identity")[0]["id"].hex())


def _before(row: Row) -> Before:
    if row["digest_before"] is None:
        return Before()
    return Before(
        first=row["first_before"],
        last=row["last_before"],
        chain=row["chain_of_before"],
        balances=_balances(row["balances_before"]),
        sealed_at=exact_time(row["sealed_before"]),
    )


def _balances(text: str) -> Balances:
    """What a checkpoint's row says of balances; none if that can't be read: then the row is not what was signed."""
    try:
        told = json.loads(text)
        return {str(currency): dict(accounts) for currency, accounts in told.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}


def content_of(row: Row, postings: Sequence[Record]) -> Content:
    """A transaction's row and its postings, as they are sealed."""
    return Content(_record(row, TRANSACTION_COLUMNS), tuple(postings))


def posting_of(row: Row) -> Record:
    """A posting's row, as it is sealed."""
    return _record(row, POSTING_COLUMNS)


def _record(row: Row, columns: Sequence[str]) -> Record:
    """These columns of a row; none of them if one has a value that was never sealed: then it is not what was."""
    try:
        return record(row, columns)
    except TypeError:
        return {}


def _postings(reader: Reader, transaction_ids: Sequence[bytes]) -> dict[str, tuple[Record, ...]]:
    found: dict[str, tuple[Record, ...]] = {}
    for start in range(0, len(transaction_ids), _AT_ONCE):
        asked = transaction_ids[start : start + _AT_ONCE]
        rows = reader.read(_POSTINGS.format(places=", ".join(["%s"] * len(asked))), *asked)
        for transaction_id, lines in groupby(rows, key=lambda row: row["transaction_id"].hex()):
            found[transaction_id] = tuple(posting_of(line) for line in lines)
    return found
