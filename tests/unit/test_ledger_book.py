"""The whole model: whatever is asked of it, in whatever order, no money is made and none is lost."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet.ledger.accounts import SUSPENSE, Account
from wallet.ledger.attempts import AttemptStatus, ObservedPayment, PaymentStatus, SuspenseReason
from wallet.ledger.book import Book
from wallet.ledger.refusals import Refusal
from wallet.ledger.transactions import Transaction
from wallet.ledger.wallets import Tier, Wallet, WalletStatus

GATEWAY = Account.of_gateway("razorpay")
TIER = Tier("tiny", max_balance=1_000, max_top_up=600, max_payment=400)
WALLETS = [UUID(int=number) for number in (1, 2, 3)]
NOBODY = UUID(int=99)

pays = st.tuples(
    st.just("pay"),
    st.sampled_from(WALLETS),
    st.sampled_from([*WALLETS, NOBODY]),
    st.integers(1, 450),
    st.sampled_from(["k1", "k2", "k3", "k4"]),
)
opens = st.tuples(st.just("open"), st.sampled_from(WALLETS), st.integers(0, 5), st.integers(90, 650))
settles = st.tuples(
    st.just("settle"),
    st.integers(0, 5),
    st.sampled_from([f"pay_{number}" for number in range(8)]),
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from(["INR", "INR", "INR", "USD"]),
)
fails = st.tuples(st.just("fail"), st.integers(0, 5))
commands = st.lists(st.one_of(pays, opens, settles, fails), max_size=40)


@dataclass
class Play:
    """A book, and what was asked of it."""

    book: Book = field(default_factory=lambda: Book({one: Wallet(one, TIER) for one in WALLETS}))
    paid: dict[tuple[UUID, str], list[Transaction]] = field(default_factory=dict)
    ids: int = 1_000

    def new_id(self) -> UUID:
        self.ids += 1
        return UUID(int=self.ids)

    def run(self, command: tuple[object, ...]) -> None:
        match command:
            case ("pay", UUID() as payer, UUID() as payee, int(amount), str(key)):
                done = self.book.pay(transaction_id=self.new_id(), payer=payer, payee=payee, amount=amount, key=key)
                if isinstance(done, Transaction):
                    self.paid.setdefault((payer, key), []).append(done)
            case ("open", UUID() as wallet, int(order), int(amount)):
                if f"order_{order}" not in self.book.attempts:
                    self.book.open_top_up(wallet_id=wallet, order_id=f"order_{order}", amount=amount)
            case ("settle", int(order), str(payment), int(off), str(currency)):
                asked = self.book.attempts.get(f"order_{order}")
                amount = (asked.amount if asked else 100) + off
                self.book.settle(observed(payment, f"order_{order}", amount, currency), transaction_id=self.new_id())
            case ("fail", int(order)):
                self.book.fail(f"order_{order}")


def observed(payment_id: str, order_id: str | None, amount: int, currency: str = "INR") -> ObservedPayment:
    return ObservedPayment("razorpay", payment_id, order_id, amount, currency, PaymentStatus.CAPTURED, captured=True)


def accounts() -> list[Account]:
    return [GATEWAY, SUSPENSE, *(Account.of_wallet(one) for one in WALLETS)]


@settings(max_examples=150, deadline=None)
@given(commands)
def test_all_accounts_together_are_always_nothing(asked: list[tuple[object, ...]]) -> None:
    play = Play()
    for command in asked:
        play.run(command)
        assert sum(play.book.balance(account) for account in accounts()) == 0


@settings(max_examples=150, deadline=None)
@given(commands)
def test_no_wallet_is_ever_below_nothing_or_above_its_tier(asked: list[tuple[object, ...]]) -> None:
    play = Play()
    for command in asked:
        play.run(command)
        assert all(0 <= wallet.balance <= 1_000 for wallet in play.book.wallets.values())


@settings(max_examples=100, deadline=None)
@given(commands)
def test_a_wallets_balance_is_the_sum_of_its_postings(asked: list[tuple[object, ...]]) -> None:
    play = Play()
    for command in asked:
        play.run(command)
    for wallet in play.book.wallets.values():
        assert wallet.balance == play.book.balance(Account.of_wallet(wallet.id))


@settings(max_examples=100, deadline=None)
@given(commands)
def test_a_key_pays_at_most_once(asked: list[tuple[object, ...]]) -> None:
    play = Play()
    for command in asked:
        play.run(command)
    assert all(len({done.id for done in paid}) == 1 for paid in play.paid.values())
    payments = [done for done in play.book.transactions if done.type == "payment"]
    assert len(payments) == len(play.paid)


@settings(max_examples=100, deadline=None)
@given(commands)
def test_a_gateway_payment_is_booked_at_most_once_and_an_order_credited_at_most_once(
    asked: list[tuple[object, ...]],
) -> None:
    play = Play()
    told = set()
    for command in asked:
        play.run(command)
        if command[0] == "settle":
            told.add(command[2])
    arrivals = [done for done in play.book.transactions if done.type in ("top_up", "suspense")]
    credited = [attempt for attempt in play.book.attempts.values() if attempt.status is AttemptStatus.SUCCEEDED]
    assert len(arrivals) == len(told)
    assert len([done for done in arrivals if done.type == "top_up"]) == len(credited)


def funded(amount: int = 500) -> Book:
    book = Book({one: Wallet(one, TIER) for one in WALLETS})
    assert book.open_top_up(wallet_id=WALLETS[0], order_id="order_0", amount=amount) is None
    assert book.settle(observed("pay_0", "order_0", amount), transaction_id=UUID(int=500)) is None
    return book


def pay(book: Book, number: int, amount: int, key: str, payee: UUID = WALLETS[1]) -> Transaction | Refusal:
    return book.pay(transaction_id=UUID(int=number), payer=WALLETS[0], payee=payee, amount=amount, key=key)


def test_a_repetition_answers_the_first_transaction() -> None:
    book = funded()
    assert pay(book, 1, 100, "k") == pay(book, 2, 100, "k")
    assert book.wallets[WALLETS[0]].balance == 400


@pytest.mark.parametrize(("amount", "payee"), [(101, WALLETS[1]), (100, WALLETS[2])])
def test_a_key_with_another_request_is_refused(amount: int, payee: UUID) -> None:
    book = funded()
    pay(book, 1, 100, "k")
    assert pay(book, 2, amount, "k", payee) is Refusal.IDEMPOTENCY_KEY_REUSED
    assert book.wallets[WALLETS[0]].balance == 400


def test_a_key_is_its_callers_own() -> None:
    book = funded()
    pay(book, 1, 100, "k")
    other = book.pay(transaction_id=UUID(int=2), payer=WALLETS[1], payee=WALLETS[0], amount=50, key="k")
    assert isinstance(other, Transaction)
    assert other.id == UUID(int=2)


def test_a_refusal_burns_no_key() -> None:
    book = funded(100)
    assert pay(book, 1, 200, "k") is Refusal.INSUFFICIENT_FUNDS
    book.open_top_up(wallet_id=WALLETS[0], order_id="order_1", amount=300)
    book.settle(observed("pay_1", "order_1", 300), transaction_id=UUID(int=501))
    assert isinstance(pay(book, 2, 200, "k"), Transaction)


def test_nobody_can_be_paid_who_is_not_there() -> None:
    assert pay(funded(), 1, 1, "k", NOBODY) is Refusal.PAYEE_NOT_FOUND


def test_a_payment_that_failed_and_was_then_captured_is_credited_once() -> None:
    book = Book({one: Wallet(one, TIER) for one in WALLETS})
    book.open_top_up(wallet_id=WALLETS[0], order_id="order_0", amount=500)
    book.fail("order_0")
    seen = [book.attempts["order_0"].status]
    for number in (1, 2):
        book.settle(observed("pay_0", "order_0", 500), transaction_id=UUID(int=number))
    book.fail("order_0")
    seen.append(book.attempts["order_0"].status)
    assert seen == [AttemptStatus.FAILED, AttemptStatus.SUCCEEDED]
    assert book.wallets[WALLETS[0]].balance == 500


def test_a_second_payment_of_one_order_goes_to_suspense() -> None:
    book = funded()
    reason = book.settle(observed("pay_9", "order_0", 500), transaction_id=UUID(int=2))
    assert reason is SuspenseReason.ORDER_ALREADY_PAID
    assert book.balance(SUSPENSE) == 500
    assert book.wallets[WALLETS[0]].balance == 500


def test_the_right_payment_is_credited_behind_a_wrong_one() -> None:
    book = Book({one: Wallet(one, TIER) for one in WALLETS})
    book.open_top_up(wallet_id=WALLETS[0], order_id="order_0", amount=500)
    assert book.settle(observed("pay_1", "order_0", 499), transaction_id=UUID(int=1)) is not None
    assert book.settle(observed("pay_2", "order_0", 500), transaction_id=UUID(int=2)) is None
    assert (book.wallets[WALLETS[0]].balance, book.balance(SUSPENSE)) == (500, 499)


def test_a_frozen_wallet_takes_what_its_owner_has_paid_in() -> None:
    book = Book({WALLETS[0]: Wallet(WALLETS[0], TIER)})
    book.open_top_up(wallet_id=WALLETS[0], order_id="order_0", amount=500)
    book.wallets[WALLETS[0]] = Wallet(WALLETS[0], TIER, status=WalletStatus.FROZEN)
    assert book.settle(observed("pay_0", "order_0", 500), transaction_id=UUID(int=1)) is None


def test_an_order_of_nobody_is_shown_and_not_credited() -> None:
    book = Book({WALLETS[0]: Wallet(WALLETS[0], TIER)})
    assert book.settle(observed("pay_0", None, 500), transaction_id=UUID(int=1)) is SuspenseReason.UNKNOWN_ORDER
    assert book.suspended == {"pay_0": SuspenseReason.UNKNOWN_ORDER}
    assert (book.balance(GATEWAY), book.balance(SUSPENSE)) == (-500, 500)
