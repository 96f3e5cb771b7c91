"""Wallets: what a person has, what of it is promised, and what may be done with it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from wallet.ledger.money import INR
from wallet.ledger.refusals import Refusal

#: Gateways refuse less than one rupee.
MIN_TOP_UP = 100


class WalletStatus(StrEnum):
    """A frozen wallet neither pays nor is paid; a closed one can't be found any more."""

    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Tier:
    """What a wallet may hold and move, in minor units; None is no limit."""

    code: str
    max_balance: int | None
    max_top_up: int | None
    max_payment: int | None


@dataclass(frozen=True, slots=True)
class Wallet:
    """Amounts are minor units of `currency`; `held` is the part of `balance` that is promised."""

    id: UUID
    tier: Tier
    balance: int = 0
    held: int = 0
    status: WalletStatus = WalletStatus.ACTIVE
    currency: str = INR

    @property
    def available(self) -> int:
        """What may be spent."""
        return self.balance - self.held

    @property
    def room(self) -> int | None:
        """What may still come in; None without a cap."""
        return None if self.tier.max_balance is None else self.tier.max_balance - self.balance


def _exceeds(amount: int, limit: int | None) -> bool:
    return limit is not None and amount > limit


def refuse_payment(payer: Wallet, payee: Wallet, amount: int) -> Refusal | None:
    """Why `payer` can't pay `amount` to `payee` now, or None."""
    if payee.id == payer.id:
        return Refusal.SELF_PAYMENT
    if payee.status is WalletStatus.CLOSED:
        return Refusal.PAYEE_NOT_FOUND
    if payer.status is not WalletStatus.ACTIVE or payee.status is not WalletStatus.ACTIVE:
        return Refusal.WALLET_FROZEN
    if amount > payer.available:
        return Refusal.INSUFFICIENT_FUNDS
    if _exceeds(amount, payer.tier.max_payment) or _exceeds(amount, payee.room):
        return Refusal.WALLET_LIMIT_EXCEEDED
    return None


def refuse_top_up(wallet: Wallet, amount: int) -> Refusal | None:
    """Why `wallet` can't ask for a top-up of `amount` now, or None."""
    if wallet.status is not WalletStatus.ACTIVE:
        return Refusal.WALLET_FROZEN
    if amount < MIN_TOP_UP or _exceeds(amount, wallet.tier.max_top_up):
        return Refusal.AMOUNT_OUT_OF_RANGE
    if _exceeds(amount, wallet.room):
        return Refusal.WALLET_LIMIT_EXCEEDED
    return None
