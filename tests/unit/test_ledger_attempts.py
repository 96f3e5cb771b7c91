"""Attempts: forward only, and credited only as far as what came agrees with what was asked."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.attempts import (
    OUTCOME_UNKNOWN_REASONS,
    AttemptStatus,
    Expected,
    ObservedPayment,
    PaymentStatus,
    SuspenseReason,
    arrived,
    weigh,
)

CREATED, PENDING, FAILED = AttemptStatus.CREATED, AttemptStatus.PENDING, AttemptStatus.FAILED
EXPIRED, SUCCEEDED, REFUNDED = AttemptStatus.EXPIRED, AttemptStatus.SUCCEEDED, AttemptStatus.REFUNDED

PAID = ObservedPayment(
    gateway="razorpay",
    payment_id="pay_1",
    order_id="order_1",
    amount=50_000,
    currency="INR",
    status=PaymentStatus.CAPTURED,
    captured=True,
)
ASKED = Expected(amount=50_000, currency="INR", status=PENDING, wallet_open=True)

STEPS = {
    CREATED: {PENDING, FAILED, EXPIRED, SUCCEEDED, REFUNDED},
    PENDING: {FAILED, EXPIRED, SUCCEEDED, REFUNDED},
    FAILED: {EXPIRED, SUCCEEDED, REFUNDED},
    EXPIRED: {SUCCEEDED, REFUNDED},
    SUCCEEDED: {REFUNDED},
    REFUNDED: set[AttemptStatus](),
}


@pytest.mark.parametrize("later", AttemptStatus)
@pytest.mark.parametrize("now", AttemptStatus)
def test_an_attempt_moves_forward_only(now: AttemptStatus, later: AttemptStatus) -> None:
    assert now.may_become(later) is (later in STEPS[now])


@given(st.lists(st.sampled_from(AttemptStatus), max_size=12))
def test_no_order_of_news_leads_back(news: list[AttemptStatus]) -> None:
    seen = [CREATED]
    for status in news:
        if seen[-1].may_become(status):
            seen.append(status)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("status", [CREATED, PENDING, FAILED, EXPIRED])
def test_money_that_arrives_is_credited_as_long_as_nothing_was(status: AttemptStatus) -> None:
    assert weigh(PAID, replace(ASKED, status=status)) is None


@pytest.mark.parametrize("status", [SUCCEEDED, REFUNDED])
def test_an_order_is_credited_once(status: AttemptStatus) -> None:
    assert weigh(PAID, replace(ASKED, status=status)) is SuspenseReason.ORDER_ALREADY_PAID


@pytest.mark.parametrize(
    ("payment", "expected", "reason"),
    [
        (PAID, None, SuspenseReason.UNKNOWN_ORDER),
        (replace(PAID, order_id=None), None, SuspenseReason.UNKNOWN_ORDER),
        (replace(PAID, currency="USD"), ASKED, SuspenseReason.CURRENCY_MISMATCH),
        (replace(PAID, currency="USD"), replace(ASKED, currency="USD"), SuspenseReason.CURRENCY_MISMATCH),
        (PAID, replace(ASKED, currency="USD"), SuspenseReason.CURRENCY_MISMATCH),
        (replace(PAID, currency="inr"), ASKED, SuspenseReason.CURRENCY_MISMATCH),
        (replace(PAID, amount=49_999), ASKED, SuspenseReason.AMOUNT_MISMATCH),
        (replace(PAID, amount=50_001), ASKED, SuspenseReason.AMOUNT_MISMATCH),
        (replace(PAID, amount_refunded=1), ASKED, SuspenseReason.ALREADY_REFUNDED),
        (replace(PAID, amount_refunded=50_000), ASKED, SuspenseReason.ALREADY_REFUNDED),
        (PAID, replace(ASKED, status=SUCCEEDED), SuspenseReason.ORDER_ALREADY_PAID),
        (PAID, replace(ASKED, wallet_open=False), SuspenseReason.WALLET_CLOSED),
        (PAID, replace(ASKED, over_limit=SuspenseReason.OVER_BALANCE_LIMIT), SuspenseReason.OVER_BALANCE_LIMIT),
        (PAID, replace(ASKED, over_limit=SuspenseReason.OVER_LOAD_LIMIT), SuspenseReason.OVER_LOAD_LIMIT),
    ],
)
def test_each_disagreement_has_its_reason(
    payment: ObservedPayment, expected: Expected | None, reason: SuspenseReason
) -> None:
    assert weigh(payment, expected) is reason


def test_what_agrees_and_fits_is_credited() -> None:
    assert weigh(PAID, ASKED) is None


def test_what_was_asked_for_has_arrived_if_the_gateways_fee_is_all_that_was_paid_beside_it() -> None:
    borne = replace(PAID, amount=51_180, surcharge=1_180)
    assert arrived(borne, ASKED) == 50_000
    assert weigh(borne, ASKED) is None


@pytest.mark.parametrize(
    "payment",
    [
        replace(PAID, amount=51_180),
        replace(PAID, amount=51_180, surcharge=1_179),
        replace(PAID, amount=51_180, surcharge=1_181),
        replace(PAID, amount=49_999, surcharge=1),
        replace(PAID, amount=48_820, surcharge=-1_180),
        replace(PAID, amount=51_180, surcharge=51_180),
    ],
)
def test_a_surcharge_that_does_not_explain_the_difference_explains_nothing(payment: ObservedPayment) -> None:
    assert arrived(payment, ASKED) == payment.amount
    assert weigh(payment, ASKED) is SuspenseReason.AMOUNT_MISMATCH


def test_what_was_asked_for_has_arrived_also_where_the_fee_is_told_beside_the_amount() -> None:
    beside = replace(PAID, surcharge=1_180)
    assert arrived(beside, ASKED) == 50_000
    assert weigh(beside, ASKED) is None


@pytest.mark.parametrize("expected", [None, replace(ASKED, currency="USD")])
def test_nothing_is_explained_of_money_that_nobody_asked_for_in_that_currency(expected: Expected | None) -> None:
    assert arrived(replace(PAID, amount=51_180, surcharge=1_180), expected) == 51_180


@given(
    known=st.booleans(),
    currency=st.sampled_from(["INR", "USD"]),
    amount=st.sampled_from([50_000, 1]),
    refunded=st.sampled_from([0, 1]),
    status=st.sampled_from([PENDING, SUCCEEDED]),
    wallet_open=st.booleans(),
    over_limit=st.sampled_from([None, SuspenseReason.OVER_BALANCE_LIMIT, SuspenseReason.OVER_LOAD_LIMIT]),
)
def test_the_first_reason_of_the_list_is_given(
    *,
    known: bool,
    currency: str,
    amount: int,
    refunded: int,
    status: AttemptStatus,
    wallet_open: bool,
    over_limit: SuspenseReason | None,
) -> None:
    payment = replace(PAID, currency=currency, amount=amount, amount_refunded=refunded)
    expected = replace(ASKED, status=status, wallet_open=wallet_open, over_limit=over_limit)
    apply = {
        SuspenseReason.UNKNOWN_ORDER: not known,
        SuspenseReason.CURRENCY_MISMATCH: currency != "INR",
        SuspenseReason.AMOUNT_MISMATCH: amount != 50_000,
        SuspenseReason.ALREADY_REFUNDED: refunded > 0,
        SuspenseReason.ORDER_ALREADY_PAID: status is SUCCEEDED,
        SuspenseReason.WALLET_CLOSED: not wallet_open,
        SuspenseReason.OVER_BALANCE_LIMIT: over_limit is SuspenseReason.OVER_BALANCE_LIMIT,
        SuspenseReason.OVER_LOAD_LIMIT: over_limit is SuspenseReason.OVER_LOAD_LIMIT,
    }
    first = next((reason for reason in SuspenseReason if apply[reason]), None)
    assert weigh(payment, expected if known else None) is first


@pytest.mark.parametrize("captured", [True, False])
@pytest.mark.parametrize("status", PaymentStatus)
def test_money_has_arrived_only_if_the_gateway_says_so_twice(status: PaymentStatus, *, captured: bool) -> None:
    arrived = captured and status in (PaymentStatus.CAPTURED, PaymentStatus.REFUNDED)
    assert replace(PAID, status=status, captured=captured).has_arrived is arrived


@pytest.mark.parametrize("reason", sorted(OUTCOME_UNKNOWN_REASONS))
def test_an_outcome_that_nobody_knows_yet_is_no_failure(reason: str) -> None:
    assert not replace(PAID, status=PaymentStatus.FAILED, captured=False, reason=reason).has_failed


@pytest.mark.parametrize("reason", [None, "payment_failed", "insufficient_funds", "some_new_word"])
def test_any_other_failure_is_one(reason: str | None) -> None:
    assert replace(PAID, status=PaymentStatus.FAILED, captured=False, reason=reason).has_failed


@pytest.mark.parametrize("status", [status for status in PaymentStatus if status is not PaymentStatus.FAILED])
def test_nothing_but_a_failed_payment_has_failed(status: PaymentStatus) -> None:
    assert not replace(PAID, status=status, captured=False).has_failed


@pytest.mark.parametrize(
    ("status", "reason", "may"),
    [
        (PaymentStatus.CREATED, None, False),
        (PaymentStatus.AUTHORIZED, None, True),
        (PaymentStatus.UNKNOWN, None, True),
        (PaymentStatus.CAPTURED, None, False),
        (PaymentStatus.REFUNDED, None, False),
        (PaymentStatus.FAILED, "payment_cancelled", False),
        (PaymentStatus.FAILED, None, False),
        *((PaymentStatus.FAILED, reason, True) for reason in sorted(OUTCOME_UNKNOWN_REASONS)),
    ],
)
def test_an_attempt_is_not_given_up_while_its_money_may_still_come(
    status: PaymentStatus, reason: str | None, *, may: bool
) -> None:
    assert replace(PAID, status=status, captured=False, reason=reason).may_still_arrive is may


def test_these_words_for_a_failure_and_no_others_leave_the_outcome_open() -> None:
    assert sorted(OUTCOME_UNKNOWN_REASONS) == [
        "collect_request_pending",
        "deemed_transaction",
        "payment_pending",
        "record_not_found",
        "verification_failed",
    ]
