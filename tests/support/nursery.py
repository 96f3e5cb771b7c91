"""Begins the functions' processes: one that has imported everything forks for each, so that a cold start takes a
moment instead of a second. What is shared are modules, in which nothing has happened yet; environment, files, sockets,
memory and death are each function's own.

The script, `python nursery.py`, is that process; `Nursery` starts it and asks it for functions.
"""

import atexit
import contextlib
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import boto3

from tests.support.runtime import serve

_WORD = 8  # bytes of each question and of each answer: a process id, or zero


class Child:
    """A process of the nursery's. `stdin` and `answers` are this side's ends of its pipes."""

    def __init__(self, nursery: "Nursery", pid: int, stdin: IO[str], answers: IO[str]) -> None:
        self.pid = pid
        self.stdin = stdin
        self.answers = answers
        self._nursery = nursery

    def kill(self) -> None:
        """SIGKILL, and its end is awaited."""
        self._nursery.ask(self.pid)
        self.answers.close()
        with contextlib.suppress(BrokenPipeError):  # what it didn't read any more
            self.stdin.close()


class Nursery:
    """The process that begins others, from its first use until `end` or the end of this process.

    Any thread may use it.
    """

    def __init__(self, paths: list[Path]) -> None:
        """`paths` is where modules are imported from."""
        self._paths = paths
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, app: Path, environment: dict[str, str], log: Path) -> Child:
        """A new process that serves events to the handler of `app`, with this environment and nothing else."""
        (its_stdin, stdin), (answers, its_answers) = os.pipe(), os.pipe()
        its_log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        theirs = [its_stdin, its_log, its_answers]
        try:
            pid = self.ask(0, theirs)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        child = Child(self, pid, os.fdopen(stdin, "w"), os.fdopen(answers))
        with contextlib.suppress(BrokenPipeError):  # killed at once: its first answer will say so
            child.stdin.write(json.dumps({"app": str(app), "environment": environment}) + "\n")
            child.stdin.flush()
        return child

    def ask(self, pid: int, descriptors: list[int] | None = None) -> int:
        """Kills a process; or begins one, if `pid` is 0, with these as its stdin, log and way to answer: its id."""
        with self._lock:
            control = self._control or self._start()
            socket.send_fds(control, [pid.to_bytes(_WORD, "big")], descriptors or [])
            answer = control.recv(_WORD)
        if not answer:
            raise ConnectionError("the nursery has ended; what it said is above")
        return int.from_bytes(answer, "big")

    def end(self) -> None:
        """Ends the process; those that it has begun end with their stdin."""
        with self._lock:
            control, self._control = self._control, None
            process, self._process = self._process, None
        if control is not None and process is not None:
            control.close()
            process.wait()

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(map(str, self._paths)),
                "PYTHONDONTWRITEBYTECODE": "1",
                "CONTROL_FD": str(theirs.fileno()),
            },
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        atexit.register(self.end)
        self._control = ours
        return ours


def _serve_requests() -> None:
    _import_all("wallet")
    _read_what_aws_is()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for who asks; when he is gone we end
    with socket.socket(fileno=int(os.environ["CONTROL_FD"])) as control:
        while True:
            word, descriptors, _, _ = socket.recv_fds(control, _WORD, 3)
            if not word:
                return
            pid = int.from_bytes(word, "big")
            if pid:
                os.kill(pid, signal.SIGKILL)  # surely still that one: its number is kept until it is waited for
                os.waitpid(pid, 0)
            else:
                pid = os.fork()
            if pid == 0:
                control.close()
                _become_a_function(*descriptors)
                return
            for descriptor in descriptors:
                os.close(descriptor)
            control.sendall(pid.to_bytes(_WORD, "big"))


def _import_all(package: str) -> None:
    folder = importlib.import_module(package).__path__
    for found in pkgutil.walk_packages(folder, f"{package}."):
        importlib.import_module(found.name)


def _read_what_aws_is() -> None:
    """A tenth of a second for each function; kept by the session that its own clients come from. Nothing is sent."""
    for service in ("dynamodb", "events", "kms", "lambda", "s3", "secretsmanager", "sns", "sqs", "ssm"):
        boto3.client(
            service,
            region_name="ap-south-1",
            aws_access_key_id="nobody",
            aws_secret_access_key="nothing",
        )


def _become_a_function(stdin: int, log: int, answers: int) -> None:
    for ours, standard in ((stdin, 0), (log, 1), (log, 2)):
        os.dup2(ours, standard)
    os.close(stdin)
    os.close(log)
    told = json.loads(sys.stdin.readline())
    os.environ.clear()
    os.environ.update(told["environment"])
    serve(told["app"], answers)


if __name__ == "__main__":
    _serve_requests()
