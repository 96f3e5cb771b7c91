"""What a break is: nothing where the sides agree, one kind where they don't."""

from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.breaks import (
    OF_PAYMENTS,
    OF_SETTLEMENTS,
    BookedPayment,
    BookedRefund,
    Kind,
    SettlementLine,
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
        unbooked = told is not None and told.has_arrived and told.amount > 0
        assert (found is not None) == unbooked
    elif ours != theirs:
        assert found is not None
    else:
        assert told is not None
        assert (found is None) == (booked.returned <= told.amount_refunded <= booked.promised)
    if found is not None:
        assert found.kind in OF_PAYMENTS
        assert found.subject == "pay_1"
        assert (found.ours is None) == (found.kind is Kind.UNBOOKED_PAYMENT)
        assert (found.theirs is None) == (found.kind is Kind.UNKNOWN_PAYMENT)
        assert found.ours != found.theirs or found.kind is Kind.PAYMENT_DIFFERS, "the amounts say what differs"


def test_each_way_to_differ_has_its_kind() -> None:
    booked = BookedPayment("pay_1", 500, "INR", returned=100, promised=200)
    told = ObservedPayment("razorpay", "pay_1", None, 500, "INR", PaymentStatus.CAPTURED, captured=True)

    def kind(ours: BookedPayment | None, **changes: object) -> Kind | None:
        fields = {name: getattr(told, name) for name in ObservedPayment.__slots__} | {"amount_refunded": 150} | changes
        found = weigh_payment("pay_1", ours, ObservedPayment(**fields))
        return None if found is None else found.kind

    assert kind(booked) is None
    assert kind(None) is Kind.UNBOOKED_PAYMENT
    assert kind(booked, amount=501) is Kind.PAYMENT_DIFFERS
    assert kind(booked, currency="USD") is Kind.PAYMENT_DIFFERS
    assert kind(booked, captured=False, status=PaymentStatus.FAILED) is Kind.PAYMENT_DIFFERS
    assert kind(booked, amount_refunded=99) is Kind.REFUNDED_DIFFERS
    assert kind(booked, amount_refunded=201) is Kind.REFUNDED_DIFFERS
    assert kind(None, captured=False, status=PaymentStatus.AUTHORIZED) is None
    found = weigh_payment("pay_1", booked, None)
    assert found is not None
    assert (found.kind, found.ours, found.theirs) == (Kind.UNKNOWN_PAYMENT, 500, None)


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


@given(st.booleans(), st.booleans())
def test_what_is_not_settled_is_a_break_only_when_its_time_is_over(settled: bool, late: bool) -> None:  # noqa: FBT001 - drawn
    found = weigh_waiting("pay_1", amount=500, currency="INR", settled=settled, late=late)
    assert (found is not None) == (late and not settled)
    assert found is None or (found.kind, found.ours, found.theirs) == (Kind.NOT_SETTLED, 500, None)
