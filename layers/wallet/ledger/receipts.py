"""What the books answer. Times are UTC; amounts are minor units."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wallet.ledger.attempts import AttemptStatus
from wallet.ledger.transactions import Side


@dataclass(frozen=True, slots=True)
class Balance:
    """`total` is the sum of the postings, `held` the part of it that is promised."""

    total: int
    held: int

    @property
    def available(self) -> int:
        """What may be spent."""
        return self.total - self.held


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a payment."""

    wallet_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Registration:
    """A new user and their wallet."""

    user_id: UUID
    wallet_id: UUID
    phone: str
    name: str
    kind: str
    currency: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentReceipt:
    """A payment that has happened; `payer_balance` is the payer's balance right behind it."""

    transaction_id: UUID
    amount: int
    currency: str
    payer: Party
    payee: Party
    description: str | None
    reference: str | None
    payer_balance: Balance
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as payer and payee may both see it."""

    transaction_id: UUID
    amount: int
    currency: str
    payer: Party
    payee: Party
    description: str | None
    reference: str | None
    refunded: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Payer:
    """What a gateway wants to know of somebody who is about to pay: an E.164 phone, and an address if we have one."""

    phone: str
    email: str | None


@dataclass(frozen=True, slots=True)
class TopUp:
    """An attempt as its caller was told when it was made; without an order as long as the gateway has none."""

    id: UUID
    amount: int
    currency: str
    gateway: str
    gateway_order_id: str | None
    intent_url: str | None
    expires_at: datetime
    is_over: bool


@dataclass(frozen=True, slots=True)
class TopUpEvent:
    """One step of an attempt's life."""

    status: AttemptStatus
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class TopUpState:
    """An attempt as it stands now."""

    top_up: TopUp
    status: AttemptStatus
    events: tuple[TopUpEvent, ...]


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt that the reconciler may ask about: how often it has, and whether the attempt's time is over."""

    id: UUID
    gateway_order_id: str | None
    checks: int
    is_over: bool


@dataclass(frozen=True, slots=True)
class WalletState:
    """A wallet as it stands now, with the limits of its tier (None: no limit)."""

    id: UUID
    kind: str
    currency: str
    status: str
    balance: Balance
    tier: str
    max_balance: int | None
    max_top_up: int | None
    max_payment: int | None
    as_of: datetime


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One line of a wallet's statement; `entry_no` counts the wallet's lines from 1, without a gap."""

    entry_no: int
    transaction_id: UUID
    type: str
    side: Side
    amount: int
    balance_after: int
    counterparty: Party | None
    gateway: str | None
    description: str | None
    reference: str | None
    created_at: datetime
