"""A stack of its own, and a real browser in front of it; `make test-web`, as no other run needs a browser."""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from local import stack
from local.database import NO_POWER_CUT
from local.detours import Detours
from local.processes import LocalStackError, undisturbed
from local.state import ROOT, State
from tests.support.client import Api, pointed_at
from tests.support.leftovers import IN_A_BROWSER, stack_to_ourselves
from tests.web.visitor import DESK, PHONE, Shape, Visitor

_PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_HERE = Path(__file__).parent
_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
#: People register by dozens, and none of their passwords is guessed at.
BY = Detours(parameters={"PasswordCost": "6", "CodePauseSeconds": "1", "AccessTokenSeconds": "900"})


def chromium_program() -> str | None:
    """A Chromium of this machine, or the one that CHROMIUM names."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    return found or (_MAC if sys.platform == "darwin" and Path(_MAC).exists() else None)


def required_chromium() -> str:
    """The browser's program; without one nothing of this can be shown."""
    found = chromium_program()
    if found is None:
        pytest.exit(
            "These tests need Chromium. On Debian and Ubuntu: apt-get install chromium-headless-shell fonts-lohit-deva;"
            " elsewhere Chrome does, or CHROMIUM=/path/to/it.",
            returncode=1,
        )
    return found


@contextlib.contextmanager
def stack_of_our_own() -> Iterator[State]:
    """A stack that is up; of an earlier one and of this one nothing stays."""
    with stack_to_ourselves(IN_A_BROWSER) as state:
        stack.down(state)
        shutil.rmtree(state.folder, ignore_errors=True)
        try:
            stack.up(state, by=BY, options=NO_POWER_CUT)
            yield state
        finally:
            with undisturbed():
                stack.down(state)
        shutil.rmtree(state.folder, ignore_errors=True)


def workers_have_all_of_it(config: pytest.Config) -> bool:
    """Whether this process shares out these tests and no others: those of tests/e2e would take the stack for theirs."""
    if not config.pluginmanager.has_plugin("dsession"):  # which xdist has where it shares out, and no worker has
        return False
    asked = [Path(argument.partition("::")[0]).absolute() for argument in config.args]
    return all(path.is_relative_to(_HERE) for path in asked)


@pytest.hookimpl(trylast=True)  # when it is known that a stack can run here, and before xdist begins its workers
def pytest_sessionstart(session: pytest.Session) -> None:
    """One stack for all workers, which find it as they find one that somebody names; it ends with this process."""
    if pointed_at() is not None or not workers_have_all_of_it(session.config):
        return
    required_chromium()
    ending = contextlib.ExitStack()
    session.config.add_cleanup(ending.close)
    try:
        state = ending.enter_context(stack_of_our_own())
    except LocalStackError as error:
        pytest.exit(str(error), returncode=1)
    os.environ["STACK"] = str(state.stack_file)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program."""
    return required_chromium()


@pytest.fixture(scope="session")
def api(chromium: str) -> Iterator[Api]:
    """The wallet's API, for what a test needs to be so before a person comes."""
    named = pointed_at()
    if named is not None:
        yield Api(json.loads(Path(named).read_text()))
        return
    with stack_of_our_own() as state:
        yield Api(stack.read(state))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    with playwright.chromium.launch(executable_path=chromium) as launched:
        yield launched


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(api: Api, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """`visit(shape)`: somebody with a browser of their own. Whatever went wrong in one of them fails the test."""
    visitors: list[Visitor] = []

    def come(shape: Shape = DESK, **more: Any) -> Visitor:
        visitors.append(Visitor(api, browser.new_context(**(shape.context() | more))))
        return visitors[-1]

    yield come
    faults = [fault for visitor in visitors for fault in (*visitor.faults, *visitor.left_behind())]
    if request.node.stash.get(_FAILED, False) or faults:
        for number, visitor in enumerate(visitors):
            visitor.leave_pictures(ROOT / ".local" / "web-failures", f"{request.node.name}-{number}")
    for visitor in visitors:
        visitor.leave()
    assert faults == []


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        item.stash[_FAILED] = True


@pytest.fixture(params=[DESK, PHONE], ids=lambda shape: shape.name)
def shape(request: pytest.FixtureRequest) -> Shape:
    """Each size that the wallet is made for."""
    size: Shape = request.param
    return size
