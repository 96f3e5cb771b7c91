"""The HTTP server around it all, to be run by the command or inside a test."""

import logging
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from local.gateway.book import Book
from local.gateway.cashfree.api import Api as CashfreeApi
from local.gateway.cashfree.book import CashfreeBook
from local.gateway.disputes import Disputes
from local.gateway.failures import ApiError
from local.gateway.faults import Faults
from local.gateway.messages import Messages
from local.gateway.page import Page
from local.gateway.payouts import Payouts
from local.gateway.person import Person
from local.gateway.refunds import Refunds
from local.gateway.routes import Api, Controls
from local.gateway.screen import Screen
from local.gateway.settlements import Settlements
from local.gateway.shapes import compact
from local.gateway.store import Store
from local.gateway.strangers import is_of_another_site, is_ours
from local.gateway.talk import Reply, Request
from local.gateway.webhooks import Outbox, Patience

_LOG = logging.getLogger("local.gateway")
_BODY_MAX = 1_048_576
_LOOKED_AT = ("/simulator/inbox", "/simulator/orders", "/simulator/deliveries", "/simulator/payouts")

#: The number of the account that payouts are made from, unless told otherwise.
PAYOUT_ACCOUNT = "7878000000000001"


@dataclass(frozen=True)
class Settings:
    """What the simulator is told at its start. `port` 0 takes any free one; `state` is the SQLite file."""

    state: Path
    key_id: str
    key_secret: str = field(repr=False)
    account_id: str
    payout_account: str = PAYOUT_ACCOUNT
    host: str = "127.0.0.1"
    port: int = 0
    webhook_url: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    patience: Patience = field(default_factory=Patience)


class Simulator:
    """A running gateway."""

    def __init__(self, settings: Settings) -> None:
        """Open the state and the port; nothing is answered before `start` or `serve`."""
        self._store = Store(settings.state)
        self._outbox = Outbox(self._store, account_id=settings.account_id, patience=settings.patience)
        if settings.webhook_url and settings.webhook_secret:
            self._outbox.aim(settings.webhook_url, settings.webhook_secret)
        faults = Faults()
        refunds = Refunds(self._store, self._outbox)
        settlements = Settlements(self._store)
        payouts = Payouts(self._store, self._outbox, account_number=settings.payout_account)
        self._stopping = threading.Event()
        api = Api(
            Book(self._store),
            refunds,
            payouts,
            settlements,
            faults,
            key_id=settings.key_id,
            key_secret=settings.key_secret,
            sleep=self._stopping.wait,
        )
        # one merchant, with one pair of keys for both protocols
        cashfree = CashfreeApi(
            CashfreeBook(self._store, refunds, self._outbox),
            faults,
            client_id=settings.key_id,
            client_secret=settings.key_secret,
            sleep=self._stopping.wait,
        )
        person, disputes = Person(self._store, self._outbox), Disputes(self._store, self._outbox)
        messages = Messages(self._store)
        screen = Screen(self._store, messages)
        controls = Controls(person, refunds, disputes, payouts, settlements, messages, screen, self._outbox, faults)
        self._server = _Server((settings.host, settings.port), api, cashfree, controls, messages)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, such as `http://127.0.0.1:8080`."""
        host, port = self._server.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}"

    def serve(self) -> None:
        """Answer until `stop` is called by another thread."""
        self._outbox.start()
        self._server.serve_forever(poll_interval=0.1)

    def start(self) -> Self:
        """Answer in the background."""
        self._thread = threading.Thread(target=self.serve, name="gateway", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End, keeping the state; webhooks that are still due are sent after the next start."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._outbox.stop()
        if self._thread is not None:
            self._thread.join(5)
        self._store.close()


@contextmanager
def running(settings: Settings) -> Iterator[Simulator]:
    """Run a simulator for as long as the block lasts."""
    simulator = Simulator(settings).start()
    try:
        yield simulator
    finally:
        simulator.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(
        self, address: tuple[str, int], api: Api, cashfree: CashfreeApi, controls: Controls, messages: Messages
    ) -> None:
        super().__init__(address, _Handler)
        self._host = address[0]
        self._api = api
        self._page = Page()
        self._others: dict[str, CashfreeApi | Controls | Messages | Page] = {
            "/pg/": cashfree,
            "/simulator/": controls,
            "/sms/": messages,
            "/phone/": self._page,
        }

    def answer(self, request: Request) -> Reply:
        """Let who is at this path answer. What has no authentication answers no page of another site."""
        door = self._door(request.path)
        # functions in a container know this machine by another name: messages are taken under any
        is_misled = isinstance(door, Controls | Page) and not is_ours(request.headers, self._host)
        if is_misled or (isinstance(door, Controls | Messages) and is_of_another_site(request.headers)):
            return Reply(403, {"error": "this is for programs and for the simulator's own page, at its own address"})
        return door.answer(request)

    def _door(self, path: str) -> Api | CashfreeApi | Controls | Messages | Page:
        if path in ("/", "/phone"):
            return self._page
        return next((other for start, other in self._others.items() if path.startswith(start)), self._api)

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet about callers who hang up; tell of everything else."""
        del request, client_address
        text = traceback.format_exc()
        if "ConnectionError" not in text and "BrokenPipe" not in text and "ConnectionReset" not in text:
            _LOG.error("%s", text)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "gateway-simulator"
    sys_version = ""
    wbufsize = -1  # head and body leave in one packet
    # a connection that rests so long is closed; never while a caller may be about to use it again
    timeout = 3_600
    server: _Server

    def do_GET(self) -> None:
        """Answer a GET."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._answer()

    def do_PUT(self) -> None:
        """Answer a PUT."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Leave the log to `_answer`: the parent would write the query, with receipts in it."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        reply = self._reply(parts.path, parts.query)
        if reply.dropped:
            _LOG.info("%s %s done, answer dropped", self.command, parts.path)
            self.close_connection = True
            return
        # what a page that is open asks every two seconds is no news
        if not (self.command == "GET" and reply.status == 200 and parts.path.startswith(_LOOKED_AT)):
            _LOG.info("%s %s %d", self.command, parts.path, reply.status)
        is_text = isinstance(reply.body, str)
        content = reply.body.encode() if isinstance(reply.body, str) else compact(reply.body)
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(reply.status)
            usual = "text/xml" if is_text else "application/json"
            self.send_header("Content-Type", reply.media_type or usual)
            self.send_header("Content-Length", str(len(content)))
            for name, value in reply.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

    def _reply(self, path: str, query: str) -> Reply:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _BODY_MAX or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            error = ApiError("A body has a Content-Length, of a megabyte at most", status=413)
            return Reply(error.status, error.body)
        raw_body = self.rfile.read(int(length))
        if len(raw_body) < int(length):  # the caller died while sending: half a request is none
            return Reply(400, {}, dropped=True)
        request = Request(
            method=self.command,
            path=path,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            raw_body=raw_body,
        )
        if path == "/healthz":
            return Reply(200, {"status": "ok"})
        try:
            return self.server.answer(request)
        except Exception:  # noqa: BLE001 - the one place: a bug is a 500, not a lost connection
            _LOG.exception("%s %s", self.command, path)
            error = ApiError("The simulator has a bug", status=500, code="SERVER_ERROR", reason="server_error")
            return Reply(error.status, error.body)
