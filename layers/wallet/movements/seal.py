"""The sealer: gives every transaction its place in the chain, and has each checkpoint signed and kept out of reach.

In this order: a batch is appended in one commit, its statement is signed, the object is put, and that is written down.
Whoever dies in between leaves what the next one finds: a checkpoint that is not known to be published is published
again, from what the database has, byte for byte the same. Two at once do no harm: one of them appends, both publish the
same object.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from wallet.channels.evidence import Archive, EvidenceUnavailableError, OtherEvidenceError, Signer
from wallet.ledger import ids
from wallet.ledger.checkpoints import BATCH, balances_after, make_checkpoint, object_key, published
from wallet.ledger.evidence import is_late
from wallet.ledger.following import fault_of_statement
from wallet.ledger.seals import make_seals
from wallet.movements.foregoing import ForegoingError, foregoing
from wallet.storage import seals
from wallet.storage.database import Database
from wallet.storage.sealed import our_accounts, read_sealed
from wallet.storage.seals import Lag, Unpublished, Waiting

# What was written since then is looked at each minute; anything older that is not sealed is the audit's to find.
_RECENT = timedelta(minutes=30)
# So many of each kind are named.
_MOST_NAMED = 20


@dataclass(slots=True)
class Sealing:
    """What one run came to.

    For people to look at: `missing` were to be sealed and are not in the ledger, `twice` were to be sealed and are,
    `unlisted` are in the ledger and neither sealed nor to be, `contradictions` say where the database and what is kept
    differ. `late` was sealed or published long after it was written or sealed. `trouble` is why publishing stopped.
    """

    sealed: int = 0
    published: int = 0
    missing: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    contradictions: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    trouble: str | None = None
    lag: Lag | None = None

    @property
    def is_contradicted(self) -> bool:
        """Whether somebody must look."""
        return bool(self.missing or self.twice or self.unlisted or self.contradictions)

    @property
    def is_healthy(self) -> bool:
        """Whether all that could be sealed was, and all of it is kept."""
        return not (self.is_contradicted or self.trouble)

    @property
    def may_publish(self) -> bool:
        """Whether the next checkpoint can be published: each names the one before, so none is left out."""
        return not (self.contradictions or self.trouble)


def _clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Sealer:
    """One run. `new_salt` gives 16 bytes of secure randomness.

    `now` is a clock that who administers the database can't set: what is signed is dated by it.
    """

    database: Database
    signer: Signer
    archive: Archive
    new_salt: Callable[[], bytes]
    now: Callable[[], datetime] = _clock

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
        self._look_around(sealing)
        # What appends is longer than RDS Proxy shares a connection for: it has it back before the next run.
        self.database.close()

    def _look_around(self, sealing: Sealing) -> None:
        """Sees what the list of those that wait does not tell, or tells wrongly."""
        strays = seals.strays(self.database, limit=_MOST_NAMED)
        sealing.missing.update(strays.missing)
        sealing.twice.update(strays.sealed)
        since = ids.uuid7(unix_ms=int((self.now() - _RECENT).timestamp() * 1000), entropy=bytes(10))
        sealing.unlisted.update(seals.unlisted(self.database, since=since, limit=_MOST_NAMED))
        sealing.lag = seals.lag(self.database)

    def _append(self, sealing: Sealing) -> bool:
        """Seals a batch; True if there may be more."""
        try:
            head = seals.head(self.database)
        except ValueError:
            sealing.contradictions.append("the last checkpoint can't be read: nothing is sealed behind it")
            return False
        waiting = seals.waiting(self.database, limit=BATCH)
        if not waiting.contents:
            return False
        now = self._time()
        if self._seal(head, waiting, now):
            sealing.sealed += len(waiting.contents)
            late = [found for found in waiting.contents if is_late(str(found.transaction["created_at"]), now)]
            sealing.late += [f"transaction {found.transaction['id']}" for found in late]
        return len(waiting.contents) == BATCH

    def _seal(self, head: seals.Head, waiting: Waiting, now: str) -> bool:
        """Appends what waits behind `head`; False if another sealer has, meanwhile."""
        made = make_seals(waiting.contents, [self.new_salt() for _ in waiting.contents], first=head.position + 1)
        checkpoint = make_checkpoint(
            made,
            ledger=head.ledger,
            number=head.number + 1,
            chain_before=head.chain,
            previous=head.digest,
            sealed_at=now,
            balances=balances_after(head.balances, waiting.contents, waiting.codes),
        )
        return seals.append(self.database, checkpoint, made)

    def _publish(self, sealing: Sealing, time_left_s: Callable[[], float]) -> None:
        """Publishes what was appended and isn't published, the oldest first."""
        while sealing.may_publish and time_left_s() > 0:
            try:
                found = seals.oldest_unpublished(self.database)
            except ValueError:
                sealing.contradictions.append("the oldest checkpoint that is not published can't be read")
                return
            if found is None:
                return
            number = found.checkpoint.number
            try:
                fault = self._fault(found)
                if fault is not None:
                    sealing.contradictions.append(f"checkpoint {number} {fault}")
                    return
                signature = self.signer.sign(found.digest)
                self.archive.keep(object_key(number), published(found.checkpoint, found.entries, signature))
            except EvidenceUnavailableError as error:
                sealing.trouble = str(error)
            except OtherEvidenceError:
                sealing.contradictions.append(f"checkpoint {number}: something else is kept under its name")
            else:
                seals.note_published(self.database, number, signature=signature)
                sealing.published += 1
                if is_late(found.checkpoint.sealed_at, self._time()):
                    sealing.late.append(f"checkpoint {number}")

    def _fault(self, found: Unpublished) -> str | None:
        """Why a checkpoint must not be signed: the database is whoever's who administers it, what is kept is nobody's.

        Raises EvidenceUnavailableError.
        """
        checkpoint = found.checkpoint
        if checkpoint.digest != found.digest:
            return "is not what was appended"
        try:
            before = foregoing(self.archive, self.signer, checkpoint.number)
        except ForegoingError as error:
            return f"can't be signed: {error}"
        fault = fault_of_statement(
            checkpoint,
            read_sealed(self.database, first=checkpoint.first, last=checkpoint.last),
            before,
            codes=our_accounts(self.database),
            now=self.now(),
        )
        return fault and f"is not signed: {fault}"

    def _time(self) -> str:
        """The sealer's own time, as it is signed."""
        return self.now().astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
