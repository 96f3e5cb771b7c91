"""The whole model: whatever is asked of it, in whatever order, no money is made and none is lost."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet.ledger.accounts import FEES, SUSPENSE, UNCLAIMED, Account
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
    assert pay(funded(), 1, 1, "k", NOBODY) is Refusal.PAYEE_UNAVAILABLE


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


# ------------------------------------------------------------------------------------------- one command each

ASHA, BELA, CHETAN = WALLETS
LATER = NOW + timedelta(seconds=30)


def full_book() -> Book:
    """With 500 in each wallet."""
    return played([]).book


def refund(
    book: Book, paid: Transaction, amount: int | None = None, *, payee: UUID = BELA, key: str = "r", number: int = 70
) -> Transaction | Refusal:
    return book.refund(
        transaction_id=UUID(int=number), payee=payee, payment_id=paid.id, amount=amount, key=key, now=NOW
    )


def release(book: Book, number: int, *, actor: UUID = BELA, key: str = "l", now: datetime = NOW) -> Hold | Refusal:
    return book.release(actor=actor, hold_id=UUID(int=number), key=key, now=now)


def transaction(answer: object) -> Transaction:
    assert isinstance(answer, Transaction)
    return answer


def hold_of(answer: object) -> Hold:
    assert isinstance(answer, Hold)
    return answer


def test_a_payment_is_booked_whole_under_the_id_that_it_was_given() -> None:
    book = full_book()
    paid = transaction(pay(book, 7, 100, "k"))
    assert (paid.id, paid.type, paid.currency, paid.amount) == (UUID(int=7), TransactionType.PAYMENT, "INR", 100)
    assert (paid.debited, paid.credited) == (Account.of_wallet(ASHA), Account.of_wallet(BELA))
    assert book.transactions[-1] is paid


def test_a_payment_is_a_debit_of_the_payers_day_and_a_load_of_the_payees_month() -> None:
    book = full_book()
    before = {one: book.wallets[one].usage for one in (ASHA, BELA)}
    pay(book, 7, 100, "k")
    assert book.wallets[ASHA].usage == before[ASHA].with_debit(100, NOW)
    assert book.wallets[BELA].usage == before[BELA].with_load(100, NOW)


def test_a_merchants_takings_are_no_load_and_its_fee_follows_from_the_payment() -> None:
    book = full_book()
    before = book.wallets[MERCHANT].usage
    paid = transaction(pay(book, 7, 100, "k", MERCHANT))
    charge = book.transactions[-1]
    assert (charge.type, charge.cause_id, charge.amount) == (TransactionType.FEE, paid.id, 11)
    assert book.wallets[MERCHANT].usage == before


def test_a_fees_id_is_made_of_its_payments_and_is_another_for_each() -> None:
    one, other = full_book(), full_book()
    for book in (one, other):
        for number in (7, 8):
            pay(book, number, 100, f"k{number}", MERCHANT)
    fees = [done.id for done in one.transactions if done.type is TransactionType.FEE]
    assert fees == [done.id for done in other.transactions if done.type is TransactionType.FEE]
    assert len({done.id for done in one.transactions}) == len(one.transactions)


def test_a_payment_that_costs_nothing_has_no_fee() -> None:
    book = replace(full_book(), fee_rates=((LONG_AGO, FeeRate(0, 0)),))
    pay(book, 7, 100, "k", MERCHANT)
    assert book.transactions[-1].type is TransactionType.PAYMENT
    assert book.wallets[MERCHANT].balance == 600


def test_a_payment_is_refunded_in_parts_and_then_the_rest_and_then_no_more() -> None:
    book = full_book()
    paid = transaction(pay(book, 7, 400, "k"))
    first = transaction(refund(book, paid, 150, key="r1", number=71))
    rest = transaction(refund(book, paid, key="r2", number=72))
    assert [(one.id, one.cause_id, one.amount) for one in (first, rest)] == [
        (UUID(int=71), paid.id, 150),
        (UUID(int=72), paid.id, 250),
    ]
    assert refund(book, paid, 1, key="r3", number=73) is Refusal.REFUND_EXCEEDS_PAYMENT
    assert (book.wallets[ASHA].balance, book.wallets[BELA].balance, book.refunded(paid.id)) == (500, 500, 400)


def test_a_fee_counts_towards_no_refund() -> None:
    book = full_book()
    paid = transaction(pay(book, 7, 100, "k", MERCHANT))
    assert book.refunded(paid.id) == 0
    assert transaction(refund(book, paid, payee=MERCHANT)).amount == 100
    assert book.refunded(paid.id) == 100


def test_what_a_payee_no_longer_has_is_not_refunded() -> None:
    book = full_book()
    paid = transaction(pay(book, 7, 300, "k"))
    book.wallets[BELA] = replace(book.wallets[BELA], held=501)
    assert refund(book, paid) is Refusal.INSUFFICIENT_FUNDS


@pytest.mark.parametrize(("closed", "unclaimed"), [(ASHA, 100), (CHETAN, 0), (MERCHANT, 0)])
def test_a_refund_to_a_closed_wallet_is_kept_for_the_one_who_paid(closed: UUID, unclaimed: int) -> None:
    book = full_book()
    paid = transaction(pay(book, 7, 100, "k"))
    had = book.wallets[ASHA].balance
    book.wallets[closed] = replace(book.wallets[closed], status=WalletStatus.CLOSED)
    assert transaction(refund(book, paid)).amount == 100
    assert book.balance(UNCLAIMED) == unclaimed
    assert book.wallets[ASHA].balance == had + 100 - unclaimed
    assert book.refunded(paid.id) == 100


def test_only_a_payment_or_a_capture_can_be_refunded() -> None:
    book = full_book()
    paid = transaction(pay(book, 7, 100, "k"))
    back = transaction(refund(book, paid))
    top_up = next(done for done in book.transactions if done.credited == Account.of_wallet(BELA))
    assert top_up.type is TransactionType.TOP_UP
    assert refund(book, top_up, key="r1") is Refusal.NOT_FOUND
    assert refund(book, back, key="r2", payee=ASHA) is Refusal.NOT_FOUND


def test_a_hold_is_placed_as_it_was_asked_for() -> None:
    book = full_book()
    before = book.wallets[ASHA].usage
    placed = hold_of(place(book, 1, 300))
    assert placed == Hold(UUID(int=1), ASHA, BELA, 300, NOW, NOW + timedelta(seconds=60))
    assert book.holds == {UUID(int=1): placed}
    assert (book.wallets[ASHA].held, book.wallets[ASHA].balance) == (300, 500)
    assert book.wallets[ASHA].usage == before.with_debit(300, NOW)
    assert book.wallets[BELA].held == 0


@pytest.mark.parametrize(
    ("payee", "amount", "refusal"),
    [
        (NOBODY, 1, Refusal.PAYEE_UNAVAILABLE),
        (ASHA, 1, Refusal.SELF_PAYMENT),
        (BELA, 401, Refusal.WALLET_LIMIT_EXCEEDED),
        (BELA, 501, Refusal.INSUFFICIENT_FUNDS),
    ],
)
def test_a_promise_that_can_not_be_leaves_no_trace(payee: UUID, amount: int, refusal: Refusal) -> None:
    book = full_book()
    before = dict(book.wallets)
    ends = NOW + timedelta(seconds=60)
    answer = book.place(hold_id=UUID(int=1), payer=ASHA, payee=payee, amount=amount, expires_at=ends, key="h", now=NOW)
    assert answer is refusal
    assert (book.holds, book.wallets) == ({}, before)


def test_a_capture_is_a_payment_out_of_what_was_set_aside() -> None:
    book = full_book()
    place(book, 1, 300)
    usage = book.wallets[ASHA].usage
    taken = transaction(capture(book, 1, 100))
    assert (taken.id, taken.type, taken.currency) == (UUID(int=1_001), TransactionType.HOLD_CAPTURE, "INR")
    assert (taken.amount, taken.debited, taken.credited) == (100, Account.of_wallet(ASHA), Account.of_wallet(BELA))
    assert (book.wallets[ASHA].balance, book.wallets[ASHA].held, book.wallets[BELA].balance) == (400, 200, 600)
    assert book.wallets[ASHA].usage == usage
    assert book.wallets[BELA].usage.loaded_month == 600
    rest = transaction(capture(book, 1, None, now=LATER))
    assert rest.amount == 200
    assert book.holds[UUID(int=1)].status is HoldStatus.CAPTURED
    assert book.wallets[ASHA].held == 0


def test_a_merchant_pays_a_fee_for_a_capture_too() -> None:
    book = full_book()
    ends = NOW + timedelta(seconds=60)
    book.place(hold_id=UUID(int=1), payer=ASHA, payee=MERCHANT, amount=100, expires_at=ends, key="h", now=NOW)
    book.capture(
        transaction_id=UUID(int=7), payee=MERCHANT, hold_id=UUID(int=1), amount=None, final=False, key="c", now=NOW
    )
    assert (book.wallets[MERCHANT].balance, book.balance(FEES)) == (589, 11)


def test_a_final_capture_frees_what_is_left_for_the_payer_to_spend_today() -> None:
    book = full_book()
    before = book.wallets[ASHA].usage
    place(book, 1, 300)
    book.capture(
        transaction_id=UUID(int=7), payee=BELA, hold_id=UUID(int=1), amount=100, final=True, key="c", now=LATER
    )
    assert book.holds[UUID(int=1)].status is HoldStatus.CAPTURED
    assert (book.wallets[ASHA].held, book.wallets[ASHA].available) == (0, 400)
    assert book.wallets[ASHA].usage == before.with_debit(100, NOW)


@pytest.mark.parametrize(("payee", "number"), [(ASHA, 1), (CHETAN, 1), (BELA, 2)])
def test_only_its_payee_captures_a_hold_that_is_there(payee: UUID, number: int) -> None:
    book = full_book()
    place(book, 1, 300)
    answer = book.capture(
        transaction_id=UUID(int=7), payee=payee, hold_id=UUID(int=number), amount=1, final=False, key="c", now=NOW
    )
    assert answer is Refusal.NOT_FOUND


@pytest.mark.parametrize(("amount", "answer"), [(300, None), (301, Refusal.CAPTURE_EXCEEDS_HOLD)])
def test_no_more_is_captured_than_was_promised(amount: int, answer: Refusal | None) -> None:
    book = full_book()
    place(book, 1, 300)
    taken = capture(book, 1, amount)
    assert (taken if isinstance(taken, Refusal) else None) is answer


@pytest.mark.parametrize(("frozen", "refusal"), [(ASHA, Refusal.HOLD_NOT_PLACED), (BELA, Refusal.WALLET_FROZEN)])
def test_a_capture_asks_for_the_wallets_of_both(frozen: UUID, refusal: Refusal) -> None:
    book = full_book()
    place(book, 1, 300)
    book.wallets[frozen] = replace(book.wallets[frozen], status=WalletStatus.FROZEN)
    assert capture(book, 1, 1) is refusal


def test_its_payee_lets_a_hold_go_once_and_everything_of_it_is_free() -> None:
    book = full_book()
    before = book.wallets[ASHA]
    place(book, 1, 300)
    let_go = hold_of(release(book, 1))
    assert (let_go.id, let_go.status) == (UUID(int=1), HoldStatus.RELEASED)
    assert book.holds[UUID(int=1)] == let_go
    assert book.wallets[ASHA] == replace(before, usage=before.usage.begun(NOW))
    assert release(book, 1, key="another") is Refusal.HOLD_NOT_PLACED
    assert release(book, 1, actor=ASHA) is Refusal.HOLD_NOT_PLACED


@pytest.mark.parametrize(("actor", "number"), [(CHETAN, 1), (MERCHANT, 1), (BELA, 2)])
def test_a_hold_is_let_go_by_nobody_else(actor: UUID, number: int) -> None:
    book = full_book()
    place(book, 1, 300)
    assert release(book, number, actor=actor) is Refusal.NOT_FOUND
    assert book.holds[UUID(int=1)].status is HoldStatus.PLACED


def test_a_hold_lapses_at_its_time_and_no_earlier_and_only_that_one() -> None:
    book = full_book()
    place(book, 1, 100, seconds=60)
    place(book, 2, 100, seconds=61)
    book.lapse(NOW + timedelta(seconds=59))
    assert {hold.status for hold in book.holds.values()} == {HoldStatus.PLACED}
    book.lapse(NOW + timedelta(seconds=60))
    assert [hold.status for hold in book.holds.values()] == [HoldStatus.EXPIRED, HoldStatus.PLACED]
    assert book.wallets[ASHA].held == 100
    release(book, 2)
    book.lapse(NOW + timedelta(days=1))
    assert book.holds[UUID(int=2)].status is HoldStatus.RELEASED


# --------------------------------------------------------------------------------------------- keys

Ask = Callable[[Book, UUID, str, int, datetime], object]


def _pays(book: Book, caller: UUID, key: str, what: int, now: datetime) -> object:
    return book.pay(transaction_id=UUID(int=900), payer=caller, payee=MERCHANT, amount=10 + what, key=key, now=now)


def _places(book: Book, caller: UUID, key: str, what: int, now: datetime) -> object:
    ends = now + timedelta(seconds=600 + what)
    return book.place(
        hold_id=UUID(int=900 + what), payer=caller, payee=MERCHANT, amount=10, expires_at=ends, key=key, now=now
    )


def _refunds(book: Book, caller: UUID, key: str, what: int, now: datetime) -> object:
    paid = next(
        done for done in book.transactions if done.type == "payment" and done.credited.code.endswith(caller.hex)
    )
    return book.refund(
        transaction_id=UUID(int=900), payee=caller, payment_id=paid.id, amount=10 + what, key=key, now=now
    )


def _captures(book: Book, caller: UUID, key: str, what: int, now: datetime) -> object:
    hold = next(hold for hold in book.holds.values() if hold.payee == caller)
    return book.capture(
        transaction_id=UUID(int=900), payee=caller, hold_id=hold.id, amount=10 + what, final=False, key=key, now=now
    )


def _releases(book: Book, caller: UUID, key: str, what: int, now: datetime) -> object:
    held = [hold for hold in book.holds.values() if hold.payee == caller]
    return book.release(actor=caller, hold_id=held[what].id, key=key, now=now)


def busy_book() -> Book:
    """In which two people have been paid and promised something, the second of them more than the first."""
    book = full_book()
    for number, payee in enumerate((ASHA, BELA)):
        payer = CHETAN
        book.pay(transaction_id=UUID(int=800 + number), payer=payer, payee=payee, amount=50, key=f"p{number}", now=NOW)
        for more in (0, 1):
            book.place(
                hold_id=UUID(int=810 + 2 * number + more),
                payer=payer,
                payee=payee,
                amount=50 + number,
                expires_at=NOW + timedelta(hours=1),
                key=f"h{number}{more}",
                now=NOW,
            )
    return book


each_command = pytest.mark.parametrize("ask", [_pays, _places, _refunds, _captures, _releases])


@each_command
def test_a_key_answers_its_own_command_again_whenever_it_comes(ask: Ask) -> None:
    book = busy_book()
    first = ask(book, ASHA, "k", 0, NOW)
    assert not isinstance(first, Refusal)
    after = len(book.transactions), dict(book.wallets)
    assert ask(book, ASHA, "k", 0, LATER) is first
    assert (len(book.transactions), book.wallets) == after


@each_command
def test_a_key_is_refused_for_another_request_and_says_nothing_of_its_own(ask: Ask) -> None:
    book = busy_book()
    ask(book, ASHA, "k", 0, NOW)
    assert ask(book, ASHA, "k", 1, NOW) is Refusal.IDEMPOTENCY_KEY_REUSED


@each_command
def test_a_key_is_refused_for_another_command(ask: Ask) -> None:
    book = busy_book()
    first = _releases if ask is not _releases else _pays
    first(book, ASHA, "k", 1, NOW)
    assert ask(book, ASHA, "k", 0, NOW) is Refusal.IDEMPOTENCY_KEY_REUSED


@each_command
def test_a_key_is_the_callers_own_at_each_command(ask: Ask) -> None:
    book = busy_book()
    first, second = ask(book, ASHA, "k", 0, NOW), ask(book, BELA, "k", 0, NOW)
    assert not isinstance(second, Refusal)
    assert second != first


@each_command
def test_what_lapsed_before_a_command_is_free_before_it(ask: Ask) -> None:
    book = busy_book()
    place(book, 1, 300, seconds=10)
    ask(book, ASHA, "k", 0, NOW + timedelta(seconds=10))
    assert book.holds[UUID(int=1)].status is HoldStatus.EXPIRED


# --------------------------------------------------------------------------------------------- arrivals


def opened(amount: int = 500) -> Book:
    book = a_book()
    assert book.open_top_up(wallet_id=ASHA, order_id="order_0", amount=amount, now=NOW) is None
    return book


def test_a_top_up_is_booked_as_it_arrived_and_counts_as_a_load() -> None:
    book = opened()
    assert book.attempts["order_0"].amount == 500
    assert book.settle(observed("pay_0", "order_0", 500), transaction_id=UUID(int=7), now=NOW) is None
    (done,) = book.transactions
    assert (done.id, done.type, done.currency, done.amount) == (UUID(int=7), TransactionType.TOP_UP, "INR", 500)
    assert (done.debited, done.credited) == (GATEWAY, Account.of_wallet(ASHA))
    assert (book.wallets[ASHA].usage.loaded_month, book.wallets[ASHA].usage.loaded_year) == (500, 500)
    assert book.attempts["order_0"].status is AttemptStatus.SUCCEEDED
    assert book.suspended == {}


def test_a_top_up_that_is_refused_opens_nothing() -> None:
    book = a_book()
    assert book.open_top_up(wallet_id=ASHA, order_id="order_0", amount=601, now=NOW) is Refusal.AMOUNT_OUT_OF_RANGE
    assert book.attempts == {}


def test_a_payment_of_the_same_name_at_another_gateway_is_another_one() -> None:
    book = opened()
    here = observed("pay_0", "order_0", 500)
    there = replace(here, gateway="cashfree")
    book.settle(here, transaction_id=UUID(int=7), now=NOW)
    assert book.settle(there, transaction_id=UUID(int=8), now=NOW) is SuspenseReason.ORDER_ALREADY_PAID
    assert [done.debited for done in book.transactions] == [GATEWAY, Account.of_gateway("cashfree")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": 499}, SuspenseReason.AMOUNT_MISMATCH),
        ({"currency": "USD"}, SuspenseReason.CURRENCY_MISMATCH),
        ({"order_id": "order_9"}, SuspenseReason.UNKNOWN_ORDER),
        ({"order_id": None}, SuspenseReason.UNKNOWN_ORDER),
        ({"amount_refunded": 1}, SuspenseReason.ALREADY_REFUNDED),
    ],
)
def test_what_agrees_with_nothing_that_was_asked_for_goes_to_suspense_as_it_arrived(
    changes: dict[str, object], reason: SuspenseReason
) -> None:
    book = opened()
    told = replace(observed("pay_0", "order_0", 500), **changes)  # type: ignore[arg-type]  # of many types
    assert book.settle(told, transaction_id=UUID(int=7), now=NOW) is reason
    (done,) = book.transactions
    assert (done.type, done.amount, done.currency) == (TransactionType.SUSPENSE, told.amount, told.currency)
    assert book.suspended == {"pay_0": reason}
    assert (book.wallets[ASHA].balance, book.wallets[ASHA].usage.loaded_month) == (0, 0)
    after = AttemptStatus.PENDING if reason is SuspenseReason.UNKNOWN_ORDER else AttemptStatus.FAILED
    assert book.attempts["order_0"].status is after


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": WalletStatus.CLOSED}, SuspenseReason.WALLET_CLOSED),
        ({"status": WalletStatus.CLOSING}, None),
        ({"balance": 500}, None),
        ({"balance": 501}, SuspenseReason.OVER_BALANCE_LIMIT),
    ],
)
def test_a_wallet_that_can_not_take_the_money_any_more_does_not_get_it(
    changes: dict[str, object], reason: SuspenseReason | None
) -> None:
    book = opened()
    book.wallets[ASHA] = replace(book.wallets[ASHA], **changes)  # type: ignore[arg-type]  # of two types
    assert book.settle(observed("pay_0", "order_0", 500), transaction_id=UUID(int=7), now=NOW) is reason


def test_what_a_tier_lets_in_per_month_is_counted_when_the_money_arrives() -> None:
    book = opened()
    tier = Tier(((LONG_AGO, Limits("month", max_load_month=999)),))
    wallet = book.wallets[ASHA]
    book.wallets[ASHA] = replace(wallet, tier=tier, usage=wallet.usage.with_load(500, NOW))
    told = observed("pay_0", "order_0", 500)
    assert book.settle(told, transaction_id=UUID(int=7), now=NOW) is SuspenseReason.OVER_LOAD_LIMIT


def test_a_failure_of_an_order_of_nobody_is_nothing() -> None:
    book = opened()
    book.fail("order_9")
    assert {name: attempt.status for name, attempt in book.attempts.items()} == {"order_0": AttemptStatus.PENDING}
