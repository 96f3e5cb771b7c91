"""Checkpoints: what is signed over a batch of seals, and what is published of it.

The signed statement names the transactions by the hash of their list, so that a proof about one of them need not carry
the others; the published object carries the list beside it. With the list, whoever has the objects can name what a
rewritten database hides.

A statement is of the form of the seals under it. In form 2 it names the balances, too, by a hash alone, under a salt:
it is in every proof. The published object carries balances and salt beside it, for those who audit.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from wallet.ledger.seals import FORM_1, FORM_2, SALT_SIZE, Content, Seal, canonical, chain, whole_number

#: What a statement calls itself, by the form of the seals under it.
FORMATS = {FORM_1: "wallet checkpoint 1", FORM_2: "wallet checkpoint 2"}
#: The most transactions under one checkpoint: what a proof of one of them carries at most.
BATCH = 1000
#: The name of all wallets together among the balances.
WALLETS = "wallets"

#: By currency, then by the code of an account of ours or `wallets`: credits minus debits, in minor units.
Balances = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """What the database has of a checkpoint over the seals from `first` to `last`, and over everything before by
    `chain_before` and `previous`: nothing that could be signed, for want of the seals.

    `ledger` is the id of the ledger (32 hexadecimal digits), `previous` the digest of the statement before (zeros for
    the first), `sealed_at` as `2026-11-22T06:30:00.123456Z`, `balances` those behind the transaction at `last`.
    """

    ledger: str
    number: int
    first: int
    last: int
    chain_before: bytes
    chain: bytes
    previous: bytes
    sealed_at: str
    balances: Balances

    def under(self, seals: Sequence[Seal]) -> "Checkpoint":
        """The statement, with what it has of its seals: their list, their form, and the salt of the balances.

        No row has these, nor may they be believed if it had. Raises ValueError for a form that there isn't.
        """
        form = seals[0].form if seals else FORM_1
        if form not in FORMATS:
            raise ValueError(f"nothing is sealed in a form {form}")
        return Checkpoint(
            ledger=self.ledger,
            number=self.number,
            first=self.first,
            last=self.last,
            chain_before=self.chain_before,
            chain=self.chain,
            previous=self.previous,
            sealed_at=self.sealed_at,
            balances=self.balances,
            entries=entries_hash(entries_of(seals)),
            form=form,
            balances_salt=balances_salt(seals[-1].salt) if seals else b"",
        )


@dataclass(frozen=True, slots=True)
class Checkpoint(CheckpointRow):
    """A statement: a row with the hash `entries` of the list of its transactions, in the form of the seals under it.

    `balances_salt` is what the hash of the balances is made with in form 2.
    """

    entries: bytes
    form: int
    balances_salt: bytes

    def statement(self) -> dict[str, object]:
        """What is signed, as the published object has it."""
        return {
            "format": FORMATS[self.form],
            "ledger": self.ledger,
            "number": self.number,
            "first": self.first,
            "last": self.last,
            "chain_before": self.chain_before.hex(),
            "chain": self.chain.hex(),
            "previous": self.previous.hex(),
            "sealed_at": self.sealed_at,
            "balances": self._balances_in_clear()
            if self.form == FORM_1
            else balances_hash(self.balances, self.balances_salt).hex(),
            "entries": self.entries.hex(),
        }

    def opening(self) -> dict[str, object]:
        """What is published beside a statement of form 2: the balances that it has the hash of."""
        return {"balances": self._balances_in_clear(), "salt": self.balances_salt.hex()}

    def _balances_in_clear(self) -> dict[str, dict[str, int]]:
        return {currency: dict(accounts) for currency, accounts in self.balances.items()}

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the statement: what the key signs, and what the next statement calls `previous`."""
        return sha256(canonical(self.statement())).digest()


def balances_salt(salt: bytes) -> bytes:
    """The salt of a checkpoint's balances, from that of its last transaction, which nobody is shown."""
    return sha256(b"wallet balances salt 2\n" + salt).digest()[:SALT_SIZE]


def balances_hash(balances: Balances, salt: bytes) -> bytes:
    """What a statement of form 2 says of balances."""
    return sha256(b"wallet balances 2\n" + salt + canonical(balances)).digest()


def entries_of(seals: Sequence[Seal]) -> list[list[str]]:
    """The list of what is under a checkpoint: each transaction's id and leaf, in the order of positions."""
    return [[seal.transaction_id, seal.leaf.hex()] for seal in seals]


def entries_hash(entries: Sequence[Sequence[str]]) -> bytes:
    """The hash of the list, as the signed statement names it."""
    return sha256(canonical(entries)).digest()


def make_checkpoint(
    seals: Sequence[Seal],
    *,
    ledger: str,
    number: int,
    chain_before: bytes,
    previous: bytes,
    sealed_at: str,
    balances: Balances,
) -> Checkpoint:
    """The checkpoint over one batch of seals, which are of one form."""
    if len({seal.form for seal in seals}) != 1:
        raise ValueError("what is under a checkpoint is sealed in one form")
    return CheckpointRow(
        ledger=ledger,
        number=number,
        first=seals[0].position,
        last=seals[-1].position,
        chain_before=chain_before,
        chain=chain(chain_before, (seal.leaf for seal in seals)),
        previous=previous,
        sealed_at=sealed_at,
        balances=balances,
    ).under(seals)


def published(checkpoint: Checkpoint, entries: Sequence[Sequence[str]], signature: bytes) -> bytes:
    """The object that is published: the same bytes for the same checkpoint and signature."""
    told = {
        "statement": checkpoint.statement(),
        "entries": entries,
        "signature": base64.b64encode(signature).decode(),
    }
    return canonical(told if checkpoint.form == FORM_1 else {**told, "opening": checkpoint.opening()})


def object_key(number: int) -> str:
    """Where a checkpoint is published."""
    return f"checkpoints/{number:012}.json"


def balances_after(before: Balances, contents: Sequence[Content], codes: Mapping[str, str]) -> Balances:
    """What accounts have behind these transactions. `codes`: those of our own by id; all other accounts are wallets."""
    after = {currency: dict(accounts) for currency, accounts in before.items()}
    for content in contents:
        accounts = after.setdefault(str(content.transaction["currency"]), {})
        for posting in content.postings:
            name = codes.get(str(posting["account_id"]), WALLETS)
            amount = whole_number(posting, "amount")
            accounts[name] = accounts.get(name, 0) + (amount if posting["side"] == "credit" else -amount)
    return after
