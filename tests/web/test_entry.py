"""An entry, looked at by who quotes a bank's number, or asks a year later who that was."""

from typing import Any

from playwright.sync_api import expect

from tests.support.client import Api, Person
from tests.web.conftest import Visit
from tests.web.visitor import Visitor


def look_at(visitor: Visitor, person: Person, type_: str) -> dict[str, Any]:
    """Opens their newest entry of this type."""
    found: dict[str, Any] = next(one for one in person.get("/wallet/transactions").body["data"] if one["type"] == type_)
    visitor.open("entry", found["id"])
    visitor.is_at("entry")
    return found


def copied(visitor: Visitor, name: str) -> str:
    """What is in the clipboard once the number of this name has been copied."""
    visitor.page.get_by_role("button", name=f"Copy {name}", exact=True).click()
    expect(visitor.page.get_by_role("button", name=f"Copied {name}", exact=True)).to_be_visible()
    text: str = visitor.page.evaluate("navigator.clipboard.readText()")
    return text


def test_each_number_is_copied_by_itself(api: Api, visit: Visit) -> None:
    payer, shop = api.person(money=50_000), api.person(kind="merchant", name="Chai Point")
    assert payer.pay(shop, 12_050, reference="INV-7").status == 201
    asha = visit(permissions=["clipboard-read", "clipboard-write"])
    asha.comes_as(payer)
    top_up = look_at(asha, payer, "top_up")
    assert copied(asha, "Bank reference (RRN)") == top_up["rrn"]
    assert copied(asha, "Transaction number") == top_up["id"]
    paid = look_at(asha, payer, "payment")
    assert copied(asha, "Their wallet's number") == shop.wallet_id
    assert copied(asha, "Reference") == "INV-7"
    assert copied(asha, "Transaction number") == paid["id"]


def test_what_was_given_back_and_its_payment_lead_to_one_another(api: Api, visit: Visit) -> None:
    payer, shop = api.person(money=50_000), api.person(kind="merchant", name="Chai Point")
    paid = payer.pay(shop, 12_050)
    assert shop.post(f"/payments/{paid.body['id']}/refunds", {"amount": 50}).status == 201
    asha = visit()
    asha.comes_as(payer)
    look_at(asha, payer, "refund")
    asha.press("The payment it belongs to")
    asha.sees_sum("\N{MINUS SIGN}₹120.50")
    asha.sees("Given back so far: ₹0.50")
    asha.sees_nothing_of("Give money back")
    seller = visit()
    seller.comes_as(shop)
    look_at(seller, shop, "payment")
    seller.sees("Given back so far: ₹0.50")
    seller.page.get_by_text("Give money back", exact=True).click()
    assert seller.reads("Amount in rupees") == "120"


def test_money_that_was_asked_for_leads_to_its_request(api: Api, visit: Visit) -> None:
    payer, asker = api.person(money=50_000), api.person()
    request = asker.post("/payment-requests", {"amount": 45_000, "description": "dinner"}).body["id"]
    assert payer.post("/payments", {"to": {"payment_request": request}, "amount": 45_000}).status == 201
    asha = visit()
    asha.comes_as(asker)
    look_at(asha, asker, "payment")
    asha.press("The request that was paid")
    asha.is_at("request")
    asha.sees("dinner")
