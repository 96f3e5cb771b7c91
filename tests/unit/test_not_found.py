"""Addresses that the site doesn't have: what runs at CloudFront's edge, by the Node of this environment."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from local import site
from local.processes import LocalStackError
from tests.support import edge
from tests.unit import template as templates
from tests.unit.calls import ROOT

RESOURCES = templates.load()["Resources"]
FUNCTION: dict[str, Any] = RESOURCES["SiteNotFound"]["Properties"]
#: As `local.site` lists them.
LISTED = (
    "docs,docs/,docs/events/PaymentPosted.json,docs/start,docs/start.md,icon.svg,index.html,operator.json,pay,style.css"
)
#: What CloudFront takes of a function, in bytes.
_CODE_MAX = 10_240


def answers(*uris: str, listed: str = LISTED) -> list[dict[str, Any]]:
    return edge.answers(*uris, listed=listed)


def is_handed_on(answer: dict[str, Any]) -> bool:
    return "statusCode" not in answer and answer["method"] == "GET"


THERE = [
    "/",
    "/index.html",
    "/pay",
    "/docs",
    "/docs/",
    "/docs/start",
    "/docs/start.md",
    "/docs/events/PaymentPosted.json",
    "/operator.json",
]
NOT_THERE = [
    "/pai",
    "/Pay",
    "/pay/",
    "/pay.html",
    "/pay/pay",
    "//pay",
    "/%70ay",
    "/pay,docs",
    "/docs,",
    "/,",
    "/docs/nothing",
    "/docs/nothing.md",
    "/docs/events/",
    "/assets",
    "/elsewhere/assets/a.js",
    "/favicon.ico",
    "/.well-known/security.txt",
    "/wp-login.php",
    "/<script>alert(1)</script>",
    "/constructor",
    "/वॉलेट",
]


def test_what_is_there_is_asked_of_the_bucket_as_it_was_asked_for() -> None:
    told = answers(*THERE)
    assert [answer["uri"] for answer in told if is_handed_on(answer)] == THERE


def test_what_is_not_there_is_not_found() -> None:
    told = dict(zip(NOT_THERE, answers(*NOT_THERE), strict=True))
    assert {uri for uri, answer in told.items() if answer.get("statusCode") != 404} == set()
    assert len({answer["body"]["data"] for answer in told.values()}) == 2, "nothing of what was asked for"


def test_a_site_that_nobody_has_listed_is_asked_of_the_bucket() -> None:
    assert all(is_handed_on(answer) for answer in answers(*NOT_THERE, listed=""))


def texts(language: str) -> dict[str, str]:
    source = (ROOT / "web" / "src" / "texts" / f"{language}.ts").read_text(encoding="utf-8")
    return dict(re.findall(r'^    (notFound|toHome): "(.*)",$', source, re.MULTILINE))


class Page(HTMLParser):
    """Texts and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [(tag, value or "") for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_says_in_each_language_what_the_wallet_would_and_leads_home() -> None:
    page = Page(answers("/nothing")[0]["body"]["data"])
    for language in ("en", "hi"):
        assert set(texts(language)) == {"notFound", "toHome"}
        assert set(texts(language).values()) <= set(page.texts), language
    assert page.links == [
        ("link", "/icon.svg"),
        ("link", "/style.css"),
        ("a", "/"),
        ("img", "/icon.svg"),
        ("a", "/"),
        ("a", "/"),
    ]
    assert page.tags.isdisjoint({"script", "style", "form", "iframe"})


def test_under_the_documentation_the_page_leads_there_as_well() -> None:
    page = Page(answers("/docs/nothing")[0]["body"]["data"])
    assert ("a", "/docs/") in page.links
    assert ("a", "/") in page.links


def test_it_has_the_headers_of_every_page_and_a_policy_without_scripts() -> None:
    headers = {name: told["value"] for name, told in answers("/nothing")[0]["headers"].items()}
    policy = headers.pop("content-security-policy")
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; ")
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers.pop("content-type") == "text/html; charset=utf-8"
    assert headers.pop("cache-control") == "no-cache"
    config = RESOURCES["SiteHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = dict(config["SecurityHeadersConfig"])
    security.pop("ContentSecurityPolicy")
    transport = security.pop("StrictTransportSecurity")
    assert transport["IncludeSubdomains"] is True
    assert headers == {
        **{one["Header"].lower(): one["Value"] for one in config["CustomHeadersConfig"]["Items"]},
        "strict-transport-security": f"max-age={transport['AccessControlMaxAgeSec']}; includeSubDomains",
        "x-content-type-options": "nosniff" if security.pop("ContentTypeOptions")["Override"] else "",
        "x-frame-options": security.pop("FrameOptions")["FrameOption"],
        "referrer-policy": security.pop("ReferrerPolicy")["ReferrerPolicy"],
    }
    assert security == {}, "what a page gets, this one gets"


def test_it_runs_for_what_people_type_and_neither_for_the_api_nor_for_the_parts_of_pages() -> None:
    settings = RESOURCES["Site"]["Properties"]["DistributionConfig"]
    typed = dict(settings["DefaultCacheBehavior"])
    assert typed.pop("FunctionAssociations") == [
        {"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["SiteNotFound", "FunctionARN"]}}
    ]
    api, *parts = settings["CacheBehaviors"]
    assert api["PathPattern"] == "/v1/*"
    assert "FunctionAssociations" not in api
    assert parts == [typed | {"PathPattern": f"/{folder}*"} for folder in site.ASSETS]
    assert FUNCTION["AutoPublish"] is True, "what is not published is not live"
    assert FUNCTION["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"


def test_with_the_longest_list_that_a_parameter_takes_it_is_as_short_as_cloudfront_wants_it() -> None:
    text = edge.code("x" * 4096)
    assert text.isascii()
    assert len(text) <= _CODE_MAX


def a_site(folder: Path, *names: str) -> site.Site:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return site.Site(folder, "")


def test_the_list_has_what_the_bucket_is_sent_and_what_is_written_beside_but_no_parts(tmp_path: Path) -> None:
    built = a_site(
        tmp_path,
        *("index.html", "pay.html", "icon.svg", "style.css", "assets/index-a1.js"),
        *("docs/index.html", "docs/start.html", "docs/start.md", "docs/events/PaymentPosted.json", "docs/assets/a.css"),
    )
    assert site.addresses(built) == LISTED
    assert re.fullmatch(templates.load()["Parameters"]["SiteAddresses"]["AllowedPattern"], LISTED)


def test_a_list_that_no_parameter_takes_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="a parameter takes 4096"):
        site.addresses(a_site(tmp_path, *(f"a-page-of-a-long-name-{number:04}.html" for number in range(200))))
