"""The simulator keeps to the documented protocol, so that what works here works there."""

import string
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local.gateway.server import Simulator, running
from tests.integration.razorpay_simulator import KEY_ID, call, play, settings

ORDER = {"amount": 25_000, "currency": "INR", "receipt": "top_1"}
INTENT = {
    "amount": 25_000,
    "currency": "INR",
    "email": "asha@example.com",
    "contact": "+919000000000",
    "method": "upi",
    "upi": {"flow": "intent"},
}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(settings(tmp_path_factory.mktemp("gateway"))) as simulator:
        yield simulator


def new_order(simulator: Simulator, **changes: object) -> dict[str, Any]:  # Any: tests look into whatever came back
    status, order = call(simulator, "POST", "/v1/orders", ORDER | changes)
    assert status == 200, order
    assert isinstance(order, dict)
    return order


def paid(simulator: Simulator) -> tuple[str, str]:
    """Make an order, pay it, and return its id and the payment's."""
    order_id = new_order(simulator)["id"]
    return order_id, play(simulator, order_id, "captured")["payments"][0]["id"]


def test_an_order_has_the_documented_shape(simulator: Simulator) -> None:
    order = new_order(simulator)
    prefix, _, rest = order.pop("id").partition("_")
    assert (prefix, len(rest), set(rest) <= set(string.ascii_letters + string.digits)) == ("order", 14, True)
    assert isinstance(order.pop("created_at"), int)
    assert order == {
        "entity": "order",
        "amount": 25_000,
        "amount_paid": 0,
        "amount_due": 25_000,
        "currency": "INR",
        "receipt": "top_1",
        "offer_id": None,
        "status": "created",
        "attempts": 0,
        "notes": [],
    }


@pytest.mark.parametrize("key", [f"{KEY_ID}:wrong", "wrong:sim-key-secret", ":"])
def test_a_wrong_key_is_a_401_of_the_documented_shape(simulator: Simulator, key: str) -> None:
    status, body = call(simulator, "POST", "/v1/orders", ORDER, key=key)
    assert (status, body["error"]["code"]) == (401, "BAD_REQUEST_ERROR")
    assert set(body["error"]) == {"code", "description", "source", "step", "reason", "metadata"}


@pytest.mark.parametrize("scheme", ["BASIC", "basic", "Bearer"])
def test_the_scheme_is_spelt_one_way(simulator: Simulator, scheme: str) -> None:
    headers = {"authorization": f"{scheme} cnpwX3Rlc3Rfc2ltOnNpbS1rZXktc2VjcmV0"}
    assert call(simulator, "GET", "/v1/orders", headers=headers)[0] == 401


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 99}, "amount"),
        ({"amount": 250.0}, "amount"),
        ({"amount": "25000"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": None}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"receipt": "x" * 41}, "receipt"),
        ({"notes": {str(n): "x" for n in range(16)}}, "notes"),
        ({"notes": {"a": "x" * 257}}, "notes"),
        ({"payment": {"capture": "manual"}}, "payment"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_field_is_a_400_that_names_it(simulator: Simulator, changes: dict[str, object], field: str) -> None:
    status, body = call(simulator, "POST", "/v1/orders", ORDER | changes)
    assert (status, body["error"]["field"]) == (400, field)
    assert body["error"]["reason"] == "input_validation_failed"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_a_400(simulator: Simulator, body: bytes) -> None:
    assert call(simulator, "POST", "/v1/orders", body)[0] == 400


def test_a_receipt_makes_a_second_order_unless_it_is_asked_to_be_unique(simulator: Simulator) -> None:
    first, second = new_order(simulator, receipt="twice"), new_order(simulator, receipt="twice")
    assert first["id"] != second["id"]
    assert new_order(simulator, receipt="twice", unique_receipt=True) == first
    status, body = call(
        simulator, "POST", "/v1/orders", ORDER | {"receipt": "twice", "unique_receipt": True, "amount": 100}
    )
    assert (status, body["error"]["description"]) == (400, "Order receipt should be unique.")


def test_orders_are_listed_newest_first_by_receipt_and_page(simulator: Simulator) -> None:
    ids = [new_order(simulator, receipt="listed")["id"] for _ in range(12)]
    _, first = call(simulator, "GET", "/v1/orders?receipt=listed")
    assert (first["entity"], first["count"]) == ("collection", 10)
    _, rest = call(simulator, "GET", "/v1/orders?receipt=listed&count=100&skip=10")
    assert [order["id"] for order in first["items"] + rest["items"]] == ids[::-1]
    _, none = call(simulator, "GET", "/v1/orders?receipt=listed&to=1")
    assert none["items"] == []
    assert call(simulator, "GET", "/v1/orders?count=101")[0] == 400


def test_notes_are_an_object_when_there_are_some(simulator: Simulator) -> None:
    assert new_order(simulator, notes={"a": "b"})["notes"] == {"a": "b"}


def test_an_order_goes_from_created_to_attempted_to_paid(simulator: Simulator) -> None:
    order_id = new_order(simulator)["id"]
    call(simulator, "POST", "/v1/payments/create/upi", INTENT | {"order_id": order_id})
    play(simulator, order_id, "failed")
    _, tried = call(simulator, "GET", f"/v1/orders/{order_id}")
    assert (tried["status"], tried["attempts"], tried["amount_due"]) == ("attempted", 1, 25_000)
    play(simulator, order_id, "captured")
    _, paid = call(simulator, "GET", f"/v1/orders/{order_id}")
    assert (paid["status"], paid["attempts"], paid["amount_paid"], paid["amount_due"]) == (
        "paid",
        2,
        25_000,
        0,
    )


def test_a_paid_order_takes_no_further_payment(simulator: Simulator) -> None:
    order_id, _ = paid(simulator)
    status, body = call(simulator, "POST", "/v1/payments/create/upi", INTENT | {"order_id": order_id})
    assert (status, body["error"]["reason"]) == (400, "order_already_paid")
    assert call(simulator, "POST", f"/simulator/orders/{order_id}/pay", {"outcome": "captured"})[0] == 409


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 30_000},
        {"upi": {"flow": "collect"}},
        {"email": None},
        {"contact": None},
        {"method": "card"},
    ],
)
def test_an_intent_needs_the_orders_amount_and_who_pays(simulator: Simulator, changes: dict[str, object]) -> None:
    body = INTENT | {"order_id": new_order(simulator)["id"]} | changes
    assert call(simulator, "POST", "/v1/payments/create/upi", body)[0] == 400


def test_refunds_add_up_to_at_most_the_payment(simulator: Simulator) -> None:
    order_id, payment_id = paid(simulator)
    path = f"/v1/payments/{payment_id}/refund"
    _, first = call(simulator, "POST", path, {"amount": 20_000})
    assert (first["status"], first["amount"], first["payment_id"]) == ("processed", 20_000, payment_id)
    assert call(simulator, "POST", path, {"amount": 5_001})[0] == 400
    _, rest = call(simulator, "POST", path)
    assert rest["amount"] == 5_000
    assert call(simulator, "POST", path)[0] == 400
    _, listed = call(simulator, "GET", f"/v1/payments/{payment_id}/refunds")
    assert listed["items"] == [first, rest]
    assert call(simulator, "GET", f"/v1/refunds/{first['id']}") == (200, first)
    _, payment = call(simulator, "GET", f"/v1/payments/{payment_id}")
    assert (payment["status"], payment["refund_status"]) == ("refunded", "full")
    _, order = call(simulator, "GET", f"/v1/orders/{order_id}")
    assert order["status"] == "paid"


def test_sixteen_refunds_at_once_never_give_back_more_than_came(simulator: Simulator) -> None:
    _, payment_id = paid(simulator)
    path = f"/v1/payments/{payment_id}/refund"
    with ThreadPoolExecutor(16) as callers:
        statuses = list(callers.map(lambda _: call(simulator, "POST", path, {"amount": 10_000})[0], range(16)))
    assert sorted(statuses) == [200, 200, *[400] * 14]


def test_a_refunds_key_replays_the_same_request_and_refuses_another(simulator: Simulator) -> None:
    _, payment_id = paid(simulator)
    path, key = f"/v1/payments/{payment_id}/refund", {"X-Refund-Idempotency": f"key-{payment_id}"}
    first = call(simulator, "POST", path, {"amount": 5_000}, headers=key)
    assert call(simulator, "POST", path, {"amount": 5_000}, headers=key) == first
    status, body = call(simulator, "POST", path, {"amount": 6_000}, headers=key)
    assert (status, body["error"]["code"]) == (409, "BAD_REQUEST_ERROR")
    assert call(simulator, "POST", path, {}, headers={"X-Refund-Idempotency": "short"})[0] == 400


def test_a_payment_that_is_not_captured_cannot_be_refunded(simulator: Simulator) -> None:
    order_id = new_order(simulator)["id"]
    payment_id = play(simulator, order_id, "failed")["payments"][0]["id"]
    assert call(simulator, "POST", f"/v1/payments/{payment_id}/refund")[0] == 400


def test_a_refund_of_the_failing_amount_fails_and_takes_nothing(simulator: Simulator) -> None:
    _, payment_id = paid(simulator)
    _, refund = call(simulator, "POST", f"/v1/payments/{payment_id}/refund", {"amount": 24_68})
    assert refund["status"] == "failed"
    _, payment = call(simulator, "GET", f"/v1/payments/{payment_id}")
    assert (payment["amount_refunded"], payment["refund_status"]) == (0, None)


@pytest.mark.parametrize(
    "path", ["/v1/orders/order_x", "/v1/orders/order_x/payments", "/v1/payments/pay_x", "/v1/refunds/rfnd_x"]
)
def test_an_unknown_id_is_a_400_as_there(simulator: Simulator, path: str) -> None:
    status, body = call(simulator, "GET", path)
    assert (status, body["error"]["code"]) == (400, "BAD_REQUEST_ERROR")


@pytest.mark.parametrize("path", ["/v1/nothing", "/nothing", "/phones", "/v2/orders"])
def test_an_unknown_url_is_a_404(simulator: Simulator, path: str) -> None:
    assert call(simulator, "GET", path)[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"outcome": "lucky"},
        {"outcome": ["captured"]},
        {"outcome": "captured", "surprise": 1},
        {"outcome": "captured", "duplicates": -1},
        {"outcome": "captured", "duplicates": 1.5},
        {"outcome": "captured", "duplicates": True},
        {"outcome": "captured", "delay_s": "1"},
        {"outcome": "captured", "out_of_order": 1},
        [],
        b"{",
    ],
)
def test_a_play_that_is_not_known_is_a_422_and_changes_nothing(simulator: Simulator, body: object) -> None:
    order_id = new_order(simulator)["id"]
    assert call(simulator, "POST", f"/simulator/orders/{order_id}/pay", body)[0] == 422
    assert call(simulator, "GET", f"/v1/orders/{order_id}/payments")[1]["count"] == 0


def test_a_play_on_an_unknown_order_is_a_404(simulator: Simulator) -> None:
    assert call(simulator, "POST", "/simulator/orders/order_x/pay", {"outcome": "captured"})[0] == 404


@pytest.mark.parametrize(
    "body", [{"mode": "odd"}, {"mode": "down", "path": "/x"}, {"mode": "down", "times": 0}, {"x": 1}]
)
def test_a_fault_that_is_not_known_is_a_422(simulator: Simulator, body: object) -> None:
    assert call(simulator, "POST", "/simulator/faults", body)[0] == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "ftp://x", "secret": "s"},
        {"url": "http://x", "secret": ""},
        {"url": 1, "secret": 2},
        {"url": "http://x:99999", "secret": "s"},
    ],
)
def test_a_webhook_that_cannot_be_one_is_a_422(simulator: Simulator, body: object) -> None:
    assert call(simulator, "PUT", "/simulator/webhook", body)[0] == 422


def test_it_says_that_it_is_well(simulator: Simulator) -> None:
    assert call(simulator, "GET", "/healthz") == (200, {"status": "ok"})


def test_orders_and_payments_survive_a_restart(tmp_path: Path) -> None:
    with running(settings(tmp_path)) as before:
        order_id, _ = paid(before)
        known = call(before, "GET", f"/v1/orders/{order_id}/payments")
    with running(settings(tmp_path)) as after:
        assert call(after, "GET", f"/v1/orders/{order_id}/payments") == known
