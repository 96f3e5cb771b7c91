"""The whole of the rules in memory: the model that the kernel in `schema/` is held against.

Nothing here runs in production. Property tests play the same commands to a `Book` and to a real database and compare
every answer and every balance.
"""

from dataclasses import dataclass, field, replace
from uuid import UUID

from wallet.ledger.accounts import Account
from wallet.ledger.attempts import AttemptStatus, Expected, ObservedPayment, SuspenseReason, weigh
from wallet.ledger.money import INR
from wallet.ledger.refusals import Refusal
from wallet.ledger.transactions import Transaction, arrival, payment
from wallet.ledger.wallets import Wallet, WalletStatus, refuse_payment, refuse_top_up


@dataclass(slots=True)
class Attempt:
    """An attempt to top up, as far as the model cares."""

    wallet_id: UUID
    amount: int
    status: AttemptStatus = AttemptStatus.PENDING


@dataclass(slots=True)
class Book:
    """Wallets, attempts by gateway order, and the transactions so far."""

    wallets: dict[UUID, Wallet] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)
    suspended: dict[str, SuspenseReason] = field(default_factory=dict)
    _keys: dict[tuple[UUID, str], tuple[object, Transaction]] = field(default_factory=dict)
    _arrived: set[tuple[str, str]] = field(default_factory=set)

    def pay(self, *, transaction_id: UUID, payer: UUID, payee: UUID, amount: int, key: str) -> Transaction | Refusal:
        """A payment under a caller's key. A refusal leaves no trace, a repetition answers the first transaction."""
        request = (payee, amount)
        known = self._keys.get((payer, key))
        if known is not None:
            return known[1] if known[0] == request else Refusal.IDEMPOTENCY_KEY_REUSED
        if payee not in self.wallets:
            return Refusal.PAYEE_NOT_FOUND
        refusal = refuse_payment(self.wallets[payer], self.wallets[payee], amount)
        if refusal is not None:
            return refusal
        done = payment(transaction_id=transaction_id, payer=payer, payee=payee, currency=INR, amount=amount)
        self._post(done)
        self._keys[payer, key] = (request, done)
        return done

    def open_top_up(self, *, wallet_id: UUID, order_id: str, amount: int) -> Refusal | None:
        """An attempt with its order at the gateway."""
        refusal = refuse_top_up(self.wallets[wallet_id], amount)
        if refusal is None:
            self.attempts[order_id] = Attempt(wallet_id, amount)
        return refusal

    def settle(self, observed: ObservedPayment, *, transaction_id: UUID) -> SuspenseReason | None:
        """Books money that has arrived, once; why it went to suspense, if it did."""
        if (observed.gateway, observed.payment_id) in self._arrived:
            return None
        attempt = self.attempts.get(observed.order_id or "")
        reason = weigh(observed, self._expected(attempt))
        self._arrived.add((observed.gateway, observed.payment_id))
        self._post(
            arrival(
                transaction_id=transaction_id,
                gateway=observed.gateway,
                wallet_id=attempt.wallet_id if attempt is not None and reason is None else None,
                currency=observed.currency,
                amount=observed.amount,
            )
        )
        if reason is not None:
            self.suspended[observed.payment_id] = reason
        if attempt is not None:
            after = AttemptStatus.SUCCEEDED if reason is None else AttemptStatus.FAILED
            if attempt.status.may_become(after):
                attempt.status = after
        return reason

    def fail(self, order_id: str) -> None:
        """A payment of this order failed."""
        attempt = self.attempts.get(order_id)
        if attempt is not None and attempt.status.may_become(AttemptStatus.FAILED):
            attempt.status = AttemptStatus.FAILED

    def balance(self, account: Account) -> int:
        """The sum of an account's postings, credits positive, in minor units of whatever currencies it has."""
        return sum(
            posting.signed
            for transaction in self.transactions
            for posting in transaction.postings
            if posting.account == account
        )

    def _expected(self, attempt: Attempt | None) -> Expected | None:
        if attempt is None:
            return None
        wallet = self.wallets[attempt.wallet_id]
        return Expected(attempt.amount, INR, attempt.status, wallet.status is not WalletStatus.CLOSED, wallet.room)

    def _post(self, transaction: Transaction) -> None:
        self.transactions.append(transaction)
        change = {posting.account: posting.signed for posting in transaction.postings}
        for wallet in self.wallets.values():
            moved = change.get(Account.of_wallet(wallet.id), 0)
            if moved:
                self.wallets[wallet.id] = replace(wallet, balance=wallet.balance + moved)
