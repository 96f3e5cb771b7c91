"""What operators look at of payments' disputes (chargebacks)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wallet.storage.database import Database, Row
from wallet.storage.operators import OperatorAction
from wallet.storage.rows import time_of, uuid_if_any, uuid_of


@dataclass(frozen=True, slots=True)
class PaymentDispute:
    """A payment's dispute (a chargeback), in minor units.

    `status` is in force, `gateway_status` the gateway's last word. `transaction_id` is None while its payment is not in
    our books, `wallet_id` and its owner's `phone` where it was credited to nobody. `reserved` is held in the wallet;
    what was booked as lost is `from_wallet`, `from_suspense` or `from_losses`.
    """

    dispute_id: UUID
    gateway: str
    gateway_dispute_id: str
    gateway_payment_id: str
    transaction_id: UUID | None
    wallet_id: UUID | None
    phone: str | None
    amount: int
    currency: str
    phase: str
    status: str
    gateway_status: str
    reason: str | None
    respond_by: datetime | None
    reserved: int
    from_wallet: int
    from_suspense: int
    from_losses: int
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class DisputeChange:
    """How a dispute stood from a moment on, and who said so: the gateway, an operator, or our books."""

    source: str
    phase: str
    status: str
    amount: int
    reserved: int
    from_wallet: int
    from_suspense: int
    from_losses: int
    told_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A dispute with its history and the orders about it."""

    dispute: PaymentDispute
    history: tuple[DisputeChange, ...]
    actions: tuple[OperatorAction, ...]


_DISPUTE = """
SELECT d.id, d.gateway, d.gateway_dispute_id, d.gateway_payment_id, d.transaction_id, d.wallet_id, u.phone, d.amount,
       d.currency, d.phase, d.status, d.gateway_status, d.reason, d.respond_by, d.reserved, d.from_wallet,
       d.from_suspense, d.from_losses, d.created_at, d.ended_at
FROM payment_disputes d LEFT JOIN wallets w ON w.id = d.wallet_id LEFT JOIN users u ON u.id = w.user_id
"""

_OF_WALLET = f"{_DISPUTE} WHERE d.wallet_id = %s ORDER BY d.id DESC LIMIT %s"

_OPEN_DISPUTES = f"{_DISPUTE} WHERE d.ended_at IS NULL AND d.id > %s ORDER BY d.id LIMIT %s"


def open_disputes(database: Database, *, after: UUID | None = None, limit: int) -> tuple[PaymentDispute, ...]:
    """Disputes of payments that nobody has ended, in the order in which they were first heard of."""
    return tuple(
        _dispute(row) for row in database.read(_OPEN_DISPUTES, after.bytes if after is not None else bytes(16), limit)
    )


def disputes_of_wallet(database: Database, wallet_id: UUID, *, limit: int) -> tuple[PaymentDispute, ...]:
    """The latest disputes of what was credited to a wallet, open or ended."""
    return tuple(_dispute(row) for row in database.read(_OF_WALLET, wallet_id.bytes, limit))


_HISTORY = """
SELECT source, phase, status, amount, reserved, from_wallet, from_suspense, from_losses, told_at, created_at
FROM payment_dispute_events WHERE dispute_id = %s ORDER BY position
"""
_ORDERS = """
SELECT a.operator, r.asked_by, a.command, a.reason, a.created_at
FROM operator_actions a LEFT JOIN operator_requests r ON r.action_id = a.id
WHERE a.subject_id = %s ORDER BY a.created_at
"""


def find_dispute(database: Database, dispute_id: UUID) -> DisputeView | None:
    """A dispute by its id, open or ended."""
    rows = database.read(f"{_DISPUTE} WHERE d.id = %s", dispute_id.bytes)
    if not rows:
        return None
    history = [
        DisputeChange(**row | {"told_at": time_of(row["told_at"]), "created_at": time_of(row["created_at"])})
        for row in database.read(_HISTORY, dispute_id.bytes)
    ]
    actions = [
        OperatorAction(**row | {"created_at": time_of(row["created_at"])})
        for row in database.read(_ORDERS, dispute_id.bytes)
    ]
    return DisputeView(_dispute(rows[0]), tuple(history), tuple(actions))


def _dispute(row: Row) -> PaymentDispute:
    return PaymentDispute(
        dispute_id=uuid_of(row["id"]),
        gateway=row["gateway"],
        gateway_dispute_id=row["gateway_dispute_id"],
        gateway_payment_id=row["gateway_payment_id"],
        transaction_id=uuid_if_any(row["transaction_id"]),
        wallet_id=uuid_if_any(row["wallet_id"]),
        phone=row["phone"],
        amount=row["amount"],
        currency=row["currency"],
        phase=row["phase"],
        status=row["status"],
        gateway_status=row["gateway_status"],
        reason=row["reason"],
        respond_by=None if row["respond_by"] is None else time_of(row["respond_by"]),
        reserved=row["reserved"],
        from_wallet=row["from_wallet"],
        from_suspense=row["from_suspense"],
        from_losses=row["from_losses"],
        created_at=time_of(row["created_at"]),
        ended_at=None if row["ended_at"] is None else time_of(row["ended_at"]),
    )
