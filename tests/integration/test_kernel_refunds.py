"""Refunds of payments through the kernel, on a real server: once in sum, however they are asked for."""

import random
from functools import partial
from typing import Any

import pytest

from tests.support.books import Books, captured
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
    settle,
)
from wallet import wiring
from wallet.ledger.receipts import Balance
from wallet.ledger.refusals import Refusal
from wallet.storage.payments import find_payment


def test_a_refund_without_an_amount_gives_back_what_is_left(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    payment_id = pay(books, payer, payee, 300)[0].transaction_id
    first = refund(books, payee, payment_id, 100)
    second = refund(books, payee, payment_id, None)
    assert [(one.amount, one.refunded) for one in (first, second)] == [(100, 100), (200, 300)]
    assert second.payee_balance == Balance(total=0, held=0)
    assert (books.balance(payer), books.balance(payee)) == (1_000, 0)
    assert books.faults() == []


@pytest.mark.parametrize("amount", [201, 1, None])
def test_what_has_been_refunded_is_not_refunded_again(books: Books, amount: int | None) -> None:
    payer, payee = books.person(money=1_000), books.person(money=1_000)
    payment_id = pay(books, payer, payee, 300)[0].transaction_id
    refund(books, payee, payment_id, 100 if amount == 201 else 300)
    for _ in range(3):
        refused = refusal_of(lambda: refund(books, payee, payment_id, amount))
        assert refused is Refusal.REFUND_EXCEEDS_PAYMENT
    assert books.faults() == []


def test_1000_refunds_of_the_whole_payment_at_once_refund_it_once(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person(money=100_000)
    payment_id = pay(books, payer, payee, 300)[0].transaction_id
    answers = together([lambda: refund(books, payee, payment_id, None) for _ in range(1_000)], at_once=32)
    assert refusals_in(answers) == [Refusal.REFUND_EXCEEDS_PAYMENT] * 999
    assert (books.balance(payer), books.balance(payee)) == (1_000, 100_000)
    assert books.faults() == []


def test_1000_refunds_of_parts_at_once_refund_the_payment_once_in_sum(books: Books) -> None:
    payer, payee = books.person(money=10_000), books.person(kind="merchant", tier="merchant", money=100_000)
    books.spread(payee, 8)
    payment_id = pay(books, payer, payee, 3_000)[0].transaction_id
    dice = random.Random(3)
    parts = [dice.randint(1, 20) for _ in range(1_000)]
    answers = together([partial(refund, books, payee, payment_id, part) for part in parts], at_once=32)
    assert set(refusals_in(answers)) == {Refusal.REFUND_EXCEEDS_PAYMENT}
    refunded = sum(answer.amount for answer in answers if not isinstance(answer, Exception))
    assert 3_000 - 20 < refunded <= 3_000
    assert (books.balance(payer), books.balance(payee)) == (7_000 + refunded, 103_000 - refunded)
    assert books.faults() == []


def test_16_at_once_with_one_key_refund_once_and_get_one_answer(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    payment_id = pay(books, payer, payee, 300)[0].transaction_id
    claim = payee.claim()
    answers = together([lambda: refund(books, payee, payment_id, 100, claim=claim) for _ in range(16)])
    assert refusals_in(answers) == []
    assert len({answer.transaction_id for answer in answers if not isinstance(answer, Exception)}) == 1
    assert books.balance(payer) == 800


def test_payments_and_their_refunds_at_once_never_deadlock_and_add_up(books: Books) -> None:
    asha, bela = books.person(money=10_000), books.person(money=10_000)
    payments = [pay(books, *pair, 10)[0].transaction_id for pair in [(asha, bela), (bela, asha)] * 25]
    before = deadlocks(books)
    tasks: list[Any] = [
        partial(refund, books, (bela, asha)[number % 2], payment_id, 5) for number, payment_id in enumerate(payments)
    ]
    tasks += [partial(pay, books, *pair, 1) for pair in [(asha, bela), (bela, asha)] * 25]
    assert refusals_in(together(tasks, at_once=16)) == []
    assert deadlocks(books) == before
    assert books.total(asha, bela) == 20_000
    assert books.faults() == []


def test_only_its_payee_refunds_a_payment(books: Books) -> None:
    payer, payee, other = books.person(money=1_000), books.person(), books.person(money=1_000)
    payment_id = pay(books, payer, payee, 300)[0].transaction_id
    for who in (payer, other):
        assert refusal_of(partial(refund, books, who, payment_id, 1)) is Refusal.NOT_FOUND
    assert refusal_of(lambda: refund(books, payee, wiring.new_id(), 1)) is Refusal.NOT_FOUND


def test_only_payments_and_captures_are_refunded(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    payment_id = pay(books, payer, payee, 300)[0].transaction_id
    given_back = refund(books, payee, payment_id, 100)
    assert refusal_of(lambda: refund(books, payer, given_back.transaction_id, 1)) is Refusal.NOT_FOUND
    taken = capture(books, payee, place(books, payer, payee, 200).id, 150, final=True)
    refund(books, payee, taken.transaction_id, None)
    assert (books.balance(payer), books.held(payer)) == (800, 0)


def test_a_payee_without_the_money_can_not_refund(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    payment_id = pay(books, payer, payee, 300)[0].transaction_id
    pay(books, payee, books.person(), 250)
    assert refusal_of(lambda: refund(books, payee, payment_id, None)) is Refusal.INSUFFICIENT_FUNDS
    refund(books, payee, payment_id, 50)
    assert books.balance(payee) == 0


def test_what_a_payee_has_promised_is_not_there_to_refund(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    payment_id = pay(books, payer, payee, 300)[0].transaction_id
    place(books, payee, payer, 250)
    assert refusal_of(lambda: refund(books, payee, payment_id, 51)) is Refusal.INSUFFICIENT_FUNDS
    refund(books, payee, payment_id, 50)


def test_a_refund_comes_back_above_the_cap_and_counts_as_no_load(books: Books) -> None:
    books.tier("capped", {"2021-01-01": {"max_balance": 1_000, "max_load_month": 1_600}})
    payer, payee = books.person(tier="capped", money=1_000), books.person()
    payment_id = pay(books, payer, payee, 600)[0].transaction_id
    books.top_up(payer, 600)  # at the cap, and at the month's
    refund(books, payee, payment_id, None)
    assert books.balance(payer) == 1_600
    assert books.faults() == []


@pytest.mark.parametrize(
    ("who", "status", "refused"),
    [("payee", "frozen", True), ("payee", "closing", True), ("payer", "frozen", False)],
)
def test_a_frozen_payee_refunds_nothing_and_a_frozen_payer_is_given_back(
    books: Books, who: str, status: str, *, refused: bool
) -> None:
    people = {"payer": books.person(money=1_000), "payee": books.person()}
    payment_id = pay(books, people["payer"], people["payee"], 300)[0].transaction_id
    books.turn(people[who], status)
    if refused:
        assert refusal_of(lambda: refund(books, people["payee"], payment_id, 1)) is Refusal.WALLET_FROZEN
        # the first of several refusals, as everywhere
        assert refusal_of(lambda: refund(books, people["payee"], payment_id, 301)) is Refusal.WALLET_FROZEN
    else:
        refund(books, people["payee"], payment_id, None)
        assert books.balance(people["payer"]) == 1_000
    books.turn(people[who], "active")  # an operator closes no wallet that has something in it


def test_a_refused_refund_burns_no_key(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    payment_id = pay(books, payer, payee, 300)[0].transaction_id
    pay(books, payee, payer, 300)
    claim = payee.claim()
    assert refusal_of(lambda: refund(books, payee, payment_id, None, claim=claim)) is Refusal.INSUFFICIENT_FUNDS
    settle(books, captured(books.order(payee, 300), 300))
    assert refund(books, payee, payment_id, None, claim=claim).refunded == 300


def test_a_payment_shows_what_of_it_was_refunded(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    payment_id = pay(books, payer, payee, 300)[0].transaction_id
    refund(books, payee, payment_id, 120)
    found = find_payment(connection(books, "money"), payment_id=payment_id, actor_id=payer.user_id)
    assert found is not None
    assert found.refunded == 120
