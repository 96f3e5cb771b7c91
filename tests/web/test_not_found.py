"""An address that isn't there: a page of ours, with the same status and the same page as CloudFront's edge gives it."""

import http.client
from urllib.parse import urlsplit

import boto3
import pytest
from playwright.sync_api import expect

from local.aws import REGION
from local.deploy import STACK
from tests.support.client import Api
from tests.support.edge import answers
from tests.web.conftest import Visit
from tests.web.test_other_pages import axe_finds_nothing
from tests.web.visitor import Shape


def asked(api: Api, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(api.stack["web_url"]).netloc, timeout=30)
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def addresses(api: Api) -> str:
    """The list that is deployed."""
    session = boto3.Session("test", "test", region_name=REGION)
    client = session.client("cloudformation", endpoint_url=api.stack["aws_endpoint_url"])
    told = client.describe_stacks(StackName=STACK)["Stacks"][0]["Parameters"]
    return {one["ParameterKey"]: one["ParameterValue"] for one in told}["SiteAddresses"]


@pytest.mark.parametrize("path", ["/pai", "/pay/", "/docs/nothing", "/docs/nothing.md", "/favicon.ico", "/assets"])
def test_what_is_not_there_is_answered_here_as_at_the_edge(api: Api, path: str) -> None:
    status, headers, body = asked(api, path)
    (edge,) = answers(path, listed=addresses(api))
    assert (status, body.decode()) == (404, edge["body"]["data"])
    assert {name: headers.get(name) for name in edge["headers"]} == {
        name: told["value"] for name, told in edge["headers"].items()
    }


def test_every_address_that_the_edge_knows_is_there(api: Api) -> None:
    listed = addresses(api).split(",")
    assert {"index.html", "pay", "verify", "docs", "docs/", "docs/site", "docs/site.md", "llms.txt"} <= set(listed)
    found = {address: asked(api, f"/{address}")[0] for address in ("", *listed)}
    assert {address: status for address, status in found.items() if status != 200} == {}


def test_what_the_api_says_of_an_address_that_it_does_not_have_is_its_own(api: Api) -> None:
    status, headers, _ = asked(api, "/v1/nothing")
    assert (status, headers["content-type"]) == (404, "application/problem+json")


def test_whoever_mistypes_an_address_reads_so_in_both_languages_and_finds_home(visit: Visit, shape: Shape) -> None:
    visitor = visit(shape)
    answer = visitor.page.goto(f"{visitor.api.stack['web_url']}/pai")
    assert answer is not None
    assert answer.status == 404
    expect(visitor.page).to_have_title("There is no such page. · Wallet")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("There is no such page.")
    expect(visitor.page.get_by_role("heading", level=2)).to_have_text("ऐसा कोई पेज नहीं है।")
    background = visitor.page.evaluate("getComputedStyle(document.querySelector('.first')).backgroundColor")
    assert background == "rgb(11, 93, 75)", "our style, which its policy lets in"
    axe_finds_nothing(visitor, shape)
    visitor.page.get_by_role("link", name="होम पेज पर जाएँ", exact=True).click()
    visitor.is_at("")


def test_a_mistyped_page_of_the_documentation_leads_to_the_documentation(visit: Visit) -> None:
    visitor = visit()
    visitor.page.goto(f"{visitor.api.stack['web_url']}/docs/nothing")
    visitor.page.get_by_role("link", name="Documentation", exact=True).click()
    expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
    assert visitor.page.url.endswith("/docs/")
