"""Wallets: what a person has, what of it is promised, and what may be done with it.

Each `refuse_…` names the first refusal that applies, in the order of `Refusal`, or None. The clock is an argument.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wallet.ledger.attempts import SuspenseReason
from wallet.ledger.holds import Hold
from wallet.ledger.limits import UNUSED, Tier, Usage, exceeds
from wallet.ledger.money import INR
from wallet.ledger.refusals import Refusal

#: Gateways refuse less than one rupee, and so do payout providers.
MIN_TOP_UP = 100
MIN_WITHDRAWAL = 100


class WalletStatus(StrEnum):
    """A frozen wallet neither pays nor is paid, nor does one that is being closed; a closed one can't be found."""

    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Wallet:
    """Amounts are minor units of `currency`; `held` is the part of `balance` that is promised.

    A merchant is who registered as one and has a tier for merchants, which an operator gives. Their takings are no
    loads, and paying them is not paying a person.
    """

    id: UUID
    tier: Tier
    is_merchant: bool = False
    balance: int = 0
    held: int = 0
    status: WalletStatus = WalletStatus.ACTIVE
    usage: Usage = UNUSED
    currency: str = INR

    @property
    def available(self) -> int:
        """What may be spent."""
        return self.balance - self.held

    @property
    def is_active(self) -> bool:
        """Whether it pays and is paid."""
        return self.status is WalletStatus.ACTIVE

    def over_limit(self, amount: int, now: datetime, *, is_load: bool) -> SuspenseReason | None:
        """Which limit of its tier a credit would break."""
        limits = self.tier.at(now)
        if exceeds(self.balance + amount, limits.max_balance):
            return SuspenseReason.OVER_BALANCE_LIMIT
        if is_load and self.usage.load_exceeds(limits, amount, now):
            return SuspenseReason.OVER_LOAD_LIMIT
        return None


def refuse_debit(payer: Wallet, amount: int, now: datetime) -> Refusal | None:
    """Why `payer` can't pay or promise `amount` to anybody now, or None. The payee is looked for only then."""
    if not payer.is_active:
        return Refusal.WALLET_FROZEN
    if amount > payer.available:
        return Refusal.INSUFFICIENT_FUNDS
    if payer.usage.debit_exceeds(payer.tier.at(now), amount, now):
        return Refusal.WALLET_LIMIT_EXCEEDED
    return None


def refuse_payment(payer: Wallet, payee: Wallet | None, amount: int, now: datetime) -> Refusal | None:
    """Why `payer` can't pay `amount` to `payee` (None: nobody) now, or None.

    All that is the payer's comes first, and whatever is the payee's is one refusal, as if there were nobody.
    """
    refusal = refuse_hold(payer, payee, amount, now)
    if refusal is not None or payee is None:
        return refusal
    if not payee.is_active or payee.over_limit(amount, now, is_load=not payee.is_merchant):
        return Refusal.PAYEE_UNAVAILABLE
    return None


def refuse_hold(payer: Wallet, payee: Wallet | None, amount: int, now: datetime) -> Refusal | None:
    """Why `payer` can't promise `amount` to `payee` (None: nobody) now, or None.

    The payer's limits are met here. Of the payee it matters that there is one: whether they may take the money is asked
    when it is captured. Nobody and a closed wallet are persons, so that who may pay merchants only learns nothing.
    """
    if payee is not None and payee.id == payer.id:
        return Refusal.SELF_PAYMENT
    refusal = refuse_debit(payer, amount, now)
    if refusal is not None:
        return refusal
    is_there = payee is not None and payee.status is not WalletStatus.CLOSED
    to_merchant = payee is not None and is_there and payee.is_merchant
    if not (to_merchant or payer.tier.at(now).person_to_person):
        return Refusal.WALLET_LIMIT_EXCEEDED
    return None if is_there else Refusal.PAYEE_UNAVAILABLE


def refuse_capture(payer: Wallet, payee: Wallet, hold: Hold, amount: int, now: datetime) -> Refusal | None:
    """Why `amount` can't be taken out of a hold now, or None.

    Whatever keeps the payer's wallet from paying is as if there were no hold; the rest is the payee's own.
    """
    if not (hold.is_open(now) and payer.is_active):
        return Refusal.HOLD_NOT_PLACED
    if amount > hold.left:
        return Refusal.CAPTURE_EXCEEDS_HOLD
    if not payee.is_active:
        return Refusal.WALLET_FROZEN
    if payee.over_limit(amount, now, is_load=not payee.is_merchant):
        return Refusal.WALLET_LIMIT_EXCEEDED
    return None


def refuse_refund(payee: Wallet, left: int, amount: int) -> Refusal | None:
    """Why `payee` can't give `amount` back of a payment of which `left` has not been refunded, or None.

    Nothing of the payer matters: the money was theirs. If their wallet is closed it is kept for them as unclaimed.
    """
    if not payee.is_active:
        return Refusal.WALLET_FROZEN
    if not 0 < amount <= left:
        return Refusal.REFUND_EXCEEDS_PAYMENT
    if amount > payee.available:
        return Refusal.INSUFFICIENT_FUNDS
    return None


def refuse_withdrawal(wallet: Wallet, amount: int, fee: int, now: datetime) -> Refusal | None:
    """Why `wallet` can't withdraw `amount` now, with a `fee` on top, or None. The fee must be there; it is no debit."""
    if not wallet.is_active:
        return Refusal.WALLET_FROZEN
    if amount < MIN_WITHDRAWAL:
        return Refusal.AMOUNT_OUT_OF_RANGE
    if amount + fee > wallet.available:
        return Refusal.INSUFFICIENT_FUNDS
    limits = wallet.tier.at(now)
    if wallet.usage.debit_exceeds(limits, amount, now) or not limits.withdrawals:
        return Refusal.WALLET_LIMIT_EXCEEDED
    return None


def refuse_top_up(wallet: Wallet, amount: int, now: datetime) -> Refusal | None:
    """Why `wallet` can't ask for a top-up of `amount` now, or None."""
    if not wallet.is_active:
        return Refusal.WALLET_FROZEN
    if amount < MIN_TOP_UP or exceeds(amount, wallet.tier.at(now).max_top_up):
        return Refusal.AMOUNT_OUT_OF_RANGE
    if wallet.over_limit(amount, now, is_load=True):
        return Refusal.WALLET_LIMIT_EXCEEDED
    return None
