"""The kernel does what the pure model does: the same commands, the same answers, the same balances."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.books import Books, Person, captured, unique
from wallet import wiring
from wallet.ledger.accounts import SUSPENSE, Account
from wallet.ledger.attempts import AttemptStatus, ObservedPayment, PaymentStatus
from wallet.ledger.book import Book
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.transactions import Transaction
from wallet.ledger.wallets import Tier, Wallet, WalletStatus
from wallet.movements.settle import book as book_payment
from wallet.storage import settlement, top_ups
from wallet.storage.payments import post_payment

if TYPE_CHECKING:
    from uuid import UUID

# Small numbers, so that limits are met all the time; a tier of our own, so that they are these numbers.
_TIER = Tier("tiny", max_balance=1_000, max_top_up=600, max_payment=400)
_PEOPLE = 3
_ORDERS = 5

people = st.integers(0, _PEOPLE - 1)
amounts = st.one_of(st.integers(1, 700), st.sampled_from([99, 100, 400, 401, 600, 601, 1_000]))


@dataclass(frozen=True)
class Pay:
    payer: int
    payee: int
    amount: int
    key: int


@dataclass(frozen=True)
class Open:
    person: int
    amount: int


@dataclass(frozen=True)
class Settle:
    order: int
    payment: int
    amount: int | None  # None: what the order asked for
    currency: str
    refunded: bool


@dataclass(frozen=True)
class Fail:
    order: int
    payment: int


@dataclass(frozen=True)
class Turn:
    person: int
    status: WalletStatus


commands = st.lists(
    st.one_of(
        st.builds(Pay, payer=people, payee=people, amount=amounts, key=st.integers(0, 3)),
        st.builds(Open, person=people, amount=amounts),
        st.builds(
            Settle,
            order=st.integers(0, _ORDERS),
            payment=st.integers(0, 6),
            amount=st.one_of(st.none(), st.none(), st.none(), amounts),
            currency=st.sampled_from(["INR", "INR", "INR", "INR", "USD"]),
            refunded=st.sampled_from([False, False, False, False, True]),
        ),
        st.builds(Fail, order=st.integers(0, _ORDERS), payment=st.integers(0, 6)),
        st.builds(Turn, person=people, status=st.sampled_from([*WalletStatus, *[WalletStatus.ACTIVE] * 3])),
    ),
    min_size=5,
    max_size=40,
)


class Both:
    """The same commands to the model and to the server."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.run = unique("run")
        self.people: list[Person] = [books.person(tier=_TIER.code) for _ in range(_PEOPLE)]
        self.model = Book({person.wallet_id: Wallet(person.wallet_id, _TIER) for person in self.people})
        self.money = books.as_role("money")
        self.gateway = books.as_role("gateway")
        self.orders: list[tuple[str, int]] = []

    def close(self) -> None:
        self.money.close()
        self.gateway.close()

    def play(self, command: Any) -> None:
        getattr(self, f"_{type(command).__name__.lower()}")(command)

    def _pay(self, command: Pay) -> None:
        payer, payee = self.people[command.payer], self.people[command.payee]
        transaction_id, key = wiring.new_id(), f"{self.run}-{command.key}"
        told = self.model.pay(
            transaction_id=transaction_id,
            payer=payer.wallet_id,
            payee=payee.wallet_id,
            amount=command.amount,
            key=key,
        )
        answer: UUID | Refusal
        try:
            receipt, _ = post_payment(
                self.money,
                payer.claim(key, asked=f"{payee.wallet_id} {command.amount}"),
                transaction_id=transaction_id,
                payee_wallet_id=payee.wallet_id,
                payee_phone=None,
                amount=command.amount,
                description=None,
                reference=None,
            )
            answer = receipt.transaction_id
        except Refused as refused:
            answer = refused.refusal
        assert answer == (told.id if isinstance(told, Transaction) else told), command

    def _open(self, command: Open) -> None:
        person, order_id = self.people[command.person], unique("order_")
        told = self.model.open_top_up(wallet_id=person.wallet_id, order_id=order_id, amount=command.amount)
        answer: Refusal | None = None
        try:
            attempt, _, _ = top_ups.open_top_up(
                self.money,
                person.claim(),
                attempt_id=wiring.new_id(),
                gateway="razorpay",
                amount=command.amount,
                valid_s=3600,
                first_check_s=3600,
            )
            top_ups.attach_order(self.money, attempt.id, order_id=order_id, intent_url=None)
            self.orders.append((order_id, command.amount))
        except Refused as refused:
            answer = refused.refusal
        assert answer == told, command

    def _settle(self, command: Settle) -> None:
        order_id, asked = self.orders[command.order] if command.order < len(self.orders) else ("order_unknown", 300)
        payment = captured(
            order_id,
            command.amount or asked,
            payment_id=f"pay_{self.run}{command.payment}",
            currency=command.currency,
            refunded=1 if command.refunded else 0,
        )
        transaction_id = wiring.new_id()
        told = self.model.settle(payment, transaction_id=transaction_id)
        assert settlement.settle_payment(self.gateway, payment, transaction_id=transaction_id).suspense == told, command

    def _fail(self, command: Fail) -> None:
        if command.order < len(self.orders):
            order_id, asked = self.orders[command.order]
            self.model.fail(order_id)
            payment_id = f"pay_{self.run}{command.payment}"
            observed = ObservedPayment(
                "razorpay", payment_id, order_id, asked, "INR", PaymentStatus.FAILED, captured=False
            )
            book_payment(self.gateway, wiring.new_id, observed)

    def _turn(self, command: Turn) -> None:
        person = self.people[command.person]
        wallet = self.model.wallets[person.wallet_id]
        self.model.wallets[person.wallet_id] = Wallet(
            wallet.id, wallet.tier, balance=wallet.balance, status=command.status
        )
        self.books.write("UPDATE wallets SET status = %s WHERE id = %s", command.status.value, person.wallet_id.bytes)

    def compare(self) -> None:
        for person in self.people:
            assert self.books.balance(person) == self.model.wallets[person.wallet_id].balance
            assert self.model.balance(Account.of_wallet(person.wallet_id)) == self.books.balance(person)
        for order_id, _ in self.orders:
            rows = self.books.select("SELECT status FROM payment_attempts WHERE gateway_order_id = %s", order_id)
            assert AttemptStatus(rows[0]["status"]) is self.model.attempts[order_id].status
        rows = self.books.select(
            "SELECT COALESCE(SUM(t.amount), 0) AS total FROM transactions t"
            " WHERE t.type = 'suspense' AND t.gateway_payment_id LIKE %s",
            f"pay_{self.run}%",
        )
        assert int(rows[0]["total"]) == self.model.balance(SUSPENSE)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(played=commands)
def test_the_kernel_answers_as_the_model_does(books: Books, played: list[Any]) -> None:
    books.write(
        "INSERT IGNORE INTO tiers (code, max_balance, max_top_up, max_payment) VALUES (%s, %s, %s, %s)",
        _TIER.code,
        _TIER.max_balance,
        _TIER.max_top_up,
        _TIER.max_payment,
    )
    both = Both(books)
    try:
        for command in played:
            both.play(command)
        both.compare()
    finally:
        both.close()


def test_the_books_are_right_after_all_of_it(books: Books) -> None:
    assert books.faults() == []
