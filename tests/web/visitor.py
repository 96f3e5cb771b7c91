"""A person with a browser: they find things by what is written on them, and notice whatever goes wrong."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, Route, expect

from local.state import ROOT
from tests.support.client import PASSWORD, Api, Person
from tests.support.proofs import newest_code

#: So long each thing is waited for, by everybody: far more than it takes on a machine that has other things to do.
_PATIENCE_MS = 30_000
expect.set_options(timeout=_PATIENCE_MS)

NOBODY_ANSWERS = "Nobody answers. Check your connection and try again."
#: Whatever moved money, and its answer was lost: each kind has its own sentence.
UNKNOWN = re.compile("^It is not known yet whether ")
#: What a tab that was closed has paid, where it is asked for.
EARLIER = "An earlier payment of yours from this browser has been done:"
#: How the sentence begins that says to which phone a code was sent.
CODE_SENT = re.compile(r"^A code is on its way to \+91\s")
#: The same where a movement or a change is confirmed.
CONFIRMATION_SENT = "A code is on its way. The message says what it confirms: read it."

#: Told by the page itself where its policy was broken; an init script runs whatever the policy says.
_REPORTS = """addEventListener("securitypolicyviolation",
  (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));"""
# what the browser itself says of an answer of 4xx, of a network that a test has cut, and of 5xx, which are noted apart
_EXPECTED = re.compile(r"^Failed to load resource: ")
#: From this status of HTTP on, something has gone wrong on the other side.
_FAULT = 500

_TEXTS = ROOT / "web" / "src" / "texts"
#: Every sentence of the wallet, in English.
_SENTENCES = (_TEXTS / "en.ts").read_text()
#: What each language says while something is on its way.
_LOADING = [
    sentence
    for texts in (_SENTENCES, (_TEXTS / "hi.ts").read_text())
    for sentence in re.findall(r'^ {4}(?:loading|slow|checking): "(.+)",$', texts, re.MULTILINE)
]
#: Two frames: what has been answered is drawn, and what comes of having drawn it is asked for.
FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
_IS_DRAWN = f"""async (loading) => {{
    await {FRAMES};
    const isSaid = [...document.querySelectorAll("[role=status]")].some((one) => loading.includes(one.textContent));
    const isBusy = document.querySelector("[aria-busy=true]") !== null;
    const arePicturesThere = [...document.images].every((one) => one.complete);
    return !isSaid && !isBusy && arePicturesThere && document.fonts.status === "loaded";
}}"""


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
    #: The 5xx with which the test itself answers in the API's place. Any other one is a fault.
    told_to_expect: set[int] = field(default_factory=set)
    #: What is still open when the test is over ("payment", "withdrawal"), and whose: its key is kept, and nothing else.
    left_open: list[tuple[str, Person]] = field(default_factory=list)
    _under_way: set[Request] = field(default_factory=set)
    _seen: set[str | re.Pattern[str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(_PATIENCE_MS)
        self.context.add_init_script(_REPORTS)
        # ruff: disable[PLW0108] - Playwright marks what it calls, and a method of what has slots can't be marked
        self.context.on("console", lambda message: self._hear(message))
        self.context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        self.context.on("request", lambda request: self._look_where(request))
        self.context.on("requestfinished", lambda request: self._under_way.discard(request))
        self.context.on("requestfailed", lambda request: self._under_way.discard(request))
        self.context.on("response", lambda answer: self._look_at(answer))
        # ruff: enable[PLW0108]
        self.page = self.context.new_page()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _EXPECTED.match(message.text):
            self.faults.append(f"console: {message.text}")

    def _look_where(self, request: Request) -> None:
        self._under_way.add(request)
        # the simulator's phone is a page of its own, and a statement's file lies in a bucket
        elsewhere = (self.api.stack["gateway_url"], self.api.stack["aws_endpoint_url"])
        known = (self.api.stack["web_url"], *elsewhere, "data:", "blob:", "about:")
        if not request.url.startswith(known):
            self.faults.append(f"asked elsewhere: {request.url}")

    def _look_at(self, answer: Response) -> None:
        if answer.status >= _FAULT and answer.status not in self.told_to_expect:
            self.faults.append(f"answered {answer.status}: {answer.request.method} {answer.url}")

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
        """All that an element says, for everybody to see: "₹500.00" is not "+₹500.00". A pattern finds parts, too."""
        found = self.page.get_by_text(text, exact=True).filter(visible=True).first
        expect(found).to_be_visible()
        self._seen.add(text)
        return found

    def sees_sum(self, amount: str) -> None:
        """The one sum that the screen is about, such as the balance on the home page: this and no other."""
        expect(self.page.locator("main .balance")).to_have_text(amount)
        self._seen.add(amount)

    def sees_nothing_of(self, text: str) -> None:
        """Not even as a part of something longer. It says little before something else has been seen.

        It is something that there is: a part of the wallet's own sentences, or what was seen before.
        """
        assert text in _SENTENCES or text in self._seen, f"nobody would see {text!r} in any case"
        expect(self.page.get_by_text(text)).to_have_count(0)

    def comes_to_rest(self) -> None:
        """Until nothing is on its way: no request, nothing that the screen says it waits for, and nothing undrawn."""
        self.waits_for(lambda: not self._under_way and self._is_drawn() and not self._under_way)

    def _is_drawn(self) -> bool:
        is_drawn: bool = self.page.evaluate(_IS_DRAWN, _LOADING)
        return is_drawn

    def press(self, name: str | re.Pattern[str]) -> None:
        """A button or a link, by its whole name: "Sign out" is not "Sign out everywhere else".

        One that is still at work would do nothing: whoever presses it waits until it can be pressed.
        """
        button = self.button(name)
        expect(button).not_to_have_attribute("aria-disabled", "true")
        button.click()

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
        self.sees(CODE_SENT)
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
        """What the wallet's pages still keep when a test is over, where it is anything but the keys of `left_open`."""
        own = next((page for page in self.context.pages if page.url.startswith(self.api.stack["web_url"])), None)
        if own is None:
            return []
        self.page = own
        kept = self.storage()
        expected = {f"local open {kind} {person.user_id}" for kind, person in self.left_open}
        return [] if kept.keys() == expected else [f"kept: {kept}, and not {expected}"]

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
                answer = route.fetch(timeout=_PATIENCE_MS)
                assert answer.status < _FAULT, answer.text()
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
    def signs_out(self) -> None:
        """By the button of the screen that is open; when this returns the cookie is gone, too."""
        self.press("Sign out")
        self.is_at("sign-in")
        self.waits_for(lambda: "local sign out" not in self.storage() and self.context.cookies() == [])

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
