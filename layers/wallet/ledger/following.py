"""What a checkpoint must be before it is signed: the database is read, and what is kept elsewhere is believed.

Whoever can write to the database's tables can write a row of `checkpoints` too, and would have the key's signature
under anything. So a statement is held against the one before it as it is kept and signed, and against the transactions
that it is over; what does not follow from both is not signed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain as one_after_the_other

from wallet.ledger.checkpoints import BATCH, Balances, Checkpoint, balances_after
from wallet.ledger.evidence import LATE, Published, Sealed, leaf_now
from wallet.ledger.seals import BEGINNING, chain


def fault_of_statement(
    made: Checkpoint,
    sealed: Sequence[Sealed],
    before: Published | None,
    *,
    codes: Mapping[str, str],
    now: datetime,
) -> str | None:
    """Why a checkpoint must not be signed; None if it follows.

    `sealed` are the seals and transactions of its positions, `before` is what is kept of the checkpoint before it, with
    a good signature (None for the first one), `codes` are our own accounts by id, `now` is the sealer's own time.
    """
    faults = one_after_the_other(
        _faults_of_place(made, before),
        _faults_of_content(made, sealed, before.balances if before is not None else {}, codes),
        _faults_of_time(made.sealed_at, before.sealed_at if before is not None else made.sealed_at, now),
    )
    return next(faults, None)


def _faults_of_place(made: Checkpoint, before: Published | None) -> Iterator[str]:
    last, end, digest = (0, BEGINNING, BEGINNING) if before is None else (before.last, before.chain, before.digest)
    if before is not None and before.ledger != made.ledger:
        yield "it is of another ledger than the one before it"
    if made.previous != digest:
        yield "it does not name the one before it as it is kept"
    if made.first != last + 1 or made.chain_before != end:
        yield "it does not begin where the one before it, as it is kept, ends"


def _faults_of_content(
    made: Checkpoint, sealed: Sequence[Sealed], before: Balances, codes: Mapping[str, str]
) -> Iterator[str]:
    size = made.last - made.first + 1
    if len(sealed) != size or size > BATCH or made.chain != chain(made.chain_before, (one.seal.leaf for one in sealed)):
        yield "its chain does not follow from its seals"
    for one in sealed:
        found, seal = one.content, one.seal
        if found is None or seal.form != made.form or leaf_now(found, seal.salt, form=made.form) != seal.leaf:
            yield f"transaction {one.seal.transaction_id} is not as it was sealed"
    contents = [one.content for one in sealed if one.content is not None]
    if not _are_whole(made.balances) or balances_after(before, contents, codes) != made.balances:
        yield "its balances do not follow from the one before it and its transactions"
    if any(sum(accounts.values()) for accounts in made.balances.values()):
        yield "its balances do not add up to nothing"


def _are_whole(balances: Balances) -> bool:
    """JSON has numbers that are equal to whole ones and are written otherwise."""
    return all(type(amount) is int for accounts in balances.values() for amount in accounts.values())


def _faults_of_time(sealed_at: str, before: str, now: datetime) -> Iterator[str]:
    """Two sealers may have clocks that differ; not by more than a commit may take."""
    moment = datetime.fromisoformat(sealed_at)
    if not datetime.fromisoformat(before) - LATE <= moment <= now + LATE:
        yield "it is dated before the one before it, or after now"
