"""What news of a refund come to: the rule, whole."""

import itertools

import pytest

from wallet.ledger.refunds import RefundNews, RefundStatus, weigh

PENDING, SUCCEEDED, FAILED = RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.FAILED
TOLD = (PENDING, SUCCEEDED, FAILED)


@pytest.mark.parametrize("stored", TOLD)
@pytest.mark.parametrize("told", TOLD)
def test_what_was_not_asked_for_is_a_mismatch_whatever_it_says(stored: RefundStatus, told: RefundStatus) -> None:
    for known in (False, True):
        assert weigh(stored=stored, told=told, agrees=False, is_known_there=known) is RefundNews.MISMATCH


@pytest.mark.parametrize("told", [SUCCEEDED, FAILED])
def test_a_pending_refund_takes_any_end(told: RefundStatus) -> None:
    assert weigh(stored=PENDING, told=told, agrees=True, is_known_there=True) is RefundNews.NEW


def test_that_it_is_pending_is_news_once() -> None:
    assert weigh(stored=PENDING, told=PENDING, agrees=True, is_known_there=False) is RefundNews.NEW
    assert weigh(stored=PENDING, told=PENDING, agrees=True, is_known_there=True) is RefundNews.KNOWN


@pytest.mark.parametrize(
    ("stored", "told", "news"),
    [
        (SUCCEEDED, SUCCEEDED, RefundNews.KNOWN),
        (SUCCEEDED, PENDING, RefundNews.KNOWN),
        (SUCCEEDED, FAILED, RefundNews.CONTRADICTED),
        (FAILED, FAILED, RefundNews.KNOWN),
        (FAILED, PENDING, RefundNews.KNOWN),
        (FAILED, SUCCEEDED, RefundNews.CONTRADICTED),
    ],
)
def test_an_end_stays_and_what_contradicts_it_is_for_people(
    stored: RefundStatus, told: RefundStatus, news: RefundNews
) -> None:
    assert weigh(stored=stored, told=told, agrees=True, is_known_there=True) is news


def test_a_refund_that_we_had_given_up_by_ourselves_may_have_been_made_after_all() -> None:
    assert weigh(stored=FAILED, told=SUCCEEDED, agrees=True, is_known_there=False) is RefundNews.MADE_AFTER_ALL


def test_in_every_order_of_news_there_is_one_end() -> None:
    for story in itertools.product(TOLD, repeat=5):
        stored, known, ends = PENDING, False, 0
        for told in story:
            if weigh(stored=stored, told=told, agrees=True, is_known_there=known) is RefundNews.NEW:
                stored, known = told, True
                ends += stored.is_final
        assert ends <= 1
