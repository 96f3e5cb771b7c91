"""Fees through the kernel, on a real server: whole paise, out of what came in, in an entry of their own."""

from functools import partial
from uuid import UUID

import pytest

from tests.support.books import Books, Person
from tests.support.crowd import together
from tests.support.moves import capture, pay, place, refund, refusal_of, refusals_in
from wallet.ledger.fees import FeeRate
from wallet.ledger.money import MAX_AMOUNT
from wallet.ledger.refusals import Refusal


def a_merchant(books: Books) -> Person:
    return books.person(kind="merchant", tier="merchant")


def fees_of(books: Books, cause_id: UUID) -> list[int]:
    rows = books.select("SELECT amount FROM transactions WHERE cause_id = %s AND type = 'fee'", cause_id.bytes)
    return [int(row["amount"]) for row in rows]


@pytest.mark.parametrize(
    ("amount", "fee"), [(1, 0), (24, 0), (25, 1), (74, 1), (75, 2), (10_000, 200), (10_025, 201), (123_456, 2_469)]
)
def test_two_percent_of_what_a_merchant_is_paid_rounded_half_up(books: Books, amount: int, fee: int) -> None:
    payer, merchant = books.person(money=1_000_000), a_merchant(books)
    with books.fee("payment", basis_points=200):
        paid = pay(books, payer, merchant, amount)[0]
    assert fees_of(books, paid.transaction_id) == ([fee] if fee else [])
    assert books.balance(merchant) == amount - fee
    assert books.balance(payer) == 1_000_000 - amount
    assert books.faults() == []


@pytest.mark.parametrize("amount", [1, 299, 300, 301])
def test_a_flat_fee_is_never_more_than_what_came_in(books: Books, amount: int) -> None:
    payer, merchant = books.person(money=1_000), a_merchant(books)
    with books.fee("payment", basis_points=0, flat=300):
        pay(books, payer, merchant, amount)
    assert books.balance(merchant) == max(0, amount - 300)
    assert books.faults() == []


@pytest.mark.parametrize("amount", [1, 49, 50, 9_999, 10_000, 10**12 + 7, MAX_AMOUNT])
@pytest.mark.parametrize("rate", [FeeRate(0, 0), FeeRate(1, 0), FeeRate(237, 11), FeeRate(1_000, 1_000_000)], ids=str)
def test_the_kernels_fee_is_the_models(books: Books, amount: int, rate: FeeRate) -> None:
    owner = books.owner()
    with books.fee("withdrawal", basis_points=rate.basis_points, flat=rate.flat):
        owner.read("CALL fee_of('withdrawal', %s, UTC_TIMESTAMP(6), @fee)", amount)
        assert int(owner.read("SELECT @fee AS fee")[0]["fee"]) == rate.on(amount)
    owner.close()


def test_people_pay_no_fee_on_what_they_are_paid(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    with books.fee("payment", basis_points=200):
        pay(books, payer, payee, 1_000)
    assert books.balance(payee) == 1_000


def test_every_capture_pays_its_own_fee(books: Books) -> None:
    payer, merchant = books.person(money=1_000), a_merchant(books)
    with books.fee("payment", basis_points=200):
        hold_id = place(books, payer, merchant, 1_000).id
        taken = [capture(books, merchant, hold_id, amount).transaction_id for amount in (300, 75, None)]
    assert [fees_of(books, one) for one in taken] == [[6], [2], [13]]
    assert books.balance(merchant) == 1_000 - 21
    assert books.faults() == []


def test_the_rate_in_force_is_the_latest_that_has_begun(books: Books) -> None:
    payer, merchant = books.person(money=1_000), a_merchant(books)
    with (
        books.fee("payment", basis_points=100, since="2021-01-01"),
        books.fee("payment", basis_points=200, since="2022-01-01"),
        books.fee("payment", basis_points=900, since="2035-01-01"),
    ):
        pay(books, payer, merchant, 1_000)
    assert books.balance(merchant) == 980


def test_the_fee_stays_when_the_payment_is_refunded_so_the_merchant_needs_the_money(books: Books) -> None:
    payer, merchant = books.person(money=2_000), a_merchant(books)
    with books.fee("payment", basis_points=200):
        payment_id = pay(books, payer, merchant, 1_000)[0].transaction_id
        assert refusal_of(lambda: refund(books, merchant, payment_id, None)) is Refusal.INSUFFICIENT_FUNDS
        pay(books, payer, merchant, 1_000)
        refund(books, merchant, payment_id, None)
    assert (books.balance(payer), books.balance(merchant)) == (1_000, 960)
    assert books.faults() == []


def test_fees_of_many_at_once_on_a_hot_wallet_add_up(books: Books) -> None:
    payers, merchant = [books.person(money=10_000) for _ in range(8)], a_merchant(books)
    books.spread(merchant, 8)
    with books.fee("payment", basis_points=200, flat=1):
        tasks = [partial(pay, books, payers[turn % 8], merchant, 75) for turn in range(160)]
        assert refusals_in(together(tasks, at_once=16)) == []
    assert books.balance(merchant) == 160 * (75 - 3)
    assert books.faults() == []


def test_a_repeated_payment_pays_its_fee_once(books: Books) -> None:
    payer, merchant = books.person(money=1_000), a_merchant(books)
    claim = payer.claim()
    with books.fee("payment", basis_points=200):
        first, _ = pay(books, payer, merchant, 500, claim=claim)
        pay(books, payer, merchant, 500, claim=claim)
    assert fees_of(books, first.transaction_id) == [10]
