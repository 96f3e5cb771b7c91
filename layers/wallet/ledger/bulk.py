"""Many payments from one wallet, by a file with a row for each. Times are UTC; amounts are minor units."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wallet.ledger.payees import PayeeName

#: The most rows that one file has.
MAX_ROWS = 10_000


class RowStatus(StrEnum):
    """Where a row stands: a refused one may be tried again, a paid one is paid for good."""

    WAITING = "waiting"
    PAID = "paid"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One payment that a file asks for, known by its line in the file; line 1 has the names of the columns."""

    line: int
    payee: PayeeName
    amount: int
    description: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a row: the payment's `transaction_id` if it is paid, the code of a `refusal` if it is refused."""

    row: BulkRow
    status: RowStatus
    refusal: str | None
    transaction_id: UUID | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class BulkReceipt:
    """A file that was taken in. Nothing of it is paid yet."""

    id: UUID
    rows: int
    total: int
    currency: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BulkRetry:
    """How many refused rows of a file were put back among the waiting ones; `status` is the file's."""

    id: UUID
    status: str
    retried: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows, and what they come to."""

    rows: int
    amount: int


@dataclass(frozen=True, slots=True)
class BulkPayment:
    """A file as it stands now: `running` as long as a row waits, else `finished`."""

    id: UUID
    status: str
    rows: int
    total: int
    currency: str
    tallies: Mapping[RowStatus, Tally]
    created_at: datetime
    finished_at: datetime | None
