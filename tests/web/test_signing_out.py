"""Signing out holds, whatever the network does."""

import re

from playwright.sync_api import Route

from tests.support.client import PASSWORD, Api
from tests.web.conftest import Visit

_SESSION = re.compile(".*/v1/session$")
_NO_ROOM = """() => {
    Storage.prototype.setItem = () => { throw new DOMException("", "QuotaExceededError"); };
}"""


def test_signing_out_without_a_network_holds_after_a_reload(api: Api, visit: Visit) -> None:
    """The cookie is read by no script and so can't be taken away: the next visit ends it before anything is shown."""
    asha = visit()
    asha.comes_as(api.person(money=50_000), "settings")
    asha.context.route(_SESSION, lambda route: route.abort("internetdisconnected"))
    asha.press("Sign out")
    asha.is_at("sign-in")
    assert list(asha.storage()) == ["local sign out"], "the session is open still, and that alone is kept"
    asha.open("")
    asha.sees("Your phone number and your password.")
    asha.sees_nothing_of("You can spend")

    asha.context.unroute(_SESSION)
    asha.open("history")
    asha.sees("Your phone number and your password.")
    asha.waits_for(lambda: asha.storage() == {})
    assert [cookie["name"] for cookie in asha.context.cookies()] == []


def test_an_end_that_is_answered_late_is_not_the_next_ones(api: Api, visit: Visit) -> None:
    first, second = api.person(), api.person()
    asha = visit()
    asha.comes_as(first, "settings")
    late: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "DELETE":
            late.append(route)
        else:
            route.continue_()

    asha.context.route(_SESSION, hold)
    asha.press("Sign out")
    asha.waits_for(lambda: late != [])
    asha.types("Phone number", second.phone)
    asha.types("Password", PASSWORD)
    asha.press("Sign in")
    late[0].continue_()  # whoever signs in waits for it
    asha.sees("You can spend")
    asha.page.reload()
    asha.sees("You can spend")


def test_signing_out_needs_no_room_in_the_browsers_storage(api: Api, visit: Visit) -> None:
    asha = visit()
    asha.comes_as(api.person(money=50_000), "settings")
    asha.page.evaluate(_NO_ROOM)
    asha.press("Sign out")
    asha.is_at("sign-in")
    asha.waits_for(lambda: asha.context.cookies() == [])
    asha.open("")
    asha.sees("Your phone number and your password.")
