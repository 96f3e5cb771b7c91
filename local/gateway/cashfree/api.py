"""Which method of the book answers which request, under `/pg`."""

import hmac
import re
from collections.abc import Callable

from local.gateway.cashfree import fields
from local.gateway.cashfree.book import CashfreeBook
from local.gateway.cashfree.failures import CashfreeError
from local.gateway.faults import Faults
from local.gateway.shapes import Json
from local.gateway.talk import Reply, Request

_VERSION = "2025-01-01"

Handler = Callable[..., Json | list[Json]]


class Api:
    """Cashfree's API: authenticated, and subject to the same faults as the other one."""

    def __init__(
        self,
        book: CashfreeBook,
        faults: Faults,
        *,
        client_id: str,
        client_secret: str,
        sleep: Callable[[float], object],
    ) -> None:
        """Take the parts; `sleep` is in seconds."""
        self._faults = faults
        self._sleep = sleep
        self._credentials = {"x-client-id": client_id, "x-client-secret": client_secret}
        one = "([^/]+)"
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(f"/pg/orders{pattern}"), handler)
            for method, pattern, handler in (
                ("POST", "", lambda r: book.create_order(fields.body_of(r.raw_body), _key(r))),
                ("POST", "/sessions", lambda r: book.begin_session(fields.body_of(r.raw_body), _key(r))),
                ("GET", f"/{one}", lambda _, i: book.get_order(i)),
                ("GET", f"/{one}/payments", lambda _, i: book.payments_of(i)),
                ("POST", f"/{one}/refunds", lambda r, i: book.refund(i, fields.body_of(r.raw_body), _key(r))),
                ("GET", f"/{one}/refunds", lambda _, i: book.refunds_of(i)),
                ("GET", f"/{one}/refunds/{one}", lambda _, i, refund_id: book.get_refund(i, refund_id)),
            )
        ]

    def answer(self, request: Request) -> Reply:
        """Answer, as well as the fault in force allows."""
        fault = self._faults.strike(request.method, request.path)
        if fault.mode == "down":
            return _refusal(CashfreeError("api is down", status=503, code="api_unavailable", kind="api_error"))
        if fault.mode == "rate_limited":
            error = CashfreeError("Too many requests", status=429, code="request_failed", kind="rate_limit_error")
            return _refusal(error, (("x-ratelimit-retry", str(round(fault.seconds))),))
        if fault.mode == "slow":
            self._sleep(fault.seconds)
        try:
            reply = Reply(200, self._carry_out(request))
        except CashfreeError as error:
            reply = _refusal(error)
        return Reply(reply.status, reply.body, dropped=fault.mode == "drop_answer")

    def _carry_out(self, request: Request) -> Json | list[Json]:
        if request.headers.get("x-api-version") != _VERSION:
            raise CashfreeError("version is not present or is invalid", code="version_invalid")
        for name, right in self._credentials.items():
            if not hmac.compare_digest(request.headers.get(name, "").encode(), right.encode()):
                kind = "authentication_error"
                raise CashfreeError("authentication Failed", status=401, code="request_failed", kind=kind)
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found and method == request.method:
                return handler(request, *found.groups())
        raise CashfreeError("bad URL, please check API documentation", status=404, code="request_failed")


def _key(request: Request) -> str | None:
    return fields.key(request.headers.get("x-idempotency-key"))


def _refusal(error: CashfreeError, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply(error.status, error.body, headers)
