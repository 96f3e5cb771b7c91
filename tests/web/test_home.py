"""Home: what else there is to do stands below the first things, and a frozen wallet says so."""

from playwright.sync_api import expect

from tests.support.client import Api
from tests.web.conftest import Visit
from tests.web.visitor import Shape


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
    expect(frozen).to_contain_text("The wallet is frozen: money comes in, and none goes out.")
    frozen.get_by_role("link", name="Security", exact=True).click()
    asha.is_at("security")
