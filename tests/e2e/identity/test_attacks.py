"""What people did who wanted others' money or phones, over HTTP: each was possible once."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.support.addresses import coming_from, new_address
from tests.support.client import PASSWORD, Answer, Api, Json, Person, new_key, new_phone, until_answered
from tests.support.crowd import together
from tests.support.problems import problem
from tests.support.proofs import ask_for_code, messages_to, newest_code

#: What the stack is deployed with.
CODES_PER_ADDRESS, PAUSE_S, SIGN_INS_PER_PAIR = 20, 1, 10
WRONG = "not the password at all"


def register(api: Api, phone: str, proof: str, **more: object) -> Answer:
    told = {"phone_proof": proof, "phone": phone, "name": "Asha Rao", "password": PASSWORD, **more}
    return until_answered(lambda: api.call("POST", "/register", told, key=new_key()))


def sign_in(api: Api, phone: str, password: str = PASSWORD, *, address: str, proof: str | None = None) -> Answer:
    told = {"phone": phone, "password": password} | ({"phone_proof": proof} if proof else {})
    return until_answered(lambda: api.call("POST", "/login", told, headers=coming_from(address)))


def session_of(api: Api, person: Person) -> Json:
    """Another session of theirs, on another device."""
    answer = sign_in(api, person.phone, address=new_address())
    assert answer.status == 200, answer.text
    told: Json = answer.body
    return told


def pay(api: Api, token: str, payee: Person, amount: int) -> Answer:
    told = {"to": {"wallet_id": payee.wallet_id}, "amount": amount}
    key = new_key()
    return until_answered(lambda: api.call("POST", "/payments", told, token=token, key=key))


# ------------------------------------------------------------------------------------------- the squatter


def test_nobody_registers_with_a_phone_that_is_not_in_their_hands(api: Api) -> None:
    """They would be paid by everybody who pays "to the phone", and the owner be told that it is taken."""
    theirs, mine = new_phone(), new_phone()
    asked = ask_for_code(api, theirs)
    assert asked.status == 202
    guess = next(code for code in ("000000", "000001") if code != newest_code(api, theirs))
    problem(api.call("POST", f"/phone-proofs/{asked.body['id']}", {"code": guess}), 401, "invalid_code")
    told = {"phone": theirs, "name": "Mallory", "password": PASSWORD}
    problem(api.call("POST", "/register", told, key=new_key()), 422, "invalid_request")
    problem(register(api, theirs, "pp_" + "a" * 43), 401, "invalid_proof")
    problem(register(api, theirs, api.prove(mine)), 401, "invalid_proof")
    owner = api.person(phone=theirs)
    assert owner.get("/me").body["phone"] == theirs


def test_an_answer_does_not_say_whether_somebody_has_the_phone_and_the_code_goes_there_alone(api: Api) -> None:
    known, unknown = api.person(), new_phone()
    answers = [
        ask_for_code(api, known.phone, "reset_password", address=known.address),
        ask_for_code(api, unknown, "reset_password"),
    ]
    assert [answer.status for answer in answers] == [202, 202]
    assert {frozenset(answer.body) for answer in answers} == {frozenset({"id", "expires_at", "resend_after_s"})}
    assert {answer.body["resend_after_s"] for answer in answers} == {PAUSE_S}
    for phone in (known.phone, unknown):
        assert re.fullmatch(
            r"\d{6} is your code to choose a new password\."
            r" Tell it to nobody: we never ask for it\. Good for 10 minutes\. - Wallet(\n\n@localhost #\d{6})?",
            messages_to(api, phone)[-1]["text"],
        )


def test_who_has_the_number_now_gets_it_and_the_old_owners_money_waits_for_an_operator(api: Api, select: Any) -> None:
    old, payer = api.person(money=50_000), api.person(money=50_000)
    select("UPDATE users SET created_at = created_at - INTERVAL 1 YEAR WHERE phone = %s", old.phone)
    proof = api.prove(old.phone)
    problem(register(api, old.phone, proof), 409, "phone_taken")
    fresh = register(api, old.phone, proof, name="Bela Iyer", replace=True)
    assert fresh.status == 201, fresh.text
    problem(pay(api, old.token, payer, 100), 401, "invalid_token")
    problem(api.call("POST", "/token", {"refresh_token": old.session["refresh_token"]}), 401, "invalid_token")
    key = new_key()
    paid = payer.post("/payments", {"to": {"phone": old.phone}, "amount": 700}, key=key)
    assert paid.body["to"]["wallet_id"] == fresh.body["wallet"]["id"]
    assert old.get("/wallet").body["balance"]["total"] == 50_000


# --------------------------------------------------------------------------------------------- the thief


def test_a_thief_with_the_access_token_moves_nothing_after_the_logout(api: Api) -> None:
    owner, payee = api.person(money=50_000), api.person()
    stolen = session_of(api, owner)
    assert pay(api, stolen["access_token"], payee, 100).status == 201
    assert api.call("POST", "/logout", {"refresh_token": stolen["refresh_token"]}).status == 204
    problem(pay(api, stolen["access_token"], payee, 100), 401, "invalid_token")
    out = {"amount": 10_000, "vpa": "mallory@okbank"}
    problem(api.call("POST", "/withdrawals", out, token=stolen["access_token"], key=new_key()), 401, "invalid_token")
    hold = {"to": {"wallet_id": payee.wallet_id}, "amount": 100}
    problem(api.call("POST", "/holds", hold, token=stolen["access_token"], key=new_key()), 401, "invalid_token")
    assert owner.balance() == 49_900


def test_the_owner_goes_on_after_one_refresh(api: Api) -> None:
    owner, payee = api.person(money=50_000), api.person()
    elsewhere = session_of(api, owner)
    assert api.call("POST", "/logout", {"refresh_token": elsewhere["refresh_token"]}).status == 204
    problem(pay(api, owner.token, payee, 100), 401, "invalid_token")
    fresh = api.call("POST", "/token", {"refresh_token": owner.session["refresh_token"]})
    assert fresh.status == 200
    assert pay(api, fresh.body["access_token"], payee, 100).status == 201


def test_a_thief_is_out_when_the_owner_freezes_ends_sessions_or_has_another_password(api: Api) -> None:
    for way in ("freeze", "sessions", "password"):
        owner, payee = api.person(money=50_000), api.person()
        thief = session_of(api, owner)
        done = {
            "freeze": partial(api.call, "POST", "/me/freeze", {}, token=owner.token),
            "sessions": partial(api.call, "DELETE", "/sessions", token=owner.token),
            "password": partial(
                api.call,
                "POST",
                "/me/password",
                {"old_password": PASSWORD, "new_password": "staple battery horse correct"},
                token=owner.token,
            ),
        }[way]()
        assert done.status == 204, done.text
        problem(pay(api, thief["access_token"], payee, 100), 401, "invalid_token")
        problem(api.call("POST", "/token", {"refresh_token": thief["refresh_token"]}), 401, "invalid_token")
        fresh = api.call("POST", "/token", {"refresh_token": owner.session["refresh_token"]})
        assert fresh.status == 200, way
        paid = pay(api, fresh.body["access_token"], payee, 100)
        if way == "freeze":
            problem(paid, 409, "wallet_frozen")
        else:
            assert paid.status == 201, way


def test_a_lost_password_is_replaced_by_who_has_the_phone_and_every_session_ends(api: Api) -> None:
    owner, payee = api.person(money=50_000), api.person()
    thief = session_of(api, owner)
    proof = api.prove(owner.phone, "reset_password")
    reset = api.call("POST", "/password-resets", {"phone_proof": proof, "new_password": "staple battery horse correct"})
    assert reset.status == 204, reset.text
    problem(pay(api, thief["access_token"], payee, 100), 401, "invalid_token")
    problem(sign_in(api, owner.phone, address=new_address()), 401, "invalid_credentials")
    again = sign_in(api, owner.phone, "staple battery horse correct", address=new_address())
    assert pay(api, again.body["access_token"], payee, 100).status == 201
    once_more = api.call("POST", "/password-resets", {"phone_proof": proof, "new_password": "another one, as long"})
    problem(once_more, 401, "invalid_proof")


def test_a_refresh_that_is_repeated_is_told_the_same_and_a_copied_one_ends_the_session(api: Api) -> None:
    owner, payee = api.person(money=50_000), api.person()
    used = {"refresh_token": owner.session["refresh_token"]}
    first, again = api.call("POST", "/token", used), api.call("POST", "/token", used)
    assert first.status == again.status == 200
    assert first.body["refresh_token"] == again.body["refresh_token"]
    assert api.call("POST", "/token", {"refresh_token": first.body["refresh_token"]}).status == 200
    problem(api.call("POST", "/token", used), 401, "invalid_token")
    problem(api.call("POST", "/token", {"refresh_token": first.body["refresh_token"]}), 401, "invalid_token")
    problem(pay(api, first.body["access_token"], payee, 100), 401, "invalid_token")


def test_one_sees_where_one_is_signed_in_and_ends_it_there(api: Api) -> None:
    owner, other = api.person(money=50_000), api.person()
    headers = coming_from(new_address()) | {"User-Agent": "Lost-Phone/1.0"}
    lost = until_answered(
        lambda: api.call("POST", "/login", {"phone": owner.phone, "password": PASSWORD}, headers=headers)
    ).body
    listed = owner.get("/sessions").body["data"]
    assert [one["current"] for one in listed].count(True) == 1
    (there,) = [one for one in listed if one["device"] == "Lost-Phone/1.0"]
    problem(api.call("DELETE", f"/sessions/{there['id']}", token=other.token), 404, "not_found")
    assert api.call("DELETE", f"/sessions/{there['id']}", token=owner.token).status == 204
    problem(pay(api, lost["access_token"], other, 100), 401, "invalid_token")
    problem(api.call("POST", "/token", {"refresh_token": lost["refresh_token"]}), 401, "invalid_token")


# ------------------------------------------------------------------------------------------- the lock-out


def test_guesses_from_elsewhere_keep_nobody_out(api: Api) -> None:
    """From one address and from many: the owner gets in from home, and from anywhere with a proof of the phone."""
    owner, home = api.person(), new_address()
    assert sign_in(api, owner.phone, address=home).status == 200
    attacker = new_address()
    answers, pauses = [sign_in(api, owner.phone, WRONG, address=attacker)], [0]
    while pauses[-1] < 8:  # the longest is behind the guess before
        answers.append(sign_in(api, owner.phone, WRONG, address=attacker))
        if answers[-1].status == 429:
            pauses.append(int(answers[-1].headers["retry-after"]))
            time.sleep(0 if pauses[-1] >= 8 else pauses[-1])
    assert [answer.status for answer in answers].count(401) < SIGN_INS_PER_PAIR
    assert sorted(pauses) == pauses
    problem(sign_in(api, owner.phone, address=attacker), 429, "too_many_attempts")
    assert sign_in(api, owner.phone, address=home).status == 200
    assert sign_in(api, owner.phone, address=new_address()).status == 200
    proof = api.prove(owner.phone, "sign_in")
    assert sign_in(api, owner.phone, address=attacker, proof=proof).status == 200
    problem(sign_in(api, owner.phone, address=attacker, proof=proof), 401, "invalid_proof")


def test_a_flood_of_sign_ins_from_one_address_lets_others_through(api: Api) -> None:
    """Others' sign-ins are neither refused nor slow, at eight requests at once from one that guesses."""
    people = [api.person() for _ in range(10)]
    attacker, ends = new_address(), time.monotonic() + 60

    def flood() -> int:
        made = 0
        while time.monotonic() < ends and not done:
            sign_in(api, new_phone(), WRONG, address=attacker)
            made += 1
        return made

    done: list[bool] = []
    with ThreadPoolExecutor(max_workers=4) as pool:
        floods = [pool.submit(flood) for _ in range(4)]
        answers = [sign_in(api, person.phone, address=new_address()) for person in people]
        done.append(True)
        made = sum(one.result() for one in floods)
    assert made >= 10
    assert sum(answer.status == 200 for answer in answers) >= 8


# ------------------------------------------------------------------------------- text messages for money


def test_one_address_has_so_many_codes_sent_and_no_more(api: Api) -> None:
    """Numbers that earn from each message, or accounts by the dozen: 25 at once from one address."""
    attacker = new_address()
    phones = [new_phone() for _ in range(25)]

    def ask(phone: str) -> Answer:
        told = {"phone": phone, "purpose": "register"}
        return until_answered(lambda: api.call("POST", "/phone-proofs", told, headers=coming_from(attacker)))

    answers = [one for one in together([partial(ask, phone) for phone in phones], at_once=8) if isinstance(one, Answer)]
    assert sum(answer.status == 202 for answer in answers) == CODES_PER_ADDRESS
    refused = [answer for answer in answers if answer.status != 202]
    assert {answer.code for answer in refused} == {"too_many_codes"}
    assert all(int(answer.headers["retry-after"]) > 60 for answer in refused)
    assert sum(len(messages_to(api, phone)) for phone in phones) == CODES_PER_ADDRESS


@pytest.mark.parametrize("number", ["+447911123456", "+8613812345678", "+12025550123", "+88213123456"])
def test_no_code_is_sent_to_a_country_that_is_not_on_the_list(api: Api, number: str) -> None:
    told = api.call("POST", "/phone-proofs", {"phone": number, "purpose": "register"})
    problem(told, 422, "invalid_request")
    assert messages_to(api, number) == []


def test_codes_to_one_phone_come_slower_and_slower(api: Api) -> None:
    phone, pauses = new_phone(), list[int]()
    while len(pauses) < 3:
        answer = ask_for_code(api, phone)
        if answer.status == 202:
            pauses.append(answer.body["resend_after_s"])
        else:
            problem(answer, 429, "too_many_codes")
            time.sleep(int(answer.headers["retry-after"]))
    assert pauses == [PAUSE_S, 2 * PAUSE_S, 4 * PAUSE_S]
    assert len(messages_to(api, phone)) == 3


# ---------------------------------------------------------------------------------------------- passwords


@pytest.mark.parametrize("password", ["password1", "12345678", "iloveyou", "Sunshine", "walletwallet", "Asha Rao 1"])
def test_passwords_that_are_tried_first_are_refused(api: Api, password: str) -> None:
    phone = new_phone()
    refused = register(api, phone, api.prove(phone), password=password)
    problem(refused, 422, "invalid_request")
    assert [one["field"] for one in refused.body["errors"]] == ["password"]


def test_the_phone_is_no_password_and_blanks_at_the_ends_are_ones_own(api: Api) -> None:
    phone = new_phone()
    proof = api.prove(phone)
    problem(register(api, phone, proof, password=phone.removeprefix("+91")), 422, "invalid_request")
    assert register(api, phone, proof, password="  correct horse  ").status == 201
    assert sign_in(api, phone, "  correct horse  ", address=new_address()).status == 200
    problem(sign_in(api, phone, "correct horse", address=new_address()), 401, "invalid_credentials")
