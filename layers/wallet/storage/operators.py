"""What operators do, through the kernel's procedures, and what they look at."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wallet.ledger import ids
from wallet.ledger.receipts import Balance
from wallet.storage.breaks import OpenBreak, shown_breaks
from wallet.storage.claims import Claim
from wallet.storage.database import Answer, Database, Row
from wallet.storage.rows import time_of, uuid_of


@dataclass(frozen=True, slots=True)
class Instruction:
    """Who orders something (1 to 64 characters), why (1 to 200), and the key that it is ordered under."""

    operator: str
    reason: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class WalletChange:
    """A wallet behind a command; `tier` and `slots` are told by the command that sets them."""

    wallet_id: UUID
    status: str
    tier: str | None = None
    slots: int | None = None


@dataclass(frozen=True, slots=True)
class OpenedRefund:
    """A refund to source that was begun; `wallet_id` is whose money it is or was meant for, None if nobody knows."""

    refund_id: UUID
    transaction_id: UUID
    wallet_id: UUID | None
    amount: int


@dataclass(frozen=True, slots=True)
class SuspenseCredit:
    """Money that was credited by `transaction_id` out of what `suspended_id` brought; `left` of that is still there."""

    transaction_id: UUID
    suspended_id: UUID
    wallet_id: UUID
    amount: int
    left: int


@dataclass(frozen=True, slots=True)
class ResolvedBreak:
    """A break that an operator has resolved, as it looked then."""

    break_id: UUID
    kind: str
    gateway: str
    subject: str
    our_amount: int | None
    their_amount: int | None


@dataclass(frozen=True, slots=True)
class OrderedEnd:
    """A disputed withdrawal that is to be ended when its provider has been asked once more."""

    withdrawal_id: UUID
    wallet_id: UUID
    break_id: UUID
    status: str
    amount: int


@dataclass(frozen=True, slots=True)
class Closing:
    """How far a wallet is from closed, in minor units: what is on its way to its source, what is held for others, and
    what is available and came from no source that it could go back to. `opened` refunds were begun in this step.
    """

    wallet_id: UUID
    status: str
    opened: int
    on_its_way: int
    held_for_others: int
    without_a_source: int


def set_tier(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID, tier: str
) -> tuple[WalletChange, bool]:
    """Gives a wallet another tier; True if the key had done so before, as everywhere here. Raises `Refused`."""
    return _change(_command(database, "set_tier", instruction, action_id.bytes, wallet_id.bytes, tier))


def freeze(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID
) -> tuple[WalletChange, bool]:
    """Freezes a wallet."""
    return _change(_command(database, "freeze_wallet", instruction, action_id.bytes, wallet_id.bytes))


def unfreeze(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID
) -> tuple[WalletChange, bool]:
    """Ends a wallet's freeze, or its closing."""
    return _change(_command(database, "unfreeze_wallet", instruction, action_id.bytes, wallet_id.bytes))


def set_slots(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID, slots: int
) -> tuple[WalletChange, bool]:
    """Spreads a wallet's credits over so many rows, 1 to 16."""
    return _change(_command(database, "set_slots", instruction, action_id.bytes, wallet_id.bytes, slots))


def refund_to_source(
    database: Database, instruction: Instruction, *, refund_id: UUID, transaction_id: UUID, amount: int | None
) -> tuple[OpenedRefund, bool]:
    """Sets a refund of a top-up, or of money in suspense, aside; `amount` None is all that is left of it."""
    answer = _command(database, "refund_to_source", instruction, refund_id.bytes, transaction_id.bytes, amount)
    told = answer.result
    opened = OpenedRefund(
        refund_id=uuid_of(told["refund_id"]),
        transaction_id=uuid_of(told["transaction_id"]),
        wallet_id=_maybe(told["wallet_id"]),
        amount=told["amount"],
    )
    return opened, opened.refund_id != refund_id


def credit_from_suspense(
    database: Database,
    instruction: Instruction,
    *,
    transaction_id: UUID,
    suspended_id: UUID,
    wallet_id: UUID | None,
    amount: int | None,
    over_limits: bool,
) -> tuple[SuspenseCredit, bool]:
    """Credits money in suspense to the wallet that it came for, or to a named one; `amount` None is all of it.

    The limits of the wallet's tier apply unless `over_limits`.
    """
    answer = _command(
        database,
        "credit_from_suspense",
        instruction,
        transaction_id.bytes,
        suspended_id.bytes,
        wallet_id.bytes if wallet_id is not None else None,
        amount,
        over_limits,
    )
    told = answer.result
    credit = SuspenseCredit(
        transaction_id=uuid_of(told["transaction_id"]),
        suspended_id=uuid_of(told["suspended_id"]),
        wallet_id=uuid_of(told["wallet_id"]),
        amount=told["amount"],
        left=told["left"],
    )
    return credit, answer.outcome == "replayed"


def resolve_break(
    database: Database, instruction: Instruction, *, action_id: UUID, break_id: UUID
) -> tuple[ResolvedBreak, bool]:
    """Resolves a break by the operator's word."""
    answer = _command(database, "resolve_break", instruction, action_id.bytes, break_id.bytes)
    told = answer.result
    resolved = ResolvedBreak(
        break_id=uuid_of(told["break_id"]),
        kind=told["kind"],
        gateway=told["gateway"],
        subject=told["subject"],
        our_amount=told["our_amount"],
        their_amount=told["their_amount"],
    )
    return resolved, answer.outcome == "replayed"


def end_dispute(
    database: Database, instruction: Instruction, *, action_id: UUID, withdrawal_id: UUID
) -> tuple[OrderedEnd, bool]:
    """Orders that a disputed withdrawal be ended with what its provider says when it is asked once more."""
    subject = ids.show(ids.WITHDRAWAL, withdrawal_id)
    answer = _command(database, "end_dispute", instruction, action_id.bytes, withdrawal_id.bytes, subject)
    told = answer.result
    ordered = OrderedEnd(
        withdrawal_id=uuid_of(told["withdrawal_id"]),
        wallet_id=uuid_of(told["wallet_id"]),
        break_id=uuid_of(told["break_id"]),
        status=told["status"],
        amount=told["amount"],
    )
    return ordered, answer.outcome == "replayed"


def close(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID, most: int
) -> tuple[Closing, bool]:
    """Goes a step towards closing a wallet: at most `most` refunds of its top-ups are begun."""
    answer = _command(database, "close_wallet", instruction, action_id.bytes, wallet_id.bytes, most)
    told = answer.result
    closing = Closing(
        wallet_id=uuid_of(told["wallet_id"]),
        status=told["status"],
        opened=told["opened"],
        on_its_way=told["on_its_way"],
        held_for_others=told["held_for_others"],
        without_a_source=told["without_a_source"],
    )
    return closing, answer.outcome == "replayed"


def _command(database: Database, procedure: str, instruction: Instruction, own_id: bytes, *more: object) -> Answer:
    return database.call(
        procedure,
        *instruction.claim.arguments(),
        own_id,
        instruction.operator,
        instruction.reason,
        *more,
    )


def _change(answer: Answer) -> tuple[WalletChange, bool]:
    told = answer.result
    change = WalletChange(uuid_of(told["wallet_id"]), told["status"], told.get("tier"), told.get("slots"))
    return change, answer.outcome == "replayed"


@dataclass(frozen=True, slots=True)
class ReturnableTopUp:
    """A top-up and what of it may still go back."""

    transaction_id: UUID
    amount: int
    left: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SourceRefund:
    """A refund to source as it stands. `wallet_id` None: suspense bears it. `age_h` is in hours."""

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


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """A line of the operators' journal."""

    operator: str
    command: str
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class WalletView:
    """A wallet as an operator sees it, with the latest of what belongs to it."""

    wallet_id: UUID
    phone: str
    name: str
    kind: str
    tier: str
    status: str
    slots: int
    currency: str
    balance: Balance
    created_at: datetime
    top_ups: tuple[ReturnableTopUp, ...]
    refunds: tuple[SourceRefund, ...]
    actions: tuple[OperatorAction, ...]


_LATEST = 20

_WALLET = """
SELECT w.id, u.phone, u.name, u.kind, w.tier, w.status, w.spread, w.currency, w.held, w.created_at,
       CAST(w.balance + COALESCE((SELECT SUM(s.balance) FROM wallet_slots s WHERE s.wallet_id = w.id), 0) AS SIGNED)
           AS total
FROM wallets w JOIN users u ON u.id = w.user_id
WHERE (%s IS NULL OR w.id = %s) AND (%s IS NULL OR u.phone = %s)
"""

_TOP_UPS = """
SELECT t.id, t.amount, t.created_at,
       CAST(t.amount - COALESCE(SUM(CASE WHEN r.status <> 'failed' THEN r.amount ELSE 0 END), 0) AS SIGNED) AS rest
FROM payment_attempts a
JOIN transactions t ON t.attempt_id = a.id AND t.type = 'top_up'
LEFT JOIN source_refunds r ON r.transaction_id = t.id
WHERE a.wallet_id = %s
GROUP BY t.id, t.amount, t.created_at ORDER BY t.created_at DESC LIMIT %s
"""

_REFUND = """
SELECT r.id, r.origin, r.transaction_id, r.wallet_id, r.gateway, r.gateway_refund_id, r.amount, r.currency, r.status,
       r.reason, r.requested_by, r.created_at, TIMESTAMPDIFF(HOUR, r.created_at, UTC_TIMESTAMP(6)) AS age_h
FROM source_refunds r
"""

_REFUNDS_OF_WALLET = f"{_REFUND} WHERE r.wallet_id = %s ORDER BY r.created_at DESC LIMIT %s"

_ACTIONS = """
SELECT operator, command, reason, created_at FROM operator_actions
WHERE wallet_id = %s ORDER BY created_at DESC LIMIT %s
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
        name=row["name"],
        kind=row["kind"],
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
        refunds=tuple(_refund(one) for one in database.read(_REFUNDS_OF_WALLET, row["id"], _LATEST)),
        actions=tuple(
            OperatorAction(one["operator"], one["command"], one["reason"], time_of(one["created_at"]))
            for one in database.read(_ACTIONS, row["id"], _LATEST)
        ),
    )


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
class StuckEvent:
    """A gateway's event that could not be acted on."""

    gateway_event_id: UUID
    gateway: str
    name: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingWithdrawal:
    """A withdrawal that its provider has not said the last word of. `age_h` is in hours."""

    withdrawal_id: UUID
    wallet_id: UUID
    provider: str
    payout_id: str | None
    amount: int
    currency: str
    status: str
    created_at: datetime
    age_h: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person or for a gateway, the oldest first.

    `uncovered` are refunds that somebody began at the gateway when the wallet could no longer cover them, or when what
    was in suspense had been credited: suspense bears them. The newest come first, and those are left out whose break an
    operator has resolved. `breaks` has those that are open.
    """

    breaks: tuple[OpenBreak, ...]
    withdrawals: tuple[WaitingWithdrawal, ...]
    suspense: tuple[SuspendedMoney, ...]
    refunds: tuple[SourceRefund, ...]
    uncovered: tuple[SourceRefund, ...]
    closing: tuple[UUID, ...]
    stuck: tuple[StuckEvent, ...]


_MOST = 100

_SUSPENSE = """
SELECT m.id, m.suspense_reason, m.gateway, m.gateway_payment_id, m.amount, m.currency, m.created_at, a.wallet_id,
       TIMESTAMPDIFF(HOUR, m.created_at, UTC_TIMESTAMP(6)) AS age_h, m.rest
FROM money_in_suspense m LEFT JOIN payment_attempts a ON a.id = m.attempt_id
WHERE m.rest > 0 ORDER BY m.created_at LIMIT %s
"""

_WITHDRAWALS = """
SELECT id, wallet_id, provider, provider_payout_id, amount, currency, status, created_at,
       TIMESTAMPDIFF(HOUR, created_at, UTC_TIMESTAMP(6)) AS age_h
FROM withdrawals WHERE status = 'pending' ORDER BY id LIMIT %s
"""

_PENDING_REFUNDS = f"{_REFUND} WHERE r.status = 'pending' ORDER BY r.created_at LIMIT %s"

# ruff: noqa: S608 - every query is made of the constants here
_UNCOVERED = f"""
{_REFUND} JOIN transactions t ON t.id = r.transaction_id
LEFT JOIN reconciliation_breaks b ON b.id = r.id AND b.resolved_at IS NOT NULL
WHERE r.wallet_id IS NULL AND r.status <> 'failed' AND b.id IS NULL
    AND (t.type = 'top_up' OR EXISTS (SELECT 1 FROM money_in_suspense m WHERE m.id = t.id AND m.rest < 0))
ORDER BY r.created_at DESC LIMIT %s
"""

_CLOSING = """
SELECT DISTINCT w.id FROM operator_actions o JOIN wallets w ON w.id = o.wallet_id
WHERE o.command = 'close' AND w.status = 'closing' ORDER BY w.id LIMIT %s
"""

_STUCK = """
SELECT e.id, e.gateway, e.name, e.received_at FROM gateway_events e
LEFT JOIN reconciliation_breaks b ON b.id = e.id AND b.resolved_at IS NOT NULL
WHERE e.outcome = 'stuck' AND b.id IS NULL ORDER BY e.received_at LIMIT %s
"""


def waiting(database: Database) -> Waiting:
    """What waits, at most a hundred of each kind."""
    return Waiting(
        breaks=shown_breaks(database, kind=None, limit=_MOST),
        withdrawals=tuple(
            WaitingWithdrawal(
                withdrawal_id=uuid_of(row["id"]),
                wallet_id=uuid_of(row["wallet_id"]),
                provider=row["provider"],
                payout_id=row["provider_payout_id"],
                amount=row["amount"],
                currency=row["currency"],
                status=row["status"],
                created_at=time_of(row["created_at"]),
                age_h=row["age_h"],
            )
            for row in database.read(_WITHDRAWALS, _MOST)
        ),
        suspense=tuple(
            SuspendedMoney(
                transaction_id=uuid_of(row["id"]),
                reason=row["suspense_reason"],
                gateway=row["gateway"],
                gateway_payment_id=row["gateway_payment_id"],
                amount=row["amount"],
                left=row["rest"],
                currency=row["currency"],
                wallet_id=_maybe(row["wallet_id"]),
                created_at=time_of(row["created_at"]),
                age_h=row["age_h"],
            )
            for row in database.read(_SUSPENSE, _MOST)
        ),
        refunds=tuple(_refund(row) for row in database.read(_PENDING_REFUNDS, _MOST)),
        uncovered=tuple(_refund(row) for row in database.read(_UNCOVERED, _MOST)),
        closing=tuple(uuid_of(row["id"]) for row in database.read(_CLOSING, _MOST)),
        stuck=tuple(
            StuckEvent(uuid_of(row["id"]), row["gateway"], row["name"], time_of(row["received_at"]))
            for row in database.read(_STUCK, _MOST)
        ),
    )


def _refund(row: Row) -> SourceRefund:
    return SourceRefund(
        refund_id=uuid_of(row["id"]),
        ours=row["origin"] == "ours",
        transaction_id=uuid_of(row["transaction_id"]),
        wallet_id=_maybe(row["wallet_id"]),
        gateway=row["gateway"],
        gateway_refund_id=row["gateway_refund_id"],
        amount=row["amount"],
        currency=row["currency"],
        status=row["status"],
        reason=row["reason"],
        requested_by=row["requested_by"],
        created_at=time_of(row["created_at"]),
        age_h=row["age_h"],
    )


def _maybe(value: bytes | str | None) -> UUID | None:
    return None if value is None else uuid_of(value)
