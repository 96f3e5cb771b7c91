"""One POST to an address that somebody else chose: bounded in time and size, and never to a place inside.

A merchant's address is the one thing in this system that others name and we then call. So (SSRF): HTTPS alone; the
name is looked up once, everything that it stands for has to be a public address, and the connection goes to the very
address that was looked at, while TLS and `Host` speak of the name; no redirect is followed. The five seconds are for
all of it together: the name, the connection, TLS, the request and the answer's head, however slowly each byte comes.
"""

import http.client
import io
import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

#: Seconds for one attempt, from looking the name up to the end of the answer's head.
PATIENCE_S = 5.0
#: Seconds for one of the addresses of a name.
_CONNECT_S = 2.0
#: Bytes of an answer's head, 1xx answers before it among them. Its body isn't read at all: the status is the answer.
_LONGEST_HEAD = 16_384
_CHUNK = 4_096
_USER_AGENT = "wallet-webhooks/1"
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_INFORMATIONAL = range(100, 200)

#: 2000::/3 is what the world's addresses are of. Those of these networks stand for an IPv4 address, which may be one
#: inside: 6to4, and Teredo beside it.
_WORLD = ipaddress.IPv6Network("2000::/3")
_TUNNELS = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/23"))

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Looks a name up: (host, port) → its addresses; raises OSError.
Resolver = Callable[[str, int], Sequence[IpAddress]]


class NothingSentError(Exception):
    """No connection to send anything on: nothing has arrived. The message is a word for logs, and names no address."""


class ForbiddenAddressError(NothingSentError):
    """The URL is none that we call."""


class NoAnswerError(Exception):
    """There was a connection and no answer: the request may have arrived. The message is a word for logs, as above."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a merchant's server said."""

    status: int
    retry_after: str | None


class WebhookClient:
    """Sends webhooks. `local` lets it call anything, over plain HTTP as well: for a stack on a developer's machine."""

    def __init__(
        self,
        *,
        local: bool = False,
        context: ssl.SSLContext | None = None,
        resolve: Resolver | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Tests bring their own trust, names and patience; else it is the system's trust store and its resolver."""
        self._local = local
        self._context = context or ssl.create_default_context()
        self._resolve = resolve or _look_up
        self._patience_s = patience_s

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends JSON once. Raises NothingSentError or NoAnswerError."""
        target = _Target.read(url, local=self._local)
        deadline = _Deadline(self._patience_s)
        with self._connect(target, self._addresses(target, deadline), deadline) as connection:
            try:
                _send(connection, target.request(body, headers), deadline)
                return _read_answer(connection, deadline)
            except TimeoutError as error:
                raise NoAnswerError("timeout") from error
            except OSError as error:  # of TLS as well: who wants a certificate of ours says so as late as this
                raise NoAnswerError("connection") from error

    def _addresses(self, target: "_Target", deadline: "_Deadline") -> Sequence[IpAddress]:
        """Every address of the name, if all of them are public: one name with both kinds is none to trust.

        The system's resolver can't be told how long it may take, so it is left behind where it takes too long.
        """
        answers: queue.SimpleQueue[Sequence[IpAddress] | OSError] = queue.SimpleQueue()

        def look() -> None:
            try:
                answers.put(self._resolve(target.host, target.port))
            except OSError as error:
                answers.put(error)
            except UnicodeError as error:  # a label that is too long, or empty
                answers.put(OSError(str(error)))

        threading.Thread(target=look, daemon=True).start()
        try:
            found = answers.get(timeout=deadline.left_s())
        except (queue.Empty, TimeoutError) as error:
            raise NothingSentError("name_timeout") from error
        if isinstance(found, OSError) or not found:
            raise NothingSentError("name_unknown")
        if not self._local and not all(is_public(address) for address in found):
            raise ForbiddenAddressError("address_not_public")
        return found

    def _connect(self, target: "_Target", addresses: Sequence[IpAddress], deadline: "_Deadline") -> socket.socket:
        """A connection on which nothing is sent yet; over TLS it is the name that is verified."""
        try:
            plain = self._reach(target, addresses, deadline)
            try:
                plain.settimeout(deadline.left_s())
                # the handshake's timeout is for the whole of it
                return self._context.wrap_socket(plain, server_hostname=target.host) if target.is_encrypted else plain
            except OSError:
                plain.close()
                raise
        except TimeoutError as error:
            raise NothingSentError("connect_timeout") from error
        except ssl.SSLCertVerificationError as error:
            raise NothingSentError("certificate") from error
        except ssl.SSLError as error:
            raise NothingSentError("tls") from error
        except OSError as error:
            raise NothingSentError("connect_failed") from error

    @staticmethod
    def _reach(target: "_Target", addresses: Sequence[IpAddress], deadline: "_Deadline") -> socket.socket:
        """A connection to the first of the addresses that takes one."""
        trouble: OSError = OSError("no address")
        for address in addresses:
            try:
                return socket.create_connection((str(address), target.port), timeout=min(_CONNECT_S, deadline.left_s()))
            except OSError as error:
                trouble = error
        raise trouble


def is_public(address: IpAddress) -> bool:
    """Whether it is of the public internet: not private, of this host or link, shared, reserved or multicast.

    Nor is what translates to an IPv4 address, which may be any of those.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    return address in _WORLD and address.is_global and not any(address in network for network in _TUNNELS)


class _Deadline:
    def __init__(self, patience_s: float) -> None:
        self._end = time.monotonic() + patience_s

    def left_s(self) -> float:
        """Seconds that are left; raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


@dataclass(frozen=True, slots=True)
class _Target:
    host: str
    port: int
    host_header: str
    path: str
    is_encrypted: bool

    @classmethod
    def read(cls, url: str, *, local: bool) -> "_Target":
        """The parts of a URL; raises ForbiddenAddressError for one that we don't call."""
        if not re.fullmatch(r"[!-~]+", url):
            raise ForbiddenAddressError("url_malformed")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ForbiddenAddressError("url_malformed") from error
        if parts.scheme not in (("https", "http") if local else ("https",)):
            raise ForbiddenAddressError("url_not_https")
        if not parts.hostname or "@" in parts.netloc:
            raise ForbiddenAddressError("url_malformed")
        is_encrypted = parts.scheme == "https"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.hostname, port or (443 if is_encrypted else 80), parts.netloc, path, is_encrypted)

    def request(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The bytes of the request."""
        told = {
            "Host": self.host_header,
            "User-Agent": _USER_AGENT,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return f"POST {self.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


def _look_up(host: str, port: int) -> Sequence[IpAddress]:
    """What the system's resolver has for a name, IPv4 first: Lambda has no way out by IPv6 of its own."""
    found = {ipaddress.ip_address(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    return sorted(found, key=lambda address: (address.version, int(address)))


def _send(connection: socket.socket, content: bytes, deadline: _Deadline) -> None:
    rest = memoryview(content)
    while rest:
        connection.settimeout(deadline.left_s())
        rest = rest[connection.send(rest) :]


def _read_answer(connection: socket.socket, deadline: _Deadline) -> Answer:
    """The first head that is no 1xx, within the time and the size. A read's own timeout begins anew with every byte."""
    received = b""
    budget = _LONGEST_HEAD
    while True:
        while (end := _END_OF_HEAD.search(received)) is None:
            if budget <= 0:
                raise NoAnswerError("answer_too_long")
            connection.settimeout(deadline.left_s())
            chunk = connection.recv(min(_CHUNK, budget))
            if not chunk:
                raise NoAnswerError("answer_cut_short" if received else "no_answer")
            received += chunk
            budget -= len(chunk)
        head, received = received[: end.end()], received[end.end() :]
        line = _STATUS_LINE.match(head)
        if line is None:
            raise NoAnswerError("answer_malformed")
        if int(line[1]) not in _INFORMATIONAL:
            return Answer(int(line[1]), _retry_after(head[line.end() :]))


def _retry_after(headers: bytes) -> str | None:
    try:
        return http.client.parse_headers(io.BytesIO(headers)).get("Retry-After")
    except http.client.HTTPException:  # more of them than anybody needs: the status stands all the same
        return None
