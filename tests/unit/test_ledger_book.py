"""The whole model: whatever is asked of it, in whatever order, no money is made and none is lost."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet.ledger.accounts import FEES, SUSPENSE, Account
from wallet.ledger.attempts import AttemptStatus, ObservedPayment, PaymentStatus, SuspenseReason
from wallet.ledger.book import Book
from wallet.ledger.fees import FeeRate
from wallet.ledger.holds import Hold, HoldStatus
from wallet.ledger.limits import Limits, Tier
from wallet.ledger.refusals import Refusal
from wallet.ledger.transactions import Transaction, TransactionType
from wallet.ledger.wallets import Wallet, WalletStatus

GATEWAY = Account.of_gateway("razorpay")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = datetime(2021, 1, 1, tzinfo=UTC)
TIER = Tier(((LONG_AGO, Limits("tiny", max_balance=1_000, max_top_up=600, max_payment=400, max_debit_day=900)),))
WALLETS = [UUID(int=number) for number in (1, 2, 3)]
MERCHANT = UUID(int=4)
NOBODY = UUID(int=99)
RATES = ((LONG_AGO, FeeRate(basis_points=1_000, flat=1)),)

keys = st.sampled_from(["k1", "k2", "k3", "k4", "k5", "k6"])
wallets = st.sampled_from([*WALLETS, MERCHANT])
parts = st.one_of(st.none(), st.integers(1, 200))
pays = st.tuples(st.just("pay"), wallets, st.sampled_from([*WALLETS, MERCHANT, NOBODY]), st.integers(1, 450), keys)
refunds = st.tuples(st.just("refund"), wallets, st.integers(0, 5), parts, keys)
places = st.tuples(st.just("place"), wallets, wallets, st.integers(1, 450), keys)
captures = st.tuples(st.just("capture"), wallets, st.integers(0, 5), parts, st.booleans(), keys)
releases = st.tuples(st.just("release"), wallets, st.integers(0, 5), keys)
waits = st.tuples(st.just("wait"), st.integers(1, 90))
opens = st.tuples(st.just("open"), wallets, st.integers(0, 5), st.integers(90, 650))
settles = st.tuples(
    st.just("settle"),
    st.integers(0, 5),
    st.sampled_from([f"pay_{number}" for number in range(8)]),
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from(["INR", "INR", "INR", "USD"]),
)
fails = st.tuples(st.just("fail"), st.integers(0, 5))
commands = st.lists(
    st.one_of(pays, refunds, places, captures, releases, waits, opens, settles, fails), min_size=5, max_size=50
)


def a_book() -> Book:
    people = {one: Wallet(one, TIER) for one in WALLETS}
    return Book(people | {MERCHANT: Wallet(MERCHANT, TIER, is_merchant=True)}, fee_rates=RATES)


@dataclass
class Play:
    """A book, and what was asked of it."""

    book: Book = field(default_factory=a_book)
    done: dict[tuple[UUID, str], list[Transaction | Hold]] = field(default_factory=dict)
    ids: int = 1_000
    now: datetime = NOW
    holds: list[UUID] = field(default_factory=list)

    def new_id(self) -> UUID:
        self.ids += 1
        return UUID(int=self.ids)

    def paid(self, number: int) -> UUID:
        ids = [done.id for done in self.book.transactions if done.type in ("payment", "hold_capture")]
        return ids[number] if number < len(ids) else NOBODY

    def hold(self, number: int) -> UUID:
        return self.holds[number] if number < len(self.holds) else NOBODY

    def keep(self, actor: UUID, key: str, done: Transaction | Hold | Refusal) -> None:
        if not isinstance(done, Refusal):
            self.done.setdefault((actor, key), []).append(done)

    def run(self, command: tuple[object, ...]) -> None:
        book, now = self.book, self.now
        match command:
            case ("pay", UUID() as actor, UUID() as payee, int(amount), str(key)):
                new = self.new_id()
                done = book.pay(transaction_id=new, payer=actor, payee=payee, amount=amount, key=key, now=now)
                self.keep(actor, key, done)
            case ("refund", UUID() as actor, int(number), amount, str(key)):
                assert amount is None or isinstance(amount, int)
                payment_id = self.paid(number)
                new = self.new_id()
                self.keep(
                    actor,
                    key,
                    book.refund(
                        transaction_id=new, payee=actor, payment_id=payment_id, amount=amount, key=key, now=now
                    ),
                )
            case ("place", UUID() as actor, UUID() as payee, int(amount), str(key)):
                hold_id, ends = self.new_id(), now + timedelta(seconds=60)
                placed = book.place(
                    hold_id=hold_id, payer=actor, payee=payee, amount=amount, expires_at=ends, key=key, now=now
                )
                self.keep(actor, key, placed)
                if hold_id in book.holds:
                    self.holds.append(hold_id)
            case ("capture", UUID() as actor, int(number), amount, bool(final), str(key)):
                assert amount is None or isinstance(amount, int)
                new, hold_id = self.new_id(), self.hold(number)
                taken = book.capture(
                    transaction_id=new, payee=actor, hold_id=hold_id, amount=amount, final=final, key=key, now=now
                )
                self.keep(actor, key, taken)
            case ("release", UUID() as actor, int(number), str(key)):
                self.keep(actor, key, book.release(actor=actor, hold_id=self.hold(number), key=key, now=now))
            case ("wait", int(seconds)):
                self.now += timedelta(seconds=seconds)
                book.lapse(self.now)
            case _:
                self.run_outside(command)

    def run_outside(self, command: tuple[object, ...]) -> None:
        """What comes from the gateway."""
        book, now = self.book, self.now
        match command:
            case ("open", UUID() as wallet, int(order), int(amount)):
                if f"order_{order}" not in book.attempts:
                    book.open_top_up(wallet_id=wallet, order_id=f"order_{order}", amount=amount, now=now)
            case ("settle", int(order), str(payment), int(off), str(currency)):
                asked = book.attempts.get(f"order_{order}")
                amount = (asked.amount if asked else 100) + off
                arrived = observed(payment, f"order_{order}", amount, currency)
                book.settle(arrived, transaction_id=self.new_id(), now=now)
            case ("fail", int(order)):
                book.fail(f"order_{order}")
            case _:
                raise AssertionError(command)


def observed(payment_id: str, order_id: str | None, amount: int, currency: str = "INR") -> ObservedPayment:
    return ObservedPayment("razorpay", payment_id, order_id, amount, currency, PaymentStatus.CAPTURED, captured=True)


def accounts() -> list[Account]:
    return [GATEWAY, SUSPENSE, FEES, *(Account.of_wallet(one) for one in (*WALLETS, MERCHANT))]


def played(asked: list[tuple[object, ...]]) -> Play:
    """With 500 in each wallet to begin with."""
    play = Play()
    for number, wallet in enumerate((*WALLETS, MERCHANT)):
        play.run(("open", wallet, 100 + number, 500))
        play.run(("settle", 100 + number, f"begin_{number}", 0, "INR"))
    for command in asked:
        play.run(command)
    return play


@settings(max_examples=150, deadline=None)
@given(commands)
def test_all_accounts_together_are_always_nothing(asked: list[tuple[object, ...]]) -> None:
    play = played([])
    for command in asked:
        play.run(command)
        assert sum(play.book.balance(account) for account in accounts()) == 0


@settings(max_examples=150, deadline=None)
@given(commands)
def test_what_is_held_is_always_there_and_is_what_open_holds_have_left(asked: list[tuple[object, ...]]) -> None:
    play = played([])
    for command in asked:
        play.run(command)
        for wallet in play.book.wallets.values():
            open_holds = [
                hold.left for hold in play.book.holds.values() if hold.payer == wallet.id and hold.is_open(play.now)
            ]
            assert wallet.held == sum(open_holds)
            assert 0 <= wallet.held <= wallet.balance


@settings(max_examples=100, deadline=None)
@given(commands)
def test_a_wallet_is_above_its_tier_only_by_what_was_refunded_to_it(asked: list[tuple[object, ...]]) -> None:
    book = played(asked).book
    for wallet in book.wallets.values():
        account = Account.of_wallet(wallet.id)
        back = sum(done.amount for done in book.transactions if done.type == "refund" and done.credited == account)
        assert wallet.balance <= 1_000 + back


@settings(max_examples=100, deadline=None)
@given(commands)
def test_a_payment_is_never_refunded_more_than_once_in_sum(asked: list[tuple[object, ...]]) -> None:
    book = played(asked).book
    assert all(book.refunded(done.id) <= done.amount for done in book.transactions)


@settings(max_examples=100, deadline=None)
@given(commands)
def test_what_was_captured_of_a_hold_is_the_sum_of_its_captures_and_at_most_all_of_it(
    asked: list[tuple[object, ...]],
) -> None:
    book = played(asked).book
    captured = sum(done.amount for done in book.transactions if done.type is TransactionType.HOLD_CAPTURE)
    assert captured == sum(hold.captured for hold in book.holds.values())
    assert all(hold.captured <= hold.amount for hold in book.holds.values())


@settings(max_examples=100, deadline=None)
@given(commands)
def test_a_wallets_balance_is_the_sum_of_its_postings(asked: list[tuple[object, ...]]) -> None:
    book = played(asked).book
    for wallet in book.wallets.values():
        assert wallet.balance == book.balance(Account.of_wallet(wallet.id))


@settings(max_examples=100, deadline=None)
@given(commands)
def test_a_key_does_one_thing_once(asked: list[tuple[object, ...]]) -> None:
    play = played(asked)
    assert all(len({answer.id for answer in answers}) == 1 for answers in play.done.values())
    moved = [done for done in play.book.transactions if done.type in ("payment", "hold_capture", "refund")]
    ended = [hold for hold in play.book.holds.values() if hold.status is HoldStatus.RELEASED]
    keys_of_releases = [
        answers for answers in play.done.values() if getattr(answers[0], "status", None) is HoldStatus.RELEASED
    ]
    asked_for = [answers for answers in play.done.values() if isinstance(answers[0], Transaction)]
    assert len(moved) == len(asked_for)
    assert len(ended) == len(keys_of_releases)


@settings(max_examples=100, deadline=None)
@given(commands)
def test_a_gateway_payment_is_booked_at_most_once_and_an_order_credited_at_most_once(
    asked: list[tuple[object, ...]],
) -> None:
    play = played([])
    told = {f"begin_{number}" for number in range(4)}
    for command in asked:
        play.run(command)
        if command[0] == "settle":
            told.add(str(command[2]))
    arrivals = [done for done in play.book.transactions if done.type in ("top_up", "suspense")]
    credited = [attempt for attempt in play.book.attempts.values() if attempt.status is AttemptStatus.SUCCEEDED]
    assert len(arrivals) == len(told)
    assert len([done for done in arrivals if done.type == "top_up"]) == len(credited)


def funded(amount: int = 500) -> Book:
    book = a_book()
    assert book.open_top_up(wallet_id=WALLETS[0], order_id="order_0", amount=amount, now=NOW) is None
    assert book.settle(observed("pay_0", "order_0", amount), transaction_id=UUID(int=500), now=NOW) is None
    return book


def pay(book: Book, number: int, amount: int, key: str, payee: UUID = WALLETS[1]) -> Transaction | Refusal:
    return book.pay(transaction_id=UUID(int=number), payer=WALLETS[0], payee=payee, amount=amount, key=key, now=NOW)


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
    other = book.pay(transaction_id=UUID(int=2), payer=WALLETS[1], payee=WALLETS[0], amount=50, key="k", now=NOW)
    assert isinstance(other, Transaction)
    assert other.id == UUID(int=2)


def test_a_refusal_burns_no_key() -> None:
    book = funded(100)
    assert pay(book, 1, 200, "k") is Refusal.INSUFFICIENT_FUNDS
    book.open_top_up(wallet_id=WALLETS[0], order_id="order_1", amount=300, now=NOW)
    book.settle(observed("pay_1", "order_1", 300), transaction_id=UUID(int=501), now=NOW)
    assert isinstance(pay(book, 2, 200, "k"), Transaction)


def test_nobody_can_be_paid_who_is_not_there() -> None:
    assert pay(funded(), 1, 1, "k", NOBODY) is Refusal.PAYEE_NOT_FOUND


def test_a_payment_that_failed_and_was_then_captured_is_credited_once() -> None:
    book = a_book()
    book.open_top_up(wallet_id=WALLETS[0], order_id="order_0", amount=500, now=NOW)
    book.fail("order_0")
    seen = [book.attempts["order_0"].status]
    for number in (1, 2):
        book.settle(observed("pay_0", "order_0", 500), transaction_id=UUID(int=number), now=NOW)
    book.fail("order_0")
    seen.append(book.attempts["order_0"].status)
    assert seen == [AttemptStatus.FAILED, AttemptStatus.SUCCEEDED]
    assert book.wallets[WALLETS[0]].balance == 500


def test_a_second_payment_of_one_order_goes_to_suspense() -> None:
    book = funded()
    reason = book.settle(observed("pay_9", "order_0", 500), transaction_id=UUID(int=2), now=NOW)
    assert reason is SuspenseReason.ORDER_ALREADY_PAID
    assert book.balance(SUSPENSE) == 500
    assert book.wallets[WALLETS[0]].balance == 500


def test_the_right_payment_is_credited_behind_a_wrong_one() -> None:
    book = a_book()
    book.open_top_up(wallet_id=WALLETS[0], order_id="order_0", amount=500, now=NOW)
    assert book.settle(observed("pay_1", "order_0", 499), transaction_id=UUID(int=1), now=NOW) is not None
    assert book.settle(observed("pay_2", "order_0", 500), transaction_id=UUID(int=2), now=NOW) is None
    assert (book.wallets[WALLETS[0]].balance, book.balance(SUSPENSE)) == (500, 499)


def test_a_frozen_wallet_takes_what_its_owner_has_paid_in() -> None:
    book = Book({WALLETS[0]: Wallet(WALLETS[0], TIER)})
    book.open_top_up(wallet_id=WALLETS[0], order_id="order_0", amount=500, now=NOW)
    book.wallets[WALLETS[0]] = Wallet(WALLETS[0], TIER, status=WalletStatus.FROZEN)
    assert book.settle(observed("pay_0", "order_0", 500), transaction_id=UUID(int=1), now=NOW) is None


def test_an_order_of_nobody_is_shown_and_not_credited() -> None:
    book = Book({WALLETS[0]: Wallet(WALLETS[0], TIER)})
    assert (
        book.settle(observed("pay_0", None, 500), transaction_id=UUID(int=1), now=NOW) is SuspenseReason.UNKNOWN_ORDER
    )
    assert book.suspended == {"pay_0": SuspenseReason.UNKNOWN_ORDER}
    assert (book.balance(GATEWAY), book.balance(SUSPENSE)) == (-500, 500)


def place(book: Book, number: int, amount: int, *, seconds: int = 60, now: datetime = NOW) -> Hold | Refusal:
    return book.place(
        hold_id=UUID(int=number),
        payer=WALLETS[0],
        payee=WALLETS[1],
        amount=amount,
        expires_at=now + timedelta(seconds=seconds),
        key=f"hold-{number}",
        now=now,
    )


def capture(book: Book, number: int, amount: int | None, *, now: datetime = NOW) -> Transaction | Refusal:
    return book.capture(
        transaction_id=UUID(int=number + 1_000),
        payee=WALLETS[1],
        hold_id=UUID(int=number),
        amount=amount,
        final=False,
        key=f"capture-{number}-{amount}",
        now=now,
    )


def test_six_holds_of_100_on_500_are_five() -> None:
    book = funded()
    answers = [place(book, number, 100) for number in range(6)]
    assert [isinstance(answer, Hold) for answer in answers] == [True] * 5 + [False]
    assert answers[5] is Refusal.INSUFFICIENT_FUNDS


def test_a_hold_that_lapsed_frees_its_money_although_nobody_has_swept() -> None:
    book = funded()
    place(book, 1, 400)
    later = NOW + timedelta(seconds=60)
    assert isinstance(place(book, 2, 400, now=later), Hold)
    assert capture(book, 1, None, now=later) is Refusal.HOLD_NOT_PLACED
    assert book.holds[UUID(int=1)].status is HoldStatus.EXPIRED


def test_a_hold_counts_for_the_day_it_was_placed_on_and_what_was_not_captured_is_given_back() -> None:
    book = funded()
    place(book, 1, 400)
    assert book.wallets[WALLETS[0]].usage.debited_day == 400
    capture(book, 1, 150)
    book.release(actor=WALLETS[1], hold_id=UUID(int=1), key="r", now=NOW)
    assert book.wallets[WALLETS[0]].usage.debited_day == 150


def test_its_payer_lets_no_hold_go_before_it_has_lapsed() -> None:
    book = funded()
    place(book, 1, 400)
    first = book.release(actor=WALLETS[0], hold_id=UUID(int=1), key="r", now=NOW)
    later = book.release(actor=WALLETS[0], hold_id=UUID(int=1), key="r", now=NOW + timedelta(seconds=60))
    assert first is Refusal.HOLD_NOT_DUE
    assert isinstance(later, Hold)
    assert later.status is HoldStatus.EXPIRED


def test_a_merchant_pays_the_fee_out_of_what_comes_in_and_a_person_pays_none() -> None:
    book = funded()
    pay(book, 1, 100, "k1", MERCHANT)
    pay(book, 2, 100, "k2")
    assert (book.wallets[MERCHANT].balance, book.wallets[WALLETS[1]].balance, book.balance(FEES)) == (89, 100, 11)


def test_a_fee_is_never_more_than_the_payment() -> None:
    book = funded()
    pay(book, 1, 1, "k1", MERCHANT)
    assert (book.wallets[MERCHANT].balance, book.balance(FEES)) == (0, 1)


def test_a_capture_can_be_refunded_and_only_by_its_payee() -> None:
    book = funded()
    place(book, 1, 400)
    taken = capture(book, 1, 300)
    assert isinstance(taken, Transaction)
    answers = [
        book.refund(transaction_id=UUID(int=7), payee=who, payment_id=taken.id, amount=None, key="r", now=NOW)
        for who in (WALLETS[0], WALLETS[2], WALLETS[1])
    ]
    assert answers[:2] == [Refusal.NOT_FOUND, Refusal.NOT_FOUND]
    assert isinstance(answers[2], Transaction)
    assert (book.wallets[WALLETS[0]].balance, book.wallets[WALLETS[1]].balance) == (500, 0)


def test_what_is_refunded_comes_back_above_the_cap() -> None:
    book = funded()
    paid = pay(book, 1, 400, "k")
    assert isinstance(paid, Transaction)
    for number in (1, 2):  # 100 and twice 450: at the cap of 1,000
        book.open_top_up(wallet_id=WALLETS[0], order_id=f"order_{number}", amount=450, now=NOW)
        book.settle(observed(f"pay_{number}", f"order_{number}", 450), transaction_id=UUID(int=600 + number), now=NOW)
    book.refund(transaction_id=UUID(int=7), payee=WALLETS[1], payment_id=paid.id, amount=None, key="r", now=NOW)
    assert book.wallets[WALLETS[0]].balance == 1_400
