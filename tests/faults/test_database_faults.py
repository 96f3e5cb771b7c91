"""What a function meets when the database, or the table of keys, fails it at an exact point: it is done once after all.

The process is stopped at the point (tests/support/points.py), the harm is done, and it goes on.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.database import PrivateServer
from tests.faults.crash import clock, keyed, table, webhooks
from tests.faults.crash.cases import Case
from tests.faults.crash.world import LONG_S, Doors, World, told
from tests.integration.conftest import Functions
from tests.integration.test_functions_under_faults import aws_through, moto
from tests.support.books import Books
from tests.support.cloud import Cloud
from tests.support.cold import Run
from tests.support.moves import deadlocks
from tests.support.proxy import Proxy
from tests.support.waiting import lock_wait, waiters

# ruff: noqa: S608 - a table's name
if TYPE_CHECKING:
    from pymysql.cursors import DictCursor

#: The four doors, each at its plainest.
FOUR = {
    "pay": Case("pay", "a new payment", keyed.Paying),
    "top_up": Case("top_up", "a new top-up", keyed.AskingForMoney),
    "webhook": Case("webhook", "captured, for an open order", webhooks.Paid),
    "reconcile": Case("reconcile", "a captured payment", clock.only(clock.Captured)),
}


def calls_of(case: Case) -> list[str]:
    """What the case says to the database, as docs/crash-points.md lists it."""
    points = sorted(point for point in table.read()[str(case)] if point.endswith(": sent"))
    return [point.removesuffix(": sent") for point in points if point.startswith(("CALL ", "SELECT ", "SET "))]


CALLS = [(case, call) for case in FOUR.values() for call in calls_of(case)]


@contextmanager
def elsewhere(world: World, folder: Path, **changes: str) -> Iterator[World]:
    """The same world, with doors of its own whose environment is another."""
    with ExitStack() as running:
        yield replace(
            world, doors=Doors(Functions(world.books, world.cloud, world.simulator, folder), folder, running, **changes)
        )


def go(world: World, case: Case, situation: Any, **pauses: Callable[[], object]) -> Run:
    """The situation, with harm done at points by their names."""
    return world.doors[case.door].run(situation.event, timeout_s=LONG_S, pauses=pauses)


def succeeded(case: Case, run: Run) -> bool:
    """Whether nobody outside has noticed anything."""
    if case.door == "reconcile":
        return run.error is None and not run.answer["broken"]
    return bool(run.answer["statusCode"] in (200, 201))


def told_to_try_again(case: Case, run: Run) -> bool:
    """Whether whoever waits is told that it was not done; the clock's run has failed, and the next one comes."""
    if case.door == "reconcile":
        return run.error is not None and "DatabaseUnavailableError" in run.error
    return bool(told(run.answer).get("code") == "try_again")


def until(true: Callable[[], bool]) -> None:
    """Waits for something to become true.

    With pauses in which nobody looks: InnoDB's list of transactions is not made anew for who has just looked at it.
    """
    ends = time.monotonic() + 10
    while not true():
        assert time.monotonic() < ends, "it never became true"
        time.sleep(0.15)


# ------------------------------------------------------------------------------------------------- cut connections


@pytest.fixture(scope="module")
def by_proxy(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Proxy]]:
    """The same world, whose doors reach the database by way of a proxy."""
    with Proxy((world.books.server.host, world.books.server.port)) as proxy:
        changes = {"DATABASE_HOST": proxy.host, "DATABASE_PORT": str(proxy.port)}
        with elsewhere(world, tmp_path_factory.mktemp("by-proxy"), **changes) as there:
            yield there, proxy


class Cut:
    """Cuts the first chunk in one direction, from when it is armed."""

    def __init__(self, *, from_client: bool) -> None:
        self._from_client, self._armed, self._lock = from_client, False, threading.Lock()
        self.done = False

    def arm(self) -> None:
        """From now on."""
        self._armed = True

    def __call__(self, from_client: bool, _chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
        with self._lock:
            if not self._armed or self.done or from_client is not self._from_client:
                return True
            self.done = True
            return False


@pytest.mark.parametrize("lost", ["the question", "the answer"])
@pytest.mark.parametrize(("case", "call"), CALLS, ids=[f"{case.door}, {call}" for case, call in CALLS])
def test_a_connection_cut_at_any_statement_is_made_anew_and_the_work_is_done_once(
    by_proxy: tuple[World, Proxy], case: Case, call: str, lost: str
) -> None:
    world, proxy = by_proxy
    situation = case.begin(world)
    proxy.judge = cut = Cut(from_client=lost == "the question")
    run = go(world, case, situation, **{f"{call}: not sent": cut.arm})
    assert cut.done
    assert succeeded(case, run)
    situation.after_death(run)
    assert world.books.faults() == []


# ------------------------------------------------------------------------------------------- the server itself dies


class Mortal:
    """A database server of its own, and the proxy by which doors find it wherever it is."""

    def __init__(self, server: PrivateServer, proxy: Proxy, world: World) -> None:
        self.world, self._server, self._proxy = world, server, proxy

    def kill(self) -> None:
        """SIGKILL, and nobody is there any more."""
        pid = self._server.daemon.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)  # or MySQL finds its number in the socket's lock file, and somebody who has it
        until(lambda: self._server.daemon.pid() is None)
        self._proxy.cut_all()

    def restart(self) -> None:
        """It recovers, maybe at another port."""
        self._server.start()
        self._proxy.target = (self._server.host, self._server.port)
        self.world.books.server = replace(self.world.books.server, port=self._server.port)
        self.world.books.select("SELECT 1 AS one")


@pytest.fixture(scope="module")
def mortal(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    """The same world over a database server of its own, which may be killed."""
    folder = tmp_path_factory.mktemp("mortal")
    with PrivateServer(folder / "database") as server, Proxy((server.host, server.port)) as proxy:
        books = Books(server)
        books.migrate()
        there = {"DATABASE_HOST": proxy.host, "DATABASE_PORT": str(proxy.port), "DATABASE_CA": server.ca_pem}
        with elsewhere(replace(world, books=books), folder, **there) as killable:
            yield Mortal(server, proxy, killable)


MIDDLE = {
    "pay": "CALL post_payment",
    "top_up": "CALL open_top_up",
    "webhook": "CALL settle_gateway_payment",
    "reconcile": "CALL settle_gateway_payment",
}


@pytest.mark.parametrize("moment", ["not sent", "sent", "answer not read"])
@pytest.mark.parametrize("door", FOUR)
def test_a_database_killed_and_restarted_in_the_middle_of_a_door_has_done_all_of_it_or_nothing(
    mortal: Mortal, door: str, moment: str
) -> None:
    world, case = mortal.world, FOUR[door]
    situation = case.begin(world)

    def die_and_come_back() -> None:
        mortal.kill()
        mortal.restart()

    run = go(world, case, situation, **{f"{MIDDLE[door]}: {moment}": die_and_come_back})
    # It asks again on a new connection; a server that has just come back may be too slow for that, and it says so.
    done = succeeded(case, run)
    assert done or told_to_try_again(case, run)
    situation.after_death(run if done else Run())
    assert world.books.faults() == []


@pytest.mark.parametrize("door", FOUR)
def test_a_database_that_stays_away_is_told_of_and_the_work_is_done_when_it_is_back(mortal: Mortal, door: str) -> None:
    world, case = mortal.world, FOUR[door]
    situation = case.begin(world)
    run = go(world, case, situation, **{f"{MIDDLE[door]}: not sent": mortal.kill})
    mortal.restart()
    assert told_to_try_again(case, run)
    situation.after_death(Run())
    assert world.books.faults() == []


# ----------------------------------------------------------------------------------------------- locks of somebody's

Row = tuple[str, tuple[object, ...]]


def _row(name: str, key: object) -> Row:
    return f"SELECT 1 FROM {name} WHERE id = %s FOR UPDATE", (key,)


def _wallets(situation: keyed.Paying) -> tuple[Row, Row]:
    first, second = sorted(person.wallet_id.bytes for person in (situation.actor, situation.payee))
    return _row("wallets", first), _row("wallets", second)


def _key_and_wallet(situation: keyed.Keyed) -> tuple[Row, Row]:
    key = "SELECT 1 FROM idempotency_records WHERE actor_id = %s AND idem_key = %s FOR UPDATE"
    first = (key, (situation.actor.user_id.bytes, situation.key.encode()))
    return first, _row("wallets", situation.actor.wallet_id.bytes)


def _attempt_and_wallet(situation: Any) -> tuple[Row, Row]:
    return _row("payment_attempts", situation.attempt_id.bytes), _row("wallets", situation.person.wallet_id.bytes)


#: Two rows that the call in the middle of a door locks, in the kernel's order.
LOCKED: dict[str, Callable[[Any], tuple[Row, Row]]] = {
    "pay": _wallets,
    "top_up": _key_and_wallet,
    "webhook": _attempt_and_wallet,
    "reconcile": _attempt_and_wallet,
}


@contextmanager
def another_session(books: Books) -> Iterator["DictCursor"]:
    """A transaction of somebody else's, with so much to undo that it is never the victim of a deadlock."""
    connection = books.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE IF NOT EXISTS somebody_elses")
            cursor.execute("CREATE TABLE IF NOT EXISTS somebody_elses.work (n INT)")
            connection.begin()
            cursor.execute("INSERT INTO somebody_elses.work VALUES " + ", ".join(["(1)"] * 1_000))
            yield cursor
    finally:
        connection.rollback()
        connection.close()


@pytest.fixture
def patient(books: Books) -> Iterator[None]:
    """A server that leaves time for what is to happen while somebody waits for a lock."""
    with lock_wait(books, 30):
        yield


@pytest.mark.parametrize("door", FOUR)
@pytest.mark.usefixtures("patient")
def test_a_deadlock_is_lost_and_the_work_is_done_by_the_next_try(world: World, door: str) -> None:
    case = FOUR[door]
    situation = case.begin(world)
    first, second = LOCKED[door](situation)
    before = deadlocks(world.books)
    with another_session(world.books) as cursor:

        def meet() -> None:
            with closing(world.books.owner()) as owner:
                until(lambda: waiters(owner) > 0)
            cursor.execute(*first)
            cursor.connection.rollback()

        meeting = threading.Thread(target=meet)

        def lock() -> None:
            cursor.execute(*second)
            meeting.start()

        run = go(world, case, situation, **{f"{MIDDLE[door]}: not sent": lock})
        meeting.join()
    assert deadlocks(world.books) == before + 1
    assert succeeded(case, run)
    situation.after_death(run)
    assert world.books.faults() == []


@pytest.fixture
def impatient(books: Books) -> Iterator[float]:
    """A server that gives a lock wait up after a second."""
    with lock_wait(books, 1):
        yield 1.0


@pytest.mark.parametrize("door", FOUR)
def test_a_lock_that_is_waited_for_too_long_is_tried_again(world: World, impatient: float, door: str) -> None:
    case = FOUR[door]
    situation = case.begin(world)
    _, second = LOCKED[door](situation)
    with another_session(world.books) as cursor:

        def give_up_late() -> None:
            with closing(world.books.owner()) as owner:
                until(lambda: waiters(owner) > 0)
            time.sleep(impatient + 0.5)
            cursor.connection.rollback()

        waiting = threading.Thread(target=give_up_late)

        def lock() -> None:
            cursor.execute(*second)
            waiting.start()

        began = time.monotonic()
        run = go(world, case, situation, **{f"{MIDDLE[door]}: not sent": lock})
        waiting.join()
    assert time.monotonic() - began > impatient, "nobody waited"
    assert succeeded(case, run)
    situation.after_death(run)
    assert world.books.faults() == []


# --------------------------------------------------------------------------------------------------- the table of keys


@pytest.mark.parametrize("door", ["pay", "top_up"])
def test_a_record_lost_at_any_point_lets_another_run_beside_it_and_the_work_is_done_once(
    world: World, door: str
) -> None:
    case = FOUR[door]
    for point in (
        "Secrets Manager GetSecretValue db/money: not sent",
        f"{MIDDLE[door]}: not sent",
        f"{MIDDLE[door]}: sent",
        "DynamoDB UpdateItem: not sent",
        "DynamoDB UpdateItem: answer not read",
    ):
        situation = case.begin(world)
        assert isinstance(situation, keyed.Keyed)
        beside: list[Any] = []

        def forget(situation: keyed.Keyed = situation, beside: list[Any] = beside) -> None:
            world.forget(situation.door, situation.actor.user_id, situation.key)
            beside.append(world.answer(situation.door, situation.event))

        run = go(world, case, situation, **{point: forget})
        assert succeeded(case, run), point
        assert situation.kept(told(beside[0])) == situation.kept(told(run.answer)), point
        situation.after_death(run)
    assert world.books.faults() == []


@pytest.fixture(scope="module")
def keys_by_proxy(
    world: World, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Proxy]]:
    """The same world, whose doors reach AWS by way of a proxy."""
    with (
        Proxy(moto(cloud)) as proxy,
        elsewhere(world, tmp_path_factory.mktemp("keys-by-proxy"), **aws_through(cloud, proxy)) as there,
    ):
        yield there, proxy


#: What is asked of the table, by whom, and what a caller is told when it is in each trouble.
ASKED: dict[str, tuple[Callable[[World], keyed.Keyed], dict[str, int]]] = {
    "DynamoDB PutItem": (keyed.Paying, {"fails": 503, "loses the answer": 503, "is slow": 201}),
    "DynamoDB UpdateItem": (keyed.Paying, {"fails": 201, "loses the answer": 201, "is slow": 201}),
    "DynamoDB DeleteItem": (keyed.PayingTooMuch, {"fails": 402, "loses the answer": 402, "is slow": 402}),
}


@pytest.mark.parametrize("call", ASKED)
@pytest.mark.parametrize("how", ["fails", "loses the answer", "is slow"])
def test_a_table_of_keys_in_trouble_moves_nothing_twice_and_holds_up_no_key_for_long(
    keys_by_proxy: tuple[World, Proxy], call: str, how: str
) -> None:
    world, proxy = keys_by_proxy
    kind, statuses = ASKED[call]
    situation = kind(world)
    target = b"DynamoDB_20120810." + call.removeprefix("DynamoDB ").encode()
    asked = threading.Event()

    def trouble(from_client: bool, chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
        if from_client and target in chunk:
            if how == "is slow" and not asked.is_set():
                asked.set()
                time.sleep(2.3)  # the function waits for two seconds, then asks again; this one arrives behind that
                return True
            asked.set()
            return how != "fails"
        return from_client or how != "loses the answer" or not asked.is_set()

    proxy.judge = trouble
    # the time that it is given counts: its record is in the way for so long
    run = world.doors["pay"].run(situation.event, timeout_s=situation.timeout_s)
    proxy.judge = lambda _from_client, _chunk: True
    assert asked.is_set()
    assert run.answer["statusCode"] == statuses[how]
    situation.after_death(run if run.answer["statusCode"] == situation.status else Run())
    assert world.books.faults() == []
