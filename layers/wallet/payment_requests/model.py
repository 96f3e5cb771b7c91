"""A request for money, and what was paid on it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wallet.ledger.receipts import Party
from wallet.payees.model import Payee


class RequestStatus(StrEnum):
    """Where a request stands; all but `open` are ends."""

    OPEN = "open"
    PAID = "paid"  # of one with an amount: it is paid once
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked for: `amount` in minor units (None: payers say how much), what for, and for how many seconds."""

    amount: int | None
    description: str | None
    valid_s: int


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What `payee` asks for: `amount` in minor units of `currency`, None for as much and as often as payers like.

    `is_own`: whoever looks has made it. Nothing of it changes but its status.
    """

    id: UUID
    is_own: bool
    payee: Payee
    amount: int | None
    currency: str
    description: str | None
    status: RequestStatus
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReceivedPayment:
    """A payment of a request, for who asked or who paid: how much (minor units), from whom, and when."""

    transaction_id: UUID
    amount: int
    payer: Party
    created_at: datetime
