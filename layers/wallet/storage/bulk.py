"""Bulk payments, through the kernel."""

import json
from collections.abc import Sequence
from uuid import UUID

from wallet.ledger.bulk import BulkPayment, BulkReceipt, BulkRetry, BulkRow, RowResult, RowStatus, Tally
from wallet.ledger.payees import PayeeName
from wallet.storage.claims import Claim
from wallet.storage.database import Database, Row
from wallet.storage.rows import time_of, uuid_of


def open_bulk_payment(
    database: Database, claim: Claim, *, bulk_payment_id: UUID, rows: Sequence[BulkRow]
) -> tuple[BulkReceipt, bool]:
    """Takes all rows in, in one commit; True if the key had done so before. Raises `Refused`."""
    answer = database.call(
        "open_bulk_payment",
        *claim.signed_in(),
        bulk_payment_id.bytes,
        len(rows),
        sum(row.amount for row in rows),
        json.dumps([_told(row) for row in rows], ensure_ascii=False, separators=(",", ":")),
    )
    told = answer.result
    receipt = BulkReceipt(
        id=uuid_of(told["bulk_payment_id"]),
        rows=told["row_count"],
        total=told["total"],
        currency=told["currency"],
        created_at=time_of(told["created_at"]),
    )
    return receipt, receipt.id != bulk_payment_id


def retry_bulk_payment(database: Database, claim: Claim, *, bulk_payment_id: UUID) -> tuple[BulkRetry, bool]:
    """Puts what was refused back among what waits; True if the key had done so before. Raises `Refused`."""
    answer = database.call(
        "retry_bulk_payment",
        *claim.signed_in(),
        bulk_payment_id.bytes,
    )
    told = answer.result
    retry = BulkRetry(uuid_of(told["bulk_payment_id"]), told["status"], told["retried"])
    return retry, answer.outcome == "replayed"


def claim_bulk_payment(database: Database, *, lease_s: int) -> UUID | None:
    """A bulk payment that nobody works on, for so many seconds; None if there is none."""
    told = database.call("claim_bulk_payment", lease_s).result
    return uuid_of(told["bulk_payment_id"]) if told else None


def continue_bulk_payment(database: Database, bulk_payment_id: UUID, *, lease_s: int) -> None:
    """Finishes it if no row waits any more, else takes so many seconds more, or with 0 gives it back."""
    database.call("continue_bulk_payment", bulk_payment_id.bytes, lease_s)


def pay_bulk_row(
    database: Database, bulk_payment_id: UUID, line: int, *, transaction_id: UUID
) -> tuple[RowStatus, int]:
    """Pays a row that waits; where it stands then, and how many others were refused with it.

    One that has been paid or refused stays so. Others are refused that could not be paid now for the payer's own sake.
    """
    told = database.call("pay_bulk_row", bulk_payment_id.bytes, line, transaction_id.bytes).result
    return RowStatus(told["status"]), told["also_refused"]


_WAITING = """
SELECT line FROM bulk_payment_rows WHERE bulk_payment_id = %s AND status = 'waiting' AND line > %s
ORDER BY line LIMIT %s
"""


def waiting_lines(database: Database, bulk_payment_id: UUID, *, after: int, limit: int) -> list[int]:
    """The lines of the first rows behind `after` that wait."""
    return [row["line"] for row in database.read(_WAITING, bulk_payment_id.bytes, after, limit)]


def find_bulk_payment(database: Database, *, bulk_payment_id: UUID, actor_id: UUID) -> BulkPayment | None:
    """A bulk payment of the actor's."""
    found = database.read("CALL find_bulk_payment(%s, %s)", bulk_payment_id.bytes, actor_id.bytes)
    if not found:
        return None
    first = found[0]
    tallies = {RowStatus(one["status"]): Tally(one["counted"], int(one["amount"])) for one in found}
    return BulkPayment(
        id=bulk_payment_id,
        status=first["bulk_status"],
        rows=first["row_count"],
        total=first["total"],
        currency=first["currency"],
        tallies={status: tallies.get(status, Tally(0, 0)) for status in RowStatus},
        created_at=time_of(first["created_at"]),
        finished_at=time_of(first["finished_at"]) if first["finished_at"] else None,
    )


def row_results(
    database: Database,
    *,
    bulk_payment_id: UUID,
    actor_id: UUID,
    after: int,
    limit: int,
    status: RowStatus | None,
) -> list[RowResult]:
    """The first rows behind line `after` of a bulk payment of the actor's: all, or those of one status."""
    wanted = None if status is None else status.value
    arguments = (bulk_payment_id.bytes, actor_id.bytes, after, wanted, limit)
    found = database.read("CALL list_bulk_rows(%s, %s, %s, %s, %s)", *arguments)
    return [_result(row) for row in found]


def _told(row: BulkRow) -> list[object]:
    wallet_id = row.payee.wallet_id.hex if row.payee.wallet_id else None
    return [row.line, wallet_id, row.payee.phone, row.amount, row.description, row.reference]


def _result(row: Row) -> RowResult:
    wallet_id = uuid_of(row["payee_wallet_id"]) if row["payee_wallet_id"] else None
    return RowResult(
        row=BulkRow(
            line=row["line"],
            payee=PayeeName(wallet_id=wallet_id, phone=row["payee_phone"]),
            amount=row["amount"],
            description=row["description"],
            reference=row["reference"],
        ),
        status=RowStatus(row["status"]),
        refusal=row["refusal"],
        transaction_id=uuid_of(row["transaction_id"]) if row["transaction_id"] else None,
        ended_at=time_of(row["ended_at"]) if row["ended_at"] else None,
    )
