"""Wallets: every no, and which of several is given."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.attempts import SuspenseReason
from wallet.ledger.holds import Hold, HoldStatus
from wallet.ledger.limits import Limits, Tier, Usage
from wallet.ledger.refusals import Refusal
from wallet.ledger.wallets import (
    MIN_TOP_UP,
    Wallet,
    WalletStatus,
    refuse_capture,
    refuse_hold,
    refuse_payment,
    refuse_refund,
    refuse_top_up,
)

ACTIVE, FROZEN, CLOSED = WalletStatus.ACTIVE, WalletStatus.FROZEN, WalletStatus.CLOSED
CLOSING = WalletStatus.CLOSING
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def tier(**limits: Any) -> Tier:
    return Tier(((datetime(2021, 1, 1, tzinfo=UTC), Limits("some", **limits)),))


TIER = tier(max_balance=1_000_000, max_top_up=500_000, max_payment=200_000)
UNLIMITED = tier()
PAYER = Wallet(UUID(int=1), TIER, balance=100_000)
PAYEE = Wallet(UUID(int=2), TIER)
HOLD = Hold(UUID(int=9), PAYER.id, PAYEE.id, 50_000, NOW - timedelta(hours=1), NOW + timedelta(hours=1))


@pytest.mark.parametrize("amount", [1, 99_999, 100_000])
def test_what_is_there_may_be_paid(amount: int) -> None:
    assert refuse_payment(PAYER, PAYEE, amount, NOW) is None


@pytest.mark.parametrize(
    ("payer", "payee", "amount", "refusal"),
    [
        (PAYER, None, 1, Refusal.PAYEE_UNAVAILABLE),
        (PAYER, replace(PAYEE, status=CLOSED), 1, Refusal.PAYEE_UNAVAILABLE),
        (PAYER, PAYER, 1, Refusal.SELF_PAYMENT),
        (replace(PAYER, status=FROZEN), PAYEE, 1, Refusal.WALLET_FROZEN),
        (replace(PAYER, status=CLOSED), PAYEE, 1, Refusal.WALLET_FROZEN),
        (PAYER, replace(PAYEE, status=FROZEN), 1, Refusal.PAYEE_UNAVAILABLE),
        (replace(PAYER, status=CLOSING), PAYEE, 1, Refusal.WALLET_FROZEN),
        (PAYER, replace(PAYEE, status=CLOSING), 1, Refusal.PAYEE_UNAVAILABLE),
        (PAYER, PAYEE, 100_001, Refusal.INSUFFICIENT_FUNDS),
        (replace(PAYER, balance=0), PAYEE, 1, Refusal.INSUFFICIENT_FUNDS),
        (replace(PAYER, held=1), PAYEE, 100_000, Refusal.INSUFFICIENT_FUNDS),
        (replace(PAYER, balance=300_000), PAYEE, 200_001, Refusal.WALLET_LIMIT_EXCEEDED),
        (PAYER, replace(PAYEE, balance=999_999), 2, Refusal.PAYEE_UNAVAILABLE),
        (PAYER, replace(PAYEE, balance=1_000_001), 1, Refusal.PAYEE_UNAVAILABLE),
    ],
)
def test_each_payment_that_can_not_be_has_its_refusal(
    payer: Wallet, payee: Wallet | None, amount: int, refusal: Refusal
) -> None:
    assert refuse_payment(payer, payee, amount, NOW) is refusal


#: Everything that a payee can be to a payer, in private: there, or not, or not able to take the money.
PAYEES = (
    None,
    PAYEE,
    *(replace(PAYEE, status=status) for status in (FROZEN, CLOSING, CLOSED)),
    replace(PAYEE, balance=1_000_000),
    replace(PAYEE, tier=tier(max_load_month=1)),
)


@pytest.mark.parametrize(
    ("payer", "amount"),
    [
        (replace(PAYER, balance=0), 1),
        (replace(PAYER, held=100_000), 1),
        (replace(PAYER, status=FROZEN), 1),
        (replace(PAYER, status=FROZEN, balance=0), 1),
        (replace(PAYER, balance=300_000), 200_001),
        (replace(PAYER, tier=tier(person_to_person=False)), 1),
    ],
)
def test_who_is_refused_for_a_reason_of_their_own_is_told_that_whatever_the_payee_is(
    payer: Wallet, amount: int
) -> None:
    for refuse in (refuse_payment, refuse_hold):
        answers = {refuse(payer, payee, amount, NOW) for payee in PAYEES}
        assert len(answers) == 1
        assert not answers & {None, Refusal.PAYEE_UNAVAILABLE}


def test_whatever_keeps_a_payee_from_being_paid_is_one_refusal() -> None:
    assert {refuse_payment(PAYER, payee, 2, NOW) for payee in PAYEES if payee != PAYEE} == {Refusal.PAYEE_UNAVAILABLE}


def test_a_hold_asks_of_its_payee_only_whether_there_is_one() -> None:
    told = [refuse_hold(PAYER, payee, 2, NOW) for payee in PAYEES]
    assert told == [Refusal.PAYEE_UNAVAILABLE if payee is None or payee.status is CLOSED else None for payee in PAYEES]


@pytest.mark.parametrize("held", [0, 1, 50_000, 100_000])
def test_what_is_promised_is_not_available(held: int) -> None:
    payer = replace(PAYER, held=held)
    rest = 100_000 - held
    assert payer.available == rest
    assert refuse_payment(payer, PAYEE, rest + 1, NOW) is Refusal.INSUFFICIENT_FUNDS
    assert rest == 0 or refuse_payment(payer, PAYEE, rest, NOW) is None


def test_the_last_paisa_under_a_limit_may_come_in() -> None:
    assert refuse_payment(PAYER, replace(PAYEE, balance=999_999), 1, NOW) is None


def test_no_limit_limits_nothing() -> None:
    payer = Wallet(UUID(int=1), UNLIMITED, balance=2**53)
    assert refuse_payment(payer, Wallet(UUID(int=2), UNLIMITED, balance=2**53), 2**53 - 1, NOW) is None


@given(
    same=st.booleans(),
    payer_status=st.sampled_from(WalletStatus),
    payee_status=st.sampled_from(WalletStatus),
    balance=st.sampled_from([10, 300_000]),
    payee_balance=st.sampled_from([0, 1_000_000]),
    amount=st.sampled_from([5, 250_000]),
)
def test_of_several_refusals_of_a_payment_the_first_in_the_list_is_given(
    *,
    same: bool,
    payer_status: WalletStatus,
    payee_status: WalletStatus,
    balance: int,
    payee_balance: int,
    amount: int,
) -> None:
    payer = replace(PAYER, status=payer_status, balance=balance)
    payee = payer if same else replace(PAYEE, status=payee_status, balance=payee_balance)
    apply = {
        Refusal.SELF_PAYMENT: same,
        Refusal.WALLET_FROZEN: payer.status is not ACTIVE,
        Refusal.INSUFFICIENT_FUNDS: amount > balance,
        Refusal.WALLET_LIMIT_EXCEEDED: amount > 200_000,
        Refusal.PAYEE_UNAVAILABLE: payee.status is not ACTIVE or amount > 1_000_000 - payee.balance,
    }
    first = next((refusal for refusal in Refusal if apply.get(refusal)), None)
    assert refuse_payment(payer, payee, amount, NOW) is first


@pytest.mark.parametrize("amount", [MIN_TOP_UP, 500_000])
def test_a_top_up_within_the_tier_may_be_asked_for(amount: int) -> None:
    assert refuse_top_up(PAYEE, amount, NOW) is None


@pytest.mark.parametrize(
    ("wallet", "amount", "refusal"),
    [
        (replace(PAYEE, status=FROZEN), 1_000, Refusal.WALLET_FROZEN),
        (replace(PAYEE, status=CLOSED), 1_000, Refusal.WALLET_FROZEN),
        (PAYEE, MIN_TOP_UP - 1, Refusal.AMOUNT_OUT_OF_RANGE),
        (PAYEE, 500_001, Refusal.AMOUNT_OUT_OF_RANGE),
        (replace(PAYEE, balance=999_900), 101, Refusal.WALLET_LIMIT_EXCEEDED),
    ],
)
def test_each_top_up_that_can_not_be_has_its_refusal(wallet: Wallet, amount: int, refusal: Refusal) -> None:
    assert refuse_top_up(wallet, amount, NOW) is refusal


@given(
    status=st.sampled_from(WalletStatus),
    balance=st.sampled_from([0, 1_000_000]),
    amount=st.sampled_from([1, 1_000, 600_000]),
)
def test_of_several_refusals_of_a_top_up_the_first_in_the_list_is_given(
    status: WalletStatus, balance: int, amount: int
) -> None:
    apply = {
        Refusal.WALLET_FROZEN: status is not ACTIVE,
        Refusal.AMOUNT_OUT_OF_RANGE: amount < MIN_TOP_UP or amount > 500_000,
        Refusal.WALLET_LIMIT_EXCEEDED: amount > 1_000_000 - balance,
    }
    first = next((refusal for refusal in Refusal if apply.get(refusal)), None)
    assert refuse_top_up(replace(PAYEE, status=status, balance=balance), amount, NOW) is first


def used(**sums: Any) -> Usage:
    """What has been counted in the periods of now."""
    return replace(Usage().begun(NOW), **sums)


@pytest.mark.parametrize(
    ("limits", "usage"),
    [
        ({"max_debit_day": 100}, used(debited_day=51)),
        ({"max_debit_month": 100}, used(debited_month=51)),
        ({"person_to_person": False}, used()),
    ],
)
def test_a_payment_over_a_limit_of_the_payers_period_or_kind_is_refused_and_so_is_a_hold(
    limits: dict[str, Any], usage: Usage
) -> None:
    payer = replace(PAYER, tier=tier(**limits), usage=usage)
    assert refuse_payment(payer, PAYEE, 50, NOW) is Refusal.WALLET_LIMIT_EXCEEDED
    assert refuse_hold(payer, PAYEE, 50, NOW) is Refusal.WALLET_LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("limits", "usage"),
    [
        ({"max_debit_day": 100}, used(debited_day=50)),
        ({"max_debit_month": 100}, used(debited_month=50)),
        (
            {"max_debit_day": 100, "max_debit_month": 100},
            replace(used(), day=NOW.date() - timedelta(1), debited_day=99),
        ),
    ],
)
def test_the_last_paisa_of_a_period_may_be_paid_and_yesterdays_does_not_count(
    limits: dict[str, Any], usage: Usage
) -> None:
    assert refuse_payment(replace(PAYER, tier=tier(**limits), usage=usage), PAYEE, 50, NOW) is None


def test_who_may_not_pay_people_may_pay_a_merchant() -> None:
    payer = replace(PAYER, tier=tier(person_to_person=False))
    assert refuse_payment(payer, replace(PAYEE, is_merchant=True), 50, NOW) is None


@pytest.mark.parametrize(
    ("limits", "usage"),
    [({"max_load_month": 100}, used(loaded_month=51)), ({"max_load_year": 100}, used(loaded_year=51))],
)
def test_loads_are_limited_for_people_and_not_for_merchants(limits: dict[str, Any], usage: Usage) -> None:
    payee = replace(PAYEE, tier=tier(**limits), usage=usage)
    assert refuse_payment(PAYER, payee, 50, NOW) is Refusal.PAYEE_UNAVAILABLE
    assert refuse_payment(PAYER, payee, 49, NOW) is None
    assert refuse_payment(PAYER, replace(payee, is_merchant=True), 50, NOW) is None
    assert payee.over_limit(50, NOW, is_load=True) is SuspenseReason.OVER_LOAD_LIMIT
    assert refuse_top_up(payee, 100, NOW) is Refusal.WALLET_LIMIT_EXCEEDED


def test_the_balance_is_looked_at_before_the_load() -> None:
    wallet = replace(PAYEE, tier=tier(max_balance=10, max_load_month=10))
    assert wallet.over_limit(11, NOW, is_load=True) is SuspenseReason.OVER_BALANCE_LIMIT


def test_a_hold_does_not_ask_what_the_payee_has_loaded_this_month() -> None:
    payee = replace(PAYEE, tier=tier(max_load_month=100), usage=used(loaded_month=100))
    assert refuse_hold(PAYER, payee, 50, NOW) is None
    assert refuse_capture(PAYER, payee, HOLD, 50, NOW) is Refusal.WALLET_LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("hold", "amount", "refusal"),
    [
        (replace(HOLD, expires_at=NOW), 1, Refusal.HOLD_NOT_PLACED),
        (replace(HOLD, status=HoldStatus.RELEASED), 60_000, Refusal.HOLD_NOT_PLACED),
        (HOLD, 50_001, Refusal.CAPTURE_EXCEEDS_HOLD),
        (replace(HOLD, captured=49_999), 2, Refusal.CAPTURE_EXCEEDS_HOLD),
    ],
)
def test_each_capture_that_can_not_be_has_its_refusal(hold: Hold, amount: int, refusal: Refusal) -> None:
    assert refuse_capture(PAYER, PAYEE, hold, amount, NOW) is refusal


@pytest.mark.parametrize(("captured", "amount"), [(0, 50_000), (49_999, 1)])
def test_all_that_is_left_of_a_hold_may_be_captured(captured: int, amount: int) -> None:
    assert refuse_capture(PAYER, PAYEE, replace(HOLD, captured=captured), amount, NOW) is None


@pytest.mark.parametrize("status", [FROZEN, CLOSING, CLOSED])
def test_nothing_is_captured_while_either_side_may_not_move_money(status: WalletStatus) -> None:
    assert refuse_capture(replace(PAYER, status=status), PAYEE, HOLD, 1, NOW) is Refusal.HOLD_NOT_PLACED
    assert refuse_capture(PAYER, replace(PAYEE, status=status), HOLD, 1, NOW) is Refusal.WALLET_FROZEN


@pytest.mark.parametrize("status", [FROZEN, CLOSING, CLOSED])
def test_nothing_is_promised_while_the_payer_may_not_move_money(status: WalletStatus) -> None:
    assert refuse_hold(replace(PAYER, status=status), PAYEE, 1, NOW) is Refusal.WALLET_FROZEN


@pytest.mark.parametrize(("amount", "refusal"), [(0, Refusal.REFUND_EXCEEDS_PAYMENT), (1, None), (2, None)])
def test_a_refund_gives_back_a_paisa_at_least(amount: int, refusal: Refusal | None) -> None:
    assert refuse_refund(replace(PAYEE, balance=2), 2, amount) is refusal


def test_all_that_is_available_may_be_given_back_and_no_more() -> None:
    payee = replace(PAYEE, balance=10, held=3)
    assert refuse_refund(payee, 10, 7) is None
    assert refuse_refund(payee, 10, 8) is Refusal.INSUFFICIENT_FUNDS


@given(
    is_open=st.booleans(),
    amount=st.sampled_from([1, 60_000]),
    payer_status=st.sampled_from(WalletStatus),
    payee_status=st.sampled_from(WalletStatus),
    payee_balance=st.sampled_from([0, 1_000_000]),
)
def test_of_several_refusals_of_a_capture_the_first_in_the_list_is_given(
    *, is_open: bool, amount: int, payer_status: WalletStatus, payee_status: WalletStatus, payee_balance: int
) -> None:
    hold = HOLD if is_open else replace(HOLD, expires_at=NOW)
    apply = {
        Refusal.HOLD_NOT_PLACED: not is_open or payer_status is not ACTIVE,
        Refusal.CAPTURE_EXCEEDS_HOLD: amount > 50_000,
        Refusal.WALLET_FROZEN: payee_status is not ACTIVE,
        Refusal.WALLET_LIMIT_EXCEEDED: amount > 1_000_000 - payee_balance,
    }
    first = next((refusal for refusal in Refusal if apply.get(refusal)), None)
    payee = replace(PAYEE, status=payee_status, balance=payee_balance)
    assert refuse_capture(replace(PAYER, status=payer_status), payee, hold, amount, NOW) is first


@given(
    amount=st.integers(0, 300),
    left=st.integers(0, 200),
    payee_status=st.sampled_from(WalletStatus),
    balance=st.integers(0, 300),
)
def test_of_several_refusals_of_a_refund_the_first_in_the_list_is_given(
    amount: int, left: int, payee_status: WalletStatus, balance: int
) -> None:
    apply = {
        Refusal.WALLET_FROZEN: payee_status is not ACTIVE,
        Refusal.REFUND_EXCEEDS_PAYMENT: amount > left or amount == 0,
        Refusal.INSUFFICIENT_FUNDS: amount > balance,
    }
    first = next((refusal for refusal in Refusal if apply.get(refusal)), None)
    payee = replace(PAYEE, status=payee_status, balance=balance)
    assert refuse_refund(payee, left, amount) is first
