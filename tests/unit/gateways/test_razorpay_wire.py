"""Razorpay's words one by one, at their edges."""

import pytest

from tests.unit.gateways.scripted import Fields, order, payment, refund
from wallet.gateways.fields import MalformedWireError
from wallet.gateways.razorpay import wire


@pytest.mark.parametrize(("told", "read"), [("top_1", "top_1"), (None, ""), ("", ""), ("r" * 40, "r" * 40)])
def test_an_orders_receipt_is_a_short_text_or_none(told: object, read: str) -> None:
    assert wire.order_of(order(receipt=told)).receipt == read


@pytest.mark.parametrize("told", ["r" * 41, 7, [], ["r"] * 50])
def test_another_receipt_is_malformed(told: object) -> None:
    with pytest.raises(MalformedWireError):
        wire.order_of(order(receipt=told))


@pytest.mark.parametrize(
    ("told", "of_the_payment", "read"),
    [("INR", None, "INR"), ("INR", "USD", "INR"), ("", "INR", "INR"), (None, "INR", "INR")],
)
def test_a_refund_that_is_silent_about_its_currency_has_its_payments(
    told: object, of_the_payment: str | None, read: str
) -> None:
    assert wire.refund_of(refund(currency=told), currency=of_the_payment).currency == read


def test_a_refund_is_known_by_its_gateway_and_its_id() -> None:
    told = wire.refund_of(refund())
    assert (told.gateway, told.refund_id) == ("razorpay", "rfnd_Umbrella00001")


def test_a_currency_that_nobody_names_is_malformed() -> None:
    with pytest.raises(MalformedWireError):
        wire.refund_of(refund(currency=""))


def test_the_pair_is_sent_as_the_documentation_writes_it() -> None:
    assert wire.credentials("rzp_test_1", "secret") == {"Authorization": "Basic cnpwX3Rlc3RfMTpzZWNyZXQ="}


@pytest.mark.parametrize(
    ("changes", "surcharge"),
    [
        ({"fee_bearer": "customer", "fee": 1_180, "tax": 180}, 1_180),
        ({"fee_bearer": "customer", "fee": 0}, 0),
        ({"fee_bearer": "platform", "fee": 1_180}, 0),
        ({"fee_bearer": "dynamic", "fee": 1_180}, 0),
        ({"fee_bearer": None, "fee": 1_180}, 0),
        ({"fee": 1_180}, 0),
        ({"fee_bearer": "customer"}, 0),
        ({"fee_bearer": "customer", "fee": None}, 0),
        ({"fee_bearer": "customer", "fee": "1180"}, 0),
        ({"fee_bearer": "customer", "fee": 1_180.0}, 0),
        ({"fee_bearer": "customer", "fee": -1}, 0),
        ({"fee_bearer": ["customer"], "fee": 1_180}, 0),
    ],
)
def test_a_fee_is_a_surcharge_only_where_its_payer_bears_it(changes: Fields, surcharge: int) -> None:
    seen = wire.payment_of(payment(amount=51_180, **changes))
    assert (seen.amount, seen.surcharge) == (51_180, surcharge)
