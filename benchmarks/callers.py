"""Callers in processes of their own, each with a connection over TLS as a function has; begun once, told many times."""

import multiprocessing
import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Self

from wallet import wiring
from wallet.ledger.refusals import Refused
from wallet.storage.database import Credentials, Database, Server

#: The SHA-256 of what is asked for; here it is the same each time.
_HASH = bytes(32)

#: Somebody's user id and wallet id.
Someone = tuple[bytes, bytes]
#: How somebody pays somebody else 1.
Way = Callable[[Database, Someone, Someone], object]


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """Who pays whom, in which way, and where. All of it goes to the callers' processes."""

    name: str
    way: Way
    server: Server
    credentials: Credentials
    payers: Sequence[Someone]
    payees: Sequence[Someone]


def ours(database: Database, payer: Someone, payee: Someone) -> None:
    """A payment as the kernel makes it."""
    key = wiring.new_id()
    database.call("post_payment", payer[0], key.hex.encode(), _HASH, 0, key.bytes, payee[1], None, 1, None, None)


def ours_if_covered(database: Database, payer: Someone, payee: Someone) -> None:
    """The same, by somebody who may have nothing at the moment, and pays somebody else than themselves."""
    if payer != payee:
        with suppress(Refused):
            ours(database, payer, payee)


def older(database: Database, payer: Someone, payee: Someone) -> None:
    """A payment as the kernel of `benchmarks.older` makes it, which knew no sessions."""
    key = wiring.new_id()
    database.call("post_payment", payer[0], key.hex.encode(), _HASH, key.bytes, payee[1], None, 1, None, None)


def floor(database: Database, payer: Someone, payee: Someone) -> None:
    """The least that a payment can be, in one call (`floor.sql`)."""
    database.call("floor_pay", wiring.new_id().bytes, payer[1], payee[1], 1)


def six_statements(database: Database, payer: Someone, payee: Someone) -> None:
    """The same least, one statement at a time: six round trips, and the locks are held through five of them."""
    transaction_id, payer_id, payee_id = wiring.new_id().bytes, payer[1], payee[1]
    database.read("START TRANSACTION")
    database.read("SELECT id, balance FROM floor_wallets WHERE id IN (%s, %s) FOR UPDATE", payer_id, payee_id)
    database.read(
        "UPDATE floor_wallets SET balance = balance + IF(id = %s, -1, 1) WHERE id IN (%s, %s)",
        payer_id,
        payer_id,
        payee_id,
    )
    database.read("INSERT INTO floor_transactions VALUES (%s, 1, UTC_TIMESTAMP(6))", transaction_id)
    database.read(
        "INSERT INTO floor_postings VALUES (%s, 1, %s, -1), (%s, 2, %s, 1)",
        transaction_id,
        payer_id,
        transaction_id,
        payee_id,
    )
    database.read("COMMIT")


#: What a caller's process does: it says something once it is ready, then answers each order, until that is None.
Act = Callable[[Connection], None]


class Callers:
    """So many processes. `pay` has all of them pay as fast as they can, and tells how long each payment took.

    With another `act` than paying they are told by `each`.
    """

    def __init__(self, number: int, act: Act | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._ends: list[Connection] = []
        self._processes = []
        for _ in range(number):
            here, there = context.Pipe()
            process = context.Process(target=act or _pay_as_told, args=(there,), daemon=True)
            process.start()
            self._ends.append(here)
            self._processes.append(process)
        for end in self._ends:
            end.recv()  # it runs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._ends:
            end.send(None)
        for process in self._processes:
            process.join()

    def pay(self, load: Load, seconds: float) -> list[float]:
        """The seconds that each payment took, in no order. The first time at a server, callers connect before that."""
        return [second for took in self.each([(load, seconds)] * len(self._ends)) for second in took]

    def each(self, orders: Iterable[object]) -> list[Any]:
        """Gives each caller an order of its own, all at once; their answers."""
        for end, order in zip(self._ends, orders, strict=True):
            end.send(order)
        return [end.recv() for end in self._ends]


def _pay_as_told(told: Connection) -> None:
    databases: dict[Server, Database] = {}
    dice = random.Random()  # noqa: S311 - dice
    told.send("ready")
    while (order := told.recv()) is not None:
        load, seconds = order
        database = databases.get(load.server) or _connected(load)
        databases[load.server] = database
        took: list[float] = []
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            payer, payee = dice.choice(load.payers), dice.choice(load.payees)
            began = time.monotonic()
            load.way(database, payer, payee)
            took.append(time.monotonic() - began)
        told.send(took)
    for database in databases.values():
        database.close()


def _connected(load: Load) -> Database:
    database = Database(load.server, lambda *, fresh: load.credentials)  # noqa: ARG005 - they never change
    database.read("SELECT 1 AS one")
    return database
