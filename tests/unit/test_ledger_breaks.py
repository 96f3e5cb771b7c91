"""What a break is: nothing where the sides agree, one kind where they don't."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.breaks import (
    OF_PAYMENTS,
    OF_SETTLEMENTS,
    BookedDispute,
    BookedPayment,
    BookedRefund,
    Break,
    Kind,
    SettlementLine,
    Unreadable,
    unreadable,
    weigh_dispute,
    weigh_line,
    weigh_payment,
    weigh_waiting,
)

amounts = st.integers(0, 5)
currencies = st.sampled_from(["INR", "USD"])


@st.composite
def told_payments(draw: st.DrawFn) -> ObservedPayment:
    """What a gateway may say of a payment: no captured one is in the statuses before that."""
    captured = draw(st.booleans())
    arrived = [PaymentStatus.CAPTURED, PaymentStatus.REFUNDED, PaymentStatus.UNKNOWN]
    others = [PaymentStatus.CREATED, PaymentStatus.AUTHORIZED, PaymentStatus.FAILED, PaymentStatus.UNKNOWN]
    return ObservedPayment(
        gateway="razorpay",
        payment_id="pay_1",
        order_id=None,
        amount=draw(amounts),
        currency=draw(currencies),
        status=draw(st.sampled_from(arrived if captured else others)),
        captured=captured,
        amount_refunded=draw(amounts),
    )


@st.composite
def booked_payments(draw: st.DrawFn) -> BookedPayment:
    promised = draw(amounts)
    return BookedPayment("pay_1", draw(st.integers(1, 5)), draw(currencies), draw(st.integers(0, promised)), promised)


@given(st.none() | booked_payments(), st.none() | told_payments())
def test_a_payment_is_no_break_exactly_where_both_sides_say_the_same(
    booked: BookedPayment | None, told: ObservedPayment | None
) -> None:
    found = weigh_payment("pay_1", booked, told)
    ours = None if booked is None else (booked.amount, booked.currency)
    theirs = None if told is None or not told.captured else (told.amount, told.currency)
    if booked is None:
        there = told is not None and told.captured and told.amount > 0
        assert (found is not None) == there
    elif ours != theirs:
        assert found is not None
    else:
        assert told is not None
        assert (found is None) == (booked.returned <= told.amount_refunded <= booked.promised)
    if found is not None:
        assert found.kind in OF_PAYMENTS
        assert found.subject == "pay_1"
        assert (found.ours is None) == (found.kind in (Kind.UNBOOKED_PAYMENT, Kind.UNREADABLE_PAYMENT))
        assert (found.theirs is None) == (found.kind is Kind.UNKNOWN_PAYMENT)
        assert found.ours != found.theirs or found.kind is Kind.PAYMENT_DIFFERS, "the amounts say what differs"


BOOKED = BookedPayment("pay_1", 500, "INR", returned=100, promised=200)
TOLD = ObservedPayment(
    "razorpay", "pay_1", None, 500, "INR", PaymentStatus.CAPTURED, captured=True, amount_refunded=150
)


@pytest.mark.parametrize(
    ("booked", "told", "found"),
    [
        (None, TOLD, Break(Kind.UNBOOKED_PAYMENT, "pay_1", None, 500, "INR")),
        (
            None,
            replace(TOLD, status=PaymentStatus.UNKNOWN),
            Break(Kind.UNREADABLE_PAYMENT, "pay_1", None, 500, "INR"),
        ),
        (BOOKED, None, Break(Kind.UNKNOWN_PAYMENT, "pay_1", 500, None, "INR")),
        (BOOKED, replace(TOLD, amount=501), Break(Kind.PAYMENT_DIFFERS, "pay_1", 500, 501, "INR")),
        (BOOKED, replace(TOLD, currency="USD"), Break(Kind.PAYMENT_DIFFERS, "pay_1", 500, 500, "USD")),
        (
            BOOKED,
            replace(TOLD, captured=False, status=PaymentStatus.FAILED),
            Break(Kind.PAYMENT_DIFFERS, "pay_1", 500, 0, "INR"),
        ),
        (BOOKED, replace(TOLD, amount_refunded=99), Break(Kind.REFUNDED_DIFFERS, "pay_1", 100, 99, "INR")),
        (BOOKED, replace(TOLD, amount_refunded=201), Break(Kind.REFUNDED_DIFFERS, "pay_1", 100, 201, "INR")),
    ],
)
def test_a_payment_that_differs_is_a_break_that_says_in_what(
    booked: BookedPayment | None, told: ObservedPayment | None, found: Break
) -> None:
    assert weigh_payment("pay_1", booked, told) == found


@pytest.mark.parametrize("refunded", [100, 150, 200])
def test_a_refund_that_is_on_its_way_is_no_break_whether_it_has_arrived_or_not(refunded: int) -> None:
    assert weigh_payment("pay_1", BOOKED, replace(TOLD, amount_refunded=refunded)) is None


def test_what_has_not_arrived_and_is_not_booked_is_no_break() -> None:
    assert weigh_payment("pay_1", None, None) is None
    assert weigh_payment("pay_1", None, replace(TOLD, captured=False, status=PaymentStatus.AUTHORIZED)) is None


@pytest.mark.parametrize("status", [PaymentStatus.CAPTURED, PaymentStatus.UNKNOWN])
def test_a_payment_of_nothing_is_no_break(status: PaymentStatus) -> None:
    assert weigh_payment("pay_1", None, replace(TOLD, amount=0, status=status)) is None
    assert weigh_payment("pay_1", None, replace(TOLD, amount=1, status=status)) is not None


@pytest.mark.parametrize("kind", [Kind.UNREADABLE_PAYMENT, Kind.UNREADABLE_LINE])
def test_what_can_not_be_read_is_a_break_without_amounts(kind: Kind) -> None:
    assert unreadable(kind, "x_1") == Break(kind, "x_1", None, None, None)


def test_what_can_not_be_read_is_told_by_its_name_and_with_what_is_wrong() -> None:
    assert str(Unreadable("x_1", "fee is not an amount", 5)) == "x_1: fee is not an amount"


@st.composite
def lines(draw: st.DrawFn) -> SettlementLine:
    return SettlementLine(
        type=draw(st.sampled_from(["payment", "refund", "adjustment", "transfer", "reserve"])),
        entity_id="x_1",
        payment_id=None,
        amount=draw(amounts),
        currency=draw(currencies),
        debit=draw(amounts),
        credit=draw(amounts),
        fee=draw(amounts),
        tax=draw(amounts),
        settlement_id="setl_1",
        utr=None,
        settled_at=None,
    )


@given(lines(), st.none() | st.builds(BookedRefund, st.just("x_1"), amounts, currencies))
def test_a_settled_line_is_no_break_exactly_where_it_is_booked_with_its_gross_amount(
    line: SettlementLine, booked: BookedRefund | None
) -> None:
    found = weigh_line(line, booked)
    if line.type not in ("payment", "refund"):
        assert found is not None
        assert (found.kind, found.theirs) == (Kind.UNEXPLAINED_LINE, line.credit - line.debit)
    elif booked is None:
        assert found is not None
        assert (found.kind, found.ours, found.theirs) == (Kind.UNBOOKED_LINE, None, line.amount)
    else:
        agrees = (line.amount, line.currency) == (booked.amount, booked.currency)
        assert (found is None) == agrees
        assert found is None or found.kind is Kind.LINE_DIFFERS
    assert found is None or found.kind in OF_SETTLEMENTS


LINE = SettlementLine("payment", "pay_1", None, 500, "INR", 20, 490, 10, 2, "setl_1", None, None)


@pytest.mark.parametrize(
    ("line", "booked", "found"),
    [
        (replace(LINE, type="adjustment"), None, Break(Kind.UNEXPLAINED_LINE, "pay_1", None, 470, "INR")),
        (LINE, None, Break(Kind.UNBOOKED_LINE, "pay_1", None, 500, "INR")),
        (LINE, BookedRefund("pay_1", 501, "INR"), Break(Kind.LINE_DIFFERS, "pay_1", 501, 500, "INR")),
        (LINE, BookedRefund("pay_1", 500, "USD"), Break(Kind.LINE_DIFFERS, "pay_1", 500, 500, "INR")),
    ],
)
def test_a_settled_line_that_differs_is_a_break_that_says_in_what(
    line: SettlementLine, booked: BookedRefund | None, found: Break
) -> None:
    assert weigh_line(line, booked) == found


@given(st.booleans(), st.booleans())
def test_what_is_not_settled_is_a_break_only_when_its_time_is_over(settled: bool, late: bool) -> None:  # noqa: FBT001 - drawn
    found = weigh_waiting("pay_1", amount=500, currency="INR", settled=settled, late=late)
    assert found == (Break(Kind.NOT_SETTLED, "pay_1", 500, None, "INR") if late and not settled else None)


BORNE = BookedPayment("pay_1", 50_000, "INR", surcharge=1_180)
TOLD_BORNE = ObservedPayment(
    "razorpay", "pay_1", "order_1", 51_180, "INR", PaymentStatus.CAPTURED, captured=True, surcharge=1_180
)


def test_a_payment_whose_payer_bore_the_fee_is_told_with_the_fee_and_booked_without() -> None:
    assert weigh_payment("pay_1", BORNE, TOLD_BORNE) is None
    assert weigh_payment("pay_1", replace(BORNE, surcharge=0, amount=51_180), TOLD_BORNE) is None, "in suspense, whole"


@pytest.mark.parametrize(
    "booked",
    [replace(BORNE, surcharge=0), replace(BORNE, surcharge=1_000, amount=50_180), replace(BORNE, amount=49_999)],
    ids=str,
)
def test_a_surcharge_that_is_not_the_gateways_is_a_break(booked: BookedPayment) -> None:
    found = weigh_payment("pay_1", booked, TOLD_BORNE)
    assert found == Break(Kind.PAYMENT_DIFFERS, "pay_1", booked.amount, 51_180, "INR")


def test_a_surcharge_that_the_gateway_takes_back_is_a_break() -> None:
    found = weigh_payment("pay_1", BORNE, replace(TOLD_BORNE, surcharge=0))
    assert found == Break(Kind.PAYMENT_DIFFERS, "pay_1", 50_000, 51_180, "INR")


@pytest.mark.parametrize(
    ("amount", "fee", "theirs"),
    [(51_180, 1_180, None), (51_180, 1_500, 49_680), (50_000, 1_180, 50_000), (50_000, 0, 50_000)],
)
def test_what_is_settled_of_a_payment_whose_payer_bore_the_fee_is_what_was_booked(
    amount: int, fee: int, theirs: int | None
) -> None:
    line = SettlementLine(
        "payment", "pay_1", None, amount, "INR", 0, amount - fee, fee, fee * 18 // 118, "setl_1", None, None
    )
    found = weigh_line(line, BORNE)
    assert found == (None if theirs is None else Break(Kind.LINE_DIFFERS, "pay_1", 50_000, theirs, "INR"))


def disputed(*, booked: int, deducted: int, is_open: bool, amount: int = 500) -> BookedDispute:
    return BookedDispute("disp_1", amount, "INR", booked, is_open, deducted)


@pytest.mark.parametrize(
    ("booked", "deducted", "is_open", "differs"),
    [
        (0, 0, True, False),  # not taken yet
        (0, 500, True, False),  # taken at the onset
        (0, 100, True, True),  # a fee?
        (500, 500, False, False),
        (500, 550, False, True),
        (0, 0, False, False),  # won, and given back
        (0, 500, False, True),  # won, and not given back (yet)
        (500, 0, True, False),  # reversed by the gateway, and an operator is to book it
    ],
)
def test_what_was_taken_for_a_dispute_is_what_is_booked_when_it_has_ended(
    *, booked: int, deducted: int, is_open: bool, differs: bool
) -> None:
    found = weigh_dispute(disputed(booked=booked, deducted=deducted, is_open=is_open))
    assert found == (Break(Kind.LINE_DIFFERS, "disp_1", booked, deducted, "INR") if differs else None)


def test_an_adjustment_about_a_dispute_that_we_know_is_explained() -> None:
    line = SettlementLine("adjustment", "adj_1", None, 500, "INR", 500, 0, 0, 0, None, None, None, "disp_1")
    assert weigh_line(line, disputed(booked=0, deducted=500, is_open=True)) is None
    assert weigh_line(line, None) == Break(Kind.UNEXPLAINED_LINE, "adj_1", None, -500, "INR")
