"""Transactions: the immutable records of what happened to money, in double entry."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from wallet.ledger.accounts import SUSPENSE, Account
from wallet.ledger.money import MAX_AMOUNT


class Side(StrEnum):
    """The two sides of an entry."""

    DEBIT = "debit"
    CREDIT = "credit"


class TransactionType(StrEnum):
    """What happened. All but `suspense` show in a wallet's statement."""

    TOP_UP = "top_up"
    PAYMENT = "payment"
    SUSPENSE = "suspense"


class UnbalancedError(Exception):
    """A transaction whose debits and credits differ: a bug, and never written."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of a transaction; `amount` is in minor units and positive."""

    account: Account
    side: Side
    amount: int

    def __post_init__(self) -> None:
        if not 0 < self.amount <= MAX_AMOUNT:
            raise UnbalancedError("a posting's amount is positive")

    @property
    def signed(self) -> int:
        """Credits count up, debits down: the balance of a wallet is the sum of these."""
        return self.amount if self.side is Side.CREDIT else -self.amount


@dataclass(frozen=True, slots=True)
class Transaction:
    """Two or more postings of one currency that sum to zero."""

    id: UUID
    type: TransactionType
    currency: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        if len(self.postings) < 2 or sum(posting.signed for posting in self.postings) != 0:
            raise UnbalancedError(f"{self.type} {self.id} does not balance")


def entry(
    *, transaction_id: UUID, kind: TransactionType, currency: str, debit: Account, credit: Account, amount: int
) -> Transaction:
    """A transaction of two lines: `amount` from `debit` to `credit`."""
    postings = (Posting(debit, Side.DEBIT, amount), Posting(credit, Side.CREDIT, amount))
    return Transaction(transaction_id, kind, currency, postings)


def payment(*, transaction_id: UUID, payer: UUID, payee: UUID, currency: str, amount: int) -> Transaction:
    """From one wallet to another."""
    return entry(
        transaction_id=transaction_id,
        kind=TransactionType.PAYMENT,
        currency=currency,
        debit=Account.of_wallet(payer),
        credit=Account.of_wallet(payee),
        amount=amount,
    )


def arrival(*, transaction_id: UUID, gateway: str, wallet_id: UUID | None, currency: str, amount: int) -> Transaction:
    """Money that reached us through a gateway: to a wallet, or to suspense if it fits nowhere (`wallet_id` None)."""
    return entry(
        transaction_id=transaction_id,
        kind=TransactionType.SUSPENSE if wallet_id is None else TransactionType.TOP_UP,
        currency=currency,
        debit=Account.of_gateway(gateway),
        credit=SUSPENSE if wallet_id is None else Account.of_wallet(wallet_id),
        amount=amount,
    )
