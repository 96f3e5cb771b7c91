"""The documentation beside the wallet, and the pretend phone: under their policies, and for everybody."""

import json
from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.support.client import PASSWORD, Api
from tests.web.axe import findings, show_all
from tests.web.conftest import Visit
from tests.web.test_every_screen import SCHEMES
from tests.web.visitor import Shape, Visitor

_GUIDES = ("", "quick-start", "integrate", "sandbox", "go-live-razorpay", "reference", "problems", "events")


def axe_finds_nothing(visitor: Visitor, shape: Shape) -> None:
    show_all(visitor.page, shape)
    found = {}
    for scheme in SCHEMES:
        visitor.page.emulate_media(color_scheme=scheme)
        found[scheme] = findings(visitor.page)
    assert found == {scheme: [] for scheme in SCHEMES}


@pytest.mark.parametrize("name", _GUIDES)
def test_a_page_of_the_documentation_can_be_read_by_everybody(visit: Visit, shape: Shape, name: str) -> None:
    visitor = visit(shape)
    visitor.page.goto(f"{visitor.api.stack['web_url']}/docs/{name}")
    expect(visitor.page.locator("h1")).to_be_visible()
    axe_finds_nothing(visitor, shape)


def test_a_route_can_be_tried_on_the_page_that_has_them_all(api: Api, visit: Visit, shape: Shape) -> None:
    visitor, person = visit(shape), api.person()
    page = visitor.page
    page.goto(f"{api.stack['web_url']}/docs/api")
    login = page.locator("#operations-sign-in-post_login, [id$='post_login']").first
    expect(login).to_be_visible()
    for part in page.locator(".opblock-tag").all():
        if part.get_attribute("data-is-open") == "false":
            part.click()
    expect(page.locator(".opblock-tag[data-is-open=false]")).to_have_count(0)
    axe_finds_nothing(visitor, shape)
    page.set_viewport_size({"width": shape.width, "height": shape.height})
    login.get_by_role("button").first.click()
    login.get_by_role("button", name="Try it out").click()
    login.locator("textarea").fill(f'{{"phone": "{person.phone}", "password": "{PASSWORD}"}}')
    login.get_by_role("button", name="Execute").click()
    expect(login.locator(".live-responses-table")).to_contain_text("access_token")


def test_the_page_of_all_routes_is_an_overview_that_asks_for_the_token_alone(visit: Visit, shape: Shape) -> None:
    visitor = visit(shape)
    page = visitor.page
    page.goto(f"{visitor.api.stack['web_url']}/docs/api")
    expect(page.locator(".opblock-tag").first).to_be_visible()
    expect(page.locator(".opblock-tag[data-is-open=true]")).to_have_count(1)
    page.get_by_role("button", name="Authorize").click()
    expect(page.locator(".auth-container h4")).to_have_count(1)
    expect(page.locator(".auth-container input")).to_be_focused()


def test_each_route_that_moves_money_has_a_key_of_its_own_and_a_body_that_can_be_sent(
    visit: Visit, shape: Shape
) -> None:
    visitor = visit(shape)
    page = visitor.page
    page.goto(f"{visitor.api.stack['web_url']}/docs/api")
    keys = []
    for part, operation in (("payments", "post_payments"), ("top-ups", "post_top_ups")):
        page.locator(f"#operations-tag-{part}").click()
        route = page.locator(f"#operations-{part}-{operation}")
        route.get_by_role("button").first.click()
        route.get_by_role("button", name="Try it out").click()
        body, key = route.locator("textarea"), route.get_by_placeholder("Idempotency-Key")
        for one in (body, key):
            expect(one).not_to_have_value("")
        assert json.loads(body.input_value())["amount"] > 0
        keys.append(UUID(key.input_value()))
    assert keys[0] != keys[1]


@pytest.mark.parametrize("part", ["messages", "upi", "bank"])
@pytest.mark.parametrize("language", ["en-IN", "hi-IN"])
def test_the_pretend_phone_can_be_used_by_everybody(
    api: Api, visit: Visit, shape: Shape, language: str, part: str
) -> None:
    api.person().open_top_up(50_000)
    visitor = visit(shape, locale=language)
    visitor.page.goto(f"{api.stack['gateway_url']}/phone/#{part}")
    expect(visitor.page.locator("h1")).to_be_visible()
    axe_finds_nothing(visitor, shape)
