"""Asking for a sum: of one, of several, and not any more."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.client import Api
from tests.web.conftest import Visit
from tests.web.visitor import NOBODY_ANSWERS


@pytest.mark.parametrize(("people", "parts"), [("3", 0), ("2", 2)])
def test_a_sum_of_less_than_a_paisa_for_each_is_not_shared_and_says_why(
    api: Api, visit: Visit, people: str, parts: int
) -> None:
    asker = api.person()
    asha = visit()
    asha.comes_as(asker, "requests")
    asha.page.get_by_label("Several share it", exact=True).check(force=True)
    asha.types("Amount in rupees", "0.02")
    asha.types("How many people share it?", people)
    asha.page.get_by_label("I am one of them, and my part is paid", exact=True).uncheck()
    asha.press("Make the requests")
    if parts == 0:
        asha.sees(
            "₹0.02 can't be shared by 3: nobody can pay less than a paisa. Make it more, or share it among fewer."
        )
        expect(asha.page.get_by_label("How many people share it?", exact=True)).to_be_focused()
    else:
        asha.sees("of ₹0.02 · 0 of 2 have paid")
        asha.press("Your requests")
        asha.is_at("requests")
    assert len(asker.get("/payment-requests").body["data"]) == parts


def test_a_request_that_was_taken_back_is_open_no_longer(api: Api, visit: Visit) -> None:
    asker = api.person()
    made = asker.post("/payment-requests", {"amount": 45_000}).body["id"]
    asha = visit()
    asha.comes_as(asker)
    asha.open("request", made)
    asha.sees("Open until")
    address = re.compile(r".*/v1/payment-requests/[^/]+/cancel$")
    asha.context.route(address, lambda route: route.abort("connectionreset"))
    asha.press("Cancel it")
    asha.sees(NOBODY_ANSWERS)
    asha.context.unroute(address)
    asha.press("Cancel it")
    asha.sees("Cancelled")
    for gone in ("Open until", "Nobody has paid yet.", "Copy the link"):
        asha.sees_nothing_of(gone)
