"""The real adapters against a server that speaks each gateway's protocol, in good times and bad: one suite for all."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from local.gateway.refunds import REFUND_THAT_FAILS
from local.gateway.server import Simulator, running
from tests.integration.razorpay_simulator import PATIENT, SHORT, call, fault, play, settings
from tests.integration.spoken import CONTACT, SPOKEN, Spoken
from wallet.gateways.port import Gateway, GatewayOrder, GatewayRejectedError, GatewayUnavailableError
from wallet.ledger.attempts import PaymentStatus
from wallet.ledger.refunds import ObservedRefund, RefundStatus

REFERENCE = "rfd_" + "0" * 25 + "1"


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with running(settings(tmp_path)) as simulator:
        yield simulator


@pytest.fixture(params=SPOKEN, ids=lambda spoken: spoken.name)
def spoken(request: pytest.FixtureRequest) -> Spoken:
    assert isinstance(request.param, type(SPOKEN[0]) | type(SPOKEN[1]))
    return request.param


@pytest.fixture
def gateway(simulator: Simulator, spoken: Spoken) -> Gateway:
    return spoken.gateway(simulator.url)


def create(gateway: Gateway, receipt: str = "top_1", amount_minor: int = 25_000) -> GatewayOrder:
    return gateway.create_order(receipt=receipt, amount_minor=amount_minor, currency="INR", contact=CONTACT)


def test_an_order_is_made_and_found_again(gateway: Gateway) -> None:
    made = create(gateway)
    assert (made.receipt, made.amount_minor, made.currency) == ("top_1", 25_000, "INR")
    assert gateway.find_order(receipt="top_1") == made
    assert gateway.find_order(receipt="top_2") is None


def test_the_same_receipt_is_the_same_order(simulator: Simulator, spoken: Spoken, gateway: Gateway) -> None:
    assert create(gateway) == create(gateway)
    assert spoken.count_orders(simulator, "top_1") == 1


def test_the_same_receipt_for_another_amount_is_refused(gateway: Gateway) -> None:
    create(gateway)
    with pytest.raises(GatewayRejectedError, match="order_mismatch"):
        create(gateway, amount_minor=30_000)


def test_twenty_at_once_with_one_receipt_get_one_order(simulator: Simulator, spoken: Spoken, gateway: Gateway) -> None:
    with ThreadPoolExecutor(20) as callers:
        made = set(callers.map(lambda _: create(gateway).order_id, range(20)))
    assert len(made) == 1
    assert spoken.count_orders(simulator, "top_1") == 1


def test_an_answer_lost_after_the_work_leaves_one_order_and_finds_it(
    simulator: Simulator, spoken: Spoken, gateway: Gateway
) -> None:
    fault(simulator, "drop_answer", path=spoken.orders, method="POST", times=1)
    made = create(gateway)
    assert spoken.count_orders(simulator, "top_1") == 1
    assert create(gateway) == made


def test_answers_that_are_all_lost_are_an_unknown_outcome_and_a_retry_finds_the_order(
    simulator: Simulator, spoken: Spoken, gateway: Gateway
) -> None:
    fault(simulator, "drop_answer")
    with pytest.raises(GatewayUnavailableError):
        create(gateway)
    fault(simulator, "none")
    create(gateway)
    assert spoken.count_orders(simulator, "top_1") == 1


def test_a_request_carried_out_after_we_gave_up_makes_no_second_order(
    simulator: Simulator, spoken: Spoken, gateway: Gateway
) -> None:
    fault(simulator, "slow", path=spoken.orders, method="POST", times=1, seconds=2.5)
    made = create(spoken.gateway(simulator.url, limits=SHORT))
    time.sleep(2.7)
    assert spoken.count_orders(simulator, "top_1") == 1
    assert gateway.find_order(receipt="top_1") == made


def test_a_gateway_that_is_down_is_unavailable_and_the_same_receipt_works_afterwards(
    simulator: Simulator, gateway: Gateway
) -> None:
    fault(simulator, "down")
    with pytest.raises(GatewayUnavailableError):
        create(gateway)
    fault(simulator, "none")
    assert create(gateway).receipt == "top_1"


def test_a_gateway_that_is_always_slow_is_given_up_within_the_deadline(simulator: Simulator, spoken: Spoken) -> None:
    fault(simulator, "slow", seconds=30)
    # two answers that are awaited to their end would be 12 seconds
    limits = replace(PATIENT, read_seconds=6.0, order_seconds=6.5)
    begun = time.monotonic()
    with pytest.raises(GatewayUnavailableError):
        create(spoken.gateway(simulator.url, limits=limits))
    assert time.monotonic() - begun < 11.9


def test_a_gateway_that_is_not_there_is_unavailable(spoken: Spoken) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(GatewayUnavailableError):
            create(spoken.gateway(url))


def test_a_throttled_order_is_made_after_the_pause_that_was_asked_for(
    simulator: Simulator, spoken: Spoken, gateway: Gateway
) -> None:
    fault(simulator, "rate_limited", times=1, seconds=1)
    begun = time.monotonic()
    create(gateway)
    assert time.monotonic() - begun >= 1
    assert spoken.count_orders(simulator, "top_1") == 1


def test_a_long_pause_is_handed_on_to_the_caller(simulator: Simulator, spoken: Spoken) -> None:
    fault(simulator, "rate_limited", seconds=30)
    with pytest.raises(GatewayUnavailableError) as caught:
        create(spoken.gateway(simulator.url, limits=replace(PATIENT, order_seconds=20.0)))
    assert caught.value.retry_after_s == 30


def test_a_question_survives_two_bad_moments(simulator: Simulator, gateway: Gateway) -> None:
    made = create(gateway)
    fault(simulator, "down", times=2)
    assert gateway.payments_of(made.order_id) == ()


def test_a_wrong_key_is_a_refusal(simulator: Simulator, spoken: Spoken, gateway: Gateway) -> None:
    with pytest.raises(GatewayRejectedError) as caught:
        create(spoken.gateway(simulator.url, secret="wrong"))
    assert (caught.value.http_status, caught.value.code) == (401, spoken.refusal_code)
    assert "wrong" not in str(caught.value)


def test_an_amount_below_a_rupee_is_a_refusal_that_names_it(gateway: Gateway) -> None:
    with pytest.raises(GatewayRejectedError) as caught:
        create(gateway, amount_minor=99)
    assert "amount" in f"{caught.value.reason} {caught.value.field}"
    assert caught.value.http_status == 400


def test_an_intent_is_begun_paid_and_seen_captured(simulator: Simulator, gateway: Gateway) -> None:
    made = create(gateway, amount_minor=123_405)
    intent = gateway.upi_intent(
        order_id=made.order_id,
        amount_minor=123_405,
        currency="INR",
        contact=CONTACT,
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


def test_failed_then_captured_is_one_payment(simulator: Simulator, gateway: Gateway) -> None:
    made = create(gateway)
    play(simulator, made.order_id, "failed_then_captured")
    (seen,) = gateway.payments_of(made.order_id)
    assert (seen.status, seen.reason) == (PaymentStatus.CAPTURED, None)


def test_a_failure_shows_its_reason(simulator: Simulator, gateway: Gateway) -> None:
    made = create(gateway)
    play(simulator, made.order_id, "failed")
    (seen,) = gateway.payments_of(made.order_id)
    assert (seen.status, seen.captured, seen.reason) == (PaymentStatus.FAILED, False, "insufficient_funds")


def test_captured_twice_is_two_payments(simulator: Simulator, gateway: Gateway) -> None:
    made = create(gateway)
    play(simulator, made.order_id, "captured_twice")
    first, second = gateway.payments_of(made.order_id)
    assert first.payment_id != second.payment_id
    assert first.captured
    assert second.captured


def test_many_failed_attempts_are_all_seen(simulator: Simulator, gateway: Gateway) -> None:
    made = create(gateway)
    for _ in range(10):
        play(simulator, made.order_id, "failed")
    play(simulator, made.order_id, "captured")
    assert len(gateway.payments_of(made.order_id)) == 11


def paid(simulator: Simulator, gateway: Gateway) -> tuple[str, str]:
    """Make an order, have it paid, and return its id and the payment's."""
    made = create(gateway)
    return made.order_id, play(simulator, made.order_id, "captured")["payments"][0]["id"]


def refund(gateway: Gateway, order_id: str, payment_id: str, amount_minor: int = 5_000) -> ObservedRefund:
    return gateway.refund(
        payment_id=payment_id, order_id=order_id, reference=REFERENCE, amount_minor=amount_minor, currency="INR"
    )


def test_a_refund_is_seen_on_the_payment(simulator: Simulator, spoken: Spoken, gateway: Gateway) -> None:
    order_id, payment_id = paid(simulator, gateway)
    spoken.refund_elsewhere(simulator, order_id, payment_id, 5_000)
    (partly,) = gateway.payments_of(order_id)
    assert (partly.status, partly.amount_refunded) == (PaymentStatus.CAPTURED, 5_000)
    spoken.refund_elsewhere(simulator, order_id, payment_id, 20_000)
    (wholly,) = gateway.payments_of(order_id)
    assert (wholly.status, wholly.captured, wholly.amount_refunded) == (PaymentStatus.REFUNDED, True, 25_000)


def test_a_refund_is_made_once_however_often_it_is_asked_for(simulator: Simulator, gateway: Gateway) -> None:
    order_id, payment_id = paid(simulator, gateway)
    made = [refund(gateway, order_id, payment_id) for _ in range(3)]
    assert {(one.refund_id, one.reference, one.amount, one.status) for one in made} == {
        (made[0].refund_id, REFERENCE, 5_000, RefundStatus.SUCCEEDED)
    }
    (seen,) = gateway.payments_of(order_id)
    assert seen.amount_refunded == 5_000


def test_a_refund_whose_answer_is_lost_is_found_and_not_made_again(simulator: Simulator, gateway: Gateway) -> None:
    order_id, payment_id = paid(simulator, gateway)
    fault(simulator, "drop_answer", method="POST", times=3)
    with pytest.raises(GatewayUnavailableError):
        refund(gateway, order_id, payment_id)
    fault(simulator, "none")
    found = gateway.find_refund(payment_id=payment_id, order_id=order_id, reference=REFERENCE)
    assert found == refund(gateway, order_id, payment_id)
    assert gateway.refunds_of(payment_id=payment_id, order_id=order_id) == (found,)
    (seen,) = gateway.payments_of(order_id)
    assert seen.amount_refunded == 5_000


def test_a_refund_that_fails_is_seen_as_failed_and_frees_the_payment(simulator: Simulator, gateway: Gateway) -> None:
    order_id, payment_id = paid(simulator, gateway)
    assert refund(gateway, order_id, payment_id, REFUND_THAT_FAILS).status is RefundStatus.FAILED
    (seen,) = gateway.payments_of(order_id)
    assert (seen.status, seen.amount_refunded) == (PaymentStatus.CAPTURED, 0)


def test_more_than_was_paid_is_not_refunded(simulator: Simulator, gateway: Gateway) -> None:
    order_id, payment_id = paid(simulator, gateway)
    with pytest.raises(GatewayRejectedError):
        refund(gateway, order_id, payment_id, 25_001)


def test_a_refund_that_nobody_asked_for_is_none(simulator: Simulator, gateway: Gateway) -> None:
    order_id, payment_id = paid(simulator, gateway)
    assert gateway.find_refund(payment_id=payment_id, order_id=order_id, reference=REFERENCE) is None


def test_a_refund_of_somebody_else_is_found_by_the_gateways_id_and_has_no_reference(
    simulator: Simulator, gateway: Gateway
) -> None:
    order_id, payment_id = paid(simulator, gateway)
    status, begun = call(simulator, "POST", f"/simulator/payments/{payment_id}/refund", {"amount": 5_000})
    assert status == 200
    found = gateway.find_refund(payment_id=payment_id, order_id=order_id, reference=begun["id"])
    assert found is not None
    assert (found.refund_id, found.reference, found.amount) == (begun["id"], None, 5_000)


def test_a_payment_that_the_payer_dropped_is_failed_and_one_that_hangs_is_not(
    simulator: Simulator, gateway: Gateway
) -> None:
    made = create(gateway)
    play(simulator, made.order_id, "dropped")
    (dropped,) = gateway.payments_of(made.order_id)
    assert (dropped.status, dropped.captured) == (PaymentStatus.FAILED, False)
    other = create(gateway, "top_2")
    play(simulator, other.order_id, "pending")
    (pending,) = gateway.payments_of(other.order_id)
    assert pending.may_still_arrive
    assert not pending.has_arrived


def test_a_payment_of_less_or_more_than_was_asked_for_shows_another_amount(
    simulator: Simulator, gateway: Gateway
) -> None:
    made = create(gateway)
    play(simulator, made.order_id, "amount_mismatch")
    (seen,) = gateway.payments_of(made.order_id)
    assert seen.has_arrived
    assert seen.amount != 25_000


def test_what_the_checkout_needs_is_there_from_the_order_on(gateway: Gateway) -> None:
    made = create(gateway)
    needed = gateway.checkout(order_id=made.order_id, session=made.checkout_session)
    assert needed["order_id"] == made.order_id
    assert all(needed.values())
