"""Merchants' servers that are slow, broken, large, elsewhere or somebody else's: each is an answer or a word for it."""

import contextlib
import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

import pytest

from local import certificates
from wallet.merchant_webhooks.client import Answer, IpAddress, NoAnswerError, NothingSentError, WebhookClient

HERE = ipaddress.ip_address("127.0.0.1")
#: Of all names that the certificate is for this one is nowhere but in it.
NAME = "host.docker.internal"
PATIENCE_S = 0.5

Behaviour = Callable[[socket.socket], None]


class Server:
    """Does one thing with every connection, and keeps what it read from it first."""

    def __init__(self, behaviour: Behaviour, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        #: The names that clients asked for, in TLS.
        self.names: list[str | None] = []
        self.over = threading.Event()
        self._behaviour, self._context = behaviour, context
        if context:
            context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._listener.close()

    @property
    def url(self) -> str:
        return f"http://merchant.example:{self.port}/hook?of=chai"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            # a client that has gone is what most of these are about
            with contextlib.suppress(OSError), connection:
                served = self._context.wrap_socket(connection, server_side=True) if self._context else connection
                with served:
                    self.requests.append(served.recv(65_536))
                    self._behaviour(served)


def says(content: bytes) -> Behaviour:
    """An answer, and the end."""
    return lambda connection: connection.sendall(content)


def client(**changes: object) -> WebhookClient:
    """One that finds every name here."""
    told: dict[str, object] = {"local": True, "resolve": lambda _host, _port: [HERE], "patience_s": PATIENCE_S}
    return WebhookClient(**{**told, **changes})  # type: ignore[arg-type]  # by name


def post(server: Server, **changes: object) -> Answer:
    return client(**changes).post(server.url, '{"amount":"₹"}'.encode(), {"webhook-id": "evt_1"})


def test_the_request_is_these_bytes() -> None:
    with Server(says(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        assert post(server) == Answer(204, None)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == '{"amount":"₹"}'.encode()
    assert head.decode().split("\r\n") == [
        "POST /hook?of=chai HTTP/1.1",
        f"Host: merchant.example:{server.port}",
        "User-Agent: wallet-webhooks/1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "webhook-id: evt_1",
    ]


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", Answer(200, None)),
        (b"HTTP/1.0 200\r\n\r\n", Answer(200, None)),
        (b"HTTP/1.1 200 OK\n\n", Answer(200, None)),
        (b"HTTP/1.1 503 Busy\r\nretry-AFTER:  120\r\n\r\n", Answer(503, "120")),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 202 OK\r\n\r\n",
            Answer(202, None),
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", Answer(200, None)),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", Answer(200, None)),
    ],
)
def test_an_answer_is_its_status(content: bytes, answer: Answer) -> None:
    with Server(says(content)) as server:
        assert post(server) == answer


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no_answer"),
        (b"HTTP/1.1 200 OK\r\nX: ", "answer_cut_short"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "answer_malformed"),
        (b"HTTP/2 200\r\n\r\n", "answer_malformed"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "answer_malformed"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "no_answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 20_000, "answer_too_long"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000, "answer_too_long"),
    ],
)
def test_what_is_no_answer_is_a_failed_attempt(content: bytes, reason: str) -> None:
    with Server(says(content)) as server, pytest.raises(NoAnswerError, match=f"^{reason}$"):
        post(server)


def test_a_body_without_an_end_is_not_read() -> None:
    def pour(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.over.is_set():
            connection.sendall(b"x" * 65_536)

    with Server(pour) as server:
        assert post(server) == Answer(200, None)


def test_a_redirect_is_a_failed_attempt_and_is_not_followed() -> None:
    with Server(says(b"HTTP/1.1 200 OK\r\n\r\n")) as elsewhere:
        there = f"HTTP/1.1 307 There\r\nLocation: {elsewhere.url}\r\n\r\n".encode()
        with Server(says(there)) as server:
            assert post(server) == Answer(307, None)
        assert (server.connections, elsewhere.connections) == (1, 0)


def drips(connection: socket.socket) -> None:
    """A byte now and then: none of them is late, and there is no end."""
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000:
        connection.sendall(bytes([byte]))
        time.sleep(PATIENCE_S / 20)


def test_an_answer_that_drips_ends_in_time() -> None:
    started = time.monotonic()
    with Server(drips) as server, pytest.raises(NoAnswerError, match=r"^timeout$"):
        post(server)
    assert PATIENCE_S <= time.monotonic() - started < 4 * PATIENCE_S


def keeps_silent(connection: socket.socket) -> None:
    """Until the client has gone."""
    while connection.recv(65_536):
        pass


def test_a_server_that_says_nothing_is_left() -> None:
    with Server(keeps_silent) as server, pytest.raises(NoAnswerError, match=r"^timeout$"):
        post(server)


def test_a_connection_that_is_reset_is_a_failed_attempt() -> None:
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with Server(reset) as server, pytest.raises(NoAnswerError, match=r"^connection$"):
        post(server)


def test_where_nobody_listens_it_is_a_failed_attempt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NothingSentError, match=r"^connect_failed$"):
        client().post(f"http://merchant.example:{port}/", b"{}", {})


def test_of_several_addresses_the_first_that_takes_a_connection_is_asked() -> None:
    with Server(says(b"HTTP/1.1 200 OK\r\n\r\n")) as server:
        # of this host, and nobody listens there
        addresses = [ipaddress.ip_address("127.0.0.2"), HERE]
        assert post(server, resolve=lambda _host, _port: addresses) == Answer(200, None)


# ------------------------------------------------------------------------------------------- over TLS


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    certificates.ensure(folder)
    return folder


@pytest.fixture
def encrypted(keys: Path) -> Iterator[Server]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(keys / "server.pem", keys / "server-key.pem")
    with Server(says(b"HTTP/1.1 200 OK\r\n\r\n"), context) as server:
        yield server


def trusting(keys: Path, **changes: object) -> WebhookClient:
    return client(context=ssl.create_default_context(cafile=str(keys / "ca.pem")), **changes)


def test_the_connection_goes_to_the_address_that_was_looked_at_and_the_name_is_verified(
    keys: Path, encrypted: Server
) -> None:
    """A second look could have another answer (DNS rebinding): there is none."""
    looks = []

    def resolve(host: str, port: int) -> Sequence[IpAddress]:
        looks.append((host, port))
        return [HERE]

    url = f"https://{NAME}:{encrypted.port}/"
    assert trusting(keys, resolve=resolve).post(url, b"{}", {}) == Answer(200, None)
    assert looks == [(NAME, encrypted.port)]
    assert encrypted.names == [NAME]
    assert f"Host: {NAME}:{encrypted.port}\r\n".encode() in encrypted.requests[0]


def test_a_certificate_of_another_name_is_not_believed(keys: Path, encrypted: Server) -> None:
    with pytest.raises(NothingSentError, match=r"^certificate$"):
        trusting(keys).post(f"https://merchant.example:{encrypted.port}/", b"{}", {})
    assert encrypted.requests == []


def test_a_certificate_of_nobody_we_know_is_not_believed(encrypted: Server) -> None:
    with pytest.raises(NothingSentError, match=r"^certificate$"):
        client(context=ssl.create_default_context()).post(f"https://{NAME}:{encrypted.port}/", b"{}", {})
    assert encrypted.requests == []


def test_what_speaks_no_tls_is_told_nothing(keys: Path) -> None:
    with Server(says(b"HTTP/1.1 200 OK\r\n\r\n")) as server, pytest.raises(NothingSentError, match=r"^tls$"):
        trusting(keys).post(f"https://{NAME}:{server.port}/", b"a secret of the merchant's", {})
    assert b"secret" not in server.requests[0]


def test_a_handshake_that_does_not_go_on_ends_in_time(keys: Path) -> None:
    with Server(keeps_silent) as server, pytest.raises(NothingSentError, match=r"^connect_timeout$"):
        trusting(keys).post(f"https://{NAME}:{server.port}/", b"{}", {})


def test_a_server_that_wants_a_certificate_of_ours_may_have_the_request(keys: Path) -> None:
    """In TLS 1.3 it says so when we have begun to send."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(keys / "ca.pem"))
    context.load_cert_chain(keys / "server.pem", keys / "server-key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with Server(keeps_silent, context) as server, pytest.raises(NoAnswerError, match=r"^connection$"):
        trusting(keys).post(f"https://{NAME}:{server.port}/", b"{}", {})
