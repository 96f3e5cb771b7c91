"""A clock that is wrong, for functions' processes: Python imports this by itself if its folder is on PYTHONPATH.

WRONG_CLOCK names a file with two numbers of seconds, looked at each time. Every second process (by its id) is off by
the first, so that processes disagree with each other, too. What is moved is what a function asks: `time.time` and
`time.time_ns` everywhere (tokens, ids), and the clock that Powertools' idempotency judges its records by. The second
number moves the time in ids (`time.time_ns`) of every process: the database's clock has been moved on, and the kernel
takes ids of its own time only. That clock is another matter (see `clocks.py`); so are monotonic clocks, which nobody
sets.
"""

import datetime as dt
import importlib.abc
import importlib.machinery
import os
import sys
import time
import types
from collections.abc import Sequence

_FILE = os.environ.get("WRONG_CLOCK", "")
_IS_FUNCTION = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
_OURS = _IS_FUNCTION and os.getpid() % 2 == 1
_JUDGES = tuple(
    f"aws_lambda_powertools.utilities.idempotency.{name}"
    for name in ("base", "persistence.base", "persistence.datarecord", "persistence.dynamodb")
)
_time, _time_ns = time.time, time.time_ns


def _told(place: int) -> float:
    try:
        with open(_FILE) as file:  # noqa: PTH123 - before anything else is imported
            return float(file.read().split()[place])
    except (OSError, ValueError, IndexError):
        return 0.0


def _off_s() -> float:
    return _told(0) if _OURS else 0.0


class _Datetime(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> "_Datetime":
        return cls.fromtimestamp(_time() + _off_s(), tz)


class _Datetimes(types.ModuleType):
    """The module `datetime`, but for its `datetime`."""

    datetime = _Datetime

    def __getattr__(self, name: str) -> object:
        return getattr(dt, name)


class _Finder(importlib.abc.MetaPathFinder):
    """Gives the modules that judge by a clock the wrong one, as soon as they are imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in _JUDGES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def with_wrong_clock(module: types.ModuleType) -> None:
                execute(module)
                vars(module)["dt"] = _Datetimes("datetime")

            spec.loader.exec_module = with_wrong_clock  # type: ignore[method-assign]
        return spec


if _FILE and _IS_FUNCTION:
    time.time_ns = lambda: _time_ns() + int((_off_s() + _told(1)) * 1e9)

if _FILE and _OURS:
    time.time = lambda: _time() + _off_s()
    sys.meta_path.insert(0, _Finder())
