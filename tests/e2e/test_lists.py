"""One's own things found again over HTTP (lists, a key's doing, one entry), and money asked for by a link."""

from urllib.parse import quote

from tests.support.client import Api, Json, Person, at_the_end, new_key
from tests.support.problems import common_headers, problem


def listed(person: Person, path: str) -> list[Json]:
    answer = person.get(path)
    assert answer.status == 200, answer.text
    common_headers(answer)
    data: list[Json] = answer.body["data"]
    return data


def test_who_has_lost_every_answer_finds_what_became_of_each_request_by_its_key(api: Api) -> None:
    asha, bela = api.person(), api.person(name="Bela Kapoor")
    topping, paying, promising = new_key(), new_key(), new_key()
    top_up = asha.open_top_up(50_000, key=topping)
    [waiting] = listed(asha, f"/top-ups?key={quote(topping)}")
    assert (waiting["id"], waiting["status"], waiting["rrn"]) == (top_up["id"], "pending", None)
    api.play(top_up["gateway_order_id"], "captured")
    at_the_end(asha, top_up["id"], "succeeded")
    [credited] = listed(asha, "/top-ups?status=succeeded")
    assert len(credited["rrn"]) == 12
    payment = asha.pay(bela, 700, key=paying).body
    hold = asha.post("/holds", {"to": {"phone": bela.phone}, "amount": 300}, key=promising).body
    assert [one["id"] for one in listed(asha, f"/payments?key={quote(paying)}")] == [payment["id"]]
    assert [one["id"] for one in listed(asha, f"/holds?key={quote(promising)}")] == [hold["id"]]
    assert [one["id"] for one in listed(bela, "/payments?side=payee")] == [payment["id"]]
    assert [one["id"] for one in listed(bela, "/holds?side=payee&status=placed")] == [hold["id"]]
    for path in ("/top-ups", "/payments?side=payer", "/holds?side=payer"):
        assert listed(bela, path) == []
    newest = listed(asha, "/wallet/transactions?limit=2")
    shown = [asha.get(f"/wallet/transactions/{one['id']}").body for one in newest]
    assert [(one["payment_id"], one["top_up_id"], one["rrn"]) for one in shown] == [
        (payment["id"], None, None),
        (None, top_up["id"], credited["rrn"]),
    ]
    problem(bela.get(f"/wallet/transactions/{shown[1]['id']}"), 404, "not_found")
    problem(api.call("GET", "/payments"), 401, "missing_token")


def test_money_that_is_asked_for_by_a_link_is_paid_once_by_whoever_opens_it(api: Api) -> None:
    shop, asha, bela = api.person(name="Chai Point"), api.person(money=5_000), api.person(money=5_000)
    made = shop.post("/payment-requests", {"amount": 1_500, "description": "Two thalis"}, once=True).body
    path = f"/payment-requests/{made['id']}"
    seen = asha.get(path)
    common_headers(seen)
    assert (seen.body["to"]["name"], seen.body["amount"], seen.body["status"]) == ("Chai Point", 1_500, "open")
    asked = {"to": {"payment_request": made["code"]}, "amount": 1_500}
    receipt = asha.post("/payments", asked)
    assert (receipt.status, receipt.body["to"]["name"], receipt.body["reference"]) == (201, "Chai Point", made["id"])
    problem(bela.post("/payments", asked, once=True), 409, "payment_request_ended")
    problem(shop.post(f"{path}/cancel", {}, once=True), 409, "payment_request_ended")
    told = shop.get(path).body
    assert (told["status"], [one["id"] for one in told["payments"]]) == ("paid", [receipt.body["id"]])
    assert [one["id"] for one in listed(shop, "/payment-requests?status=paid")] == [made["id"]]
    assert listed(shop, "/wallet/transactions")[0]["reference"] == made["id"]
    other = shop.post("/payment-requests", {}, once=True).body
    assert shop.post(f"/payment-requests/{other['id']}/cancel", {}, once=True).body["status"] == "cancelled"
    problem(
        bela.post("/payments", {"to": {"payment_request": other["id"]}, "amount": 1}, once=True),
        409,
        "payment_request_ended",
    )
