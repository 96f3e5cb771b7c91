"""Refunds, over HTTP: by the payee, in parts, and never more than was paid."""

import pytest

from tests.support.client import Api, Person, new_key
from tests.support.crowd import together
from tests.support.problems import problem


def payment(payer: Person, payee: Person, amount: int) -> str:
    """The id of a payment that has just been made."""
    paid = payer.pay(payee, amount)
    assert paid.status == 201, paid.text
    told: str = paid.body["id"]
    return told


def test_a_payment_is_given_back_in_parts_and_then_no_more(api: Api) -> None:
    asha, shop = api.person(money=10_000), api.person(kind="merchant", name="Corner Shop")
    paid = payment(asha, shop, 6_000)
    first = shop.post(f"/payments/{paid}/refunds", {"amount": 2_500, "reason": "one cup short"})
    assert first.status == 201
    told = first.body
    assert told["id"].startswith("rfd_")
    assert (told["payment_id"], told["amount"], told["refunded"]) == (paid, 2_500, 2_500)
    assert told["balance"] == {"total": 3_500, "held": 0, "available": 3_500}

    problem(shop.post(f"/payments/{paid}/refunds", {"amount": 3_501}), 409, "refund_exceeds_payment")
    rest = shop.post(f"/payments/{paid}/refunds", {})
    assert (rest.status, rest.body["amount"], rest.body["refunded"]) == (201, 3_500, 6_000)
    problem(shop.post(f"/payments/{paid}/refunds", {}), 409, "refund_exceeds_payment")
    assert (asha.balance(), shop.balance()) == (10_000, 0)
    for side in (asha, shop):
        assert side.get(f"/payments/{paid}").body["refunded"] == 6_000
    entries = asha.get("/wallet/transactions?type=refund").body["data"]
    assert [(entry["direction"], entry["amount"]) for entry in entries] == [("credit", 3_500), ("credit", 2_500)]
    assert entries[1]["description"] == "one cup short"


def test_no_body_at_all_gives_everything_back(api: Api) -> None:
    asha, shop = api.person(money=1_000), api.person(kind="merchant")
    paid = payment(asha, shop, 700)
    answer = api.call("POST", f"/payments/{paid}/refunds", token=shop.token, key=new_key())
    assert (answer.status, answer.body["amount"]) == (201, 700)


def test_only_the_payee_may_refund(api: Api) -> None:
    asha, shop, eve = api.person(money=1_000), api.person(kind="merchant"), api.person()
    paid = payment(asha, shop, 700)
    for other in (asha, eve):
        problem(other.post(f"/payments/{paid}/refunds", {}), 404, "not_found")
    problem(shop.post("/payments/pay_00000000000000000000000000/refunds", {}), 404, "not_found")
    problem(shop.post("/payments/nonsense/refunds", {}), 404, "not_found")
    assert (asha.balance(), shop.balance()) == (300, 700)


def test_money_that_is_spent_can_not_be_given_back(api: Api) -> None:
    asha, shop, supplier = api.person(money=1_000), api.person(kind="merchant"), api.person(kind="merchant")
    paid = payment(asha, shop, 700)
    payment(shop, supplier, 500)
    problem(shop.post(f"/payments/{paid}/refunds", {}), 402, "insufficient_funds")
    assert shop.post(f"/payments/{paid}/refunds", {"amount": 200}).status == 201


def test_a_key_refunds_once_and_belongs_to_its_payment(api: Api) -> None:
    asha, shop = api.person(money=2_000), api.person(kind="merchant")
    one, two, key = payment(asha, shop, 500), payment(asha, shop, 500), new_key()
    answers = [shop.post(f"/payments/{one}/refunds", {"amount": 100}, key=key) for _ in range(3)]
    assert [answer.body for answer in answers] == [answers[0].body] * 3
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
    problem(shop.post(f"/payments/{two}/refunds", {"amount": 100}, key=key), 422, "idempotency_key_reused")
    assert shop.balance() == 900


@pytest.mark.parametrize("amount", [0, -1, 1.5, "100", True, None, 2**53])
def test_an_amount_is_a_positive_whole_number(api: Api, amount: object) -> None:
    shop = api.person(kind="merchant")
    answer = shop.post("/payments/pay_00000000000000000000000000/refunds", {"amount": amount})
    problem(answer, 404 if amount is None else 422, "not_found" if amount is None else "invalid_request")


def test_many_refunds_at_once_add_up_to_the_payment(api: Api) -> None:
    asha, shop = api.person(money=1_000), api.person(kind="merchant")
    paid = payment(asha, shop, 1_000)
    payment_of_others = api.person(money=5_000)
    payment(payment_of_others, shop, 5_000)
    answers = together([lambda: shop.post(f"/payments/{paid}/refunds", {"amount": 300})] * 20, at_once=20)
    statuses = sorted(getattr(answer, "status", 0) for answer in answers)
    assert statuses == [201] * 3 + [409] * 17
    assert (asha.balance(), shop.balance()) == (900, 5_100)
