"""The second factor over HTTP: what a thief with a session can't do, and its owner can with the phone in hand."""

import re
from functools import partial
from typing import Any

import pytest

from tests.support.client import Answer, Api, Person, new_key, until_answered, wait_until
from tests.support.confirming import ABOVE, confirm, person_in, required, send_code, show_code
from tests.support.crowd import together
from tests.support.problems import problem
from tests.support.proofs import messages_to, newest_code


def withdraw(person: Person, amount: int, vpa: str = "asha.rao@okbank", *, key: str | None = None) -> Answer:
    return person.post("/withdrawals", {"amount": amount, "vpa": vpa}, key=key)


def test_a_large_payment_goes_through_once_with_the_code_that_names_it(api: Api, select: Any) -> None:
    payer, payee, key = person_in(api, select), api.person(name="Bela Iyer"), new_key()
    confirmation = required(payer.pay(payee, ABOVE + 1, key=key))
    assert required(payer.pay(payee, ABOVE + 1, key=key))["id"] == confirmation["id"]
    confirm(payer, confirmation)
    text = messages_to(api, payer.phone)[-1]["text"]
    assert re.fullmatch(
        r"\d{6} is your code to pay Rs 5,000\.01 to Bela Iyer from your wallet\."
        r" Tell it to nobody: we never ask for it\. - Wallet\n\n@localhost #\d{6}",
        text,
    )
    answers = together([partial(payer.pay, payee, ABOVE + 1, key=key)] * 16)
    bodies = {answer.text for answer in answers if not isinstance(answer, Exception)}
    assert {answer.status for answer in answers if not isinstance(answer, Exception)} == {201}
    assert len(bodies) == 1
    assert (payer.balance(), payee.balance()) == (2_000_000 - ABOVE - 1, ABOVE + 1)
    problem(show_code(payer, confirmation, newest_code(api, payer.phone)), 409, "confirmation_ended")


def test_a_thief_with_the_session_and_without_the_phone_moves_little(api: Api, select: Any) -> None:
    owner, thief = person_in(api, select), api.person()
    stolen = owner.signed_in_again()
    confirmation = required(stolen.pay(thief, 1_000_000))
    code = f"/confirmations/{confirmation['id']}/code"
    problem(api.call("POST", code, token=thief.token), 404, "not_found")
    send_code(stolen, confirmation)
    assert messages_to(api, thief.phone) == []
    right = newest_code(api, owner.phone)
    guesses = [f"{(int(right) + number) % 10**6:06}" for number in range(1, 6)]
    for guess in guesses:
        problem(show_code(stolen, confirmation, guess), 401, "invalid_code")
    problem(show_code(stolen, confirmation, right), 409, "confirmation_ended")
    required(withdraw(stolen, 100))
    assert owner.balance() == 2_000_000
    wait_until(lambda: any("Five wrong codes" in one["text"] for one in messages_to(api, owner.phone)), within_s=90)


def test_a_hold_and_a_file_want_one_too(api: Api, select: Any) -> None:
    payer, payee, key = person_in(api, select), api.person(), new_key()
    hold = {"to": {"wallet_id": payee.wallet_id}, "amount": 600_000}
    confirm(payer, required(payer.post("/holds", hold, key=key)))
    assert payer.post("/holds", hold, key=key).status == 201
    file = f"to,amount,description,reference\n{payee.phone},300000,,\n{payee.phone},300000,,\n".encode()

    def send() -> Answer:
        headers = {"Content-Type": "text/csv"}
        return api.call("POST", "/bulk-payments", raw=file, token=payer.token, key=key + "f", headers=headers)

    confirm(payer, required(until_answered(send)))
    assert messages_to(api, payer.phone)[-1]["text"].startswith(newest_code(api, payer.phone))
    assert "Rs 6,000.00 in all" in messages_to(api, payer.phone)[-1]["text"]
    assert until_answered(send).status == 202
    wait_until(lambda: payee.balance() == 600_000)


def test_a_new_address_takes_a_code_and_the_next_time_none(api: Api, select: Any) -> None:
    asha, key = person_in(api, select), new_key()
    confirm(asha, required(withdraw(asha, 10_000, key=key)))
    assert "to asha.rao@okbank. Tell it" in messages_to(api, asha.phone)[-1]["text"]
    assert withdraw(asha, 10_000, key=key).status == 202
    assert withdraw(asha, 10_000).status == 202
    wait_until(lambda: any("a new UPI address" in one["text"] for one in messages_to(api, asha.phone)), within_s=90)


def test_the_first_withdrawal_to_an_address_waits_and_its_owner_stops_it(api: Api, select: Any) -> None:
    asha = person_in(api, select, "waiting", money=50_000)
    out = withdraw(asha, 10_000)
    assert out.status == 202
    assert out.body["waits_until"] > out.body["created_at"]
    shown = asha.get(f"/withdrawals/{out.body['id']}").body
    assert (shown["status"], shown["waits_until"]) == ("pending", out.body["waits_until"])
    assert asha.get("/withdrawals?status=pending").body == {"data": [shown], "next_cursor": None}
    api.let_the_clock_run()
    payouts = api.pool.request("GET", f"{api.stack['gateway_url']}/simulator/payouts", timeout=90.0).json()["payouts"]
    assert [one for one in payouts if one["reference_id"] == out.body["id"]] == []
    stopped = asha.post(f"/withdrawals/{out.body['id']}/cancel", {})
    assert (stopped.status, stopped.body["status"], stopped.body["reason"]) == (200, "failed", "cancelled")
    assert "waits_until" not in stopped.body
    assert asha.get("/withdrawals?status=pending").body["data"] == []
    assert asha.get("/wallet").body["balance"] == {"total": 50_000, "held": 0, "available": 50_000}


def test_codes_for_one_confirmation_are_few(api: Api, select: Any) -> None:
    """Each message costs us something, and a thief with a session could ask for one after the other."""
    payer, payee = person_in(api, select), api.person()
    confirmation = required(payer.pay(payee, 600_000))
    assert send_code(payer, confirmation).body["resend_after_s"] == 1
    wait_until(lambda: send_code(payer, confirmation).status == 429 and len(messages_to(api, payer.phone)) == 3)
    problem(send_code(payer, confirmation), 429, "too_many_codes")


@pytest.mark.parametrize("path", ["/confirmations/cnf_00000000000000000000000000", "/confirmations/nonsense"])
def test_an_unknown_confirmation_is_not_there(api: Api, path: str) -> None:
    asha = api.person()
    problem(api.call("POST", path, {"code": "123456"}, token=asha.token), 404, "not_found")
    problem(api.call("POST", f"{path}/code", token=asha.token), 404, "not_found")
