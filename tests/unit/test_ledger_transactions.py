"""Transactions: two postings or more, that sum to zero, or none at all."""

from dataclasses import FrozenInstanceError
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.accounts import FEES, SUSPENSE, Account
from wallet.ledger.money import INR, MAX_AMOUNT
from wallet.ledger.transactions import (
    Posting,
    Side,
    Transaction,
    TransactionType,
    UnbalancedError,
    arrival,
    fee,
    payment,
    refund,
)

ID, PAYER, PAYEE = UUID(int=1), UUID(int=2), UUID(int=3)
amounts = st.integers(1, MAX_AMOUNT)


def debit(amount: int) -> Posting:
    return Posting(Account.of_wallet(PAYER), Side.DEBIT, amount)


def credit(amount: int) -> Posting:
    return Posting(Account.of_wallet(PAYEE), Side.CREDIT, amount)


@given(st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 9)), max_size=6))
def test_a_transaction_is_made_exactly_if_it_balances(lines: list[tuple[Side, int]]) -> None:
    postings = tuple(Posting(SUSPENSE, side, amount) for side, amount in lines)
    balances = sum(amount if side is Side.CREDIT else -amount for side, amount in lines) == 0 and len(lines) > 1
    try:
        Transaction(ID, TransactionType.PAYMENT, INR, postings)
        made = True
    except UnbalancedError:
        made = False
    assert made is balances


@pytest.mark.parametrize(
    "postings",
    [
        pytest.param((), id="none"),
        pytest.param((credit(1),), id="one"),
        pytest.param((credit(1), credit(1)), id="two credits"),
        pytest.param((debit(2), credit(1)), id="a paisa lost"),
        pytest.param((debit(1), credit(2)), id="a paisa made"),
    ],
)
def test_what_does_not_balance_is_never_made(postings: tuple[Posting, ...]) -> None:
    with pytest.raises(UnbalancedError):
        Transaction(ID, TransactionType.PAYMENT, INR, postings)


@pytest.mark.parametrize("amount", [0, -1, -MAX_AMOUNT, MAX_AMOUNT + 1])
def test_a_posting_has_a_positive_amount_that_everybody_can_read(amount: int) -> None:
    with pytest.raises(UnbalancedError):
        credit(amount)


@given(amounts)
def test_a_payment_takes_from_the_payer_what_it_gives_the_payee(amount: int) -> None:
    made = payment(transaction_id=ID, payer=PAYER, payee=PAYEE, currency=INR, amount=amount)
    signed = {posting.account: posting.signed for posting in made.postings}
    assert signed == {Account.of_wallet(PAYER): -amount, Account.of_wallet(PAYEE): amount}
    assert (made.id, made.type, made.currency, made.cause_id) == (ID, TransactionType.PAYMENT, INR, None)


@given(amounts)
def test_money_that_arrives_is_the_gateways_debt_and_the_wallets_gain(amount: int) -> None:
    made = arrival(transaction_id=ID, gateway="razorpay", wallet_id=PAYEE, currency=INR, amount=amount)
    signed = {posting.account: posting.signed for posting in made.postings}
    assert signed == {Account.of_gateway("razorpay"): -amount, Account.of_wallet(PAYEE): amount}
    assert (made.id, made.type, made.currency, made.cause_id) == (ID, TransactionType.TOP_UP, INR, None)


@given(amounts)
def test_money_that_fits_nowhere_goes_to_suspense(amount: int) -> None:
    made = arrival(transaction_id=ID, gateway="razorpay", wallet_id=None, currency=INR, amount=amount)
    signed = {posting.account: posting.signed for posting in made.postings}
    assert signed == {Account.of_gateway("razorpay"): -amount, SUSPENSE: amount}
    assert made.type is TransactionType.SUSPENSE


@given(paid=amounts, part=amounts)
def test_a_refund_takes_from_the_payee_and_names_the_payment(paid: int, part: int) -> None:
    before = payment(transaction_id=ID, payer=PAYER, payee=PAYEE, currency=INR, amount=paid)
    made = refund(transaction_id=UUID(int=4), paid=before, amount=part)
    signed = {posting.account: posting.signed for posting in made.postings}
    assert signed == {Account.of_wallet(PAYER): part, Account.of_wallet(PAYEE): -part}
    assert (made.type, made.cause_id, made.amount) == (TransactionType.REFUND, ID, part)
    assert (made.id, made.currency) == (UUID(int=4), INR)


@given(amounts)
def test_a_fee_is_the_payees_and_names_the_payment(part: int) -> None:
    before = payment(transaction_id=ID, payer=PAYER, payee=PAYEE, currency=INR, amount=MAX_AMOUNT)
    made = fee(transaction_id=UUID(int=4), paid=before, amount=part)
    signed = {posting.account: posting.signed for posting in made.postings}
    assert signed == {FEES: part, Account.of_wallet(PAYEE): -part}
    assert (made.id, made.type, made.currency, made.cause_id) == (UUID(int=4), TransactionType.FEE, INR, ID)


def test_what_follows_from_a_payment_is_of_its_currency() -> None:
    paid = payment(transaction_id=ID, payer=PAYER, payee=PAYEE, currency="USD", amount=5)
    assert [make(transaction_id=UUID(int=4), paid=paid, amount=5).currency for make in (refund, fee)] == ["USD", "USD"]


def test_a_capture_is_a_payment_of_another_type() -> None:
    kind = TransactionType.HOLD_CAPTURE
    made = payment(transaction_id=ID, payer=PAYER, payee=PAYEE, currency=INR, amount=5, kind=kind)
    assert made.type is kind
    assert (made.debited, made.credited) == (Account.of_wallet(PAYER), Account.of_wallet(PAYEE))


def test_a_transaction_never_changes() -> None:
    made = payment(transaction_id=ID, payer=PAYER, payee=PAYEE, currency=INR, amount=1)
    with pytest.raises(FrozenInstanceError):
        made.postings = ()  # type: ignore[misc]  # that it can't be done is what is tested


def test_our_accounts_and_wallets_never_share_a_name() -> None:
    wallet = Account.of_wallet(UUID(int=0))
    assert len({wallet, Account.of_gateway("razorpay"), Account.of_gateway("cashfree"), SUSPENSE, FEES}) == 5


def test_of_more_than_two_lines_the_first_takes_and_the_last_brings() -> None:
    lines = (debit(5), Posting(SUSPENSE, Side.CREDIT, 2), credit(3))
    made = Transaction(ID, TransactionType.GATHER, INR, lines)
    assert (made.debited, made.credited, made.amount) == (Account.of_wallet(PAYER), Account.of_wallet(PAYEE), 5)
