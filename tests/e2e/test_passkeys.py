"""Passkeys over HTTP, of the stack's own site."""

from functools import partial
from typing import Any

import pytest

from tests.support.addresses import coming_from, new_address
from tests.support.authenticator import Authenticator
from tests.support.client import PASSWORD, Answer, Api, Json, Person, new_key, until_answered
from tests.support.confirming import confirm, person_in, required, show_code
from tests.support.problems import problem
from tests.support.proofs import leave_for_days, messages_to


def post(owner: Person, path: str, body: Json | None = None) -> Answer:
    return until_answered(partial(owner.api.call, "POST", path, body, token=owner.token))


def registered(owner: Person) -> Authenticator:
    """A passkey of theirs, confirmed by a code."""
    authenticator = Authenticator(owner.api.stack["web_url"])
    options = post(owner, "/passkeys/options")
    assert options.status == 200, options.text
    told: Json = {"name": "Asha's phone", "credential": authenticator.create(options.body)}
    confirm(owner, required(post(owner, "/passkeys", told)))
    assert "is your code to add a passkey to your wallet." in messages_to(owner.api, owner.phone)[-1]["text"]
    added = post(owner, "/passkeys", told)
    assert (added.status, added.body["name"]) == (201, "Asha's phone"), added.text
    return authenticator


def test_a_payment_is_confirmed_by_a_passkey_with_no_message_at_all(api: Api, select: Any) -> None:
    payer, payee, key = person_in(api, select), api.person(), new_key()
    authenticator = registered(payer)
    refused = payer.pay(payee, 600_000, key=key)
    problem(refused, 403, "confirmation_required")
    confirmation = refused.body["confirmation"]
    assert confirmation["methods"] == ["passkey", "sms"]
    before = len(messages_to(api, payer.phone))
    options = post(payer, f"/confirmations/{confirmation['id']}/options")
    answer = authenticator.get(options.body)
    other = payer.pay(payee, 700_000).body["confirmation"]
    problem(post(payer, f"/confirmations/{other['id']}", {"passkey": answer}), 401, "invalid_code")
    assert post(payer, f"/confirmations/{confirmation['id']}", {"passkey": answer}).status == 204
    assert payer.pay(payee, 600_000, key=key).status == 201
    codes = [one for one in messages_to(api, payer.phone)[before:] if "is your code" in one["text"]]
    assert codes == []


def test_a_passkey_is_listed_and_removed_behind_a_code(api: Api, select: Any) -> None:
    owner = person_in(api, select)
    registered(owner)
    (one,) = owner.get("/passkeys").body["data"]
    assert (one["name"], one["last_used_at"]) == ("Asha's phone", None)
    remove = partial(api.call, "DELETE", f"/passkeys/{one['id']}", token=owner.token)
    confirm(owner, required(until_answered(remove)))
    assert until_answered(remove).status == 204
    assert owner.get("/passkeys").body == {"data": []}
    problem(until_answered(remove), 404, "not_found")


@pytest.mark.parametrize("body", [{}, {"code": "123456", "passkey": {}}, {"passkey": "text"}, {"code": 123456}])
def test_a_confirmation_takes_one_of_the_two(api: Api, body: Json) -> None:
    problem(post(api.person(), "/confirmations/cnf_00000000000000000000000000", body), 422, "invalid_request")


def test_a_wrong_code_and_no_passkey_are_told_apart_from_nothing(api: Api, select: Any) -> None:
    payer, payee = person_in(api, select), api.person()
    confirmation = payer.pay(payee, 600_000).body["confirmation"]
    options = partial(post, payer, f"/confirmations/{confirmation['id']}/options")
    problem(options(), 404, "not_found")
    problem(show_code(payer, confirmation, "000000"), 401, "invalid_code")


def proved(api: Api, authenticator: Authenticator, purpose: str) -> str:
    """A proof by their passkey, of somebody who is not signed in, from wherever they are."""
    ask = partial(api.call, "POST", "/passkey-proofs/options", {"purpose": purpose})
    answer = authenticator.get(until_answered(ask).body)
    shown: Json = {"purpose": purpose, "passkey": answer}
    headers = coming_from(new_address())
    told = until_answered(partial(api.call, "POST", "/passkey-proofs", shown, headers=headers))
    assert told.status == 200, told.text
    proof: str = told.body["proof"]
    problem(api.call("POST", "/passkey-proofs", shown, headers=headers), 401, "invalid_code")
    return proof


def test_whom_no_code_reaches_signs_in_and_who_was_long_away_has_another_password(api: Api, select: Any) -> None:
    owner = person_in(api, select)
    authenticator = registered(owner)
    told = {"phone": owner.phone, "password": PASSWORD}
    signed_in = api.call("POST", "/login", told | {"phone_proof": proved(api, authenticator, "sign_in")})
    assert signed_in.status == 200, signed_in.text
    leave_for_days(select, owner.phone, 91)
    reset: Json = {"phone_proof": api.prove(owner.phone, "reset_password"), "new_password": "staple battery horse"}
    problem(api.call("POST", "/password-resets", reset), 403, "operator_needed")
    passkey = proved(api, authenticator, "reset_password")
    done = until_answered(partial(api.call, "POST", "/password-resets", reset | {"passkey": passkey}))
    assert done.status == 204, done.text
    again = api.call("POST", "/login", told | {"password": "staple battery horse"})
    assert again.status == 200, again.text
