"""Proving a line of a statement to its owner."""

from uuid import UUID

from wallet.ledger.proofs import Proof, UnprovableError, make_proof
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import proofs
from wallet.storage.database import Database


def prove(database: Database, *, user_id: UUID, transaction_id: UUID) -> Proof:
    """The proof of a transaction in which the user's wallet has a line.

    Raises `Refused`: of others there is nothing to see, and what has no published checkpoint yet will have one soon.
    """
    place = proofs.find_seal(database, user_id=user_id, transaction_id=transaction_id)
    if place is None:
        raise Refused(Refusal.NOT_FOUND)
    stored = place.checkpoint
    if stored is None or stored.signature is None:
        raise Refused(Refusal.PROOF_NOT_READY)
    row = stored.checkpoint
    whole = proofs.list_seals(database, first=row.first, last=row.last)
    content = proofs.find_content(database, transaction_id)
    if content is None or len(whole) != row.last - row.first + 1:
        raise UnprovableError(f"checkpoint {row.number} has seals or transactions that are gone")
    return make_proof(
        content,
        whole,
        row.under(whole),
        account_id=place.account_id,
        position=place.position,
        digest=stored.digest,
        signature=stored.signature,
    )
