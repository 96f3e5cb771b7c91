"""Payments through the kernel, on a real server, by many at once."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.books import Books, new_phone, unique
from tests.support.crowd import together
from tests.support.moves import clock_at, connection, deadlocks, made_anew, pay, place, refusal_of
from wallet import wiring
from wallet.ledger.receipts import Balance, PaymentReceipt
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.database import DatabaseUnavailableError
from wallet.storage.payments import find_payment


def paying(*arguments: Any, **changes: Any) -> Callable[[], tuple[PaymentReceipt, bool]]:
    return lambda: pay(*arguments, **changes)


def test_a_payment_moves_its_amount_and_nothing_else(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    receipt, replayed = pay(books, payer, payee, 300, description="चाय ☕", reference="bill 7")
    assert not replayed
    assert (books.balance(payer), books.balance(payee)) == (700, 300)
    assert receipt.payer_balance == Balance(total=700, held=0)
    assert (receipt.description, receipt.reference) == ("चाय ☕", "bill 7")
    assert books.faults() == []


def test_a_payee_may_be_named_by_phone(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    receipt, _ = pay(books, payer, None, 10, payee_phone=payee.phone)
    assert receipt.payee.wallet_id == payee.wallet_id


def test_a_wallet_of_100_cannot_pay_60_twice(books: Books) -> None:
    payer, payee = books.person(money=100), books.person()
    pay(books, payer, payee, 60)
    assert refusal_of(paying(books, payer, payee, 60)) is Refusal.INSUFFICIENT_FUNDS
    assert (books.balance(payer), books.balance(payee)) == (40, 60)


def test_of_many_payments_of_60_at_once_a_wallet_of_100_makes_one(books: Books) -> None:
    payer, payee = books.person(money=100), books.person()
    answers = together([paying(books, payer, payee, 60) for _ in range(16)])
    refusals = [answer.refusal for answer in answers if isinstance(answer, Refused)]
    assert refusals == [Refusal.INSUFFICIENT_FUNDS] * 15
    assert (books.balance(payer), books.balance(payee)) == (40, 60)
    assert books.faults() == []


def test_16_at_once_with_one_key_move_money_once_and_get_one_answer(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    claim = payer.claim()
    answers = together([paying(books, payer, payee, 60, claim=claim) for _ in range(16)])
    receipts = [answer[0] for answer in answers if isinstance(answer, tuple)]
    assert len(receipts) == 16, answers
    assert len({made_anew(receipt) for receipt in receipts}) == 1
    assert [answer[1] for answer in answers if isinstance(answer, tuple)].count(False) == 1
    assert (books.balance(payer), books.balance(payee)) == (940, 60)


def test_16_at_once_with_one_key_and_no_money_are_all_refused_and_leave_the_key_free(books: Books) -> None:
    payer, payee = books.person(), books.person()
    claim = payer.claim()

    def refusal() -> Refusal:
        # each that is rolled back makes the others, who waited for its key, a deadlock: who loses six comes back
        ends = time.monotonic() + 60
        while True:
            try:
                return refusal_of(paying(books, payer, payee, 60, claim=claim))
            except DatabaseUnavailableError:
                assert time.monotonic() < ends

    assert together([refusal] * 16) == [Refusal.INSUFFICIENT_FUNDS] * 16
    books.top_up(payer, 100)
    receipt, replayed = pay(books, payer, payee, 60, claim=claim)
    assert not replayed
    assert receipt.amount == 60


def test_a_repetition_gets_the_first_answer_however_much_has_happened_since(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    claim = payer.claim()
    first, _ = pay(books, payer, payee, 60, claim=claim)
    pay(books, payer, payee, 500)
    again, replayed = pay(books, payer, payee, 60, claim=claim)
    assert replayed
    assert again == made_anew(first)
    assert books.balance(payer) == 440


def test_a_key_with_another_request_is_refused_and_nothing_moves(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    claim = payer.claim(asked="60")
    pay(books, payer, payee, 60, claim=claim)
    other = payer.claim(claim.key, asked="61")
    assert refusal_of(paying(books, payer, payee, 61, claim=other)) is Refusal.IDEMPOTENCY_KEY_REUSED
    assert books.balance(payer) == 940


def test_the_same_key_of_another_caller_is_another_key(books: Books) -> None:
    asha, bela = books.person(money=100), books.person(money=100)
    key = unique("shared-")
    pay(books, asha, bela, 10, claim=asha.claim(key))
    _, replayed = pay(books, bela, asha, 10, claim=bela.claim(key))
    assert not replayed


def test_200_payments_at_once_among_10_wallets_leave_the_sum_as_it_was(books: Books) -> None:
    people = [books.person(money=5_000) for _ in range(10)]
    dice = random.Random(7)
    tasks = [paying(books, *dice.sample(people, 2), dice.randint(1, 2_000)) for _ in range(200)]
    answers = together(tasks, at_once=32)
    accidents = [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, Refused)]
    assert accidents == []
    assert books.total(*people) == 50_000
    assert books.faults() == []


def test_two_who_pay_each_other_at_once_never_deadlock(books: Books) -> None:
    asha, bela = books.person(money=10_000), books.person(money=10_000)
    before = deadlocks(books)
    tasks = [paying(books, *((asha, bela) if turn % 2 else (bela, asha)), 1) for turn in range(100)]
    assert not [answer for answer in together(tasks, at_once=16) if isinstance(answer, Exception)]
    assert deadlocks(books) == before


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"payee_wallet_id": wiring.new_id()}, Refusal.PAYEE_UNAVAILABLE),
        ({"payee_wallet_id": None, "payee_phone": new_phone()}, Refusal.PAYEE_UNAVAILABLE),
        ({"amount": 1_001}, Refusal.INSUFFICIENT_FUNDS),
        ({"amount": 2**53 - 1}, Refusal.INSUFFICIENT_FUNDS),
    ],
)
def test_a_refused_payment_leaves_no_trace(books: Books, change: dict[str, Any], refusal: Refusal) -> None:
    payer, payee = books.person(money=1_000), books.person()
    before = _rows(books)
    amount = change.get("amount", 1)
    assert (
        refusal_of(paying(books, payer, payee, amount, **{k: v for k, v in change.items() if k != "amount"})) is refusal
    )
    assert _rows(books) == before


def _rows(books: Books) -> list[dict[str, Any]]:
    tables = ("transactions", "postings", "idempotency_records")
    return [books.select(f"SELECT COUNT(*) AS n FROM {table}")[0] for table in tables]  # noqa: S608 - constants


def test_nobody_pays_themselves(books: Books) -> None:
    payer = books.person(money=1_000)
    assert refusal_of(paying(books, payer, payer, 1)) is Refusal.SELF_PAYMENT
    assert refusal_of(paying(books, payer, None, 1, payee_phone=payer.phone)) is Refusal.SELF_PAYMENT


@pytest.mark.parametrize(
    ("frozen", "refusal"), [("payer", Refusal.WALLET_FROZEN), ("payee", Refusal.PAYEE_UNAVAILABLE)]
)
def test_a_frozen_wallet_neither_pays_nor_is_paid(books: Books, frozen: str, refusal: Refusal) -> None:
    people = {"payer": books.person(money=1_000), "payee": books.person()}
    books.write("UPDATE wallets SET status = 'frozen' WHERE id = %s", people[frozen].wallet_id.bytes)
    assert refusal_of(paying(books, people["payer"], people["payee"], 1)) is refusal


def test_a_closed_wallet_can_not_be_found(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    books.write("UPDATE wallets SET status = 'closed' WHERE id = %s", payee.wallet_id.bytes)
    assert refusal_of(paying(books, payer, payee, 1)) is Refusal.PAYEE_UNAVAILABLE


def test_money_that_is_held_can_not_be_spent(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    place(books, payer, payee, 900)
    assert refusal_of(paying(books, payer, payee, 101)) is Refusal.INSUFFICIENT_FUNDS
    receipt, _ = pay(books, payer, payee, 100)
    assert receipt.payer_balance == Balance(total=900, held=900)


def test_two_at_the_edge_of_a_payees_cap_get_one_in(books: Books) -> None:
    payers = [books.person(money=600_000), books.person(money=600_000)]
    payee = books.person(tier="small")
    answers = together([paying(books, payer, payee, 600_000) for payer in payers])
    refusals = [answer.refusal for answer in answers if isinstance(answer, Refused)]
    assert refusals == [Refusal.PAYEE_UNAVAILABLE]
    assert books.balance(payee) == 600_000


def test_a_payment_over_the_payers_limit_is_refused(books: Books) -> None:
    payer, payee = books.person(money=2_000_000), books.person(kind="merchant", tier="merchant")
    books.write("UPDATE wallets SET tier = 'small' WHERE id = %s", payer.wallet_id.bytes)
    assert refusal_of(paying(books, payer, payee, 1_000_001)) is Refusal.WALLET_LIMIT_EXCEEDED


def test_only_payer_and_payee_see_a_payment(books: Books) -> None:
    payer, payee, other = books.person(money=1_000), books.person(), books.person()
    receipt, _ = pay(books, payer, payee, 1)
    money = connection(books, "money")
    for person, sees in ((payer, True), (payee, True), (other, False)):
        found = find_payment(money, payment_id=receipt.transaction_id, actor_id=person.user_id)
        assert (found is not None) is sees


def test_the_time_of_a_wallets_entries_never_runs_backwards(books: Books) -> None:
    payer, payee = books.person(money=1_000), books.person()
    ahead = datetime.now(UTC) + timedelta(hours=1)
    with clock_at(books, ahead):
        first, _ = pay(books, payer, payee, 1)
        at_the_same_moment, _ = pay(books, payer, payee, 1)
    with clock_at(books, ahead - timedelta(minutes=5)):
        by_a_clock_behind, _ = pay(books, payee, books.person(), 1)
    assert ahead == first.created_at < at_the_same_moment.created_at < by_a_clock_behind.created_at
    assert books.faults() == []
