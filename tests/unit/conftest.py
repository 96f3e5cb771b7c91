"""Unit tests open no socket, and read nobody's settings."""

import io
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from wallet.edge.logs import logger

LogLines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that reaches out is no unit test."""

    def refuse(*_: object) -> None:
        raise AssertionError("a unit test opens no socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket.socket, "bind", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def clock_in_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own time is India's: what is told in UTC is so everywhere, not only where that is the same."""
    with monkeypatch.context() as here:
        here.setenv("TZ", "IST-5:30")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def log_lines(monkeypatch: pytest.MonkeyPatch) -> LogLines:
    """What the test has logged so far, line by line, as it would reach the log."""
    written = io.StringIO()
    # not by setStream, which flushes the stream of an earlier test, closed since
    monkeypatch.setattr(logger().registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]
