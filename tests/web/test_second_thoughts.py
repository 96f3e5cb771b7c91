"""What a person does second: presses twice, goes back, opens another tab, comes back after the session's end."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.support.client import PASSWORD, Api, Person, wait_until
from tests.support.proofs import newest_code
from tests.web.conftest import Visit
from tests.web.visitor import ANSWER_LOST, CODE_SENT, EARLIER, FRAMES, NOBODY_ANSWERS, UNKNOWN, Shape, Visitor


def test_a_button_that_is_pressed_twice_pays_once(api: Api, visit: Visit) -> None:
    payer, payee = api.person(money=50_000), api.person()
    asha = visit()
    asha.comes_as(payer, "pay")
    asha.fills_in(payee, "10")
    asha.button("Pay ₹10.00").dblclick()
    asha.sees("Paid")
    assert payee.balance() == 1_000


def test_two_tabs_that_send_at_once_pay_once(api: Api, visit: Visit) -> None:
    """They have one key between them: it is the same intention until its outcome is known."""
    payer, payee = api.person(money=50_000), api.person()
    asha = visit()
    asha.comes_as(payer, "pay")
    asha.fills_in(payee, "10")
    tabs = [asha.page, asha.another_tab("pay")]
    asha.page = tabs[1]
    asha.fills_in(payee, "10")
    held: list[Route] = []
    address = re.compile(".*/v1/payments$")

    def hold(route: Route) -> None:  # no answer comes before both of them have pressed
        held.append(route)

    asha.context.route(address, hold)
    for tab in tabs:
        tab.get_by_role("button", name="Pay ₹10.00").evaluate("(button) => setTimeout(() => button.click(), 100)")
    # whose press came second knows of the first, or has sent the same
    elsewhere = "Something has just been sent in another tab. Look into your history before you send the same again."
    asha.waits_for(lambda: len(held) + sum(tab.get_by_text(elsewhere).count() for tab in tabs) == len(tabs))
    assert held != []
    for route in held:
        route.continue_()
    asha.context.unroute(address)
    for asha.page in tabs:
        asha.sees(re.compile(f"^(Paid|{re.escape(EARLIER)}|{re.escape(elsewhere)})$"))
    asha.waits_for(lambda: asha.storage() == {})
    assert (payee.balance(), len(payer.get("/payments").body["data"])) == (1_000, 1)


def test_the_second_payee_gets_nothing_of_what_was_typed_for_the_first(api: Api, visit: Visit) -> None:
    payer, first, second = api.person(money=50_000), api.person(name="Bela Das"), api.person(name="Chitra Nair")
    asha = visit()
    asha.comes_as(payer, "pay")
    asha.fills_in(first, "250")
    asha.sees("Bela Das")
    asha.types("What for? (optional)", "rent")
    # a link to another payee is opened over it, in the same tab
    asha.page.evaluate("(id) => { location.hash = id; }", second.wallet_id)
    asha.sees("Chitra Nair")
    assert asha.reads("Amount in rupees") == ""
    assert asha.reads("What for? (optional)") == ""
    asha.types("Amount in rupees", "1")
    asha.press("Pay ₹1.00")
    asha.sees("Paid")
    # and behind the receipt the form is empty
    asha.press("Pay somebody else")
    assert asha.reads("Whom do you pay?") == ""
    asha.fills_in(first, "")
    assert asha.reads("Amount in rupees") == ""
    assert (first.balance(), second.balance()) == (0, 100)


def test_back_from_a_receipt_pays_nothing_again(api: Api, visit: Visit) -> None:
    payer, payee = api.person(money=50_000), api.person()
    asha = visit()
    asha.comes_as(payer)
    asha.press("Pay")
    asha.fills_in(payee, "10")
    asha.press("Pay ₹10.00")
    asha.sees("Paid")
    asha.page.go_back()
    asha.page.go_forward()
    asha.is_at("pay")
    assert asha.reads("Whom do you pay?") == ""
    asha.page.reload()
    assert asha.reads("Whom do you pay?") == ""
    assert payee.balance() == 1_000


def test_after_signing_out_back_shows_nothing_in_any_tab(api: Api, visit: Visit) -> None:
    payer = api.person(money=50_000)
    asha = visit()
    asha.comes_as(payer)
    asha.sees_sum("₹500.00")
    other, first = asha.another_tab("history"), asha.page
    expect(other.get_by_text("+₹500.00", exact=True)).to_be_visible()
    asha.press("Settings")
    asha.is_at("settings")
    asha.open("security")
    asha.signs_out()
    asha.page.go_back()
    asha.is_at("security")
    for asha.page in (other, first):
        asha.sees("Your phone number and your password.")
        asha.sees_nothing_of("₹500.00")
    assert [cookie["name"] for cookie in asha.context.cookies()] == []


def sign_in(visitor: Visitor, person: Person) -> None:
    visitor.types("Phone number", person.phone)
    visitor.types("Password", PASSWORD)
    visitor.press("Sign in")


def test_a_session_that_ends_in_the_middle_is_taken_up_where_it_was(api: Api, visit: Visit) -> None:
    payer, payee = api.person(money=50_000), api.person()
    asha = visit()
    asha.comes_as(payer, "pay")
    asha.fills_in(payee, "10")
    assert api.call("DELETE", "/sessions", token=payer.token).status == 204  # from elsewhere
    asha.press("Pay ₹10.00")
    asha.sees("Your session has ended. Sign in to go on where you were.")
    assert payee.balance() == 0
    sign_in(asha, payer)
    assert asha.reads("Amount in rupees") == "10"
    asha.press("Pay ₹10.00")
    asha.sees("Paid")
    assert payee.balance() == 1_000


def test_whoever_signs_in_next_in_the_same_browser_finds_nothing_of_the_one_before(api: Api, visit: Visit) -> None:
    payer, payee, stranger = api.person(money=50_000), api.person(name="Bela Das"), api.person(money=50_000)
    asha = visit()
    asha.comes_as(payer, "pay")
    asha.fills_in(payee, "10")
    asha.sees("Bela Das")
    assert api.call("DELETE", "/sessions", token=payer.token).status == 204
    asha.press("Pay ₹10.00")
    asha.sees("Your session has ended. Sign in to go on where you were.")
    sign_in(asha, stranger)
    asha.is_at("pay")
    assert asha.reads("Whom do you pay?") == ""
    asha.sees_nothing_of("Bela Das")
    assert (payee.balance(), stranger.balance()) == (0, 50_000)
    asha.left_open.append(("payment", payer))


def test_whoever_is_offline_is_told_that_nothing_was_sent_and_sends_it_later(api: Api, visit: Visit) -> None:
    payer, payee = api.person(money=50_000), api.person()
    asha = visit()
    asha.comes_as(payer, "pay")
    asha.fills_in(payee, "10")
    asha.context.set_offline(True)
    asha.sees(re.compile("^You are offline. Nothing can be sent now"))
    asha.press("Pay ₹10.00")
    asha.sees("You are offline: nothing was sent. Try again when you are connected.")
    assert asha.storage() == {}
    asha.context.set_offline(False)
    asha.sees_nothing_of("what you see may be old")
    asha.press("Pay ₹10.00")
    asha.sees("Paid")
    assert payee.balance() == 1_000


def test_whoever_loses_the_network_while_it_is_sent_is_told_that_nobody_knows(api: Api, visit: Visit) -> None:
    payer, payee = api.person(money=50_000), api.person()
    asha = visit()
    asha.comes_as(payer, "pay")
    asha.fills_in(payee, "10")
    with asha.network_cut("/payments", ANSWER_LOST) as keys:
        asha.press("Pay ₹10.00")
        asha.waits_for(lambda: keys != [])
        asha.context.set_offline(True)
        asha.sees(UNKNOWN)
    # asked in vain while it is offline: the button is at work, and then it isn't
    asha.press("Ask again")
    expect(asha.button("Ask again")).not_to_have_attribute("aria-disabled", "true")
    asha.context.set_offline(False)
    asha.press("Ask again")
    asha.sees("Paid")
    assert payee.balance() == 1_000


def test_the_credit_is_seen_by_itself_and_once(api: Api, visit: Visit) -> None:
    payer = api.person()
    asha = visit()
    asha.comes_as(payer, "add")
    asha.types("Amount in rupees", "500")
    asha.press("Continue to UPI")
    asha.is_at("top-up")
    (opened,) = payer.get("/top-ups").body["data"]
    api.play(opened["gateway_order_id"], "captured", duplicates=3)
    asha.sees("The money is here")
    wait_until(lambda: api.gateway_is_quiet(opened["gateway_order_id"]))
    asha.open("history")
    asha.sees("There is nothing older.")
    expect(asha.page.get_by_text("+₹500.00")).to_have_count(1)
    assert payer.balance() == 50_000


def test_a_payment_that_was_late_is_credited_where_the_page_has_said_that_it_failed(api: Api, visit: Visit) -> None:
    payer = api.person()
    opened = payer.open_top_up(50_000)
    asha = visit()
    asha.comes_as(payer)
    asha.open("top-up", opened["id"])
    api.play(opened["gateway_order_id"], "failed")
    asha.sees("The payment did not go through")
    asha.sees("Don't pay again.")
    api.play(opened["gateway_order_id"], "captured")
    asha.sees("The money is here")


_SHIFTS = """
  window.shifts = 0;
  // what moves by itself: not within half a second of somebody's doing
  const add = (entries) => {
    for (const one of entries) if (!one.hadRecentInput) window.shifts += one.value;
  };
  const observer = new PerformanceObserver((list) => add(list.getEntries()));
  observer.observe({ type: "layout-shift", buffered: true });
  window.allShifts = () => {
    add(observer.takeRecords());
    return window.shifts;
  };
"""


@pytest.mark.parametrize(
    ("screen", "last"),
    [("security", "Where you are signed in"), ("settings", "+91"), ("holds", "Held for me"), ("limits", "To people")],
)
def test_nothing_moves_under_a_finger_while_a_screen_loads(
    api: Api, visit: Visit, shape: Shape, screen: str, last: str
) -> None:
    asha = visit(shape)
    asha.context.add_init_script(_SHIFTS)
    asha.comes_as(api.person(), "help")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    # the answers come late and one by one: whatever stands above something else has the time to push it
    asha.context.route(re.compile("/v1/(wallet|me|passkeys|sessions|holds)([?]|$)"), hold)
    asha.open(screen)
    asha.is_at(screen)
    seen = asha.page.get_by_text(last).first
    asha.waits_for(lambda: held != [])
    # also those that are asked for only when another one has been answered
    while held or not seen.is_visible():
        asha.waits_for(lambda: held != [] or seen.is_visible())
        if held:
            route = held.pop(0)
            with asha.page.expect_response(route.request.url):
                route.continue_()
            asha.page.evaluate(FRAMES)
    asha.comes_to_rest()
    assert asha.page.evaluate("allShifts()") < 0.01


def test_signing_out_one_device_after_the_other_takes_a_look_at_each(api: Api, visit: Visit) -> None:
    """Its row stays: a second press, meant for the first row, would end the next session."""
    person = api.person()
    asha = visit()
    asha.comes_as(person, "security")
    for _ in range(2):
        assert api.call("POST", "/login", {"phone": person.phone, "password": PASSWORD}).status == 200
    asha.open("security")
    asha.sees("Where you are signed in")
    ended: list[str] = []
    asha.page.on("request", lambda one: ended.append(one.url) if one.method == "DELETE" else None)
    others = asha.page.get_by_role("button", name=re.compile("^Sign it out"))
    before = others.count()
    assert before >= 2
    place = others.first.bounding_box()
    assert place is not None
    middle = (place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    others.first.click()
    asha.sees("Signed out")
    asha.page.mouse.click(*middle)
    asha.comes_to_rest()
    assert len(ended) == 1
    expect(others).to_have_count(before - 1)
    assert len(person.get("/sessions").body["data"]) == before


def asks_for_the_unfreeze(visitor: Visitor, person: Person) -> None:
    visitor.press("Unfreeze it")
    expect(visitor.page.get_by_label("Phone number")).to_have_value(person.phone)
    visitor.press("Send me a code")
    visitor.sees(CODE_SENT)
    visitor.types("Code from the message", newest_code(visitor.api, person.phone))
    visitor.press("Continue")
    visitor.sees(re.compile("^It will be unfrozen at .+, a day after it was asked for[.]$"))


def test_an_end_of_the_freeze_that_was_asked_for_is_called_off(api: Api, visit: Visit) -> None:
    person = api.person(money=50_000)
    asha = visit()
    asha.comes_as(person, "security")
    asha.press("Freeze my wallet")
    asha.press("Yes, freeze it now")
    asks_for_the_unfreeze(asha, person)
    asha.page.reload()
    asha.sees(re.compile("^It will be unfrozen at "))
    asha.press("Keep it frozen")
    asha.sees_nothing_of("It will be unfrozen at")
    asha.page.reload()
    asha.sees("Frozen: nothing leaves the wallet.")
    asha.sees_nothing_of("It will be unfrozen at")
    asha.button("Unfreeze it").wait_for()  # it can be asked for again


def test_freezing_waits_for_no_answer_about_the_wallet(api: Api, visit: Visit) -> None:
    person = api.person(money=50_000)
    asha = visit()
    asha.comes_as(person, "help")
    asha.context.route(re.compile("/v1/(wallet|passkeys|sessions)([?]|$)"), lambda route: route.abort())
    asha.open("security")
    asha.press("Freeze my wallet")
    with asha.page.expect_response(lambda answer: answer.url.endswith("/me/freeze")) as frozen:
        asha.press("Yes, freeze it now")
    assert frozen.value.status == 204
    asha.context.unroute_all()
    asha.open("security")
    asha.sees("Frozen: nothing leaves the wallet.")


def test_a_thief_who_is_signed_in_ends_no_freeze(api: Api, visit: Visit) -> None:
    """Without the owner's phone there is no code, and one of the thief's own phone is of no use."""
    owner, thief = api.person(money=50_000), api.person()
    assert owner.post("/me/freeze", {}).status == 204
    stolen = visit()
    stolen.comes_as(owner, "security")
    stolen.press("Unfreeze it")
    stolen.types("Phone number", thief.phone)
    stolen.press("Send me a code")
    stolen.sees(CODE_SENT)
    stolen.types("Code from the message", newest_code(api, thief.phone))
    stolen.press("Continue")
    stolen.sees("That code was for another phone, or too much time has passed. Ask for a new code.")
    stolen.sees_nothing_of("It will be unfrozen at")


@pytest.mark.parametrize("status", [403, 502, 504])
def test_what_stands_between_it_and_the_api_can_refuse_nothing(api: Api, visit: Visit, status: int) -> None:
    """A CDN, a gateway or a firewall answers with a page of its own, or with nothing at all."""
    asha = visit()
    asha.comes_as(api.person(), "security")
    asha.told_to_expect.add(status)
    asha.context.route("**/v1/me/freeze", lambda route: route.fulfill(status=status, headers={"Content-Length": "0"}))
    asha.press("Freeze my wallet")
    asha.press("Yes, freeze it now")
    asha.sees(NOBODY_ANSWERS)
    asha.sees_nothing_of("Frozen: nothing leaves the wallet.")


@pytest.mark.parametrize("body", ["", "{}", '{"status": "ok"}', "<html>Sign in to the hotel's network</html>"])
def test_a_2xx_that_is_not_the_apis_is_no_success(api: Api, visit: Visit, body: str) -> None:
    """It was paid, and somebody between answered in the place of the API: it is asked again, under its key."""
    payer, payee = api.person(money=50_000), api.person(name="Bela Das")
    asha = visit()
    asha.comes_as(payer, "pay")
    asha.fills_in(payee, "10")
    address = re.compile(".*/v1/payments$")

    def answered_by_another(route: Route) -> None:
        route.fetch()
        route.fulfill(status=200, content_type="application/json", body=body)

    asha.context.route(address, answered_by_another)
    asha.press("Pay ₹10.00")
    asha.sees(re.compile("^It is not known yet"))
    asha.context.unroute(address, answered_by_another)
    asha.press("Ask again")
    asha.sees("Paid")
    assert payee.balance() == 1_000


def test_who_froze_their_wallet_is_told_so_whatever_the_next_look_says(api: Api, visit: Visit) -> None:
    person = api.person()
    asha = visit()
    asha.comes_as(person, "security")
    asha.press("Freeze my wallet")
    asha.context.route("**/v1/wallet", lambda route: route.abort("connectionreset"))
    asha.press("Yes, freeze it now")
    asha.sees("Frozen: nothing leaves the wallet.")
    expect(asha.button("Yes, freeze it now")).to_have_count(0)
    assert person.get("/wallet").body["status"] == "frozen"
