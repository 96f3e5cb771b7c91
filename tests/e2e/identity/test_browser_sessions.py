"""Sessions of browsers: a cookie that no script reads and no other site's page uses, and that alone moves nothing."""

import re

from tests.support.addresses import coming_from, new_address
from tests.support.client import PASSWORD, Answer, Api, Person, new_key, until_answered
from tests.support.problems import problem

OURS = {"X-Wallet": "1"}
COOKIE = re.compile(
    r"__Host-Http-wallet=(?P<secret>[A-Za-z0-9_-]{40,}); Max-Age=43200; Path=/; Secure; HttpOnly; SameSite=Strict"
)


def begin(api: Api, person: Person, **more: str) -> Answer:
    told = {"phone": person.phone, "password": PASSWORD}
    headers = OURS | coming_from(new_address()) | more
    return until_answered(lambda: api.call("POST", "/session", told, headers=headers))


def cookie_of(answer: Answer) -> dict[str, str]:
    found = COOKIE.fullmatch(answer.headers["set-cookie"])
    assert found is not None, answer.headers["set-cookie"]
    return {"Cookie": f"theme=dark; __Host-Http-wallet={found['secret']}"}


def token(api: Api, headers: dict[str, str]) -> Answer:
    return api.call("POST", "/session/token", {}, headers=headers)


def test_a_browser_signs_in_pays_by_short_tokens_and_signs_out(api: Api) -> None:
    person, payee = api.person(money=50_000), api.person()
    began = begin(api, person)
    assert began.status == 200, began.text
    assert began.body.keys() == {"access_token", "token_type", "expires_in"}
    assert began.body["expires_in"] == 300
    cookie = cookie_of(began)
    renewed = [token(api, OURS | cookie) for _ in range(2)]  # of two tabs, or a lost answer
    assert [answer.status for answer in renewed] == [200, 200]
    assert all("set-cookie" not in answer.headers for answer in renewed)
    told = {"to": {"wallet_id": payee.wallet_id}, "amount": 100}
    access = renewed[1].body["access_token"]
    assert api.call("POST", "/payments", told, token=access, key=new_key()).status == 201
    ended = api.call("DELETE", "/session", headers=OURS | cookie)
    assert ended.status == 204
    assert "Max-Age=0" in ended.headers["set-cookie"]
    assert ended.headers["clear-site-data"] == '"cache"'
    problem(token(api, OURS | cookie), 401, "invalid_token")
    problem(api.call("POST", "/payments", told, token=access, key=new_key()), 401, "invalid_token")


def test_the_cookie_alone_moves_nothing_and_reads_nothing(api: Api) -> None:
    person = api.person(money=50_000)
    cookie = cookie_of(begin(api, person))
    told = {"to": {"wallet_id": api.person().wallet_id}, "amount": 100}
    moved = api.call("POST", "/payments", told, key=new_key(), headers=OURS | cookie)
    read = api.call("GET", "/wallet", headers=OURS | cookie)
    assert (moved.status, read.status) == (401, 401)
    assert person.balance() == 50_000


def test_no_other_sites_page_gets_anything_with_it(api: Api) -> None:
    person = api.person()
    cookie = cookie_of(begin(api, person))
    for headers in (
        {},
        {"X-Wallet": "0"},
        OURS | {"Sec-Fetch-Site": "cross-site"},
        OURS | {"Sec-Fetch-Site": "same-site"},
    ):
        problem(token(api, headers | cookie), 403, "cross_site")
        problem(api.call("DELETE", "/session", headers=headers | cookie), 403, "cross_site")
    assert token(api, OURS | cookie | {"Sec-Fetch-Site": "same-origin"}).status == 200
    problem(token(api, OURS), 401, "missing_token")
    problem(token(api, OURS | {"Cookie": "__Host-Http-wallet=rt_of-nobody"}), 401, "invalid_token")


def test_a_cookie_is_no_refresh_token(api: Api) -> None:
    person = api.person()
    cookie = cookie_of(begin(api, person))
    secret = cookie["Cookie"].rpartition("=")[2]
    problem(api.call("POST", "/token", {"refresh_token": secret}), 401, "invalid_token")
    assert token(api, OURS | cookie).status == 200
    stolen = {"Cookie": f"__Host-Http-wallet={person.session['refresh_token']}"}
    problem(token(api, OURS | stolen), 401, "invalid_token")
    assert api.call("POST", "/token", {"refresh_token": person.session["refresh_token"]}).status == 200
