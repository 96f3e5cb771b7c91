"""Programs that run in the background and are found again: by this process, or by the next `up` or `down`."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local import launch

_LAUNCH = Path(launch.__file__)
_LAST_LINES = 40
#: Signals that end a command: Ctrl-C, `kill`, a terminal that is closed.
ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class LocalStackError(Exception):
    """Something on this machine is not as it must be; the text is for the person at the keyboard."""


def end_with_the_terminal() -> None:
    """From now on a terminal that is closed ends this program as Ctrl-C does, with what it has begun; not by nohup."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, hang_up)


def hang_up(*_: object) -> None:
    """Nobody reads any more what is printed, and printing it would fail."""
    print_nowhere(1, 2)
    raise KeyboardInterrupt


def print_nowhere(*standard: int) -> None:
    """From now on what is printed there (1 is the output, 2 the errors) is lost, and nothing fails by it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in standard:
        os.dup2(nowhere, number)


def nobody_reads() -> bool:
    """Whether the output is a pipe that has been closed at its other end, as `head` does."""
    end = select.poll()
    end.register(1, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in end.poll(0))


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Within it Ctrl-C, `kill` and the terminal's end do nothing: once more, they would leave behind what the first one
    is about to end.
    """
    if threading.current_thread() is not threading.main_thread():  # where no signal arrives
        yield
        return
    usual = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def run_to_its_end(
    command: Sequence[str], *, environment: Mapping[str, str], failure: str, folder: Path | None = None
) -> None:
    """Runs a program that says little; LocalStackError, `failure` and the last of what it said, if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        end = "\n".join(done.stdout.splitlines()[-_LAST_LINES:])
        raise LocalStackError(f"{failure}:\n{end}")


@dataclass(frozen=True, slots=True)
class Daemon:
    """One background program, known by its pid file; its output goes to a log file."""

    name: str
    pid_file: Path
    log_file: Path

    def start(self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path | None = None) -> None:
        """Starts `command` in a session of its own, so that a Ctrl-C at the terminal doesn't reach it."""
        self.pid_file.parent.mkdir(parents=True, exist_ok=True)
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self.pid_file.unlink(missing_ok=True)
        with self.log_file.open("ab") as log:
            starting = subprocess.Popen(
                [sys.executable, str(_LAUNCH), str(self.pid_file), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
            )
        deadline = time.monotonic() + 30
        while not self.pid_file.exists():
            if starting.poll() is not None or time.monotonic() > deadline:
                raise LocalStackError(f"{self.name} did not start:\n{self.last_words()}")
            time.sleep(0.005)

    def pid(self) -> int | None:
        """The running program's process id; None if it isn't running, even if another has its number now."""
        number, started = self._written()
        return number if number and launch.identity(number) == started else None

    def stop(self, *, patience_s: float) -> None:
        """Asks the program to end, waits, then kills what is left of its session."""
        number, _ = self._written()
        if self.pid() is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGTERM)
            deadline = time.monotonic() + patience_s
            while self.pid() is not None and time.monotonic() < deadline:
                time.sleep(0.02)
            self._kill_session(number)
            while self.pid() is not None:
                time.sleep(0.02)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(number, os.WNOHANG)
        elif number and launch.identity(number) is None:
            # it was killed, but its children may live
            self._kill_session(number)
        self.pid_file.unlink(missing_ok=True)

    def _written(self) -> tuple[int, str]:
        """The process id and the identity in the pid file; 0 if there is none."""
        try:
            number, _, started = self.pid_file.read_text().strip().partition(" ")
        except OSError:
            return 0, ""
        return (int(number), started) if number.isdecimal() else (0, "")

    def _kill_session(self, leader: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)

    def last_words(self, *, lines: int = 15) -> str:
        """The end of the log, and where the rest is."""
        try:
            text = self.log_file.read_text(errors="replace")
        except OSError:
            return f"(no log: {self.log_file})"
        return "\n".join([*text.splitlines()[-lines:], f"(all of it: {self.log_file})"])
