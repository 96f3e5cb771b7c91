"""Pages of other origins: those that the deployment lists may call the API, without cookies, and no others may."""

import re

import pytest

from tests.support.client import Answer, Api, new_key
from tests.support.problems import common_headers, problem

FIRST, SECOND = "https://app.example", "http://localhost:5173"
OTHERS = [
    "https://evil.example",
    "https://app.example.evil.example",
    "https://evil-app.example",
    "https://app.example:8443",
    "http://app.example",
    "HTTPS://APP.EXAMPLE",
    "https://app.example/",
    "https://app.example,https://evil.example",
    f"{FIRST},{SECOND}",
    "http://localhost",
    "null",
    "*",
    "",
]


def cors(answer: Answer) -> dict[str, str]:
    """What an answer tells a browser of origins."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def preflight(api: Api, origin: str, path: str, method: str, headers: str) -> Answer:
    """What a browser asks before a request that a form could not send: without a token."""
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return api.call("OPTIONS", path, headers=asked)


def lets(answer: Answer, origin: str, method: str, headers: str) -> bool:
    """Whether a browser sends the request after this preflight, as the Fetch standard has it, without credentials."""
    told = cors(answer)
    allowed = {name.strip().lower() for name in told.get("access-control-allow-headers", "").split(",")}
    return (
        answer.status in range(200, 300)
        and told.get("access-control-allow-origin") == origin
        and method in re.split(", *", told.get("access-control-allow-methods", ""))
        and {name.strip().lower() for name in headers.split(",") if name} <= allowed
    )


@pytest.mark.parametrize("origin", [FIRST, SECOND])
def test_a_page_of_a_listed_origin_pays_and_reads_what_came_of_it(api: Api, origin: str) -> None:
    payer, payee = api.person(money=50_000), api.person()
    sent = "authorization,content-type,idempotency-key"
    asked = preflight(api, origin, "/payments", "POST", sent)
    assert lets(asked, origin, "POST", sent), asked.headers
    assert asked.headers["access-control-max-age"] == "7200"
    common_headers(asked)
    told, key = {"to": {"wallet_id": payee.wallet_id}, "amount": 100}, new_key()
    for replayed in (None, "true"):
        paid = api.call("POST", "/payments", told, token=payer.token, key=key, headers={"Origin": origin})
        assert paid.status == 201, paid.text
        assert paid.headers.get("idempotency-replayed") == replayed
        assert paid.headers["access-control-allow-origin"] == origin
        exposed = set(re.split(", *", paid.headers["access-control-expose-headers"]))
        assert exposed == {"ETag", "Idempotency-Replayed", "Link", "Retry-After", "X-Request-Id"}
        assert paid.headers["vary"] == "Origin"
    refused = api.call("POST", "/payments", told, token=payer.token, headers={"Origin": origin})
    problem(refused, 400, "idempotency_key_required")
    assert refused.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/wallet", "GET"),
        ("/top-ups/top_x", "GET"),
        ("/wallet/transactions?limit=1", "GET"),
        ("/login", "POST"),
        ("/me", "PATCH"),
        ("/sessions/ses_x", "DELETE"),
        ("/holds/hld_x/capture", "POST"),
    ],
)
def test_each_kind_of_route_has_a_preflight(api: Api, path: str, method: str) -> None:
    sent = "authorization,content-type,if-none-match,accept"
    assert lets(preflight(api, FIRST, path, method, sent), FIRST, method, sent)


@pytest.mark.parametrize("origin", OTHERS)
def test_no_other_origin_is_let_through_or_named_in_an_answer(api: Api, origin: str) -> None:
    person = api.person()
    asked = preflight(api, origin, "/wallet", "GET", "authorization")
    assert "access-control-allow-origin" not in asked.headers
    answer = api.call("GET", "/wallet", token=person.token, headers={"Origin": origin})
    assert answer.status == 200, answer.text
    assert cors(answer) == {}
    assert asked.headers["vary"] == answer.headers["vary"] == "Origin"


def test_what_api_gateway_answers_itself_is_for_the_first_origin_and_echoes_none(api: Api) -> None:
    """It can't compare: a page of another listed origin sees such an answer as if the network had failed."""
    for origin in (FIRST, SECOND, "https://evil.example", "null"):
        for path, status, code in (("/wallet", 401, "missing_token"), ("/nothing", 404, "not_found")):
            answer = api.call("GET", path, headers={"Origin": origin})
            problem(answer, status, code)
            assert answer.headers["access-control-allow-origin"] == FIRST
            assert "X-Request-Id" in answer.headers["access-control-expose-headers"]
            assert answer.headers["vary"] == "Origin"
        denied = api.call("GET", "/wallet", token="eyJh.eyJz.c2ln", headers={"Origin": origin})
        problem(denied, 401, "invalid_token")
        assert denied.headers["access-control-allow-origin"] == FIRST


def test_a_browsers_session_stays_with_the_wallets_own_site(api: Api) -> None:
    """A listed origin's page can't send what a session is asked for with, nor a cookie, and is refused if it could."""
    for path in ("/session", "/session/token"):
        asked = preflight(api, FIRST, path, "POST", "content-type,x-wallet")
        assert not lets(asked, FIRST, "POST", "content-type,x-wallet")
        for site in ("cross-site", "same-site"):
            headers = {"Origin": FIRST, "Sec-Fetch-Site": site, "X-Wallet": "1", "Cookie": "__Host-Http-wallet=rt_x"}
            answer = api.call("POST", path, {}, headers=headers)
            problem(answer, 403, "cross_site")
            assert "access-control-allow-credentials" not in answer.headers
        problem(api.call("POST", path, {}, headers={"Origin": FIRST}), 403, "cross_site")


def test_other_methods_that_no_route_has_stay_unknown(api: Api) -> None:
    """The one that answers preflights takes nothing else."""
    for method, path in (("PUT", "/wallet"), ("DELETE", "/payments"), ("GET", "/wallet/nothing"), ("POST", "/x/y/z")):
        problem(api.call(method, path), 404, "not_found")
