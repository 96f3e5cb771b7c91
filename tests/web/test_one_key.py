"""One intention keeps its one key, whatever happens to the browser around it.

Each of these has once paid twice, or with somebody else's money.
"""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.support.client import PASSWORD, Api, Person
from tests.support.proofs import newest_code
from tests.web.conftest import Visit
from tests.web.visitor import ANSWER_LOST, CONFIRMATION_SENT, EARLIER, REQUEST_LOST, UNKNOWN, Visitor


def refusal(status: int, code: str, *, retry_after_s: int) -> dict[str, Any]:
    """An answer of the API that says to come back."""
    about = {"type": "about:blank", "title": "", "status": status, "detail": "", "code": code, "request_id": ""}
    return {
        "status": status,
        "content_type": "application/problem+json",
        "headers": {"Retry-After": str(retry_after_s)},
        "body": json.dumps(about),
    }


@pytest.fixture
def unknown(api: Api, visit: Visit) -> tuple[Visitor, Person, Person]:
    """Somebody who doesn't know whether their payment of ten rupees was made; it was."""
    payer, payee = api.person(money=50_000), api.person(name="Bela Das")
    asha = visit()
    asha.comes_as(payer, "pay")
    asha.fills_in(payee, "10")
    with asha.network_cut("/payments", ANSWER_LOST) as keys:
        asha.press("Pay ₹10.00")
        asha.waits_for(lambda: keys != [])
        asha.sees(UNKNOWN)
    return asha, payer, payee


def test_asked_again_when_another_tab_has_found_the_payment(unknown: tuple[Visitor, Person, Person]) -> None:
    asha, payer, payee = unknown
    first = asha.page
    asha.page = asha.another_tab("pay")
    asha.sees(EARLIER)
    asha.page = first
    asha.press("Ask again")
    asha.sees("Paid")
    assert (payee.balance(), len(payer.get("/payments").body["data"])) == (1_000, 1)


def test_asked_again_when_the_storage_was_cleared(unknown: tuple[Visitor, Person, Person]) -> None:
    asha, _, payee = unknown
    asha.page.evaluate("localStorage.clear()")
    asha.press("Ask again")
    asha.sees("Paid")
    assert payee.balance() == 1_000


def test_signing_out_and_in_again_finds_the_payment(unknown: tuple[Visitor, Person, Person]) -> None:
    asha, payer, payee = unknown
    asha.open("settings")
    asha.signs_out()
    asha.comes_as(payer, "pay")
    asha.sees(EARLIER)
    assert payee.balance() == 1_000
    assert asha.storage() == {}


def test_a_refund_that_is_unknown_is_none_of_another_payments(api: Api, visit: Visit) -> None:
    shop, payer = api.person(kind="merchant", name="Chai Point"), api.person(money=50_000)
    assert payer.pay(shop, 5_000).status == payer.pay(shop, 6_000).status == 201
    entries = shop.get("/wallet/transactions").body["data"]
    seller = visit()
    seller.comes_as(shop)

    def give_back(entry: dict[str, Any], amount: str) -> None:
        seller.open("entry", entry["id"])
        seller.page.get_by_text("Give money back").first.click()
        seller.types("Amount in rupees", amount)
        seller.press(f"Give ₹{amount} back")

    with seller.network_cut("/payments/[^/]+/refunds", ANSWER_LOST) as keys:
        give_back(entries[0], "12.34")
        seller.waits_for(lambda: keys != [])
        seller.sees(UNKNOWN)
    first = seller.page
    seller.page = seller.context.new_page()
    give_back(entries[1], "13.34")
    seller.sees("Given back: ₹13.34")
    seller.page = first
    seller.press("Ask again")
    seller.sees("Given back: ₹12.34")
    assert sorted(one["refunded"] for one in payer.get("/payments").body["data"]) == [1_234, 1_334]


def test_what_was_confirmed_and_is_on_its_way_can_not_be_called_back(api: Api, visit: Visit) -> None:
    payer = api.person(money=50_000)
    asha = visit()
    asha.comes_as(payer, "withdraw")
    asha.types("UPI address", "asha@okbank")
    asha.types("Amount in rupees", "12.34")
    asha.press("Send ₹12.34")
    asha.press("With a code by SMS")
    asha.sees(CONFIRMATION_SENT)
    asha.types("Code from the message", newest_code(api, payer.phone))
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        route.fetch()
        held.append(route)

    address = re.compile(".*/v1/withdrawals$")
    asha.context.route(address, hold)
    asha.press(re.compile("^Confirm"))
    asha.waits_for(lambda: held != [])
    expect(asha.button(re.compile("^Cancel"))).to_have_attribute("aria-disabled", "true")
    asha.button(re.compile("^Cancel")).click(force=True)
    held[0].abort("connectionreset")
    asha.sees(UNKNOWN)
    asha.context.unroute(address, hold)
    asha.press("Ask again")
    asha.is_at("withdrawal")
    assert len(payer.get("/withdrawals").body["data"]) == 1


#: Keeps what the page wants to do after exactly three seconds, until `threeSecondsLater` is called.
_THREE_SECONDS = """() => {
    const [own, kept] = [setTimeout, []];
    globalThis.setTimeout = (work, ms, ...more) => (ms === 3000 ? kept.push(work) : own(work, ms, ...more));
    globalThis.threeSecondsLater = () => { for (const work of kept.splice(0)) work(); };
}"""
#: How many payments the browser's tabs have not come to an end with.
_AT_WORK = "navigator.locks.query().then(({ held }) => held.filter(({ name }) => name.startsWith('payment ')).length)"


def test_what_one_sent_is_not_sent_again_with_the_next_ones_money(api: Api, visit: Visit) -> None:
    """It was refused for the moment; while it waits they sign out in another tab, and somebody else signs in."""
    first, second, payee = api.person(money=50_000), api.person(money=50_000), api.person()
    asha = visit()
    asha.comes_as(first, "pay")
    asha.fills_in(payee, "10")
    tried: list[str] = []

    def once_busy(route: Route) -> None:
        if route.request.method == "POST" and not tried:
            tried.append(route.request.headers["authorization"])
            asha.told_to_expect.add(503)
            route.fulfill(**refusal(503, "try_again", retry_after_s=3))
        else:
            tried.append(route.request.headers["authorization"])
            route.continue_()

    asha.context.route(re.compile(".*/v1/payments$"), once_busy)
    asha.page.evaluate(_THREE_SECONDS)
    with asha.page.expect_response(re.compile(".*/v1/payments$")):
        asha.press("Pay ₹10.00")
    waiting = asha.page
    asha.page = asha.another_tab("settings")
    asha.signs_out()
    asha.types("Phone number", second.phone)
    asha.types("Password", PASSWORD)
    asha.press("Sign in")
    asha.sees("You can spend")
    assert waiting.evaluate(_AT_WORK) == 1, "it waits"
    waiting.evaluate("threeSecondsLater()")
    asha.waits_for(lambda: waiting.evaluate(_AT_WORK) == 0)
    assert (second.balance(), payee.balance(), len(tried)) == (50_000, 0, 1)
    asha.left_open.append(("payment", first))


def test_an_order_is_not_sent_when_the_cookie_is_somebody_elses_by_now(api: Api, visit: Visit) -> None:
    first, second, payee = api.person(money=50_000), api.person(money=50_000), api.person()
    asha = visit()
    asha.comes_as(first, "pay")
    asha.fills_in(payee, "10")
    assert api.call("DELETE", "/sessions", token=first.token).status == 204
    told = asha.context.request.post(  # as from a page of the documentation, which tells no other tab
        f"{api.stack['web_url']}/v1/session",
        data=json.dumps({"phone": second.phone, "password": PASSWORD}),
        headers={"X-Wallet": "1", "Content-Type": "application/json"},
    )
    assert told.status == 200
    asha.press("Pay ₹10.00")
    expect(asha.page.get_by_label("Whom do you pay?")).to_have_value("")
    assert (first.balance(), second.balance(), payee.balance()) == (50_000, 50_000, 0)
    asha.left_open.append(("payment", first))


def test_another_order_under_the_key_of_one_that_is_still_at_work_does_not_free_the_key(api: Api, visit: Visit) -> None:
    payer, payee = api.person(money=50_000), api.person(name="Bela Das")
    asha = visit()
    asha.comes_as(payer, "pay")
    asha.fills_in(payee, "10")
    with asha.network_cut("/payments", REQUEST_LOST) as keys:
        asha.press("Pay ₹10.00")
        asha.sees(UNKNOWN)
    asha.page.reload()
    asha.sees(re.compile("^An earlier try from this browser was never answered, and nothing of it has been booked"))
    asha.fills_in(payee, "10")
    asha.types("What for? (optional)", "tea")
    at_work = re.compile(".*/v1/payments$")
    asha.context.route(at_work, lambda route: route.fulfill(**refusal(409, "idempotency_key_in_use", retry_after_s=1)))
    asha.press("Pay ₹10.00")
    asha.sees(re.compile("^(Something else was sent before, |It is not known yet whether )"))
    assert list(asha.storage().values()) == keys, "the first one may still be done"
    asha.context.unroute(at_work)
    assert payer.pay(payee, 1_000, key=keys[0]).status == 201  # it has come to its end
    asha.open("pay")
    asha.sees(EARLIER)
    assert (payee.balance(), asha.storage()) == (1_000, {})


_TOKEN_LASTS = """async () => {
    const headers = {"X-Wallet": "1", "Content-Type": "application/json"};
    const answer = await fetch("/v1/session/token", {method: "POST", headers, body: "{}"});
    return (await answer.json()).expires_in;
}"""


def test_a_refund_of_which_nobody_knows_gives_its_key_free_when_no_attempt_of_it_can_come_any_more(
    api: Api, visit: Visit
) -> None:
    """An attempt that was lost can be delivered as long as its token is good; another key would let both go through."""
    shop, payer = api.person(kind="merchant", name="Chai Point"), api.person(money=50_000)
    paid = payer.pay(shop, 5_000).body
    (entry,) = shop.get("/wallet/transactions").body["data"]
    seller = visit()
    seller.page.clock.install()
    seller.comes_as(shop)

    def give_back(amount: str) -> None:
        seller.types("Amount in rupees", amount)
        seller.press(f"Give ₹{amount} back")

    def reads_the_entry() -> None:
        seller.open("entry", entry["id"])
        seller.page.get_by_text("Give money back").first.click()

    reads_the_entry()
    token_lasts_s: int = seller.page.evaluate(_TOKEN_LASTS)
    with seller.network_cut("/payments/[^/]+/refunds", ANSWER_LOST) as keys:
        give_back("12.34")
        seller.sees(UNKNOWN)
    reads_the_entry()
    for later_s in (0, 60, token_lasts_s - 90):
        seller.page.clock.fast_forward(later_s * 1000)
        with seller.page.expect_response(re.compile(".*/refunds$")) as refused:
            give_back("13.35")
        assert refused.value.status == 422
        seller.sees("Something else was sent before, and it is not known yet what came of it.")
        assert list(seller.storage().values()) == keys, later_s
    seller.page.clock.fast_forward(150 * 1000)
    give_back("13.35")
    seller.waits_for(lambda: seller.storage() == {})
    give_back("13.35")
    seller.sees("Given back: ₹13.35")
    assert payer.get(f"/payments/{paid['id']}").body["refunded"] == 1_234 + 1_335
