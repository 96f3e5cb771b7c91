"""Many payments from one wallet, by a file. The door takes the file in, a worker pays it row by row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from wallet.ledger import ids
from wallet.ledger.bulk import BulkPayment, BulkReceipt, BulkRetry, BulkRow, RowResult, RowStatus
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import bulk
from wallet.storage.claims import Claim
from wallet.storage.database import Database, DatabaseBrokenError

# How many rows are paid between two looks at their file: far less time than the lease.
_BATCH = 200
# How long a file waits for another worker when the one that paid it has died.
_LEASE_S = 60
# With so many broken rows it is not the rows that are broken.
_GIVE_UP_AFTER = 10


def open_bulk_payment(
    database: Database, new_id: Callable[[], UUID], *, claim: Claim, rows: Sequence[BulkRow]
) -> tuple[BulkReceipt, bool]:
    """Takes a file in; nothing is paid yet. True if this key had done so before. Raises `Refused`."""
    return bulk.open_bulk_payment(database, claim, bulk_payment_id=new_id(), rows=rows)


def retry_bulk_payment(database: Database, *, claim: Claim, bulk_payment_id: UUID) -> tuple[BulkRetry, bool]:
    """Has all refused rows tried again; True if this key had done so before. Raises `Refused`."""
    return bulk.retry_bulk_payment(database, claim, bulk_payment_id=bulk_payment_id)


def show_bulk_payment(database: Database, *, bulk_payment_id: UUID, actor_id: UUID) -> BulkPayment:
    """A bulk payment of the actor's own; to everybody else it is `not_found`."""
    found = bulk.find_bulk_payment(database, bulk_payment_id=bulk_payment_id, actor_id=actor_id)
    if found is None:
        raise Refused(Refusal.NOT_FOUND, "There is no such bulk payment of yours.")
    return found


def show_results(
    database: Database,
    *,
    bulk_payment_id: UUID,
    actor_id: UUID,
    after: int,
    limit: int,
    status: RowStatus | None,
) -> tuple[list[RowResult], bool]:
    """What became of the rows behind line `after`, in the file's order; True if there are more."""
    show_bulk_payment(database, bulk_payment_id=bulk_payment_id, actor_id=actor_id)
    found = bulk.row_results(
        database, bulk_payment_id=bulk_payment_id, actor_id=actor_id, after=after, limit=limit + 1, status=status
    )
    return found[:limit], len(found) > limit


@dataclass(slots=True)
class BulkRun:
    """What one run of a worker came to. `broken` holds rows that need a person: a run with any counts as failed."""

    paid: int = 0
    refused: int = 0
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BulkWorker:
    """Pays files, each from its first row to its last.

    It may be killed anywhere: a row and its payment are one commit, so the next worker goes on with the first row that
    still waits. Two at once pay each row once. One row that the kernel breaks over doesn't hold up the others.
    """

    database: Database
    new_id: Callable[[], UUID]
    time_left_s: Callable[[], float]

    def work(self, run: BulkRun) -> None:
        """Pays what there is to be paid, as long as there is time; what is left is due next time."""
        while self._goes_on(run):
            bulk_payment_id = bulk.claim_bulk_payment(self.database, lease_s=_LEASE_S)
            if bulk_payment_id is None:
                return
            broken_before = len(run.broken)
            self._pay_file(bulk_payment_id, run)
            # one with broken rows is left alone for a while, or this run would take it up again at once
            lease_s = _LEASE_S if len(run.broken) > broken_before else 0
            bulk.continue_bulk_payment(self.database, bulk_payment_id, lease_s=lease_s)

    def _goes_on(self, run: BulkRun) -> bool:
        return self.time_left_s() > 0 and len(run.broken) < _GIVE_UP_AFTER

    def _pay_file(self, bulk_payment_id: UUID, run: BulkRun) -> None:
        line = 0
        while lines := bulk.waiting_lines(self.database, bulk_payment_id, after=line, limit=_BATCH):
            for line in lines:
                if not self._goes_on(run):
                    return
                if self._pay_row(bulk_payment_id, line, run):
                    break  # some of these lines wait no more
            bulk.continue_bulk_payment(self.database, bulk_payment_id, lease_s=_LEASE_S)

    def _pay_row(self, bulk_payment_id: UUID, line: int, run: BulkRun) -> int:
        """How many other rows were refused with it."""
        try:
            status, others = bulk.pay_bulk_row(self.database, bulk_payment_id, line, transaction_id=self.new_id())
        except DatabaseBrokenError as error:
            run.broken.append(f"{ids.show(ids.BULK_PAYMENT, bulk_payment_id)}, line {line}: {error}")
            return 0
        run.paid += status is RowStatus.PAID
        run.refused += (status is RowStatus.REFUSED) + others
        return others
