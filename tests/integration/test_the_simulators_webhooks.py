"""The simulator's webhooks as they arrive, read by the real reader."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local.gateway.server import Simulator, running
from local.gateway.webhooks import Patience
from tests.integration.razorpay_simulator import (
    ACCOUNT,
    WEBHOOK_SECRET,
    adapter,
    aim,
    call,
    let_go,
    play,
    receiving,
    settings,
    wait_until,
)
from wallet.gateways.port import SignatureMismatchError
from wallet.gateways.razorpay.webhook import RazorpayWebhook

CAPTURE = ["payment.authorized", "payment.captured", "order.paid"]


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with running(settings(tmp_path)) as simulator:
        yield simulator


def new_order(simulator: Simulator) -> str:
    made = adapter(simulator).create_order(
        receipt="top_1", amount_minor=25_000, currency="INR", contact="+919000000000"
    )
    return made.order_id


def test_a_capture_is_told_in_three_events_that_the_reader_believes(simulator: Simulator) -> None:
    order_id = new_order(simulator)
    with receiving() as receiver:
        aim(simulator, receiver)
        told = play(simulator, order_id, "captured")
        receiver.wait_for_events(3)
    assert sorted(receiver.events()) == sorted(CAPTURE)
    reader = RazorpayWebhook([WEBHOOK_SECRET], account_id=ACCOUNT)
    events = {event.name: event for event in (reader.read(*webhook) for webhook in receiver.received)}
    assert {event.event_id for event in events.values()} == set(told["events"])
    assert events["payment.authorized"].payments == ()
    assert events["payment.captured"].payments == events["order.paid"].payments
    assert events["order.paid"].payments == adapter(simulator).payments_of(order_id)


def test_a_webhook_is_compact_keeps_its_nulls_and_has_the_gateways_headers(simulator: Simulator) -> None:
    order_id = new_order(simulator)
    with receiving() as receiver:
        aim(simulator, receiver)
        play(simulator, order_id, "failed")
        receiver.wait_for(1)
    body, headers = receiver.received[0]
    assert body == json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert b'"invoice_id":null' in body
    assert headers["user-agent"] == "Razorpay-Webhook/v1"
    assert headers["content-type"] == "application/json"
    assert headers["x-razorpay-event-id"] == headers["request-id"]
    assert len(headers["x-razorpay-event-id"]) == 14
    assert headers["x-razorpay-event-id"].isalnum()


@pytest.mark.parametrize("status", [500, 503, 302, 404])
def test_a_webhook_is_sent_again_unchanged_until_a_2xx(simulator: Simulator, status: int) -> None:
    order_id = new_order(simulator)
    with receiving(status, status, status, 204) as receiver:
        aim(simulator, receiver)
        play(simulator, order_id, "failed")
        receiver.wait_for(4)
        wait_until(lambda: delivered(simulator, order_id))
    assert len(receiver.received) == 4
    assert len({body for body, _ in receiver.received}) == 1
    assert len({headers["x-razorpay-event-id"] for _, headers in receiver.received}) == 1
    _, shown = call(simulator, "GET", f"/simulator/deliveries?order_id={order_id}")
    assert [(d["tries"], d["answers"]) for d in shown["deliveries"]] == [(4, [status, status, status, 204])]


def delivered(simulator: Simulator, order_id: str) -> bool:
    _, shown = call(simulator, "GET", f"/simulator/deliveries?order_id={order_id}")
    return all(delivery["status"] == "delivered" for delivery in shown["deliveries"])


def test_each_event_may_come_many_times_with_one_id(simulator: Simulator) -> None:
    order_id = new_order(simulator)
    with receiving() as receiver:
        aim(simulator, receiver)
        play(simulator, order_id, "captured", duplicates=4)
        receiver.wait_for(15)
    assert len({headers["x-razorpay-event-id"] for _, headers in receiver.received}) == 3


def test_events_may_come_in_another_order(simulator: Simulator) -> None:
    order_id = new_order(simulator)
    with receiving() as receiver:
        aim(simulator, receiver)
        play(simulator, order_id, "failed_then_captured", out_of_order=True)
        receiver.wait_for_events(4)
    sent = call(simulator, "GET", f"/simulator/deliveries?order_id={order_id}")[1]["deliveries"]
    assert sent[0]["event"] == "order.paid"
    assert sorted(receiver.events()) == sorted(one["event"] for one in sent)


def test_failed_then_captured_tells_both_of_one_payment(simulator: Simulator) -> None:
    order_id = new_order(simulator)
    with receiving() as receiver:
        aim(simulator, receiver)
        play(simulator, order_id, "failed_then_captured")
        receiver.wait_for_events(4)
    assert sorted(receiver.events()) == sorted(["payment.failed", *CAPTURE])
    ids = {json.loads(body)["payload"]["payment"]["entity"]["id"] for body, _ in receiver.received}
    assert len(ids) == 1


def test_captured_twice_tells_of_two_payments_and_one_paid_order(simulator: Simulator) -> None:
    order_id = new_order(simulator)
    with receiving() as receiver:
        aim(simulator, receiver)
        play(simulator, order_id, "captured_twice")
        receiver.wait_for_events(5)
    assert sorted(receiver.events()) == sorted([*CAPTURE, *CAPTURE[:2]])


def test_an_amount_mismatch_is_captured_and_differs_from_the_order(simulator: Simulator) -> None:
    order_id = new_order(simulator)
    with receiving() as receiver:
        aim(simulator, receiver)
        play(simulator, order_id, "amount_mismatch")
        receiver.wait_for_events(3)
    event = json.loads(next(body for body, _ in receiver.received if b'"order.paid"' in body))
    assert event["payload"]["payment"]["entity"]["amount"] != event["payload"]["order"]["entity"]["amount"]
    assert event["payload"]["payment"]["entity"]["captured"] is True


def test_a_capture_without_a_webhook_sends_none(simulator: Simulator) -> None:
    order_id = new_order(simulator)
    with receiving() as receiver:
        aim(simulator, receiver)
        told = play(simulator, order_id, "captured_without_webhook")
        _, shown = call(simulator, "GET", "/simulator/deliveries")
    assert (told["events"], shown["deliveries"], receiver.received) == ([], [], [])
    assert told["payments"][0]["status"] == "captured"


def test_webhooks_can_be_held_back(simulator: Simulator) -> None:
    order_id = new_order(simulator)
    with receiving() as receiver:
        aim(simulator, receiver)
        play(simulator, order_id, "failed", delay_s=30)
        _, shown = call(simulator, "GET", "/simulator/deliveries")
        assert shown["deliveries"][0]["status"] == "waiting"
        assert receiver.received == []
        let_go(simulator)
        receiver.wait_for(1)


def test_an_event_of_before_a_rotation_keeps_the_old_signature(simulator: Simulator) -> None:
    order_id = new_order(simulator)
    with receiving(500, 500) as receiver:
        aim(simulator, receiver, "old-secret")
        play(simulator, order_id, "failed", delay_s=0.3)
        aim(simulator, receiver, "new-secret")
        receiver.wait_for(3)
    with pytest.raises(SignatureMismatchError):
        RazorpayWebhook(["new-secret"], account_id=ACCOUNT).read(*receiver.received[-1])
    both = RazorpayWebhook(["new-secret", "old-secret"], account_id=ACCOUNT)
    assert both.read(*receiver.received[-1]).name == "payment.failed"


def test_a_refund_is_told_in_two_events_with_its_payment(simulator: Simulator) -> None:
    order_id = new_order(simulator)
    payment_id = play(simulator, order_id, "captured")["payments"][0]["id"]
    with receiving() as receiver:
        aim(simulator, receiver)
        call(simulator, "POST", f"/v1/payments/{payment_id}/refund", {"amount": 5_000})
        receiver.wait_for_events(2)
    assert sorted(receiver.events()) == ["refund.created", "refund.processed"]
    reader = RazorpayWebhook([WEBHOOK_SECRET], account_id=ACCOUNT)
    seen = {event.name: event.refunds[0] for event in (reader.read(*webhook) for webhook in receiver.received)}
    payment = seen["refund.processed"].payment
    assert payment is not None
    assert payment.amount_refunded == 5_000


def test_what_was_not_delivered_before_a_restart_is_delivered_after_it(tmp_path: Path) -> None:
    with receiving() as receiver:
        with running(settings(tmp_path)) as simulator:
            order_id = new_order(simulator)
            aim(simulator, receiver)
            play(simulator, order_id, "captured", delay_s=30)
        assert receiver.received == []
        with running(settings(tmp_path)) as simulator:
            let_go(simulator)
            receiver.wait_for_events(3)
            (seen,) = adapter(simulator).payments_of(order_id)
            assert seen.captured
    assert sorted(receiver.events()) == sorted(CAPTURE)


def test_a_receiver_that_is_not_there_is_tried_again(simulator: Simulator) -> None:
    order_id = new_order(simulator)
    call(simulator, "PUT", "/simulator/webhook", {"url": "http://127.0.0.1:9/", "secret": "s"})
    play(simulator, order_id, "failed")
    wait_until(lambda: len(answers(simulator)) > 1)
    assert set(answers(simulator)) == {"ConnectionRefusedError"}


def test_a_receiver_that_does_not_answer_in_time_is_tried_again(tmp_path: Path) -> None:
    hasty = replace(settings(tmp_path), patience=Patience(timeout=1.0, first=0.05))
    with running(hasty) as simulator, socket.create_server(("127.0.0.1", 0)) as silent:
        order_id = new_order(simulator)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        call(simulator, "PUT", "/simulator/webhook", {"url": url, "secret": "s"})
        play(simulator, order_id, "failed")
        wait_until(lambda: len(answers(simulator)) > 1)
        assert set(answers(simulator)) == {"TimeoutError"}


def answers(simulator: Simulator) -> list[object]:
    _, shown = call(simulator, "GET", "/simulator/deliveries")
    return list(shown["deliveries"][0]["answers"])
