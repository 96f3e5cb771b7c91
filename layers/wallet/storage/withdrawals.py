"""Withdrawals, through the kernel."""

from enum import StrEnum
from uuid import UUID

from wallet.ledger.receipts import Balance, DueWithdrawal, Withdrawal, WithdrawalReceipt
from wallet.ledger.withdrawals import ObservedPayout, WithdrawalStatus
from wallet.storage.claims import Claim
from wallet.storage.database import Database, Row
from wallet.storage.lists import ListRequest, Page, id_bytes, read_page
from wallet.storage.rows import time_if_any, time_of, uuid_of


def open_withdrawal(
    database: Database,
    claim: Claim,
    *,
    withdrawal_id: UUID,
    provider: str,
    vpa: str,
    amount: int,
    first_check_s: int,
) -> tuple[WithdrawalReceipt, bool]:
    """Sets `amount` and its fee aside; True if the key had done so before. Raises `Refused`.

    Nobody may be asked to pay it before it is claimed for that. `first_check_s`: in so many seconds the provider is
    asked about it, if nobody has said what became of it.
    """
    answer = database.call(
        "request_withdrawal",
        *claim.signed_in(),
        withdrawal_id.bytes,
        provider,
        vpa,
        amount,
        first_check_s,
    )
    told = answer.result
    receipt = WithdrawalReceipt(
        id=uuid_of(told["withdrawal_id"]),
        amount=told["amount"],
        fee=told["fee"],
        currency=told["currency"],
        vpa=told["vpa"],
        payee_name=told["payee_name"],
        balance=Balance(told["balance"], told["held"]) if answer.outcome == "done" else None,
        created_at=time_of(told["created_at"]),
        waits_until=time_if_any(told["waits_until"]),
    )
    return receipt, receipt.id != withdrawal_id


class PayoutClaim(StrEnum):
    """Whether the provider may be asked for a payout."""

    ALLOWED = "done"
    PAUSED = "paused"  # the wallet is frozen or being closed, or its password was reset, or the VPA is new
    TAKEN = "taken"  # somebody else may have asked, or the withdrawal has ended


def claim_payout(database: Database, withdrawal_id: UUID) -> PayoutClaim:
    """Writes down that the provider may be asked from now on; behind that the withdrawal can't be cancelled.

    Of any number of callers one is allowed. If its answer is lost the reconciler asks.
    """
    return PayoutClaim(database.call("claim_payout", withdrawal_id.bytes).outcome)


def cancel_withdrawal(database: Database, claim: Claim, *, withdrawal_id: UUID) -> tuple[Withdrawal, bool]:
    """Gives back what nobody was asked to pay; True if the key had done so before. Raises `Refused`."""
    answer = database.call("cancel_withdrawal", *claim.signed_in(), withdrawal_id.bytes)
    told = answer.result
    return _withdrawal(told, id_=uuid_of(told["withdrawal_id"])), answer.outcome == "replayed"


class Settled(StrEnum):
    """What became of a provider's news."""

    NEW = "done"
    KNOWN = "duplicate"
    FOREIGN = "unknown_withdrawal"  # no withdrawal of ours
    MISMATCH = "mismatch"  # not what was asked for, or another payout of it: for people to look at
    DISPUTED = "disputed"  # paid out, and failed: for people to look at
    NOT_COVERED = "not_covered"  # an operator has ordered a debit that the wallet can't bear yet


def note_payout(database: Database, payout: ObservedPayout, *, withdrawal_id: UUID) -> Settled:
    """Writes down the provider's payout of a withdrawal, if it is what was asked for. The first one stays."""
    answer = database.call(
        "note_agreeing_payout",
        withdrawal_id.bytes,
        payout.provider,
        payout.payout_id,
        payout.amount,
        payout.currency,
    )
    return Settled(answer.outcome)


def hear_dispute(
    database: Database,
    payout: ObservedPayout,
    *,
    withdrawal_id: UUID,
    subject: str,
    break_id: UUID,
    asked: bool,
    transaction_id: UUID,
) -> Settled:
    """Weighs the provider's word against where the money is by the books, corrections and all.

    A contradiction becomes a break, or is booked if an operator has ordered that. `asked`: it is the answer to our own
    question; an event may be an old one, and carries no order out.
    """
    answer = database.call(
        "hear_dispute",
        break_id.bytes,
        transaction_id.bytes,
        withdrawal_id.bytes,
        subject,
        payout.payout_id,
        payout.amount,
        payout.currency,
        payout.status.value,
        asked,
    )
    return Settled(answer.outcome)


def settle_withdrawal(
    database: Database, payout: ObservedPayout, *, withdrawal_id: UUID, transaction_id: UUID
) -> Settled:
    """Books what became of a payout, once. Its status is `succeeded`, `failed` or `reversed`."""
    answer = database.call(
        "settle_withdrawal",
        transaction_id.bytes,
        payout.provider,
        withdrawal_id.bytes,
        payout.payout_id,
        payout.amount,
        payout.currency,
        payout.status.value,
        payout.reason,
    )
    return Settled(answer.outcome)


def reject_withdrawal(database: Database, withdrawal_id: UUID, *, reason: str) -> bool:
    """Ends a withdrawal that surely has no payout; False if it has ended, or a payout of it is known."""
    return database.call("reject_withdrawal", withdrawal_id.bytes, reason).outcome == "done"


def find_withdrawal(database: Database, *, withdrawal_id: UUID, actor_id: UUID) -> Withdrawal | None:
    """A withdrawal of the actor's own."""
    rows = database.read("CALL find_withdrawal(%s, %s)", withdrawal_id.bytes, actor_id.bytes)
    if not rows:
        return None
    return _withdrawal(rows[0], id_=uuid_of(rows[0]["id"]))


def _withdrawal(row: Row, *, id_: UUID) -> Withdrawal:
    return Withdrawal(
        id=id_,
        status=WithdrawalStatus(row["status"]),
        amount=row["amount"],
        fee=row["fee"],
        currency=row["currency"],
        vpa=row["vpa"],
        reason=row["reason"],
        created_at=time_of(row["created_at"]),
        waits_until=time_if_any(row.get("waits_until")),
        utr=row.get("utr"),  # who cancels one has none
    )


def list_withdrawals(database: Database, *, actor_id: UUID, asked: ListRequest) -> Page[Withdrawal]:
    """The actor's own, the newest first; by a key that which was asked for or cancelled under it."""

    def read(before: UUID | None, limit: int) -> list[Withdrawal]:
        arguments = (actor_id.bytes, id_bytes(before), asked.key, limit)
        rows = database.read("CALL list_withdrawals(%s, %s, %s, %s)", *arguments)
        return [_withdrawal(row, id_=uuid_of(row["id"])) for row in rows]

    return read_page(read, asked, status_of=lambda one: one.status)


_DUE = """
SELECT id, checks FROM withdrawals WHERE next_check_at <= UTC_TIMESTAMP(6) ORDER BY next_check_at LIMIT %s
"""


def due_withdrawals(database: Database, *, limit: int) -> list[tuple[UUID, int]]:
    """Withdrawals whose next question is due, the longest overdue first, and how often each was asked about."""
    return [(uuid_of(row["id"]), row["checks"]) for row in database.read(_DUE, limit)]


def claim_check(database: Database, withdrawal_id: UUID, checks: int, *, first_check_s: int) -> DueWithdrawal | None:
    """Takes a due withdrawal, and sets the next question further off.

    None if somebody else has taken it, or if nobody was asked to pay it yet and its wallet is not active.
    """
    answer = database.call("claim_withdrawal_check", withdrawal_id.bytes, checks, first_check_s)
    return _due(answer.result, checks) if answer.outcome == "done" else None


def release_check(database: Database, due: DueWithdrawal, *, first_check_s: int) -> None:
    """Gives a taken withdrawal back, unasked: the next question is due in `first_check_s` seconds at the latest."""
    database.call("release_withdrawal_check", due.id.bytes, due.checks, first_check_s)


def _due(told: Row, checks: int) -> DueWithdrawal:
    return DueWithdrawal(
        id=uuid_of(told["withdrawal_id"]),
        status=WithdrawalStatus(told["status"]),
        amount=told["amount"],
        currency=told["currency"],
        vpa=told["vpa"],
        payee_name=told["payee_name"],
        payout_id=told["payout_id"],
        may_send=bool(told["may_send"]),
        age_s=told["age_s"],
        checks=checks,
    )
