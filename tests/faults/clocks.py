"""The clocks of the stack, to be set wrong, and to be run on when nothing shall wait in real time.

The kernel takes its time from the database session. A server runs `init_connect` for everybody who may not do
everything, so it can give each new session another time, and cutting all connections makes new sessions. A session's
clock then stands still, as MySQL's does once it is set: for as long as that connection lives.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pymysql

Connect = Callable[[], "pymysql.Connection[Any]"]


class DatabaseClock:
    """The time that sessions of functions are told; `cut_all` ends the sessions that there are."""

    def __init__(self, connect: Connect, cut_all: Callable[[], object]) -> None:
        self._connect = connect
        self._cut_all = cut_all
        #: How many seconds it is off now.
        self.off_s = 0

    def set(self, off_s: int) -> None:
        """New sessions are off by so many seconds, and there are only new ones. 0: the clock is right, and runs."""
        told = f"SET timestamp = UNIX_TIMESTAMP(SYSDATE(6)) + ({int(off_s)})" if off_s else ""
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.execute("SET GLOBAL init_connect = %s", (told,))
        self.off_s = off_s
        self._cut_all()

    def now(self) -> float:
        """What it shows, in seconds since 1970."""
        return time.time() + self.off_s


class FunctionsClock:
    """The time that every second process of a function is told (see `wrong_clock/sitecustomize.py`).

    And how far ahead of it all of them are in the ids that they make.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "wrong-clock"
        self._lock = threading.Lock()

    @property
    def environment(self) -> dict[str, str]:
        """What a function's process needs to be misled."""
        return {"PYTHONPATH": str(Path(__file__).parent / "wrong_clock"), "WRONG_CLOCK": str(self._file)}

    def set(self, off_s: int, *, ahead_s: int = 0) -> None:
        """From now on they are off by so many seconds; `ahead_s`: the ids of all of them are of a later time."""
        fresh = self._file.with_suffix(".new")
        with self._lock:
            fresh.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(f"{off_s} {ahead_s}")
            fresh.replace(self._file)
