"""The simulator's payouts speak as RazorpayX documents them, so that what runs against them runs against it."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.gateway.server import Simulator, running
from tests.integration import razorpay_simulator as razorpay
from tests.integration import razorpayx_simulator as razorpayx


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(razorpay.settings(tmp_path_factory.mktemp("gateway"))) as started:
        yield started


def asked(**changes: object) -> dict[str, object]:
    body: dict[str, object] = {
        "account_number": razorpayx.ACCOUNT_NUMBER,
        "amount": 25_000,
        "currency": "INR",
        "mode": "UPI",
        "purpose": "payout",
        "fund_account": {
            "account_type": "vpa",
            "vpa": {"address": "pending@okbank"},
            "contact": {"name": "Asha Rao"},
        },
        "reference_id": "bill 7",
    }
    return body | changes


def post(simulator: Simulator, body: object, key: str | None = "a key of ours") -> tuple[int, Any]:
    headers = {} if key is None else {"X-Payout-Idempotency": key}
    return razorpay.call(simulator, "POST", "/v1/payouts", body, headers=headers)


def test_a_payout_begins_processing_with_contact_account_and_all(simulator: Simulator) -> None:
    status, told = post(simulator, asked(), "begins")
    assert status == 200
    assert told["id"].startswith("pout_")
    assert (told["entity"], told["status"], told["utr"]) == ("payout", "processing", None)
    assert (told["amount"], told["currency"], told["mode"], told["reference_id"]) == (25_000, "INR", "UPI", "bill 7")
    assert told["fund_account"]["vpa"] == {"username": "pending", "handle": "okbank", "address": "pending@okbank"}
    assert told["status_details"]["reason"] == "beneficiary_bank_confirmation_pending"
    assert razorpay.call(simulator, "GET", f"/v1/payouts/{told['id']}") == (200, told)


@pytest.mark.parametrize("key", [None, "abc", "x" * 37, "key/1"])
def test_a_key_is_mandatory_and_has_4_to_36_letters_digits_and_a_few_signs(
    simulator: Simulator, key: str | None
) -> None:
    status, told = post(simulator, asked(), key)
    assert (status, told["error"]["code"]) == (400, "BAD_REQUEST_ERROR")
    assert told["error"]["field"] == "X-Payout-Idempotency"


def test_the_same_key_answers_the_payout_as_it_stands_and_another_body_is_refused(simulator: Simulator) -> None:
    _, first = post(simulator, asked(), "the same")
    razorpayx.end(simulator, first["id"], "processed")
    status, again = post(simulator, asked(), "the same")
    assert (status, again["id"], again["status"]) == (200, first["id"], "processed")
    status, refused = post(simulator, asked(amount=25_001), "the same")
    assert status == 400
    assert "Idempotency" in refused["error"]["description"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"account_number": "1"}, "account_number"),
        ({"amount": 99}, "amount"),
        ({"amount": 100.0}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"mode": "upi"}, "mode"),
        ({"purpose": "fun"}, "purpose"),
        ({"reference_id": "x" * 41}, "reference_id"),
        ({"narration": "tea & cake"}, "narration"),
        ({"narration": "x" * 31}, "narration"),
        ({"surprise": 1}, "surprise"),
        ({"fund_account": None}, "fund_account.account_type"),
        ({"fund_account": {"account_type": "vpa"}}, "fund_account.vpa.address"),
        (
            {"fund_account": {"account_type": "vpa", "vpa": {"address": "a@okbank"}, "contact": {"name": "Al"}}},
            "fund_account.contact.name",
        ),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(simulator: Simulator, wrong: dict[str, object], field: str) -> None:
    status, told = post(simulator, asked(**wrong), f"wrong {field}"[:36].replace(".", "-"))
    assert (status, told["error"]["reason"], told["error"]["field"]) == (400, "input_validation_failed", field)


def test_without_the_key_pair_nothing_is_paid(simulator: Simulator) -> None:
    status, _ = razorpay.call(
        simulator, "POST", "/v1/payouts", asked(), key="x:y", headers={"X-Payout-Idempotency": "none"}
    )
    assert status == 401


def test_payouts_are_listed_newest_first_by_account_and_reference(simulator: Simulator) -> None:
    made = [post(simulator, asked(reference_id="listed"), f"listed {n}")[1]["id"] for n in range(3)]
    path = f"/v1/payouts?account_number={razorpayx.ACCOUNT_NUMBER}&reference_id=listed"
    listed = razorpay.call(simulator, "GET", path)[1]
    assert (listed["entity"], listed["count"]) == ("collection", 3)
    assert [payout["id"] for payout in listed["items"]] == made[::-1]
    page = razorpay.call(simulator, "GET", path + "&count=1&skip=1")[1]
    assert [payout["id"] for payout in page["items"]] == [made[1]]
    assert razorpay.call(simulator, "GET", "/v1/payouts?reference_id=listed")[0] == 400


def test_the_balance_pays_waits_fails_and_takes_back(simulator: Simulator) -> None:
    razorpayx.set_balance(simulator, 25_000)
    _, paid = post(simulator, asked(), "covered")
    _, waiting = post(simulator, asked(queue_if_low_balance=True), "waits")
    _, failed = post(simulator, asked(), "fails")
    assert (paid["status"], waiting["status"], failed["status"]) == ("processing", "queued", "failed")
    assert waiting["status_details"]["reason"] == "low_balance"
    assert razorpayx.balance(simulator) == 0
    razorpayx.end(simulator, paid["id"], "reversed")
    assert razorpayx.balance(simulator) == 25_000
    razorpayx.set_balance(simulator, 25_000)
    assert razorpay.call(simulator, "GET", f"/v1/payouts/{waiting['id']}")[1]["status"] == "processing"
    assert razorpayx.balance(simulator) == 0
    razorpayx.set_balance(simulator, 10**12)


def test_a_payout_goes_forward_only(simulator: Simulator) -> None:
    _, told = post(simulator, asked(), "forward")
    for outcome, status in (
        ("queued", 409),
        ("processed", 200),
        ("failed", 409),
        ("reversed", 200),
        ("processed", 409),
    ):
        answer, _ = razorpay.call(simulator, "POST", f"/simulator/payouts/{told['id']}", {"outcome": outcome})
        assert answer == status, outcome


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("pout_nothing", {"outcome": "processed"}, 404),
        ("bill 7", {"outcome": "lost"}, 422),
        ("bill 7", {"outcome": "processed", "often": 1}, 422),
        ("bill 7", {"outcome": "processed", "duplicates": -1}, 422),
        ("bill 7", {"outcome": "processed", "silent": "yes"}, 422),
        ("balance", {"outcome": "processed"}, 404),
    ],
    ids=str,
)
def test_what_can_not_be_played_is_said(simulator: Simulator, name: str, body: dict[str, object], status: int) -> None:
    path = f"/simulator/payouts/{name.replace(' ', '%20')}"
    assert razorpay.call(simulator, "POST", path, body)[0] == status


def test_each_kind_of_webhook_has_an_address_and_a_secret_of_its_own(simulator: Simulator) -> None:
    told = {"url": "http://127.0.0.1:9/x", "secret": "s", "channel": "anything"}
    assert razorpay.call(simulator, "PUT", "/simulator/webhook", told)[0] == 422
    assert razorpay.call(simulator, "PUT", "/simulator/webhook", told | {"channel": 7})[0] == 422
