"""What operators look at: a wallet, and what waits for a person or for a gateway."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wallet.ledger import vpa
from wallet.ledger.receipts import Balance
from wallet.storage.database import Database, Row
from wallet.storage.debts import Debt, debts
from wallet.storage.dispute_views import PaymentDispute, disputes_of_wallet
from wallet.storage.operators import OperatorAction
from wallet.storage.rows import time_of, uuid_if_any, uuid_of


@dataclass(frozen=True, slots=True)
class ReturnableTopUp:
    """A top-up and what of it may still go back."""

    transaction_id: UUID
    amount: int
    left: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SuspendedMoney:
    """Money that arrived and fits nowhere: `left` of it is neither back, nor on its way, nor credited; minor units.

    `wallet_id` is whom it came for, None if nobody knows; `age_h` is in hours.
    """

    transaction_id: UUID
    reason: str
    gateway: str
    gateway_payment_id: str
    amount: int
    left: int
    currency: str
    wallet_id: UUID | None
    created_at: datetime
    age_h: int


@dataclass(frozen=True, slots=True)
class SourceRefund:
    """A refund to source as it stands. `wallet_id` None: suspense bears it. `age_h` is in hours.

    `owner_wallet_id` and `owner_phone` are of whom the money had come for, None if that is not known.
    """

    refund_id: UUID
    ours: bool
    transaction_id: UUID
    wallet_id: UUID | None
    gateway: str
    gateway_refund_id: str | None
    amount: int
    currency: str
    status: str
    reason: str | None
    requested_by: str | None
    created_at: datetime
    age_h: int
    owner_wallet_id: UUID | None
    owner_phone: str | None


@dataclass(frozen=True, slots=True)
class UnclaimedMoney:
    """Money that is kept for the owner of a closed wallet, `left` of it: minor units. `age_h` is in hours.

    `type` is `adjustment` (written off as the wallet was closed) or `refund` (of a payment that it had made).
    """

    transaction_id: UUID
    type: str
    wallet_id: UUID
    amount: int
    left: int
    currency: str
    created_at: datetime
    age_h: int


@dataclass(frozen=True, slots=True)
class WaitingWithdrawal:
    """A withdrawal that its provider has not said the last word of. `age_h` is in hours.

    `sent`: the provider may have been asked to pay it; until then it can be cancelled. Before `waits_until` nobody is
    asked. `vpa` is masked.
    """

    withdrawal_id: UUID
    wallet_id: UUID
    provider: str
    payout_id: str | None
    vpa: str
    amount: int
    currency: str
    status: str
    sent: bool
    waits_until: datetime | None
    created_at: datetime
    age_h: int


@dataclass(frozen=True, slots=True)
class WalletView:
    """A wallet as an operator sees it, with the latest of what belongs to it.

    Of a closed wallet whose phone has a next owner, `former_phone` is what it was, and `phone` None; `former_wallets`
    had the phone that this one has.
    """

    wallet_id: UUID
    phone: str | None
    former_phone: str | None
    former_wallets: tuple[UUID, ...]
    name: str
    kind: str
    approved: bool
    phone_proved: bool
    tier: str
    status: str
    slots: int
    currency: str
    balance: Balance
    created_at: datetime
    top_ups: tuple[ReturnableTopUp, ...]
    disputes: tuple[PaymentDispute, ...]
    suspense: tuple[SuspendedMoney, ...]
    unclaimed: tuple[UnclaimedMoney, ...]
    refunds: tuple[SourceRefund, ...]
    debts: tuple[Debt, ...]
    withdrawals: tuple[WaitingWithdrawal, ...]
    actions: tuple[OperatorAction, ...]


_LATEST = 20

_WALLET = """
SELECT w.id, u.phone, u.former_phone, u.name, u.kind, a.user_id IS NOT NULL AS approved,
       p.user_id IS NOT NULL AS phone_proved, w.tier, w.status, w.spread, w.currency, w.held, w.created_at,
       CAST(w.balance + COALESCE((SELECT SUM(s.balance) FROM wallet_slots s WHERE s.wallet_id = w.id), 0) AS SIGNED)
           AS total
FROM wallets w JOIN users u ON u.id = w.user_id
LEFT JOIN merchant_approvals a ON a.user_id = u.id
LEFT JOIN proved_phones p ON p.user_id = u.id AND p.phone = u.phone
WHERE (%s IS NULL OR w.id = %s) AND (%s IS NULL OR u.phone = %s)
"""

_BY_FORMER_PHONE = """
SELECT w.id FROM users u JOIN wallets w ON w.user_id = u.id WHERE u.former_phone = %s ORDER BY u.created_at, u.id
"""

_TOP_UPS = """
SELECT t.id, t.amount, t.created_at,
       CAST(GREATEST(0, t.amount
                        - COALESCE((SELECT SUM(r.amount) FROM source_refunds r
                                    WHERE r.transaction_id = t.id AND r.status <> 'failed'), 0)
                        - COALESCE((SELECT SUM(d.amount) FROM disputed_money d
                                    WHERE d.gateway = g.gateway AND d.gateway_payment_id = g.gateway_payment_id), 0))
            AS SIGNED) AS rest
FROM payment_attempts a
JOIN gateway_payments g ON g.attempt_id = a.id
JOIN transactions t ON t.id = g.transaction_id AND t.type = 'top_up'
WHERE a.wallet_id = %s ORDER BY t.created_at DESC LIMIT %s
"""

# ruff: noqa: S608 - every query is made of the constants here
_SUSPENDED = """
SELECT m.id, m.suspense_reason, m.gateway, m.gateway_payment_id, m.amount, m.currency, m.created_at, a.wallet_id,
       TIMESTAMPDIFF(HOUR, m.created_at, UTC_TIMESTAMP(6)) AS age_h, m.rest
FROM money_in_suspense m LEFT JOIN payment_attempts a ON a.id = m.attempt_id
WHERE m.rest > 0
"""

_SUSPENDED_FOR_WALLET = f"{_SUSPENDED} AND a.wallet_id = %s ORDER BY m.id DESC LIMIT %s"

_UNCLAIMED = """
SELECT id, type, wallet_id, amount, rest, currency, created_at,
       TIMESTAMPDIFF(HOUR, created_at, UTC_TIMESTAMP(6)) AS age_h
FROM unclaimed_money WHERE rest > 0
"""

_UNCLAIMED_OF_WALLET = f"{_UNCLAIMED} AND wallet_id = %s ORDER BY id DESC LIMIT %s"
_ALL_UNCLAIMED = f"{_UNCLAIMED} AND id > %s ORDER BY id LIMIT %s"

_WITHDRAWALS = """
SELECT d.id, d.wallet_id, d.provider, d.provider_payout_id, d.vpa, d.amount, d.currency, d.status, v.id IS NULL AS sent,
       v.waits_until, d.created_at, TIMESTAMPDIFF(HOUR, d.created_at, UTC_TIMESTAMP(6)) AS age_h
FROM withdrawals d LEFT JOIN unsent_withdrawals v ON v.id = d.id
WHERE d.status = 'pending' AND
"""

_ALL_WITHDRAWALS = f"{_WITHDRAWALS} d.id > %s ORDER BY d.id LIMIT %s"
_WITHDRAWALS_OF_WALLET = f"{_WITHDRAWALS} d.wallet_id = %s ORDER BY d.id DESC LIMIT %s"

_REFUND = """
SELECT r.id, r.origin, r.transaction_id, r.wallet_id, r.gateway, r.gateway_refund_id, r.amount, r.currency, r.status,
       r.reason, r.requested_by, r.created_at, TIMESTAMPDIFF(HOUR, r.created_at, UTC_TIMESTAMP(6)) AS age_h,
       w.id AS owner_id, u.phone AS owner_phone
FROM source_refunds r
JOIN transactions t ON t.id = r.transaction_id
JOIN gateway_payments g ON g.transaction_id = r.transaction_id
LEFT JOIN payment_attempts a ON a.id = g.attempt_id
LEFT JOIN wallets w ON w.id = a.wallet_id
LEFT JOIN users u ON u.id = w.user_id
"""

_REFUNDS_OF_WALLET = f"{_REFUND} WHERE r.wallet_id = %s ORDER BY r.created_at DESC LIMIT %s"

_ACTIONS = """
SELECT a.operator, r.asked_by, a.command, a.reason, a.created_at
FROM operator_actions a LEFT JOIN operator_requests r ON r.action_id = a.id
WHERE a.wallet_id = %s ORDER BY a.created_at DESC LIMIT %s
"""


def find_wallet(database: Database, *, wallet_id: UUID | None, phone: str | None) -> WalletView | None:
    """A wallet by its id or by its owner's phone, whichever is told."""
    own_id = wallet_id.bytes if wallet_id is not None else None
    rows = database.read(_WALLET, own_id, own_id, phone, phone)
    if not rows:
        return None
    row = rows[0]
    return WalletView(
        wallet_id=uuid_of(row["id"]),
        phone=row["phone"],
        former_phone=row["former_phone"],
        former_wallets=tuple(uuid_of(one["id"]) for one in database.read(_BY_FORMER_PHONE, row["phone"])),
        name=row["name"],
        kind=row["kind"],
        approved=bool(row["approved"]),
        phone_proved=bool(row["phone_proved"]),
        tier=row["tier"],
        status=row["status"],
        slots=row["spread"],
        currency=row["currency"],
        balance=Balance(row["total"], row["held"]),
        created_at=time_of(row["created_at"]),
        top_ups=tuple(
            ReturnableTopUp(uuid_of(one["id"]), one["amount"], one["rest"], time_of(one["created_at"]))
            for one in database.read(_TOP_UPS, row["id"], _LATEST)
        ),
        disputes=disputes_of_wallet(database, uuid_of(row["id"]), limit=_LATEST),
        suspense=tuple(_suspended(one) for one in database.read(_SUSPENDED_FOR_WALLET, row["id"], _LATEST)),
        unclaimed=tuple(_unclaimed(one) for one in database.read(_UNCLAIMED_OF_WALLET, row["id"], _LATEST)),
        refunds=tuple(_refund(one) for one in database.read(_REFUNDS_OF_WALLET, row["id"], _LATEST)),
        debts=debts(database, wallet_id=uuid_of(row["id"]), limit=_LATEST),
        withdrawals=tuple(_withdrawal(one) for one in database.read(_WITHDRAWALS_OF_WALLET, row["id"], _LATEST)),
        actions=tuple(
            OperatorAction(**one | {"created_at": time_of(one["created_at"])})
            for one in database.read(_ACTIONS, row["id"], _LATEST)
        ),
    )


_BY_PHONE = "SELECT w.id FROM wallets w JOIN users u ON u.id = w.user_id WHERE u.phone = %s"


def wallet_of(database: Database, phone: str) -> UUID | None:
    """The wallet of whoever has this phone."""
    rows = database.read(_BY_PHONE, phone)
    return uuid_of(rows[0]["id"]) if rows else None


@dataclass(frozen=True, slots=True)
class OpenBreak:
    """A break as operators see it. Amounts are minor units of `currency`; `age_h` is in hours, since it was opened.

    `ordered`: an operator has ordered its end, and the reconciler has not carried that out yet. Of a payment's dispute
    it also tells the dispute, how far the banks have got, how that stands, and until when they want our answer.
    """

    break_id: UUID
    kind: str
    gateway: str
    subject: str
    our_amount: int | None
    their_amount: int | None
    currency: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    age_h: int
    ordered: bool
    dispute_id: UUID | None = None
    phase: str | None = None
    status: str | None = None
    respond_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class StuckEvent:
    """A gateway's event that could not be acted on."""

    gateway_event_id: UUID
    gateway: str
    name: str
    received_at: datetime


_SHOWN = """
SELECT b.id, b.kind, b.gateway, b.subject, b.our_amount, b.their_amount, b.currency, b.first_seen_at, b.last_seen_at,
       TIMESTAMPDIFF(HOUR, b.open_since, UTC_TIMESTAMP(6)) AS age_h, b.order_id IS NOT NULL AS ordered,
       d.id AS dispute_id, d.phase, d.status, d.respond_by
FROM reconciliation_breaks b
LEFT JOIN payment_disputes d
    ON b.kind = 'payment_dispute' AND d.gateway = b.gateway AND d.gateway_dispute_id = b.subject
WHERE b.resolved_at IS NULL AND (%s IS NULL OR b.kind = %s) AND b.id > %s ORDER BY b.id LIMIT %s
"""


def shown_breaks(
    database: Database, *, kind: str | None = None, after: UUID | None = None, limit: int
) -> tuple[OpenBreak, ...]:
    """Open breaks of one kind, or (None) of all; those behind the one whose id is `after`.

    In the order of their ids, which is that of when they were first seen and stays as it is: `open_since` of one that
    comes back would move the end of a page.
    """
    return tuple(
        OpenBreak(
            break_id=uuid_of(row["id"]),
            kind=row["kind"],
            gateway=row["gateway"],
            subject=row["subject"],
            our_amount=row["our_amount"],
            their_amount=row["their_amount"],
            currency=row["currency"],
            first_seen_at=time_of(row["first_seen_at"]),
            last_seen_at=time_of(row["last_seen_at"]),
            age_h=row["age_h"],
            ordered=bool(row["ordered"]),
            dispute_id=uuid_if_any(row["dispute_id"]),
            phase=row["phase"],
            status=row["status"],
            respond_by=None if row["respond_by"] is None else time_of(row["respond_by"]),
        )
        for row in database.read(_SHOWN, kind, kind, _behind(after), limit)
    )


_ALL_SUSPENDED = f"{_SUSPENDED} AND m.id > %s ORDER BY m.id LIMIT %s"


def suspended_money(database: Database, *, after: UUID | None = None, limit: int) -> tuple[SuspendedMoney, ...]:
    """Money in suspense, the oldest first; as everywhere here, those behind the one whose id is `after`."""
    return tuple(_suspended(row) for row in database.read(_ALL_SUSPENDED, _behind(after), limit))


def unclaimed_money(database: Database, *, after: UUID | None = None, limit: int) -> tuple[UnclaimedMoney, ...]:
    """Money that is kept for the owners of closed wallets, the oldest first."""
    return tuple(_unclaimed(row) for row in database.read(_ALL_UNCLAIMED, _behind(after), limit))


def waiting_withdrawals(database: Database, *, after: UUID | None = None, limit: int) -> tuple[WaitingWithdrawal, ...]:
    """Withdrawals that are neither paid out nor given back."""
    return tuple(_withdrawal(row) for row in database.read(_ALL_WITHDRAWALS, _behind(after), limit))


_PENDING_REFUNDS = f"{_REFUND} WHERE r.status = 'pending' AND r.id > %s ORDER BY r.id LIMIT %s"


def pending_refunds(database: Database, *, after: UUID | None = None, limit: int) -> tuple[SourceRefund, ...]:
    """Refunds to source that are on their way."""
    return tuple(_refund(row) for row in database.read(_PENDING_REFUNDS, _behind(after), limit))


_UNCOVERED_REFUNDS = f"""
{_REFUND}
LEFT JOIN reconciliation_breaks b ON b.id = r.id AND b.resolved_at IS NOT NULL
WHERE r.wallet_id IS NULL AND r.status <> 'failed' AND b.id IS NULL AND r.id > %s
    AND (t.type = 'top_up' OR EXISTS (SELECT 1 FROM money_in_suspense m WHERE m.id = t.id AND m.rest < 0))
ORDER BY r.id LIMIT %s
"""


def uncovered_refunds(database: Database, *, after: UUID | None = None, limit: int) -> tuple[SourceRefund, ...]:
    """Refunds that suspense bears: somebody began them at the gateway when the wallet could no longer cover them, or
    when what was in suspense had been credited. Those are left out whose break an operator has resolved.
    """
    return tuple(_refund(row) for row in database.read(_UNCOVERED_REFUNDS, _behind(after), limit))


# From the journal, which is short, not from all the wallets there are.
_CLOSING = """
SELECT DISTINCT w.id FROM operator_actions o JOIN wallets w ON w.id = o.wallet_id
WHERE o.command = 'close' AND w.status = 'closing' AND w.id > %s ORDER BY w.id LIMIT %s
"""


def closing_wallets(database: Database, *, after: UUID | None = None, limit: int) -> tuple[UUID, ...]:
    """Wallets that are being closed, by their ids."""
    return tuple(uuid_of(row["id"]) for row in database.read(_CLOSING, _behind(after), limit))


_STUCK = """
SELECT e.id, e.gateway, e.name, e.received_at FROM gateway_events e
LEFT JOIN reconciliation_breaks b ON b.id = e.id AND b.resolved_at IS NOT NULL
WHERE e.outcome = 'stuck' AND b.id IS NULL AND e.id > %s ORDER BY e.id LIMIT %s
"""


def stuck_events(database: Database, *, after: UUID | None = None, limit: int) -> tuple[StuckEvent, ...]:
    """Events that could not be acted on. Those are left out whose break an operator has resolved."""
    return tuple(
        StuckEvent(uuid_of(row["id"]), row["gateway"], row["name"], time_of(row["received_at"]))
        for row in database.read(_STUCK, _behind(after), limit)
    )


def _behind(after: UUID | None) -> bytes:
    return after.bytes if after is not None else bytes(16)


def _suspended(row: Row) -> SuspendedMoney:
    return SuspendedMoney(
        transaction_id=uuid_of(row["id"]),
        reason=row["suspense_reason"],
        gateway=row["gateway"],
        gateway_payment_id=row["gateway_payment_id"],
        amount=row["amount"],
        left=row["rest"],
        currency=row["currency"],
        wallet_id=uuid_if_any(row["wallet_id"]),
        created_at=time_of(row["created_at"]),
        age_h=row["age_h"],
    )


def _withdrawal(row: Row) -> WaitingWithdrawal:
    return WaitingWithdrawal(
        withdrawal_id=uuid_of(row["id"]),
        wallet_id=uuid_of(row["wallet_id"]),
        provider=row["provider"],
        payout_id=row["provider_payout_id"],
        vpa=vpa.mask(row["vpa"]),
        amount=row["amount"],
        currency=row["currency"],
        status=row["status"],
        sent=bool(row["sent"]),
        waits_until=time_of(row["waits_until"]) if row["waits_until"] is not None else None,
        created_at=time_of(row["created_at"]),
        age_h=row["age_h"],
    )


def _unclaimed(row: Row) -> UnclaimedMoney:
    return UnclaimedMoney(
        transaction_id=uuid_of(row["id"]),
        type=row["type"],
        wallet_id=uuid_of(row["wallet_id"]),
        amount=row["amount"],
        left=row["rest"],
        currency=row["currency"],
        created_at=time_of(row["created_at"]),
        age_h=row["age_h"],
    )


def _refund(row: Row) -> SourceRefund:
    return SourceRefund(
        refund_id=uuid_of(row["id"]),
        ours=row["origin"] == "ours",
        transaction_id=uuid_of(row["transaction_id"]),
        wallet_id=uuid_if_any(row["wallet_id"]),
        gateway=row["gateway"],
        gateway_refund_id=row["gateway_refund_id"],
        amount=row["amount"],
        currency=row["currency"],
        status=row["status"],
        reason=row["reason"],
        requested_by=row["requested_by"],
        created_at=time_of(row["created_at"]),
        age_h=row["age_h"],
        owner_wallet_id=uuid_if_any(row["owner_id"]),
        owner_phone=row["owner_phone"],
    )
