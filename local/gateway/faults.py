"""Trouble on demand: the gateway is down, slow, busy, or does the work and loses the answer."""

import threading
from dataclasses import dataclass

from local.gateway.shapes import Json

MODES = ("none", "down", "slow", "drop_answer", "rate_limited")
_SECONDS_MAX = 60
_PATHS = ("/v1", "/pg")


class UnknownFaultError(Exception):
    """422: the request has a field or a value that isn't known here."""


@dataclass(frozen=True)
class Fault:
    """`mode` on requests whose path begins with `path` (and of `method`, if given), `times` times or always.

    The first `after` of them are spared, as when the gateway goes down in the middle of a list.
    `seconds` is how long `slow` waits before it begins to work, and what `rate_limited` gives as Retry-After.
    """

    mode: str = "none"
    path: str = "/"
    method: str | None = None
    times: int | None = None
    seconds: float = 6.0
    after: int = 0

    @classmethod
    def read(cls, body: Json) -> "Fault":
        """Read a request's body; UnknownFaultError names the first field that is wrong."""
        for name in body:
            if name not in ("mode", "path", "method", "times", "seconds", "after"):
                raise UnknownFaultError(f"unknown field: {name}")
        mode, path, method = body.get("mode"), body.get("path"), body.get("method")
        times, seconds = body.get("times"), body.get("seconds", 1 if mode == "rate_limited" else 6)
        if not isinstance(mode, str) or mode not in MODES:
            raise UnknownFaultError(f"mode must be one of {', '.join(MODES)}")
        if path is not None and not (isinstance(path, str) and path.startswith(_PATHS)):
            raise UnknownFaultError("path must begin with /v1 or /pg")
        if method is not None and method not in ("GET", "POST"):
            raise UnknownFaultError("method must be GET or POST")
        after = body.get("after", 0)
        if type(after) is not int or after < 0:
            raise UnknownFaultError("after must be a whole number")
        if times is not None and (type(times) is not int or times < 1):
            raise UnknownFaultError("times must be a positive whole number")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= _SECONDS_MAX:
            raise UnknownFaultError(f"seconds must be a number from 0 to {_SECONDS_MAX}")
        return cls(mode, str(path or "/"), str(method) if method else None, times, float(seconds), after)


class Faults:
    """The fault in force; one at a time, and none after a restart."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._fault = Fault()
        self._left: int | None = None
        self._spared = 0

    def set(self, fault: Fault) -> None:
        """Put a fault in force, in place of the former one."""
        with self._lock:
            self._fault, self._left, self._spared = fault, fault.times, fault.after

    def strike(self, method: str, path: str) -> Fault:
        """Return what this request is to suffer, and count it."""
        with self._lock:
            fault = self._fault
            meant = path.startswith(fault.path) and fault.method in (None, method)
            if fault.mode == "none" or not meant or self._left == 0:
                return Fault()
            if self._spared > 0:
                self._spared -= 1
                return Fault()
            if self._left is not None:
                self._left -= 1
            return fault
