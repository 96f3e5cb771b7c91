"""Transactions: the immutable records of what happened to money, in double entry."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from wallet.ledger.accounts import FEES, SUSPENSE, UNCLAIMED, Account
from wallet.ledger.money import MAX_AMOUNT


class Side(StrEnum):
    """The two sides of an entry."""

    DEBIT = "debit"
    CREDIT = "credit"


class TransactionType(StrEnum):
    """What happened. All but `suspense` and `gather` show in a wallet's statement."""

    TOP_UP = "top_up"
    PAYMENT = "payment"
    SUSPENSE = "suspense"
    REFUND = "refund"
    HOLD_CAPTURE = "hold_capture"
    WITHDRAWAL = "withdrawal"
    WITHDRAWAL_RETURN = "withdrawal_return"
    REFUND_TO_SOURCE = "refund_to_source"
    FEE = "fee"
    ADJUSTMENT = "adjustment"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSAL = "chargeback_reversal"
    GATHER = "gather"  # between the rows of one hot wallet


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
    """Two or more postings of one currency that sum to zero; `cause_id` is the transaction that this follows from."""

    id: UUID
    type: TransactionType
    currency: str
    postings: tuple[Posting, ...]
    cause_id: UUID | None = None

    def __post_init__(self) -> None:
        if len(self.postings) < 2 or sum(posting.signed for posting in self.postings) != 0:
            raise UnbalancedError(f"{self.type} {self.id} does not balance")

    @property
    def amount(self) -> int:
        """What it moves, in minor units."""
        return sum(posting.amount for posting in self.postings if posting.side is Side.DEBIT)

    @property
    def debited(self) -> Account:
        """Where its first line takes from."""
        return self.postings[0].account

    @property
    def credited(self) -> Account:
        """Where its last line brings to."""
        return self.postings[-1].account


def entry(
    *,
    transaction_id: UUID,
    kind: TransactionType,
    currency: str,
    debit: Account,
    credit: Account,
    amount: int,
    cause_id: UUID | None = None,
) -> Transaction:
    """A transaction of two lines: `amount` from `debit` to `credit`."""
    postings = (Posting(debit, Side.DEBIT, amount), Posting(credit, Side.CREDIT, amount))
    return Transaction(transaction_id, kind, currency, postings, cause_id)


def payment(
    *,
    transaction_id: UUID,
    payer: UUID,
    payee: UUID,
    currency: str,
    amount: int,
    kind: TransactionType = TransactionType.PAYMENT,
) -> Transaction:
    """From one wallet to another: a payment, or the capture of a hold."""
    return entry(
        transaction_id=transaction_id,
        kind=kind,
        currency=currency,
        debit=Account.of_wallet(payer),
        credit=Account.of_wallet(payee),
        amount=amount,
    )


def refund(*, transaction_id: UUID, paid: Transaction, amount: int, unclaimed: bool = False) -> Transaction:
    """From the payee of a payment or a capture back to its payer; `unclaimed`: the payer's wallet is closed."""
    return entry(
        transaction_id=transaction_id,
        kind=TransactionType.REFUND,
        currency=paid.currency,
        debit=paid.credited,
        credit=UNCLAIMED if unclaimed else paid.debited,
        amount=amount,
        cause_id=paid.id,
    )


def fee(*, transaction_id: UUID, paid: Transaction, amount: int) -> Transaction:
    """From the payee of a payment or a capture to us."""
    return entry(
        transaction_id=transaction_id,
        kind=TransactionType.FEE,
        currency=paid.currency,
        debit=paid.credited,
        credit=FEES,
        amount=amount,
        cause_id=paid.id,
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
