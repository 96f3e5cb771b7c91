"""What the books answer. Times are UTC; amounts are minor units."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wallet.ledger.attempts import AttemptStatus
from wallet.ledger.holds import HoldStatus
from wallet.ledger.limits import Limits
from wallet.ledger.withdrawals import WithdrawalStatus


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


class PartySide(StrEnum):
    """Which party of a payment or a hold somebody is."""

    PAYER = "payer"
    PAYEE = "payee"


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
class Payment:
    """A payment, or a captured hold, as payer and payee may both see it; `refunded` is the sum of its refunds."""

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
class PaymentReceipt(Payment):
    """A payment as its payer was told of it: `refunded` is 0.

    `payer_balance` is their balance right behind it. The ledger doesn't keep that: None of a receipt that is made anew.
    """

    payer_balance: Balance | None


@dataclass(frozen=True, slots=True)
class RefundReceipt:
    """A refund as the payee who made it was told of it; `refunded` is what the payment's refunds added up to with it.

    `payee_balance` as in a payment's receipt: None of one that is made anew.
    """

    transaction_id: UUID
    payment_id: UUID
    amount: int
    currency: str
    reason: str | None
    refunded: int
    payee_balance: Balance | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as both sides may see it; `captured` is the part of `amount` that has been paid."""

    id: UUID
    status: HoldStatus
    amount: int
    captured: int
    currency: str
    payer: Party
    payee: Party
    description: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HoldReceipt(Hold):
    """A hold that has just been placed; `payer_balance` is the payer's balance right behind it, None if made anew."""

    payer_balance: Balance | None


@dataclass(frozen=True, slots=True)
class CaptureReceipt(Hold):
    """A hold behind a capture; `transaction_id` is the payment that the capture made."""

    transaction_id: UUID


@dataclass(frozen=True, slots=True)
class Payer:
    """What a gateway wants to know of somebody who is about to pay: an E.164 phone, and an address if we have one."""

    phone: str
    email: str | None


@dataclass(frozen=True, slots=True)
class TopUp:
    """An attempt as its caller was told when it was made; without an order as long as the gateway has none.

    `refused` is the gateway's word for why it never will take it, None as long as it has not said so.
    """

    id: UUID
    amount: int
    currency: str
    gateway: str
    gateway_order_id: str | None
    checkout_session: str | None
    intent_url: str | None
    created_at: datetime
    expires_at: datetime
    is_over: bool
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class TopUpEvent:
    """One step of an attempt's life."""

    status: AttemptStatus
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class TopUpState:
    """An attempt as it stands now.

    `rrn` is the banks' reference, None as long as nobody has told us. A list has no `events`.
    """

    top_up: TopUp
    status: AttemptStatus
    rrn: str | None
    events: tuple[TopUpEvent, ...] = ()

    @property
    def id(self) -> UUID:
        """The attempt's."""
        return self.top_up.id


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt that the reconciler may ask about: how often it has, and whether the attempt's time is over."""

    id: UUID
    gateway_order_id: str | None
    checks: int
    is_over: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """What counts towards the limits so far, in minor units, of the Indian day, month and financial year."""

    debited_today: int
    debited_this_month: int
    loaded_this_month: int
    loaded_this_year: int


@dataclass(frozen=True, slots=True)
class WalletState:
    """A wallet: its balance at `as_of`, and what may be done with it now.

    `kind` is what its owner registered as; `approved`: whether an operator has approved them as a merchant.
    `unfreezes_at`: when its owner's freeze ends, if that has been asked for and hasn't come about.
    """

    id: UUID
    kind: str
    currency: str
    status: str
    balance: Balance
    limits: Limits
    used: Usage
    as_of: datetime
    approved: bool = False
    unfreezes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WithdrawalReceipt:
    """A withdrawal whose money has been set aside, with its fee; `balance` is the wallet's right behind it.

    A repetition's receipt is made anew, and has no balance.
    `vpa` is whole, for the provider: callers are shown a masked one. `payee_name` is the owner's. Before `waits_until`
    nobody is asked to pay it, as its VPA is new, or the owner's password or phone.
    """

    id: UUID
    amount: int
    fee: int
    currency: str
    vpa: str
    payee_name: str
    balance: Balance | None
    created_at: datetime
    waits_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A withdrawal as it stands now; `reason` is a stable word, of one that failed or was reversed.

    Before `waits_until` nobody is asked to pay it, as its VPA is new, or the owner's password or phone. `utr` is the
    banks' reference, None as long as nobody has told us.
    """

    id: UUID
    status: WithdrawalStatus
    amount: int
    fee: int
    currency: str
    vpa: str
    reason: str | None
    created_at: datetime
    waits_until: datetime | None = None
    utr: str | None = None


@dataclass(frozen=True, slots=True)
class DueWithdrawal:
    """A withdrawal to ask the provider about, with all that is needed to ask for it again.

    `payout_id` is the provider's, None if none is known; `may_send`: its wallet is active, so the provider may be asked
    to pay; `age_s` counts seconds since that was asked first, `checks` the questions before this one.
    """

    id: UUID
    status: WithdrawalStatus
    amount: int
    currency: str
    vpa: str
    payee_name: str
    payout_id: str | None
    may_send: bool
    age_s: int
    checks: int
