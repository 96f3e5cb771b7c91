"""Signing in by the form: what a password manager and a phone need of it, and what a wrong password shows."""

import re

from playwright.sync_api import expect

from tests.support.client import PASSWORD, Api, new_phone
from tests.support.proofs import newest_code
from tests.web.conftest import Visit
from tests.web.visitor import Shape


def test_a_password_is_masked_can_be_pasted_and_is_known_to_password_managers(api: Api, visit: Visit) -> None:
    person = api.person()
    visitor = visit()
    visitor.open("")
    field = visitor.page.get_by_label("Password", exact=True)
    assert field.get_attribute("type") == "password"
    assert field.get_attribute("autocomplete") == "current-password"
    assert visitor.page.get_by_label("Phone number").get_attribute("autocomplete") == "username"
    visitor.types("Phone number", person.phone)
    field.evaluate(
        """(field, text) => {
            field.focus();
            document.execCommand("insertText", false, text);  // as a paste does
        }""",
        PASSWORD,
    )
    visitor.press("Sign in")
    visitor.sees("You can spend")
    assert visitor.storage() == {}


def test_a_password_is_shown_to_whoever_asks_for_it_and_hidden_again_when_it_is_sent(visit: Visit) -> None:
    visitor = visit()
    visitor.open("sign-in")
    field = visitor.page.get_by_label("Password", exact=True)
    show = visitor.page.get_by_role("button", name="Show Password", exact=True)
    visitor.types("Phone number", new_phone())
    visitor.types("Password", "not the password")
    expect(show).to_have_attribute("aria-pressed", "false")
    show.click()
    expect(show).to_have_attribute("aria-pressed", "true")
    expect(field).to_have_attribute("type", "text")
    expect(field).to_have_attribute("autocomplete", "current-password")
    expect(field).to_have_attribute("spellcheck", "false")
    show.click()
    expect(field).to_have_attribute("type", "password")
    show.click()
    expect(field).to_have_attribute("type", "text")
    visitor.press("Sign in")
    expect(field).to_have_attribute("type", "password")
    expect(show).to_have_attribute("aria-pressed", "false")
    visitor.sees("Phone and password don't fit. Check both.")
    expect(field).to_have_value("not the password")


def test_a_wrong_password_says_neither_which_is_wrong_nor_whether_the_phone_is_known(api: Api, visit: Visit) -> None:
    said = []
    for phone in (api.person().phone, new_phone()):
        visitor = visit()
        visitor.open("sign-in")
        visitor.types("Phone number", phone)
        visitor.types("Password", "not the password")
        visitor.press("Sign in")
        said.append(visitor.page.get_by_role("alert").inner_text())
    assert said == ["Phone and password don't fit. Check both."] * 2


def test_who_opens_a_wallet_is_told_what_a_name_may_have_and_what_becomes_of_a_shop(api: Api, visit: Visit) -> None:
    phone = new_phone()
    visitor = visit()
    visitor.open("register")
    visitor.types("Phone number", phone)
    visitor.press("Send me a code")
    visitor.sees(f"A code is on its way to +91 {phone[3:8]} {phone[8:]}.")
    visitor.types("Code from the message", newest_code(api, phone))
    visitor.press("Continue")
    visitor.types("Password", PASSWORD)
    visitor.press("Open my wallet")
    visitor.sees("Write your name, or your shop's.")
    visitor.types("Your name", "Chai Bank")
    visitor.sees_nothing_of("Until we have approved it")
    visitor.page.get_by_label("I sell").check()
    visitor.sees(re.compile("^A shop can be paid at once. Until we have approved it, it is shown as a person"))
    visitor.press("Open my wallet")
    visitor.sees(re.compile("^Choose another name: .+, and no word that is kept for banks, offices and support[.]$"))
    visitor.types("Your name", "Chai Point")
    visitor.press("Open my wallet")
    visitor.is_at("")
    visitor.open("limits")
    visitor.sees(re.compile("^This shop is not approved yet. "))


def test_the_limits_say_why_they_are_these(api: Api, visit: Visit) -> None:
    visitor = visit()
    visitor.comes_as(api.person(), "limits")
    visitor.sees("Your level: Full")
    visitor.sees("The higher limits hold: those of people whose identity has been checked in full.")


def test_all_of_it_can_be_done_by_keyboard_alone(api: Api, visit: Visit, shape: Shape) -> None:
    person, payee = api.person(money=50_000), api.person(name="Bela Das")
    visitor = visit(shape)
    visitor.open("sign-in")
    keys = visitor.page.keyboard
    visitor.page.get_by_label("Phone number").focus()
    keys.type(person.phone)
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    visitor.sees("You can spend")
    visitor.open("pay")
    visitor.page.get_by_label("Whom do you pay?").focus()
    keys.type(payee.wallet_id)
    keys.press("Enter")
    visitor.sees("Bela Das")
    visitor.page.get_by_label("Amount in rupees").focus()
    keys.type("5")
    keys.press("Enter")
    visitor.sees("Paid")
    # whoever has no mouse is where it goes on
    expect(visitor.page.locator("main :focus").get_by_text("Paid", exact=True)).to_be_visible()
    assert payee.balance() == 500
