"""The ledger as a stranger gets it: one JSON object a line, with all that the hashes are made of, and nobody's name.

The first line says which ledger this is and which accounts are its own. Then comes every transaction with a seal,
in the order of positions; then those that have none; then postings whose transaction is not there, which there should
not be; then how many lines there were, so that a file cut off shows it.
"""

from collections.abc import Iterator

from wallet.ledger.seals import Content, canonical
from wallet.storage.database import Database, Reader
from wallet.storage.sealed import (
    ledger_id,
    our_accounts,
    read_postings_of_nothing,
    read_sealed,
    read_without_seal,
)

FORMAT = "wallet export 2"

_AT_ONCE = 1_000
_SPAN = "SELECT COALESCE(MIN(position), 1) AS low, COALESCE(MAX(position), 0) AS high FROM seals"


def export_lines(database: Database) -> Iterator[bytes]:
    """The lines of an export, each with its end of line; all of one moment, however long it takes to read them."""
    with database.snapshot() as reader:
        head: dict[str, object] = {"format": FORMAT, "ledger": ledger_id(reader), "accounts": our_accounts(reader)}
        count = 0
        yield _line(head)
        for told in _all(reader):
            count += 1
            yield _line(told)
        yield _line({"end": count})


def _all(reader: Reader) -> Iterator[dict[str, object]]:
    span = reader.read(_SPAN)[0]
    for first in range(span["low"], span["high"] + 1, _AT_ONCE):
        for found in read_sealed(reader, first=first, last=first + _AT_ONCE - 1):
            seal = found.seal
            yield {
                "position": seal.position,
                "transaction_id": seal.transaction_id,
                "salt": seal.salt.hex(),
                "leaf": seal.leaf.hex(),
                "form": seal.form,
                **_content(found.content),
            }
    for row in read_without_seal(reader):
        transaction_id = row.content.transaction["id"]
        yield {"position": None, "transaction_id": transaction_id, "waiting": row.waiting, **_content(row.content)}
    for transaction_id, postings in read_postings_of_nothing(reader):
        told = {"position": None, "transaction_id": transaction_id, "waiting": False}
        yield {**told, "transaction": None, "postings": postings}


def _content(content: Content | None) -> dict[str, object]:
    if content is None:
        return {"transaction": None, "postings": []}
    return {"transaction": content.transaction, "postings": content.postings}


def _line(told: dict[str, object]) -> bytes:
    return canonical(told) + b"\n"
