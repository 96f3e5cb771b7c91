"""Proofs: that one transaction is under a signed checkpoint, shown to a party without what is another's.

The party's own lines are shown with their salts, of the others only the hashes; the chain from there to the checkpoint
is hashes alone. With the public key and a hash function anybody can follow it: nothing has to be believed.
"""

import base64
from collections.abc import Sequence
from hashlib import sha256

from wallet.ledger.checkpoints import Checkpoint
from wallet.ledger.seals import Content, Record, Seal, canonical, chain, line_salt, posting_hash, whole_number

FORMAT = "wallet proof 1"

Proof = dict[str, object]


class UnprovableError(Exception):
    """The database does not have what was signed, so no proof of it can be made: the audit says what is wrong."""


def make_proof(
    content: Content,
    seals: Sequence[Seal],
    checkpoint: Checkpoint,
    *,
    account_id: str,
    position: int,
    digest: bytes,
    signature: bytes,
) -> Proof:
    """The proof of the transaction at `position`, for whoever has the account.

    `seals` are all of the checkpoint's; `digest` is that of the statement as it was signed. Raises UnprovableError.
    """
    index = position - checkpoint.first
    seal, leaves = seals[index], [seal.leaf for seal in seals]
    statement = checkpoint.statement()
    if sha256(canonical(statement)).digest() != digest or chain(checkpoint.chain_before, leaves) != checkpoint.chain:
        raise UnprovableError(f"checkpoint {checkpoint.number} is not as it was signed")
    return {
        "format": FORMAT,
        "transaction": content.transaction,
        "salt": line_salt(seal.salt, 0).hex(),
        "lines": [_line(posting, seal.salt, account_id) for posting in content.postings],
        "before": chain(checkpoint.chain_before, leaves[:index]).hex(),
        "after": [leaf.hex() for leaf in leaves[index + 1 :]],
        "statement": statement,
        "signature": base64.b64encode(signature).decode(),
    }


def _line(posting: Record, salt: bytes, account_id: str) -> dict[str, object]:
    salt = line_salt(salt, whole_number(posting, "line"))
    if posting["account_id"] == account_id:
        return {"posting": posting, "salt": salt.hex()}
    return {"hash": posting_hash(posting, salt).hex()}
