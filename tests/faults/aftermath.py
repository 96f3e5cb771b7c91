"""The harm is over: the clock runs on until everything has come to its end, and the books are read.

Nobody waits five days: the database's clock is moved on, step by step, and with each step what is on a schedule runs as
often as it would. What is measured is measured on that clock.
"""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.faults.books_of_world import GatewayBook, Ledger, read_ledger
from tests.faults.client import Client
from tests.faults.evidence import Evidence
from tests.faults.explained import OBJECTIVE_MINUTES, Explained, LastFault, unexplained
from tests.faults.harm import CLOCKWORK
from tests.faults.standing_rules import nothing_is_stuck
from tests.faults.world import World

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
#: When everything is asked about for the last time, in seconds ahead.
_LATER = (20 * _MINUTE, _HOUR, 7 * _HOUR, 2 * _DAY, 6 * _DAY, 8 * _DAY)
#: How often the schedules' functions run in each of those steps: one run does as much as it has time for.
_RUNS = 4
#: So much more time for what was in the middle of something.
_MORE_S = 6 * _DAY
#: The relay works in real time, a minute a run.
_RELAY_PATIENCE_S = 300
#: So does the gateway: twice what it waits at most until it sends a webhook again.
_WEBHOOKS_PATIENCE_S = 120
_GRACE_S = 120
#: Nothing is broken any more: only a machine that has too much to do can keep an answer back.
_CALM_PATIENCE_S = 180


class Aftermath:
    """Behind the last fault."""

    def __init__(self, world: World, client: Client) -> None:
        self._world = world
        self._client = client
        self._ahead_s = 0

    def explain(self, last: LastFault) -> Explained:
        """Minute by minute the clock runs, until all that was captured is explained."""
        while (left := unexplained(self._world)[1]) and last.minutes_ago(self._ahead_s) < OBJECTIVE_MINUTES:
            self._at(self._ahead_s + _MINUTE)
        minutes = last.minutes_ago(self._ahead_s) if last.unexplained else 0
        captured, _ = unexplained(self._world)
        return Explained(captured, last.unexplained, left, None if left else minutes)

    def ask_again(self) -> int:
        """Half of those who gave up ask once more under their keys, now that all is well; how many."""
        operations = [one for one in self._client.history.operations if one.is_open and one.repeat is not None]
        chosen = self._client.dice.sample(operations, len(operations) // 2)
        with ThreadPoolExecutor(max_workers=8) as pool:
            for asked in [pool.submit(operation.repeat) for operation in chosen if operation.repeat is not None]:
                asked.result()
        return len(chosen)

    def run_on(self) -> None:
        """Days go by. What ends only by somebody's word is ended: payouts that wait at a bank, a wallet's freeze."""
        while self._client.society.frozen:
            user = self._client.society.frozen.popleft()
            self._client.command("unfreeze", user)
        dice = random.Random(1)
        for ahead_s in _LATER:
            self._world.end_payouts(dice)
            self._at(ahead_s, runs=_RUNS)
        while self._waits() and self._ahead_s < _LATER[-1] + _MORE_S:
            self._world.end_payouts(dice)  # some are only asked for now
            self._at(self._ahead_s + _DAY, runs=_RUNS)
        self._await_webhooks()
        self._await_relay()
        self._world.database_clock.set(0)
        self._world.functions_clock.set(0)

    def look(self) -> None:
        """Everybody looks at their balance once more."""
        for user in self._client.society.people():
            operation = self._client.begin("last_look", user, {"wallet": user.wallet})
            self._client.persist(operation, "GET", "/wallet", user=user, patience_s=_CALM_PATIENCE_S)

    def _waits(self) -> bool:
        """Whether anything has yet to end, beside what the relay has to tell."""
        ledger = self._ledger()
        ledger.undelivered.clear()
        return any(nothing_is_stuck(Evidence(self._client.history, ledger, GatewayBook())))

    def _ledger(self) -> Ledger:
        with self._world.connect() as connection:
            return read_ledger(connection, grace_s=_GRACE_S, ahead_s=self._ahead_s)

    def evidence(self) -> Evidence:
        """Everything, read when nothing moves any more."""
        ledger = self._ledger()
        ledger.faults = self._world.books.faults()
        return Evidence(self._client.history, ledger, self._world.read_gateway())

    def _at(self, ahead_s: int, *, runs: int = 1) -> None:
        self._ahead_s = ahead_s
        self._world.database_clock.set(ahead_s)
        self._world.functions_clock.set(0, ahead_s=ahead_s)
        for function in CLOCKWORK * runs:
            self._world.invoke(function)

    def _await_webhooks(self) -> None:
        """The gateway sends again in time of its own: what comes behind the judge's look would be told as stuck."""
        _await(self._world.api.gateway_is_quiet, within_s=_WEBHOOKS_PATIENCE_S)

    def _await_relay(self) -> None:
        """What is left in the outbox then is told as stuck."""

        def has_told_all() -> bool:
            with self._world.connect() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT COUNT(*) FROM outbox WHERE delivered_at IS NULL")
                return bool(cursor.fetchall()[0][0] == 0)

        self._world.invoke("RelayFunction", wait=False)
        _await(has_told_all, within_s=_RELAY_PATIENCE_S)


def _await(true: Callable[[], bool], *, within_s: float) -> None:
    """Goes on when it is so, or when the time is over: what is not so then, the judge tells."""
    ends = time.monotonic() + within_s
    while not true() and time.monotonic() < ends:
        time.sleep(1)
