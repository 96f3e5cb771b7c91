"""Hot wallets on a real server: credits are spread over rows, whatever else happens to the wallet meanwhile."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from tests.support.books import Books, Person, captured
from tests.support.crowd import together
from tests.support.moves import (
    capture,
    connection,
    deadlocks,
    pay,
    place,
    refund,
    refusal_of,
    refusals_in,
    release,
    settle,
)
from tests.support.waiting import holding
from wallet.ledger.receipts import Balance
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.wallets import find_wallet


def a_merchant(books: Books, *, rows: int = 8, money: int = 0) -> Person:
    merchant = books.person(kind="merchant", tier="merchant", money=money)
    books.spread(merchant, rows)
    return merchant


def balances(books: Books, person: Person) -> list[int]:
    """Of the wallet's own row, then of each slot."""
    rows = books.select(
        "SELECT 0 AS slot, balance FROM wallets WHERE id = %s"
        " UNION ALL SELECT slot, balance FROM wallet_slots WHERE wallet_id = %s ORDER BY slot",
        person.wallet_id.bytes,
        person.wallet_id.bytes,
    )
    return [int(row["balance"]) for row in rows]


def shown(books: Books, person: Person) -> Balance:
    found = find_wallet(connection(books, "reader"), user_id=person.user_id)
    assert found is not None
    return found.balance


@contextmanager
def taken(books: Books, merchant: Person, *slots: int) -> Iterator[None]:
    """Within it these slots are locked, as by others who are paying the merchant right now."""
    statement = "SELECT slot FROM wallet_slots WHERE wallet_id = %s AND slot IN %s FOR UPDATE"
    with holding(books, statement, merchant.wallet_id.bytes, slots or (0,)) as (connection, _):
        yield
        connection.rollback()  # its locks are gone when this answers


def pay_into(books: Books, payer: Person, merchant: Person, slot: int, amount: int = 10) -> None:
    """A payment that goes to this slot: others take those before it."""
    with taken(books, merchant, *range(1, slot)):
        pay(books, payer, merchant, amount)


def sell(books: Books, payer: Person, merchant: Person) -> None:
    """What a merchant is paid by a payment, and by a capture."""
    pay(books, payer, merchant, 10)
    capture(books, merchant, place(books, payer, merchant, 10).id, None)


def test_what_a_hot_wallet_is_paid_goes_to_its_first_free_slot_and_is_shown_as_one_balance(books: Books) -> None:
    one, merchant, other = books.person(money=100), a_merchant(books), books.person(money=100)
    assert one.wallet_id < merchant.wallet_id < other.wallet_id, "whoever has the lower id is locked first"
    for payer in (one, other):
        sell(books, payer, merchant)
        with taken(books, merchant, 1, 2):
            sell(books, payer, merchant)
        with taken(books, merchant, 1, 3):
            sell(books, payer, merchant)
    assert balances(books, merchant) == [0, 40, 40, 40, 0, 0, 0, 0]
    assert shown(books, merchant) == Balance(total=120, held=0)
    assert books.faults() == []


def test_a_wallet_that_is_not_hot_has_one_row(books: Books) -> None:
    payer, merchant = books.person(money=1_000), books.person(kind="merchant", tier="merchant")
    pay(books, payer, merchant, 10)
    assert balances(books, merchant) == [10]


def test_what_leaves_is_gathered_first_and_nobody_sees_that(books: Books) -> None:
    payer, merchant, supplier = books.person(money=10_000), a_merchant(books), books.person()
    for turn in range(60):
        pay_into(books, payer, merchant, 1 + turn % 7)
    receipt, _ = pay(books, merchant, supplier, 600)
    assert receipt.payer_balance == Balance(total=0, held=0)
    assert balances(books, merchant) == [0] * 8
    assert refusal_of(lambda: pay(books, merchant, supplier, 1)) is Refusal.INSUFFICIENT_FUNDS
    assert books.faults() == []


def test_no_more_is_gathered_than_is_needed(books: Books) -> None:
    payer, merchant, supplier = books.person(money=10_000), a_merchant(books, money=1_000), books.person()
    for _ in range(20):
        pay(books, payer, merchant, 10)
    pay(books, merchant, supplier, 1_000)
    gathers = books.select(
        "SELECT COUNT(DISTINCT transaction_id) AS n FROM postings WHERE account_id = %s AND type = 'gather'",
        merchant.wallet_id.bytes,
    )
    assert gathers == [{"n": 0}]


def test_a_refusal_gathers_nothing(books: Books) -> None:
    payer, merchant, supplier = books.person(money=10_000), a_merchant(books), books.person()
    for _ in range(20):
        pay(books, payer, merchant, 10)
    before = balances(books, merchant)
    assert refusal_of(lambda: pay(books, merchant, supplier, 201)) is Refusal.INSUFFICIENT_FUNDS
    assert balances(books, merchant) == before


def stall(books: Books, merchant: Person) -> None:
    """Gives a merchant a tier for merchants that has a cap: 1,000,000 at most."""
    books.tier("stall", {"2021-01-01": {"max_balance": 1_000_000}}, for_merchants=True)
    books.set_tier(merchant, "stall")


def test_a_wallet_of_a_capped_tier_takes_everything_in_its_own_row(books: Books) -> None:
    payer, merchant = books.person(money=10_000), a_merchant(books)
    stall(books, merchant)
    for _ in range(10):
        pay(books, payer, merchant, 10)
    assert balances(books, merchant) == [100] + [0] * 7


def test_the_cap_of_a_tier_that_was_given_to_a_hot_wallet_counts_all_its_rows(books: Books) -> None:
    payer, merchant = books.person(money=2_000_000), a_merchant(books)
    for _ in range(16):
        pay(books, payer, merchant, 60_000)
    stall(books, merchant)
    books.set_tier(payer, "merchant")
    assert refusal_of(lambda: pay(books, payer, merchant, 40_001)) is Refusal.PAYEE_UNAVAILABLE
    pay(books, payer, merchant, 40_000)


def test_of_debits_at_once_a_hot_wallet_makes_as_many_as_it_can_pay(books: Books) -> None:
    payer, merchant, suppliers = books.person(money=10_000), a_merchant(books), [books.person() for _ in range(4)]
    for _ in range(100):
        pay(books, payer, merchant, 10)
    answers = together([partial(pay, books, merchant, suppliers[turn % 4], 60) for turn in range(40)], at_once=16)
    assert refusals_in(answers) == [Refusal.INSUFFICIENT_FUNDS] * (40 - 1_000 // 60)
    assert books.total(*suppliers) == 960
    assert books.faults() == []


class HotDay:
    """A merchant's wallet and everything that can happen to it at once, with a tally of what did."""

    def __init__(self, books: Books, *, rows: int) -> None:
        self.books = books
        self.payers = [books.person(money=1_000_000) for _ in range(12)]
        self.supplier = books.person()
        self.merchant = a_merchant(books, rows=rows, money=10_000)
        self.dice = random.Random(rows)

    def task(self) -> Any:
        payer, amount = self.dice.choice(self.payers), self.dice.randint(1, 90)
        verb = self.dice.choice([self.sell] * 6 + [self.sell_and_refund, self.hold_and_capture, self.promise])
        return self.dice.choice([partial(verb, payer, amount)] * 4 + [partial(self.buy, payer, amount)])

    def sell(self, payer: Person, amount: int) -> None:
        pay(self.books, payer, self.merchant, amount)

    def sell_and_refund(self, payer: Person, amount: int) -> None:
        payment_id = pay(self.books, payer, self.merchant, amount)[0].transaction_id
        refund(self.books, self.merchant, payment_id, (amount + 1) // 2)

    def hold_and_capture(self, payer: Person, amount: int) -> None:
        hold_id = place(self.books, payer, self.merchant, amount).id
        capture(self.books, self.merchant, hold_id, (amount + 1) // 2)
        if amount > 1:
            release(self.books, self.merchant, hold_id)

    def promise(self, payer: Person, amount: int) -> None:
        hold_id = place(self.books, self.merchant, payer, amount).id
        capture(self.books, payer, hold_id, None)

    def buy(self, _payer: Person, amount: int) -> None:
        pay(self.books, self.merchant, self.supplier, amount * 4)

    def total(self) -> int:
        return self.books.total(self.merchant, self.supplier, *self.payers)


def test_16_callers_and_everything_else_at_once_leave_exact_totals_and_histories(books: Books) -> None:
    day = HotDay(books, rows=8)
    before, money = deadlocks(books), day.total()
    answers = together([day.task() for _ in range(600)], at_once=16)
    assert set(refusals_in(answers)) <= {Refusal.INSUFFICIENT_FUNDS}
    assert deadlocks(books) == before
    assert day.total() == money
    assert shown(books, day.merchant).total == books.balance(day.merchant)
    assert books.faults() == []


def test_a_wallet_becomes_hot_and_cold_and_hot_again_under_full_load(books: Books) -> None:
    day = HotDay(books, rows=1)
    money, over = day.total(), threading.Event()
    came_to: list[Refusal | None] = []

    def switch() -> None:
        """Again and again until the others have done enough: three rounds at least, and the last turn is the 15."""
        try:
            for turn in range(10_000):
                books.spread(day.merchant, (8, 1, 4, 1, 15)[turn % 5])
                if turn >= 14 and turn % 5 == 4 and len(came_to) >= 500:
                    break
        finally:
            over.set()

    def work() -> None:
        while not over.is_set():
            try:
                day.task()()
            except Refused as refused:
                came_to.append(refused.refusal)
            else:
                came_to.append(None)

    assert together([switch, *[work] * 15]) == [None] * 16
    assert set(came_to) <= {None, Refusal.INSUFFICIENT_FUNDS}
    assert len(came_to) >= 500
    assert len(balances(books, day.merchant)) == 15
    assert day.total() == money
    assert books.faults() == []


def test_nothing_is_credited_behind_a_freeze_in_whichever_row(books: Books) -> None:
    day = HotDay(books, rows=8)
    hold = place(books, day.payers[0], day.merchant, 100)
    frozen_at: list[Any] = []
    everybody_sold = threading.Barrier(len(day.payers) + 1)

    def freeze() -> None:
        everybody_sold.wait(timeout=60)
        books.turn(day.merchant, "frozen")
        frozen_at.append(books.select("SELECT UTC_TIMESTAMP(6) AS now")[0]["now"])

    def sell(payer: Person) -> int:
        sold = 0
        while True:
            try:
                day.sell(payer, 10)
            except Refused as refused:
                assert refused.refusal is Refusal.PAYEE_UNAVAILABLE  # noqa: PT017 - the loop's end is what is looked at
                return sold
            sold += 1
            if sold == 1:
                everybody_sold.wait(timeout=60)

    everybody: list[Any] = [freeze, *(partial(sell, payer) for payer in day.payers)]
    sold: list[Any] = together(everybody)[1:]
    assert min(sold) > 0
    assert refusal_of(lambda: capture(books, day.merchant, hold.id, None)) is Refusal.WALLET_FROZEN
    assert books.balance(day.merchant) == 10_000 + 10 * sum(sold)
    late = books.select(
        "SELECT COUNT(*) AS n FROM postings WHERE account_id = %s AND created_at > %s",
        day.merchant.wallet_id.bytes,
        frozen_at[0],
    )
    assert late == [{"n": 0}]
    assert settle(books, captured(_order_before_the_freeze(books, day.merchant), 500)).suspense is None
    assert books.faults() == []


def _order_before_the_freeze(books: Books, merchant: Person) -> str:
    books.turn(merchant, "active")
    order_id = books.order(merchant, 500)
    books.turn(merchant, "frozen")
    return order_id


@pytest.mark.parametrize("rows", [2, 8, 16])
def test_the_past_of_a_hot_wallet_adds_up_at_every_moment(books: Books, rows: int) -> None:
    payer, merchant, supplier = books.person(money=10_000), a_merchant(books, rows=rows), books.person()
    for turn in range(30):
        pay_into(books, payer, merchant, 1 + turn % (rows - 1))
        if turn % 7 == 6:
            pay(books, merchant, supplier, 40)
    by_time = books.select(
        "SELECT slot, created_at, balance_after, IF(side = 'credit', amount, -amount) AS change_ FROM postings"
        " WHERE account_id = %s ORDER BY created_at, slot DESC",
        merchant.wallet_id.bytes,
    )
    total, behind = 0, dict.fromkeys(range(rows), 0)
    for number, row in enumerate(by_time):
        total += row["change_"]
        behind[row["slot"]] = row["balance_after"]
        if number + 1 == len(by_time) or by_time[number + 1]["created_at"] > row["created_at"]:
            assert sum(behind.values()) == total
    assert total == books.balance(merchant)


def test_a_gather_is_of_one_moment_in_both_its_rows(books: Books) -> None:
    payer, merchant, supplier = books.person(money=10_000), a_merchant(books), books.person()
    for turn in range(30):
        pay_into(books, payer, merchant, 1 + turn % 7)
    pay(books, merchant, supplier, 300)
    apart = books.select(
        "SELECT transaction_id FROM postings WHERE account_id = %s AND type = 'gather'"
        " GROUP BY transaction_id HAVING MIN(created_at) <> MAX(created_at)",
        merchant.wallet_id.bytes,
    )
    assert list(apart) == []
