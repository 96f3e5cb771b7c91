"""On a small phone: what came of a press is in sight, from its beginning on."""

import re

from playwright.sync_api import Locator, expect

from tests.support.client import Api, Person
from tests.support.proofs import newest_code
from tests.web.conftest import Visit
from tests.web.visitor import CONFIRMATION_SENT, Shape, Visitor

_SMALL = Shape("small phone", 360, 640, is_touched=True)


def confirms_by_code(visitor: Visitor, person: Person) -> None:
    visitor.press("With a code by SMS")
    visitor.sees(CONFIRMATION_SENT)
    visitor.types("Code from the message", newest_code(visitor.api, person.phone))
    # as far down as somebody may have scrolled before they press
    visitor.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    visitor.press(re.compile("^Confirm"))


def is_read_first(what: Locator) -> None:
    """Whole, in the upper half of the screen, and in what has the focus."""
    expect(what).to_be_in_viewport(ratio=1)
    box = what.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= _SMALL.height / 2
    assert what.evaluate("(it) => document.activeElement !== document.body && document.activeElement.contains(it)")


def test_the_receipt_of_a_payment_that_was_confirmed_is_in_sight(api: Api, visit: Visit) -> None:
    """With what makes it higher than the screen, of which the browser by itself would show the middle."""
    payer, payee = api.person(money=900_000), api.person(name="Bela Das Chaturvedi Venkataraman")
    asha = visit(_SMALL)
    asha.comes_as(payer, "pay")
    asha.fills_in(payee, "6000")
    asha.types("What for? (optional)", "the rent of November, and the lamp in the kitchen that we broke")
    asha.press("Pay ₹6,000.00")
    confirms_by_code(asha, payer)
    is_read_first(asha.sees("Paid"))


def test_what_became_of_a_withdrawal_is_in_sight(api: Api, visit: Visit) -> None:
    payer = api.person(money=50_000)
    asha = visit(_SMALL)
    asha.comes_as(payer, "withdraw")
    asha.types("UPI address", "asha@okbank")
    asha.types("Amount in rupees", "12.34")
    asha.press("Send ₹12.34")
    confirms_by_code(asha, payer)
    asha.is_at("withdrawal")
    expect(asha.sees("₹12.34")).to_be_in_viewport(ratio=1)
    heading = asha.page.get_by_role("heading", level=1, name="Withdrawal")
    expect(heading).to_be_in_viewport(ratio=1)
    expect(heading).to_be_focused()


def test_a_top_up_that_was_paid_says_so_in_sight(api: Api, visit: Visit) -> None:
    payer = api.person()
    opened = payer.open_top_up(50_000)
    asha = visit(_SMALL)
    asha.comes_as(payer)
    asha.open("top-up", opened["id"])
    asha.sees("Waiting for your payment")
    asha.page.get_by_text("My bank took money, and it isn't here", exact=True).click()
    asha.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    api.play(opened["gateway_order_id"], "captured")
    is_read_first(asha.sees("The money is here"))


def test_a_refund_says_in_sight_what_was_given_back(api: Api, visit: Visit) -> None:
    payer, shop = api.person(money=50_000), api.person(kind="merchant", name="Chai Point")
    assert payer.pay(shop, 5_000).status == 201
    seller = visit(_SMALL)
    seller.comes_as(shop)
    seller.open("entry", shop.get("/wallet/transactions").body["data"][0]["id"])
    seller.page.get_by_text("Give money back", exact=True).click()
    seller.press("Give ₹50.00 back")
    expect(seller.sees("Given back: ₹50.00")).to_be_in_viewport(ratio=1)
