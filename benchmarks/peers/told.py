"""What the peers' programs have in common: told by lines of JSON what to do, they have callers of their own do it.

They run in the peers' environment, which has nothing of the wallet's. The callers are forked before anything has
connected, so each has connections of its own, and what a library imports is imported once.
"""

import json
import multiprocessing
import random
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

#: A PostgreSQL's `durability`.
POSTGRESQL_SAYS = (
    "SELECT 'PostgreSQL ' || current_setting('server_version') || ': ' || string_agg("
    "name || '=' || current_setting(name), ', ' ORDER BY name) FROM pg_settings"
    " WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method')"
)


@dataclass(frozen=True, slots=True)
class Given:
    """What a program is told first: where its database is, and how much of everything."""

    database: dict[str, Any]
    callers: int
    people: int
    #: What each of them has at first, in hundredths.
    money: int


class Peer(ABC):
    """A library, and its documented call. It is made before the fork, so it connects no sooner than it is used."""

    @abstractmethod
    def lay(self, people: int, money: int) -> list[str]:
        """Its schema, so many wallets with so much money each, and a merchant's, empty, as the last; their names."""

    @abstractmethod
    def open(self, wallets: Sequence[str]) -> None:
        """Whatever an application has at hand of these wallets before it is asked to pay."""

    @abstractmethod
    def pay(self, payer: str, payee: str, *, merchant: bool) -> None:
        """One hundredth, and its commit."""

    @abstractmethod
    def balance(self, wallets: Sequence[str]) -> int:
        """What they have together, in hundredths, by the library's own word."""

    @abstractmethod
    def durability(self) -> str:
        """What the server says of itself, and of when a commit is on the disk."""


def serve(make: Callable[[dict[str, Any]], Peer]) -> None:
    """As it is told until nobody tells it more; what others print goes to the errors."""
    lines, answers = sys.stdin, sys.stdout
    sys.stdout = sys.stderr

    def answer(said: dict[str, Any]) -> None:
        print(json.dumps(said), file=answers, flush=True)

    given = Given(**json.loads(lines.readline()))
    peer = make(given.database)
    ends = _callers(peer, given.callers)
    wallets = peer.lay(given.people, given.money)
    people, merchant, half = wallets[:-1], wallets[-1:], given.people // 2
    loads = {False: (people[:half], people[half:]), True: (people, merchant)}
    peer.open(wallets)
    for end in ends:
        end.send(wallets)
    for end in ends:
        end.recv()  # connected
    answer({"durability": peer.durability()})
    for line in lines:
        order = json.loads(line)
        payers, payees = loads[order["merchant"]]
        before, total = peer.balance(payees), peer.balance(wallets)
        for end in ends:
            end.send((payers, payees, order["merchant"], order["seconds"]))
        took: list[float] = []
        errors: Counter[str] = Counter()
        for end in ends:
            some, others = end.recv()
            took += some
            errors += others
        moved, lost = peer.balance(payees) - before, total - peer.balance(wallets)
        answer({"took": took, "errors": errors, "moved": moved, "lost": lost})
    for end in ends:
        end.send(None)


def _callers(peer: Peer, number: int) -> list[Connection]:
    context = multiprocessing.get_context("fork")
    ends = []
    for _ in range(number):
        ours, theirs = context.Pipe()
        context.Process(target=_pay_as_told, args=(peer, theirs), daemon=True).start()
        theirs.close()
        ends.append(ours)
    return ends


def _pay_as_told(peer: Peer, told: Connection) -> None:
    wallets = told.recv()
    peer.open(wallets)
    peer.balance(wallets[-1:])
    dice = random.Random()  # noqa: S311 - dice
    told.send("ready")
    while (order := told.recv()) is not None:
        payers, payees, merchant, seconds = order
        took: list[float] = []
        errors: Counter[str] = Counter()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            payer, payee = dice.choice(payers), dice.choice(payees)
            began = time.monotonic()
            try:
                peer.pay(payer, payee, merchant=merchant)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and no payment
                errors[_name(error)] += 1
            else:
                took.append(time.monotonic() - began)
        told.send((took, errors))


def _name(error: BaseException) -> str:
    """What it is called, and by what it was caused."""
    cause = error.__cause__
    return type(error).__name__ + ("" if cause is None else f" (of {_name(cause)})")
