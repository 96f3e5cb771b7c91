"""The real adapter against a server that speaks Razorpay's protocol, in good times and bad."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.gateway.server import Simulator, running
from tests.integration.razorpay_simulator import KEY_ID, SHORT, adapter, call, fault, play, settings
from wallet.gateways.port import GatewayOrder, GatewayRejectedError, GatewayUnavailableError
from wallet.gateways.razorpay.client import RazorpayGateway
from wallet.gateways.razorpay.transport import Limits
from wallet.ledger.attempts import PaymentStatus


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with running(settings(tmp_path)) as simulator:
        yield simulator


def create(gateway: RazorpayGateway, receipt: str = "top_1", amount_minor: int = 25_000) -> GatewayOrder:
    return gateway.create_order(receipt=receipt, amount_minor=amount_minor, currency="INR")


def orders(simulator: Simulator, receipt: str = "top_1") -> int:
    """Count the orders that the gateway has of a receipt."""
    _, listed = call(simulator, "GET", f"/v1/orders?receipt={receipt}&count=100")
    count = listed["count"]
    assert isinstance(count, int)
    return count


def test_an_order_is_made_and_found_again(simulator: Simulator) -> None:
    made = create(adapter(simulator))
    assert (made.receipt, made.amount_minor, made.currency) == ("top_1", 25_000, "INR")
    assert adapter(simulator).find_order(receipt="top_1") == made
    assert adapter(simulator).find_order(receipt="top_2") is None


def test_the_same_receipt_is_the_same_order(simulator: Simulator) -> None:
    assert create(adapter(simulator)) == create(adapter(simulator))
    assert orders(simulator) == 1


def test_the_same_receipt_for_another_amount_is_refused(simulator: Simulator) -> None:
    create(adapter(simulator))
    with pytest.raises(GatewayRejectedError, match="order_mismatch"):
        create(adapter(simulator), amount_minor=30_000)


def test_twenty_at_once_with_one_receipt_get_one_order(simulator: Simulator) -> None:
    gateway = adapter(simulator, Limits())
    with ThreadPoolExecutor(20) as callers:
        made = set(callers.map(lambda _: create(gateway).order_id, range(20)))
    assert len(made) == 1
    assert orders(simulator) == 1


def test_an_answer_lost_after_the_work_leaves_one_order_and_finds_it(simulator: Simulator) -> None:
    fault(simulator, "drop_answer", path="/v1/orders", method="POST", times=1)
    made = create(adapter(simulator))
    assert orders(simulator) == 1
    assert create(adapter(simulator)) == made


def test_answers_that_are_all_lost_are_an_unknown_outcome_and_a_retry_finds_the_order(
    simulator: Simulator,
) -> None:
    fault(simulator, "drop_answer")
    with pytest.raises(GatewayUnavailableError):
        create(adapter(simulator))
    fault(simulator, "none")
    create(adapter(simulator))
    assert orders(simulator) == 1


def test_a_request_carried_out_after_we_gave_up_makes_no_second_order(simulator: Simulator) -> None:
    fault(simulator, "slow", path="/v1/orders", method="POST", times=1, seconds=1.0)
    made = create(adapter(simulator))
    time.sleep(1.2)
    assert orders(simulator) == 1
    assert adapter(simulator).find_order(receipt="top_1") == made


def test_a_gateway_that_is_down_is_unavailable_and_the_same_receipt_works_afterwards(
    simulator: Simulator,
) -> None:
    fault(simulator, "down")
    with pytest.raises(GatewayUnavailableError):
        create(adapter(simulator))
    fault(simulator, "none")
    assert create(adapter(simulator)).receipt == "top_1"


def test_a_gateway_that_is_always_slow_is_given_up_within_the_deadline(simulator: Simulator) -> None:
    fault(simulator, "slow", seconds=30)
    begun = time.monotonic()
    with pytest.raises(GatewayUnavailableError):
        create(adapter(simulator))
    assert time.monotonic() - begun < SHORT.order_seconds + 0.5


def test_a_gateway_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        gateway = RazorpayGateway.over_http(base_url=url, key_id="k", key_secret="s", limits=SHORT)
        with pytest.raises(GatewayUnavailableError):
            create(gateway)


def test_a_throttled_order_is_made_after_the_pause_that_was_asked_for(simulator: Simulator) -> None:
    fault(simulator, "rate_limited", times=1, seconds=1)
    begun = time.monotonic()
    create(adapter(simulator))
    assert time.monotonic() - begun >= 1
    assert orders(simulator) == 1


def test_a_long_pause_is_handed_on_to_the_caller(simulator: Simulator) -> None:
    fault(simulator, "rate_limited", seconds=30)
    with pytest.raises(GatewayUnavailableError) as caught:
        create(adapter(simulator))
    assert caught.value.retry_after_s == 30


def test_a_question_survives_two_bad_moments(simulator: Simulator) -> None:
    made = create(adapter(simulator))
    fault(simulator, "down", times=2)
    assert adapter(simulator).payments_of(made.order_id) == ()


def test_a_wrong_key_is_a_refusal(simulator: Simulator) -> None:
    gateway = RazorpayGateway.over_http(base_url=simulator.url, key_id=KEY_ID, key_secret="wrong", limits=SHORT)
    with pytest.raises(GatewayRejectedError) as caught:
        create(gateway)
    assert (caught.value.http_status, caught.value.code) == (401, "BAD_REQUEST_ERROR")
    assert "wrong" not in str(caught.value)


def test_an_amount_below_a_rupee_is_a_refusal_that_names_the_field(simulator: Simulator) -> None:
    with pytest.raises(GatewayRejectedError) as caught:
        create(adapter(simulator), amount_minor=99)
    assert (caught.value.reason, caught.value.field) == ("input_validation_failed", "amount")


def test_an_intent_is_begun_paid_and_seen_captured(simulator: Simulator) -> None:
    gateway = adapter(simulator)
    made = create(gateway, amount_minor=123_405)
    intent = gateway.upi_intent(
        order_id=made.order_id,
        amount_minor=123_405,
        currency="INR",
        contact="+919000000000",
        email="asha@example.com",
    )
    assert intent.link.startswith("upi://pay?pa=")
    assert "&am=1234.05&cu=INR" in intent.link
    assert "+" not in intent.link
    (before,) = gateway.payments_of(made.order_id)
    assert (before.payment_id, before.status, before.captured) == (
        intent.payment_id,
        PaymentStatus.CREATED,
        False,
    )
    play(simulator, made.order_id, "captured")
    (after,) = gateway.payments_of(made.order_id)
    assert (after.payment_id, after.status, after.captured) == (
        intent.payment_id,
        PaymentStatus.CAPTURED,
        True,
    )
    assert (after.order_id, after.amount, after.currency) == (made.order_id, 123_405, "INR")


def test_failed_then_captured_is_one_payment(simulator: Simulator) -> None:
    gateway = adapter(simulator)
    made = create(gateway)
    play(simulator, made.order_id, "failed_then_captured")
    (seen,) = gateway.payments_of(made.order_id)
    assert (seen.status, seen.reason) == (PaymentStatus.CAPTURED, None)


def test_a_failure_shows_its_reason(simulator: Simulator) -> None:
    gateway = adapter(simulator)
    made = create(gateway)
    play(simulator, made.order_id, "failed")
    (seen,) = gateway.payments_of(made.order_id)
    assert (seen.status, seen.captured, seen.reason) == (PaymentStatus.FAILED, False, "insufficient_funds")


def test_captured_twice_is_two_payments(simulator: Simulator) -> None:
    gateway = adapter(simulator)
    made = create(gateway)
    play(simulator, made.order_id, "captured_twice")
    first, second = gateway.payments_of(made.order_id)
    assert first.payment_id != second.payment_id
    assert first.captured
    assert second.captured


def test_many_failed_attempts_are_all_seen(simulator: Simulator) -> None:
    gateway = adapter(simulator)
    made = create(gateway)
    for _ in range(10):
        play(simulator, made.order_id, "failed")
    play(simulator, made.order_id, "captured")
    assert len(gateway.payments_of(made.order_id)) == 11


def test_a_refund_is_seen_on_the_payment(simulator: Simulator) -> None:
    gateway = adapter(simulator)
    made = create(gateway)
    told = play(simulator, made.order_id, "captured")
    payment_id = told["payments"][0]["id"]
    call(simulator, "POST", f"/v1/payments/{payment_id}/refund", {"amount": 5_000})
    (partly,) = gateway.payments_of(made.order_id)
    assert (partly.status, partly.amount_refunded) == (PaymentStatus.CAPTURED, 5_000)
    call(simulator, "POST", f"/v1/payments/{payment_id}/refund", {})
    (wholly,) = gateway.payments_of(made.order_id)
    assert (wholly.status, wholly.captured, wholly.amount_refunded) == (PaymentStatus.REFUNDED, True, 25_000)
