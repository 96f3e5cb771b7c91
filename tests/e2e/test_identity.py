"""Registering, logging in, staying so, and logging out."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import boto3
import pytest

from tests.support.addresses import coming_from, new_address
from tests.support.client import PASSWORD, Answer, Api, Json, new_key, new_phone, until_answered
from tests.support.crowd import together
from tests.support.problems import common_headers, problem

#: What the stack is deployed with: attempts per phone and address within a window, those of them without a pause, and
#: the window in seconds.
ATTEMPTS, WITHOUT_PAUSE, WINDOW_S = 10, 5, 900
WRONG, ANOTHER = "not the password at all", "another password of mine"


def register(
    api: Api, phone: str, *, proof: str | None = None, password: str = PASSWORD, key: str | None = None, **more: object
) -> Answer:
    """With a new proof of the phone, if none is told."""
    told = {"phone_proof": proof or api.prove(phone), "phone": phone, "name": "Asha Rao", "password": password, **more}
    return api.call("POST", "/register", told, key=key, headers=coming_from(new_address()))


def log_in(api: Api, phone: str, password: str = PASSWORD, *, address: str | None = None) -> Answer:
    """From an address of its own, so that the wrong ones don't add up on this machine's."""
    told = {"phone": phone, "password": password}
    return api.call("POST", "/login", told, headers=coming_from(address or new_address()))


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
    answer = register(api, written, proof=api.prove(phone), email="asha@example.com")
    assert answer.status == 201, answer.text
    common_headers(answer)
    assert answer.body["user"].keys() == {"id", "phone", "name", "kind", "created_at"}
    assert (answer.body["user"]["phone"], answer.body["user"]["kind"]) == (phone, "personal")
    assert answer.body["wallet"].keys() == {"id", "currency", "balance"}
    assert answer.body["wallet"]["balance"] == {"total": 0, "held": 0, "available": 0}
    assert PASSWORD not in answer.text
    proof = api.prove(phone)  # a refusal uses none up
    for again in (phone, written, f"{phone[:5]} {phone[5:]}"):
        refused = register(api, again, proof=proof, password=ANOTHER)
        problem(refused, 409, "phone_taken", hidden=(answer.body["user"]["id"], proof))
    rows = select("SELECT phone, email, password_hash FROM users WHERE phone = %s", phone)
    assert [(row["phone"], row["email"]) for row in rows] == [(phone, "asha@example.com")]
    assert rows[0]["password_hash"].startswith(b"$2b$%02d$" % deployed_cost(api))
    assert log_in(api, written).status == 200


def test_a_registration_under_a_key_is_replayed_and_is_the_same_bytes(api: Api, select: Any) -> None:
    phone, key = new_phone(), new_key()
    used = api.prove(phone)
    first = register(api, phone, proof=used, key=key)
    again = register(api, f"{phone[:3]} {phone[3:]}", proof=used, key=key)
    assert (first.status, again.status) == (201, 201)
    assert again.text == first.text
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert select("SELECT COUNT(*) AS n FROM users WHERE phone = %s", phone) == [{"n": 1}]
    proof = api.prove(phone)
    problem(register(api, phone, proof=proof, key=key), 409, "phone_taken")  # its keys are others than those of `used`
    problem(register(api, phone, proof=proof, key=new_key()), 409, "phone_taken")
    problem(register(api, phone, proof=proof), 409, "phone_taken")
    problem(register(api, phone, proof=used), 401, "invalid_proof")


def test_a_key_of_a_registration_is_not_for_another_one_by_the_proof(api: Api) -> None:
    phone, key = new_phone(), new_key()
    proof = api.prove(phone)
    assert register(api, phone, key=key, proof=proof).status == 201
    others: tuple[Json, ...] = (
        {"password": ANOTHER},
        {"kind": "merchant"},
        {"name": "Bela"},
        {"email": "a@example.com"},
        {"replace": True},
    )
    for other in others:
        told = {"phone_proof": proof, "phone": phone, "name": "Asha Rao", "password": PASSWORD} | other
        answer = api.call("POST", "/register", told, key=key, headers=coming_from(new_address()))
        problem(answer, 422, "idempotency_key_reused")
    assert log_in(api, phone).status == 200


def test_the_same_key_for_another_phone_is_another_key(api: Api) -> None:
    # nobody is signed in, so a key belongs to who has the proof: a stranger can't find out which keys are taken
    key = new_key()
    mine, theirs = register(api, new_phone(), key=key), register(api, new_phone(), key=key)
    assert (mine.status, theirs.status) == (201, 201)
    assert mine.body["user"]["id"] != theirs.body["user"]["id"]
    assert "idempotency-replayed" not in theirs.headers


def test_a_refused_registration_does_not_burn_its_key(api: Api, phone: str) -> None:
    key, proof = new_key(), api.prove(phone)
    for _ in range(2):
        problem(register(api, phone, proof=proof, key=key), 409, "phone_taken")
    free = new_phone()
    proof = api.prove(free)
    problem(register(api, free, proof=proof, password="short", key=key), 422, "invalid_request")
    problem(register(api, free, proof="pp_none", key=key), 401, "invalid_proof")
    assert register(api, free, proof=proof, key=key).status == 201


def test_6_at_once_with_one_phone_are_one_user(api: Api, select: Any) -> None:
    """Three proofs of it, each sent twice."""
    phone = new_phone()
    proofs = [api.prove(phone) for _ in range(3)]
    asked = [lambda proof=proof: until_answered(lambda: register(api, phone, proof=proof)) for proof in proofs * 2]
    results = answers(together(asked))
    assert statuses(results)[0] == 201
    assert {answer.code for answer in results if answer.status != 201} <= {"phone_taken", "invalid_proof"}
    assert [answer.status for answer in results].count(201) == 1
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


def window(phone: str, address: str) -> bytes:
    """Under which attempts for a phone from an address are counted."""
    return hashlib.sha256(f"sign-in:{phone} from {address}".encode()).digest()


def leave_one(select: Any, phone: str, address: str) -> None:
    """Makes all attempts but one used up, and the pause behind them over."""
    select(
        "UPDATE quotas SET uses = %s, last_at = last_at - INTERVAL 1 HOUR WHERE subject_hash = %s",
        ATTEMPTS - 1,
        window(phone, address),
    )


def test_the_eleventh_attempt_in_a_window_is_too_many_even_with_the_right_password(api: Api, select: Any) -> None:
    phone, address = new_phone(), new_address()
    assert register(api, phone).status == 201
    # all at once: an attempt counts before its password is looked at
    guesses = answers(together([lambda: log_in(api, phone, WRONG, address=address)] * (ATTEMPTS + 2)))
    assert set(statuses(guesses)) == {401, 429}
    assert WITHOUT_PAUSE <= statuses(guesses).count(401) <= ATTEMPTS
    leave_one(select, phone, address)
    problem(log_in(api, phone, WRONG, address=address), 401, "invalid_credentials")
    refused = log_in(api, phone, address=address)
    problem(refused, 429, "too_many_attempts")
    assert WINDOW_S - 60 <= int(refused.headers["retry-after"]) <= WINDOW_S
    problem(log_in(api, f"{phone[:3]} {phone[3:8]}-{phone[8:]}", address=address), 429, "too_many_attempts")

    # nobody waits a quarter of an hour here: the window is moved instead
    select("UPDATE quotas SET window_ends_at = UTC_TIMESTAMP(6) WHERE subject_hash = %s", window(phone, address))
    assert log_in(api, phone, address=address).status == 200


def test_between_failures_the_pause_doubles_and_it_is_told(api: Api, select: Any) -> None:
    phone, address = new_phone(), new_address()
    problem(log_in(api, phone, WRONG, address=address), 401, "invalid_credentials")
    for failed in range(WITHOUT_PAUSE, ATTEMPTS):
        select(
            "UPDATE quotas SET uses = %s, last_at = UTC_TIMESTAMP(6) WHERE subject_hash = %s",
            failed,
            window(phone, address),
        )
        refused = log_in(api, phone, WRONG, address=address)
        if failed == WITHOUT_PAUSE and refused.status == 401:
            continue  # a second is over before a slow machine has answered
        problem(refused, 429, "too_many_attempts")
        assert 1 <= int(refused.headers["retry-after"]) <= 2 ** (failed - WITHOUT_PAUSE) + 1


def test_too_many_attempts_look_the_same_for_a_known_and_an_unknown_phone(api: Api, select: Any) -> None:
    known, unknown, address = new_phone(), new_phone(), new_address()
    assert register(api, known).status == 201
    refusals = []
    for phone in (known, unknown):
        problem(log_in(api, phone, WRONG, address=address), 401, "invalid_credentials")
        leave_one(select, phone, address)
        problem(log_in(api, phone, WRONG, address=address), 401, "invalid_credentials")
        refusals.append(log_in(api, phone, address=address))
        problem(refusals[-1], 429, "too_many_attempts", hidden=(phone,))
    assert refusals[0].body | {"request_id": ""} == refusals[1].body | {"request_id": ""}
    waits = [int(refused.headers["retry-after"]) for refused in refusals]
    assert all(WINDOW_S - 60 <= wait <= WINDOW_S for wait in waits)


def test_a_login_that_succeeds_resets_the_count(api: Api, select: Any) -> None:
    phone, address = new_phone(), new_address()
    assert register(api, phone).status == 201
    assert log_in(api, phone, WRONG, address=address).status == 401
    leave_one(select, phone, address)
    assert log_in(api, phone, address=address).status == 200
    for _ in range(2):
        problem(log_in(api, phone, WRONG, address=address), 401, "invalid_credentials")
    assert log_in(api, phone, address=address).status == 200


def test_an_address_that_guesses_at_many_phones_is_stopped_too_and_others_are_not(
    api: Api, phone: str, select: Any
) -> None:
    address = new_address()
    assert log_in(api, new_phone(), WRONG, address=address).status == 401
    subject = hashlib.sha256(f"address:{address}".encode()).digest()
    rows = select("SELECT uses FROM quotas WHERE subject_hash = %s", subject)
    if not rows:
        pytest.skip("this stack takes the address from the connection")
    # more than any stack allows
    select("UPDATE quotas SET uses = 500000 WHERE subject_hash = %s", subject)
    problem(log_in(api, phone, address=address), 429, "too_many_attempts")
    assert log_in(api, phone).status == 200


# ------------------------------------------------------------------------------------------- refresh and logout


def digest_of(session: Json) -> bytes:
    """What is stored of its refresh token."""
    return hashlib.sha256(session["refresh_token"].encode()).digest()


def test_a_refresh_token_gives_a_session_once_and_then_ends_it(api: Api, session: Json) -> None:
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


def test_another_login_outlives_a_sessions_end(api: Api, phone: str, session: Json) -> None:
    other = log_in(api, phone).body
    assert refresh(api, refresh(api, session).body).status == 200
    problem(refresh(api, session), 401, "invalid_token")
    assert refresh(api, other).status == 200


def test_one_refresh_token_used_by_8_at_once_gives_all_of_them_the_same_successor(api: Api, session: Json) -> None:
    """Two tabs of one client, or one whose answer was lost."""
    results = answers(together([lambda: until_answered(lambda: refresh(api, session))] * 8))
    assert statuses(results) == [200] * 8
    (successor,) = {answer.body["refresh_token"] for answer in results}
    assert successor != session["refresh_token"]
    third = refresh(api, {"refresh_token": successor})
    assert third.status == 200
    # with the successor used it is no repetition, but a copy
    problem(refresh(api, session), 401, "invalid_token")
    problem(refresh(api, third.body), 401, "invalid_token")


def test_a_refresh_token_that_comes_back_half_a_minute_later_ends_the_session(
    api: Api, session: Json, select: Any
) -> None:
    second = refresh(api, session).body
    select("UPDATE session_tokens SET used_at = used_at - INTERVAL 30 SECOND WHERE token_hash = %s", digest_of(session))
    problem(refresh(api, session), 401, "invalid_token")
    problem(refresh(api, second), 401, "invalid_token")


@pytest.mark.parametrize("end", ["s.idle_ends_at", "s.ends_at"])
def test_a_refresh_token_of_a_session_that_is_over_is_invalid(api: Api, session: Json, select: Any, end: str) -> None:
    over = "UPDATE sessions s JOIN session_tokens t ON t.session_id = s.id SET {} = UTC_TIMESTAMP(6)".format
    select(f"{over(end)} WHERE t.token_hash = %s", digest_of(session))
    problem(refresh(api, session), 401, "invalid_token")


def test_after_logout_the_refresh_token_is_invalid_and_a_second_logout_is_fine(api: Api, session: Json) -> None:
    newer = refresh(api, session).body
    for _ in range(2):
        answer = log_out(api, newer)
        assert (answer.status, answer.text) == (204, "")
        common_headers(answer)
    problem(refresh(api, newer), 401, "invalid_token")
    assert api.call("GET", "/wallet", token=newer["access_token"]).status == 200, "to look it lives to its own end"
    told = {"to": {"phone": new_phone()}, "amount": 1}
    problem(api.call("POST", "/payments", told, token=newer["access_token"], key=new_key()), 401, "invalid_token")


def test_an_old_refresh_token_logs_the_whole_session_out(api: Api, session: Json) -> None:
    newer = refresh(api, session).body
    assert log_out(api, session).status == 204
    problem(refresh(api, newer), 401, "invalid_token")


def test_a_refresh_token_is_stored_as_its_hash_only(session: Json, select: Any) -> None:
    token = session["refresh_token"]
    assert len(select("SELECT session_id FROM session_tokens WHERE token_hash = %s", digest_of(session))) == 1
    assert len(base64.urlsafe_b64decode(token.removeprefix("rt_") + "=")) == 32
