"""Functions whose every event meets a process that was never used, and that can be killed at any point by its name."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.functions import ROOT, TIMEOUT_S

Json = dict[str, Any]


@dataclass(slots=True)
class Run:
    """What came of one event: an answer or an error, unless the process died first; and the points it met, in order.

    `sessions` are those that a process which died had with the database: they end when they have done what they were
    asked.
    """

    answer: Any = None
    error: str | None = None
    died_at: str | None = None
    met: list[str] = field(default_factory=list)
    sessions: list[int] = field(default_factory=list)


class ProcessLostError(Exception):
    """A process ended, and nobody had killed it."""


class ColdFunction:
    """A function; `run` may be called by many threads at once."""

    def __init__(self, name: str, environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._environment, self._log = environment, log

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener, self._log.open("a") as log:
            self._address = listener.getsockname()
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forking", str(ROOT / f"functions/{self.name}/app.py")],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": os.pathsep.join((str(ROOT / "layers"), str(ROOT))),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "LISTENER_FD": str(listener.fileno()),
                    **self._environment,
                },
                pass_fds=[listener.fileno()],
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.close()
        self._parent.wait()

    def run(
        self,
        event: Json,
        *,
        timeout_s: float = TIMEOUT_S,
        kill_at: str | None = None,
        pauses: Mapping[str, Callable[[], object]] | None = None,
        records: bool = False,
    ) -> Run:
        """One event in a process of its own, which dies at the point `kill_at`, by SIGKILL.

        At a point that `pauses` names, the process waits until what is to be done meanwhile is done. `timeout_s` is
        what the function is told; nothing ends it. With `records` every point is met, none is passed over.
        """
        pauses, run = pauses or {}, Run()
        asked = {"event": event, "timeout_s": timeout_s, "kill_at": kill_at, "records": records}
        with socket.create_connection(self._address, timeout=60) as connection, connection.makefile("rw") as talk:
            talk.write(json.dumps(asked | {"pause_at": list(pauses)}) + "\n")
            talk.flush()
            for line in talk:
                told = json.loads(line)
                if "waits_at" in told:
                    pauses[told["waits_at"]]()
                    talk.write("go\n")
                    talk.flush()
                run.answer = told.get("answer", run.answer)
                run.error = told.get("error", run.error)
                run.died_at = told.get("dies_at")
                run.met = told.get("met", run.met)
                run.sessions = told.get("sessions", run.sessions)
        if not run.met and run.died_at is None:
            raise ProcessLostError(f"{self.name}: see {self._log}")
        return run
