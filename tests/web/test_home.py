"""Home: what else there is to do stands below the first things, and a frozen wallet says so."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.client import Api
from tests.web.conftest import Visit
from tests.web.visitor import Shape

_FROZEN = (
    "The wallet is frozen: nothing can be paid from it or into it."
    " What you have added already, or what is given back to you, still arrives."
)


def test_withdrawing_is_found_below_the_four_first_things(api: Api, visit: Visit, shape: Shape) -> None:
    asha = visit(shape)
    asha.comes_as(api.person(money=50_000))
    asha.sees_sum("₹500.00")
    first = asha.page.locator(".tiles a")
    assert first.all_inner_texts() == ["Pay", "Scan", "Receive", "Add money"]
    below = asha.page.get_by_role("link", name="Withdraw to a bank account", exact=True)
    last, lower = first.last.bounding_box(), below.bounding_box()
    assert last is not None
    assert lower is not None
    assert lower["y"] >= last["y"] + last["height"]
    below.click()
    asha.is_at("withdraw")


def test_a_frozen_wallet_says_so_and_leads_to_security(api: Api, visit: Visit) -> None:
    payer = api.person(money=50_000)
    asha = visit()
    asha.comes_as(payer)
    asha.sees_sum("₹500.00")
    asha.sees_nothing_of("The wallet is frozen")
    api.ordered("freeze", wallet_id=payer.wallet_id)
    asha = visit()
    asha.comes_as(payer)
    frozen = asha.page.get_by_role("alert")
    expect(frozen).to_contain_text(_FROZEN)
    frozen.get_by_role("link", name="Security", exact=True).click()
    asha.is_at("security")


@pytest.mark.parametrize(
    ("screen", "field"),
    [
        ("pay", "Whom do you pay?"),
        ("add", "Amount in rupees"),
        ("withdraw", "UPI address"),
        ("requests", "Amount in rupees"),
    ],
)
def test_in_a_frozen_wallet_nobody_fills_in_what_would_be_refused(
    api: Api, visit: Visit, screen: str, field: str
) -> None:
    payer = api.person(money=50_000)
    asha = visit()
    asha.comes_as(payer, screen)
    asha.page.get_by_label(field, exact=True).wait_for()
    api.ordered("freeze", wallet_id=payer.wallet_id)
    asha.comes_as(payer, screen)
    expect(asha.page.get_by_role("alert")).to_contain_text(_FROZEN)
    expect(asha.page.get_by_label(field, exact=True)).to_have_count(0)
    asha.page.get_by_role("alert").get_by_role("link", name="Security", exact=True).click()
    asha.is_at("security")


def test_a_frozen_wallet_is_not_paid_and_says_so_beside_its_code(api: Api, visit: Visit) -> None:
    payer, payee = api.person(money=50_000), api.person()
    api.ordered("freeze", wallet_id=payee.wallet_id)
    assert payer.pay(payee, 100).code == "payee_unavailable"
    bela = visit()
    bela.comes_as(payee, "receive")
    expect(bela.page.get_by_role("alert")).to_contain_text(_FROZEN)


def test_a_wallet_that_is_being_closed_says_so(api: Api, visit: Visit) -> None:
    payer = api.person(money=50_000)
    asha = visit()
    asha.comes_as(payer, "pay")
    api.ordered("close", wallet_id=payer.wallet_id)
    asha.comes_as(payer, "pay")
    asha.sees(re.compile("^The wallet is being closed: nothing can be paid from it or into it any more."))
    asha.page.get_by_role("alert").get_by_role("link", name="Help", exact=True).click()
    asha.is_at("help")
