"""What has to come before anything is seen, in the language that takes most."""

import re

from playwright.sync_api import Route

from tests.support.client import Api
from tests.web.conftest import Visit
from tests.web.visitor import NOBODY_ANSWERS

_MOST = 60_000
#: Of one file: with its headers it is no more than a server sends at once, before anything has been acknowledged.
_MOST_AT_ONCE = 13_400


def test_script_and_style_of_the_first_load_are_small(visit: Visit) -> None:
    visitor = visit(locale="hi-IN")
    visitor.open("")
    visitor.page.get_by_role("heading", level=1).wait_for()
    visitor.comes_to_rest()
    sizes: dict[str, int] = visitor.page.evaluate(
        """() => Object.fromEntries(performance.getEntriesByType("resource")
            .filter((one) => /[.](js|css)$/.test(one.name)).map((one) => [one.name, one.encodedBodySize]))"""
    )
    assert len(sizes) >= 3, "script, style and the language"
    assert sum(sizes.values()) <= _MOST, sizes
    assert max(sizes.values()) <= _MOST_AT_ONCE, sizes


def test_the_session_is_asked_for_while_the_rest_is_still_on_its_way(visit: Visit) -> None:
    visitor = visit()
    kept: list[Route] = []
    rest = re.compile(r"/assets/(base|shared|wallet)-.*[.]js$")
    visitor.page.route(rest, lambda route: kept.append(route))  # noqa: PLW0108 - Playwright marks what it calls
    with visitor.page.expect_request("**/v1/session/token"):
        visitor.page.goto(f"{visitor.api.stack['web_url']}/sign-in", wait_until="commit")
    assert visitor.page.get_by_role("heading").count() == 0
    visitor.waits_for(lambda: len(kept) == 3)
    for route in kept:
        route.continue_()
    visitor.page.get_by_role("heading", name="Sign in").wait_for()


def test_a_screen_that_could_not_be_fetched_comes_once_it_can_be_had(api: Api, visit: Visit) -> None:
    visitor = visit()
    visitor.comes_as(api.person())
    lost: list[Route] = []

    def lose(route: Route) -> None:
        lost.append(route)
        route.abort()

    script = re.compile(r"/assets/settings-.*[.]js$")
    visitor.page.route(script, lose)
    visitor.press("Settings")
    visitor.sees(NOBODY_ANSWERS)
    visitor.press("Try again")
    visitor.waits_for(lambda: len(lost) == 3)  # the page itself can be had: it was loaded anew
    visitor.sees(NOBODY_ANSWERS)
    visitor.page.unroute(script)
    visitor.press("Try again")
    visitor.sees("Language")
    assert lost, "its script was fetched before it was wanted"
