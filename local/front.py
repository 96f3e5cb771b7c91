"""The site's address on this machine: http://localhost:PORT, which hands on to the emulator's distribution.

The emulator knows a distribution by its host name alone, which no browser here could resolve; and passkeys and cookies
of the wallet want a name that browsers trust without TLS, which is `localhost` and no number. Nobody else's name is
answered: a page that points a name of its own at this machine (DNS rebinding) gets nothing.
"""

import argparse
import gzip
import http.client
import signal
import sys
import threading
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from local import ports

HEALTH: Final = "/-/front"
# API Gateway takes no more
_BODY_MAX = 10_485_760
_PATIENCE_S = 60
#: Of one connection only, and so not handed on.
_HOP_BY_HOP: Final = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length")
)
#: And what is said anew. API Gateway appends who asked; the emulator believes the first one that is named.
_NOT_HANDED_ON: Final = _HOP_BY_HOP | {"host", "x-forwarded-for"}
#: What CloudFront compresses, from and up to which size; the emulator doesn't.
_COMPRESSED: Final = ("text/", "image/svg+xml", "application/json", "application/javascript")
_COMPRESSED_FROM, _COMPRESSED_TO = 1_000, 10_000_000


class Front(ThreadingHTTPServer):
    """Listens on the loopback interface. `host` is the distribution's name, `upstream` the emulator's port."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, *, host: str, upstream: int) -> None:
        super().__init__((ports.HOST, port), _Handler)
        self.distribution = host
        self.upstream = upstream
        own = self.server_port
        self.names = frozenset((f"localhost:{own}", f"{ports.HOST}:{own}"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Front
    # a browser keeps connections open for minutes
    timeout = 600
    # headers and content are two writes: the second would wait until the browser has acknowledged the first
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.headers.get("Host", "") not in self.server.names:
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "not a name of this site")
        elif not self.path.isascii():
            self._refuse(HTTPStatus.BAD_REQUEST, "an address is written in ASCII")
        elif self.path == HEALTH:
            self._answer(HTTPStatus.OK, [("Content-Type", "text/plain")], self.server.distribution.encode())
        elif (body := self._body()) is not None:
            self._hand_on(body)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - the library's names

    def _body(self) -> bytes | None:
        """What was sent with the request; None if that was refused."""
        told = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not told.isdecimal():
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a body needs its length")
        elif int(told) > _BODY_MAX:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too long")
        else:
            return self.rfile.read(int(told))
        return None

    def _hand_on(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(ports.HOST, self.server.upstream, timeout=_PATIENCE_S)
        # a file's headers are those of its content, which is compressed here; the API's methods are its own
        method = "GET" if self.command == "HEAD" and not self._is_for_the_api() else self.command
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_HANDED_ON}
        headers["Host"] = self.server.distribution
        try:
            connection.request(method, self.path, body=body or None, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self._refuse(HTTPStatus.BAD_GATEWAY, "the stack does not answer")
            return
        finally:
            connection.close()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]
        if method == "HEAD" and (length := answer.getheader("Content-Length")) is not None:
            kept.append(("Content-Length", length))
        self._answer(answer.status, *self._compressed(kept, content))

    def _is_for_the_api(self) -> bool:
        return self.path.startswith("/v1/")

    def _compressed(self, headers: list[tuple[str, str]], content: bytes) -> tuple[list[tuple[str, str]], bytes]:
        """As CloudFront sends it: pages and their parts compressed, what the API says as it is."""
        named = {name.lower(): value for name, value in headers}
        is_asked = "gzip" in self.headers.get("Accept-Encoding", "") and not self._is_for_the_api()
        is_of_a_size = _COMPRESSED_FROM <= len(content) <= _COMPRESSED_TO
        is_text = named.get("content-type", "").startswith(_COMPRESSED) and "content-encoding" not in named
        if not (is_asked and is_of_a_size and is_text):
            return headers, content
        weak = [(name, f"W/{value}" if name.lower() == "etag" else value) for name, value in headers]
        return [*weak, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")], gzip.compress(content, 6)

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True
        self._answer(status, [("Content-Type", "text/plain"), ("Connection", "close")], f"{why}\n".encode())

    def _answer(self, status: int, headers: Sequence[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        has_body = status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        is_asked_for = self.command != "HEAD"
        if has_body and (content or is_asked_for):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if has_body and is_asked_for:
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's own name
        """Nothing: the emulator has a log of its own."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.front", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--distribution", required=True, help="its domain name")
    parser.add_argument("--upstream", type=int, required=True, help="the emulator's port")
    given = parser.parse_args(arguments)
    front = Front(given.port, host=given.distribution, upstream=given.upstream)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=front.shutdown).start())
    with front:
        front.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
