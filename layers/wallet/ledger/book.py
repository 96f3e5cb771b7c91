"""The whole of the rules in memory: the model that the kernel in `schema/` is held against.

Nothing here runs in production. Property tests play the same commands to a `Book` and to a real database and compare
every answer and every balance. Each command is told the time; a hold lapses at its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID, uuid5

from wallet.ledger.accounts import Account
from wallet.ledger.attempts import AttemptStatus, Expected, ObservedPayment, SuspenseReason, arrived, weigh
from wallet.ledger.fees import FeeRate, payment_fee
from wallet.ledger.holds import Hold, HoldStatus
from wallet.ledger.money import INR
from wallet.ledger.payees import LOOKUPS, LOOKUPS_OF_MERCHANTS, FailedLookups
from wallet.ledger.refusals import Refusal
from wallet.ledger.transactions import Transaction, TransactionType, arrival, fee, payment, refund
from wallet.ledger.wallets import (
    Wallet,
    WalletStatus,
    refuse_capture,
    refuse_debit,
    refuse_hold,
    refuse_payment,
    refuse_refund,
    refuse_top_up,
)

Done = TypeVar("Done", Transaction, Hold)
RefusePayee = Callable[[Wallet, Wallet | None, int, datetime], Refusal | None]


@dataclass(slots=True)
class Attempt:
    """An attempt to top up, as far as the model cares."""

    wallet_id: UUID
    amount: int
    status: AttemptStatus = AttemptStatus.PENDING


@dataclass(slots=True)
class Book:
    """Wallets, holds, attempts by gateway order, and the transactions so far."""

    wallets: dict[UUID, Wallet] = field(default_factory=dict)
    fee_rates: tuple[tuple[datetime, FeeRate], ...] = ()
    holds: dict[UUID, Hold] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)
    suspended: dict[str, SuspenseReason] = field(default_factory=dict)
    _keys: dict[tuple[UUID, str], tuple[object, object]] = field(default_factory=dict)
    _arrived: set[tuple[str, str]] = field(default_factory=set)
    _lookups: dict[UUID, FailedLookups] = field(default_factory=dict)

    def pay(
        self, *, transaction_id: UUID, payer: UUID, payee: UUID, amount: int, key: str, now: datetime
    ) -> Transaction | Refusal:
        """A payment under a caller's key. A refusal leaves no trace, a repetition answers the first transaction."""

        def act() -> Transaction | Refusal:
            refusal = self._refuse(refuse_payment, payer, payee, amount, now)
            if refusal is not None:
                return refusal
            done = payment(transaction_id=transaction_id, payer=payer, payee=payee, currency=INR, amount=amount)
            self._count_debit(payer, amount, now)
            self._pay_payee(done, payee, now)
            return done

        return self._once((payer, key), (TransactionType.PAYMENT, payee, amount), now, act)

    def refund(
        self, *, transaction_id: UUID, payee: UUID, payment_id: UUID, amount: int | None, key: str, now: datetime
    ) -> Transaction | Refusal:
        """A payment or a capture, or a part of it (None: what is left), back from its payee to its payer."""

        def act() -> Transaction | Refusal:
            paid = self._paid_to(payee, payment_id)
            if paid is None:
                return Refusal.NOT_FOUND
            left = paid.amount - self.refunded(payment_id)
            asked = left if amount is None else amount
            refusal = refuse_refund(self.wallets[payee], left, asked)
            if refusal is not None:
                return refusal
            is_closed = self._wallet_of(paid.debited).status is WalletStatus.CLOSED
            done = refund(transaction_id=transaction_id, paid=paid, amount=asked, unclaimed=is_closed)
            self._post(done)
            return done

        return self._once((payee, key), (TransactionType.REFUND, payment_id, amount), now, act)

    def place(
        self, *, hold_id: UUID, payer: UUID, payee: UUID, amount: int, expires_at: datetime, key: str, now: datetime
    ) -> Hold | Refusal:
        """A promise: the money stays where it is, and is no longer available."""

        def act() -> Hold | Refusal:
            refusal = self._refuse(refuse_hold, payer, payee, amount, now)
            if refusal is not None:
                return refusal
            hold = Hold(hold_id, payer, payee, amount, now, expires_at)
            self.holds[hold_id] = hold
            self._set_aside(payer, amount)
            self._count_debit(payer, amount, now)
            return hold

        return self._once((payer, key), (HoldStatus.PLACED, payee, amount, expires_at - now), now, act)

    def capture(
        self,
        *,
        transaction_id: UUID,
        payee: UUID,
        hold_id: UUID,
        amount: int | None,
        final: bool,
        key: str,
        now: datetime,
    ) -> Transaction | Refusal:
        """What was promised, or a part of it (None: what is left), to the payee; a `final` one frees the rest."""

        def act() -> Transaction | Refusal:
            hold = self.holds.get(hold_id)
            if hold is None or hold.payee != payee:
                return Refusal.NOT_FOUND
            asked = hold.left if amount is None else amount
            refusal = refuse_capture(self.wallets[hold.payer], self.wallets[payee], hold, asked, now)
            if refusal is not None:
                return refusal
            done = payment(
                transaction_id=transaction_id,
                payer=hold.payer,
                payee=payee,
                currency=INR,
                amount=asked,
                kind=TransactionType.HOLD_CAPTURE,
            )
            self._set_aside(hold.payer, -asked)
            self._turn(hold.take(asked, final=final))
            self._pay_payee(done, payee, now)
            return done

        return self._once((payee, key), (TransactionType.HOLD_CAPTURE, hold_id, amount, final), now, act)

    def release(self, *, actor: UUID, hold_id: UUID, key: str, now: datetime) -> Hold | Refusal:
        """Lets a hold go: its payee may at any time, its payer has nothing to let go before it has lapsed."""

        def act() -> Hold | Refusal:
            hold = self.holds.get(hold_id)
            if hold is None or actor not in (hold.payer, hold.payee):
                return Refusal.NOT_FOUND
            if hold.status is HoldStatus.EXPIRED:
                return hold
            if hold.status is not HoldStatus.PLACED:
                return Refusal.HOLD_NOT_PLACED
            if actor != hold.payee:
                return Refusal.HOLD_NOT_DUE
            self._turn(hold.end(HoldStatus.RELEASED))
            return self.holds[hold_id]

        return self._once((actor, key), (HoldStatus.RELEASED, hold_id), now, act)

    def open_top_up(self, *, wallet_id: UUID, order_id: str, amount: int, now: datetime) -> Refusal | None:
        """An attempt with its order at the gateway."""
        refusal = refuse_top_up(self.wallets[wallet_id], amount, now)
        if refusal is None:
            self.attempts[order_id] = Attempt(wallet_id, amount)
        return refusal

    def settle(self, observed: ObservedPayment, *, transaction_id: UUID, now: datetime) -> SuspenseReason | None:
        """Books money that has arrived, once; why it went to suspense, if it did."""
        if (observed.gateway, observed.payment_id) in self._arrived:
            return None
        attempt = self.attempts.get(observed.order_id or "")
        amount = arrived(observed, self._expected(attempt, observed.amount, now))
        reason = weigh(observed, self._expected(attempt, amount, now))
        self._arrived.add((observed.gateway, observed.payment_id))
        wallet_id = attempt.wallet_id if attempt is not None and reason is None else None
        self._post(
            arrival(
                transaction_id=transaction_id,
                gateway=observed.gateway,
                wallet_id=wallet_id,
                currency=observed.currency,
                amount=amount,
            )
        )
        if wallet_id is not None:
            self._count_load(wallet_id, amount, now)
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

    def lapse(self, now: datetime) -> None:
        """Ends every hold whose time has passed."""
        for hold in list(self.holds.values()):
            if hold.status is HoldStatus.PLACED and not hold.is_open(now):
                self._turn(hold.end(HoldStatus.EXPIRED))

    def balance(self, account: Account) -> int:
        """The sum of an account's postings, credits positive, in minor units of whatever currencies it has."""
        return sum(
            posting.signed
            for transaction in self.transactions
            for posting in transaction.postings
            if posting.account == account
        )

    def refunded(self, payment_id: UUID) -> int:
        """What the refunds of a payment or a capture add up to, in minor units."""
        return sum(
            done.amount
            for done in self.transactions
            if done.cause_id == payment_id and done.type is TransactionType.REFUND
        )

    def _once(
        self, claim: tuple[UUID, str], request: object, now: datetime, act: Callable[[], Done | Refusal]
    ) -> Done | Refusal:
        """Acts under a key, once: a repetition gets the first answer, unless that was a refusal."""
        self.lapse(now)
        known = self._keys.get(claim)
        if known is not None:
            return known[1] if known[0] == request else Refusal.IDEMPOTENCY_KEY_REUSED  # type: ignore[return-value]  # its own
        done = act()
        if not isinstance(done, Refusal):
            self._keys[claim] = (request, done)
        return done

    def _refuse(self, refuse: RefusePayee, payer: UUID, payee: UUID, amount: int, now: datetime) -> Refusal | None:
        """Why a payment or a hold is refused; how often for the payee's sake is bounded, and counted."""
        own = self.wallets[payer]
        lookups = self._lookups.get(payer, FailedLookups())
        allowed = LOOKUPS_OF_MERCHANTS if own.is_merchant else LOOKUPS
        if payee != payer and refuse_debit(own, amount, now) is None and lookups.is_exhausted(allowed, now):
            return Refusal.TOO_MANY_LOOKUPS
        refusal = refuse(own, self.wallets.get(payee), amount, now)
        if refusal is Refusal.PAYEE_UNAVAILABLE:
            self._lookups[payer] = lookups.with_another(now)
        return refusal

    def _expected(self, attempt: Attempt | None, amount: int, now: datetime) -> Expected | None:
        if attempt is None:
            return None
        wallet = self.wallets[attempt.wallet_id]
        over_limit = wallet.over_limit(amount, now, is_load=True)
        return Expected(attempt.amount, INR, attempt.status, wallet.status is not WalletStatus.CLOSED, over_limit)

    def _paid_to(self, payee: UUID, payment_id: UUID) -> Transaction | None:
        for done in self.transactions:
            if done.id == payment_id and done.type in (TransactionType.PAYMENT, TransactionType.HOLD_CAPTURE):
                return done if done.credited == Account.of_wallet(payee) else None
        return None

    def _wallet_of(self, account: Account) -> Wallet:
        return next(wallet for wallet in self.wallets.values() if Account.of_wallet(wallet.id) == account)

    def _pay_payee(self, paid: Transaction, payee: UUID, now: datetime) -> None:
        """Posts a payment or a capture: a load of a person, while a merchant pays the fee out of it."""
        self._post(paid)
        if not self.wallets[payee].is_merchant:
            self._count_load(payee, paid.amount, now)
            return
        charge = payment_fee(self.fee_rates, paid.amount, now)
        if charge:
            self._post(fee(transaction_id=uuid5(paid.id, "fee"), paid=paid, amount=charge))

    def _turn(self, hold: Hold) -> None:
        """Where a hold stands from now on; one that has ended gives back what is left of it."""
        self.holds[hold.id] = hold
        if hold.status is not HoldStatus.PLACED:
            self._set_aside(hold.payer, -hold.left)
            payer = self.wallets[hold.payer]
            usage = payer.usage.without_debit(hold.left, hold.created_at)
            self.wallets[payer.id] = replace(payer, usage=usage)

    def _set_aside(self, wallet_id: UUID, amount: int) -> None:
        wallet = self.wallets[wallet_id]
        self.wallets[wallet_id] = replace(wallet, held=wallet.held + amount)

    def _count_debit(self, wallet_id: UUID, amount: int, now: datetime) -> None:
        wallet = self.wallets[wallet_id]
        self.wallets[wallet_id] = replace(wallet, usage=wallet.usage.with_debit(amount, now))

    def _count_load(self, wallet_id: UUID, amount: int, now: datetime) -> None:
        wallet = self.wallets[wallet_id]
        self.wallets[wallet_id] = replace(wallet, usage=wallet.usage.with_load(amount, now))

    def _post(self, transaction: Transaction) -> None:
        self.transactions.append(transaction)
        change = {posting.account: posting.signed for posting in transaction.postings}
        for wallet in self.wallets.values():
            moved = change.get(Account.of_wallet(wallet.id))
            if moved:
                self.wallets[wallet.id] = replace(wallet, balance=wallet.balance + moved)
