"""The deployed functions, each in a process of its own as on Lambda, with its own environment and nothing else."""

import json
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from tests.support.nursery import Child, Nursery
from wallet.ledger import ids

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 10.0

Json = dict[str, Any]

# begins nothing before it is asked
_nursery = Nursery([ROOT / "layers", ROOT])


class FunctionDiedError(Exception):
    """The function's process ended without an answer: killed, or it broke its runtime."""


class Function:
    """One warm environment of a function: one event at a time; `restart` gives it a new process."""

    def __init__(self, name: str, environment: dict[str, str], log: Path) -> None:
        self.name = name
        self.environment = environment
        self.log = log
        self._lock = threading.Lock()
        self._process: Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def invoke(self, event: Json, *, timeout_s: float = TIMEOUT_S) -> Any:
        """The handler's answer; raises FunctionDiedError if there is none."""
        with self._lock:
            process = self._process or self._start()
            try:
                process.stdin.write(json.dumps({"event": event, "timeout_s": timeout_s}) + "\n")
                process.stdin.flush()
                line = process.answers.readline()
            except BrokenPipeError:
                line = ""
            if not line:
                self.kill()
                raise FunctionDiedError(self.name)
        told = json.loads(line)
        if "error" in told:
            raise FunctionDiedError(told["error"])
        return told["answer"]

    def kill(self) -> None:
        """SIGKILL, as Lambda's end of time or a lost host."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    @property
    def pid(self) -> int:
        """The process that runs now."""
        return (self._process or self._start()).pid

    def logged(self) -> str:
        """Everything it ever wrote."""
        return self.log.read_text() if self.log.exists() else ""

    def _start(self) -> Child:
        self._process = _nursery.begin(ROOT / f"functions/{self.name}/app.py", self.environment, self.log)
        return self._process


def api_event(
    method: str,
    resource: str,
    *,
    body: object = None,
    raw_body: str | None = None,
    base64: bool = False,
    headers: dict[str, str] | None = None,
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    caller: Any = None,
    generation: int = 0,
    request_id: str = "req-1",
) -> Json:
    """A request as API Gateway (REST, payload 1.0) hands it over; `caller` is a user's id, None if nobody signed in.

    `generation` is of the caller's sessions: 0 until one of them has ended.
    """
    told: Json = {"requestId": request_id, "identity": {"sourceIp": "203.0.113.7"}, "stage": "v1"}
    if caller is not None:
        told["authorizer"] = {
            "user_id": ids.show(ids.USER, caller),
            "session_id": ids.show(ids.SESSION, caller),
            "generation": str(generation),
            "good_from": "0",
            "expires_at": "4102444800",
            "principalId": ids.show(ids.USER, caller),
        }
    filled = resource
    for name, value in (path or {}).items():
        filled = filled.replace("{" + name + "}", quote(value))
    return {
        "resource": resource,
        "path": filled,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json"} | (headers or {}),
        "pathParameters": path,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in (query or {}).items()} or None,
        "requestContext": told,
        "body": raw_body if raw_body is not None else (None if body is None else json.dumps(body)),
        "isBase64Encoded": base64,
    }
