"""What may be withdrawn, and what follows when a withdrawal hears news of its payout."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.limits import Limits, Tier
from wallet.ledger.refusals import Refusal
from wallet.ledger.wallets import MIN_WITHDRAWAL, Wallet, WalletStatus, refuse_withdrawal
from wallet.ledger.withdrawals import (
    Booking,
    PayoutStatus,
    Standing,
    Step,
    Verdict,
    WithdrawalStatus,
    hear,
    weigh,
)

PENDING, SUCCEEDED, FAILED, REVERSED = WithdrawalStatus

#: Where a withdrawal may go from where it stands, and nowhere else.
FORWARD = {PENDING: {SUCCEEDED, FAILED, REVERSED}, SUCCEEDED: {REVERSED}, FAILED: set(), REVERSED: set()}

#: What each standing means for the wallet: how much of what was asked for has left it, and how much is held.
LEFT_AND_HELD = {PENDING: (0, 1), SUCCEEDED: (1, 0), FAILED: (0, 0), REVERSED: (0, 0)}

EFFECTS = {Booking.LEAVES: (1, -1), Booking.IS_FREED: (0, -1), Booking.COMES_BACK: (-1, 0)}

stories = st.lists(st.sampled_from(PayoutStatus), max_size=12)


def played(story: list[PayoutStatus]) -> list[Step]:
    status, steps = PENDING, []
    for news in story:
        steps.append(hear(status, news))
        status = steps[-1].status
    return steps


@given(stories)
def test_whatever_is_heard_in_whatever_order_it_moves_forward_only(story: list[PayoutStatus]) -> None:
    status = PENDING
    for step in played(story):
        assert step.status is status or step.status in FORWARD[status]
        status = step.status


@given(stories)
def test_what_is_booked_always_adds_up_to_where_it_stands(story: list[PayoutStatus]) -> None:
    left, held, status = 0, 1, PENDING
    for step in played(story):
        for booking in step.bookings:
            left, held = left + EFFECTS[booking][0], held + EFFECTS[booking][1]
            assert left in (0, 1)
            assert held in (0, 1)
        status = step.status
        assert (left, held) == LEFT_AND_HELD[status]
    bookings = [booking for step in played(story) for booking in step.bookings]
    assert len(bookings) == len(set(bookings)), "each thing happens once"


@given(stories)
def test_hearing_everything_again_books_nothing_more(story: list[PayoutStatus]) -> None:
    first = played(story)
    again = played(story + story)[len(story) :]
    assert all(step.bookings == () for step in again)
    assert again == [] or again[-1].status is first[-1].status


@given(stories)
def test_only_a_payout_that_was_paid_and_failed_is_disputed(story: list[PayoutStatus]) -> None:
    disputed = any(step.disputed for step in played(story))
    if disputed:
        assert {PayoutStatus.SUCCEEDED, PayoutStatus.FAILED} <= set(story)


@pytest.mark.parametrize("status", WithdrawalStatus)
@pytest.mark.parametrize("news", [PayoutStatus.PENDING, PayoutStatus.UNKNOWN])
def test_news_that_says_nothing_changes_nothing(status: WithdrawalStatus, news: PayoutStatus) -> None:
    assert not news.is_final
    assert hear(status, news) == Step(status)


def test_a_reversal_heard_before_the_success_books_both_and_the_success_adds_nothing() -> None:
    assert hear(PENDING, PayoutStatus.REVERSED) == Step(REVERSED, (Booking.LEAVES, Booking.COMES_BACK))
    assert hear(REVERSED, PayoutStatus.SUCCEEDED) == Step(REVERSED)


def test_a_failed_payout_that_is_called_reversed_later_has_been_given_back_already() -> None:
    assert hear(FAILED, PayoutStatus.REVERSED) == Step(FAILED)


@pytest.mark.parametrize(("status", "news"), [(SUCCEEDED, PayoutStatus.FAILED), (FAILED, PayoutStatus.SUCCEEDED)])
def test_of_two_words_that_contradict_each_other_the_first_stands(status: WithdrawalStatus, news: PayoutStatus) -> None:
    assert hear(status, news) == Step(status, disputed=True)


PAID, GONE, SENT_BACK = PayoutStatus.SUCCEEDED, PayoutStatus.FAILED, PayoutStatus.REVERSED
AGREES, OLD, COMES_BACK, DISPUTED = Verdict


@pytest.mark.parametrize(
    ("standing", "is_paid", "verdicts"),
    [  # what `processed`, `failed` and `reversed` are to it, first as an event's word, then as the answer to a question
        (Standing(SUCCEEDED), True, (AGREES, AGREES, DISPUTED, DISPUTED, COMES_BACK, COMES_BACK)),
        (Standing(FAILED), False, (DISPUTED, DISPUTED, AGREES, AGREES, AGREES, AGREES)),
        (Standing(FAILED, corrected=True), True, (AGREES, AGREES, DISPUTED, DISPUTED, COMES_BACK, COMES_BACK)),
        (Standing(FAILED, corrected=True, returned=True), False, (OLD, DISPUTED, AGREES, AGREES, AGREES, AGREES)),
        (Standing(REVERSED, returned=True), False, (OLD, DISPUTED, AGREES, AGREES, AGREES, AGREES)),
        (
            Standing(REVERSED, corrected=True, returned=True),
            True,
            (AGREES, AGREES, DISPUTED, DISPUTED, DISPUTED, DISPUTED),
        ),
    ],
)
def test_news_is_weighed_against_where_the_money_is_and_not_against_a_status(
    standing: Standing,
    is_paid: bool,  # noqa: FBT001 - a parameter of the test
    verdicts: tuple[Verdict, ...],
) -> None:
    assert standing.is_paid is is_paid
    told = [weigh(standing, news, asked=asked) for news in (PAID, GONE, SENT_BACK) for asked in (False, True)]
    assert tuple(told) == verdicts


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def wallet(balance: int = 10_000, held: int = 0, **limits: Any) -> Wallet:
    tier = Tier(((datetime(2021, 1, 1, tzinfo=UTC), Limits("some", **limits)),))
    return Wallet(UUID(int=1), tier, balance=balance, held=held)


def test_all_that_is_available_may_be_withdrawn_and_not_a_paisa_more() -> None:
    asha = wallet(balance=10_000, held=4_000)
    assert refuse_withdrawal(asha, 6_000, 0, NOW) is None
    assert refuse_withdrawal(asha, 6_001, 0, NOW) is Refusal.INSUFFICIENT_FUNDS
    assert refuse_withdrawal(asha, 5_990, 10, NOW) is None
    assert refuse_withdrawal(asha, 5_990, 11, NOW) is Refusal.INSUFFICIENT_FUNDS


def test_a_rupee_at_least_is_withdrawn() -> None:
    assert refuse_withdrawal(wallet(), MIN_WITHDRAWAL, 0, NOW) is None
    assert refuse_withdrawal(wallet(), MIN_WITHDRAWAL - 1, 0, NOW) is Refusal.AMOUNT_OUT_OF_RANGE


@pytest.mark.parametrize("status", [WalletStatus.FROZEN, WalletStatus.CLOSING, WalletStatus.CLOSED])
def test_a_wallet_that_is_not_active_withdraws_nothing(status: WalletStatus) -> None:
    assert refuse_withdrawal(replace(wallet(), status=status), 100, 0, NOW) is Refusal.WALLET_FROZEN


@pytest.mark.parametrize("limit", ["max_payment", "max_debit_day", "max_debit_month"])
def test_a_withdrawal_is_a_debit_and_its_fee_is_none(limit: str) -> None:
    asha = wallet(**{limit: 500})
    assert refuse_withdrawal(asha, 500, 100, NOW) is None
    assert refuse_withdrawal(asha, 501, 0, NOW) is Refusal.WALLET_LIMIT_EXCEEDED


def test_a_tier_may_forbid_it() -> None:
    assert refuse_withdrawal(wallet(withdrawals=False), 100, 0, NOW) is Refusal.WALLET_LIMIT_EXCEEDED


def test_of_several_refusals_the_first_in_order_is_given() -> None:
    poor = replace(wallet(balance=0, withdrawals=False), status=WalletStatus.FROZEN)
    given_up = [Refusal.WALLET_FROZEN, Refusal.AMOUNT_OUT_OF_RANGE, Refusal.INSUFFICIENT_FUNDS]
    active = replace(poor, status=WalletStatus.ACTIVE)
    told = [refuse_withdrawal(who, amount, 0, NOW) for who, amount in ((poor, 1), (active, 1), (active, 100))]
    assert told == given_up == sorted(given_up, key=list(Refusal).index)
