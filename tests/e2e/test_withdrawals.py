"""Withdrawals over HTTP on the deployed stack: paid, failed, sent back, asked for twice, and every refusal."""

import secrets
from typing import Any

import pytest

from tests.support.client import Answer, Api, Json, Person, new_key, wait_until
from tests.support.crowd import together
from tests.support.problems import faulty_fields, problem
from wallet.ledger import ids

VPA = "asha.rao@okbank"


def withdraw(person: Person, amount: object, vpa: object = VPA, *, key: str | None = None) -> Answer:
    return person.post("/withdrawals", {"amount": amount, "vpa": vpa}, key=key)


def accepted(person: Person, amount: int, vpa: str = VPA) -> Json:
    answer = withdraw(person, amount, vpa)
    assert answer.status == 202, answer.text
    told: Json = answer.body
    return told


def balance(person: Person) -> tuple[int, int, int]:
    told = person.get("/wallet").body["balance"]
    return told["total"], told["held"], told["available"]


def comes_to(person: Person, withdrawal: Json, status: str) -> Json:
    """The withdrawal when it stands at `status`.

    If the provider's answer was lost, that is when the clock has asked, a minute later at the soonest.
    """
    wait_until(lambda: person.get(f"/withdrawals/{withdrawal['id']}").body["status"] == status, within_s=180)
    told: Json = person.get(f"/withdrawals/{withdrawal['id']}").body
    return told


def at_the_provider(api: Api, reference: str) -> list[Json]:
    answer = api.pool.request("GET", f"{api.stack['gateway_url']}/simulator/payouts", timeout=90.0)
    return [payout for payout in answer.json()["payouts"] if payout["reference_id"] == reference]


def end(api: Api, reference: str, outcome: str, **more: object) -> None:
    wait_until(lambda: bool(at_the_provider(api, reference)), within_s=180)
    url = f"{api.stack['gateway_url']}/simulator/payouts/{reference}"
    answer = api.pool.request("POST", url, json={"outcome": outcome, **more}, timeout=90.0)
    assert answer.status == 200, answer.data


def statement(person: Person) -> list[tuple[str, str, int, int]]:
    data = person.get("/wallet/transactions").body["data"]
    return [(one["type"], one["direction"], one["amount"], one["balance_after"]) for one in data]


def test_a_withdrawal_is_set_aside_at_once_and_leaves_when_it_was_paid_out(api: Api) -> None:
    asha = api.person(money=10_000)
    told = accepted(asha, 3_000, "Pending@OkBank")
    assert told.pop("created_at").endswith("Z")
    reference = told.pop("id")
    assert reference.startswith("wdr_")
    assert told == {
        "status": "pending",
        "amount": 3_000,
        "fee": 0,
        "currency": "INR",
        "vpa": "pe***@okbank",
        "balance": {"total": 10_000, "held": 3_000, "available": 7_000},
    }
    assert balance(asha) == (10_000, 3_000, 7_000)
    assert asha.get(f"/withdrawals/{reference}").body["status"] == "pending"
    end(api, reference, "processed", duplicates=3)
    shown = comes_to(asha, {"id": reference}, "succeeded")
    assert "reason" not in shown
    assert "balance" not in shown
    assert balance(asha) == (7_000, 0, 7_000)
    assert statement(asha)[0] == ("withdrawal", "debit", 3_000, 7_000)
    assert [payout["amount"] for payout in at_the_provider(api, reference)] == [3_000]


def test_a_withdrawal_that_fails_is_available_again_with_its_reason(api: Api) -> None:
    asha = api.person(money=10_000)
    told = accepted(asha, 3_000, "failure@okbank")
    assert comes_to(asha, told, "failed")["reason"] == "bank_account_closed"
    assert balance(asha) == (10_000, 0, 10_000)
    assert [entry[0] for entry in statement(asha)] == ["top_up"]


def test_what_the_provider_will_not_pay_fails_by_itself(api: Api) -> None:
    asha = api.person(money=10_000)
    told = accepted(asha, 3_000, "asha_rao@okbank")
    assert comes_to(asha, told, "failed")["reason"] == "input_validation_failed"
    assert balance(asha) == (10_000, 0, 10_000)
    assert at_the_provider(api, told["id"]) == []


def test_a_withdrawal_that_the_bank_sends_back_is_in_the_wallet_again(api: Api) -> None:
    asha = api.person(money=10_000)
    told = accepted(asha, 3_000, "reversed@okbank")
    assert comes_to(asha, told, "reversed")["reason"] == "beneficiary_bank_offline"
    assert balance(asha) == (10_000, 0, 10_000)
    assert statement(asha)[:2] == [
        ("withdrawal_return", "credit", 3_000, 10_000),
        ("withdrawal", "debit", 3_000, 7_000),
    ]


def cancel(person: Person, reference: str, *, key: str | None = None) -> Answer:
    return person.post(f"/withdrawals/{reference}/cancel", {}, key=key)


def unsent(person: Person, select: Any, amount: int) -> str:
    """A withdrawal whose function died before it had asked anybody to pay it; its id."""
    user_id, withdrawal_id = ids.read(ids.USER, person.user_id), ids.uuid7(unix_ms=1, entropy=secrets.token_bytes(10))
    assert user_id is not None
    rows = select(
        "CALL request_withdrawal(%s, %s, REPEAT('x', 32), 0, %s, 'razorpayx', %s, %s, 86400)",
        *(user_id.bytes, new_key(), withdrawal_id.bytes, VPA, amount),
    )
    assert rows[0]["outcome"] == "done"
    return ids.show(ids.WITHDRAWAL, withdrawal_id)


def test_what_nobody_was_asked_to_pay_is_cancelled_once_and_is_available_again(api: Api, select: Any) -> None:
    asha, key = api.person(money=10_000), new_key()
    reference = unsent(asha, select, 3_000)
    assert balance(asha) == (10_000, 3_000, 7_000)
    _set(select, asha, "status = 'frozen'")
    problem(api.call("POST", f"/withdrawals/{reference}/cancel", token=asha.token), 400, "idempotency_key_required")
    problem(cancel(api.person(), reference), 404, "not_found")
    first, again = cancel(asha, reference, key=key), cancel(asha, reference, key=key)
    assert (first.status, again.status, again.text) == (200, 200, first.text)
    assert again.headers["idempotency-replayed"] == "true"
    assert (first.body["status"], first.body["reason"], first.body["amount"]) == ("failed", "cancelled", 3_000)
    assert asha.get(f"/withdrawals/{reference}").body == first.body
    assert cancel(asha, reference).body == first.body
    assert balance(asha) == (10_000, 0, 10_000)


def test_what_somebody_may_have_been_asked_to_pay_is_not_cancelled(api: Api) -> None:
    asha = api.person(money=10_000)
    told = accepted(asha, 3_000, "pending@okbank")
    problem(cancel(asha, told["id"]), 409, "withdrawal_sent")
    assert balance(asha) == (10_000, 3_000, 7_000)


def test_without_a_webhook_the_clock_finds_out(api: Api, select: Any) -> None:
    asha = api.person(money=10_000)
    told = accepted(asha, 3_000, "pending@okbank")
    end(api, told["id"], "processed", silent=True)
    assert asha.get(f"/withdrawals/{told['id']}").body["status"] == "pending"
    select(
        "UPDATE withdrawals d JOIN wallets w ON w.id = d.wallet_id JOIN users u ON u.id = w.user_id"
        " SET d.next_check_at = UTC_TIMESTAMP(6) WHERE u.phone = %s",
        asha.phone,
    )
    api.let_the_clock_run()
    comes_to(asha, told, "succeeded")
    assert balance(asha) == (7_000, 0, 7_000)


def test_while_the_provider_is_down_it_is_pending_and_is_paid_once_afterwards(api: Api, select: Any) -> None:
    asha = api.person(money=10_000)
    faults = f"{api.stack['gateway_url']}/simulator/faults"
    api.pool.request("POST", faults, json={"mode": "down", "path": "/v1/payouts"}, timeout=90.0)
    try:
        told = accepted(asha, 3_000)
    finally:
        api.pool.request("POST", faults, json={"mode": "none"}, timeout=90.0)
    assert balance(asha) == (10_000, 3_000, 7_000)
    assert at_the_provider(api, told["id"]) == []
    select(
        "UPDATE withdrawals d JOIN wallets w ON w.id = d.wallet_id JOIN users u ON u.id = w.user_id"
        " SET d.next_check_at = UTC_TIMESTAMP(6) WHERE u.phone = %s",
        asha.phone,
    )
    api.let_the_clock_run()
    comes_to(asha, told, "succeeded")
    assert len(at_the_provider(api, told["id"])) == 1


def test_the_same_key_withdraws_once_and_answers_the_same_bytes(api: Api) -> None:
    asha, key = api.person(money=10_000), new_key()
    answers = [
        answer for answer in together([lambda: withdraw(asha, 3_000, key=key)] * 4) if isinstance(answer, Answer)
    ]
    assert {answer.status for answer in answers} == {202}
    again = withdraw(asha, 3_000, key=key)
    assert again.status == 202
    assert again.headers["idempotency-replayed"] == "true"
    assert {answer.text for answer in answers} == {again.text}
    comes_to(asha, again.body, "succeeded")
    assert withdraw(asha, 3_000, key=key).text == again.text, "the first answer, whatever has happened since"
    assert balance(asha) == (7_000, 0, 7_000)
    assert len(at_the_provider(api, again.body["id"])) == 1
    problem(withdraw(asha, 3_001, key=key), 422, "idempotency_key_reused")
    problem(withdraw(asha, 3_000, "bela@okbank", key=key), 422, "idempotency_key_reused")
    assert withdraw(asha, 3_000, VPA.upper(), key=key).text == again.text, "addresses don't care for case"


def test_two_withdrawals_at_the_edge_of_the_balance_are_one(api: Api) -> None:
    asha = api.person(money=10_000)
    answers = together([lambda: withdraw(asha, 6_000, "pending@okbank") for _ in range(4)])
    statuses = sorted(answer.status for answer in answers if isinstance(answer, Answer))
    assert statuses == [202, 402, 402, 402]
    assert balance(asha) == (10_000, 6_000, 4_000)


def test_more_than_is_available_is_insufficient_funds_and_the_key_stays_free(api: Api) -> None:
    asha, key = api.person(money=10_000), new_key()
    problem(withdraw(asha, 10_100, key=key), 402, "insufficient_funds")
    asha.top_up(100)
    assert withdraw(asha, 10_100, key=key).status == 202


@pytest.mark.parametrize(
    "vpa", ["", "asha", "asha@", "@mybank", "asha rao@mybank", "asha@my@bank", "आशा@mybank", "a" * 200]
)
def test_what_is_no_address_is_an_invalid_vpa_and_is_not_shown_again(api: Api, vpa: str) -> None:
    asha = api.person(money=10_000)
    problem(withdraw(asha, 3_000, vpa), 422, "invalid_vpa", hidden=(vpa,) if len(vpa) > 5 else ())
    assert balance(asha) == (10_000, 0, 10_000)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["amount", "vpa"]),
        ({"amount": "3000", "vpa": VPA}, ["amount"]),
        ({"amount": 3_000.0, "vpa": VPA}, ["amount"]),
        ({"amount": 0, "vpa": VPA}, ["amount"]),
        ({"amount": -1, "vpa": VPA}, ["amount"]),
        ({"amount": 3_000, "vpa": 7}, ["vpa"]),
        ({"amount": 3_000, "vpa": None}, ["vpa"]),
        ({"amount": 3_000, "vpa": "a" * 256}, ["vpa"]),
        ({"amount": 3_000, "vpa": VPA, "fee": 0}, ["fee"]),
    ],
    ids=str,
)
def test_a_body_of_another_form_is_an_invalid_request(api: Api, body: Json, fields: list[str]) -> None:
    answer = api.person().post("/withdrawals", body)
    problem(answer, 422, "invalid_request")
    assert faulty_fields(answer) == fields


def test_less_than_a_rupee_is_out_of_range(api: Api) -> None:
    problem(withdraw(api.person(money=1_000), 99), 422, "amount_out_of_range")


def test_a_frozen_wallet_withdraws_nothing_and_what_is_under_way_ends_all_the_same(api: Api, select: Any) -> None:
    asha = api.person(money=10_000)
    told = accepted(asha, 3_000, "pending@okbank")
    _set(select, asha, "status = 'frozen'")
    problem(withdraw(asha, 3_000), 409, "wallet_frozen")
    end(api, told["id"], "processed")
    comes_to(asha, told, "succeeded")
    assert balance(asha)[:2] == (7_000, 0)


def test_the_small_tier_withdraws_nothing(api: Api, select: Any) -> None:
    asha = api.person(money=10_000)
    _set(select, asha, "tier = 'small'")
    problem(withdraw(asha, 3_000), 409, "wallet_limit_exceeded")


def test_without_a_key_or_a_token_nothing_is_withdrawn(api: Api) -> None:
    asha = api.person(money=10_000)
    body = {"amount": 3_000, "vpa": VPA}
    problem(api.call("POST", "/withdrawals", body, token=asha.token), 400, "idempotency_key_required")
    assert api.call("POST", "/withdrawals", body, key=new_key()).status == 401
    assert balance(asha) == (10_000, 0, 10_000)


def test_anothers_withdrawal_is_not_found(api: Api) -> None:
    asha, bela = api.person(money=10_000), api.person()
    told = accepted(asha, 3_000)
    for withdrawal_id in (told["id"], f"wdr_{'0' * 26}", told["id"].replace("wdr_", "pay_"), "x"):
        problem(bela.get(f"/withdrawals/{withdrawal_id}"), 404, "not_found")


def test_a_payout_webhook_that_is_not_signed_with_its_own_secret_is_refused(api: Api) -> None:
    answer = api.call(
        "POST", "/webhooks/razorpayx", raw=b'{"event":"payout.processed"}', headers={"X-Razorpay-Signature": "0" * 64}
    )
    problem(answer, 401, "invalid_signature")


def _set(select: Any, person: Person, what: str) -> None:
    select(f"UPDATE wallets w JOIN users u ON u.id = w.user_id SET w.{what} WHERE u.phone = %s", person.phone)  # noqa: S608 - the texts above
