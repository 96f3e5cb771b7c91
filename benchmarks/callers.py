"""Callers in processes of their own, each with a connection over TLS as a function has; begun once, told many times."""

import multiprocessing
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Self

from wallet import wiring
from wallet.storage.database import Credentials, Database, Server

#: The SHA-256 of what is asked for; here it is the same each time.
_HASH = bytes(32)


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """Who pays whom, by (user id, wallet id), and by which procedure: ours, or the floor's."""

    name: str
    procedure: str
    payers: Sequence[tuple[bytes, bytes]]
    payees: Sequence[tuple[bytes, bytes]]


class Callers:
    """So many processes. `pay` has all of them pay as fast as they can, and tells how long each payment took."""

    def __init__(self, server: Server, credentials: Credentials, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._ends: list[Connection] = []
        self._processes = []
        for _ in range(number):
            ours, theirs = context.Pipe()
            process = context.Process(target=_pay_as_told, args=(server, credentials, theirs), daemon=True)
            process.start()
            self._ends.append(ours)
            self._processes.append(process)
        for end in self._ends:
            end.recv()  # connected

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._ends:
            end.send(None)
        for process in self._processes:
            process.join()

    def pay(self, load: Load, seconds: float) -> list[float]:
        """The seconds that each payment took, in no order."""
        for end in self._ends:
            end.send((load, seconds))
        return [second for end in self._ends for second in end.recv()]


def _pay_as_told(server: Server, credentials: Credentials, told: Connection) -> None:
    database = Database(server, lambda *, fresh: credentials)  # noqa: ARG005 - they never change
    database.read("SELECT 1 AS one")
    dice = random.Random()  # noqa: S311 - dice
    told.send("ready")
    while (order := told.recv()) is not None:
        load, seconds = order
        took: list[float] = []
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            payer, payee = dice.choice(load.payers), dice.choice(load.payees)
            began = time.monotonic()
            database.call(load.procedure, *_arguments(load, payer, payee))
            took.append(time.monotonic() - began)
        told.send(took)
    database.close()


def _arguments(load: Load, payer: tuple[bytes, bytes], payee: tuple[bytes, bytes]) -> tuple[object, ...]:
    user_id, wallet_id = payer
    transaction_id = wiring.new_id()
    if load.procedure == "floor_pay":
        return transaction_id.bytes, wallet_id, payee[1], 1
    return user_id, transaction_id.hex.encode(), _HASH, 0, transaction_id.bytes, payee[1], None, 1, None, None
