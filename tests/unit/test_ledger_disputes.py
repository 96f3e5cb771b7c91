"""News of payments' disputes: the latest by the gateway's own time stand, in whatever order they come."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.disputes import DisputeNews, DisputePhase, DisputeStatus, ObservedDispute, weigh

FIRST = ObservedDispute(
    gateway="razorpay",
    dispute_id="disp_1",
    payment_id="pay_1",
    amount=500,
    currency="INR",
    phase=DisputePhase.CHARGEBACK,
    status=DisputeStatus.OPEN,
    told_at=datetime(2026, 11, 18, tzinfo=UTC),
)
LATER = FIRST.told_at + timedelta(seconds=1)

news = st.builds(
    lambda seconds, phase, status: replace(
        FIRST, phase=phase, status=status, told_at=FIRST.told_at + timedelta(seconds=seconds)
    ),
    st.integers(0, 3),
    st.sampled_from(list(DisputePhase)),
    st.sampled_from(list(DisputeStatus)),
)


@pytest.mark.parametrize("status", list(DisputeStatus))
@pytest.mark.parametrize("phase", list(DisputePhase))
def test_later_news_stand_and_older_ones_change_nothing(phase: DisputePhase, status: DisputeStatus) -> None:
    told = replace(FIRST, phase=phase, status=status, told_at=LATER)
    assert weigh(stored=FIRST, told=told) is DisputeNews.NEW
    assert weigh(stored=told, told=FIRST) is DisputeNews.KNOWN


def test_the_same_news_again_are_known() -> None:
    assert weigh(stored=FIRST, told=FIRST) is DisputeNews.KNOWN


@pytest.mark.parametrize("change", [{"payment_id": "pay_2"}, {"currency": "USD"}])
def test_news_of_another_payment_or_currency_are_for_people(change: dict[str, str]) -> None:
    assert weigh(stored=FIRST, told=replace(FIRST, told_at=LATER, **change)) is DisputeNews.MISMATCH  # type: ignore[arg-type]  # texts


def test_of_one_moment_what_is_nearer_to_the_end_stands() -> None:
    review = replace(FIRST, status=DisputeStatus.UNDER_REVIEW)
    lost = replace(FIRST, status=DisputeStatus.LOST)
    again = replace(FIRST, phase=DisputePhase.ARBITRATION)
    for before, after in itertools.combinations((FIRST, review, lost, again), 2):
        assert weigh(stored=before, told=after) is DisputeNews.NEW
        assert weigh(stored=after, told=before) is DisputeNews.KNOWN


def test_two_ends_of_one_moment_contradict_each_other_if_one_is_a_loss() -> None:
    won, lost, closed = (
        replace(FIRST, status=status) for status in (DisputeStatus.WON, DisputeStatus.LOST, DisputeStatus.CLOSED)
    )
    assert weigh(stored=won, told=lost) is DisputeNews.CONTRADICTED
    assert weigh(stored=lost, told=closed) is DisputeNews.CONTRADICTED
    assert weigh(stored=won, told=closed) is DisputeNews.KNOWN


@given(st.lists(news, min_size=1, max_size=6), st.randoms())
def test_whatever_the_order_the_latest_moment_is_what_stands(told: list[ObservedDispute], chance: object) -> None:
    stored = told[0]
    for one in told:
        if weigh(stored=stored, told=one) is DisputeNews.NEW:
            stored = one
    assert stored.told_at == max(one.told_at for one in told)
