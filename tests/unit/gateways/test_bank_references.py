"""The references by which banks know what came and went, as gateways tell of them: read as written, or not at all."""

import pytest

from tests.unit.gateways.scripted import payment
from wallet.gateways.fields import bank_reference
from wallet.gateways.razorpay import wire as razorpay
from wallet.gateways.razorpayx import wire as razorpayx

PAYOUT = {"id": "pout_1", "reference_id": None, "amount": 100, "currency": "INR", "status": "processed"}
REFUND = {"id": "rfnd_1", "payment_id": "pay_1", "amount": 100, "currency": "INR", "status": "processed"}


@pytest.mark.parametrize("text", ["006516367819", "0125836177", "AXIS0000123456", "1" * 64])
def test_a_reference_is_read_as_it_is_written_zeros_in_front_and_all(text: str) -> None:
    assert bank_reference(text) == text


@pytest.mark.parametrize("value", [None, "", "NA", "null", 6516367819, True, "a b", "1\n", "é", "1" * 65, [], {}])
def test_whatever_else_stands_there_is_none_and_no_fault(value: object) -> None:
    assert bank_reference(value) is None


@pytest.mark.parametrize("acquirer", [None, [], "x", {"arn": "1"}, {"rrn": None}])
def test_a_payment_or_a_refund_may_have_none(acquirer: object) -> None:
    assert razorpay.payment_of(payment(acquirer_data=acquirer)).rrn is None
    assert razorpay.refund_of({**REFUND, "acquirer_data": acquirer}).rrn is None


def test_each_is_found_where_its_gateway_writes_it() -> None:
    told = {"acquirer_data": {"rrn": "006516367819"}}
    assert razorpay.payment_of(payment(**told)).rrn == "006516367819"
    assert razorpay.refund_of({**REFUND, **told}).rrn == "006516367819"
    assert razorpayx.payout_of({**PAYOUT, "utr": "512345678901"}).utr == "512345678901"
    assert razorpayx.payout_of(PAYOUT).utr is None
