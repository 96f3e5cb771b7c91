"""The sealer: gives every transaction its place in the chain, and has each checkpoint signed and kept out of reach.

In this order: a batch is appended in one commit, its statement is signed, the object is put, and that is written down.
Whoever dies in between leaves what the next one finds: a checkpoint that is not known to be published is published
again, from what the database has, byte for byte the same. Two at once do no harm: one of them appends, both publish the
same object.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from wallet.channels.evidence import Archive, EvidenceUnavailableError, OtherEvidenceError, Signer
from wallet.ledger.checkpoints import BATCH, balances_after, make_checkpoint, object_key, published
from wallet.ledger.seals import make_seals
from wallet.storage import seals
from wallet.storage.database import Database
from wallet.storage.seals import Lag, Waiting


@dataclass(slots=True)
class Sealing:
    """What one run came to.

    `missing` are transactions that were to be sealed and are not in the ledger, `contradictions` say where the database
    and what is kept differ: both are for people to look at. `trouble` is why publishing stopped, if it did.
    """

    sealed: int = 0
    published: int = 0
    missing: set[str] = field(default_factory=set)
    contradictions: list[str] = field(default_factory=list)
    trouble: str | None = None
    lag: Lag | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether all that could be sealed was, and all of it is kept."""
        return not (self.missing or self.contradictions or self.trouble)

    @property
    def may_publish(self) -> bool:
        """Whether the next checkpoint can be published: each names the one before, so none is left out."""
        return not (self.contradictions or self.trouble)


@dataclass(frozen=True, slots=True)
class Sealer:
    """One run. `new_salt` gives 16 bytes of secure randomness."""

    database: Database
    signer: Signer
    archive: Archive
    new_salt: Callable[[], bytes]

    def run(self, sealing: Sealing, *, time_left_s: Callable[[], float]) -> None:
        """Publishes what was left, then seals and publishes batch by batch while there is time.

        What can't be published holds up no seal. A batch that is not full ends the run: those that have come meanwhile
        are the next one's, or there would be a checkpoint for every few transactions.
        """
        self._publish(sealing, time_left_s)
        is_full = True
        while is_full and time_left_s() > 0:
            is_full = self._append(sealing)
            self._publish(sealing, time_left_s)
        sealing.lag = seals.lag(self.database)
        # What appends is longer than RDS Proxy shares a connection for: it has it back before the next run.
        self.database.close()

    def _append(self, sealing: Sealing) -> bool:
        """Seals a batch; True if there may be more."""
        head, waiting = seals.head(self.database), seals.waiting(self.database, limit=BATCH)
        sealing.missing.update(waiting.missing)
        if not waiting.contents:
            return False
        if self._seal(head, waiting):
            sealing.sealed += len(waiting.contents)
        return len(waiting.contents) + len(waiting.missing) == BATCH

    def _seal(self, head: seals.Head, waiting: Waiting) -> bool:
        """Appends what waits behind `head`; False if another sealer has, meanwhile."""
        made = make_seals(waiting.contents, [self.new_salt() for _ in waiting.contents], first=head.position + 1)
        checkpoint = make_checkpoint(
            made,
            ledger=head.ledger,
            number=head.number + 1,
            chain_before=head.chain,
            previous=head.digest,
            sealed_at=head.now,
            balances=balances_after(head.balances, waiting.contents, waiting.codes),
        )
        return seals.append(self.database, checkpoint, made)

    def _publish(self, sealing: Sealing, time_left_s: Callable[[], float]) -> None:
        """Publishes what was appended and isn't published, the oldest first."""
        while sealing.may_publish and time_left_s() > 0:
            found = seals.oldest_unpublished(self.database)
            if found is None:
                return
            number = found.checkpoint.number
            if found.checkpoint.digest != found.digest:
                sealing.contradictions.append(f"checkpoint {number} is not what was appended")
                return
            try:
                signature = self.signer.sign(found.digest)
                self.archive.keep(object_key(number), published(found.checkpoint, found.entries, signature))
            except EvidenceUnavailableError as error:
                sealing.trouble = str(error)
            except OtherEvidenceError:
                sealing.contradictions.append(f"checkpoint {number}: something else is kept under its name")
            else:
                seals.note_published(self.database, number, signature=signature)
                sealing.published += 1
