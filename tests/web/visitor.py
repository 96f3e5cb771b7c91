"""A person with a browser: they find things by what is written on them, and notice whatever goes wrong."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Route, expect

from tests.support.client import PASSWORD, Api, Person
from tests.support.proofs import newest_code

_PATIENCE_MS = 15_000
expect.set_options(timeout=_PATIENCE_MS)

#: Told by the page itself where its policy was broken; an init script runs whatever the policy says.
_REPORTS = """addEventListener("securitypolicyviolation",
  (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));"""
# what the browser itself says of an answer of 4xx, or of a network that a test has cut
_EXPECTED = re.compile(r"^Failed to load resource: ")


@dataclass(frozen=True, slots=True)
class Shape:
    """What somebody looks at the wallet with."""

    name: str
    width: int
    height: int
    is_touched: bool

    def context(self) -> dict[str, Any]:
        return {
            "viewport": {"width": self.width, "height": self.height},
            "is_mobile": self.is_touched,
            "has_touch": self.is_touched,
            "locale": "en-IN",
            "timezone_id": "Asia/Kolkata",
            "reduced_motion": "reduce",
        }


DESK = Shape("desk", 1280, 800, is_touched=False)
PHONE = Shape("phone", 360, 740, is_touched=True)


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a request that moves money is cut off from whoever sent it."""

    name: str
    is_sent: bool
    closes_the_page: bool


ANSWER_LOST = Cut("before the answer", is_sent=True, closes_the_page=False)
REQUEST_LOST = Cut("before the request", is_sent=False, closes_the_page=False)
CUTS = (
    REQUEST_LOST,
    ANSWER_LOST,
    Cut("before the request, and the page closed", is_sent=False, closes_the_page=True),
    Cut("before the answer, and the page closed", is_sent=True, closes_the_page=True),
)


@dataclass(slots=True)
class Visitor:
    """One browser with its cookies and storage, and the page that is looked at."""

    api: Api
    context: BrowserContext
    page: Page = field(init=False)
    faults: list[str] = field(default_factory=list)
    #: Whose outcome isn't known when the test is over: their keys are kept, and nothing else.
    open_payments: int = 0

    def __post_init__(self) -> None:
        self.context.set_default_timeout(_PATIENCE_MS)
        self.context.add_init_script(_REPORTS)
        self.context.on("console", lambda message: self._hear(message))  # noqa: PLW0108 - a method with slots can't be marked
        self.context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        self.context.on("request", lambda request: self._look_where(request.url))
        self.page = self.context.new_page()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _EXPECTED.match(message.text):
            self.faults.append(f"console: {message.text}")

    def _look_where(self, url: str) -> None:
        # the simulator's phone is a page of its own, and a statement's file lies in a bucket
        elsewhere = (self.api.stack["gateway_url"], self.api.stack["aws_endpoint_url"])
        known = (self.api.stack["web_url"], *elsewhere, "data:", "blob:", "about:")
        if not url.startswith(known):
            self.faults.append(f"asked elsewhere: {url}")

    # ------------------------------------------------------------------------------------ going and looking
    def open(self, screen: str, about: str = "") -> None:
        """By its address, as from a bookmark: the page is loaded anew even where it is open already."""
        address = f"{self.api.stack['web_url']}/{screen}{'#' + about if about else ''}"
        if self.page.url == address or (about and self.page.url.partition("#")[0] == address.partition("#")[0]):
            self.page.goto("about:blank")
        self.page.goto(address)

    def is_at(self, screen: str) -> None:
        expect(self.page.locator(f'main[data-screen="{screen}"]')).to_be_visible()

    def sees(self, text: str | re.Pattern[str]) -> Locator:
        """The words are on the screen, for everybody to see."""
        found = self.page.get_by_text(text).first
        expect(found).to_be_visible()
        return found

    def sees_nothing_of(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_text(text)).to_have_count(0)

    def press(self, name: str | re.Pattern[str]) -> None:
        """A button or a link, by its whole name: "Sign out" is not "Sign out everywhere else"."""
        self.button(name).click()

    def button(self, name: str | re.Pattern[str]) -> Locator:
        main = self.page.locator("main, nav, header")
        button, link = (main.get_by_role(role, name=name, exact=True) for role in ("button", "link"))
        return button.or_(link).first

    def types(self, label: str | re.Pattern[str], text: str) -> None:
        """Key by key, over what was there."""
        field_ = self._field(label)
        field_.fill("")
        field_.press_sequentially(text)

    def reads(self, label: str | re.Pattern[str]) -> str:
        return self._field(label).input_value()

    def _field(self, label: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_label(label, exact=True).first

    def fills_in(self, payee: Person, amount: str) -> None:
        """The form of a payment, up to the press that pays."""
        self.types("Whom do you pay?", payee.wallet_id)
        self.press("Continue")
        self.types("Amount in rupees", amount)

    # -------------------------------------------------------------------------------------------- who it is
    def comes_as(self, person: Person, screen: str = "") -> None:
        """Signed in as somebody who has registered, without the form; then at one of the screens."""
        answer = self.context.request.post(
            f"{self.api.stack['web_url']}/v1/session",
            data=json.dumps({"phone": person.phone, "password": PASSWORD}),
            headers={"X-Wallet": "1", "Content-Type": "application/json"},
        )
        assert answer.status == 200, answer.text()
        self.open(screen)
        self.is_at(screen)

    def registers(self, phone: str, name: str, *, shop: bool = False) -> None:
        """By the form, with the code that came to the phone."""
        self.open("register")
        self.types("Phone number", phone.removeprefix("+91"))
        self.press("Send me a code")
        self.sees("A code is on its way")
        self.types("Code from the message", newest_code(self.api, phone))
        self.press("Continue")
        self.types("Your name", name)
        self.types("Password", PASSWORD)
        if shop:
            self.page.get_by_label("I sell").check()
        self.press("Open my wallet")
        self.is_at("")

    # ------------------------------------------------------------------------------------------ what is kept
    def storage(self) -> dict[str, str]:
        """Everything that scripts can keep between two visits, by where it is; cookies aside, which they can't read."""
        kept: dict[str, str] = self.page.evaluate(
            """async () => ({
                ...Object.fromEntries(Object.entries(localStorage).map(([k, v]) => [`local ${k}`, v])),
                ...Object.fromEntries(Object.entries(sessionStorage).map(([k, v]) => [`session ${k}`, v])),
                ...Object.fromEntries((await indexedDB.databases()).map((d) => [`database ${d.name}`, ""])),
                ...Object.fromEntries((await caches.keys()).map((k) => [`cache ${k}`, ""])),
                ...(history.state === null ? {} : { history: JSON.stringify(history.state) }),
                ...(document.cookie === "" ? {} : { cookie: document.cookie }),
            })"""
        )
        return kept

    def left_behind(self) -> list[str]:
        """What the wallet's pages still keep when a test is over, where it is more than the keys of `open_payments`."""
        own = next((page for page in self.context.pages if page.url.startswith(self.api.stack["web_url"])), None)
        if own is None:
            return []
        self.page = own
        kept = self.storage()
        return [] if len(kept) == self.open_payments else [f"kept: {kept}"]

    # ------------------------------------------------------------------------------------------- the network
    @contextmanager
    def network_cut(self, path: str, cut: "Cut") -> Iterator[list[str]]:
        """Within it no POST on this path of the API is answered; the keys of those that were tried, as they come."""
        keys: list[str] = []
        address = re.compile(re.escape(self.api.stack["web_url"]) + "/v1" + path + "$")

        def lose(route: Route) -> None:
            if route.request.method != "POST":
                route.continue_()
                return
            if cut.is_sent:
                route.fetch(timeout=_PATIENCE_MS)
            keys.append(route.request.headers.get("idempotency-key", ""))
            # one that is left open is sent by the browser after all, when its page is closed
            if not (cut.is_sent and cut.closes_the_page):
                route.abort("connectionreset")

        self.context.route(address, lose)
        try:
            yield keys
        finally:
            self.context.unroute(address, lose)

    def waits_for(self, true: Callable[[], bool]) -> None:
        """Until something is so that no screen shows; the page goes on meanwhile."""
        deadline = time.monotonic() + _PATIENCE_MS / 1000
        while not true():
            assert time.monotonic() < deadline, "it never came to be"
            self.page.wait_for_timeout(20)

    # ------------------------------------------------------------------------------------------- coming, going
    def another_tab(self, screen: str) -> Page:
        """A second page in the same browser."""
        page = self.context.new_page()
        page.goto(f"{self.api.stack['web_url']}/{screen}")
        return page

    def leave_pictures(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for number, page in enumerate(self.context.pages):
            page.screenshot(path=folder / f"{re.sub(r'[^A-Za-z0-9-]+', '-', name)}-{number}.png", full_page=True)

    def leave(self) -> None:
        self.context.close()
