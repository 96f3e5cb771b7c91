"""One exchange, with a pool that opens no socket."""

import io
from dataclasses import dataclass, field

import pytest
import urllib3

from tests.unit.gateways.scripted import Time
from wallet.gateways.http import MAX_ANSWER_BYTES, Answer, Deadline, HttpTransport, Limits
from wallet.gateways.port import GatewayUnavailableError


@dataclass
class Pool:
    """Stands for urllib3.PoolManager: gives what it is told, and remembers what it was asked."""

    outcome: urllib3.HTTPResponse | Exception
    asked: dict[str, object] = field(default_factory=dict)

    def request(self, method: str, url: str, **how: object) -> urllib3.HTTPResponse:
        self.asked = {"method": method, "url": url, **how}
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Drip(io.BytesIO):
    """A body that comes a byte at a time, each after a second."""

    def __init__(self, content: bytes, time: Time) -> None:
        super().__init__(content)
        self._time = time

    def read1(self, size: int | None = -1, /) -> bytes:
        del size
        self._time.now += 1.0
        return super().read(1)

    def read(self, size: int | None = -1, /) -> bytes:
        return self.read1(size)


def response(body: bytes | io.BytesIO = b"{}", status: int = 200, **headers: str) -> urllib3.HTTPResponse:
    stream = io.BytesIO(body) if isinstance(body, bytes) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return urllib3.HTTPResponse(stream, headers=named, status=status, preload_content=False)


def transport(pool: Pool, base_url: str = "https://api.example.com") -> HttpTransport:
    return HttpTransport(
        base_url=base_url,
        headers={"X-Client-Secret": "open-sesame"},
        limits=Limits(),
        pool=pool,  # type: ignore[arg-type] # the one method that is used
    )


def send(pool: Pool, *, body: bytes | None = None, path: str = "/v1/orders", time: Time | None = None) -> Answer:
    time = time or Time()
    return transport(pool).send("GET" if body is None else "POST", path, body, Deadline(3.0, time.clock))


def test_the_status_and_the_whole_body_come_back() -> None:
    assert send(Pool(response(b'{"a":1}', 201))) == Answer(201, b'{"a":1}')


def test_a_request_says_who_asks_and_what_it_alone_has_to_say() -> None:
    pool = Pool(response())
    transport(pool).send("POST", "/v1/orders", b"{}", Deadline(3.0, Time().clock), {"X-Key": "one"})
    assert pool.asked["headers"] == {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "wallet",
        "X-Client-Secret": "open-sesame",
        "Content-Type": "application/json",
        "X-Key": "one",
    }


def test_nothing_is_repeated_or_redirected_behind_our_back() -> None:
    pool = Pool(response())
    send(pool, body=b"{}")
    assert (pool.asked["retries"], pool.asked["redirect"]) == (False, False)


def test_every_wait_is_bounded_by_its_limit_and_by_what_is_left() -> None:
    pool = Pool(response())
    send(pool)
    timeout = pool.asked["timeout"]
    assert isinstance(timeout, urllib3.Timeout)
    assert (timeout.connect_timeout, timeout.total) == (2.0, 3.0)


def test_the_default_pool_verifies_certificates() -> None:
    made = HttpTransport(base_url="https://api.example.com", headers={}, limits=Limits())
    pool = made._pool.connection_from_url("https://api.example.com")  # noqa: SLF001 - the setting has no other door
    assert isinstance(pool, urllib3.HTTPSConnectionPool)
    assert pool.cert_reqs in (None, "CERT_REQUIRED")
    assert pool.ConnectionCls.is_verified is False  # not before the handshake has said so


@pytest.mark.parametrize(
    "trouble",
    [
        urllib3.exceptions.ProtocolError("gone"),
        urllib3.exceptions.SSLError("bad certificate"),
        urllib3.exceptions.ReadTimeoutError(urllib3.HTTPConnectionPool("h"), "/", "slow"),
        ConnectionResetError("reset"),
        TimeoutError(),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_no_answer_is_an_unknown_outcome(trouble: Exception) -> None:
    with pytest.raises(GatewayUnavailableError) as caught:
        send(Pool(trouble), path="/v1/orders?receipt=top_1")
    assert type(trouble).__name__ in str(caught.value)
    assert "open-sesame" not in str(caught.value)
    assert "top_1" not in str(caught.value)
    assert caught.value.__cause__ is trouble


def test_an_answer_that_is_too_large_is_let_go() -> None:
    big = response(b" " * (MAX_ANSWER_BYTES + 1))
    with pytest.raises(GatewayUnavailableError, match="too large"):
        send(Pool(big))
    assert big.closed


def test_an_answer_that_drips_does_not_hold_us_past_the_deadline() -> None:
    time = Time()
    slow = response(Drip(b"{" + b" " * 100 + b"}", time))
    with pytest.raises(GatewayUnavailableError, match="too slow"):
        send(Pool(slow), time=time)
    assert time.now <= 1_000.0 + 5


def test_a_body_cut_short_is_no_answer() -> None:
    with pytest.raises(GatewayUnavailableError):
        send(Pool(response(b"{", Content_Length="10")))


def test_nothing_is_sent_when_no_time_is_left() -> None:
    pool, time = Pool(response()), Time()
    deadline = Deadline(0.0, time.clock)
    with pytest.raises(GatewayUnavailableError, match="no time left"):
        transport(pool).send("GET", "/v1/orders", None, deadline)
    assert pool.asked == {}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3),
        (" 0 ", 0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-1", None),
        ("9" * 5000, None),
        ("²", None),
    ],
)
def test_retry_after_counts_where_it_is_a_number_of_seconds(header: str, seconds: int | None) -> None:
    assert send(Pool(response(b"", 429, Retry_After=header))).retry_after_s == seconds


@pytest.mark.parametrize("url", ["", "api.example.com", "ftp://h", "https://", "https://h?x=1", "https://u:p@h"])
def test_a_base_url_that_cannot_be_one_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        transport(Pool(response()), url)


def test_a_base_url_may_have_a_path_and_a_last_slash() -> None:
    pool = Pool(response())
    transport(pool, "http://127.0.0.1:8080/gateway/").send("GET", "/v1/orders", None, Deadline(3.0, Time().clock))
    assert pool.asked["url"] == "http://127.0.0.1:8080/gateway/v1/orders"


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("0", 0), ("soon", None)])
def test_cashfrees_own_word_for_retry_after_counts_too(header: str, seconds: int | None) -> None:
    assert send(Pool(response(b"", 429, x_ratelimit_retry=header))).retry_after_s == seconds
