"""Fees: whole minor units, half of one rounded up, and never more than what came in."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.fees import FeeRate, payment_fee
from wallet.ledger.money import MAX_AMOUNT

SINCE = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "fee"),
    [(1, 0), (24, 0), (25, 1), (49, 1), (50, 1), (74, 1), (75, 2), (10_000, 200)],
)
def test_two_percent_is_rounded_to_a_whole_paisa_and_half_of_one_up(amount: int, fee: int) -> None:
    assert FeeRate(basis_points=200, flat=0).on(amount) == fee


@pytest.mark.parametrize(("amount", "fee"), [(4_999, 0), (5_000, 1), (14_999, 1), (15_000, 2)])
def test_what_is_a_hair_below_half_a_paisa_is_rounded_down(amount: int, fee: int) -> None:
    assert FeeRate(basis_points=1, flat=0).on(amount) == fee


@given(basis_points=st.integers(0, 1_000), flat=st.integers(0, 1_000_000), amount=st.integers(1, MAX_AMOUNT))
def test_a_fee_is_never_off_by_more_than_half_a_paisa(basis_points: int, flat: int, amount: int) -> None:
    exact = flat + Fraction(amount * basis_points, 10_000)
    off = FeeRate(basis_points, flat).on(amount) - exact
    assert -Fraction(1, 2) < off <= Fraction(1, 2)


def test_a_merchant_never_pays_more_than_they_were_paid() -> None:
    assert payment_fee(((SINCE, FeeRate(0, 300)),), 200, SINCE) == 200


def test_without_a_rate_in_force_nothing_is_taken() -> None:
    rates = ((SINCE, FeeRate(200, 0)),)
    assert payment_fee((), 10_000, SINCE) == 0
    assert payment_fee(rates, 10_000, SINCE - timedelta(microseconds=1)) == 0
    assert payment_fee(rates, 10_000, SINCE) == 200
