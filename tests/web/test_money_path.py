"""The way of somebody who has read nothing, from the printed address on: by clicks, at both sizes."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.client import Api, new_phone
from tests.web.conftest import Visit
from tests.web.visitor import Shape, Visitor


def approves(visitor: Visitor, amount: str) -> None:
    """On the pretend phone, which the page has led to its payment: pays it."""
    with visitor.page.expect_popup() as opened:
        visitor.page.get_by_role("link", name="Open the pretend phone").click()
    phone = opened.value
    expect(phone.locator("main .bill .amount")).to_have_text(amount)
    phone.get_by_role("button", name="Approve", exact=True).click()
    expect(phone.get_by_role("status")).not_to_be_empty()
    phone.close()


def says_so_far(visitor: Visitor, balance: str) -> None:
    """The month's file, which is ready: it opens beside the wallet, and has this balance."""
    with visitor.page.expect_popup() as opened:
        visitor.press(re.compile("^Open it"))
    file = opened.value
    expect(file.get_by_role("heading", name=re.compile("^Wallet statement, "))).to_be_visible()
    expect(file.locator("dt:text-is('Balance so far') + dd")).to_have_text(balance)


def test_a_shop_is_paid_from_its_code_and_gives_it_back(api: Api, visit: Visit, shape: Shape, tmp_path: Path) -> None:
    shop = visit(shape)
    shop.registers(new_phone(), "Chai Point", shop=True)
    shop.press("Receive")
    code = shop.page.get_by_role("img").first
    expect(code).to_be_visible()
    picture = tmp_path / "code.png"
    code.screenshot(path=picture)

    asha = visit(shape)
    asha.registers(new_phone(), "Asha Rao")
    asha.sees_sum("₹0.00")
    asha.press("Add money")
    asha.types("Amount in rupees", "500")
    asha.press("Continue to UPI")
    asha.is_at("top-up")
    approves(asha, "₹500.00")
    asha.sees("The money is here")
    asha.press("To the home page")
    asha.is_at("")
    asha.sees_sum("₹500.00")

    asha.open("scan")
    asha.page.get_by_label("A picture of a code").set_input_files(picture)
    asha.is_at("pay")
    asha.sees("Chai Point")
    asha.types("Amount in rupees", "120.50")
    asha.sees("₹379.50")  # what they can then spend
    asha.press("Pay ₹120.50")
    asha.sees("Paid")
    asha.sees("Payment number")
    asha.press("Receipt")
    asha.is_at("entry")
    asha.sees("Transaction number")
    asha.sees_sum("\N{MINUS SIGN}₹120.50")

    shop.open("")
    shop.sees_sum("₹120.50")
    shop.open("history")
    shop.page.get_by_role("link", name=re.compile("Asha Rao")).first.click()
    shop.is_at("entry")
    shop.page.get_by_text("Give money back").first.click()
    shop.press("Give ₹120.50 back")
    shop.sees("Given back: ₹120.50")

    asha.open("")
    asha.sees_sum("₹500.00")
    asha.open("history")
    asha.sees("+₹120.50")
    asha.press(re.compile("^Get the file"))
    says_so_far(asha, "₹ 500.00")
    asha.press("Make the table")
    with asha.page.expect_download() as downloading:
        asha.press("Save the table")
    assert ",120.50," in downloading.value.path().read_text()


def test_what_the_phone_declines_is_said_and_can_be_tried_again(api: Api, visit: Visit, shape: Shape) -> None:
    payer = api.person()
    asha = visit(shape)
    asha.comes_as(payer, "add")
    asha.types("Amount in rupees", "500")
    asha.press("Continue to UPI")
    with asha.page.expect_popup() as opened:
        asha.page.get_by_role("link", name="Open the pretend phone").click()
    phone = opened.value
    phone.get_by_role("button", name="Decline", exact=True).click()
    asha.sees("The payment did not go through")
    phone.get_by_role("button", name="Approve", exact=True).click()
    asha.sees("The money is here")
    assert payer.balance() == 50_000


def test_on_a_trial_the_pretend_phone_comes_before_the_upi_app(api: Api, visit: Visit, shape: Shape) -> None:
    """Nobody has a UPI app that could pay a simulator's order: it would be the wrong one to press."""
    payer = api.person()
    asha = visit(shape)
    asha.comes_as(payer)
    asha.open("top-up", payer.open_top_up(50_000)["id"])
    asha.sees("Waiting for your payment")
    asha.comes_to_rest()
    links = asha.page.locator("main a").all_text_contents()
    assert links.index("Open the pretend phone") < links.index("Open my UPI app")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("1,500.5", "₹1,500.50"),
        ("₹ 2,00,000", "₹2,00,000.00"),
        ("१२३.४५", "₹123.45"),
        ("0.01", "₹0.01"),
    ],
)
def test_an_amount_is_read_as_it_was_typed_and_shown_beside_it(api: Api, visit: Visit, typed: str, shown: str) -> None:
    asha = visit()
    asha.comes_as(api.person(), "add")
    asha.types("Amount in rupees", typed)
    asha.sees(shown)
    assert asha.reads("Amount in rupees") == typed, "nothing is reformatted under the finger"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("1.005", "There are two digits for paise at most."),
        ("ten", "That is no amount. Write it in digits, such as 500 or 1,250.50."),
        ("0", "The amount must be more than zero."),
        ("", "How much? An amount in rupees is missing."),
    ],
)
def test_what_is_no_amount_is_an_error_and_never_rounded(api: Api, visit: Visit, typed: str, said: str) -> None:
    payer = api.person()
    asha = visit()
    asha.comes_as(payer, "add")
    asha.types("Amount in rupees", typed)
    asha.press("Continue to UPI")
    asha.sees(said)
    assert payer.get("/top-ups").body["data"] == []
