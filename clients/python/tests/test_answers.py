"""What becomes of a payment when what comes back is none of the API's answers: a server on this machine sends it."""

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import httpx
import pytest

from tests.examples import PAYEE, RECEIPT
from wallet_client import OutcomeUnknownError, RefusedError, Wallet, until_known
from wallet_client.rest import Client
from wallet_client.rest.api.payments import post_payments
from wallet_client.rest.models import PaymentBody, PaymentReceipt, Tokens

PROBLEM = {"type": "x", "title": "x", "status": 402, "detail": "x", "code": "insufficient_funds", "request_id": "1"}
TOKENS = {"access_token": "access-2", "token_type": "Bearer", "expires_in": 900, "refresh_token": "refresh-2"}

Step = Callable[[socket.socket], None]


def says(status: str, content: bytes | str = b"", *headers: str, length: int | None = None) -> Step:
    content = content.encode() if isinstance(content, str) else content
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content) if length is None else length}", *headers]
    answer = "\r\n".join([*lines, "Connection: close", "", ""]).encode() + content
    return lambda connection: connection.sendall(answer)


def resets(after: Step) -> Step:
    def step(connection: socket.socket) -> None:
        after(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return step


def nothing(connection: socket.socket) -> None:
    """Reads the request, and closes."""


PAID = says("201 Created", json.dumps(RECEIPT), "X-Request-Id: 1")
NO_FUNDS = says("402 Payment Required", json.dumps(PROBLEM), "X-Request-Id: 1")
HTML = "<html><body>Request blocked.</body></html>"


class Server:
    """Answers one connection after the other by its steps, each in a thread of its own, and keeps what was asked."""

    def __init__(self, *steps: Step) -> None:
        self.asked: list[tuple[bytes, bytes]] = []
        self._steps = iter(steps)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(timeout=10)

    def wallet(self, *, patience_s: float = 10.0, expires_in: int = 900) -> Wallet:
        return Wallet(self.base_url, Tokens("access-1", "Bearer", expires_in, "refresh-1"), patience_s=patience_s)

    def _accept(self) -> None:
        for step in self._steps:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # the test is over
                return
            thread = threading.Thread(target=self._serve, args=(connection, step))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, step: Step) -> None:
        with connection, connection.makefile("rb") as stream:
            head = b"".join(iter(stream.readline, b"\r\n"))
            (length,) = (int(line[15:]) for line in head.splitlines() if line.lower().startswith(b"content-length:"))
            self.asked.append((head, stream.read(length)))
            step(connection)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that a test can wait for."""
    monkeypatch.setattr("random.uniform", lambda _least, _most: 0.02)


def pay(wallet: Wallet, unknown_until: datetime | None = None) -> PaymentReceipt:
    return wallet.pay(PAYEE, 6000, key="order-17", unknown_until=unknown_until)


NOT_THE_APIS = {
    "closed": nothing,
    "reset": resets(nothing),
    "reset in the body": resets(says("201 Created", json.dumps(RECEIPT)[:40], length=400)),
    "a body that is too short": says("201 Created", json.dumps(RECEIPT)[:40], length=400),
    "no HTTP": lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n"),
    "corrupt gzip": says("201 Created", gzip.compress(json.dumps(RECEIPT).encode())[:-20], "Content-Encoding: gzip"),
    "no gzip": says("201 Created", json.dumps(RECEIPT), "Content-Encoding: gzip"),
    "a refusal in corrupt gzip": says("402 Payment Required", "\x1f\x8bno", "Content-Encoding: gzip"),
    "truncated JSON": says("201 Created", json.dumps(RECEIPT)[:40]),
    "no UTF-8": says("201 Created", b'{"id": "\xff"}'),
    "null": says("201 Created", "null"),
    "a refusal of null": says("402 Payment Required", "null"),
    "a list": says("201 Created", "[1]"),
    "a number": says("201 Created", "1"),
    "an object of somebody else's": says("201 Created", '{"ok": true}'),
    "fields of other types": says("201 Created", json.dumps({**RECEIPT, "from": 1, "created_at": None})),
    "JSON without an end": says("201 Created", "[" * 100_000),
    "another status": says("200 OK", json.dumps(RECEIPT)),
    "a page": says("200 OK", HTML, "Content-Type: text/html"),
    "nothing, and well": says("204 No Content"),
    "a redirect": says("302 Found", "", "Location: https://portal.example/"),
    "a firewall's page": says("403 Forbidden", HTML, "Content-Type: text/html"),
    "a firewall's JSON": says("403 Forbidden", '{"message": "Forbidden"}'),
    "a code that is none": says("402 Payment Required", json.dumps({**PROBLEM, "code": ["x"]})),
    "a proxy's 404": says("404 Not Found", "not found"),
    "a proxy's 502": says("502 Bad Gateway", HTML),
    "an empty 502": says("502 Bad Gateway"),
    "a status that nobody knows": says("520 Web Server Returned an Unknown Error", HTML),
}
each = pytest.mark.parametrize("first", [pytest.param(step, id=name) for name, step in NOT_THE_APIS.items()])


@each
def test_what_is_none_of_the_apis_answers_is_repeated_with_the_same_key_and_body(first: Step) -> None:
    with Server(first, PAID) as server:
        assert pay(server.wallet()).id == "pay_1"
    assert len(server.asked) == 2
    assert len({body for _, body in server.asked}) == 1
    assert all(b"\r\nidempotency-key: order-17\r\n" in head.lower() for head, _ in server.asked)


@each
def test_and_alone_it_is_unknown(first: Step) -> None:
    with Server(first) as server, pytest.raises(OutcomeUnknownError) as unknown:
        pay(server.wallet(patience_s=0))
    assert unknown.value.problem is None


@each
def test_and_a_refusal_after_it_is_unknown_too(first: Step) -> None:
    with Server(first, NO_FUNDS) as server, pytest.raises(OutcomeUnknownError, match="insufficient_funds"):
        pay(server.wallet())


def test_a_client_that_raises_at_what_it_does_not_know_makes_no_difference() -> None:
    with Server(NOT_THE_APIS["a proxy's 502"], NO_FUNDS) as server:
        client = Client(server.base_url, raise_on_unexpected_status=True)
        body = PaymentBody(PAYEE, 6000)
        with pytest.raises(OutcomeUnknownError, match="insufficient_funds"):
            until_known(lambda: post_payments.sync_detailed(client=client, body=body, idempotency_key="order-17"))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wallet_client.wallet._TIMEOUT", httpx.Timeout(5.0, read=0.3))
    monkeypatch.setattr("wallet_client.wallet._TOKEN_TIMEOUT", httpx.Timeout(5.0, read=0.3))


@pytest.mark.usefixtures("impatient")
def test_the_first_attempt_arrives_after_its_repetition_was_refused() -> None:
    may_arrive, has_arrived = threading.Event(), threading.Event()

    def late(_: socket.socket) -> None:
        may_arrive.wait(timeout=30)
        has_arrived.set()

    def ledger(connection: socket.socket) -> None:
        (PAID if has_arrived.is_set() else NO_FUNDS)(connection)

    with Server(late, ledger, ledger, ledger) as server:
        wallet = server.wallet()
        with pytest.raises(OutcomeUnknownError) as unknown:
            pay(wallet)
        with pytest.raises(OutcomeUnknownError) as still:
            pay(wallet, unknown.value.until)
        may_arrive.set()
        assert has_arrived.wait(timeout=10)
        assert pay(wallet, still.value.until).id == "pay_1"
    assert len({body for _, body in server.asked}) == 1


def test_what_was_refused_after_that_time_has_not_moved() -> None:
    with Server(NO_FUNDS) as server, pytest.raises(RefusedError, match="insufficient_funds"):
        pay(server.wallet(), datetime.now(UTC) - timedelta(seconds=1))


@pytest.mark.usefixtures("impatient")
def test_a_change_of_tokens_without_an_answer_is_repeated_with_the_same_refresh_token() -> None:
    is_over = threading.Event()

    def silent(_: socket.socket) -> None:
        is_over.wait(timeout=30)

    with Server(silent, says("200 OK", json.dumps(TOKENS)), PAID) as server:
        assert pay(server.wallet(expires_in=0)).id == "pay_1"
        is_over.set()
    assert [json.loads(body) for _, body in server.asked[:2]] == [{"refresh_token": "refresh-1"}] * 2
    assert b"\r\nauthorization: bearer access-2\r\n" in server.asked[2][0].lower()
