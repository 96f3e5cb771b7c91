"""Holds: what is left of a promise, and when it is none any more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.holds import Hold, HoldStatus

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOLD = Hold(UUID(int=9), UUID(int=1), UUID(int=2), 100, NOW, NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("after", "is_open"),
    [(timedelta(), True), (timedelta(seconds=60, microseconds=-1), True), (timedelta(seconds=60), False)],
)
def test_a_hold_is_open_until_its_very_moment(after: timedelta, *, is_open: bool) -> None:
    assert HOLD.is_open(NOW + after) is is_open


@pytest.mark.parametrize("status", [status for status in HoldStatus if status is not HoldStatus.PLACED])
def test_what_has_ended_is_not_open(status: HoldStatus) -> None:
    assert not HOLD.end(status).is_open(NOW)


def test_a_part_leaves_the_hold_open_for_the_rest() -> None:
    after = HOLD.take(30, final=False)
    assert (after.status, after.captured, after.left) == (HoldStatus.PLACED, 30, 70)


def test_a_final_part_ends_it() -> None:
    after = HOLD.take(30, final=True)
    assert (after.status, after.captured, after.left) == (HoldStatus.CAPTURED, 30, 70)


def test_the_last_of_it_ends_it_without_a_word() -> None:
    after = replace(HOLD, captured=70).take(30, final=False)
    assert (after.status, after.left) == (HoldStatus.CAPTURED, 0)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=5))
def test_parts_add_up_to_what_was_captured(parts: list[int]) -> None:
    hold = replace(HOLD, amount=sum(parts))
    for part in parts:
        hold = hold.take(part, final=False)
    assert (hold.captured, hold.left, hold.status) == (sum(parts), 0, HoldStatus.CAPTURED)
