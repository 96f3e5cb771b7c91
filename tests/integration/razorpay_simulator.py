"""The gateway simulator inside this process, and a little receiver of its webhooks."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import urllib3

from local.gateway.server import Settings, Simulator
from local.gateway.webhooks import Patience
from wallet.gateways.http import Limits
from wallet.gateways.razorpay.client import RazorpayGateway
from wallet.ledger.periods import INDIA

KEY_ID, KEY_SECRET, WEBHOOK_SECRET, ACCOUNT = (
    "rzp_test_sim",
    "sim-key-secret",
    "sim-webhook-secret",
    "acc_Sim1",
)
#: Both live ones, the newest first.
WEBHOOK_SECRETS = [WEBHOOK_SECRET, "the-secret-before-it"]
#: Longer than in production: a machine with much to do is no gateway that does not answer.
PATIENT = Limits(
    connect_seconds=10.0, read_seconds=20.0, order_seconds=40.0, intent_seconds=20.0, question_seconds=40.0
)
#: An answer is given up so soon that a test of slowness takes seconds.
SHORT = replace(PATIENT, read_seconds=1.5)


def settings(folder: Path) -> Settings:
    """Return settings with retries that come within a test's patience, and none because an answer was a little late."""
    return Settings(
        state=folder / "gateway.sqlite3",
        key_id=KEY_ID,
        key_secret=KEY_SECRET,
        account_id=ACCOUNT,
        patience=Patience(timeout=15.0, first=0.05, longest=0.2, altogether=60.0),
    )


def adapter(simulator: Simulator, limits: Limits = PATIENT) -> RazorpayGateway:
    """Make the real adapter, pointed at the simulator."""
    return RazorpayGateway.over_http(base_url=simulator.url, key_id=KEY_ID, key_secret=KEY_SECRET, limits=limits)


def call(
    simulator: Simulator,
    method: str,
    path: str,
    body: object = None,
    *,
    key: str = f"{KEY_ID}:{KEY_SECRET}",
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:  # Any: tests look into whatever came back
    """Call the simulator as any HTTP client would; return the status and the JSON."""
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    response = urllib3.request(
        method,
        simulator.url + path,
        body=raw,
        headers={**urllib3.make_headers(basic_auth=key), **(headers or {})},
        retries=False,
        timeout=60,
    )
    return response.status, response.json()


def fault(simulator: Simulator, mode: str, **more: object) -> None:
    """Put the gateway in trouble."""
    status, _ = call(simulator, "POST", "/simulator/faults", {"mode": mode, **more})
    assert status == 200


def play(simulator: Simulator, order_id: str, outcome: str, **more: object) -> dict[str, Any]:
    """Let the person with the UPI app act."""
    status, told = call(simulator, "POST", f"/simulator/orders/{order_id}/pay", {"outcome": outcome, **more})
    assert status == 200, told
    assert isinstance(told, dict)
    return told


def foreign_order(simulator: Simulator, amount: int) -> str:
    """An order that somebody else made with the same account; its id."""
    order = adapter(simulator).create_order(
        receipt=f"shop_{uuid4().hex}", amount_minor=amount, currency="INR", contact="+919000000000"
    )
    return order.order_id


def settle(simulator: Simulator, *, days_ago: int, **more: object) -> dict[str, Any]:
    """The gateway pays out what it has, and reports it on a day."""
    day = f"{datetime.now(INDIA) - timedelta(days=days_ago):%Y-%m-%d}"
    status, told = call(simulator, "POST", "/simulator/settlements", {"day": day, **more})
    assert status == 200, told
    assert isinstance(told, dict)
    return told


def begun_at(simulator: Simulator, payment_id: str, moment: datetime) -> None:
    """The gateway's memory has it that a payment was begun then."""
    store = simulator._store  # noqa: SLF001 - nobody but a test goes back in time
    payment = store.payment(payment_id)
    assert payment is not None
    store.keep_payment(replace(payment, created_at=int(moment.timestamp())))


@dataclass
class Receiver:
    """Takes webhooks and answers them from a script of statuses, 200 when it is over."""

    statuses: list[int] = field(default_factory=list)
    received: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def events(self) -> list[str]:
        """Return the names of what came, in order of arrival; what came again, as it may, is there once."""
        told = {_event_id(headers): json.loads(body) for body, headers in self.received}
        return [body.get("event") or body["type"] for body in told.values()]

    def wait_for(self, count: int) -> None:
        """Wait until so many have come; fail after a minute."""
        wait_until(lambda: len(self.received) >= count)

    def wait_for_events(self, count: int) -> None:
        """Wait until so many have come that are not the same; fail after a minute."""
        wait_until(lambda: len(self.events()) >= count)


def _event_id(headers: dict[str, str]) -> str:
    """Razorpay's, or Cashfree's."""
    return headers.get("x-razorpay-event-id") or headers["x-idempotency-key"]


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver(list(statuses))
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                receiver.received.append((body, {k.lower(): v for k, v in self.headers.items()}))
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", receiver.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/v1/webhooks/razorpay"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def aim(simulator: Simulator, receiver: Receiver, secret: str = WEBHOOK_SECRET) -> None:
    """Point the simulator's webhooks at a receiver."""
    status, _ = call(simulator, "PUT", "/simulator/webhook", {"url": receiver.url, "secret": secret})
    assert status == 200


def let_go(simulator: Simulator) -> None:
    """Webhooks that are held back are due now."""
    store, outbox = simulator._store, simulator._outbox  # noqa: SLF001 - nobody but a test makes time pass
    store.rows("UPDATE webhooks SET due_at = created_at WHERE status = 'waiting'")
    outbox.wake()


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for something to become true; fail after a minute."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.01)
