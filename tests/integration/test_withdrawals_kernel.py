"""Withdrawals through the kernel, on a real server: every order of news, many at once, lost answers."""

import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.books import Books, Person
from tests.support.crowd import together
from tests.support.moves import clock_at, connection, made_anew, place
from tests.support.payouts import (
    PROVIDER,
    VPA,
    charge,
    held,
    make_older,
    payout,
    person_with_tier,
    provider_account,
    state_of,
    tell,
    withdraw,
)
from tests.support.proxy import Proxy
from wallet import wiring
from wallet.ledger.receipts import Balance, WithdrawalReceipt
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.withdrawals import Booking, PayoutStatus, WithdrawalStatus, hear
from wallet.storage import withdrawals
from wallet.storage.database import Database, Server
from wallet.storage.payments import post_payment
from wallet.storage.withdrawals import Settled

PENDING = PayoutStatus.PENDING
SUCCEEDED, FAILED, REVERSED = PayoutStatus.SUCCEEDED, PayoutStatus.FAILED, PayoutStatus.REVERSED
FINAL = (SUCCEEDED, FAILED, REVERSED)


def withdrawing(*arguments: Any, **changes: Any) -> Callable[[], tuple[WithdrawalReceipt, bool]]:
    return lambda: withdraw(*arguments, **changes)


def telling(*arguments: Any, **changes: Any) -> Callable[[], Settled]:
    return lambda: tell(*arguments, **changes)


def paying(books: Books, payer: Person, payee: Person, amount: int) -> Callable[[], object]:
    def pay() -> object:
        database = books.as_role("money")
        try:
            return post_payment(
                database,
                payer.claim(),
                transaction_id=wiring.new_id(),
                payee_wallet_id=payee.wallet_id,
                payee_phone=None,
                amount=amount,
                description=None,
                reference=None,
            )
        finally:
            database.close()

    return pay


def refusal_of(call: Callable[[], object]) -> Refusal:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.refusal


def transactions_of(books: Books, receipt: WithdrawalReceipt) -> list[tuple[str, int]]:
    """Types and amounts of all that was booked for a withdrawal, its fees included, in order."""
    rows = books.select(
        "SELECT t.type, t.amount FROM withdrawal_bookings d"
        " JOIN transactions t ON t.id = d.transaction_id OR t.cause_id = d.transaction_id AND t.type = 'fee'"
        " WHERE d.withdrawal_id = %s ORDER BY t.created_at",
        receipt.id.bytes,
    )
    return [(row["type"], row["amount"]) for row in rows]


def events_of(books: Books, receipt: WithdrawalReceipt) -> list[str]:
    """What became of it, as others are told, in order."""
    told = "SELECT type, detail FROM outbox WHERE type LIKE 'Withdrawal%%' AND type <> %s ORDER BY position"
    rows = books.select(told, "WithdrawalAddressAdded")
    return [row["type"] for row in rows if json.loads(row["detail"])["withdrawal_id"] == receipt.id.hex]


def debited(books: Books, person: Person) -> tuple[int, int]:
    rows = books.select("SELECT debited_day, debited_month FROM wallets WHERE id = %s", person.wallet_id.bytes)
    return rows[0]["debited_day"], rows[0]["debited_month"]


# --------------------------------------------------------------------------------------------- asking for one


def test_a_withdrawal_sets_its_amount_and_its_fee_aside_and_moves_nothing(books: Books) -> None:
    person = books.person(money=10_000)
    before = provider_account(books)
    with charge(books, basis_points=150, flat=200):
        receipt, replayed = withdraw(books, person, 3_333)
    assert not replayed
    assert receipt.fee == 250, "2.00 and 1.5 % of 33.33, half a paisa rounded up"
    assert (receipt.vpa, receipt.payee_name, receipt.currency) == (VPA, "Asha Rao", "INR")
    assert receipt.balance == Balance(10_000, 3_583)
    assert (books.balance(person), held(books, person)) == (10_000, 3_583)
    assert transactions_of(books, receipt) == []
    assert provider_account(books) == before
    assert state_of(books, receipt.id)["status"] == "pending"
    assert events_of(books, receipt) == ["WithdrawalRequested"]
    assert books.faults() == []


def test_what_is_set_aside_can_be_neither_paid_nor_withdrawn_again(books: Books) -> None:
    person, payee = books.person(money=1_000), books.person()
    withdraw(books, person, 700)
    assert refusal_of(paying(books, person, payee, 301)) is Refusal.INSUFFICIENT_FUNDS
    assert refusal_of(withdrawing(books, person, 301)) is Refusal.INSUFFICIENT_FUNDS
    paying(books, person, payee, 300)()
    assert (books.balance(person), held(books, person)) == (700, 700)


def test_the_fee_must_be_covered_too(books: Books) -> None:
    person = books.person(money=1_000)
    with charge(books, flat=1):
        assert refusal_of(withdrawing(books, person, 1_000)) is Refusal.INSUFFICIENT_FUNDS
        receipt, _ = withdraw(books, person, 999)
    assert receipt.balance == Balance(1_000, 1_000)


def test_less_than_a_rupee_is_out_of_range(books: Books) -> None:
    person = books.person(money=1_000)
    assert refusal_of(withdrawing(books, person, 99)) is Refusal.AMOUNT_OUT_OF_RANGE
    assert withdraw(books, person, 100)[0].amount == 100


@pytest.mark.parametrize("status", ["frozen", "closing", "closed"])
def test_a_wallet_that_is_not_active_withdraws_nothing(books: Books, status: str) -> None:
    person = books.person(money=1_000)
    books.turn(person, status)
    assert refusal_of(withdrawing(books, person, 100)) is Refusal.WALLET_FROZEN
    assert held(books, person) == 0
    books.turn(person, "active")  # an operator closes no wallet that has something in it


def test_the_small_tier_withdraws_nothing(books: Books) -> None:
    person = books.person(tier="small", money=10_000)
    assert refusal_of(withdrawing(books, person, 100)) is Refusal.WALLET_LIMIT_EXCEEDED


def test_somebody_without_a_wallet_withdraws_nothing(books: Books) -> None:
    nobody = Person(wiring.new_id(), wiring.new_id(), "+910000000000")
    assert refusal_of(withdrawing(books, nobody, 100)) is Refusal.INVALID_TOKEN


@pytest.mark.parametrize("limits", [{"max_payment": 500}, {"max_debit_day": 500}, {"max_debit_month": 500}])
def test_the_limits_of_debits_hold_for_withdrawals_and_the_fee_is_none(books: Books, limits: dict[str, int]) -> None:
    person = person_with_tier(books, **limits)
    books.top_up(person, 10_000)
    with charge(books, flat=50):
        assert refusal_of(withdrawing(books, person, 501)) is Refusal.WALLET_LIMIT_EXCEEDED
        withdraw(books, person, 500)
    assert debited(books, person) == (500, 500)


@pytest.mark.parametrize("news", [FAILED, REVERSED])
def test_what_does_not_leave_after_all_is_no_longer_counted_as_a_debit(books: Books, news: PayoutStatus) -> None:
    person = person_with_tier(books, max_debit_day=500, max_debit_month=500)
    books.top_up(person, 10_000)
    receipt, _ = withdraw(books, person, 500)
    assert refusal_of(withdrawing(books, person, 100)) is Refusal.WALLET_LIMIT_EXCEEDED
    tell(books, receipt, news)
    assert debited(books, person) == (0, 0)
    withdraw(books, person, 500)


def test_what_was_counted_in_a_month_that_is_over_is_not_given_back_to_this_one(books: Books) -> None:
    person = books.person(money=10_000)
    receipt, _ = withdraw(books, person, 500)
    make_older(books, receipt, timedelta(days=45))
    withdraw(books, person, 300)
    tell(books, receipt, FAILED)
    assert debited(books, person) == (300, 300)


def test_a_hot_wallet_is_gathered_when_its_own_row_has_too_little(books: Books) -> None:
    merchant, payer = books.person(tier="merchant", kind="merchant"), books.person(money=50_000)
    books.write("CALL spread_credits(%s, 8)", merchant.wallet_id.bytes)
    for _ in range(40):
        paying(books, payer, merchant, 100)()
    rows = books.select("SELECT balance FROM wallets WHERE id = %s", merchant.wallet_id.bytes)
    assert rows[0]["balance"] < 4_000, "most of it is in other slots"
    receipt, _ = withdraw(books, merchant, 4_000)
    assert receipt.balance == Balance(4_000, 4_000)
    assert tell(books, receipt, SUCCEEDED) is Settled.NEW
    assert books.balance(merchant) == 0
    assert books.faults() == []


def test_a_hold_whose_time_is_over_does_not_stand_in_the_way(books: Books) -> None:
    person, payee = books.person(money=1_000), books.person()
    hold = place(books, person, payee, 900)

    def withdrawn() -> tuple[WithdrawalReceipt, bool]:
        return withdrawals.open_withdrawal(
            connection(books, "withdrawals"),
            person.claim(),
            withdrawal_id=wiring.new_id(),
            provider=PROVIDER,
            vpa=VPA,
            amount=1_000,
            first_check_s=3_600,
        )

    with clock_at(books, hold.expires_at - timedelta(microseconds=1)):
        assert refusal_of(withdrawn) is Refusal.INSUFFICIENT_FUNDS
    with clock_at(books, hold.expires_at):
        receipt, _ = withdrawn()
    assert receipt.balance == Balance(1_000, 1_000)


# --------------------------------------------------------------------------------------------- its key


def test_a_repetition_gets_the_first_answer_and_sets_nothing_aside(books: Books) -> None:
    person = books.person(money=1_000)
    claim = person.claim()
    first, _ = withdraw(books, person, 600, claim=claim)
    tell(books, first, SUCCEEDED)
    again, replayed = withdraw(books, person, 600, claim=claim)
    assert replayed
    assert again == made_anew(first)
    assert (books.balance(person), held(books, person)) == (400, 0)


def test_a_key_with_another_request_is_refused(books: Books) -> None:
    person = books.person(money=1_000)
    withdraw(books, person, 100, claim=person.claim("w-1", asked="100"))
    other = withdrawing(books, person, 200, claim=person.claim("w-1", asked="200"))
    assert refusal_of(other) is Refusal.IDEMPOTENCY_KEY_REUSED


def test_a_refusal_does_not_use_the_key_up(books: Books) -> None:
    person = books.person()
    claim = person.claim()
    assert refusal_of(withdrawing(books, person, 600, claim=claim)) is Refusal.INSUFFICIENT_FUNDS
    books.top_up(person, 600)
    assert withdraw(books, person, 600, claim=claim)[1] is False


def test_16_at_once_with_one_key_set_aside_once(books: Books) -> None:
    person = books.person(money=10_000)
    claim = person.claim()
    answers = together([withdrawing(books, person, 600, claim=claim) for _ in range(16)])
    receipts = {made_anew(answer[0]) for answer in answers if isinstance(answer, tuple)}
    assert len(receipts) == 1, answers
    assert held(books, person) == 600


def test_of_many_withdrawals_at_the_edge_of_the_balance_as_many_are_made_as_it_covers(books: Books) -> None:
    person = books.person(money=1_000)
    answers = together([withdrawing(books, person, 300) for _ in range(16)])
    refusals = [answer.refusal for answer in answers if isinstance(answer, Refused)]
    assert refusals == [Refusal.INSUFFICIENT_FUNDS] * 13, answers
    assert (books.balance(person), held(books, person)) == (1_000, 900)
    assert books.faults() == []


def test_withdrawals_and_payments_at_once_never_spend_a_paisa_twice(books: Books) -> None:
    person, payee = books.person(money=1_000), books.person()
    tasks = [withdrawing(books, person, 150), paying(books, person, payee, 130)] * 10
    answers = together(tasks)
    withdrawn = [answer[0] for answer in answers[::2] if isinstance(answer, tuple)]
    paid = [answer for answer in answers[1::2] if isinstance(answer, tuple)]
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(withdrawn) + len(paid) + len(refused) == 20, answers
    assert books.balance(person) == 1_000 - 130 * len(paid)
    assert held(books, person) == 150 * len(withdrawn)
    assert 0 <= books.balance(person) - held(books, person) < 150
    assert books.faults() == []


# --------------------------------------------------------------------------------------------- what becomes of it


def test_a_withdrawal_that_is_paid_out_leaves_the_wallet_with_its_fee(books: Books) -> None:
    person = books.person(money=10_000)
    before = provider_account(books)
    with charge(books, flat=250):
        receipt, _ = withdraw(books, person, 3_000)
    assert tell(books, receipt, SUCCEEDED) is Settled.NEW
    assert (books.balance(person), held(books, person)) == (6_750, 0)
    assert provider_account(books) == before - 3_000
    assert transactions_of(books, receipt) == [("withdrawal", 3_000), ("fee", 250)]
    row = state_of(books, receipt.id)
    assert (row["status"], row["reason"]) == ("succeeded", None)
    assert row["provider_payout_id"] == payout(receipt, SUCCEEDED).payout_id
    assert row["next_check_at"] is not None, "the bank may still send it back"
    assert events_of(books, receipt) == ["WithdrawalRequested", "WithdrawalSucceeded"]
    assert books.faults() == []


def test_a_withdrawal_that_fails_is_available_again_and_nothing_is_posted(books: Books) -> None:
    person = books.person(money=10_000)
    with charge(books, flat=250):
        receipt, _ = withdraw(books, person, 3_000)
    assert tell(books, receipt, FAILED) is Settled.NEW
    assert (books.balance(person), held(books, person)) == (10_000, 0)
    assert transactions_of(books, receipt) == []
    row = state_of(books, receipt.id)
    assert (row["status"], row["reason"], row["next_check_at"]) == ("failed", "beneficiary_bank_offline", None)
    assert events_of(books, receipt) == ["WithdrawalRequested", "WithdrawalFailed"]
    assert books.faults() == []


def test_a_withdrawal_that_comes_back_is_in_the_wallet_again_with_its_fee(books: Books) -> None:
    person = books.person(money=10_000)
    before = provider_account(books)
    with charge(books, flat=250):
        receipt, _ = withdraw(books, person, 3_000)
    tell(books, receipt, SUCCEEDED)
    assert tell(books, receipt, REVERSED) is Settled.NEW
    assert (books.balance(person), held(books, person)) == (10_000, 0)
    assert provider_account(books) == before
    assert transactions_of(books, receipt) == [
        ("withdrawal", 3_000),
        ("fee", 250),
        ("withdrawal_return", 3_000),
        ("fee", 250),
    ]
    assert state_of(books, receipt.id)["status"] == "reversed"
    assert events_of(books, receipt) == ["WithdrawalRequested", "WithdrawalSucceeded", "WithdrawalReversed"]
    assert books.faults() == []


def test_money_that_comes_back_is_taken_even_above_the_cap_and_by_a_frozen_wallet(books: Books) -> None:
    person = person_with_tier(books, max_balance=1_000)
    books.top_up(person, 1_000)
    receipt, _ = withdraw(books, person, 1_000)
    tell(books, receipt, SUCCEEDED)
    books.top_up(person, 900)
    books.write("UPDATE wallets SET status = 'frozen' WHERE id = %s", person.wallet_id.bytes)
    assert tell(books, receipt, REVERSED) is Settled.NEW
    assert books.balance(person) == 1_900


def test_what_was_paid_out_leaves_a_wallet_that_was_frozen_meanwhile(books: Books) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 1_000)
    books.write("UPDATE wallets SET status = 'frozen' WHERE id = %s", person.wallet_id.bytes)
    assert tell(books, receipt, SUCCEEDED) is Settled.NEW
    assert (books.balance(person), held(books, person)) == (0, 0)


def test_a_wallet_that_is_closing_is_closed_with_its_last_money_and_closing_again_if_that_comes_back(
    books: Books,
) -> None:
    person = books.person(money=1_000)
    first, last = withdraw(books, person, 400)[0], withdraw(books, person, 600)[0]
    books.write("UPDATE wallets SET status = 'closing' WHERE id = %s", person.wallet_id.bytes)
    standing = []
    for receipt, news in ((first, SUCCEEDED), (last, SUCCEEDED), (last, REVERSED)):
        tell(books, receipt, news)
        rows = books.select("SELECT status, balance FROM wallets WHERE id = %s", person.wallet_id.bytes)
        standing.append((rows[0]["status"], rows[0]["balance"]))
    assert standing == [("closing", 600), ("closed", 0), ("closing", 600)]


_OUTCOME = {True: Settled.NEW, False: Settled.KNOWN}


@pytest.mark.parametrize("story", [*itertools.product(FINAL, repeat=3)], ids="-".join)
def test_in_every_order_of_news_the_kernel_does_what_the_pure_rule_says(
    books: Books, story: tuple[PayoutStatus, ...]
) -> None:
    person = books.person(money=10_000)
    with charge(books, flat=10):
        receipt, _ = withdraw(books, person, 4_000)
    status = WithdrawalStatus.PENDING
    booked: list[Booking] = []
    for news in story:
        step = hear(status, news)
        expected = Settled.DISPUTED if step.disputed else _OUTCOME[bool(step.bookings)]
        assert tell(books, receipt, news) is expected
        status = step.status
        booked += step.bookings
        assert state_of(books, receipt.id)["status"] == status.value
    gone = 4_010 if Booking.LEAVES in booked and Booking.COMES_BACK not in booked else 0
    assert (books.balance(person), held(books, person)) == (10_000 - gone, 0)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stories=st.lists(st.lists(st.sampled_from(FINAL), max_size=4), min_size=1, max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_the_news_of_several_withdrawals_of_one_wallet_in_any_mixture_add_up(
    books: Books, stories: list[list[PayoutStatus]], order: Any
) -> None:
    person = books.person(money=10_000)
    receipts = [withdraw(books, person, 1_000 + n)[0] for n in range(len(stories))]
    status = [WithdrawalStatus.PENDING] * len(stories)
    left = [list(story) for story in stories]
    while any(left):
        n = order.choice([n for n, story in enumerate(left) if story])
        news = left[n].pop(0)
        tell(books, receipts[n], news)
        status[n] = hear(status[n], news).status
    aside = sum(r.amount for r, s in zip(receipts, status, strict=True) if s is WithdrawalStatus.PENDING)
    gone = sum(r.amount for r, s in zip(receipts, status, strict=True) if s is WithdrawalStatus.SUCCEEDED)
    assert (books.balance(person), held(books, person)) == (10_000 - gone, aside)


@pytest.mark.parametrize("news", FINAL)
def test_the_same_news_by_16_at_once_is_booked_once(books: Books, news: PayoutStatus) -> None:
    person = books.person(money=10_000)
    receipt, _ = withdraw(books, person, 3_000)
    answers = together([telling(books, receipt, news) for _ in range(16)])
    assert (answers.count(Settled.NEW), answers.count(Settled.KNOWN)) == (1, 15), answers
    assert held(books, person) == 0
    assert books.faults() == []


def test_contrary_news_at_once_book_one_of_them(books: Books) -> None:
    person = books.person(money=10_000)
    receipt, _ = withdraw(books, person, 3_000)
    together([telling(books, receipt, news) for news in (SUCCEEDED, FAILED) * 6])
    row = state_of(books, receipt.id)
    assert row["status"] in ("succeeded", "failed")
    assert books.balance(person) == (7_000 if row["status"] == "succeeded" else 10_000)
    assert held(books, person) == 0
    assert books.faults() == []


def test_news_payments_and_new_withdrawals_of_one_wallet_at_once_leave_the_books_right(books: Books) -> None:
    person, payee = books.person(money=100_000), books.person()
    receipts = [withdraw(books, person, 1_000)[0] for _ in range(12)]
    tasks: list[Callable[[], object]] = []
    for n, receipt in enumerate(receipts):
        tasks += [
            telling(books, receipt, FINAL[n % 3]),
            paying(books, person, payee, 7),
            telling(books, receipt, SUCCEEDED),
        ]
        tasks.append(withdrawing(books, person, 500))
    answers = together(tasks, at_once=16)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert held(books, person) == 12 * 500
    assert books.faults() == []


# --------------------------------------------------------------------------------------------- what is not believed


@pytest.mark.parametrize(
    "lie", [{"amount": 2_999}, {"amount": 3_001}, {"currency": "USD"}, {"provider": "anotherone"}], ids=str
)
@pytest.mark.parametrize("news", FINAL)
def test_news_that_does_not_agree_with_what_was_asked_for_moves_nothing(
    books: Books, news: PayoutStatus, lie: dict[str, Any]
) -> None:
    person = books.person(money=10_000)
    receipt, _ = withdraw(books, person, 3_000)
    assert tell(books, receipt, news, **lie) is Settled.MISMATCH
    assert (books.balance(person), held(books, person)) == (10_000, 3_000)
    assert state_of(books, receipt.id)["status"] == "pending"


def test_a_second_payout_of_one_withdrawal_moves_nothing_and_is_shown(books: Books) -> None:
    person = books.person(money=10_000)
    receipt, _ = withdraw(books, person, 3_000)
    tell(books, receipt, SUCCEEDED)
    assert tell(books, receipt, SUCCEEDED, payout_id="pout_another") is Settled.MISMATCH
    assert tell(books, receipt, REVERSED, payout_id="pout_another") is Settled.MISMATCH
    assert books.balance(person) == 7_000


def test_one_payout_is_not_booked_for_two_withdrawals(books: Books) -> None:
    person = books.person(money=10_000)
    first, second = withdraw(books, person, 3_000)[0], withdraw(books, person, 3_000)[0]
    told = payout(first, SUCCEEDED).payout_id
    assert tell(books, first, SUCCEEDED) is Settled.NEW
    assert tell(books, second, SUCCEEDED, payout_id=told) is Settled.MISMATCH
    assert (books.balance(person), held(books, person)) == (7_000, 3_000)
    assert books.faults() == []


def test_news_of_no_withdrawal_of_ours_moves_nothing(books: Books) -> None:
    person = books.person(money=10_000)
    receipt, _ = withdraw(books, person, 3_000)
    database = books.as_role("gateway")
    foreign = withdrawals.settle_withdrawal(
        database, payout(receipt, SUCCEEDED), withdrawal_id=wiring.new_id(), transaction_id=wiring.new_id()
    )
    noted = withdrawals.note_payout(database, payout(receipt, PENDING), withdrawal_id=wiring.new_id())
    database.close()
    assert (foreign, noted) == (Settled.FOREIGN, Settled.FOREIGN)


# --------------------------------------------------------------------------------------------- no payout, or is there?


def test_a_withdrawal_without_a_payout_can_be_rejected_and_one_with_can_not(books: Books) -> None:
    person = books.person(money=10_000)
    without, with_one = withdraw(books, person, 3_000)[0], withdraw(books, person, 2_000)[0]
    database = books.as_role("withdrawals")
    made = payout(with_one, PENDING)

    def noted(withdrawal: WithdrawalReceipt, **lies: Any) -> Settled:
        return withdrawals.note_payout(database, replace(made, **lies), withdrawal_id=withdrawal.id)

    assert noted(with_one, amount=2_001) is Settled.MISMATCH, "a payout of another amount is not believed"
    assert noted(with_one, currency="USD") is Settled.MISMATCH
    assert noted(with_one, provider="another") is Settled.MISMATCH
    assert state_of(books, with_one.id)["provider_payout_id"] is None
    assert noted(with_one) is Settled.NEW
    assert noted(with_one) is Settled.NEW
    assert noted(with_one, payout_id="pout_other") is Settled.MISMATCH
    assert noted(without, amount=3_000) is Settled.MISMATCH, "it is the other's"
    assert withdrawals.reject_withdrawal(database, without.id, reason="input_validation_failed") is True
    assert withdrawals.reject_withdrawal(database, without.id, reason="input_validation_failed") is False
    assert withdrawals.reject_withdrawal(database, with_one.id, reason="never_sent") is False
    database.close()
    assert state_of(books, without.id)["reason"] == "input_validation_failed"
    assert (books.balance(person), held(books, person)) == (10_000, 2_000)
    assert events_of(books, without) == ["WithdrawalRequested", "WithdrawalFailed"]


def test_a_due_withdrawal_is_taken_by_one_of_many_with_all_that_is_to_be_asked(books: Books) -> None:
    person = books.person(money=10_000)
    receipt, _ = withdraw(books, person, 3_000, first_check_s=0)

    def take() -> object:
        database = books.as_role("gateway")
        try:
            return withdrawals.claim_check(database, receipt.id, 0, first_check_s=60)
        finally:
            database.close()

    taken = [answer for answer in together([take] * 8) if answer is not None]
    assert len(taken) == 1
    due: Any = taken[0]
    assert (due.id, due.vpa, due.payee_name, due.amount) == (receipt.id, VPA, "Asha Rao", 3_000)
    assert (due.payout_id, due.checks, due.status) == (None, 0, WithdrawalStatus.PENDING)
    assert 0 <= due.age_s < 60


def test_questions_about_a_pending_withdrawal_come_further_and_further_apart(books: Books) -> None:
    person = books.person(money=10_000)
    receipt, _ = withdraw(books, person, 3_000, first_check_s=0)
    pauses = []
    database = books.as_role("gateway")
    for checks in range(11):
        assert withdrawals.claim_check(database, receipt.id, checks, first_check_s=60) is not None
        pauses.append(round((state_of(books, receipt.id)["next_check_at"] - _now()).total_seconds()))
        make_older(books, receipt, timedelta(0))
    database.close()
    expected = [60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360, 21_600, 21_600]
    assert all(abs(pause - due) <= 5 for pause, due in zip(pauses, expected, strict=True)), pauses


def test_one_that_could_not_be_asked_about_is_due_again_soon(books: Books) -> None:
    person = books.person(money=10_000)
    receipt, _ = withdraw(books, person, 3_000, first_check_s=0)
    database = books.as_role("gateway")
    due = withdrawals.claim_check(database, receipt.id, 0, first_check_s=60)
    assert due is not None
    withdrawals.release_check(database, due, first_check_s=0)
    assert (receipt.id, 0) in withdrawals.due_withdrawals(database, limit=1_000)
    database.close()


def test_one_that_was_paid_out_is_asked_about_daily_for_a_week(books: Books) -> None:
    person = books.person(money=10_000)
    receipt, _ = withdraw(books, person, 3_000)
    tell(books, receipt, SUCCEEDED)
    database = books.as_role("gateway")
    for day in range(1, 7):
        assert _hours_until(state_of(books, receipt.id)["next_check_at"]) == 24, day
        make_older(books, receipt, timedelta(days=1))
        due = withdrawals.claim_check(database, receipt.id, day - 1, first_check_s=60)
        assert due is not None
        assert due.status is WithdrawalStatus.SUCCEEDED
    database.close()
    assert state_of(books, receipt.id)["next_check_at"] is None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _hours_until(at: datetime) -> int:
    return round((at - _now()).total_seconds() / 3600)


# --------------------------------------------------------------------------------------------- the network


def through(books: Books, proxy: Proxy, role: str) -> Database:
    server = Server(proxy.host, proxy.port, books.server.database, books.server.ca_pem)
    database = Database(server, books.credentials_of(role))
    database.read("SELECT 1 AS one")
    return database


def losing_the_next_answer(proxy: Proxy) -> None:
    """The next chunk from the server doesn't arrive; what comes after does."""
    lost = threading.Event()

    def judge(from_client: bool, _chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
        if from_client or lost.is_set():
            return True
        lost.set()
        return False

    proxy.judge = judge


def test_when_the_answer_of_a_withdrawal_is_lost_it_is_found_and_made_once(books: Books) -> None:
    person = books.person(money=1_000)
    with Proxy((books.server.host, books.server.port)) as proxy:
        database = through(books, proxy, "withdrawals")
        losing_the_next_answer(proxy)
        receipt, replayed = withdrawals.open_withdrawal(
            database,
            person.claim(),
            withdrawal_id=wiring.new_id(),
            provider="razorpayx",
            vpa=VPA,
            amount=600,
            first_check_s=60,
        )
        database.close()
    assert not replayed, "it is the caller's first answer"
    assert (receipt.balance, held(books, person)) == (None, 600), "what was found has no balance"


@pytest.mark.parametrize("news", [SUCCEEDED, REVERSED])
def test_when_the_answer_of_a_settlement_is_lost_it_is_found_and_no_duplicate(books: Books, news: PayoutStatus) -> None:
    person = books.person(money=1_000)
    receipt, _ = withdraw(books, person, 600)
    with Proxy((books.server.host, books.server.port)) as proxy:
        database = through(books, proxy, "gateway")
        losing_the_next_answer(proxy)
        settled = withdrawals.settle_withdrawal(
            database, payout(receipt, news), withdrawal_id=receipt.id, transaction_id=wiring.new_id()
        )
        database.close()
    assert settled is Settled.NEW
    assert books.balance(person) == (400 if news is SUCCEEDED else 1_000)
    assert books.faults() == []


def test_who_asks_for_withdrawals_settles_and_writes_none_and_who_settles_them_asks_for_none(books: Books) -> None:
    rows = books.select("SELECT COUNT(*) AS n FROM withdrawals")
    assert rows[0]["n"] >= 0
    for role, statement in (
        ("withdrawals", "CALL settle_withdrawal(1, 'x', 1, 'x', 1, 'INR', 'failed', NULL)"),
        ("withdrawals", "UPDATE withdrawals SET status = 'failed'"),
        ("gateway", "CALL request_withdrawal(1, 'k', 'h', 0, 1, 'x', 'x', 1, 1)"),
        ("gateway", "SELECT vpa FROM withdrawals"),
        ("gateway", "CALL free_withdrawal(1, 'x')"),
    ):
        database = books.as_role(role)
        with pytest.raises(Exception, match=r"error (1370|1142|1143)"):
            database.read(statement)
        database.close()
