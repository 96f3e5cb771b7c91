"""Proving a line of a statement to its owner."""

from dataclasses import replace
from uuid import UUID

from wallet.ledger.checkpoints import entries_hash, entries_of
from wallet.ledger.proofs import Proof, UnprovableError, make_proof
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import sealed
from wallet.storage.database import Database


def prove(database: Database, *, user_id: UUID, transaction_id: UUID) -> Proof:
    """The proof of a transaction in which the user's wallet has a line.

    Raises `Refused`: of others there is nothing to see, and what has no published checkpoint yet will have one soon.
    """
    account_id = sealed.party_of(database, user_id=user_id, transaction_id=transaction_id)
    if account_id is None:
        raise Refused(Refusal.NOT_FOUND)
    found = sealed.find_checkpoint_of(database, transaction_id)
    if found is None or found.stored.signature is None:
        raise Refused(Refusal.PROOF_NOT_READY)
    row = found.stored.checkpoint
    whole = sealed.read_leaves(database, first=row.first, last=row.last)
    [shown] = sealed.read_sealed(database, first=found.position, last=found.position)
    if shown.content is None or len(whole) != row.last - row.first + 1:
        raise UnprovableError(f"checkpoint {row.number} has seals or transactions that are gone")
    return make_proof(
        shown.content,
        whole,
        replace(row, entries=entries_hash(entries_of(whole))),
        account_id=account_id,
        position=found.position,
        digest=found.stored.digest,
        signature=found.stored.signature,
    )
