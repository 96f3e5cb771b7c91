"""What a proof is made of: where a transaction is sealed, its checkpoint, and all that is sealed with it."""

from dataclasses import dataclass
from uuid import UUID

from wallet.ledger.seals import Content, Seal
from wallet.storage.database import Database
from wallet.storage.sealed import Stored, content_of, posting_of, stored_of
from wallet.storage.seals import seal_of


@dataclass(frozen=True, slots=True)
class SealPlace:
    """Where a transaction of a wallet (`account_id`, hexadecimal) is sealed, and under which checkpoint, if any."""

    account_id: str
    position: int
    checkpoint: Stored | None


def find_seal(database: Database, *, user_id: UUID, transaction_id: UUID) -> SealPlace | None:
    """Where a transaction is sealed in which the user's wallet has a line; None if there is none."""
    rows = database.read("CALL find_seal(%s, %s)", user_id.bytes, transaction_id.bytes)
    if not rows:
        return None
    number, position = rows[0]["number"], rows[0]["position"]
    found = database.read("CALL find_checkpoint(%s)", number) if number else []
    return SealPlace(rows[0]["wallet_id"].hex(), position or 0, stored_of(found[0]) if found else None)


def list_seals(database: Database, *, first: int, last: int) -> list[Seal]:
    """The seals at these positions, in their order."""
    rows = database.read("CALL list_seals(%s, %s)", first, last)
    return [seal_of(row) for row in rows]


def find_content(database: Database, transaction_id: UUID) -> Content | None:
    """What is sealed of a transaction; None if that is gone."""
    rows = database.read("CALL find_sealed_transaction(%s)", transaction_id.bytes)
    postings = database.read("CALL list_sealed_postings(%s)", transaction_id.bytes)
    return content_of(rows[0], [posting_of(row) for row in postings]) if rows else None
