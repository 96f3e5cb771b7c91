"""One HTTP exchange with a gateway: bounded in time and size, verified, and never repeated by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import urllib3

from wallet.gateways.port import GatewayUnavailableError

#: An order's payments at a hundred a page are some 150 KB; more than this is not an answer.
MAX_ANSWER_BYTES = 1_048_576
_CHUNK_BYTES = 65_536
_SHORTEST_USEFUL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient we are, in seconds. `order` and `intent` together stay below a function's 10."""

    connect_seconds: float = 2.0
    read_seconds: float = 4.0
    order_seconds: float = 5.5
    intent_seconds: float = 2.5
    question_seconds: float = 5.5


class TooMuchError(GatewayUnavailableError):
    """An answer larger than we read, or slower: the same question would have the same, one for less may not."""


class Deadline:
    """The moment by which one operation with all its retries is over."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def seconds_left(self) -> float:
        """Return what remains; negative when it is over."""
        return self._end - self._clock()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the body whole, and how long to wait where that was given in seconds."""

    status: int
    body: bytes
    retry_after_s: int | None = None


class Transport(Protocol):
    """Sends one request."""

    def send(
        self, method: str, path: str, body: bytes | None, deadline: Deadline, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send once and return the answer, whatever its status.

        `path` begins with a slash and is quoted already; `headers` are this request's own, beside the
        transport's. Raises GatewayUnavailableError when there is no whole answer: the request may or may not
        have been carried out.
        """
        ...


class HttpTransport:
    """Sends over urllib3, TLS verified against the system's trust store."""

    def __init__(
        self,
        *,
        base_url: str,
        headers: Mapping[str, str],
        limits: Limits,
        pool: urllib3.PoolManager | None = None,
    ) -> None:
        """Take the API's address and the headers that say who we are; ValueError for what can't be an address."""
        self._base_url = _checked_base_url(base_url)
        self._headers = {
            "Accept": "application/json",
            # A compressed answer could grow past the size cap while it is being unpacked.
            "Accept-Encoding": "identity",
            "User-Agent": "wallet",
            **headers,
        }
        self._limits = limits
        self._pool = pool or urllib3.PoolManager(num_pools=1, maxsize=4)

    def send(
        self, method: str, path: str, body: bytes | None, deadline: Deadline, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send once; see Transport."""
        left = deadline.seconds_left()
        if left < _SHORTEST_USEFUL_SECONDS:
            raise GatewayUnavailableError(f"{named(method, path)}: no time left to ask")
        content_type = {} if body is None else {"Content-Type": "application/json"}
        try:
            response = self._pool.request(
                method,
                self._base_url + path,
                body=body,
                headers={**self._headers, **content_type, **(headers or {})},
                timeout=urllib3.Timeout(
                    total=left, connect=self._limits.connect_seconds, read=self._limits.read_seconds
                ),
                # Neither repeated nor redirected: a POST may have been carried out, and the key goes nowhere
                # else.
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            content = _whole_body(response, named(method, path), deadline)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            name = type(error).__name__
            raise GatewayUnavailableError(f"{named(method, path)}: no answer ({name})") from error
        return Answer(response.status, content, _retry_after(response.headers))


def named(method: str, path: str) -> str:
    """Name a request in a message or a log: without its query, which may hold a receipt."""
    return f"{method} {path.partition('?')[0]}"


def header_value(name: str, value: str) -> str:
    """Return a credential that can stand in a header; ValueError, which doesn't show it, for any other."""
    if not value or not value.isascii() or not value.isprintable():
        raise ValueError(f"the gateway's {name} is empty or has characters that none has")
    return value


def _whole_body(response: urllib3.BaseHTTPResponse, name: str, deadline: Deadline) -> bytes:
    """Read to the end within the time and the size. urllib3's read timeout alone restarts with every byte."""
    content = bytearray()
    try:
        while chunk := response.read1(_CHUNK_BYTES):
            content += chunk
            if len(content) > MAX_ANSWER_BYTES or deadline.seconds_left() < 0:
                raise TooMuchError(f"{name}: too large or too slow an answer")  # noqa: TRY301 - closed below
    except BaseException:
        # What is left of this answer must not be taken for the next one's.
        response.close()
        raise
    response.release_conn()
    return bytes(content)


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Read how many seconds to wait: Retry-After, or Cashfree's own word for it, which is 0 when it says nothing."""
    value = headers.get("Retry-After", headers.get("x-ratelimit-retry", "")).strip()
    # The other form, a date, needs clocks that agree; the usual back-off does as well.
    return int(value) if value.isascii() and value.isdigit() and len(value) <= len("86400") else None


def _checked_base_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    beyond = parts.query or parts.fragment or parts.username
    if parts.scheme not in ("http", "https") or not parts.hostname or beyond:
        raise ValueError("the gateway's base URL is not of the form https://host[:port][/path]")
    return base_url.rstrip("/")
