"""Every point at which a function's process can die, seen from inside it: each statement and each HTTP call.

A call has three of them: nothing of it is sent; it is sent whole, and whoever gets it may be at work; its answer is
there and not read. That its answer is read is no fourth: until the next call is sent nothing leaves the process, so
that it is the point before that one. This patches what the product sends through (PyMySQL, and the connections of
urllib3, which botocore's are made of) and nothing of the product itself.
"""

import re
import select
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pymysql.connections
import urllib3.connection
from pymysql.constants import COMMAND

#: What has happened to a call at each of its points, in this order.
NOT_SENT, SENT, UNREAD = "not sent", "sent", "answer not read"
MOMENTS = (NOT_SENT, SENT, UNREAD)

#: The points behind the last call.
ANSWERED, HANDED_OVER = "the answer is made", "the answer is handed over"

_WAIT_S = 10


class Watcher(Protocol):
    """Whoever wants to know that a point is reached."""

    def wants(self, point: str) -> bool:
        """Whether anything is to be done at this point: if not, nobody waits for it to come about."""
        ...

    def reached(self, point: str) -> None:
        """Called at the point, in the process that is there; it may not return."""
        ...

    def connected(self, session: int) -> None:
        """Called when a connection to the database is open, with what the server calls its session."""
        ...


class _Calls:
    """Names calls, and tells those of one name apart by a number."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher, self._seen = watcher, Counter[str]()

    def begin(self, name: str) -> str:
        """Nothing of the call is sent; what it is called."""
        self._seen[name] += 1
        number = self._seen[name]
        numbered = name if number == 1 else f"{name} ({number})"
        self._watcher.reached(f"{numbered}: {NOT_SENT}")
        return numbered

    def sent(self, name: str, socket: Any) -> None:
        """It is under way on this socket."""
        self._watcher.reached(f"{name}: {SENT}")
        if self._watcher.wants(f"{name}: {UNREAD}"):
            select.select([socket], [], [], _WAIT_S)
            self._watcher.reached(f"{name}: {UNREAD}")


def watch(watcher: Watcher) -> None:
    """From now on this process tells the watcher of every point; to be called once."""
    calls = _Calls(watcher)
    _watch_mysql(calls, watcher)
    _watch_http(calls)


def _watch_mysql(calls: _Calls, watcher: Watcher) -> None:
    connection: Any = pymysql.connections.Connection
    connect, execute = connection.connect, connection._execute_command  # noqa: SLF001 - nothing public sees what is sent

    def watched_connect(self: Any, sock: Any = None) -> None:
        calls.begin("MySQL connection")
        connect(self, sock)
        watcher.connected(self.thread_id())

    def watched_execute(self: Any, command: int, sql: str | bytes) -> None:
        if command != COMMAND.COM_QUERY:
            execute(self, command, sql)
            return
        name = calls.begin(statement(sql))
        execute(self, command, sql)
        calls.sent(name, self._sock)

    connection.connect, connection._execute_command = watched_connect, watched_execute  # noqa: SLF001 - as above


def _watch_http(calls: _Calls) -> None:
    connection: Any = urllib3.connection.HTTPConnection
    request = connection.request

    def watched_request(
        self: Any, method: str, url: str, body: Any = None, headers: Mapping[str, Any] | None = None, **more: Any
    ) -> None:
        name = calls.begin(exchange(method, url, body, headers or {}))
        request(self, method, url, body, headers, **more)
        calls.sent(name, self.sock)

    connection.request = watched_request


def statement(sql: str | bytes) -> str:
    """What a statement is called: its procedure or its table, without any value."""
    text = sql if isinstance(sql, str) else sql.decode("utf-8", "replace")
    for pattern, name in _STATEMENTS:
        if found := pattern.search(text):
            return name(found)
    raise ValueError("a statement of a new kind: give it a name in tests/support/points.py")


_STATEMENTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\A\s*(CALL \w+)\("), lambda found: found[1]),
    (re.compile(r"\A\s*SET (\w+)"), lambda found: f"SET {found[1]}"),
    (re.compile(r"\A\s*SELECT\b.*?\bFROM (\w+)", re.DOTALL), lambda found: f"SELECT FROM {found[1]}"),
)


def exchange(method: str, url: str, body: object, headers: Mapping[str, Any]) -> str:
    """What an HTTP call is called: AWS's operation, or the gateway's path with its ids left out."""
    target = _text(headers.get("X-Amz-Target", ""))
    if target:
        service, _, operation = target.partition(".")
        return f"{_SERVICES[service.partition('_')[0]]} {operation}{_secret(body)}"
    path = re.sub(r"/[a-z]+_\w{8,}", "/{id}", url.partition("?")[0])
    return f"{method} {path}"


_SERVICES = {"DynamoDB": "DynamoDB", "secretsmanager": "Secrets Manager"}


def _secret(body: object) -> str:
    found = re.search(r'"SecretId":\s*"([^"]+)"', _text(body))
    return f" {found[1]}" if found else ""


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value or "")
