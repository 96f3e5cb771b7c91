"""How often a payer is told that somebody can't be paid."""

from datetime import UTC, datetime, timedelta

from wallet.ledger.payees import LOOKUP_WINDOW, LOOKUPS, LOOKUPS_OF_MERCHANTS, FailedLookups

NOW = datetime(2026, 11, 29, 6, 30, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


def test_people_are_told_a_hundred_times_in_an_hour_and_approved_merchants_by_files() -> None:
    assert (100, 10_000, timedelta(hours=1)) == (LOOKUPS, LOOKUPS_OF_MERCHANTS, LOOKUP_WINDOW)


def test_the_first_one_begins_the_hour_and_the_next_ones_count_in_it() -> None:
    first = FailedLookups().with_another(NOW)
    assert first == FailedLookups(1, NOW + timedelta(hours=1))
    last = first.with_another(NOW + timedelta(hours=1) - INSTANT)
    assert last == FailedLookups(2, NOW + timedelta(hours=1))
    assert last.with_another(last.ends_at) == FailedLookups(1, NOW + timedelta(hours=2))


def test_it_is_exhausted_by_the_last_that_is_allowed_until_the_hour_is_over() -> None:
    told = FailedLookups(3, NOW)
    assert told.is_exhausted(3, NOW - INSTANT)
    assert not told.is_exhausted(4, NOW - INSTANT)
    assert not told.is_exhausted(3, NOW)
    assert not FailedLookups().is_exhausted(1, NOW)
