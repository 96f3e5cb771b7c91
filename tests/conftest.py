"""Fixtures that more than one suite uses, and how a run is shared by several workers (`make test WORKERS=…`)."""

import gc
import os
import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from local import doctor
from local.database import NO_POWER_CUT, PrivateServer
from local.gateway.server import Simulator, running
from local.processes import LocalStackError, end_with_the_terminal
from local.state import ROOT, State
from tests.integration import razorpay_simulator as razorpay
from tests.integration import razorpayx_simulator as razorpayx
from tests.support import leftovers, shares
from tests.support.books import Books
from tests.support.client import pointed_at
from tests.support.cloud import TOKEN_SECRET, Cloud

# A stall of the machine is no finding, wherever the tests run, and a change is not to blame for an example of today.
settings.register_profile("tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What `--numprocesses auto` is."""
    return shares.workers(config.args)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> shares.Shares:
    """Who runs what: see `shares`."""
    config.option.loadscopereorder = False  # by number of tests; ours are in the order of their length: e2e comes first
    return shares.Shares(config, log)


def pytest_configure() -> None:
    """A terminal that is closed ends a run as Ctrl-C does: with all that it has started."""
    if threading.current_thread() is threading.main_thread():
        end_with_the_terminal()


#: Minutes each: stacks that are begun, killed and begun again, deployments, and `make bench`, briefly.
SLOW = ("tests/faults/test_restarts.py", "tests/e2e/test_deploying.py", "tests/integration/test_benchmarks.py")


#: Wants a browser: `make test-web`.
IN_A_BROWSER = ROOT / "tests" / "web"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The slow files run where they are named, and with SLOW=all, as in CI; those in a browser where they are named."""
    if collection_path == IN_A_BROWSER:
        return not any(IN_A_BROWSER.name in Path(argument).parts for argument in config.args)
    slow = next((file for file in SLOW if collection_path == ROOT / file), None)
    if slow is None or os.environ.get("SLOW") == "all" or any(slow in argument for argument in config.args):
        return None
    return True


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Looks for garbage once, when all tests are found, and not again among them: they stay until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_sessionstart(session: pytest.Session) -> None:
    """What can't work on this machine is said once and at once, not by each test. Unit tests work on any."""
    if hasattr(session.config, "workerinput") or pointed_at() is not None:
        return
    asked = [Path(argument.partition("::")[0]) for argument in session.config.args] or [shares.TESTS]
    if all((shares.TESTS / "unit") in (path.absolute(), *path.absolute().parents) for path in asked):
        return
    try:
        doctor.require(State(ROOT / ".local" / "any of the tests' own"))
    except LocalStackError as error:
        pytest.exit(str(error), returncode=1)


@pytest.hookimpl(trylast=True)  # when the workers have had their time to end
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing runs on behind a run."""
    if not hasattr(session.config, "workerinput"):
        temporary = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # noqa: SLF001 - a hook has no other way
        leftovers.end_all(temporary)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    """A real database server of our own: what MYSQLD names, or what this machine has.

    SERVER names the folder of one that may run already, and then runs on: who starts pytest many times starts one.
    """
    if "SERVER" in os.environ:
        yield PrivateServer(Path(os.environ["SERVER"])).ensure()
        return
    with PrivateServer(tmp_path_factory.mktemp(leftovers.DATABASE), options=NO_POWER_CUT) as started:
        yield started


@pytest.fixture(scope="session")
def books(server: PrivateServer) -> Books:
    """A migrated database; tests share it, each with people of its own."""
    books = Books(server)
    books.migrate()
    return books


@pytest.fixture(scope="session")
def cloud(books: Books) -> Iterator[Cloud]:
    """Secrets and the idempotency table, as the template makes them: one a process, which is all that moto knows of."""
    secrets: dict[str, object] = {
        f"db/{role}": {"username": known.username, "password": known.password}
        for role, known in books.credentials.items()
    }
    secrets["token"] = TOKEN_SECRET
    secrets["code"] = "what codes are hashed with"
    secrets["gateway"] = {"key_id": razorpay.KEY_ID, "key_secret": razorpay.KEY_SECRET}
    secrets["webhook"] = {"secrets": razorpay.WEBHOOK_SECRETS}
    secrets["cashfree"] = {"client_id": razorpay.KEY_ID, "client_secret": razorpay.KEY_SECRET}
    secrets["payout"] = {"key_id": razorpay.KEY_ID, "key_secret": razorpay.KEY_SECRET}
    secrets["payout-webhook"] = {"secrets": [razorpayx.WEBHOOK_SECRET]}
    with Cloud(secrets) as started:
        yield started


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The gateway; webhooks are sent by the tests that want them."""
    settings = replace(razorpay.settings(tmp_path_factory.mktemp("gateway")))
    with running(settings) as started:
        yield started
