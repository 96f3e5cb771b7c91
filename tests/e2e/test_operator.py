"""Operators' commands on the deployed stack: signed as on AWS, two people where it takes two, seen by the owner."""

import json
import os
from typing import Any

import pytest
from botocore.credentials import Credentials

from local.__main__ import main
from local.invocation import invoke, session
from local.operators import SESSION_ROLE, send
from local.state import ROOT
from tests.support.client import Api, Person, new_key, new_phone, pointed_at, wait_until
from wallet.ledger import ids

Json = dict[str, Any]


def done(api: Api, command: str, **more: object) -> Json:
    """Carries a command out; what came of it."""
    result: Json = api.ordered(command, **more)["result"]
    return result


def waiting(api: Api) -> Json:
    result: Json = api.command({"command": "pending"}).body["result"]
    return result


def test_a_frozen_wallet_neither_pays_nor_is_paid_until_it_is_unfrozen(api: Api) -> None:
    asha, bela = api.person(money=5_000), api.person(money=5_000)
    done(api, "freeze", wallet_id=asha.wallet_id)
    assert asha.get("/wallet").body["status"] == "frozen"
    assert asha.pay(bela, 100).code == "invalid_token", "their sessions have ended"
    asha = asha.signed_in_again()
    assert [asha.pay(bela, 100).code, bela.pay(asha, 100).code] == ["wallet_frozen", "payee_unavailable"]
    done(api, "unfreeze", wallet_id=asha.wallet_id)
    assert asha.pay(bela, 100).status == 201


def test_of_two_top_ups_at_the_edge_of_a_cap_one_waits_with_its_reason_and_goes_back_to_its_source(api: Api) -> None:
    asha = api.person()
    assert done(api, "set_tier", wallet_id=asha.wallet_id, tier="small")["tier"] == "small"
    opened = [asha.open_top_up(600_000) for _ in range(2)]
    for one in opened:
        api.play(one["gateway_order_id"], "captured", duplicates=1)

    def suspended() -> list[Json]:
        return [one for one in waiting(api)["suspense"] if one.get("wallet_id") == asha.wallet_id]

    wait_until(lambda: asha.balance() == 600_000 and bool(suspended()))
    (money,) = suspended()
    assert (money["reason"], money["left"]) == ("over_balance_limit", 600_000)
    states = {one["id"]: asha.top_up_state(one["id"])["status"] for one in opened}
    assert sorted(states.values()) == ["failed", "succeeded"]

    done(api, "refund_to_source", transaction_id=money["transaction_id"])
    again = api.command(
        {"command": "refund_to_source", "reason": "again", "key": new_key(), "transaction_id": money["transaction_id"]}
    )
    approval = {"command": "approve", "request": again.body["result"]["request_id"]}
    assert api.command(approval, operator="ravi", role="money").code == "refund_exceeds_payment"
    api.let_the_clock_run()
    failed = next(name for name, status in states.items() if status == "failed")
    wait_until(lambda: asha.top_up_state(failed)["status"] == "refunded")
    assert (asha.balance(), suspended()) == (600_000, [])


def test_a_top_up_goes_back_to_its_source_and_shows_in_the_statement(api: Api) -> None:
    asha = api.person(money=5_000)
    shown = api.command({"command": "show_wallet", "wallet_id": asha.wallet_id})
    (top_up,) = shown.body["result"]["top_ups"]
    key = new_key()
    first = api.ordered("refund_to_source", transaction_id=top_up["transaction_id"], amount=2_000, key=key)
    again = api.ordered("refund_to_source", transaction_id=top_up["transaction_id"], amount=2_000, key=key)
    assert (first["result"], first["replayed"], again["replayed"]) == (again["result"], False, True)
    held = asha.get("/wallet").body["balance"]
    on_its_way = {"total": 5_000, "held": 2_000, "available": 3_000}
    assert held in (on_its_way, {"total": 3_000, "held": 0, "available": 3_000})  # if the schedule's run was quicker
    api.let_the_clock_run()
    wait_until(lambda: asha.balance() == 3_000)
    line = asha.get("/wallet/transactions?type=refund_to_source").body["data"][0]
    assert (line["type"], line["direction"], line["amount"]) == ("refund_to_source", "debit", 2_000)


def test_closing_a_wallet_sends_its_balance_back_and_ends_it(api: Api) -> None:
    asha, bela = api.person(money=3_000), api.person()
    asha.top_up(2_000)
    assert asha.pay(bela, 1_500).status == 201
    result = done(api, "close", wallet_id=asha.wallet_id)
    assert (result["status"], result["on_its_way"], result["opened"]) == ("closing", 3_500, 2)
    assert asha.post("/top-ups", {"amount": 1_000}).code == "wallet_frozen"
    api.let_the_clock_run()
    wait_until(lambda: asha.get("/wallet").body["status"] == "closed")
    assert asha.balance() == 0
    assert bela.pay(asha, 100).code == "payee_unavailable"
    assert done(api, "close", wallet_id=asha.wallet_id)["status"] == "closed"


def test_a_merchant_is_made_hot_under_way(api: Api) -> None:
    shop, asha = api.person(kind="merchant"), api.person(money=5_000)
    done(api, "set_tier", wallet_id=shop.wallet_id, tier="merchant")
    done(api, "set_slots", wallet_id=shop.wallet_id, slots=4)
    for _ in range(8):
        assert asha.pay(shop, 100).status == 201
    assert shop.balance() == 800
    assert shop.pay(asha, 800).status == 201
    assert shop.balance() == 0


@pytest.mark.skipif(pointed_at() is not None, reason="the command finds a stack by its folder")
def test_the_command_line_prints_the_answer_and_says_by_its_status_whether_it_was_done(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    asha: Person = api.person()
    state = ["--state", os.fspath(ROOT / ".local" / "test")]
    shown = json.dumps({"command": "show_wallet", "wallet_id": asha.wallet_id})
    assert main(["operator", shown, *state]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["phone"] == asha.phone
    assert main(["operator", '{"command": "freeze"}', *state]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "invalid_request"
    tier = {"command": "set_tier", "wallet_id": asha.wallet_id, "tier": "small", "reason": "asked", "key": new_key()}
    assert main(["operator", json.dumps(tier), *state]) == 0
    approval = json.dumps(
        {"command": "approve", "request": json.loads(capsys.readouterr().out)["result"]["request_id"]}
    )
    assert main(["operator", approval, "--role", "admin", *state]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "same_person"
    assert main(["operator", approval, *state]) == 1
    assert "ROLE=" in capsys.readouterr().err
    assert main(["operator", approval, "--role", "admin", "--operator", "nobody", *state]) == 1
    assert "there are: meera, ravi" in capsys.readouterr().err
    assert main(["operator", approval, "--role", "admin", "--operator", "ravi", *state]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["tier"] == "small"


class TestTheLoneOperator:
    """One person with every role there is, over HTTP: they move nobody's money, set no tier and take no phone."""

    def attempts(self, api: Api, victim: Person) -> list[Json]:
        shown = api.command({"command": "show_wallet", "wallet_id": victim.wallet_id})
        (top_up,) = shown.body["result"]["top_ups"]
        return [
            {"command": "set_tier", "wallet_id": victim.wallet_id, "tier": "merchant"},
            {"command": "free_phone", "wallet_id": victim.wallet_id},
            {"command": "change_phone", "wallet_id": victim.wallet_id, "phone": new_phone()},
            {"command": "refund_to_source", "transaction_id": top_up["transaction_id"]},
        ]

    def keys_of_a_session(self, api: Api, role: str, name: str) -> Credentials:
        client = session().client("sts", endpoint_url=api.stack["aws_endpoint_url"])
        taken = client.assume_role(RoleArn=f"arn:aws:iam::000000000000:role/{role}", RoleSessionName=name)
        made = taken["Credentials"]
        return Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])

    def test_asks_and_can_not_approve_as_user_or_by_another_role(self, api: Api, select: Any) -> None:
        victim = api.person(money=5_000)
        before = victim.get("/wallet").body
        also_meera = self.keys_of_a_session(api, SESSION_ROLE, "Meera")
        for command in self.attempts(api, victim):
            asked = api.command({**command, "reason": "I say so", "key": new_key()})
            assert (asked.status, asked.body["status"]) == (202, "waiting")
            request = asked.body["result"]
            assert request["asked_by"] == "000000000000/meera"
            approval = {"command": "approve", "request": request["request_id"]}
            assert api.command(approval, role=request["role"]).code == "same_person"
            other = send(api.stack, json.dumps(approval), operator="", role=request["role"], keys=also_meera)
            assert (other.status, other.json()["code"]) == (403, "same_person")
        number = ids.read(ids.WALLET, victim.wallet_id)
        assert number is not None
        assert select("SELECT 1 FROM operator_actions WHERE wallet_id = %s", number.bytes) == []
        after = victim.get("/wallet").body
        assert {**after, "as_of": None} == {**before, "as_of": None}

    def test_is_nobody_as_root_by_any_other_role_or_without_a_signature(self, api: Api) -> None:
        command = json.dumps({"command": "pending"})
        for keys in (
            Credentials("test", "test"),
            self.keys_of_a_session(api, "wallet-OperatorFunctionRole", "meera"),
            Credentials("AKIANOBODYATALLKNOWS", "guessed"),
        ):
            answer = send(api.stack, command, operator="", keys=keys)
            assert (answer.status, answer.json()["code"]) == (403, "not_an_operator")
        unsigned = api.call("POST", "/operator/look/commands", {"command": "pending"})
        assert unsigned.status in (401, 403, 404)
        with_a_token = api.call("POST", "/operator/look/commands", {"command": "pending"}, token=api.person().token)
        assert with_a_token.status in (401, 403, 404)

    def test_says_in_vain_who_they_are(self, api: Api) -> None:
        typed = {"command": "freeze", "wallet_id": api.person().wallet_id, "reason": "x", "key": new_key()}
        assert api.command({**typed, "operator": "000000000000/ravi"}).code == "invalid_request"
        answer = invoke(api.stack, "operator", json.dumps({**typed, "operator": "000000000000/ravi"}))
        assert answer["statusCode"] == 404
