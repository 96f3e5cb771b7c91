"""Holds, over HTTP: promised, captured in one step or several, released, expired."""

import time
from typing import Any

import pytest

from tests.support.client import Answer, Api, Json, Person, new_key
from tests.support.crowd import together
from tests.support.problems import problem


def place(payer: Person, payee: Person, amount: int, **more: object) -> Answer:
    """A hold, by the payee's wallet."""
    return payer.post("/holds", {"to": {"wallet_id": payee.wallet_id}, "amount": amount, **more})


def placed(payer: Person, payee: Person, amount: int, **more: object) -> str:
    """The id of a hold that has just been placed."""
    answer = place(payer, payee, amount, **more)
    assert answer.status == 201, answer.text
    told: str = answer.body["id"]
    return told


def capture(payee: Person, hold: str, **asked: object) -> Answer:
    """A capture by the payee."""
    return payee.post(f"/holds/{hold}/capture", asked)


def balances(person: Person) -> tuple[int, int]:
    """What somebody has, and what of it is held."""
    told: Json = person.get("/wallet").body["balance"]
    assert told["available"] == told["total"] - told["held"]
    return told["total"], told["held"]


def test_what_is_held_stays_and_can_not_be_spent(api: Api) -> None:
    asha, hotel = api.person(money=5_000), api.person(kind="merchant", name="Hotel")
    answer = place(asha, hotel, 3_000, description="two nights", expires_in=600)
    assert answer.status == 201
    told = answer.body
    assert (told["status"], told["amount"], told["captured"]) == ("placed", 3_000, 0)
    assert told["balance"] == {"total": 5_000, "held": 3_000, "available": 2_000}
    assert balances(asha) == (5_000, 3_000)
    problem(asha.pay(hotel, 2_001), 402, "insufficient_funds")
    problem(place(asha, hotel, 2_001), 402, "insufficient_funds")
    assert asha.pay(hotel, 2_000).status == 201
    for side in (asha, hotel):
        seen = side.get(f"/holds/{told['id']}")
        assert (seen.status, seen.body["status"], seen.body["description"]) == (200, "placed", "two nights")
    problem(api.person().get(f"/holds/{told['id']}"), 404, "not_found")


def test_a_capture_lets_the_rest_go(api: Api) -> None:
    asha, hotel = api.person(money=5_000), api.person(kind="merchant")
    hold = placed(asha, hotel, 3_000)
    answer = capture(hotel, hold, amount=2_200)
    assert answer.status == 200
    assert (answer.body["status"], answer.body["captured"]) == ("captured", 2_200)
    assert (balances(asha), balances(hotel)) == ((2_800, 0), (2_200, 0))
    problem(capture(hotel, hold, amount=1), 409, "hold_not_placed")
    entry = asha.get("/wallet/transactions").body["data"][0]
    assert (entry["type"], entry["direction"], entry["amount"]) == ("hold_capture", "debit", 2_200)
    paid = asha.get(f"/payments/{answer.body['payment_id']}")
    assert (paid.status, paid.body["amount"]) == (200, 2_200)
    refund = hotel.post(f"/payments/{answer.body['payment_id']}/refunds", {"amount": 200})
    assert refund.status == 201
    assert balances(asha) == (3_000, 0)


def test_captures_that_are_not_final_take_it_piece_by_piece(api: Api) -> None:
    asha, hotel = api.person(money=1_000), api.person(kind="merchant")
    hold = placed(asha, hotel, 900)
    for taken in (200, 300):
        assert capture(hotel, hold, amount=taken, final=False).body["status"] == "placed"
    assert balances(asha) == (500, 400)
    problem(capture(hotel, hold, amount=401, final=False), 409, "capture_exceeds_hold")
    last = capture(hotel, hold, final=False)
    assert (last.body["status"], last.body["captured"]) == ("captured", 900)
    assert balances(asha) == (100, 0)


def test_a_release_frees_what_is_left(api: Api) -> None:
    asha, hotel = api.person(money=1_000), api.person(kind="merchant")
    hold = placed(asha, hotel, 900)
    assert capture(hotel, hold, amount=100, final=False).status == 200
    problem(asha.post(f"/holds/{hold}/release", {}), 409, "hold_not_due")
    released = api.call("POST", f"/holds/{hold}/release", token=hotel.token, key=new_key())
    assert (released.status, released.body["status"], released.body["captured"]) == (200, "released", 100)
    assert balances(asha) == (900, 0)
    for who in (asha, hotel):
        problem(who.post(f"/holds/{hold}/release", {}), 409, "hold_not_placed")


def test_a_hold_whose_time_has_passed_is_free_before_the_sweep_has_been(api: Api) -> None:
    asha, hotel = api.person(money=1_000), api.person(kind="merchant")
    hold = placed(asha, hotel, 900, expires_in=1)
    time.sleep(1.1)
    assert balances(asha) == (1_000, 0)
    assert asha.get(f"/holds/{hold}").body["status"] == "expired"
    problem(capture(hotel, hold), 409, "hold_not_placed")
    assert asha.pay(hotel, 1_000).status == 201
    released = asha.post(f"/holds/{hold}/release", {})
    assert (released.status, released.body["status"]) == (200, "expired")


def test_the_sweep_ends_what_is_due(api: Api, select: Any) -> None:
    asha, hotel = api.person(money=1_000), api.person(kind="merchant")
    placed(asha, hotel, 900, expires_in=1)
    time.sleep(1.1)
    api.let_the_clock_run("expireholds")
    held = "SELECT w.held FROM wallets w JOIN users u ON u.id = w.user_id WHERE u.phone = %s"
    assert select(held, asha.phone)[0]["held"] == 0
    assert not select(
        "SELECT id FROM holds WHERE status = 'placed' AND expires_at < UTC_TIMESTAMP(6) - INTERVAL 5 SECOND"
    )


def test_only_the_two_sides_may_touch_a_hold(api: Api) -> None:
    asha, hotel, eve = api.person(money=1_000), api.person(kind="merchant"), api.person()
    hold = placed(asha, hotel, 900)
    for path in (f"/holds/{hold}/capture", f"/holds/{hold}/release", "/holds/hld_0/release", "/holds/x/capture"):
        problem(eve.post(path, {}), 404, "not_found")
    problem(capture(asha, hold), 404, "not_found")
    assert balances(asha) == (1_000, 900)


def test_a_key_places_captures_and_releases_once(api: Api) -> None:
    asha, hotel, key = api.person(money=1_000), api.person(kind="merchant"), new_key()
    asked = {"to": {"phone": hotel.phone}, "amount": 400}
    holds = [asha.post("/holds", asked, key=key) for _ in range(2)]
    assert holds[0].body == holds[1].body
    assert balances(asha) == (1_000, 400)
    hold = holds[0].body["id"]
    captures = [hotel.post(f"/holds/{hold}/capture", {"amount": 100, "final": False}, key=key) for _ in range(2)]
    assert captures[0].body == captures[1].body
    assert captures[1].headers["idempotency-replayed"] == "true"
    assert balances(asha) == (900, 300)
    problem(hotel.post(f"/holds/{hold}/release", {}, key=key), 422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "more", [{"expires_in": 0}, {"expires_in": 2_592_001}, {"expires_in": "60"}, {"expires_in": 1.5}, {"amount": 0}]
)
def test_a_hold_has_an_amount_and_at_most_thirty_days(api: Api, more: dict[str, object]) -> None:
    asha, hotel = api.person(), api.person(kind="merchant")
    problem(asha.post("/holds", {"to": {"phone": hotel.phone}, "amount": 100} | more), 422, "invalid_request")


def test_many_captures_at_once_take_what_was_promised(api: Api) -> None:
    asha, hotel = api.person(money=5_000), api.person(kind="merchant")
    hold = placed(asha, hotel, 1_000)
    answers = together([lambda: capture(hotel, hold, amount=300, final=False)] * 20, at_once=20)
    assert sorted(getattr(answer, "status", 0) for answer in answers) == [200] * 3 + [409] * 17
    assert (balances(asha), balances(hotel)) == ((4_100, 100), (900, 0))


def test_six_holds_of_one_fifth_are_five(api: Api) -> None:
    asha, hotel = api.person(money=5_000), api.person(kind="merchant")
    answers = together([lambda: place(asha, hotel, 1_000)] * 6, at_once=6)
    assert sorted(getattr(answer, "status", 0) for answer in answers) == [201] * 5 + [402]
    assert balances(asha) == (5_000, 5_000)


def test_a_wallet_is_paid_by_its_qr_code(api: Api) -> None:
    asha, shop = api.person(money=1_000), api.person(kind="merchant")
    told = shop.get("/wallet/qr")
    assert (told.status, told.body["svg"][:4]) == (200, "<svg")
    paid = asha.post("/payments", {"to": {"qr": told.body["code"]}, "amount": 300})
    assert (paid.status, paid.body["to"]["wallet_id"]) == (201, shop.wallet_id)
    for code in ("wallet:", "wallet:wal_x", "upi://pay?pa=a@b", shop.wallet_id, 7, ""):
        problem(asha.post("/payments", {"to": {"qr": code}, "amount": 1}), 422, "invalid_request")
