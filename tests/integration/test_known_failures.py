"""What went wrong elsewhere and no other test says in as many words: docs/known-failures.md has the whole list."""

import json
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import Functions
from tests.integration.test_functions_under_faults import captured_body, told, top_up_event, webhook_event
from tests.support.books import Books, captured, unique
from tests.support.client import wait_until
from tests.support.crowd import together
from tests.support.moves import connection, pay, refund, refusal_of, settle
from tests.support.waiting import holding, nobody_gives_up
from wallet import wiring
from wallet.ledger.receipts import Balance
from wallet.ledger.refusals import Refusal
from wallet.storage import payments

if TYPE_CHECKING:
    from collections.abc import Callable

#: One more than the largest whole number that every reader of JSON takes as it stands.
BEYOND = 2**53 + 1


def everything(books: Books) -> list[dict[str, Any]]:
    """How much there is of all that a movement writes."""
    tables = ("transactions", "postings", "idempotency_records", "outbox", "holds")
    return [books.select(f"SELECT COUNT(*) AS n FROM {table}")[0] for table in tables]  # noqa: S608 - constants


def test_a_second_refund_is_refused_and_moves_nothing(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person(money=1_000)
    payment_id = pay(books, payer, payee, 300)[0].transaction_id
    refund(books, payee, payment_id, None)
    before = everything(books)
    for amount in (None, 1, 300):
        assert refusal_of(partial(refund, books, payee, payment_id, amount)) is Refusal.REFUND_EXCEEDS_PAYMENT
    assert (books.balance(payer), books.balance(payee)) == (1_000, 1_000)
    assert everything(books) == before


def test_what_many_pay_at_once_into_a_wallet_that_pays_too_is_all_there(books: Books) -> None:
    """Both sides are read under their locks: no credit is lost, whoever debits the wallet meanwhile."""
    payers, payee, others = [books.person(money=1_000) for _ in range(8)], books.person(money=1_000), books.person()
    tasks = [partial(pay, books, payer, payee, 7) for payer in payers * 10]
    tasks += [partial(pay, books, payee, others, 3)] * 40
    answers = together(tasks, at_once=16)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert books.balance(payee) == 1_000 + 80 * 7 - 40 * 3
    assert books.balance(others) == 40 * 3
    assert books.faults() == []


def test_nobody_has_two_wallets_whoever_writes_them(books: Books) -> None:
    person = books.person()
    with pytest.raises(Exception, match="wallets_user_has_one"):
        books.write(
            "INSERT INTO wallets"
            " (id, user_id, tier, currency, status, balance, held, entries, last_entry_at, created_at)"
            " SELECT %s, user_id, tier, currency, status, 0, 0, 0, last_entry_at, created_at"
            " FROM wallets WHERE id = %s",
            wiring.new_id().bytes,
            person.wallet_id.bytes,
        )


def test_an_amount_beyond_2_to_the_53_keeps_its_last_digit_wherever_it_goes(books: Books) -> None:
    books.tier("boundless", {"2021-01-01": {}})
    payer, payee = books.person(tier="boundless"), books.person(tier="boundless")
    assert settle(books, captured(books.order(payer, BEYOND), BEYOND)).suspense is None
    receipt, _ = pay(books, payer, payee, BEYOND)
    assert (receipt.amount, receipt.payer_balance) == (BEYOND, Balance(total=0, held=0))
    found = payments.find_payment(connection(books, "money"), payment_id=receipt.transaction_id, actor_id=payer.user_id)
    assert found is not None
    assert found.amount == BEYOND
    assert books.balance(payee) == BEYOND
    assert books.faults() == []


def test_a_webhook_that_comes_again_is_a_success_and_moves_nothing(books: Books, functions: Functions) -> None:
    person = books.person()
    order_id = told(functions.make("top_up").invoke(top_up_event(person, unique("key-"), 50_000)))["gateway_order_id"]
    webhook = functions.make("webhook")
    payment_id = unique("pay_")
    event = webhook_event(captured_body(order_id, payment_id, 50_000))
    answers = [webhook.invoke(event) for _ in range(3)]
    # another event of the same payment: news to the door, and none to the books
    answers.append(webhook.invoke(webhook_event(captured_body(order_id, payment_id, 50_000, "order.paid"))))
    assert [answer["statusCode"] for answer in answers] == [200] * 4
    assert [json.loads(answer["body"])["status"] for answer in answers[:3]] == ["processed", "duplicate", "duplicate"]
    assert books.balance(person) == 50_000


def test_credits_of_a_hot_wallet_do_not_queue_behind_one_row(books: Books) -> None:
    """Somebody holds one of its rows: most of those who pay it at once are done before that row is free."""
    payers = [books.person(money=100) for _ in range(24)]
    merchant = books.person(kind="merchant", tier="merchant")
    books.spread(merchant, 8)
    done: list[int] = []
    while_held: list[int] = []
    everybody_is_there = threading.Barrier(24 + 1)

    def hold() -> None:
        slot = "SELECT slot FROM wallet_slots WHERE wallet_id = %s AND slot = 3 FOR UPDATE"
        with holding(books, slot, merchant.wallet_id.bytes):
            everybody_is_there.wait(timeout=60)
            wait_until(lambda: len(done) > 12, within_s=60, every_s=0.01)
            while_held.extend(done)

    def paying(number: int) -> None:
        connection(books, "money").read("SELECT 1")
        everybody_is_there.wait(timeout=60)
        pay(books, payers[number], merchant, 10)
        done.append(number)

    everybody: list[Callable[[], None]] = [hold, *(partial(paying, number) for number in range(24))]
    with nobody_gives_up(books):  # nor does who waits for that row
        assert together(everybody) == [None] * 25
    assert len(while_held) > 12
    assert books.balance(merchant) == 240


def test_what_differs_by_one_paisa_is_never_rounded_away(books: Books) -> None:
    """Parts of an odd amount add up to it: nobody divides, so there is no remainder to lose."""
    payer, payee = books.person(money=1_000), books.person()
    payment_id = pay(books, payer, payee, 251)[0].transaction_id
    for part in (83, 84, 84):
        refund(books, payee, payment_id, part)
    assert (books.balance(payer), books.balance(payee)) == (1_000, 0)
