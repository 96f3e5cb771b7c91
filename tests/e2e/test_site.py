"""The site as browsers are served it: pages, their headers, the API beside them, and nobody else's names."""

import json
import re
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urljoin

import pytest
import urllib3

from local.state import ROOT
from tests.support.client import PASSWORD, Api, answer_of
from tests.support.problems import problem

#: The screens' addresses, as the sources have them; the first is the site's root.
SCREENS = re.findall(r'^  "([a-z-]*)",$', (ROOT / "web" / "src" / "addresses.ts").read_text(), re.MULTILINE)


def fetched(api: Api, path: str, method: str = "GET", **more: Any) -> urllib3.BaseHTTPResponse:
    return api.pool.request(method, api.stack["web_url"] + path, redirect=False, **more)


@pytest.mark.parametrize("screen", SCREENS)
def test_each_screen_has_an_address_that_can_be_opened(api: Api, screen: str) -> None:
    page = fetched(api, f"/{screen}")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    # the one page, which names the script that is this screen's alone
    said = page.data.decode()
    own = re.findall(rf'modulepreload" crossorigin href="(/assets/{screen}-[^"]+[.]js)"', said)
    assert len(own) == (screen not in ("", "pay", "sign-in"))
    assert all(fetched(api, script).status == 200 for script in own)
    assert re.sub(r" *<link rel=.modulepreload.*\n", "", said) == fetched(api, "/").data.decode()


@pytest.mark.parametrize("path", ["/no-such-screen", "/pay.html", "/docs/no-such-page"])
def test_what_is_no_screen_is_not_found(api: Api, path: str) -> None:
    page = fetched(api, path)
    assert (page.status, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; ")
    assert "There is no such page." in page.data.decode()


def test_pages_name_nothing_but_the_sites_own_files_and_those_never_change(api: Api) -> None:
    page = fetched(api, "/").data.decode()
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len([name for name in named if name.startswith("/assets/")]) >= 2
    assert all(name.startswith("/") and not name.startswith("//") for name in named)
    assert "<style" not in page
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    for name in named:
        file = fetched(api, name)
        assert file.status == 200
        kept = "public, max-age=31536000, immutable" if name.startswith("/assets/") else "no-cache"
        assert file.headers["Cache-Control"] == kept


@pytest.mark.parametrize("path", ["/", "/pay", "/operator.json"])
def test_pages_may_run_scripts_of_the_site_alone(api: Api, path: str) -> None:
    policy = fetched(api, path).headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "require-trusted-types-for 'script'" in policy


@pytest.mark.parametrize("path", ["/", "/pay", "/operator.json", "/no-such-screen"])
def test_every_answer_of_the_site_has_its_headers(api: Api, path: str) -> None:
    headers = fetched(api, path).headers
    assert headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=(self)" in headers["Permissions-Policy"]


def test_pages_and_their_parts_are_compressed(api: Api) -> None:
    *_, script = re.findall(r'src="(/assets/[^"]+\.js)"', fetched(api, "/").data.decode())
    plain = fetched(api, script)
    packed = fetched(api, script, headers={"Accept-Encoding": "gzip"}, decode_content=False, preload_content=False)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.read()) < len(plain.data) / 2


@pytest.mark.parametrize("path", ["", "/", "/quick-start", "/api", "/problems", "/events"])
def test_the_documentation_is_beside_it(api: Api, path: str) -> None:
    page = fetched(api, f"/docs{path}")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_programs_are_told_what_there_is_to_read(api: Api) -> None:
    told = fetched(api, "/llms.txt").data.decode()
    named = re.findall(r"\]\((/[^)]+)\)", told)
    assert len(named) > 10
    assert {fetched(api, path).status for path in named} == {200}


def test_whoever_runs_it_is_named_by_the_stacks_parameters(api: Api) -> None:
    assert json.loads(fetched(api, "/operator.json").data) == {
        "name": "Wallet",
        "support_phone": "1800 000 000",
        "simulator_url": api.stack["gateway_url"],
    }


def test_the_api_is_the_same_origin_with_its_own_refusals(api: Api) -> None:
    problem(answer_of(fetched(api, "/v1/wallet")), 401, "missing_token")
    asha = api.person()
    own = answer_of(fetched(api, "/v1/wallet", headers={"Authorization": f"Bearer {asha.token}"}))
    assert own.body["id"] == asha.wallet_id
    assert own.headers["cache-control"] == "no-store"
    unknown = answer_of(fetched(api, "/v1/holds/hold_nothing", headers={"Authorization": f"Bearer {asha.token}"}))
    assert unknown.headers["content-type"] == "application/problem+json", "not a page in its place"


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/wallet", "/v1/problems/none"])
def test_a_refusal_is_explained_at_the_same_origin_whoever_answers(api: Api, path: str) -> None:
    """API Gateway for an unknown route and a missing token, a function for the last."""
    told = answer_of(fetched(api, path)).body
    explained = urljoin(api.stack["web_url"] + path, told["type"])
    assert explained == f"{api.stack['web_url']}/v1/problems/{told['code']}"


def test_a_browser_signs_in_and_out_through_the_site(api: Api) -> None:
    asha = api.person()
    same_site = {"X-Wallet": "1", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}

    def asked(method: str, path: str, body: object, **more: str) -> urllib3.BaseHTTPResponse:
        return fetched(api, f"/v1{path}", method, body=json.dumps(body), headers=same_site | more)

    opened = asked("POST", "/session", {"phone": asha.phone, "password": PASSWORD})
    assert opened.status == 200, opened.data
    cookie = SimpleCookie(opened.headers["Set-Cookie"])["__Host-Http-wallet"]
    assert (cookie["path"], bool(cookie["secure"]), bool(cookie["httponly"]), cookie["samesite"]) == (
        "/",
        True,
        True,
        "Strict",
    )
    sent = f"__Host-Http-wallet={cookie.value}"
    assert asked("POST", "/session/token", {}, Cookie=sent).status == 200
    assert asked("DELETE", "/session", {}, Cookie=sent).status == 204
    assert asked("POST", "/session/token", {}, Cookie=sent).status == 401


def test_a_page_that_has_pointed_its_own_name_here_gets_nothing(api: Api) -> None:
    assert fetched(api, "/", headers={"Host": "evil.example"}).status == 421
    assert fetched(api, "/v1/wallet", headers={"Host": "evil.example"}).status == 421
