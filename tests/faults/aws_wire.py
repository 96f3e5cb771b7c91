"""The wire between the functions and AWS: requests that fail, are throttled, wait, get lost, or lose their answer."""

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

# longer than the functions wait for AWS
_SLOW_S = 2.5
_TIMEOUT_S = 90

#: The services that requests name in a header, by what that begins with.
DYNAMODB, EVENTS, SECRETS = "DynamoDB_", "AWSEvents", "secretsmanager"
_WRITES = ("DynamoDB_20120810.PutItem", "DynamoDB_20120810.UpdateItem")


class Trouble(StrEnum):
    """What happens to a request."""

    FAILS = "fails"
    THROTTLED = "throttled"
    SLOW = "slow"
    LOSES_RECORD = "says yes, and loses the record"
    LOSES_ANSWER = "does it, and loses the answer"


_NAMES = {DYNAMODB: "DynamoDB", EVENTS: "EventBridge", SECRETS: "Secrets Manager"}


@dataclass(frozen=True, slots=True)
class _Said:
    status: int
    kind: str

    @property
    def body(self) -> bytes:
        return f'{{"__type":"com.amazonaws#{self.kind}","message":"a fault on purpose"}}'.encode()


_ERRORS = {
    Trouble.FAILS: _Said(500, "InternalServerError"),
    Trouble.THROTTLED: _Said(400, "ThrottlingException"),
}


class AwsWire:
    """Listens on this machine and passes requests on to the emulator at `port`."""

    def __init__(self, port: int) -> None:
        self.target = port
        self._armed: Counter[tuple[str, Trouble]] = Counter()
        self._lock = threading.Lock()
        #: What was done to requests, and how often.
        self.struck: Counter[str] = Counter()
        self._server = _Server(("127.0.0.1", 0), self)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="aws-wire", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def arm(self, service: str, trouble: Trouble, times: int) -> None:
        """The next so many requests to a service meet this."""
        with self._lock:
            self._armed[service, trouble] += times

    def disarm(self) -> None:
        """From now on everything is passed on."""
        with self._lock:
            self._armed.clear()

    def take(self, operation: str) -> Trouble | None:
        """What a request is to suffer, counted; for the server."""
        with self._lock:
            for (service, trouble), left in self._armed.items():
                fits = operation.startswith(_WRITES if trouble is Trouble.LOSES_RECORD else service)
                if left > 0 and fits:
                    self._armed[service, trouble] -= 1
                    self.struck[f"{_NAMES[service]}: {trouble}"] += 1
                    return trouble
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], wire: AwsWire) -> None:
        super().__init__(address, _Handler)
        self.wire = wire

    def handle_error(self, request: object, client_address: object) -> None:
        """Functions are killed in the middle of their requests: nothing to tell of."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._onward = http.client.HTTPConnection("127.0.0.1", self.server.wire.target, timeout=_TIMEOUT_S)

    def finish(self) -> None:
        self._onward.close()
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Say nothing."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        trouble = self.server.wire.take(self.headers.get("X-Amz-Target", ""))
        if trouble in _ERRORS:
            self._answer(_ERRORS[trouble].status, {"Content-Type": "application/x-amz-json-1.0"}, _ERRORS[trouble].body)
            return
        if trouble is Trouble.LOSES_RECORD:
            self._answer(200, {"Content-Type": "application/x-amz-json-1.0"}, b"{}")
            return
        if trouble is Trouble.SLOW:
            time.sleep(_SLOW_S)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        self._onward.request(self.command, self.path, body=body, headers=headers)
        answer = self._onward.getresponse()
        content = answer.read()
        if trouble is Trouble.LOSES_ANSWER:
            self.close_connection = True
            return
        self._answer(answer.status, dict(answer.getheaders()), content)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _pass_on  # noqa: N815 - the parent's names

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
