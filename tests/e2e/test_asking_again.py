"""Asking again, as a page does while its user pays: by a tag, for an answer without a body while nothing is new."""

from tests.support.client import Answer, Api, Person, at_the_end, until_answered
from tests.support.problems import common_headers


def again(person: Person, path: str, tag: str) -> Answer:
    """The same question by somebody who has an answer with this tag."""
    return until_answered(
        lambda: person.api.call("GET", path, token=person.token, headers={"If-None-Match": f'"old", {tag}'})
    )


def test_who_waits_for_a_top_up_is_sent_it_and_the_wallet_only_when_they_are_new(api: Api) -> None:
    person = api.person()
    opened = person.open_top_up(10_000)
    paths = (f"/top-ups/{opened['id']}", "/wallet")
    tags = {path: person.get(path).headers["etag"] for path in paths}
    for path, tag in tags.items():
        unchanged = again(person, path, tag)
        assert (unchanged.status, unchanged.text, unchanged.headers["etag"]) == (304, "", tag)
        common_headers(unchanged)
    api.play(opened["gateway_order_id"], "captured")
    at_the_end(person, opened["id"], "succeeded")
    for path, tag in tags.items():
        changed = again(person, path, tag)
        assert changed.status == 200, changed.text
        assert changed.headers["etag"] != tag
        assert again(person, path, changed.headers["etag"]).status == 304
    assert person.get("/wallet").body["balance"]["total"] == 10_000


def test_anothers_tag_opens_nothing(api: Api) -> None:
    """What is not one's own is not found, whatever is named, and two wallets have two tags."""
    owner, other = api.person(), api.person()
    top_up = owner.open_top_up(10_000)["id"]
    for tag in (owner.get(f"/top-ups/{top_up}").headers["etag"], "*"):
        headers = {"If-None-Match": tag}
        assert api.call("GET", f"/top-ups/{top_up}", token=other.token, headers=headers).status == 404
        assert api.call("GET", f"/top-ups/{top_up}", headers=headers).status == 401
    assert again(other, "/wallet", owner.get("/wallet").headers["etag"]).status == 200
