"""Which method of the book, or of the simulator, answers which request."""

import base64
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local.gateway import fields
from local.gateway.book import Book
from local.gateway.failures import ApiError, unauthorized, unknown_url
from local.gateway.faults import Fault, Faults, UnknownFaultError
from local.gateway.person import NoSuchOrderError, NotPayableError, Person, Play, UnplayableError
from local.gateway.shapes import Json
from local.gateway.webhooks import Outbox


@dataclass(frozen=True)
class Request:
    """One request: the path without the query, the query's last values, headers by lower-case name."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    raw_body: bytes

    def body(self) -> Json:
        """Read the JSON object in it; ApiError if there is none."""
        return fields.body_of(self.raw_body)


@dataclass(frozen=True)
class Reply:
    """One answer; `dropped` closes the connection instead of giving it."""

    status: int
    body: Json
    headers: tuple[tuple[str, str], ...] = ()
    dropped: bool = False


Handler = Callable[..., Json]


class Api:
    """The gateway's own API, under `/v1`: authenticated, and subject to faults."""

    def __init__(
        self, book: Book, faults: Faults, *, key_id: str, key_secret: str, sleep: Callable[[float], object]
    ) -> None:
        """Take the parts; `sleep` is in seconds."""
        self._faults = faults
        self._sleep = sleep
        pair = base64.b64encode(f"{key_id}:{key_secret}".encode()).decode()
        self._authorization = f"Basic {pair}"
        one = r"([A-Za-z0-9_]+)"
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(pattern), handler)
            for method, pattern, handler in (
                ("POST", "/v1/orders", lambda r: book.create_order(r.body())),
                ("GET", "/v1/orders", lambda r: book.find_orders(r.query)),
                ("GET", f"/v1/orders/{one}", lambda _, i: book.get_order(i)),
                ("GET", f"/v1/orders/{one}/payments", lambda _, i: book.payments_of(i)),
                ("POST", "/v1/payments/create/upi", lambda r: book.create_upi_payment(r.body())),
                ("GET", f"/v1/payments/{one}", lambda _, i: book.get_payment(i)),
                ("POST", f"/v1/payments/{one}/refund", lambda r, i: book.refund(i, r.body(), _refund_key(r))),
                ("GET", f"/v1/payments/{one}/refunds", lambda _, i: book.refunds_of(i)),
                ("GET", f"/v1/refunds/{one}", lambda _, i: book.get_refund(i)),
            )
        ]

    def answer(self, request: Request) -> Reply:
        """Answer, as well as the fault in force allows."""
        fault = self._faults.strike(request.method, request.path)
        if fault.mode == "down":
            error = ApiError("The service is down", status=503, code="SERVER_ERROR", reason="server_error")
            return Reply(error.status, error.body)
        if fault.mode == "rate_limited":
            error = ApiError("Too many requests", status=429, reason="rate_limit_exceeded")
            return Reply(error.status, error.body, (("Retry-After", str(round(fault.seconds))),))
        if fault.mode == "slow":
            self._sleep(fault.seconds)
        try:
            reply = Reply(200, self._carry_out(request))
        except ApiError as error:
            reply = Reply(error.status, error.body)
        return Reply(reply.status, reply.body, dropped=fault.mode == "drop_answer")

    def _carry_out(self, request: Request) -> Json:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), self._authorization.encode()):
            raise unauthorized()
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found and method == request.method:
                return handler(request, *found.groups())
        raise unknown_url()


class Controls:
    """`/simulator/…`: what no real gateway has. No authentication, so it listens on the loopback only."""

    def __init__(self, person: Person, outbox: Outbox, faults: Faults) -> None:
        """Take the parts."""
        self._person = person
        self._outbox = outbox
        self._faults = faults

    def answer(self, request: Request) -> Reply:
        """Answer; 422 names the field that is wrong."""
        try:
            return self._carry_out(request)
        except NoSuchOrderError:
            return _said(404, "there is no such order")
        except NotPayableError:
            return _said(409, "the order is paid already, and takes no further payment")
        except (UnplayableError, UnknownFaultError) as error:
            return _said(422, str(error))
        except ApiError:
            return _said(422, "the body is not a JSON object")

    def _carry_out(self, request: Request) -> Reply:
        path, method = request.path, request.method
        played = re.fullmatch(r"/simulator/orders/([^/]+)/pay", path)
        if played and method == "POST":
            return Reply(200, self._person.play(played[1], Play.read(request.body())))
        if path == "/simulator/webhook" and method in ("POST", "PUT"):
            return self._aim(request.body())
        if path == "/simulator/faults" and method == "POST":
            fault = Fault.read(request.body())
            self._faults.set(fault)
            return Reply(200, {"mode": fault.mode})
        if path == "/simulator/deliveries" and method == "GET":
            return Reply(200, {"deliveries": self._outbox.deliveries(request.query.get("order_id"))})
        return _said(404, "there is nothing at this URL")

    def _aim(self, body: Json) -> Reply:
        url, secret = body.get("url"), body.get("secret")
        if set(body) != {"url", "secret"} or not isinstance(url, str) or not isinstance(secret, str):
            return _said(422, "a webhook is a url and a secret, both texts")
        try:
            self._outbox.aim(url, secret)
        except ValueError as error:
            return _said(422, str(error))
        return Reply(200, {"url": url})


def _refund_key(request: Request) -> str | None:
    return request.headers.get("x-refund-idempotency")


def _said(status: int, sentence: str) -> Reply:
    return Reply(status, {"error": sentence})
