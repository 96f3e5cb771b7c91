"""Wallets: every no, and which of several is given."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.refusals import Refusal
from wallet.ledger.wallets import MIN_TOP_UP, Tier, Wallet, WalletStatus, refuse_payment, refuse_top_up

ACTIVE, FROZEN, CLOSED = WalletStatus.ACTIVE, WalletStatus.FROZEN, WalletStatus.CLOSED
TIER = Tier("small", max_balance=1_000_000, max_top_up=500_000, max_payment=200_000)
UNLIMITED = Tier("merchant", max_balance=None, max_top_up=None, max_payment=None)
PAYER = Wallet(UUID(int=1), TIER, balance=100_000)
PAYEE = Wallet(UUID(int=2), TIER)


@pytest.mark.parametrize("amount", [1, 99_999, 100_000])
def test_what_is_there_may_be_paid(amount: int) -> None:
    assert refuse_payment(PAYER, PAYEE, amount) is None


@pytest.mark.parametrize(
    ("payer", "payee", "amount", "refusal"),
    [
        (PAYER, replace(PAYEE, status=CLOSED), 1, Refusal.PAYEE_NOT_FOUND),
        (PAYER, PAYER, 1, Refusal.SELF_PAYMENT),
        (replace(PAYER, status=FROZEN), PAYEE, 1, Refusal.WALLET_FROZEN),
        (replace(PAYER, status=CLOSED), PAYEE, 1, Refusal.WALLET_FROZEN),
        (PAYER, replace(PAYEE, status=FROZEN), 1, Refusal.WALLET_FROZEN),
        (PAYER, PAYEE, 100_001, Refusal.INSUFFICIENT_FUNDS),
        (replace(PAYER, balance=0), PAYEE, 1, Refusal.INSUFFICIENT_FUNDS),
        (replace(PAYER, held=1), PAYEE, 100_000, Refusal.INSUFFICIENT_FUNDS),
        (replace(PAYER, balance=300_000), PAYEE, 200_001, Refusal.WALLET_LIMIT_EXCEEDED),
        (PAYER, replace(PAYEE, balance=999_999), 2, Refusal.WALLET_LIMIT_EXCEEDED),
        (PAYER, replace(PAYEE, balance=1_000_001), 1, Refusal.WALLET_LIMIT_EXCEEDED),
    ],
)
def test_each_payment_that_can_not_be_has_its_refusal(
    payer: Wallet, payee: Wallet, amount: int, refusal: Refusal
) -> None:
    assert refuse_payment(payer, payee, amount) is refusal


@pytest.mark.parametrize("held", [0, 1, 50_000, 100_000])
def test_what_is_promised_is_not_available(held: int) -> None:
    payer = replace(PAYER, held=held)
    rest = 100_000 - held
    assert payer.available == rest
    assert refuse_payment(payer, PAYEE, rest + 1) is Refusal.INSUFFICIENT_FUNDS
    assert rest == 0 or refuse_payment(payer, PAYEE, rest) is None


def test_the_last_paisa_under_a_limit_may_come_in() -> None:
    assert refuse_payment(PAYER, replace(PAYEE, balance=999_999), 1) is None


def test_no_limit_limits_nothing() -> None:
    payer = Wallet(UUID(int=1), UNLIMITED, balance=2**53)
    assert refuse_payment(payer, Wallet(UUID(int=2), UNLIMITED, balance=2**53), 2**53 - 1) is None


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
        Refusal.PAYEE_NOT_FOUND: payee.status is CLOSED,
        Refusal.SELF_PAYMENT: same,
        Refusal.WALLET_FROZEN: payer.status is not ACTIVE or payee.status is not ACTIVE,
        Refusal.INSUFFICIENT_FUNDS: amount > balance,
        Refusal.WALLET_LIMIT_EXCEEDED: amount > 200_000 or amount > 1_000_000 - payee.balance,
    }
    first = next((refusal for refusal in Refusal if apply.get(refusal)), None)
    assert refuse_payment(payer, payee, amount) is first


@pytest.mark.parametrize("amount", [MIN_TOP_UP, 500_000])
def test_a_top_up_within_the_tier_may_be_asked_for(amount: int) -> None:
    assert refuse_top_up(PAYEE, amount) is None


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
    assert refuse_top_up(wallet, amount) is refusal


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
    assert refuse_top_up(replace(PAYEE, status=status, balance=balance), amount) is first
