"""Seals: the hash of a transaction over all of its content, and the chain of these hashes.

Every hash is a SHA-256 over a word that says what is hashed, and that. Content is hashed as JSON in one form: keys
sorted, no blanks, nothing but ASCII. Each posting has a hash of its own, under a salt of its own, so that somebody can
be shown their lines of a transaction and no more than hashes of the others: without the salt the other side's balance
could be found by trying all amounts.

What is hashed, and how, never changes; something new is a new form, with words of its own, so that no bytes can be read
as both. In form 1 a posting is hashed whole. In form 2 what may be shown to a third person, of a transaction and of
each posting, is hashed with a hash of all the rest, which has a salt of its own: who shows a payment shows no balance.
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
#: What of them may be shown, in form 2: what one payment was, when and of which wallet, and nothing that tells of more.
TRANSACTION_SHOWN = ("id", "type", "currency", "created_at")
POSTING_SHOWN = ("line", "account_id", "side", "amount")

#: The forms: history sealed in the first stays as it is, and stays verifiable.
FORM_1, FORM_2 = 1, 2
#: What is sealed from now on.
NEWEST_FORM = FORM_2

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
    """A transaction's place in the chain: `position` 1, 2, 3 …; `leaf` is its hash in `form` under `salt`."""

    position: int
    transaction_id: str
    salt: bytes
    leaf: bytes
    form: int


@dataclass(frozen=True, slots=True)
class Opening:
    """A record of form 2 as it may be shown: some columns, their salt, and the hash of the columns that are not."""

    shown: Record
    salt: bytes
    hidden: bytes


def whole_number(record: Record, column: str) -> int:
    """A column that is always a whole number. Raises ValueError if it is none here."""
    return int(str(record[column]))


# Made once: to make one for each hash costs as much as the hash.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: object) -> bytes:
    """The one way in which JSON is written before it is hashed or signed: sorted, without blanks, nothing but ASCII."""
    return _encode(value).encode()


def line_salt(salt: bytes, line: int) -> bytes:
    """Form 1: a line's salt, 0 for what is no line; it gives neither the transaction's salt away nor another line's."""
    return _hash(b"wallet salt 1\n", salt, bytes([line]))[:SALT_SIZE]


def posting_hash(posting: Record, salt: bytes) -> bytes:
    """Form 1: the hash of one posting; `salt` is its line's."""
    return _hash(b"wallet posting 1\n", salt, canonical(_all_of(posting, _POSTING)))


def head_hash(transaction: Record, salt: bytes) -> bytes:
    """Form 1: the hash of a transaction's own columns; `salt` is that of line 0."""
    return _hash(b"wallet transaction 1\n", salt, canonical(_all_of(transaction, _TRANSACTION)))


def open_posting(posting: Record, salt: bytes) -> Opening:
    """Form 2: a posting as it may be shown; `salt` is the transaction's."""
    _all_of(posting, _POSTING)
    salt_of_shown, salt_of_hidden = _salts(salt, whole_number(posting, "line"))
    hidden = canonical({column: posting[column] for column in _POSTING_HIDDEN})
    return Opening(
        {column: posting[column] for column in POSTING_SHOWN},
        salt_of_shown,
        _hash(b"wallet posting hidden 2\n", salt_of_hidden, hidden),
    )


def open_transaction(transaction: Record, salt: bytes) -> Opening:
    """Form 2: a transaction's own columns as they may be shown; `salt` is the transaction's."""
    _all_of(transaction, _TRANSACTION)
    salt_of_shown, salt_of_hidden = _salts(salt, 0)
    hidden = canonical({column: transaction[column] for column in _TRANSACTION_HIDDEN})
    return Opening(
        {column: transaction[column] for column in TRANSACTION_SHOWN},
        salt_of_shown,
        _hash(b"wallet transaction hidden 2\n", salt_of_hidden, hidden),
    )


def opened_posting_hash(opening: Opening) -> bytes:
    """Form 2: the hash of a posting."""
    return _hash(b"wallet posting 2\n", opening.salt, opening.hidden, canonical(opening.shown))


def opened_head_hash(opening: Opening) -> bytes:
    """Form 2: the hash of a transaction's own columns."""
    return _hash(b"wallet transaction 2\n", opening.salt, opening.hidden, canonical(opening.shown))


def join(head: bytes, lines: Iterable[bytes], *, form: int) -> bytes:
    """The leaf: the hash of a transaction's own hash and those of its lines, in their order."""
    return _hash(_LEAF[form], head, *lines)


def leaf_of(content: Content, salt: bytes, *, form: int) -> bytes:
    """The hash of a transaction with all of its postings, under its salt. Raises ValueError if it can have none."""
    if form == FORM_2:
        lines = [opened_posting_hash(open_posting(posting, salt)) for posting in content.postings]
        return join(opened_head_hash(open_transaction(content.transaction, salt)), lines, form=form)
    if form == FORM_1:
        lines = [posting_hash(posting, line_salt(salt, whole_number(posting, "line"))) for posting in content.postings]
        return join(head_hash(content.transaction, line_salt(salt, 0)), lines, form=form)
    raise ValueError(f"nothing is sealed in a form {form}")


def link(before: bytes, leaf: bytes) -> bytes:
    """The chain behind a leaf, of whichever form."""
    return _hash(b"wallet chain 1\n", before, leaf)


def chain(before: bytes, leaves: Iterable[bytes]) -> bytes:
    """The chain behind all the leaves, one after the other."""
    for leaf in leaves:
        before = link(before, leaf)
    return before


def make_seals(
    contents: Sequence[Content], salts: Sequence[bytes], *, first: int, form: int = NEWEST_FORM
) -> list[Seal]:
    """The seals of a batch from position `first` on, in the order in which it is given. Salts are secure randomness."""
    if any(len(salt) != SALT_SIZE for salt in salts):
        raise ValueError(f"a salt has {SALT_SIZE} bytes")
    return [
        Seal(position, str(content.transaction["id"]), salt, leaf_of(content, salt, form=form), form)
        for position, (content, salt) in enumerate(zip(contents, salts, strict=True), first)
    ]


_TRANSACTION, _POSTING = frozenset(TRANSACTION_COLUMNS), frozenset(POSTING_COLUMNS)
_TRANSACTION_HIDDEN = tuple(column for column in TRANSACTION_COLUMNS if column not in TRANSACTION_SHOWN)
_POSTING_HIDDEN = tuple(column for column in POSTING_COLUMNS if column not in POSTING_SHOWN)
_LEAF = {FORM_1: b"wallet leaf 1\n", FORM_2: b"wallet leaf 2\n"}


def _salts(salt: bytes, line: int) -> tuple[bytes, bytes]:
    """Form 2: a line's salts, for what is shown and for what is hidden: who has the one learns nothing of the other."""
    both = _hash(b"wallet salt 2\n", salt, bytes([line]))
    return both[:SALT_SIZE], both[SALT_SIZE:]


def _all_of(record: Record, columns: frozenset[str]) -> Record:
    """The record, if it has exactly these columns: one that is left out could be changed afterwards."""
    if record.keys() != columns:
        raise ValueError(f"a seal covers every column; not as it should be: {sorted(record.keys() ^ columns)}")
    return record


def _hash(word: bytes, *parts: bytes) -> bytes:
    return sha256(b"".join((word, *parts))).digest()
