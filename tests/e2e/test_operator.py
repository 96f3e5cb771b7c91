"""The operator's commands on the deployed stack: invoked as `make operator` does, seen over HTTP by the owner."""

import json
import os
from typing import Any

import pytest

from local.__main__ import main
from local.invocation import invoke
from local.state import ROOT
from tests.support.client import Api, Person, new_key, pointed_at, wait_until

Json = dict[str, Any]


def done(api: Api, command: str, **more: object) -> Json:
    """Carries a command out; what came of it."""
    answer = order(api, command, **more)
    assert answer["status"] == "done", answer
    result: Json = answer["result"]
    return result


def order(api: Api, command: str, **more: object) -> Json:
    told = {"operator": "meera@example.com", "reason": "the owner asked", "key": new_key()} | more
    return invoke(api.stack, "operator", json.dumps({"command": command, **told}))


def waiting(api: Api) -> Json:
    result: Json = invoke(api.stack, "operator", '{"command": "pending"}')["result"]
    return result


def test_a_frozen_wallet_neither_pays_nor_is_paid_until_it_is_unfrozen(api: Api) -> None:
    asha, bela = api.person(money=5_000), api.person(money=5_000)
    done(api, "freeze", wallet_id=asha.wallet_id)
    assert asha.get("/wallet").body["status"] == "frozen"
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
    again = order(api, "refund_to_source", transaction_id=money["transaction_id"])
    assert (again["status"], again["code"]) == ("refused", "refund_exceeds_payment")
    api.let_the_clock_run()
    failed = next(name for name, status in states.items() if status == "failed")
    wait_until(lambda: asha.top_up_state(failed)["status"] == "refunded")
    assert (asha.balance(), suspended()) == (600_000, [])


def test_a_top_up_goes_back_to_its_source_and_shows_in_the_statement(api: Api) -> None:
    asha = api.person(money=5_000)
    shown = invoke(api.stack, "operator", json.dumps({"command": "show_wallet", "wallet_id": asha.wallet_id}))
    (top_up,) = shown["result"]["top_ups"]
    key = new_key()
    first = order(api, "refund_to_source", transaction_id=top_up["transaction_id"], amount=2_000, key=key)
    again = order(api, "refund_to_source", transaction_id=top_up["transaction_id"], amount=2_000, key=key)
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
