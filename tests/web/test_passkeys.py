"""Passkeys on the site itself, with the browser's own virtual authenticator."""

import re

from playwright.sync_api import CDPSession

from tests.support.client import Api
from tests.support.proofs import messages_to, newest_code
from tests.web.conftest import Visit
from tests.web.visitor import CONFIRMATION_SENT, Visitor

_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_authenticator(visitor: Visitor) -> tuple[CDPSession, str]:
    devtools = visitor.context.new_cdp_session(visitor.page)
    devtools.send("WebAuthn.enable")
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})
    return devtools, made["authenticatorId"]


def add_passkey(visitor: Visitor, phone: str) -> None:
    """On the screen of security, confirmed by a code."""
    visitor.types("What to call it", "My laptop")
    visitor.press("Add a passkey on this device")
    visitor.press("With a code by SMS")
    visitor.sees(CONFIRMATION_SENT)
    visitor.types("Code from the message", newest_code(visitor.api, phone))
    visitor.press(re.compile("^Confirm"))
    visitor.button("Remove My laptop").wait_for()


def test_a_payment_is_confirmed_by_a_finger(api: Api, visit: Visit) -> None:
    payer, payee = api.person(money=900_000), api.person(name="Bela Das")
    asha = visit()
    asha.comes_as(payer, "security")
    with_authenticator(asha)
    add_passkey(asha, payer.phone)
    before = len(messages_to(api, payer.phone))
    asha.press("Pay")
    asha.types("Whom do you pay?", payee.wallet_id)
    asha.press("Continue")
    asha.types("Amount in rupees", "6000")
    asha.press("Pay ₹6,000.00")
    asha.sees("Confirm this payment")
    asha.sees("₹6,000.00 → Bela Das")
    asha.press("With my passkey")
    asha.sees("Paid")
    assert payee.balance() == 600_000
    codes = [one for one in messages_to(api, payer.phone)[before:] if "is your code" in one["text"]]
    assert codes == []


def test_a_confirmation_that_has_ended_gives_way_to_another(api: Api, visit: Visit) -> None:
    payer, payee = api.person(money=900_000), api.person(name="Bela Das")
    asha = visit()
    asha.comes_as(payer, "pay")
    asha.types("Whom do you pay?", payee.wallet_id)
    asha.press("Continue")
    asha.types("Amount in rupees", "6000")
    asha.press("Pay ₹6,000.00")
    asha.press("With a code by SMS")
    for _ in range(6):  # one more than it takes
        asha.sees(CONFIRMATION_SENT)
        asha.types("Code from the message", "000000")
        with asha.page.expect_response(lambda answer: "/v1/confirmations/" in answer.url):
            asha.press(re.compile("^Confirm"))
    # which has ended: the same payment is to be confirmed anew
    asha.press("With a code by SMS")
    asha.sees(CONFIRMATION_SENT)
    asha.types("Code from the message", newest_code(api, payer.phone))
    asha.press(re.compile("^Confirm"))
    asha.sees("Paid")
    assert payee.balance() == 600_000


def test_a_passkey_that_does_not_answer_leaves_the_code(api: Api, visit: Visit) -> None:
    payer, payee = api.person(money=900_000), api.person()
    asha = visit()
    asha.comes_as(payer, "security")
    devtools, authenticator = with_authenticator(asha)
    add_passkey(asha, payer.phone)
    devtools.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    asha.press("Pay")
    asha.types("Whom do you pay?", payee.wallet_id)
    asha.press("Continue")
    asha.types("Amount in rupees", "6000")
    asha.press("Pay ₹6,000.00")
    asha.press("With my passkey")
    asha.sees("The passkey did not confirm it. Try again, or use a code.")
    assert payee.balance() == 0
    asha.press("With a code by SMS")
    asha.sees(CONFIRMATION_SENT)
    asha.types("Code from the message", newest_code(api, payer.phone))
    asha.press(re.compile("^Confirm"))
    asha.sees("Paid")
    assert payee.balance() == 600_000
