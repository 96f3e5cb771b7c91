"""A Lambda runtime that gives each event a process that was never used: `python -m tests.support.forking app.py`.

It has imported what the function imports, and nothing else has happened in it; each connection to the socket whose
descriptor is LISTENER_FD gets a fork of it, hears one event, and is told of the points that the fork reaches
(tests/support/points.py). It ends when its stdin is closed.
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, TextIO

import wallet
from tests.support import points
from tests.support.runtime import Context
from wallet import aws

Json = dict[str, Any]


class Fork:
    """One process's conversation with the test, and what it is to do at which point."""

    def __init__(self) -> None:
        self.met: list[str] = []
        self._talk: TextIO | None = None
        self._kill_at: str | None = None
        self._pause_at: list[str] = []
        self._records = False
        self._sessions: list[int] = []

    def serve(self, handler: Callable[[Json, Context], Any], talk: TextIO) -> None:
        """Hears one event and answers it, if it lives."""
        told = json.loads(talk.readline())
        self._talk, self._kill_at, self._pause_at = talk, told["kill_at"], told["pause_at"]
        self._records = told["records"]
        try:
            said = {"answer": handler(told["event"], Context(told["timeout_s"]))}
        except Exception as error:  # noqa: BLE001 - as Lambda reports it
            said = {"error": f"{type(error).__name__}: {error}"}
        self.reached(points.ANSWERED)
        self._say(said)
        self.reached(points.HANDED_OVER)
        self._say({"met": self.met})

    def wants(self, point: str) -> bool:
        """As points.Watcher has it."""
        return self._records or point == self._kill_at or point in self._pause_at

    def reached(self, point: str) -> None:
        """As points.Watcher has it."""
        if self._talk is None:
            return
        self.met.append(point)
        if point == self._kill_at:
            self._say({"dies_at": point, "sessions": self._sessions})
            os.kill(os.getpid(), signal.SIGKILL)
        if point in self._pause_at:
            self._say({"waits_at": point})
            self._talk.readline()

    def connected(self, session: int) -> None:
        """As points.Watcher has it."""
        self._sessions.append(session)

    def _say(self, told: Json) -> None:
        assert self._talk is not None
        self._talk.write(json.dumps(told) + "\n")
        self._talk.flush()


def _warm_up() -> None:
    """What functions import late, and AWS's clients, which ask nobody while they are made: a second for each fork."""
    for module in pkgutil.walk_packages(wallet.__path__, "wallet."):
        importlib.import_module(module.name)
    for client in (aws.dynamodb, aws._secrets_manager):  # noqa: SLF001 - made here, used by the forks
        client()
    gc.freeze()  # or each fork's collector writes to pages that it shares


def main() -> None:
    """Forks for each connection."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    fork = Fork()
    points.watch(fork)
    handler = runpy.run_path(sys.argv[1])["handler"]
    _warm_up()
    listener = socket.socket(fileno=int(os.environ["LISTENER_FD"]))
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            with connection.makefile("rw") as talk:
                fork.serve(handler, talk)
            os._exit(0)
        connection.close()


if __name__ == "__main__":
    main()
