"""What a merchant runs: a server that is sent webhooks, and verifies each by the specification's public library."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request; `event` is what the library made of it as it came, None if it refused it."""

    headers: Mapping[str, str]
    body: bytes
    event: dict[str, Any] | None

    @property
    def id(self) -> str:
        """The event's, the same at every attempt."""
        return self.headers["webhook-id"]


class MerchantServer:
    """Keeps what it is sent. `answer` says with which status: it is asked with how often that id has come."""

    def __init__(self, answer: Callable[[int], int] = lambda _: 204) -> None:
        self.answer = answer
        self.secret = ""
        self.arrivals: list[Arrival] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/wallet"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def of(self, event_type: str) -> list[Arrival]:
        """Verified arrivals of a type, in the order in which they came."""
        return [one for one in self.arrivals if one.event is not None and one.event["type"] == event_type]

    def _arrived(self, headers: Mapping[str, str], body: bytes) -> int:
        try:
            event = Webhook(self.secret).verify(body, dict(headers))
        except WebhookVerificationError:
            event = None
        self.arrivals.append(Arrival(headers, body, event))
        return self.answer(len([one for one in self.arrivals if one.id == headers["webhook-id"]]))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        arrived = self._arrived

        class Take(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(arrived({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing: the test looks at the arrivals."""

        return Take
