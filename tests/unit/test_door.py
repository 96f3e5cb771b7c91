"""A door answers whatever comes, tells nothing of its inside, and logs no secret."""

import json
import re
from typing import Any

import pytest

from tests.unit import template as templates
from tests.unit.calls import CALLER, REQUEST_ID, Context, call, door, event, signed_in
from tests.unit.conftest import LogLines
from wallet.edge.cookies import NAME
from wallet.edge.door import Door
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import Route
from wallet.edge.statuses import TryAgainError
from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.database import DatabaseUnavailableError

PASSWORD, TOKEN = "correct horse battery", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJl"


def raising(accident: Exception) -> Door:
    def handle(_: Request) -> Response[Any]:
        raise accident

    return Door(Route("POST /payments", handle))


def answering(response: Response[Any]) -> Door:
    return Door(Route("POST /payments", lambda _: response))


@pytest.mark.parametrize(
    ("accident", "status", "code"),
    [
        (Refused(Refusal.INSUFFICIENT_FUNDS), 402, "insufficient_funds"),
        (DatabaseUnavailableError("error 2013"), 503, "try_again"),
        (TryAgainError("no table"), 503, "try_again"),
        (GatewayUnavailableError("no answer"), 502, "gateway_unavailable"),
        (ValueError("a bug"), 500, "internal_error"),
        (RecursionError("a deep bug"), 500, "internal_error"),
        (MemoryError(), 500, "internal_error"),
        (AssertionError("a broken promise"), 500, "internal_error"),
    ],
)
def test_whatever_happens_is_answered(accident: Exception, status: int, code: str) -> None:
    answer, problem = call(raising(accident), event())
    assert (answer["statusCode"], problem["code"]) == (status, code)
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert answer["headers"]["X-Request-Id"] == problem["request_id"] == REQUEST_ID
    assert answer["headers"]["Cache-Control"] == "no-store"


@pytest.mark.parametrize("route", ["GET /payments", "POST /payments/{id}", "DELETE /payments", "POST /"])
def test_a_route_that_the_door_does_not_know_is_not_found(route: str) -> None:
    answer, problem = call(answering(Response(200, {})), event(route))
    assert (answer["statusCode"], problem["code"]) == (404, "not_found")


def test_an_event_of_no_api_is_not_found() -> None:
    answer, problem = call(answering(Response(200, {})), {})
    assert (answer["statusCode"], problem["code"]) == (404, "not_found")


def test_without_an_id_of_api_gateways_a_request_has_lambdas() -> None:
    told = event()
    del told["requestContext"]
    answer, _ = call(answering(Response(200, {})), told)
    assert answer["headers"]["X-Request-Id"] == Context().aws_request_id


def test_a_request_is_one_line_in_the_log(log_lines: LogLines) -> None:
    call(answering(Response(201, {}, {"Idempotency-Replayed": "true"})), event(authorizer=signed_in()))
    [line] = log_lines()
    assert line["message"] == "request"
    assert line["request_id"] == REQUEST_ID
    assert line["route"] == "POST /payments"
    assert line["status"] == 201
    assert line["replayed"] is True
    assert line["user_id"] == ids.show(ids.USER, CALLER)
    assert isinstance(line["ms"], int)


def test_a_refusal_is_logged_by_its_code_and_not_as_an_accident(log_lines: LogLines) -> None:
    call(raising(Refused(Refusal.INSUFFICIENT_FUNDS)), event())
    [line] = log_lines()
    assert (line["level"], line["code"]) == ("INFO", "insufficient_funds")


def test_an_accident_is_logged_with_what_happened(log_lines: LogLines) -> None:
    call(raising(ValueError("a bug")), event())
    accident, _ = log_lines()
    assert (accident["level"], accident["message"], accident["request_id"]) == ("ERROR", "accident", REQUEST_ID)
    assert "ValueError: a bug" in accident["exception"]


def test_an_outage_is_a_warning_and_no_accident(log_lines: LogLines) -> None:
    call(raising(DatabaseUnavailableError("error 2013")), event())
    outage, _ = log_lines()
    assert (outage["level"], outage["error"], outage["reason"]) == ("WARNING", "DatabaseUnavailableError", "error 2013")


def test_refused_keys_are_an_outage_to_the_caller_and_an_alarm_to_us(log_lines: LogLines) -> None:
    answer, body = call(raising(GatewayRejectedError(http_status=401, reason="NA")), event())
    assert (answer["statusCode"], body["code"]) == (502, "gateway_unavailable")
    told, _ = log_lines()
    assert (told["level"], told["message"]) == ("ERROR", "keys_refused")


@pytest.mark.parametrize(
    "response",
    [
        Response(200, {"access_token": TOKEN}),
        Refused(Refusal.INVALID_CREDENTIALS),
        DatabaseUnavailableError("error 2013"),
        ValueError("a bug"),
    ],
    ids=["answered", "refused", "without a database", "broken"],
)
def test_no_header_no_body_and_no_address_is_logged(response: Response[Any] | Exception, log_lines: LogLines) -> None:
    handler = answering(response) if isinstance(response, Response) else raising(response)
    told = event(
        headers={"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "a-key-of-mine", "Cookie": "sid=77"},
        body={"phone": "+919876543210", "password": PASSWORD},
        query={"q": ["a-query"]},
    )
    call(handler, told)
    written = json.dumps(log_lines())
    for private in (TOKEN, "a-key-of-mine", "sid=77", PASSWORD, "9876543210", "a-query", "203.0.113.9"):
        assert private not in written


# --------------------------------------------------------------------------------- the doors that there are

# Which folder answers what, as the template has it.
ROUTES = [
    (re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Function")).lower(), route, properties)
    for name, function in templates.functions(templates.load()).items()
    for route, properties in templates.routes(function).items()
]
SIGNED_IN_ROUTES = [(name, route) for name, route, properties in ROUTES if "Auth" not in properties]
# those of one's own account and those that ask for money move none
MOVES_NOTHING = ("POST /me/", "POST /confirmations/", "POST /passkeys", "POST /payment-requests")
KEYED_ROUTES = [
    (name, route)
    for name, route in SIGNED_IN_ROUTES
    if route.startswith("POST") and not route.startswith(MOVES_NOTHING)
]
BODY_ROUTES = [
    ("register", "POST /register"),
    ("login", "POST /login"),
    ("login", "POST /token"),
    ("login", "POST /logout"),
    ("session", "POST /session"),
    ("phone_proofs", "POST /phone-proofs"),
    ("phone_proofs", "POST /phone-proofs/{id}"),
    ("passkey_proofs", "POST /passkey-proofs/options"),
    ("passkey_proofs", "POST /passkey-proofs"),
    ("password_resets", "POST /password-resets"),
    ("me", "POST /me/password"),
    ("me", "PATCH /me"),
    ("me", "POST /me/phone"),
    ("own_freeze", "POST /me/unfreeze"),
    ("top_up", "POST /top-ups"),
    ("pay", "POST /payments"),
    ("hold", "POST /holds"),
    ("withdraw", "POST /withdrawals"),
    ("confirmations", "POST /confirmations/{id}"),
]
PREFIXES = {
    "top-ups": ids.TOP_UP,
    "payments": ids.PAYMENT,
    "holds": ids.HOLD,
    "withdrawals": ids.WITHDRAWAL,
    "sessions": ids.SESSION,
    "phone-proofs": ids.PHONE_PROOF,
    "confirmations": ids.CONFIRMATION,
    "passkeys": ids.PASSKEY,
}


def good_path(route: str) -> dict[str, str]:
    return {"id": ids.show(PREFIXES.get(route.split("/")[1], ids.BULK_PAYMENT), CALLER)} if "{id}" in route else {}


@pytest.mark.parametrize(("name", "route"), SIGNED_IN_ROUTES)
def test_a_route_left_open_by_mistake_lets_nobody_in(name: str, route: str) -> None:
    """A handler without the authorizer's word refuses, whatever else the request says."""
    told = event(
        route,
        headers={"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "k"},
        path=good_path(route),
        body={"amount": 100, "to": {"phone": "+919876543210"}},
    )
    answer, problem = call(door(name).handler, told)
    assert (answer["statusCode"], problem["code"]) == (401, "missing_token")


@pytest.mark.parametrize(("name", "route"), SIGNED_IN_ROUTES)
def test_a_token_that_api_gateway_remembers_too_long_is_refused(name: str, route: str) -> None:
    told = event(route, headers={"Idempotency-Key": "k"}, path=good_path(route), authorizer=signed_in(seconds=-1))
    answer, problem = call(door(name).handler, told)
    assert (answer["statusCode"], problem["code"]) == (401, "invalid_token")


@pytest.mark.parametrize(("name", "route"), KEYED_ROUTES)
def test_money_needs_a_key(name: str, route: str) -> None:
    answer, problem = call(door(name).handler, event(route, body={"amount": 100}, authorizer=signed_in()))
    assert (answer["statusCode"], problem["code"]) == (400, "idempotency_key_required")


@pytest.mark.parametrize(("name", "route"), BODY_ROUTES)
@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        ("{}", "text/xml", (415, "unsupported_media_type")),
        ("x" * 20_000, "application/json", (413, "request_too_large")),
        ("{", "application/json", (400, "malformed_body")),
        (None, "application/json", (400, "malformed_body")),
        ("{}", "application/json", (422, "invalid_request")),
        ("[]", "application/json", (422, "invalid_request")),
    ],
)
def test_a_bad_body_is_refused_at_every_door_before_anything_is_asked_of_the_database(
    name: str, route: str, body: str | None, content_type: str, said: tuple[int, str]
) -> None:
    headers = {"Content-Type": content_type, "Idempotency-Key": "k", "X-Wallet": "1"}
    told = event(route, body=body, headers=headers, path=good_path(route), authorizer=signed_in())
    answer, problem = call(door(name).handler, told)
    assert (answer["statusCode"], problem["code"]) == said


@pytest.mark.parametrize("route", ["POST /session", "POST /session/token", "DELETE /session"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Wallet": ""},
        {"X-Wallet": "true"},
        {"X-Wallet": "1", "Sec-Fetch-Site": "cross-site"},
        {"X-Wallet": "1", "Sec-Fetch-Site": "same-site"},
        {"X-Wallet": "1", "Sec-Fetch-Site": "none"},
    ],
)
def test_a_browsers_session_is_for_pages_of_this_site_before_anything_else_is_looked_at(
    route: str, headers: dict[str, str]
) -> None:
    told = event(route, body="{", headers={"Content-Type": "application/json", "Cookie": f"{NAME}=rt_x"} | headers)
    answer, problem = call(door("session").handler, told)
    assert (answer["statusCode"], problem["code"]) == (403, "cross_site")


@pytest.mark.parametrize("route", ["POST /session/token", "DELETE /session"])
@pytest.mark.parametrize("cookie", [None, "", "other=rt_x", f"{NAME}=", f"x{NAME}=rt_x", "=", ";;;"])
def test_without_the_cookie_there_is_no_session(route: str, cookie: str | None) -> None:
    headers = {"Content-Type": "application/json", "X-Wallet": "1"} | ({} if cookie is None else {"Cookie": cookie})
    answer, problem = call(door("session").handler, event(route, body="{}", headers=headers))
    assert (answer["statusCode"], problem["code"]) == (401, "missing_token")


@pytest.mark.parametrize(("name", "route"), [case for case in SIGNED_IN_ROUTES if re.search("^GET.*{id}$", case[1])])
@pytest.mark.parametrize("text", ["", "x", ids.show(ids.WALLET, CALLER), "' OR 1=1"])
def test_an_id_that_is_none_is_not_found(name: str, route: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wallet.wiring.database", lambda: None)
    answer, problem = call(door(name).handler, event(route, path={"id": text}, authorizer=signed_in()))
    assert (answer["statusCode"], problem["code"]) == (404, "not_found")


def test_a_gateway_that_is_not_connected_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY", "razorpay")
    told = event("POST /webhooks/{gateway}", path={"gateway": "cashfree"}, body="{}")
    answer, problem = call(door("webhook").handler, told)
    assert (answer["statusCode"], problem["code"]) == (404, "unknown_gateway")


def test_a_door_without_its_settings_says_only_that_it_is_broken(
    monkeypatch: pytest.MonkeyPatch, log_lines: LogLines
) -> None:
    monkeypatch.delenv("DATABASE_SECRET", raising=False)
    answer, problem = call(door("balance").handler, event("GET /wallet", authorizer=signed_in()))
    assert (answer["statusCode"], problem["code"]) == (500, "internal_error")
    assert "DATABASE" not in json.dumps(answer)
    assert "DATABASE_SECRET is not set" in log_lines()[0]["exception"]


# Each makes a payment wrong in one way; together they show which refusal comes first.
WRONGS: list[tuple[str, dict[str, object]]] = [
    ("not_found", {"route": "POST /nowhere"}),
    ("missing_token", {"authorizer": None}),
    ("idempotency_key_required", {"headers": {}}),
    ("request_too_large", {"body": "x" * 20_000}),
    ("malformed_body", {"body": "{"}),
    ("invalid_request", {"body": "{}"}),
]


@pytest.mark.parametrize("second", range(len(WRONGS)))
@pytest.mark.parametrize("first", range(len(WRONGS)))
def test_of_two_wrongs_the_first_of_the_list_is_told(first: int, second: int) -> None:
    if first >= second:
        return
    told: dict[str, object] = {"headers": {"Idempotency-Key": "k"}, "authorizer": signed_in(), "body": '{"amount": 1}'}
    told |= WRONGS[second][1] | WRONGS[first][1]
    route = str(told.pop("route", "POST /payments"))
    _, problem = call(door("pay").handler, event(route, **told))  # type: ignore[arg-type]  # built from a table
    assert problem["code"] == WRONGS[first][0]
