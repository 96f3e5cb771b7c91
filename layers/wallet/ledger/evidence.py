"""Seals held against the ledger and against what was signed: which transaction is not as it was.

What a checkpoint's object lists is the truth, if the key has signed it; the database is what is looked at. Of a
transaction that is not where it was signed there are three kinds: it is gone, another one came in between, or they
stand in another order.
"""

import base64
import binascii
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from wallet.ledger.checkpoints import FORMATS, Balances, balances_hash, entries_hash
from wallet.ledger.faults import Fault
from wallet.ledger.seals import FORM_1, Content, Seal, canonical, chain, leaf_of
from wallet.ledger.signatures import PublicKey

#: A commit may take so long that its transaction is dated before one that is sealed already; not longer.
LATE = timedelta(minutes=5)
#: What is sealed later than this after it was written was open to whoever administers the database for so long.
SOON = timedelta(minutes=15)

ALTERED, REMOVED, INSERTED, REORDERED = "altered", "removed", "inserted", "reordered"


class UnreadableObjectError(Exception):
    """An object is none that a checkpoint was published as."""


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint's object: the signed statement, the list of its transactions, the signature.

    `form` is that of the statement and of every seal under it, 0 if it is none that there is. `balances` are in clear,
    whichever the form.
    """

    number: int
    first: int
    last: int
    sealed_at: str
    digest: bytes
    entries: tuple[tuple[str, str], ...]
    signature: bytes
    is_whole: bool
    ledger: str
    chain: bytes
    balances: Balances
    form: int

    def fault(self, number: int, key: PublicKey) -> str | None:
        """What is wrong with it by itself; None if the key has signed it and it lists what was signed."""
        if not key.has_signed(self.digest, self.signature):
            return "its signature is not the key's"
        if not self.is_whole:
            return "what it lists is not what was signed"
        return None if self.number == number else "it is another checkpoint's"


def read_published(content: bytes) -> Published:
    """An object as it is kept. Raises UnreadableObjectError."""
    try:
        told = json.loads(content)
        statement, entries = told["statement"], told["entries"]
        leaves = [bytes.fromhex(leaf) for _, leaf in entries]
        behind = chain(bytes.fromhex(statement["chain_before"]), leaves)
        form = {name: number for number, name in FORMATS.items()}.get(statement["format"], 0)
        balances, are_signed = statement["balances"], True
        if form != FORM_1:
            balances = told["opening"]["balances"]
            salt = bytes.fromhex(told["opening"]["salt"])
            are_signed = statement["balances"] == balances_hash(balances, salt).hex()
        return Published(
            number=statement["number"],
            first=statement["first"],
            last=statement["last"],
            sealed_at=str(statement["sealed_at"]),
            digest=sha256(canonical(statement)).digest(),
            entries=tuple((str(transaction), str(leaf)) for transaction, leaf in entries),
            signature=base64.b64decode(told["signature"], validate=True),
            is_whole=form in FORMATS
            and are_signed
            and statement["entries"] == entries_hash(entries).hex()
            and statement["chain"] == behind.hex()
            and statement["last"] - statement["first"] + 1 == len(entries),
            ledger=statement["ledger"],
            chain=behind,
            balances=balances,
            form=form,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise UnreadableObjectError(f"no checkpoint can be read from it: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal, and what the ledger has for it; `content` is None if that is gone."""

    seal: Seal
    content: Content | None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What to ask about transactions that are not where they should be.

    `position_of` says where one is sealed now, if anywhere; `signed_at` which ones are under the checkpoint of a
    position, by what was signed.
    """

    position_of: Callable[[str], int | None]
    signed_at: Callable[[int], Collection[str]]


def faults_of_batch(
    entries: Sequence[tuple[str, str]],
    sealed: Sequence[Sealed],
    *,
    first: int,
    form: int,
    floor: str,
    elsewhere: Elsewhere,
) -> Iterator[Fault]:
    """What is wrong with the seals that should be `entries`, from position `first` on, all of them of one form.

    `floor`: a time before which nothing here is dated. All that is altered is named; where another transaction stands
    than was signed, that one fault ends it, as everything behind it would follow.
    """
    for position, (transaction, leaf) in enumerate(entries, start=first):
        found = sealed[position - first] if position - first < len(sealed) else None
        if found is None or found.seal.transaction_id != transaction:
            yield _misplaced(transaction, found, position, {known for known, _ in entries}, elsewhere)
            return
        fault = _fault_of(found, bytes.fromhex(leaf), position, form=form, floor=floor)
        if fault is not None:
            yield Fault(fault[0], "transaction", transaction, f"position {position}, {fault[1]}")


def _misplaced(wanted: str, found: Sealed | None, position: int, known: Collection[str], elsewhere: Elsewhere) -> Fault:
    """What to call it. Two that have changed places are each under the checkpoint where the other one is now."""
    told = f"position {position}"
    now_at = elsewhere.position_of(wanted)
    if now_at is None:
        return Fault(REMOVED, "transaction", wanted, f"{told}, it was signed and has no seal any more")
    if found is not None and found.seal.transaction_id not in {*known, *elsewhere.signed_at(now_at)}:
        return Fault(INSERTED, "transaction", found.seal.transaction_id, f"{told}, where another one was signed")
    return Fault(REORDERED, "transaction", wanted, f"{told}, where another one stands now")


def _fault_of(found: Sealed, leaf: bytes, position: int, *, form: int, floor: str) -> tuple[str, str] | None:
    if found.seal.position != position:
        return REORDERED, f"its seal says {found.seal.position}"
    if found.content is None:
        return REMOVED, "it has a seal and is not in the ledger"
    if leaf_now(found.content, found.seal.salt, form=form) != leaf:
        return ALTERED, "its columns, its postings or its salt are not what was sealed"
    if (found.seal.leaf, found.seal.form) != (leaf, form):
        return ALTERED, "the leaf in its seal is not the one that was signed, or not of that form"
    if str(found.content.transaction["created_at"]) < floor:
        return INSERTED, "it is dated before what was sealed before it"
    return None


def leaf_now(content: Content, salt: bytes, *, form: int) -> bytes:
    """The leaf of what is there now; nothing if it is no longer anything that has one."""
    try:
        return leaf_of(content, salt, form=form)
    except (ValueError, TypeError):
        return b""


def is_late(written: str, sealed: str) -> bool:
    """Whether more time lies between writing and sealing than should; both as the ledger's seals have times."""
    return datetime.fromisoformat(sealed) - datetime.fromisoformat(written) > SOON


def floor_behind(sealed_at: str, newest: str) -> str:
    """The time before which nothing is dated that is sealed behind a checkpoint; `newest` is dated last in it."""
    if not newest:
        return ""
    moment = datetime.fromisoformat(min(sealed_at, newest).removesuffix("Z")) - LATE
    return moment.isoformat(timespec="microseconds") + "Z"
