"""Registering, logging in, staying so, and logging out."""

import base64
import hashlib
import ipaddress
import itertools
import secrets
import time
import timeit
from collections.abc import Sequence
from typing import Any

import bcrypt
import boto3
import pytest

from tests.support.client import PASSWORD, Answer, Api, Json, new_key, new_phone
from tests.support.crowd import together
from tests.support.problems import common_headers, problem

#: What the stack is deployed with: attempts per phone within a window, and the window in seconds.
ATTEMPTS, WINDOW_S = 10, 900
WRONG = "not the password at all"

# addresses for measurements (RFC 2544); from anywhere on, for a stack that has seen a run before
_ADDRESSES = ipaddress.ip_network("198.18.0.0/15")
_next_address = itertools.count(secrets.randbelow(_ADDRESSES.num_addresses))


def register(api: Api, phone: str, *, password: str = PASSWORD, key: str | None = None, **more: object) -> Answer:
    return api.call("POST", "/register", {"phone": phone, "name": "Asha Rao", "password": password, **more}, key=key)


def log_in(api: Api, phone: str, password: str = PASSWORD, *, address: str | None = None) -> Answer:
    """From an address of its own, so that the wrong ones don't add up on this machine's."""
    headers = {"X-Forwarded-For": address or new_address()}
    return api.call("POST", "/login", {"phone": phone, "password": password}, headers=headers)


def new_address() -> str:
    """One that no test has used on this stack, as one that guessed is refused for a while."""
    return str(_ADDRESSES[next(_next_address) % _ADDRESSES.num_addresses])


def deployed_cost(api: Api) -> int:
    """What passwords cost on this stack; a unit test looks at the template's own default."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="ap-south-1")
    functions = session.client("lambda", endpoint_url=api.stack["aws_endpoint_url"]).list_functions()["Functions"]
    (register,) = [one for one in functions if "RegisterFunction" in one["FunctionName"]]
    return int(register["Environment"]["Variables"]["PASSWORD_COST"])


def refresh(api: Api, session: Json) -> Answer:
    return api.call("POST", "/token", {"refresh_token": session["refresh_token"]})


def log_out(api: Api, session: Json) -> Answer:
    return api.call("POST", "/logout", {"refresh_token": session["refresh_token"]})


def answers(results: Sequence[Answer | Exception]) -> list[Answer]:
    """All of them, if all are answers."""
    failed = [result for result in results if isinstance(result, Exception)]
    assert not failed, failed
    return [result for result in results if isinstance(result, Answer)]


def statuses(results: Sequence[Answer]) -> list[int]:
    return sorted(answer.status for answer in results)


@pytest.fixture(scope="module")
def phone(api: Api) -> str:
    """The phone of somebody who is registered, with the usual password; no test guesses at it more than once."""
    phone = new_phone()
    assert register(api, phone).status == 201
    return phone


@pytest.fixture
def session(api: Api, phone: str) -> Json:
    """A login of theirs."""
    answer = log_in(api, phone)
    assert answer.status == 200, answer.text
    told: Json = answer.body
    return told


# ------------------------------------------------------------------------------------------------- registering


def test_a_phone_is_stored_and_shown_normalised_and_can_not_be_registered_twice(api: Api, select: Any) -> None:
    phone = new_phone()
    written = f"{phone[:3]} ({phone[3:8]})-{phone[8:10]}.{phone[10:]}"
    answer = register(api, written, email="asha@example.com")
    assert answer.status == 201, answer.text
    common_headers(answer)
    assert answer.body["user"].keys() == {"id", "phone", "name", "kind", "created_at"}
    assert (answer.body["user"]["phone"], answer.body["user"]["kind"]) == (phone, "personal")
    assert answer.body["wallet"].keys() == {"id", "currency", "balance"}
    assert answer.body["wallet"]["balance"] == {"total": 0, "held": 0, "available": 0}
    assert PASSWORD not in answer.text
    for again in (phone, written, f"{phone[:5]} {phone[5:]}"):
        problem(register(api, again, password="another one"), 409, "phone_taken", hidden=(answer.body["user"]["id"],))
    rows = select("SELECT phone, email, password_hash FROM users WHERE phone = %s", phone)
    assert [(row["phone"], row["email"]) for row in rows] == [(phone, "asha@example.com")]
    assert rows[0]["password_hash"].startswith(b"$2b$%02d$" % deployed_cost(api))
    assert log_in(api, written).status == 200


def test_a_registration_under_a_key_is_replayed_and_is_the_same_bytes(api: Api, select: Any) -> None:
    phone, key = new_phone(), new_key()
    first = register(api, phone, key=key)
    again = register(api, f"{phone[:3]} {phone[3:]}", key=key)
    assert (first.status, again.status) == (201, 201)
    assert again.text == first.text
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert select("SELECT COUNT(*) AS n FROM users WHERE phone = %s", phone) == [{"n": 1}]
    problem(register(api, phone, key=new_key()), 409, "phone_taken")
    problem(register(api, phone), 409, "phone_taken")


def test_a_key_of_a_registration_is_not_for_another_one_of_the_phone(api: Api) -> None:
    phone, key = new_phone(), new_key()
    assert register(api, phone, key=key).status == 201
    for other in ({"password": "another one"}, {"kind": "merchant"}, {"name": "Bela"}, {"email": "a@example.com"}):
        told = {"phone": phone, "name": "Asha Rao", "password": PASSWORD} | other
        problem(api.call("POST", "/register", told, key=key), 422, "idempotency_key_reused")
    assert log_in(api, phone).status == 200


def test_the_same_key_for_another_phone_is_another_key(api: Api) -> None:
    # nobody is signed in, so a key belongs to the phone: a stranger can't find out which keys are taken
    key = new_key()
    mine, theirs = register(api, new_phone(), key=key), register(api, new_phone(), key=key)
    assert (mine.status, theirs.status) == (201, 201)
    assert mine.body["user"]["id"] != theirs.body["user"]["id"]
    assert "idempotency-replayed" not in theirs.headers


def test_a_refused_registration_does_not_burn_its_key(api: Api, phone: str) -> None:
    key = new_key()
    for _ in range(2):
        problem(register(api, phone, key=key), 409, "phone_taken")
    free = new_phone()
    problem(register(api, free, password="short", key=key), 422, "invalid_request")
    assert register(api, free, key=key).status == 201


def test_6_at_once_with_one_phone_are_one_user(api: Api, select: Any) -> None:
    phone = new_phone()
    results = answers(together([lambda: register(api, phone)] * 6))
    assert statuses(results) == [201] + [409] * 5
    assert {answer.code for answer in results if answer.status == 409} == {"phone_taken"}
    counted = select(
        "SELECT COUNT(*) AS users, COUNT(w.id) AS wallets, COUNT(a.id) AS accounts FROM users u"
        " LEFT JOIN wallets w ON w.user_id = u.id LEFT JOIN accounts a ON a.id = w.id WHERE u.phone = %s",
        phone,
    )
    assert counted == [{"users": 1, "wallets": 1, "accounts": 1}]


# --------------------------------------------------------------------------------------------------- passwords


def test_every_byte_of_a_password_counts(api: Api) -> None:
    # bcrypt alone would stop at byte 72
    phone, password = new_phone(), "p" * 72 + "a" + "q" * 55
    assert register(api, phone, password=password).status == 201
    for wrong in (password[:72], password[:72] + "b" + password[73:], password[:-1], password + "q"):
        problem(log_in(api, phone, wrong), 401, "invalid_credentials")
    assert log_in(api, phone, password).status == 200


def test_a_nul_ends_no_password(api: Api) -> None:
    phone, password = new_phone(), "before\x00behind"
    assert register(api, phone, password=password).status == 201
    problem(log_in(api, phone, "before\x00another"), 401, "invalid_credentials")
    assert log_in(api, phone, password).status == 200


@pytest.mark.parametrize("password", ["पासवर्ड मेरा", "🔑" * 128, "  blanks around  "])
def test_a_password_may_have_any_characters(api: Api, password: str) -> None:
    phone = new_phone()
    assert register(api, phone, password=password).status == 201
    assert log_in(api, phone, password).status == 200
    problem(log_in(api, phone, password.strip() + "x"), 401, "invalid_credentials")


def test_a_password_is_the_same_on_every_keyboard(api: Api) -> None:
    phone = new_phone()
    assert register(api, phone, password="caf\u00e9 \u00c5ngstr\u00f6m").status == 201
    assert log_in(api, phone, "cafe\u0301 A\u030angstro\u0308m").status == 200
    problem(log_in(api, phone, "cafe Angstrom"), 401, "invalid_credentials")
    problem(log_in(api, phone, "CAF\u00c9 \u00c5NGSTR\u00d6M"), 401, "invalid_credentials")


# --------------------------------------------------------------------------------------------------- logging in


def test_a_login_gives_a_session(api: Api, session: Json) -> None:
    assert session.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert session["token_type"] == "Bearer"
    assert api.call("GET", "/wallet", token=session["access_token"]).status == 200


def test_an_unknown_phone_and_a_wrong_password_get_the_same_answer(api: Api, phone: str) -> None:
    wrong, unknown = log_in(api, phone, WRONG), log_in(api, new_phone())
    problem(wrong, 401, "invalid_credentials", hidden=(phone, WRONG))
    assert wrong.body | {"request_id": ""} == unknown.body | {"request_id": ""}
    volatile = {"x-request-id", "date", "x-amzn-requestid", "x-amz-apigw-id", "x-amz-id-2", "x-amz-request-id"}
    told = [
        {name: value for name, value in answer.headers.items() if name not in volatile} for answer in (wrong, unknown)
    ]
    assert told[0] == told[1]


def test_an_unknown_phone_takes_as_long_as_a_wrong_password(api: Api) -> None:
    took: dict[str, list[float]] = {"wrong": [], "unknown": []}
    for number in range(60):  # in turns, and the quickest of each counts: what else the machine does only adds to it
        if number % 8 == 0:  # before so many attempts are too many
            known = new_phone()
            assert register(api, known).status == 201
        for kind, phone in (("wrong", known), ("unknown", new_phone())):
            began = time.perf_counter()
            assert log_in(api, phone, WRONG).status == 401
            took[kind].append(time.perf_counter() - began)
        wrong, unknown = (min(times) for times in took.values())
        if number >= 8 and 0.6 < wrong / unknown < 1.6:
            break
    assert 0.6 < wrong / unknown < 1.6, took
    salt = bcrypt.gensalt(deployed_cost(api))
    a_hash = min(timeit.repeat(lambda: bcrypt.hashpw(b"a password", salt), number=1))
    assert unknown > a_hash / 2, "no password was hashed"


def window(phone: str) -> bytes:
    """Under which attempts for a phone are counted."""
    return hashlib.sha256(f"phone:{phone}".encode()).digest()


def test_the_eleventh_attempt_in_a_window_is_too_many_even_with_the_right_password(api: Api, select: Any) -> None:
    phone = new_phone()
    assert register(api, phone).status == 201
    # all at once: an attempt counts before its password is looked at
    guesses = answers(together([lambda: log_in(api, phone, WRONG)] * (ATTEMPTS + 2)))
    assert statuses(guesses) == [401] * ATTEMPTS + [429] * 2
    refused = log_in(api, phone)
    problem(refused, 429, "too_many_attempts")
    assert WINDOW_S - 60 <= int(refused.headers["retry-after"]) <= WINDOW_S
    problem(log_in(api, f"{phone[:3]} {phone[3:8]}-{phone[8:]}"), 429, "too_many_attempts")

    # nobody waits a quarter of an hour here: the window is moved instead
    select("UPDATE login_attempts SET window_ends_at = UTC_TIMESTAMP(6) WHERE subject_hash = %s", window(phone))
    assert log_in(api, phone).status == 200


def test_too_many_attempts_look_the_same_for_a_known_and_an_unknown_phone(api: Api, select: Any) -> None:
    known, unknown = new_phone(), new_phone()
    assert register(api, known).status == 201
    refusals = []
    for phone in (known, unknown):
        problem(log_in(api, phone, WRONG), 401, "invalid_credentials")
        select("UPDATE login_attempts SET attempts = %s WHERE subject_hash = %s", ATTEMPTS - 1, window(phone))
        problem(log_in(api, phone, WRONG), 401, "invalid_credentials")
        refusals.append(log_in(api, phone))
        problem(refusals[-1], 429, "too_many_attempts", hidden=(phone,))
    assert refusals[0].body | {"request_id": ""} == refusals[1].body | {"request_id": ""}
    waits = [int(refused.headers["retry-after"]) for refused in refusals]
    assert all(WINDOW_S - 60 <= wait <= WINDOW_S for wait in waits)


def test_a_login_that_succeeds_resets_the_count(api: Api, select: Any) -> None:
    phone = new_phone()
    assert register(api, phone).status == 201
    assert log_in(api, phone, WRONG).status == 401
    select("UPDATE login_attempts SET attempts = %s WHERE subject_hash = %s", ATTEMPTS - 1, window(phone))
    assert log_in(api, phone).status == 200
    for _ in range(2):
        problem(log_in(api, phone, WRONG), 401, "invalid_credentials")
    assert log_in(api, phone).status == 200


def test_an_address_that_guesses_at_many_phones_is_stopped_too_and_others_are_not(
    api: Api, phone: str, select: Any
) -> None:
    address = new_address()
    assert log_in(api, new_phone(), WRONG, address=address).status == 401
    subject = hashlib.sha256(f"address:{address}".encode()).digest()
    rows = select("SELECT attempts FROM login_attempts WHERE subject_hash = %s", subject)
    if not rows:
        pytest.skip("this stack takes the address from the connection")
    # more than any stack allows
    select("UPDATE login_attempts SET attempts = 500000 WHERE subject_hash = %s", subject)
    problem(log_in(api, phone, address=address), 429, "too_many_attempts")
    assert log_in(api, phone).status == 200


# ------------------------------------------------------------------------------------------- refresh and logout


def test_a_refresh_token_gives_a_session_once_and_then_ends_them_all(api: Api, session: Json) -> None:
    second = refresh(api, session)
    assert second.status == 200, second.text
    assert second.body.keys() == session.keys()
    assert second.body["refresh_token"] != session["refresh_token"]
    assert api.call("GET", "/wallet", token=second.body["access_token"]).status == 200
    third = refresh(api, second.body)
    assert third.status == 200
    problem(refresh(api, session), 401, "invalid_token", hidden=(session["refresh_token"],))
    # one of two holds a copy, and nobody knows which: the newest is dead as well
    problem(refresh(api, third.body), 401, "invalid_token")
    problem(refresh(api, second.body), 401, "invalid_token")


def test_another_login_outlives_a_familys_end(api: Api, phone: str, session: Json) -> None:
    other = log_in(api, phone).body
    assert refresh(api, session).status == 200
    problem(refresh(api, session), 401, "invalid_token")
    assert refresh(api, other).status == 200


def test_one_refresh_token_used_by_8_at_once_works_once_and_the_family_ends(api: Api, session: Json) -> None:
    results = answers(together([lambda: refresh(api, session)] * 8))
    assert statuses(results) == [200] + [401] * 7
    assert {answer.code for answer in results if answer.status == 401} == {"invalid_token"}
    # a client that sends it twice looks just like a thief: it has to log in again
    winner = next(answer.body for answer in results if answer.status == 200)
    problem(refresh(api, winner), 401, "invalid_token")
    assert api.call("GET", "/wallet", token=winner["access_token"]).status == 200, "it lives to its own end"


def test_an_expired_refresh_token_is_invalid(api: Api, session: Json, select: Any) -> None:
    digest = hashlib.sha256(session["refresh_token"].encode()).digest()
    select("UPDATE refresh_tokens SET expires_at = UTC_TIMESTAMP(6) WHERE token_hash = %s", digest)
    problem(refresh(api, session), 401, "invalid_token")


def test_after_logout_the_refresh_token_is_invalid_and_a_second_logout_is_fine(api: Api, session: Json) -> None:
    newer = refresh(api, session).body
    for _ in range(2):
        answer = log_out(api, newer)
        assert (answer.status, answer.text) == (204, "")
        common_headers(answer)
    problem(refresh(api, newer), 401, "invalid_token")
    assert api.call("GET", "/wallet", token=newer["access_token"]).status == 200, "it lives to its own end"


def test_an_old_refresh_token_logs_the_whole_family_out(api: Api, session: Json) -> None:
    newer = refresh(api, session).body
    assert log_out(api, session).status == 204
    problem(refresh(api, newer), 401, "invalid_token")


def test_a_refresh_token_is_stored_as_its_hash_only(session: Json, select: Any) -> None:
    token = session["refresh_token"]
    digest = hashlib.sha256(token.encode()).digest()
    assert len(select("SELECT family_id FROM refresh_tokens WHERE token_hash = %s", digest)) == 1
    assert len(base64.urlsafe_b64decode(token.removeprefix("rt_") + "=")) == 32
