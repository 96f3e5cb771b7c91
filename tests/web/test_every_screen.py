"""Every screen, at both sizes, light and dark, in both languages: what axe finds, what runs over, what is stored."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from local.state import ROOT
from tests.support.client import Api, Person, new_key
from tests.support.confirming import confirm, required
from tests.web.axe import findings, show_all
from tests.web.conftest import Visit
from tests.web.visitor import Shape, Visitor

_NARROWEST = 320
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@dataclass(frozen=True, slots=True)
class World:
    """Somebody to whom all sorts of things have happened, and what the screens are about."""

    person: Person
    shop: Person
    top_up: str
    failed_top_up: str
    entry: str
    refundable: str
    request: str
    withdrawal: str


def withdrawn(person: Person) -> str:
    """A withdrawal of theirs, to an address that they confirm."""
    order, key = {"amount": 10_000, "vpa": "asha@okbank"}, new_key()
    confirm(person, required(person.post("/withdrawals", order, key=key)))
    made = person.post("/withdrawals", order, key=key)
    assert made.status == 202, made.text
    withdrawal: str = made.body["id"]
    return withdrawal


@pytest.fixture(scope="module")
def world(api: Api) -> World:
    person = api.person(money=1_000_000, name="Asha Rao")
    shop = api.person(kind="merchant", name="Chai Point", money=20_000)
    assert person.pay(shop, 12_050, description="two teas and a very long sentence about them").status == 201
    assert shop.pay(person, 500).status == 201
    held = person.post("/holds", {"to": {"wallet_id": shop.wallet_id}, "amount": 30_000})
    assert held.status == 201, held.text
    failed = person.open_top_up(70_000)
    api.play(failed["gateway_order_id"], "failed")
    made = person.post("/payment-requests", {"amount": 45_000, "description": "dinner"})
    assert made.status == 201, made.text
    (received,) = [one for one in shop.get("/wallet/transactions").body["data"] if one["type"] == "payment"][-1:]
    sent = person.get("/wallet/transactions").body["data"]
    return World(
        person=person,
        shop=shop,
        top_up=person.open_top_up(50_000)["id"],
        failed_top_up=failed["id"],
        entry=sent[0]["id"],
        refundable=received["id"],
        request=made.body["id"],
        withdrawal=withdrawn(person),
    )


@dataclass(frozen=True, slots=True)
class Sight:
    """A screen, as whom it is looked at, and what it is about."""

    name: str
    screen: str
    who: Callable[[World], Person | None] = lambda world: world.person
    about: Callable[[World], str] = lambda _: ""


def nobody(_: World) -> None:
    return None


SIGHTS = (
    Sight("sign-in", "sign-in", nobody),
    Sight("register", "register", nobody),
    Sight("reset", "reset", nobody),
    Sight("help-signed-out", "help", nobody),
    Sight("verify", "verify", nobody),
    Sight("home", ""),
    Sight("home-of-a-shop", "", lambda world: world.shop),
    Sight("add", "add"),
    Sight("top-up", "top-up", about=lambda world: world.top_up),
    Sight("top-up-failed", "top-up", about=lambda world: world.failed_top_up),
    Sight("pay", "pay"),
    Sight("pay-amount", "pay", about=lambda world: world.shop.wallet_id),
    Sight("scan", "scan"),
    Sight("receive", "receive"),
    Sight("requests", "requests"),
    Sight("request", "request", about=lambda world: world.request),
    Sight("withdraw", "withdraw"),
    Sight("withdrawal", "withdrawal", about=lambda world: world.withdrawal),
    Sight("history", "history"),
    Sight("entry", "entry", about=lambda world: world.entry),
    Sight("entry-refund", "entry", lambda world: world.shop, lambda world: world.refundable),
    Sight("holds", "holds"),
    Sight("holds-of-a-shop", "holds", lambda world: world.shop),
    Sight("shop", "shop", lambda world: world.shop),
    Sight("limits", "limits"),
    Sight("security", "security"),
    Sight("help", "help"),
    Sight("settings", "settings"),
    Sight("not-found-about", "entry", about=lambda _: "txn_01m8pe0000000000000000000z"),
)


def test_every_address_is_looked_at() -> None:
    written = (ROOT / "web" / "src" / "addresses.ts").read_text()
    assert {sight.screen for sight in SIGHTS} == set(re.findall(r'^  "([a-z-]*)",$', written, re.MULTILINE))


def arrive(visitor: Visitor, world: World, sight: Sight) -> None:
    visitor.open(sight.screen, sight.about(world))
    visitor.is_at(sight.screen)
    visitor.comes_to_rest()
    # what is folded away is looked at, too
    visitor.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true;")
    visitor.comes_to_rest()


@pytest.mark.parametrize("language", ["en-IN", "hi-IN"])
@pytest.mark.parametrize("sight", SIGHTS, ids=lambda sight: sight.name)
def test_a_screen_can_be_used_by_everybody(
    world: World, visit: Visit, sight: Sight, shape: Shape, language: str
) -> None:
    who = sight.who(world)
    visitor = visit(shape, locale=language)
    if who is not None:
        visitor.comes_as(who)
    page = visitor.page
    arrive(visitor, world, sight)
    show_all(page, shape)
    found: dict[str, list[str]] = {}
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found[scheme] = findings(page)
        if folder := os.environ.get("SCREENS"):
            page.screenshot(path=Path(folder) / f"{sight.name} {shape.name} {scheme} {language}.png")
    assert found == {scheme: [] for scheme in SCHEMES}
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.lang") == language
    assert page.evaluate("document.title").startswith(page.locator("h1").inner_text())
    # nothing has to be scrolled sideways, even in the narrowest window, or at 200 % in one of twice that width
    page.set_viewport_size({"width": _NARROWEST, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth") <= _NARROWEST
    assert visitor.storage() == {}, "nothing is kept of whoever looks around"
