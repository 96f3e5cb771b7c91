"""A browser's cookie: what is taken from a request, and from whose page."""

import pytest

from tests.unit.calls import refusal_of, request
from wallet.edge.cookies import NAME, check_own_site, cookie_of, set_cookie, take_cookie
from wallet.ledger.refusals import Refusal


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"x-wallet": "1"}, None),
        ({"x-wallet": "1", "sec-fetch-site": "same-origin"}, None),
        ({}, Refusal.CROSS_SITE),
        ({"x-wallet": "true"}, Refusal.CROSS_SITE),
        ({"x-wallet": "1, 1"}, Refusal.CROSS_SITE),
        *(
            ({"x-wallet": "1", "sec-fetch-site": site}, Refusal.CROSS_SITE)
            for site in ("cross-site", "same-site", "none")
        ),
    ],
)
def test_a_page_of_this_site_says_so(headers: dict[str, str], refused: Refusal | None) -> None:
    assert refusal_of(lambda: check_own_site(request(headers=headers))) is refused


@pytest.mark.parametrize(
    "sent",
    [
        f"{NAME}=rt_abc",
        f"a=b; {NAME}=rt_abc; c=d",
        *(f"{odd}; {NAME}=rt_abc" for odd in ('a={"b":1}', "a=\u00e9", "foo", "path=1", "=x", 'a="b')),
    ],
)
def test_the_cookie_is_found_among_others(sent: str) -> None:
    assert cookie_of(request(headers={"cookie": sent})) == "rt_abc"


@pytest.mark.parametrize(
    "sent", ["", "a=b", f"{NAME}=", f"x{NAME}=rt_abc", ";;;", "\x00", NAME, f"{NAME.lower()}=rt_abc"]
)
def test_without_one_nobody_is_signed_in(sent: str) -> None:
    assert refusal_of(lambda: cookie_of(request(headers={"cookie": sent}))) is Refusal.MISSING_TOKEN


def test_it_is_for_this_host_alone_over_https_and_for_no_script() -> None:
    header = set_cookie("rt_abc", valid_s=60)["Set-Cookie"]
    assert header == f"{NAME}=rt_abc; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict"
    taken = take_cookie()
    assert taken["Set-Cookie"] == f"{NAME}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict"
    assert "Domain" not in header
