"""The README's story, over HTTP: register, top up by UPI, pay, look."""

import re
from typing import Any

import pytest

from tests.support.client import PASSWORD, Api, at_the_end, new_key, wait_until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_the_money_path(api: Api) -> None:
    asha, shop = api.person(), api.person(kind="merchant", name="चाय की दुकान")
    assert asha.balance() == 0

    opened = asha.open_top_up(50_000)
    assert opened["status"] == "pending"
    assert opened["checkout"]["order_id"] == opened["gateway_order_id"]
    assert opened["upi"]["intent_url"].startswith("upi://pay?")
    assert TIME.fullmatch(opened["expires_at"])
    api.play(opened["gateway_order_id"], "captured")
    state = at_the_end(asha, opened["id"], "succeeded")
    assert [event["status"] for event in state["events"]] == ["pending", "succeeded"]

    paid = asha.pay(shop, 6_000, description="चाय ☕", reference="bill 7")
    assert paid.status == 201
    body = paid.body
    assert (body["status"], body["amount"], body["currency"]) == ("completed", 6_000, "INR")
    assert body["from"]["wallet_id"] == asha.wallet_id
    assert body["to"] == {"wallet_id": shop.wallet_id, "name": "चाय की दुकान"}
    assert body["balance"] == {"total": 44_000, "held": 0, "available": 44_000}
    assert TIME.fullmatch(body["created_at"])
    assert (asha.balance(), shop.balance()) == (44_000, 6_000)

    seen = shop.get(f"/payments/{body['id']}")
    assert (seen.status, seen.body["refunded"], seen.body["transaction_id"]) == (200, 0, body["transaction_id"])

    statement = asha.get("/wallet/transactions").body
    assert [
        (entry["type"], entry["direction"], entry["amount"], entry["balance_after"]) for entry in statement["data"]
    ] == [
        ("payment", "debit", 6_000, 44_000),
        ("top_up", "credit", 50_000, 50_000),
    ]
    assert statement["next_cursor"] is None


def test_a_phone_is_one_wallet_however_people_write_it(api: Api) -> None:
    asha, bela = api.person(money=1_000), api.person()
    ten, proof = bela.phone[3:], api.prove(bela.phone)
    for paid, written in enumerate(
        (f"+91 {ten[:5]}-{ten[5:]}", f"+91 (0) {ten[:5]}-{ten[5:]}", f"tel:0091{ten}", f"\u202a{ten}\u202c"), start=1
    ):
        answer = asha.post("/payments", {"to": {"phone": written}, "amount": 10})
        assert answer.status == 201, answer.text
        assert bela.balance() == 10 * paid
        known = {"phone_proof": proof, "phone": written, "name": "Bela", "password": PASSWORD}
        assert api.call("POST", "/register", known).body["code"] == "phone_taken"
        assert api.call("POST", "/login", {"phone": written, "password": PASSWORD}).status == 200


@pytest.mark.parametrize(
    ("outcome", "more"),
    [
        ("captured", {"duplicates": 4}),
        ("captured", {"duplicates": 2, "out_of_order": True}),
        ("captured", {"delay_s": 1}),
        ("failed_then_captured", {}),
        ("failed_then_captured", {"out_of_order": True, "duplicates": 1}),
    ],
)
def test_however_the_gateway_tells_it_the_money_is_credited_once(
    api: Api, outcome: str, more: dict[str, Any], select: Any
) -> None:
    asha = api.person()
    opened = asha.open_top_up(12_300)
    api.play(opened["gateway_order_id"], outcome, **more)
    at_the_end(asha, opened["id"], "succeeded")
    wait_until(api.gateway_is_quiet)
    assert asha.balance() == 12_300
    assert asha.top_up_state(opened["id"])["status"] == "succeeded"


def test_a_failed_payment_credits_nothing_and_says_why(api: Api) -> None:
    asha = api.person()
    opened = asha.open_top_up(12_300)
    api.play(opened["gateway_order_id"], "failed")
    state = at_the_end(asha, opened["id"], "failed")
    assert state["events"][-1]["reason"]
    assert asha.balance() == 0


def test_of_two_payments_of_one_order_one_is_credited_and_one_waits_in_suspense(api: Api, select: Any) -> None:
    asha = api.person()
    opened = asha.open_top_up(12_300)
    played = api.play(opened["gateway_order_id"], "captured_twice")
    ids = [payment["id"] for payment in played["payments"]]
    wait_until(lambda: len(booked(select, ids)) == 2)
    wait_until(api.gateway_is_quiet)
    assert sorted(booked(select, ids)) == [("suspense", "order_already_paid"), ("top_up", None)]
    assert asha.balance() == 12_300


def test_another_amount_than_was_asked_for_waits_in_suspense(api: Api, select: Any) -> None:
    asha = api.person()
    opened = asha.open_top_up(12_300)
    played = api.play(opened["gateway_order_id"], "amount_mismatch")
    ids = [payment["id"] for payment in played["payments"]]
    wait_until(lambda: len(booked(select, ids)) == 1)
    assert booked(select, ids) == [("suspense", "amount_mismatch")]
    assert asha.balance() == 0
    assert asha.top_up_state(opened["id"])["status"] == "failed"


def test_a_payment_of_which_no_webhook_tells_is_found_by_asking(api: Api, select: Any) -> None:
    asha = api.person()
    opened = asha.open_top_up(12_300)
    api.play(opened["gateway_order_id"], "captured_without_webhook")
    a_minute_passes(select, opened)
    api.let_the_clock_run()
    at_the_end(asha, opened["id"], "succeeded")  # not at once if the schedule's own run asks
    assert asha.balance() == 12_300


def test_an_attempt_that_nobody_pays_expires(api: Api, select: Any) -> None:
    asha = api.person()
    opened = asha.open_top_up(12_300)
    # five days pass
    select(
        "UPDATE payment_attempts SET next_check_at = UTC_TIMESTAMP(6), expires_at = UTC_TIMESTAMP(6)"
        " WHERE gateway_order_id = %s",
        opened["gateway_order_id"],
    )
    api.let_the_clock_run()
    at_the_end(asha, opened["id"], "expired")


def test_the_clock_asks_by_itself(api: Api, select: Any) -> None:
    """The schedule of the template, once a minute here; the attempt is made to look a minute old."""
    asha = api.person()
    opened = asha.open_top_up(12_300)
    api.play(opened["gateway_order_id"], "captured_without_webhook")
    a_minute_passes(select, opened)
    wait_until(lambda: asha.balance() == 12_300, within_s=100)


def test_another_persons_top_up_and_payment_are_not_found(api: Api) -> None:
    asha, bela, eve = api.person(money=1_000), api.person(), api.person()
    opened = asha.open_top_up(10_000)
    paid = asha.pay(bela, 10)
    assert (eve.get(f"/top-ups/{opened['id']}").status, eve.get(f"/payments/{paid.body['id']}").status) == (404, 404)
    assert bela.get(f"/payments/{paid.body['id']}").status == 200


def test_a_top_up_beyond_the_limits_asks_for_no_money(api: Api) -> None:
    asha = api.person(money=15_000_000)
    for amount, status, code in (
        (99, 422, "amount_out_of_range"),
        (20_000_001, 422, "amount_out_of_range"),
        (5_000_001, 409, "wallet_limit_exceeded"),
    ):
        answer = asha.post("/top-ups", {"amount": amount}, key=new_key())
        assert (answer.status, answer.code) == (status, code)
    assert answer.body["limit"] == {"code": "max_balance", "left": 5_000_000, "renews_at": None}


def a_minute_passes(select: Any, opened: dict[str, Any]) -> None:
    """The attempt is due for a question, as it is a minute after it was made."""
    select(
        "UPDATE payment_attempts SET next_check_at = UTC_TIMESTAMP(6) WHERE gateway_order_id = %s",
        opened["gateway_order_id"],
    )


def booked(select: Any, payment_ids: list[str]) -> list[tuple[str, str | None]]:
    places = ", ".join(["%s"] * len(payment_ids))
    rows = select(
        f"SELECT t.type, g.suspense_reason FROM gateway_payments g JOIN transactions t ON t.id = g.transaction_id"  # noqa: S608 - placeholders
        f" WHERE g.gateway_payment_id IN ({places})",
        *payment_ids,
    )
    return [(row["type"], row["suspense_reason"]) for row in rows]
