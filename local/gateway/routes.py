"""Which method of the book, or of the simulator, answers which request."""

import base64
import hmac
import re
from collections.abc import Callable

from local.gateway.book import Book
from local.gateway.disputes import Disputes, NoSuchDisputeError, UnplayableDisputeError
from local.gateway.failures import ApiError, unauthorized, unknown_url
from local.gateway.faults import Fault, Faults, UnknownFaultError
from local.gateway.messages import Messages
from local.gateway.payouts import KEY_HEADER, End, EndedPayoutError, NoSuchPayoutError, Payouts, UnplayablePayoutError
from local.gateway.person import NoSuchOrderError, NotPayableError, Person, Play, UnplayableError
from local.gateway.refunds import EndedRefundError, NoSuchRefundError, Refunds, UnplayableRefundError
from local.gateway.screen import Screen, UnlistableError
from local.gateway.settlements import Settlements, UnplayableSettlementError
from local.gateway.shapes import Json
from local.gateway.talk import Reply, Request
from local.gateway.webhooks import CHANNELS, PAYMENTS, Outbox

Handler = Callable[..., Json]

#: What the controls say of each trouble; an empty sentence is the trouble's own.
_SAID: dict[type[Exception], tuple[int, str]] = {
    NoSuchOrderError: (404, "there is no such order"),
    NotPayableError: (409, "the order is paid already or over, and takes no further payment"),
    UnplayableError: (422, ""),
    UnlistableError: (422, ""),
    NoSuchRefundError: (404, "there is no such payment or refund"),
    EndedRefundError: (409, "the refund has ended"),
    UnplayableRefundError: (422, ""),
    NoSuchDisputeError: (404, "there is no such payment or dispute"),
    UnplayableDisputeError: (422, ""),
    NoSuchPayoutError: (404, "there is no such payout"),
    EndedPayoutError: (409, "the payout can't become that any more"),
    UnplayablePayoutError: (422, ""),
    UnplayableSettlementError: (422, ""),
    UnknownFaultError: (422, ""),
    ApiError: (422, "the body is not a JSON object"),
}


class Api:
    """The gateway's own API, under `/v1`: authenticated, and subject to faults."""

    def __init__(
        self,
        book: Book,
        refunds: Refunds,
        payouts: Payouts,
        settlements: Settlements,
        faults: Faults,
        *,
        key_id: str,
        key_secret: str,
        sleep: Callable[[float], object],
    ) -> None:
        """Take the parts; `sleep` is in seconds."""
        self._refunds = refunds
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
                ("GET", "/v1/payments", lambda r: book.find_payments(r.query)),
                ("GET", "/v1/settlements/recon/combined", lambda r: settlements.report(r.query)),
                ("POST", "/v1/payments/create/upi", lambda r: book.create_upi_payment(r.body())),
                ("GET", f"/v1/payments/{one}", lambda _, i: book.get_payment(i)),
                ("POST", f"/v1/payments/{one}/refund", lambda r, i: refunds.create(i, r.body(), _refund_key(r))),
                ("GET", f"/v1/payments/{one}/refunds", lambda r, i: refunds.of_payment(i, r.query)),
                ("GET", f"/v1/refunds/{one}", lambda _, i: refunds.get(i)),
                ("POST", "/v1/payouts", lambda r: payouts.create(r.body(), r.headers.get(KEY_HEADER))),
                ("GET", "/v1/payouts", lambda r: payouts.find(r.query)),
                ("GET", f"/v1/payouts/{one}", lambda _, i: payouts.get(i)),
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
        try:
            with self._refunds.running(_refund_key(request)):
                if fault.mode == "slow":
                    self._sleep(fault.seconds)
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
    """`/simulator/…`: what no real gateway has. No authentication, so it listens on the loopback only.

    The server lets no page of another site in (`strangers`).
    """

    def __init__(  # noqa: PLR0917 - the parts, each of a type of its own
        self,
        person: Person,
        refunds: Refunds,
        disputes: Disputes,
        payouts: Payouts,
        settlements: Settlements,
        messages: Messages,
        screen: Screen,
        outbox: Outbox,
        faults: Faults,
    ) -> None:
        """Take the parts."""
        self._outbox = outbox
        self._faults = faults
        one = "([^/]+)"
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Reply]]] = [
            (method, re.compile(f"/simulator/{pattern}"), handler)
            for method, pattern, handler in (
                ("GET", "inbox", lambda r: Reply(200, screen.inbox(r.query))),
                ("GET", "orders", lambda r: Reply(200, screen.orders(r.query))),
                ("GET", f"orders/{one}", lambda _, i: Reply(200, screen.order(i))),
                ("POST", f"orders/{one}/pay", lambda r, i: Reply(200, person.play(i, Play.read(r.body())))),
                ("POST", f"payments/{one}/refund", lambda r, i: Reply(200, refunds.begin_at_dashboard(i, r.body()))),
                ("POST", f"refunds/{one}", lambda r, i: Reply(200, refunds.end(i, r.body()))),
                ("POST", f"payments/{one}/dispute", lambda r, i: Reply(200, disputes.begin(i, r.body()))),
                ("POST", f"disputes/{one}", lambda r, i: Reply(200, disputes.go_on(i, r.body()))),
                ("PUT", "refunds", lambda r: Reply(200, refunds.answer_from_now_on(r.body()))),
                ("POST", "settlements", lambda r: Reply(200, settlements.settle(r.body()))),
                ("GET", "payouts", lambda _: Reply(200, payouts.balance())),
                ("PUT", "payouts/balance", lambda r: Reply(200, payouts.set_balance(r.body()))),
                ("POST", f"payouts/{one}", lambda r, i: Reply(200, payouts.end(i, End.read(r.body())))),
                ("POST", "webhook", lambda r: self._aim(r.body())),
                ("PUT", "webhook", lambda r: self._aim(r.body())),
                ("POST", "faults", lambda r: self._set_fault(r.body())),
                ("GET", "messages", lambda r: Reply(200, messages.of(r.query))),
                ("GET", "deliveries", lambda r: self._deliveries(r.query)),
            )
        ]

    def answer(self, request: Request) -> Reply:
        """Answer; 422 names the field that is wrong."""
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found and method == request.method:
                try:
                    return handler(request, *found.groups())
                except tuple(_SAID) as error:
                    status, sentence = _SAID[type(error)]
                    return _said(status, sentence or str(error))
        return _said(404, "there is nothing at this URL")

    def _set_fault(self, body: Json) -> Reply:
        fault = Fault.read(body)
        self._faults.set(fault)
        return Reply(200, {"mode": fault.mode})

    def _deliveries(self, query: dict[str, str]) -> Reply:
        return Reply(200, {"deliveries": self._outbox.deliveries(query.get("order_id"))})

    def _aim(self, body: Json) -> Reply:
        url, secret, channel = body.get("url"), body.get("secret"), body.get("channel", PAYMENTS)
        if set(body) - {"channel"} != {"url", "secret"} or not isinstance(url, str) or not isinstance(secret, str):
            return _said(422, "a webhook is a url and a secret, both texts, and perhaps a channel")
        if not isinstance(channel, str) or channel not in CHANNELS:
            return _said(422, f"channel must be one of {', '.join(CHANNELS)}")
        try:
            self._outbox.aim(url, secret, channel)
        except ValueError as error:
            return _said(422, str(error))
        return Reply(200, {"url": url})


def _refund_key(request: Request) -> str | None:
    return request.headers.get("x-refund-idempotency")


def _said(status: int, sentence: str) -> Reply:
    return Reply(status, {"error": sentence})
