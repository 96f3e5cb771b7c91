"""The simulator keeps to Cashfree's documented protocol too, so that what works here works there."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import urllib3

from local.gateway.server import Simulator, running
from tests.integration.razorpay_simulator import KEY_ID, KEY_SECRET, call, play, receiving, settings
from tests.integration.spoken import SpokenCashfree, aim, cashfree_call
from tests.support.books import unique

ORDER = {
    "order_amount": 250.5,
    "order_currency": "INR",
    "customer_details": {"customer_id": "919876543210", "customer_phone": "9876543210"},
    "order_meta": {"payment_methods": "upi"},
}
SPEAKING = SpokenCashfree()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(settings(tmp_path_factory.mktemp("gateway"))) as simulator:
        yield simulator


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Simulator]:
    """A gateway of the test's own that has told nobody anything yet, and has nothing left to tell."""
    with running(settings(tmp_path)) as simulator:
        yield simulator


def new_order(simulator: Simulator, **changes: object) -> dict[str, Any]:
    status, order = cashfree_call(simulator, "POST", "/pg/orders", {**ORDER, "order_id": unique("top_"), **changes})
    assert status == 200, order
    assert isinstance(order, dict)
    return order


def paid(simulator: Simulator) -> str:
    order_id: str = new_order(simulator)["order_id"]
    play(simulator, order_id, "captured")
    return order_id


def test_an_order_has_the_documented_shape_and_our_id(simulator: Simulator) -> None:
    order = new_order(simulator)
    assert order["order_id"].startswith("top_")
    assert (order["order_amount"], order["order_currency"], order["order_status"]) == (250.5, "INR", "ACTIVE")
    assert order["payment_session_id"].startswith("session_")
    assert order["cf_order_id"].isdigit()
    assert order["created_at"].endswith("+05:30")
    assert cashfree_call(simulator, "GET", f"/pg/orders/{order['order_id']}") == (200, order)


def test_amounts_are_numbers_with_two_places(simulator: Simulator) -> None:
    order_id = paid(simulator)
    headers = {"x-client-id": KEY_ID, "x-client-secret": KEY_SECRET, "x-api-version": "2025-01-01"}
    raw = urllib3.request("GET", f"{simulator.url}/pg/orders/{order_id}/payments", headers=headers).data
    assert b'"payment_amount":250.50,' in raw
    assert b'"order_amount":250.50,' in raw


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("x-client-id", "other", 401),
        ("x-client-secret", "wrong", 401),
        ("x-api-version", "2022-09-01", 400),
        ("x-idempotency-key", "no-uuid", 400),
    ],
)
def test_a_wrong_header_is_refused_in_the_documented_shape(
    simulator: Simulator, name: str, value: str, status: int
) -> None:
    told, error = cashfree_call(simulator, "POST", "/pg/orders", {**ORDER, "order_id": "top_x"}, {name: value})
    assert told == status
    assert set(error) == {"message", "code", "type"}


@pytest.mark.parametrize(
    "changes",
    [
        {"order_amount": 0.99},
        {"order_amount": 1.005},
        {"order_amount": "250.50"},
        {"order_amount": True},
        {"order_amount": None},
        {"order_currency": "USD"},
        {"order_id": "ab"},
        {"order_id": "x" * 46},
        {"order_id": "top 1"},
        {"customer_details": {"customer_id": "a-b", "customer_phone": "9876543210"}},
        {"customer_details": {"customer_id": "abc", "customer_phone": "+919876543210"}},
        {"customer_details": None},
        {"surprise": 1},
    ],
)
def test_a_wrong_field_is_a_400(simulator: Simulator, changes: dict[str, object]) -> None:
    status, error = cashfree_call(simulator, "POST", "/pg/orders", {**ORDER, "order_id": unique("top_"), **changes})
    assert (status, error["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_a_400(simulator: Simulator, body: bytes) -> None:
    assert cashfree_call(simulator, "POST", "/pg/orders", body)[0] == 400


def test_an_id_is_taken_once_and_a_key_tells_the_same_again(simulator: Simulator) -> None:
    body, key = {**ORDER, "order_id": unique("top_")}, {"x-idempotency-key": str(uuid4())}
    first = cashfree_call(simulator, "POST", "/pg/orders", body, key)
    assert cashfree_call(simulator, "POST", "/pg/orders", body, key) == first
    status, error = cashfree_call(simulator, "POST", "/pg/orders", body)
    assert (status, error["code"]) == (409, "order_already_exists")
    status, error = cashfree_call(simulator, "POST", "/pg/orders", {**body, "order_amount": 1}, key)
    assert (status, error["type"]) == (422, "idempotency_error")


def test_a_session_opens_a_payment_with_a_link_for_every_app_and_some_for_one(simulator: Simulator) -> None:
    session = new_order(simulator)["payment_session_id"]
    body = {"payment_session_id": session, "payment_method": {"upi": {"channel": "link"}}}
    status, begun = cashfree_call(simulator, "POST", "/pg/orders/sessions", body)
    assert (status, begun["channel"]) == (200, "link")
    links = begun["data"]["payload"]
    assert links["default"].startswith("upi://pay?")
    assert "am=250.50" in links["default"]
    assert set(links) == {"default", "bhim", "gpay", "paytm", "phonepe"}
    wrong = {**body, "payment_session_id": "session_unknown"}
    assert cashfree_call(simulator, "POST", "/pg/orders/sessions", wrong)[0] == 400


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("captured", ["SUCCESS"]),
        ("failed", ["FAILED"]),
        ("dropped", ["USER_DROPPED"]),
        ("pending", ["PENDING"]),
        ("failed_then_captured", ["SUCCESS"]),
        ("captured_twice", ["SUCCESS", "SUCCESS"]),
        ("auto_refunded", ["FAILED"]),
    ],
)
def test_a_payments_state_is_in_capitals(simulator: Simulator, outcome: str, words: list[str]) -> None:
    order_id = new_order(simulator)["order_id"]
    play(simulator, order_id, outcome)
    _, payments = cashfree_call(simulator, "GET", f"/pg/orders/{order_id}/payments")
    assert [payment["payment_status"] for payment in payments] == words
    assert {payment["order_id"] for payment in payments} == {order_id}


def test_an_orders_refunds_add_up_to_at_most_its_payment_and_are_one_for_one_id(simulator: Simulator) -> None:
    order_id = paid(simulator)
    path = f"/pg/orders/{order_id}/refunds"
    body = {"refund_id": unique("rfd_"), "refund_amount": 200.5, "refund_note": "a note"}
    status, first = cashfree_call(simulator, "POST", path, body)
    assert (status, first["refund_status"], first["refund_amount"]) == (200, "SUCCESS", 200.5)
    assert cashfree_call(simulator, "POST", path, body) == (200, first)
    status, error = cashfree_call(simulator, "POST", path, {**body, "refund_amount": 1})
    assert (status, error["code"]) == (400, "refund_id_already_exists")
    status, error = cashfree_call(simulator, "POST", path, {**body, "refund_id": unique("rfd_")})
    assert (status, error["code"]) == (400, "refund_amount_invalid")
    assert cashfree_call(simulator, "GET", path) == (200, [first])
    assert cashfree_call(simulator, "GET", f"{path}/{body['refund_id']}") == (200, first)
    assert cashfree_call(simulator, "GET", f"{path}/rfd_unknown")[0] == 404


def test_sixteen_refunds_at_once_never_give_back_more_than_came(simulator: Simulator) -> None:
    path = f"/pg/orders/{paid(simulator)}/refunds"

    def ask(number: int) -> int:
        body = {"refund_id": f"rfd_{number}_x", "refund_amount": 100, "refund_note": "a note"}
        return cashfree_call(simulator, "POST", path, body)[0]

    with ThreadPoolExecutor(16) as callers:
        assert sorted(callers.map(ask, range(16))) == [200, 200, *[400] * 14]


@pytest.mark.parametrize("path", ["/pg/orders/top_x", "/pg/orders/top_x/payments", "/pg/orders/top_x/refunds", "/pg/x"])
def test_what_is_not_there_is_a_404(simulator: Simulator, path: str) -> None:
    assert cashfree_call(simulator, "GET", path)[0] == 404


def test_an_order_of_the_other_protocol_is_not_this_ones(simulator: Simulator) -> None:
    order = {"amount": 25_000, "currency": "INR", "receipt": "top_1"}
    _, made = call(simulator, "POST", "/v1/orders", order)
    assert cashfree_call(simulator, "GET", f"/pg/orders/{made['id']}")[0] == 404


def test_an_event_is_signed_over_its_time_stamp_and_sent_again_unchanged_until_a_2xx(silent: Simulator) -> None:
    order_id = new_order(silent)["order_id"]
    with receiving(500, 302) as receiver:
        aim(silent, SPEAKING, receiver.url)
        play(silent, order_id, "captured")
        receiver.wait_for(3)
    body, headers = receiver.received[0]
    signed = headers["x-webhook-timestamp"].encode() + body
    made = base64.b64encode(hmac.new(KEY_SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["x-webhook-signature"] == made
    assert (headers["x-webhook-version"], len(headers["x-webhook-timestamp"])) == ("2025-01-01", 13)
    assert len({body for body, _ in receiver.received}) == 1
    told = json.loads(body, parse_float=Decimal)
    assert (told["type"], told["data"]["payment"]["payment_status"]) == ("PAYMENT_SUCCESS_WEBHOOK", "SUCCESS")
    assert str(told["data"]["order"]["order_amount"]) == "250.50"


@pytest.mark.parametrize(
    ("outcome", "names"),
    [
        ("captured", ["PAYMENT_SUCCESS_WEBHOOK"]),
        ("failed", ["PAYMENT_FAILED_WEBHOOK"]),
        ("dropped", ["PAYMENT_USER_DROPPED_WEBHOOK"]),
        ("pending", ["PAYMENT_SUCCESS_WEBHOOK"]),
        ("auto_refunded", ["AUTO_REFUND_STATUS_WEBHOOK"]),
        ("captured_twice", ["PAYMENT_SUCCESS_WEBHOOK", "PAYMENT_SUCCESS_WEBHOOK"]),
    ],
)
def test_what_has_happened_is_told_under_the_documented_name(silent: Simulator, outcome: str, names: list[str]) -> None:
    order_id = new_order(silent)["order_id"]
    with receiving() as receiver:
        aim(silent, SPEAKING, receiver.url)
        play(silent, order_id, outcome)
        receiver.wait_for_events(len(names))
    assert receiver.events() == names


def test_a_refund_is_told_when_it_has_ended(silent: Simulator) -> None:
    order_id = paid(silent)
    with receiving() as receiver:
        aim(silent, SPEAKING, receiver.url)
        body = {"refund_id": "rfd_told", "refund_amount": 50, "refund_note": "a note"}
        cashfree_call(silent, "POST", f"/pg/orders/{order_id}/refunds", body)
        receiver.wait_for(1)
    told = json.loads(receiver.received[0][0])
    assert (told["type"], told["data"]["refund"]["refund_id"]) == ("REFUND_STATUS_WEBHOOK", "rfd_told")
    assert isinstance(told["data"]["refund"]["cf_payment_id"], int)


def test_orders_and_keys_survive_a_restart(tmp_path: Path) -> None:
    body, key = {**ORDER, "order_id": "top_kept"}, {"x-idempotency-key": str(uuid4())}
    with running(settings(tmp_path)) as before:
        made = cashfree_call(before, "POST", "/pg/orders", body, key)
    with running(settings(tmp_path)) as after:
        assert cashfree_call(after, "POST", "/pg/orders", body, key) == made
