"""Pages of other origins: only those that are listed are named, in every answer, and none has cookies."""

from types import ModuleType
from typing import Any

import pytest

from tests.unit.calls import call, door, event
from wallet.edge.cookies import NAME
from wallet.edge.cors import EXPOSED, PREFLIGHT, cors_headers
from wallet.edge.door import Door
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import Route
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.database import DatabaseUnavailableError

APP, LOCAL = "https://app.example", "http://localhost:5173"
LISTED = (APP, LOCAL)
NEARLY = [
    None,
    "",
    "null",
    "*",
    "https://app.exampl",
    "https://app.example.evil.example",
    "https://evil.example/https://app.example",
    "https://evilapp.example",
    "https://app.example:443",
    "https://app.example/",
    "http://app.example",
    "HTTPS://APP.EXAMPLE",
    "https://App.example",
    " https://app.example",
    "https://app.example ",
    f"{APP},{LOCAL}",
    f"{APP}, https://evil.example",
    f"{APP}\r\nSet-Cookie: a=b",
    f"{APP}\n",
    f"{APP}\x00",
    "http://localhost",
    "https://app.example" * 500,
]


@pytest.fixture
def preflight(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The function that answers preflights, where two origins are listed."""
    monkeypatch.setenv("ALLOWED_ORIGINS", ",".join(LISTED))
    return door("preflight")


@pytest.mark.parametrize("origin", LISTED)
def test_a_listed_origin_is_named_and_told_what_its_pages_may_read(origin: str) -> None:
    assert cors_headers(origin, LISTED) == {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": EXPOSED,
    }


@pytest.mark.parametrize("origin", NEARLY)
def test_what_is_nearly_a_listed_origin_is_none_and_nothing_of_it_is_echoed(origin: str | None) -> None:
    assert cors_headers(origin, LISTED) == {"Vary": "Origin"}


@pytest.mark.parametrize("origin", [*LISTED, *NEARLY])
def test_where_none_is_listed_there_is_no_header(origin: str | None) -> None:
    assert cors_headers(origin, ()) == {}


@pytest.mark.parametrize(
    "outcome",
    [
        Response(200, {}, {"ETag": 'W/"x"'}),
        Response(204, None),
        Response(304, None),
        Refused(Refusal.INSUFFICIENT_FUNDS),
        DatabaseUnavailableError("error 2013"),
        ValueError("a bug"),
    ],
    ids=lambda outcome: str(getattr(outcome, "status", type(outcome).__name__)),
)
@pytest.mark.parametrize("listed", [LISTED, ()], ids=["listed", "none is"])
def test_every_answer_has_the_headers_whatever_happened(
    outcome: Response[Any] | Exception, listed: tuple[str, ...]
) -> None:
    def handle(_: Request) -> Response[Any]:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    handler = Door(Route("POST /payments", handle), allowed_origins=lambda: listed)
    answer, _ = call(handler, event(headers={"origin": APP}))
    found = {name: answer["headers"].get(name) for name in cors_headers(APP, LISTED)}
    assert {name: value for name, value in found.items() if value} == cors_headers(APP, listed)
    assert "Access-Control-Allow-Credentials" not in answer["headers"]


def test_two_origins_in_one_request_are_none() -> None:
    told = event(headers={"Origin": APP})
    told["multiValueHeaders"] = {"Origin": [APP, "https://evil.example"]}
    answer, _ = call(Door(allowed_origins=lambda: LISTED), told)
    assert "Access-Control-Allow-Origin" not in answer["headers"]


def test_a_preflight_is_answered_without_a_token_and_without_a_body(preflight: ModuleType) -> None:
    asked = event("OPTIONS /{proxy+}", path={"proxy": "payments"}, query={"x": ["1"]}, headers={"Origin": APP})
    answer, _ = call(preflight.handler, asked)
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert PREFLIGHT.items() <= answer["headers"].items()
    assert answer["headers"]["Access-Control-Allow-Origin"] == APP
    assert "Access-Control-Allow-Credentials" not in answer["headers"]


@pytest.mark.parametrize("origin", [origin for origin in NEARLY if origin is not None])
def test_a_preflight_of_any_other_origin_lets_nothing_through(preflight: ModuleType, origin: str) -> None:
    answer, _ = call(preflight.handler, event("OPTIONS /{proxy+}", headers={"Origin": origin}))
    assert "Access-Control-Allow-Origin" not in answer["headers"]
    assert answer["headers"]["Vary"] == "Origin"


def test_no_page_of_another_origin_may_send_what_a_browsers_session_is_asked_for_with() -> None:
    sent = {name.strip().lower() for name in PREFLIGHT["Access-Control-Allow-Headers"].split(",")}
    assert not sent & {"x-wallet", "cookie", "x-origin-verify", "*"}


@pytest.mark.parametrize("route", ["POST /session", "POST /session/token", "DELETE /session"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_listed_origin_is_still_another_site_to_a_browsers_session(
    monkeypatch: pytest.MonkeyPatch, route: str, site: str
) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", APP)
    headers = {"Origin": APP, "X-Wallet": "1", "Sec-Fetch-Site": site, "Cookie": f"{NAME}=rt_x"}
    answer, problem = call(door("session").handler, event(route, headers=headers))
    assert (answer["statusCode"], problem["code"]) == (403, "cross_site")
