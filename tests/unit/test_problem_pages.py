"""Every problem's `type` leads to a page that explains it, wherever the API answers."""

import json
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.unit import template as templates
from tests.unit.calls import ROOT, call, door, event
from tests.unit.test_template import RESPONSES, answered
from wallet.edge import statuses
from wallet.edge.problem_pages import PAGES, document, own_address

TITLES = {problem.code: problem.title for problem in statuses.REFUSALS.values()} | {
    problem.code: problem.title
    for problem in (statuses.TRY_AGAIN, statuses.GATEWAY_UNAVAILABLE, statuses.INTERNAL_ERROR)
}


def test_there_is_a_page_for_each_code_and_no_other() -> None:
    by_api_gateway = {answered(kind)["code"]: answered(kind)["title"] for kind in RESPONSES}
    assert {code: page.title for code, page in PAGES.items()} == by_api_gateway | TITLES


@pytest.mark.parametrize("code", PAGES)
def test_a_page_says_what_happened_and_what_to_do(code: str) -> None:
    page = PAGES[code]
    assert page.happened.endswith(".")
    assert page.then.endswith(".")


def test_the_document_says_the_same_as_the_pages() -> None:
    """Written by `document()`: put its text there when a page has changed."""
    assert (ROOT / "docs/problems.md").read_text(encoding="utf-8") == document()


# ------------------------------------------------------------------------------------------- the address


def asked(route: str, path: str, *, domain: str | None = "abc.execute-api.ap-south-1.amazonaws.com") -> dict[str, Any]:
    told = event(route)
    told["requestContext"] |= {"path": path} | ({"domainName": domain} if domain else {})
    return told


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("POST /payments", "/v1/payments"),
        ("GET /payments/{id}", "/v1/payments/pay_1"),
        ("POST /payments/{id}/refunds", "/v1/payments/pay_1/refunds"),
        ("GET /wallet/transactions/{id}/proof", "/v1/wallet/transactions/txn_1/proof"),
        ("GET /wallet", "/v1/wallet/"),
    ],
)
def test_the_same_problem_has_the_same_address_on_every_route(route: str, path: str) -> None:
    assert own_address(asked(route, path)) == "https://abc.execute-api.ap-south-1.amazonaws.com/v1/problems/"


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("/payments/pay_1", "https://api.wallet.example/problems/"),
        ("/money/v1/payments/pay_1", "https://api.wallet.example/money/v1/problems/"),
    ],
)
def test_a_domain_of_ones_own_is_named_with_the_path_that_it_maps(path: str, address: str) -> None:
    assert own_address(asked("GET /payments/{id}", path, domain="api.wallet.example")) == address


@pytest.mark.parametrize(
    ("route", "path"),
    [("POST /payments", "/payments"), ("POST /payments/{id}/refunds", "/payments/pay_1/refunds")],
)
def test_without_a_domain_the_address_is_relative_to_the_requests(route: str, path: str) -> None:
    """An emulator's API lies under a path that it doesn't tell."""
    api = "http://127.0.0.1:4566/_aws/execute-api/abc/v1"
    address = own_address(asked(route, f"/v1{path}", domain=None))
    assert urljoin(api + path, address + "not_found") == f"{api}/problems/not_found"


def test_an_event_of_no_api_has_an_address_too() -> None:
    assert own_address({}).endswith("/problems/")


@pytest.mark.parametrize("base", ["https://docs.example/problems#", "https://wallet.example/problems/"])
def test_a_deployment_may_name_another_place(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBLEM_BASE_URL", base)
    _, problem = call(door("pay").handler, asked("POST /payments", "/v1/payments"))
    assert problem["type"] == f"{base}missing_token"


@pytest.mark.parametrize(
    ("name", "route"),
    [
        (folder, route)
        for folder, function in (
            (
                path.parent.name,
                templates.functions(templates.load())[f"{path.parent.name.title().replace('_', '')}Function"],
            )
            for path in sorted((ROOT / "functions").glob("*/app.py"))
        )
        for route in templates.routes(function)
        if folder != "preflight"  # which refuses nothing
    ],
)
def test_every_route_says_where_its_problems_are_explained(
    name: str, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROBLEM_BASE_URL", "https://wallet.example/problems/")
    told = event(route, query={"unheard_of": ["1"]}, body="{", path={"gateway": "none", "code": "none"})
    monkeypatch.setenv("GATEWAY", "razorpay")
    _, problem = call(door(name).handler, told)
    assert problem["type"] == f"https://wallet.example/problems/{problem['code']}"


# ---------------------------------------------------------------------------------------------- the page


@pytest.mark.parametrize("code", PAGES)
def test_the_address_is_answered_with_the_page(code: str) -> None:
    answer = door("problems").handler(event("GET /problems/{code}", path={"code": code}), None)
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f"<code>{code}</code>" in answer["body"]
    assert f"<h1>{PAGES[code].title}</h1>" in answer["body"]


@pytest.mark.parametrize("code", ["", "none", "NOT_FOUND", "../wallet", "<script>"])
def test_a_code_that_there_is_not_is_a_problem_itself(code: str) -> None:
    answer, problem = call(door("problems").handler, event("GET /problems/{code}", path={"code": code}))
    assert (answer["statusCode"], problem["code"]) == (404, "not_found")
    assert "script" not in json.dumps(problem)
