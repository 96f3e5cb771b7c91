"""Seals: the hash of a transaction over all of its content, and the chain of these hashes.

Every hash is a SHA-256 over a word that says what is hashed, and that. Content is hashed as JSON in one form: keys
sorted, no blanks, nothing but ASCII. Each posting has a hash of its own, under a salt of its own, so that somebody can
be shown their lines of a transaction and no more than hashes of the others: without the salt the other side's balance
could be found by trying all amounts. What is hashed, and how, never changes; something new is a new format.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

#: A column's value: text, a whole number, or nothing. Ids are 32 lower-case hexadecimal digits, times as
#: `2026-11-22T06:30:00.123456Z`.
Value = str | int | None
Record = Mapping[str, Value]

#: What of a transaction is sealed: every column.
TRANSACTION_COLUMNS = (
    "id",
    "type",
    "amount",
    "currency",
    "actor_id",
    "description",
    "reference",
    "attempt_id",
    "gateway",
    "gateway_payment_id",
    "suspense_reason",
    "cause_id",
    "hold_id",
    "withdrawal_id",
    "source_refund_id",
    "created_at",
)
#: What of a posting is sealed: every column but whose line it is, which the transaction's own hash says.
POSTING_COLUMNS = (
    "line",
    "account_id",
    "slot",
    "type",
    "side",
    "amount",
    "entry_no",
    "balance_after",
    "created_at",
)

#: Bytes of a salt.
SALT_SIZE = 16
#: The chain before the first transaction.
BEGINNING = bytes(32)


@dataclass(frozen=True, slots=True)
class Content:
    """A transaction as it is sealed: its columns, and those of its postings in the order of their lines."""

    transaction: Record
    postings: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Seal:
    """A transaction's place in the chain: `position` 1, 2, 3 …; `leaf` is the hash of its content under `salt`."""

    position: int
    transaction_id: str
    salt: bytes
    leaf: bytes


def whole_number(record: Record, column: str) -> int:
    """A column that is always a whole number. Raises ValueError if it is none here."""
    return int(str(record[column]))


def canonical(value: object) -> bytes:
    """The one way in which JSON is written before it is hashed or signed: sorted, without blanks, nothing but ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def line_salt(salt: bytes, line: int) -> bytes:
    """The salt of a line, 0 for what is no line; it gives neither the transaction's salt away nor another line's."""
    return _hash(b"wallet salt 1\n", salt, bytes([line]))[:SALT_SIZE]


def posting_hash(posting: Record, salt: bytes) -> bytes:
    """The hash of one posting; `salt` is its line's."""
    return _hash(b"wallet posting 1\n", salt, canonical(_all_of(posting, POSTING_COLUMNS)))


def head_hash(transaction: Record, salt: bytes) -> bytes:
    """The hash of a transaction's own columns; `salt` is that of line 0."""
    return _hash(b"wallet transaction 1\n", salt, canonical(_all_of(transaction, TRANSACTION_COLUMNS)))


def join(head: bytes, lines: Iterable[bytes]) -> bytes:
    """The leaf: the hash of a transaction's own hash and those of its lines, in their order."""
    return _hash(b"wallet leaf 1\n", head, *lines)


def leaf_of(content: Content, salt: bytes) -> bytes:
    """The hash of a transaction with all of its postings, under its salt."""
    lines = [posting_hash(posting, line_salt(salt, whole_number(posting, "line"))) for posting in content.postings]
    return join(head_hash(content.transaction, line_salt(salt, 0)), lines)


def link(before: bytes, leaf: bytes) -> bytes:
    """The chain behind a leaf."""
    return _hash(b"wallet chain 1\n", before, leaf)


def chain(before: bytes, leaves: Iterable[bytes]) -> bytes:
    """The chain behind all the leaves, one after the other."""
    for leaf in leaves:
        before = link(before, leaf)
    return before


def make_seals(contents: Sequence[Content], salts: Sequence[bytes], *, first: int) -> list[Seal]:
    """The seals of a batch from position `first` on, in the order in which it is given. Salts are secure randomness."""
    if any(len(salt) != SALT_SIZE for salt in salts):
        raise ValueError(f"a salt has {SALT_SIZE} bytes")
    return [
        Seal(position, str(content.transaction["id"]), salt, leaf_of(content, salt))
        for position, (content, salt) in enumerate(zip(contents, salts, strict=True), first)
    ]


def _all_of(record: Record, columns: tuple[str, ...]) -> Record:
    """The record, if it has exactly these columns: one that is left out could be changed afterwards."""
    if set(record) != set(columns):
        raise ValueError(f"a seal covers every column; not as it should be: {sorted(set(record) ^ set(columns))}")
    return record


def _hash(word: bytes, *parts: bytes) -> bytes:
    digest = sha256(word)
    for part in parts:
        digest.update(part)
    return digest.digest()
