"""One's own name and phone over HTTP: behind a code to the phone of before, which is told when it is that no more."""

from functools import partial

from tests.support.client import PASSWORD, Answer, Api, Json, Person, new_phone, until_answered, wait_until
from tests.support.confirming import confirm, required
from tests.support.problems import problem
from tests.support.proofs import messages_to


def ask(owner: Person, method: str, path: str, body: Json) -> Answer:
    return until_answered(partial(owner.api.call, method, path, body, token=owner.token))


def test_a_name_is_changed_with_a_code_that_says_to_what(api: Api) -> None:
    asha = api.person()
    assert asha.get("/me").body["passkeys"] == 0
    change = partial(ask, asha, "PATCH", "/me", {"name": "Asha Iyer"})
    confirm(asha, required(change()))
    assert "to change the name on your wallet to Asha Iyer." in messages_to(api, asha.phone)[-1]["text"]
    changed = change()
    assert (changed.status, changed.body["name"]) == (200, "Asha Iyer")
    problem(ask(asha, "PATCH", "/me", {"name": "Asha Rao"}), 409, "name_changed_lately")
    assert ask(asha, "PATCH", "/me", {"email": "asha@example.com"}).body["email"] == "asha@example.com"
    assert ask(asha, "PATCH", "/me", {"email": None}).body["email"] is None
    problem(ask(asha, "PATCH", "/me", {}), 422, "invalid_request")
    problem(ask(asha, "PATCH", "/me", {"name": None}), 422, "invalid_request")
    problem(ask(asha, "PATCH", "/me", {"phone": new_phone()}), 422, "invalid_request")


def test_a_thief_with_session_and_password_moves_no_account_to_their_phone(api: Api) -> None:
    asha, theirs = api.person(money=50_000), new_phone()
    move = {"phone_proof": api.prove(theirs, "change_phone"), "password": PASSWORD}
    confirmation = required(ask(asha, "POST", "/me/phone", move))
    until_answered(partial(api.call, "POST", f"/confirmations/{confirmation['id']}/code", token=asha.token))
    assert [one["text"][6:24] for one in messages_to(api, theirs)] == [" is your code to h"]
    assert f"to the phone that ends in {theirs[-4:]}." in messages_to(api, asha.phone)[-1]["text"]
    assert asha.get("/me").body["phone"] == asha.phone


def test_its_owner_does_and_the_number_of_before_is_told(api: Api) -> None:
    asha, phone = api.person(), new_phone()
    wrong = {"phone_proof": api.prove(phone, "change_phone"), "password": "not that one"}
    problem(ask(asha, "POST", "/me/phone", wrong), 401, "invalid_credentials")
    move = partial(ask, asha, "POST", "/me/phone", wrong | {"password": PASSWORD})
    confirm(asha, required(move()))
    moved = move()
    assert (moved.status, moved.body["phone"]) == (200, phone)
    shown = {"phone": phone, "password": PASSWORD}
    assert until_answered(partial(api.call, "POST", "/login", shown)).status == 200
    problem(api.call("POST", "/login", shown | {"phone": asha.phone}), 401, "invalid_credentials")
    wait_until(lambda: any("moved from this phone" in one["text"] for one in messages_to(api, asha.phone)), within_s=90)
