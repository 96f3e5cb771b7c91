"""The kernel does what the pure model does: the same commands at the same times, the same answers and balances."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.database import PrivateServer
from tests.support.books import Books, Person, beside, captured, id_of_now, new_phone, set_clock, unique
from wallet import wiring
from wallet.ledger.accounts import FEES, SUSPENSE, Account
from wallet.ledger.attempts import AttemptStatus, ObservedPayment, PaymentStatus
from wallet.ledger.book import Book
from wallet.ledger.fees import FeeRate
from wallet.ledger.holds import Hold, HoldStatus
from wallet.ledger.limits import (
    BrokenLimit,
    LimitCode,
    Limits,
    Tier,
    Usage,
    broken_debit_limit,
    broken_load_limit,
)
from wallet.ledger.payees import LOOKUPS
from wallet.ledger.receipts import Balance
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.transactions import Transaction
from wallet.ledger.wallets import Wallet, WalletStatus
from wallet.movements.settle import book as book_payment
from wallet.storage import holds, settlement, top_ups
from wallet.storage.payments import post_payment, refund_payment
from wallet.storage.wallets import find_wallet

# Half a minute before a day, a month and a year end in India, so that all of it is crossed again and again.
_BEGIN = datetime(2030, 3, 31, 18, 29, 30, tzinfo=UTC)
_LONG_AGO = datetime(2021, 1, 1, tzinfo=UTC)
_NEW_RULES = _BEGIN + timedelta(days=20)

# Small numbers, so that limits are met all the time; tiers of our own, so that they are these numbers.
_TINY = Limits(
    "tiny",
    max_balance=1_000,
    max_top_up=600,
    max_payment=400,
    max_load_month=1_300,
    max_load_year=2_500,
    max_debit_day=500,
    max_debit_month=900,
)
_TIERS = {
    "tiny": Tier(((_LONG_AGO, _TINY), (_NEW_RULES, replace(_TINY, max_balance=700, max_payment=None)))),
    "petty": Tier(((_LONG_AGO, Limits("petty", max_balance=1_000, person_to_person=False)),)),
    "bazaar": Tier(((_LONG_AGO, Limits("bazaar")),)),
}
_PEOPLE = (("tiny", False), ("tiny", False), ("petty", False), ("bazaar", True))
_MERCHANT = 3
_RATE = FeeRate(basis_points=250, flat=1)
_ORDERS = 5

people = st.integers(0, len(_PEOPLE) - 1)
amounts = st.one_of(st.integers(1, 700), st.sampled_from([99, 100, 400, 401, 500, 501, 600, 601, 1_000]))
parts = st.one_of(st.none(), st.integers(1, 300))
keys = st.one_of(st.none(), st.none(), st.integers(0, 9))  # None: one of its own; the others are used again
_NOBODY = 4
others = st.sampled_from([1, 2, 3, 1, 2, 3, 0, _NOBODY])  # how far from the payer; 0 is the payer


@dataclass(frozen=True)
class Pay:
    payer: int
    other: int
    amount: int
    key: int | None


@dataclass(frozen=True)
class Refund:
    payee: int | None  # None: the right one
    payment: int
    amount: int | None
    key: int | None


@dataclass(frozen=True)
class Place:
    payer: int
    other: int
    amount: int
    valid_s: int
    key: int | None


@dataclass(frozen=True)
class Capture:
    payee: int | None  # None: the right one
    hold: int
    amount: int | None
    final: bool
    key: int | None


@dataclass(frozen=True)
class Release:
    actor: int | None  # None: the hold's payee
    hold: int
    key: int | None


@dataclass(frozen=True)
class Open:
    person: int
    amount: int


@dataclass(frozen=True)
class Settle:
    order: int  # 0: the newest
    payment: int
    amount: int | None  # None: what the order asked for
    currency: str
    refunded: bool
    surcharge: int = 0  # what the gateway calls its fee; it is paid beside the amount


@dataclass(frozen=True)
class Fail:
    order: int
    payment: int


@dataclass(frozen=True)
class Turn:
    person: int
    status: WalletStatus


@dataclass(frozen=True)
class Wait:
    seconds: int


@dataclass(frozen=True)
class Sweep:
    """The clock's function runs: nobody may notice."""


@dataclass(frozen=True)
class WaitAndSweep(Wait):
    """Time passes, and the clock's function runs in time."""


@dataclass(frozen=True)
class Spread:
    """The merchant's wallet becomes hot, or no longer is: nobody may notice."""

    rows: int


_mostly_none = st.one_of(st.none(), st.none(), st.none(), people)
_top_ups = (
    st.builds(Open, person=people, amount=amounts),
    st.builds(
        Settle,
        order=st.integers(0, _ORDERS),
        payment=st.integers(0, 9),
        amount=st.one_of(st.none(), st.none(), st.none(), amounts),
        currency=st.sampled_from(["INR", "INR", "INR", "INR", "USD"]),
        refunded=st.sampled_from([False, False, False, False, True]),
        surcharge=st.sampled_from([0, 0, 0, 1, 25]),
    ),
    st.builds(Fail, order=st.integers(0, _ORDERS), payment=st.integers(0, 9)),
)
_money = (
    st.builds(Pay, payer=people, other=others, amount=amounts, key=keys),
    st.builds(Refund, payee=_mostly_none, payment=st.integers(0, 99), amount=parts, key=keys),
)
_holds = (
    st.builds(
        Place,
        payer=people,
        other=others,
        amount=amounts,
        valid_s=st.sampled_from([20, 60, 7_200, 100_000, 40 * 86_400]),
        key=keys,
    ),
    st.builds(
        Capture,
        payee=_mostly_none,
        hold=st.integers(0, 99),
        amount=parts,
        final=st.booleans(),
        key=keys,
    ),
    st.builds(Release, actor=_mostly_none, hold=st.integers(0, 99), key=keys),
)
_world = (
    st.builds(Turn, person=people, status=st.sampled_from([WalletStatus.ACTIVE] * 8 + list(WalletStatus))),
    st.builds(Wait, seconds=st.sampled_from([1, 30, 3_600, 86_400, 31 * 86_400])),
    st.builds(Sweep),
    st.builds(Spread, rows=st.integers(1, 5)),
)
commands = st.lists(st.one_of(*_top_ups, *_money, *_money, *_holds, *_holds, *_world), min_size=30, max_size=70)

Answered = TypeVar("Answered")


class Both:
    """The same commands to the model and to the server, whose clock is ours."""

    def __init__(self, books: Books, *, money: int) -> None:
        self.books = books
        self.run = unique("run")
        self.now = _BEGIN
        self.people: list[Person] = [
            books.person(tier=tier, kind="merchant" if is_merchant else "personal") for tier, is_merchant in _PEOPLE
        ]
        self.nobody = Person(wiring.new_id(), wiring.new_id(), new_phone())
        self.watched = self.people  # whose balance is looked at whenever time has passed
        self.model = Book(
            {
                person.wallet_id: Wallet(person.wallet_id, _TIERS[tier], is_merchant=is_merchant)
                for person, (tier, is_merchant) in zip(self.people, _PEOPLE, strict=True)
            },
            fee_rates=((_LONG_AGO, _RATE),),
        )
        self.roles = {role: books.as_role(role, at=self.now) for role in ("money", "gateway", "clock", "reader")}
        self.money, self.gateway = self.roles["money"], self.roles["gateway"]
        self.orders: list[tuple[str, int]] = []
        self.payments: list[UUID] = []
        self.holds: list[UUID] = []
        self.limit: BrokenLimit | None = None
        if money:
            for person in range(len(_PEOPLE)):
                self._open(Open(person, money))
                self._settle(Settle(0, 100 + person, None, "INR", refunded=False))

    def close(self) -> None:
        # an operator closes no wallet that has something in it, and opens none that refunds are kept for
        kept = {row["wallet_id"] for row in self.books.select("SELECT wallet_id FROM unclaimed_money")}
        for person in self.people:
            self.books.turn(person, "closing" if person.wallet_id.bytes in kept else "active")
        for database in self.roles.values():
            database.close()

    def play(self, command: Any) -> None:
        getattr(self, f"_{type(command).__name__.lower()}")(command)

    def _pay(self, command: Pay) -> None:
        payer, payee = self._pair(command)
        transaction_id, key = wiring.new_id(), self._key(command)
        told = self.model.pay(
            transaction_id=transaction_id,
            payer=payer.wallet_id,
            payee=payee.wallet_id,
            amount=command.amount,
            key=key,
            now=self.now,
        )
        answer = self._asked(
            lambda: post_payment(
                self.money,
                payer.claim(key, asked=f"pay {payee.wallet_id} {command.amount}"),
                transaction_id=transaction_id,
                payee_wallet_id=payee.wallet_id,
                payee_phone=None,
                amount=command.amount,
                description=None,
                reference=None,
            )
        )
        if isinstance(answer, Refusal):
            assert answer == told, command
            assert self.limit == self._broken_by(command, answer), command
            return
        receipt, replayed = answer
        assert receipt.transaction_id == _id(told), command
        if not replayed:
            self.payments.append(transaction_id)
            assert receipt.payer_balance == self._balance(payer), command

    def _refund(self, command: Refund) -> None:
        payment_id, right = self._payment(command.payment)
        payee = right if command.payee is None else self.people[command.payee]
        transaction_id, key = wiring.new_id(), self._key(command)
        told = self.model.refund(
            transaction_id=transaction_id,
            payee=payee.wallet_id,
            payment_id=payment_id,
            amount=command.amount,
            key=key,
            now=self.now,
        )
        answer = _asked(
            lambda: refund_payment(
                self.money,
                payee.claim(key, asked=f"refund {payment_id} {command.amount}"),
                transaction_id=transaction_id,
                payment_id=payment_id,
                amount=command.amount,
                reason=None,
            )
        )
        if isinstance(answer, Refusal):
            assert answer == told, command
            return
        receipt, replayed = answer
        assert isinstance(told, Transaction), command
        assert (receipt.transaction_id, receipt.amount) == (told.id, told.amount), command
        if not replayed:
            assert receipt.payee_balance == self._balance(payee), command
            assert receipt.refunded == self.model.refunded(payment_id), command

    def _place(self, command: Place) -> None:
        payer, payee = self._pair(command)
        hold_id, key = wiring.new_id(), self._key(command)
        told = self.model.place(
            hold_id=hold_id,
            payer=payer.wallet_id,
            payee=payee.wallet_id,
            amount=command.amount,
            expires_at=self.now + timedelta(seconds=command.valid_s),
            key=key,
            now=self.now,
        )
        answer = self._asked(
            lambda: holds.place_hold(
                self.money,
                payer.claim(key, asked=f"place {payee.wallet_id} {command.amount} {command.valid_s}"),
                hold_id=hold_id,
                payee_wallet_id=payee.wallet_id,
                payee_phone=None,
                amount=command.amount,
                valid_s=command.valid_s,
                description=None,
            )
        )
        if isinstance(answer, Refusal):
            assert answer == told, command
            assert self.limit == self._broken_by(command, answer), command
            return
        receipt, replayed = answer
        assert receipt.id == _id(told), command
        if not replayed:
            self.holds.append(hold_id)
            assert receipt.payer_balance == self._balance(payer), command

    def _hold(self, number: int) -> Hold | None:
        return self.model.holds[self.holds[number % len(self.holds)]] if self.holds else None

    def _payment(self, number: int) -> tuple[UUID, Person]:
        if not self.payments:
            return UUID(int=1), self.people[0]
        payment_id = self.payments[number % len(self.payments)]
        paid = next(done for done in self.model.transactions if done.id == payment_id)
        return payment_id, next(one for one in self.people if Account.of_wallet(one.wallet_id) == paid.credited)

    def _pair(self, command: Pay | Place) -> tuple[Person, Person]:
        payee = self.people[(command.payer + command.other) % len(self.people)]
        return self.people[command.payer], self.nobody if command.other == _NOBODY else payee

    def _key(self, command: Any) -> str:
        return unique("key-") if command.key is None else f"{self.run}-{command.key}"

    def _capture(self, command: Capture) -> None:
        hold = self._hold(command.hold)
        payee = self._person(command.payee, hold)
        hold_id, transaction_id, key = hold.id if hold else UUID(int=1), wiring.new_id(), self._key(command)
        told = self.model.capture(
            transaction_id=transaction_id,
            payee=payee.wallet_id,
            hold_id=hold_id,
            amount=command.amount,
            final=command.final,
            key=key,
            now=self.now,
        )
        answer = self._asked(
            lambda: holds.capture_hold(
                self.money,
                payee.claim(key, asked=f"capture {hold_id} {command.amount} {command.final}"),
                transaction_id=transaction_id,
                hold_id=hold_id,
                amount=command.amount,
                final=command.final,
            )
        )
        if isinstance(answer, Refusal):
            assert answer == told, command
            if hold is not None and answer is Refusal.WALLET_LIMIT_EXCEEDED:
                asked = hold.left if command.amount is None else command.amount
                assert self.limit == self._broken_by_load(payee, asked), command
            else:
                assert self.limit is None, command
            return
        receipt, replayed = answer
        assert receipt.transaction_id == _id(told), command
        if not replayed:
            self.payments.append(transaction_id)
            now = self.model.holds[hold_id]
            assert (receipt.status, receipt.captured) == (now.status, now.captured), command

    def _release(self, command: Release) -> None:
        hold = self._hold(command.hold)
        actor = self._person(command.actor, hold)
        hold_id, key = hold.id if hold else UUID(int=1), self._key(command)
        told = self.model.release(actor=actor.wallet_id, hold_id=hold_id, key=key, now=self.now)
        answer = _asked(
            lambda: holds.release_hold(
                self.money,
                actor.claim(key, asked=f"release {hold_id}"),
                hold_id=hold_id,
            )
        )
        if isinstance(answer, Refusal):
            assert answer == told, command
            return
        assert isinstance(told, Hold), command
        assert (answer[0].id, answer[0].status, answer[0].captured) == (told.id, told.status, told.captured), command

    def _open(self, command: Open) -> None:
        person, order_id = self.people[command.person], unique("order_")
        told = self.model.open_top_up(
            wallet_id=person.wallet_id, order_id=order_id, amount=command.amount, now=self.now
        )
        answer = _asked(
            lambda: top_ups.open_top_up(
                self.money,
                person.claim(),
                attempt_id=wiring.new_id(),
                gateway="razorpay",
                amount=command.amount,
                valid_s=3600,
                first_check_s=3600,
            )
        )
        if isinstance(answer, Refusal):
            assert answer == told, command
            return
        assert told is None, command
        top_ups.attach_order(self.money, answer[0].id, order_id=order_id, intent_url=None)
        self.orders.append((order_id, command.amount))

    def _settle(self, command: Settle) -> None:
        known = command.order < len(self.orders)
        order_id, asked = self.orders[-1 - command.order] if known else ("order_unknown", 300)
        payment = captured(
            order_id,
            (command.amount or asked) + command.surcharge,
            payment_id=f"pay_{self.run}{command.payment}",
            currency=command.currency,
            refunded=1 if command.refunded else 0,
            surcharge=command.surcharge,
        )
        transaction_id = id_of_now(self.gateway)
        told = self.model.settle(payment, transaction_id=transaction_id, now=self.now)
        assert settlement.settle_payment(self.gateway, payment, transaction_id=transaction_id).suspense == told, command

    def _fail(self, command: Fail) -> None:
        if command.order < len(self.orders):
            order_id, asked = self.orders[-1 - command.order]
            self.model.fail(order_id)
            payment_id = f"pay_{self.run}{command.payment}"
            observed = ObservedPayment(
                "razorpay", payment_id, order_id, asked, "INR", PaymentStatus.FAILED, captured=False
            )
            book_payment(self.gateway, wiring.new_id, observed)

    def _turn(self, command: Turn) -> None:
        person = self.people[command.person]
        wallet = self.model.wallets[person.wallet_id]
        self.model.wallets[person.wallet_id] = replace(wallet, status=command.status)
        self.books.turn(person, command.status.value)

    def _wait(self, command: Wait) -> None:
        # a little more, so that nothing happens at the very moment when a hold ends: that has a test of its own
        self.now += timedelta(seconds=command.seconds, milliseconds=13)
        for database in self.roles.values():
            set_clock(database, self.now)
        self.model.lapse(self.now)
        for person in self.watched:
            assert self._balance(person) == self._shown(person), command

    def _sweep(self, _command: Sweep) -> None:
        for hold_id in self.holds:
            holds.expire_hold(self.roles["clock"], hold_id)

    def _waitandsweep(self, command: WaitAndSweep) -> None:
        self._wait(command)
        self._sweep(Sweep())

    def _spread(self, command: Spread) -> None:
        self.books.spread(self.people[_MERCHANT], command.rows)

    def _person(self, number: int | None, hold: Hold | None) -> Person:
        if number is not None:
            return self.people[number]
        return next((one for one in self.people if hold and one.wallet_id == hold.payee), self.people[0])

    def _asked(self, ask: Callable[[], Answered]) -> Answered | Refusal:
        """An answer or a refusal, with the limit that it names."""
        self.limit = None
        try:
            return ask()
        except Refused as refused:
            self.limit = refused.limit
            return refused.refusal

    def _broken_by(self, command: Pay | Place, refusal: Refusal) -> BrokenLimit | None:
        if refusal is not Refusal.WALLET_LIMIT_EXCEEDED:
            return None
        payer = self.model.wallets[self.people[command.payer].wallet_id]
        used = payer.usage.begun(self.now)
        broken = broken_debit_limit(
            payer.tier.at(self.now),
            amount=command.amount,
            debited_today=used.debited_day,
            debited_this_month=used.debited_month,
            now=self.now,
        )
        return broken or BrokenLimit(LimitCode.PERSON_TO_PERSON, 0, None)

    def _broken_by_load(self, person: Person, amount: int) -> BrokenLimit | None:
        wallet = self.model.wallets[person.wallet_id]
        used = wallet.usage.begun(self.now)
        return broken_load_limit(
            wallet.tier.at(self.now),
            amount=amount,
            balance=wallet.balance,
            loaded_this_month=used.loaded_month,
            loaded_this_year=used.loaded_year,
            now=self.now,
        )

    def _balance(self, person: Person) -> Balance:
        wallet = self.model.wallets[person.wallet_id]
        return Balance(wallet.balance, wallet.held)

    def _shown(self, person: Person) -> Balance:
        """What `GET /wallet` would say."""
        found = find_wallet(self.roles["reader"], user_id=person.user_id)
        assert found is not None
        return found.balance

    def compare(self) -> None:
        self._sweep(Sweep())
        for person in self.people:
            wallet = self.model.wallets[person.wallet_id]
            assert self._shown(person) == Balance(wallet.balance, wallet.held)
            assert self.model.balance(Account.of_wallet(person.wallet_id)) == wallet.balance
            assert self._usage(person).begun(self.now) == wallet.usage.begun(self.now)
        for hold_id in self.holds:
            row = self.books.select("SELECT status, captured FROM holds WHERE id = %s", hold_id.bytes)[0]
            hold = self.model.holds[hold_id]
            assert (HoldStatus(row["status"]), row["captured"]) == (hold.status, hold.captured)
        for order_id, _ in self.orders:
            rows = self.books.select("SELECT status FROM payment_attempts WHERE gateway_order_id = %s", order_id)
            assert AttemptStatus(rows[0]["status"]) is self.model.attempts[order_id].status
        self._compare_ours()

    def _compare_ours(self) -> None:
        suspense = self.books.select(
            "SELECT COALESCE(SUM(t.amount), 0) AS total FROM gateway_payments g"
            " JOIN transactions t ON t.id = g.transaction_id AND t.type = 'suspense'"
            " WHERE g.gateway_payment_id LIKE %s",
            f"pay_{self.run}%",
        )
        fees = self.books.select(
            "SELECT COALESCE(SUM(p.amount), 0) AS total FROM postings p WHERE p.type = 'fee' AND p.account_id = %s",
            self.people[_MERCHANT].wallet_id.bytes,
        )
        assert int(suspense[0]["total"]) == self.model.balance(SUSPENSE)
        assert int(fees[0]["total"]) == self.model.balance(FEES)

    def _usage(self, person: Person) -> Usage:
        rows = self.books.select(
            "SELECT usage_day, debited_day, usage_month, debited_month, loaded_month, usage_year, loaded_year"
            " FROM wallets WHERE id = %s",
            person.wallet_id.bytes,
        )
        return Usage(*rows[0].values())


def _asked(ask: Callable[[], Answered]) -> Answered | Refusal:
    try:
        return ask()
    except Refused as refused:
        return refused.refusal


def _id(told: Transaction | Hold | Refusal) -> UUID | Refusal:
    return told if isinstance(told, Refusal) else told.id


@pytest.fixture(scope="module")
def books(server: PrivateServer) -> Iterator[Books]:
    """A database of our own: the games write far more than all other tests together."""
    with beside(server, "model") as books:
        books.migrate()
        yield books


@pytest.fixture(scope="module")
def priced(books: Books) -> Iterator[Books]:
    """The tests' own tiers, and a fee on payments to merchants."""
    for code, tier in _TIERS.items():
        rules = {since.isoformat()[:19]: _columns(limits) for since, limits in tier.rules}
        books.tier(code, rules, for_merchants=code == "bazaar")
    with books.fee("payment", basis_points=_RATE.basis_points, flat=_RATE.flat):
        yield books


def _columns(limits: Limits) -> dict[str, object]:
    return {name: getattr(limits, name) for name in Limits.__slots__ if name != "tier"}


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(played=commands)
def test_the_kernel_answers_as_the_model_does(priced: Books, played: list[Any]) -> None:
    both = Both(priced, money=500)
    try:
        for command in played:
            both.play(command)
        both.compare()
    finally:
        both.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_long_game_comes_to_what_the_model_says(priced: Books, seed: int) -> None:
    dice, both = random.Random(seed), Both(priced, money=500)
    try:
        for _ in range(400):
            both.play(_thrown(dice))
        both.compare()
    finally:
        both.close()


def _thrown(dice: random.Random) -> Any:
    """A command, more often one that may come to something than Hypothesis finds."""
    person, amount, key = dice.randrange(4), dice.randint(1, 300), dice.choice([None] * 6 + [dice.randrange(40)])
    part, wrong = dice.choice([None, dice.randint(1, 60)]), dice.choice([None] * 9 + [dice.randrange(4)])
    verbs: dict[Any, int] = {
        Pay(person, dice.choice([1, 2, 3, 1, 2, 3, 1, 2, 3, _NOBODY]), amount, key): 5,
        Refund(wrong, dice.randrange(99), part, key): 4,
        Place(
            person,
            dice.choice([1, 2, 3, 1, 2, 3, 1, 2, 3, _NOBODY]),
            amount,
            dice.choice([20, 7_200, 100_000, 40 * 86_400]),
            key,
        ): 5,
        Capture(wrong, -1 - dice.randrange(4), part, final=dice.random() < 0.3, key=key): 6,
        Release(dice.choice([None, person]), -1 - dice.randrange(6), key): 1,
        Open(person, dice.randint(90, 620)): 4,
        Settle(dice.randrange(4), dice.randrange(10**6), None, "INR", refunded=False): 6,
        Fail(dice.randrange(2), dice.randrange(10**6)): 1,
        Turn(person, dice.choice([WalletStatus.ACTIVE] * 12 + list(WalletStatus))): 2,
        Wait(dice.choice([1, 1, 30, 30, 3_600, 86_400, 20 * 86_400])): 2,
        Sweep(): 1,
        Spread(dice.randint(1, 6)): 1,
    }
    return dice.choices(list(verbs), list(verbs.values()))[0]


# What can be done to one hold of 100. What is in the second row ends it; behind that it is asked once more.
_GOES_ON: tuple[Any, ...] = (
    Capture(None, 0, 30, final=False, key=None),
    Capture(None, 0, 101, final=False, key=None),
    Release(0, 0, key=None),  # by its payer
)
_ENDS: tuple[Any, ...] = (
    Capture(None, 0, None, final=False, key=None),
    Capture(None, 0, 30, final=True, key=None),
    Release(None, 0, key=None),
    Wait(61),
    WaitAndSweep(61),
)


def _orders(length: int) -> Iterator[tuple[Any, ...]]:
    """Every order of so many verbs, up to one verb behind the end of the hold."""
    for going_on in range(length):
        for before in product(_GOES_ON, repeat=going_on):
            for end in _ENDS:
                behind = (*_GOES_ON, *_ENDS) if going_on + 1 < length else (Sweep(),)
                yield from ((*before, end, verb) for verb in behind)
    yield from product(_GOES_ON, repeat=length)


def test_every_order_of_the_verbs_of_a_hold_comes_to_what_the_model_says(priced: Books) -> None:
    both = Both(priced, money=0)
    both.watched = both.people[:1]
    for person in both.people[:2]:
        priced.set_tier(person, "bazaar")
        both.model.wallets[person.wallet_id] = replace(both.model.wallets[person.wallet_id], tier=_TIERS["bazaar"])
    both.play(Open(0, 600))
    both.play(Settle(0, 0, None, "INR", refunded=False))
    try:
        for played in _orders(4):
            _play_one_hold(both, played)
        both.compare()
    finally:
        both.close()


def _play_one_hold(both: Both, played: tuple[Any, ...]) -> None:
    """A hold, the verbs, and everything back, so that no order of them runs out of money."""
    both.holds.clear()
    both.payments.clear()
    both.play(Place(0, 1, 100, 60, key=None))
    for verb in (*played, Release(None, 0, key=None)):
        both.play(verb)
    for number in range(len(both.payments)):
        both.play(Refund(1, number, None, key=None))


def test_the_model_tells_of_as_many_payees_as_the_kernel_does(priced: Books) -> None:
    both = Both(priced, money=500)
    try:
        for number in range(LOOKUPS + 2):
            both.play(Pay(0, _NOBODY, 1, None) if number % 2 else Place(0, _NOBODY, 1, 60, None))
        for amount in (1, 600):  # nobody is looked for, and one's own reasons come first
            both.play(Pay(0, 1, amount, None))
            both.play(Place(0, 1, amount, 60, None))
        both.play(Wait(3_600))
        both.play(Pay(0, _NOBODY, 1, None))
        both.play(Pay(0, 1, 1, None))
        both.compare()
    finally:
        both.close()


def test_the_books_are_right_after_all_of_it(books: Books) -> None:
    assert books.faults() == []
