"""Holds the seals in the database against the ledger and against the checkpoints that are kept elsewhere."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial

from wallet.channels.kept import Kept
from wallet.ledger.audits import MOST_TOLD, AuditReport, Result
from wallet.ledger.checkpoints import balances_after, object_key
from wallet.ledger.evidence import (
    INSERTED,
    Elsewhere,
    Published,
    Sealed,
    UnreadableObjectError,
    faults_of_batch,
    floor_behind,
    is_late,
    read_published,
)
from wallet.ledger.faults import Fault
from wallet.ledger.seals import FORM_1, chain
from wallet.ledger.signatures import PublicKey
from wallet.storage import sealed as storage
from wallet.storage.database import Database
from wallet.storage.sealed import Stored

SEALS = ("as_sealed", "every sealed transaction is as it was sealed and signed, and where it was")
IN_TIME = (
    "sealed_in_time",
    "what was sealed late, and could be altered unseen until then, is named: no fault by itself",
)
CHECKPOINTS = ("checkpoints_hold", "every checkpoint is kept, signed, and follows from the one before it")


@dataclass(slots=True)
class SealAudit:
    """One look at the seals: what is kept elsewhere and signed by the key is what they are held against.

    `below` gives a random number below another one. Where a round begins is not to be known or to be steered by who
    writes to the database, or some checkpoints would never be looked at where a run has no time for all.
    """

    database: Database
    kept: Kept
    key: PublicKey
    below: Callable[[int], int]
    seals: Result = field(default_factory=lambda: Result(*SEALS))
    checkpoints: Result = field(default_factory=lambda: Result(*CHECKPOINTS))
    in_time: Result = field(default_factory=lambda: Result(*IN_TIME))
    late: int = 0
    accounts: dict[str, str] = field(default_factory=dict)
    found: list[tuple[int, Fault]] = field(default_factory=list)
    #: Faults of transactions and of checkpoints, told or not.
    counts: list[int] = field(default_factory=lambda: [0, 0])
    #: Nothing under the checkpoint of this number is dated before this time, by those that were looked at before it.
    floor: tuple[int, str] = (0, "")
    #: Of each checkpoint looked at: the floor behind it by itself, and what is dated first in it: time and transaction.
    spans: dict[int, tuple[str, str, str]] = field(default_factory=dict)

    def run(self, report: AuditReport, *, time_left_s: Callable[[], float]) -> None:
        """Looks at the newest checkpoint, then at all others from a random one on, and around, while there is time.

        What it finds is in the report's results; a round that is not whole leaves them unfinished.
        """
        report.results += [self.seals, self.checkpoints, self.in_time]
        self.accounts = storage.our_accounts(self.database)
        # what is kept is looked at first: its row was there before it, so none of a running sealer can be missing
        newest_kept = self._newest_kept()
        ends = storage.read_ends(self.database)
        report.checkpoints = max(ends.number, newest_kept)
        self.seals.is_finished = self.checkpoints.is_finished = self.in_time.is_finished = False
        for number in _round(report.checkpoints, 1 + self.below(max(1, report.checkpoints - 1))):
            if time_left_s() <= 0:
                report.next_number = number
                break
            self._look_at(number)
            report.verified += 1
        else:
            report.next_number = 1
            self.seals.is_finished = self.checkpoints.is_finished = self.in_time.is_finished = True
        self._compare_times()
        self.seals.faults = [fault for _, fault in self.found]
        told = f"{report.verified} of {report.checkpoints} checkpoints"
        for result, faults in zip((self.seals, self.checkpoints), self.counts, strict=True):
            result.told = told + (f", {faults} faults" if faults > MOST_TOLD else "")
        self.in_time.told = f"{self.late} sealed late; {told}"

    def _newest_kept(self) -> int:
        """The number of the last object behind the last checkpoint of the database, or 0."""
        newest = 0
        for name in self.kept.behind(object_key(storage.read_ends(self.database).number)):
            number = _number_of(name)
            newest = max(newest, number)
            if name != object_key(number):
                self._broken_is(Fault("checkpoint", "object", name, "it is no checkpoint's"))
        return newest

    def _look_at(self, number: int) -> None:
        try:
            self._compare(number)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # whoever can write anything into one row must not keep us from looking at the others
            self._broken(number, f"it can't be looked at: {type(error).__name__}")

    def _compare(self, number: int) -> None:
        stored = storage.find_checkpoint(self.database, number)
        published = self._published(number, stored)
        floor = self._floor(number, stored)
        self.floor = (number + 1, floor)
        if stored is None:
            self._broken(number, "it is not in the database any more")
        if published is not None:
            entries, first, form = published.entries, published.first, published.form
            if stored is not None and stored.digest != published.digest:
                self._broken(number, "the database has another one than was signed")
        elif stored is not None:
            first = stored.checkpoint.first
            rows = storage.read_sealed(self.database, first=first, last=stored.checkpoint.last)
            entries = tuple((found.seal.transaction_id, found.seal.leaf.hex()) for found in rows)
            form = rows[0].seal.form if rows else FORM_1
        else:
            return
        found = storage.read_sealed(self.database, first=first, last=first + len(entries) - 1)
        elsewhere = Elsewhere(partial(storage.position_of, self.database), self._signed_at)
        faults = list(faults_of_batch(entries, found, first=first, form=form, floor=floor, elsewhere=elsewhere))
        self._note(number, faults)
        sealed_at = published.sealed_at if published is not None else stored.checkpoint.sealed_at if stored else ""
        newest = max(_times(found, {fault.id for fault in faults}), default="")
        behind = floor_behind(sealed_at, newest)
        self.floor = (number + 1, max(floor, behind))
        oldest = [dated for dated in _dated(found) if dated[1] not in {fault.id for fault in faults}]
        self.spans[number] = (behind, *min(oldest, default=("", "")))
        self._note_late(found, sealed_at)
        if stored is not None:
            for fault in self._faults_of_row(stored, found, is_sound=not faults):
                self._broken(number, fault)

    def _compare_times(self) -> None:
        """Holds each checkpoint against all before it: the look began in the middle, where their times were unknown."""
        floor = ""
        for number, (behind, oldest, transaction) in sorted(self.spans.items()):
            if transaction and oldest < floor:
                told = f"dated {oldest}, before what was sealed before it"
                self._note(number, [Fault(INSERTED, "transaction", transaction, told)])
            floor = max(floor, behind)

    def _note_late(self, found: list[Sealed], sealed_at: str) -> None:
        """Names what was sealed late: the sealer was away, or was kept from it."""
        for one in found:
            written = str(one.content.transaction["created_at"]) if one.content is not None else sealed_at
            if is_late(written, sealed_at):
                self.late += 1
                if len(self.in_time.notes) < MOST_TOLD:
                    told = f"position {one.seal.position}, written {written}, sealed {sealed_at}"
                    self.in_time.notes.append(Fault("sealed_late", "transaction", one.seal.transaction_id, told))

    def _published(self, number: int, stored: Stored | None) -> Published | None:
        """The checkpoint's object, if it can be believed; else what is wrong with it is noted."""
        kept = self.kept.read(object_key(number))
        if kept is None:
            if stored is None or stored.signature is not None:
                self._broken(number, "it was published and is not kept any more")
            return None
        content, times = kept
        if times > 1:
            self._broken(number, f"something was done {times - 1} times to what is kept")
        try:
            published = read_published(content)
        except UnreadableObjectError as error:
            self._broken(number, str(error))
            return None
        fault = published.fault(number, self.key)
        if fault is None and stored is not None and stored.signature not in (None, published.signature):
            self._broken(number, "the database has another signature")
        if fault is not None:
            self._broken(number, fault)
            return None
        return published

    def _floor(self, number: int, stored: Stored | None) -> str:
        """The time before which nothing under a checkpoint is dated.

        It never falls from one checkpoint to the next; where the look begins, it follows from the one before alone.
        """
        if self.floor[0] == number:
            return self.floor[1]
        if stored is None or not stored.before.last:
            return ""
        newest = storage.newest_time(self.database, first=stored.before.first, last=stored.before.last)
        return floor_behind(stored.before.sealed_at, newest)

    def _signed_at(self, position: int) -> Collection[str]:
        """The transactions under the checkpoint of a position, by what is kept of it."""
        number = storage.number_at(self.database, position)
        kept = self.kept.read(object_key(number))
        try:
            published = read_published(kept[0]) if kept is not None else None
        except UnreadableObjectError:
            published = None
        if published is None or published.fault(number, self.key) is not None:
            return ()
        return {transaction for transaction, _ in published.entries}

    def _faults_of_row(self, stored: Stored, found: list[Sealed], *, is_sound: bool) -> Iterator[str]:
        """What is wrong with a checkpoint's row; its sums only where its transactions are sound."""
        row, before = stored.checkpoint, stored.before
        if row.under([one.seal for one in found]).digest != stored.digest:
            yield "its row is not what was signed"
        if row.first != before.last + 1 or row.chain_before != before.chain:
            yield "it does not begin where the one before it ends"
        if chain(row.chain_before, (one.seal.leaf for one in found)) != row.chain:
            yield "its chain does not follow from its seals"
        contents = [one.content for one in found if one.content is not None]
        if is_sound and balances_after(before.balances or {}, contents, self.accounts) != row.balances:
            yield "its balances do not follow from its transactions"

    def _note(self, number: int, faults: list[Fault]) -> None:
        """Keeps the first ones, by their checkpoints: what is told has an end, what is looked at has none."""
        self.counts[0] += len(faults)
        found = [*self.found, *((number, fault) for fault in faults)]
        self.found = sorted(found, key=lambda known: known[0])[:MOST_TOLD]

    def _broken(self, number: int, told: str) -> None:
        self._broken_is(Fault("checkpoint", "checkpoint", str(number), told))

    def _broken_is(self, fault: Fault) -> None:
        self.counts[1] += 1
        if len(self.checkpoints.faults) < MOST_TOLD:
            self.checkpoints.faults.append(fault)


def _dated(found: list[Sealed]) -> Iterator[tuple[str, str]]:
    """Time and id of each transaction that is there."""
    for one in found:
        if one.content is not None:
            yield str(one.content.transaction["created_at"]), one.seal.transaction_id


def _times(found: list[Sealed], faulty: Collection[str]) -> Iterator[str]:
    """When what is as it was sealed is dated."""
    return (
        str(one.content.transaction["created_at"])
        for one in found
        if one.content is not None and one.seal.transaction_id not in faulty
    )


def _round(last: int, begin: int) -> Iterator[int]:
    """The newest checkpoint, then all others from `begin` on, and around to it."""
    if last:
        yield last
        begin = begin if 1 <= begin < last else 1
        yield from range(begin, last)
        yield from range(1, begin)


def _number_of(name: str) -> int:
    digits = name.rpartition("/")[2].removesuffix(".json")
    return int(digits) if digits.isdecimal() else 0
