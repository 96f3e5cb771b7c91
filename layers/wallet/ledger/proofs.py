"""Proofs: that one transaction is under a signed checkpoint, shown by a party without what is another's.

The party's own lines are shown with their salts, of the others only the hashes; the chain from there to the checkpoint
is hashes alone. With the public key and a hash function anybody can follow it: nothing has to be believed.

A proof has the form of the seal. In form 1 it shows the transaction and the party's lines whole, their balance with
them. In form 2 it is made to be handed on: what it shows is `TRANSACTION_SHOWN` and, of the party's lines,
`POSTING_SHOWN`; the signed statement has a hash for our balances.
"""

import base64
from collections.abc import Sequence
from hashlib import sha256

from wallet.ledger.checkpoints import Checkpoint
from wallet.ledger.seals import (
    FORM_1,
    FORM_2,
    Content,
    Opening,
    Record,
    Seal,
    canonical,
    chain,
    line_salt,
    open_posting,
    open_transaction,
    opened_posting_hash,
    posting_hash,
    whole_number,
)

#: What a proof calls itself, by its form.
FORMATS = {FORM_1: "wallet proof 1", FORM_2: "wallet proof 2"}

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
        "format": FORMATS[seal.form],
        **(_whole(content, seal.salt, account_id) if seal.form == FORM_1 else _part(content, seal.salt, account_id)),
        "before": chain(checkpoint.chain_before, leaves[:index]).hex(),
        "after": [leaf.hex() for leaf in leaves[index + 1 :]],
        "statement": statement,
        "signature": base64.b64encode(signature).decode(),
    }


def _whole(content: Content, salt: bytes, account_id: str) -> Proof:
    return {
        "transaction": content.transaction,
        "salt": line_salt(salt, 0).hex(),
        "lines": [_line(posting, salt, account_id) for posting in content.postings],
    }


def _line(posting: Record, salt: bytes, account_id: str) -> Proof:
    salt = line_salt(salt, whole_number(posting, "line"))
    if posting["account_id"] == account_id:
        return {"posting": posting, "salt": salt.hex()}
    return {"hash": posting_hash(posting, salt).hex()}


def _part(content: Content, salt: bytes, account_id: str) -> Proof:
    lines = [open_posting(posting, salt) for posting in content.postings]
    return {
        "transaction": _opened(open_transaction(content.transaction, salt)),
        "lines": [
            _opened(line) if line.shown["account_id"] == account_id else _other_line(line, is_pair=len(lines) == 2)
            for line in lines
        ],
    }


def _opened(opening: Opening) -> Proof:
    return {"shown": opening.shown, "salt": opening.salt.hex(), "hidden": opening.hidden.hex()}


def _other_line(line: Opening, *, is_pair: bool) -> Proof:
    """A line that is not the party's: a hash.

    Of a pair, amount and side of the other line follow from the one that is shown. So with salt and hash of what is
    hidden, whoever knows a wallet's id can see whether it is the other side: a payee that they were paid, and not
    somebody else. Nobody finds an id that way: it has 74 random bits.
    """
    told: Proof = {"hash": opened_posting_hash(line).hex()}
    return {**told, "salt": line.salt.hex(), "hidden": line.hidden.hex()} if is_pair else told
