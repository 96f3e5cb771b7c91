"""One run from beginning to end: people, harm, aftermath, judgement."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.faults.aftermath import Aftermath
from tests.faults.callers import Caller, everything_once
from tests.faults.client import Client
from tests.faults.explained import LastFault
from tests.faults.harm import Harm
from tests.faults.history import History
from tests.faults.model import violations
from tests.faults.people import Society
from tests.faults.plan import plan
from tests.faults.report import Report
from tests.faults.world import World

CALLERS, PEOPLE = 8, 12
_MERCHANTS = 3
# Seconds. Longer than anything takes on a machine that has much else to do.
_CALM_PATIENCE_S, _END_S = 180, 300


@dataclass(frozen=True, slots=True)
class Settings:
    """How much: seconds of harm, callers at once, people at the start, seconds from one harm to the next."""

    seed: int
    seconds: float
    callers: int = CALLERS
    people: int = PEOPLE
    every_s: float = 1.5


def run(settings: Settings, folder: Path) -> Report:
    """Brings up a stack of its own in `folder`, breaks it for so long, and says what came of it."""
    with World(folder) as world:
        history, society = History(), Society()
        client = Client(world, history, society, random.Random(f"suite {settings.seed}"), time.monotonic())
        with _step("people register"):
            _settle(client, settings)
        with _step("harm"):
            failures, harm, last = _break(client, settings)
        aftermath = Aftermath(world, client)
        with _step("explain"):
            explained = aftermath.explain(last)
        with _step("ask again"):
            asked_again = aftermath.ask_again()
        with _step("the clock runs on"):
            aftermath.run_on()
        with _step("look"):
            aftermath.look()
            evidence = aftermath.evidence()
        history.write(world.state.folder / "history.jsonl")
        return Report(
            seed=settings.seed,
            seconds=settings.seconds,
            server=world.api.stack["mysql"]["server"],
            harm=harm.done,
            history=history,
            asked_again=asked_again,
            explained=explained,
            violations=violations(evidence),
            failures=failures,
        )


@contextmanager
def _step(name: str) -> Iterator[None]:
    """One line for each step, with its seconds."""
    began = time.monotonic()
    print(f"  {name:<18}", end="", flush=True)
    yield
    print(f"{time.monotonic() - began:5.1f} s", flush=True)


def _settle(client: Client, settings: Settings) -> None:
    """In calm the first people register, merchants become hot, and everything is done once that callers do."""
    kinds = ["merchant"] * _MERCHANTS + ["personal"] * (settings.people - _MERCHANTS)
    threads = [threading.Thread(target=client.register, args=(kind, _CALM_PATIENCE_S)) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, user in enumerate(client.society.people("merchant")):
        client.command("set_tier", user, tier="merchant")
        client.command("set_slots", user, slots=4 + number)
    everything_once(client)


def _break(client: Client, settings: Settings) -> tuple[list[str], Harm, LastFault]:
    """Callers and harm at once; returns when both have ended. First what failed of the suite itself."""
    stop = threading.Event()
    harm = Harm(client.world, client.society, client.history)
    callers = [
        Caller(replace(client, dice=random.Random(f"caller {settings.seed} {number}")), stop)
        for number in range(settings.callers)
    ]
    began = time.monotonic()
    for caller in callers:
        caller.start()
    harm.run(plan(settings.seed, settings.seconds, every_s=settings.every_s), began, stop)
    stop.wait(max(0.0, began + settings.seconds - time.monotonic()))
    stop.set()
    client.closing.set()
    harm.end()
    last = LastFault.now(client.world)
    failures = list(harm.failures)
    for number, caller in enumerate(callers):
        caller.join(_END_S)
        if caller.is_alive() or caller.failure is not None:
            failures.append(f"caller {number}: {caller.failure!r}")
    client.closing.clear()
    return failures, harm, last
