"""What would happen, before it is asked for, over HTTP on the deployed stack: and then it does."""

from typing import Any
from urllib.parse import quote

from tests.support.client import Api, new_phone
from tests.support.confirming import ABOVE, person_in, required
from tests.support.problems import common_headers, problem
from wallet.edge.qr import wallet_code
from wallet.ledger import ids


def test_a_payment_is_previewed_and_comes_to_that(api: Api, select: Any) -> None:
    """Its path is as long as a payment's own (`/payments/{id}`), and is not taken for one."""
    payer, payee = person_in(api, select), api.person(name="Bela Iyer")
    wallet_id = ids.read(ids.WALLET, payee.wallet_id)
    assert wallet_id is not None
    told = {"fee": 0, "total": ABOVE, "available_after": 2_000_000 - ABOVE, "limits": [], "confirmation": False}
    for to in (payee.wallet_id, payee.phone, wallet_code(wallet_id), new_phone()):
        answer = payer.get(f"/payments/preview?to={quote(to)}&amount={ABOVE}")
        assert (answer.status, answer.body) == (200, told), answer.text
        common_headers(answer)
    assert payer.get(f"/payments/preview?to={quote(payee.phone)}&amount={ABOVE + 1}").body["confirmation"] is True
    required(payer.pay(payee, ABOVE + 1))
    paid = payer.pay(payee, ABOVE)
    assert (paid.status, paid.body["balance"]["available"]) == (201, told["available_after"])
    assert payer.get(f"/payments/{paid.body['id']}").body["id"] == paid.body["id"]
    problem(payer.get("/payments/previews"), 404, "not_found")


def test_a_withdrawal_is_previewed_and_comes_to_that(api: Api, select: Any) -> None:
    asha = person_in(api, select, "waiting", money=50_000)
    told = asha.get("/withdrawals/preview?vpa=asha.rao%40okbank&amount=10000").body
    out = asha.post("/withdrawals", {"amount": 10_000, "vpa": "asha.rao@okbank"})
    assert out.status == 202
    assert (told["fee"], told["available_after"]) == (out.body["fee"], out.body["balance"]["available"])
    assert told["confirmation"] is False
    assert told["waits_until"] < out.body["waits_until"], "it waits for a day from when it is asked for"
    assert asha.get(f"/withdrawals/{out.body['id']}").body["id"] == out.body["id"]


def test_a_preview_is_for_who_has_signed_in_and_asks_as_it_is_documented(api: Api) -> None:
    asha = api.person()
    problem(api.call("GET", "/payments/preview?to=%2B919876543210&amount=100"), 401, "missing_token")
    problem(asha.get("/payments/preview"), 422, "invalid_request")
    problem(asha.get(f"/payments/preview?to={quote(asha.phone)}&amount=100"), 422, "self_payment")
    problem(asha.get("/withdrawals/preview?vpa=asha&amount=100"), 422, "invalid_vpa")
    problem(asha.get("/withdrawals/preview?vpa=asha%40okbank&amount=99"), 422, "amount_out_of_range")
    answer = asha.get(f"/payments/preview?to={quote(new_phone())}&amount=100")
    assert (answer.status, answer.body["available_after"]) == (200, -100)
