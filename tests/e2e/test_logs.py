"""What is logged of a day's work: every request once, and nothing that is a secret or a person."""

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.support.client import Answer, Api, Json, Person, at_the_end, new_key, new_phone, wait_until
from tests.support.proofs import ask_for_code, newest_code

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

REGION = "ap-south-1"
EMAIL = f"asha.{secrets.token_hex(6)}@example.com"
PASSWORD = f"the password {secrets.token_hex(8)}"
KEY = f"key-{secrets.token_hex(8)}"
#: What people write into requests, in fields that should and in fields that shouldn't have it.
WORDS = {"description": f"for {secrets.token_hex(8)}", "reference": f"bill-{secrets.token_hex(8)}"}

_LOOKS_SECRET = {
    "an access token": re.compile(r"eyJ[A-Za-z0-9_-]{10,}"),
    "a refresh token": re.compile(r"\brt_[A-Za-z0-9_-]{20,}"),
    "a proof of a phone": re.compile(r"\bpp_[A-Za-z0-9_-]{20,}"),
    "a password's hash": re.compile(r"\$2[aby]\$"),
    "an authorization": re.compile(r"(?i)\b(bearer|basic) +[A-Za-z0-9+/=._-]{8,}"),
    "an address": re.compile(r"[\w.+-]+@[A-Za-z][\w.-]+"),
    "a phone": re.compile(r"\+[0-9]{7,}"),
    "a UPI link": re.compile(r"upi://"),
}


@dataclass(slots=True)
class Day:
    """What was done, and the answer of each request with the route it went to."""

    asha: Person
    began: float
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    secret: list[str] = field(default_factory=list)

    def note(self, route: str, answer: Answer, status: int) -> Any:
        """Keeps an answer, which has this status; its body."""
        assert answer.status == status, answer.text
        self.answers.append((route, answer))
        return answer.body


@pytest.fixture(scope="module")
def day(api: Api) -> Day:
    """Everything that people do with a wallet, and what goes wrong."""
    began = time.time()
    phone = new_phone()
    proofs: list[tuple[str, Answer]] = []
    sent = ask_for_code(api, phone)
    proofs.append(("POST /phone-proofs", sent))
    code = newest_code(api, phone)
    shown = api.call("POST", f"/phone-proofs/{sent.body['id']}", {"code": code})
    proofs.append(("POST /phone-proofs/{id}", shown))
    proof = shown.body["phone_proof"]
    told: Json = {"phone_proof": proof, "phone": phone, "name": "Asha Rao", "password": PASSWORD, "email": EMAIL}
    answer = api.call("POST", "/register", told, key=KEY)
    assert answer.status == 201, answer.text
    session = api.call("POST", "/login", {"phone": phone, "password": PASSWORD})
    asha = Person(api, answer.body["user"]["id"], answer.body["wallet"]["id"], phone, session.body)
    bela = api.person(name="Bela")
    day = Day(asha, began, proofs, secret=[phone, bela.phone, EMAIL, PASSWORD, KEY, proof, *WORDS.values()])
    day.note("POST /register", answer, 201)
    day.note("POST /login", session, 200)
    _who(api, day, phone)
    _money(api, day, bela)
    _trouble(api, day)
    return day


def _who(api: Api, day: Day, phone: str) -> None:
    proof = api.prove(phone)
    told: Json = {"phone_proof": proof, "phone": phone, "name": "Asha Rao", "password": PASSWORD, "email": EMAIL}
    day.secret.append(proof)
    day.note("POST /register", api.call("POST", "/register", told), 409)
    day.note("POST /register", api.call("POST", "/register", told | {"name": PASSWORD * 4, "kind": EMAIL}), 422)
    day.note("POST /login", api.call("POST", "/login", {"phone": phone, "password": PASSWORD + "x"}), 401)
    day.note("POST /login", api.call("POST", "/login", {"phone": EMAIL, "password": PASSWORD}), 422)
    session = api.call("POST", "/login", {"phone": phone, "password": PASSWORD}).body
    newer = day.note("POST /token", api.call("POST", "/token", {"refresh_token": session["refresh_token"]}), 200)
    newest = day.note("POST /token", api.call("POST", "/token", {"refresh_token": newer["refresh_token"]}), 200)
    old = {"refresh_token": session["refresh_token"]}
    day.note("POST /token", api.call("POST", "/token", old), 401)
    day.note("POST /logout", api.call("POST", "/logout", {"refresh_token": newer["refresh_token"]}), 204)
    # a session that somebody else may have used has ended, so that every other one asks for its next token
    first = day.asha.session
    next_token = api.call("POST", "/token", {"refresh_token": first["refresh_token"]})
    day.asha = replace(day.asha, session=day.note("POST /token", next_token, 200))
    for tokens in (first, day.asha.session, session, newer, newest):
        day.secret += [tokens["access_token"], tokens["refresh_token"]]


def _money(api: Api, day: Day, bela: Person) -> None:
    asha = day.asha
    opened = day.note("POST /top-ups", asha.post("/top-ups", {"amount": 10_000}, key=KEY), 201)
    api.play(opened["gateway_order_id"], "failed_then_captured", duplicates=2)
    at_the_end(asha, opened["id"], "succeeded")
    day.note("GET /top-ups/{id}", asha.get(f"/top-ups/{opened['id']}"), 200)
    paid = day.note(
        "POST /payments", asha.post("/payments", {"to": {"phone": bela.phone}, "amount": 100, **WORDS}), 201
    )
    day.note("GET /payments/{id}", bela.get(f"/payments/{paid['id']}"), 200)
    _out(day)
    day.note("GET /wallet", asha.get("/wallet"), 200)
    day.note("GET /wallet/transactions", asha.get("/wallet/transactions"), 200)
    day.secret += [opened["upi"]["intent_url"]]


def _out(day: Day) -> None:
    """To addresses that are paid, that fail, that the provider rejects, and that are none."""
    asha = day.asha
    for name in ("paid.{}", "failure", "wrong_{}", "no address {}"):
        vpa = f"{name.format(secrets.token_hex(4))}@bank{secrets.token_hex(4)}"
        day.secret.append(vpa)
        if name == "no address {}":
            day.note("POST /withdrawals", asha.post("/withdrawals", {"amount": 100, "vpa": vpa}), 422)
            continue
        told = day.note("POST /withdrawals", asha.post("/withdrawals", {"amount": 100, "vpa": vpa}), 202)
        at_its_end(asha, told["id"])
        day.note("GET /withdrawals/{id}", asha.get(f"/withdrawals/{told['id']}"), 200)


def at_its_end(person: Person, withdrawal_id: str) -> None:
    """Returns when a withdrawal is no longer pending."""
    wait_until(lambda: person.get(f"/withdrawals/{withdrawal_id}").body["status"] != "pending")


def _trouble(api: Api, day: Day) -> None:
    asha = day.asha
    wrong: Json = {"to": {"phone": asha.phone, "wallet_id": PASSWORD}, "amount": EMAIL}
    day.note("POST /payments", asha.post("/payments", wrong), 422)
    day.note("POST /payments", api.call("POST", "/payments", wrong, token=asha.token, key=f"{KEY} {EMAIL}"), 400)
    day.note("POST /payments", api.call("POST", "/payments", raw=PASSWORD.encode(), token=asha.token, key=KEY), 400)
    too_much = {"to": {"phone": day.secret[1]}, "amount": 10_000_000, **WORDS}
    day.note("POST /payments", asha.post("/payments", too_much), 402)
    day.note("GET /payments/{id}", asha.get(f"/payments/{asha.phone}"), 404)
    day.note("GET /wallet/transactions", asha.get(f"/wallet/transactions?cursor={EMAIL}"), 422)
    forged = asha.token[:-6] + "AAAAAA"
    assert api.call("GET", "/wallet", token=forged).status == 401
    assert api.call("GET", f"/{asha.phone}/{EMAIL}", token=asha.token).status == 404
    day.secret.append(forged)

    event = json.dumps({"event": "payment.captured", "vpa": "asha@upi", "contact": asha.phone, "email": EMAIL}).encode()
    signature = hmac.new(api.stack["webhook_secret"].encode(), event, hashlib.sha256).hexdigest()
    for signed, status in ((signature, 200), ("0" * 64, 401)):
        headers = {"X-Razorpay-Signature": signed}
        answer = api.call("POST", "/webhooks/razorpay", raw=event, headers=headers)
        day.note("POST /webhooks/{gateway}", answer, status)
    day.secret += [signature, "asha@upi"]

    # The gateway fails where it is told a phone and an e-mail address: what is logged of it?
    key = new_key()
    _fault(api, {"mode": "down", "path": "/v1/payments", "method": "POST"})
    try:
        answer = asha.post("/top-ups", {"amount": 20_000}, key=key, once=True)
    finally:
        _fault(api, {"mode": "none"})
    assert answer.code == "gateway_unavailable"
    day.note("POST /top-ups", answer, 502)
    day.note("POST /top-ups", asha.post("/top-ups", {"amount": 20_000}, key=key), 201)


def _fault(api: Api, told: Json) -> None:
    url = f"{api.stack['gateway_url']}/simulator/faults"
    assert api.pool.request("POST", url, json=told, timeout=90.0).status == 200


# ------------------------------------------------------------------------------------------------ reading logs


@pytest.fixture(scope="module")
def cloud(api: Api) -> "tuple[CloudWatchLogsClient, SecretsManagerClient]":
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    url = api.stack["aws_endpoint_url"]
    return session.client("logs", endpoint_url=url), session.client("secretsmanager", endpoint_url=url)


def logged(logs: "CloudWatchLogsClient", since_s: float = 0) -> Iterator[str]:
    """Every line of every function, of this test session and of what ran before it, environment by environment."""
    for groups in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/wallet/"):
        for group in (one["logGroupName"] for one in groups["logGroups"]):
            for streams in logs.get_paginator("describe_log_streams").paginate(logGroupName=group):
                for stream in (one["logStreamName"] for one in streams["logStreams"]):
                    yield from _of_stream(logs, group, stream, since_s)


def _of_stream(logs: "CloudWatchLogsClient", group: str, stream: str, since_s: float) -> Iterator[str]:
    # filter_log_events would do for all of them, but the emulator's ends at 10,000 lines
    more: dict[str, Any] = {}
    while True:
        page = logs.get_log_events(
            logGroupName=group, logStreamName=stream, startTime=int(since_s * 1000), startFromHead=True, **more
        )
        yield from (event["message"] for event in page["events"])
        if page["nextForwardToken"] == more.get("nextToken"):
            return
        more = {"nextToken": page["nextForwardToken"]}


#: How an invocation may fail on a machine that is busy: what it needed did not answer in time, and it is invoked again.
_OUTAGE = re.compile(
    r"Task timed out after"
    r"|\b\w+UnavailableError\b"
    # a notice that comes while the same one is being sent
    r"|\bIdempotencyAlreadyInProgressError\b"
    r"|\bUnhealthyRunError: "
    r"(\d+ not reached, 0 not understood|0 not understood, \d+ calls failed|not everything is sealed)"
)


def entries(lines: Sequence[str]) -> list[Json]:
    """The lines that functions wrote. The others are Lambda's own: of an invocation, and of one that failed."""
    written: list[Json] = []
    error: list[str] = []
    for line in lines:
        if re.match(r"(START|END|REPORT|INIT_START) ", line):
            assert not error or _OUTAGE.search("".join(error)), error
            error.clear()
        elif error or line.startswith("Traceback ") or _OUTAGE.match(line):
            error.append(line)
        else:
            written.append(json.loads(line))
    return written


@pytest.fixture(scope="module")
def lines(day: Day, cloud: "tuple[CloudWatchLogsClient, SecretsManagerClient]") -> list[str]:
    """All of them, when those of the day are there: logs come a moment after answers."""
    wanted = {answer.headers["x-request-id"] for _, answer in day.answers}

    def complete() -> bool:
        text = "\n".join(logged(cloud[0], day.began))
        return all(request_id in text for request_id in wanted)

    wait_until(complete)
    return list(logged(cloud[0]))


def test_every_line_of_a_function_is_json(lines: list[str]) -> None:
    for entry in entries(lines):
        assert entry["level"] in ("INFO", "WARNING", "ERROR")
        assert entry["service"] == "wallet"
        assert entry["message"]


def test_every_request_is_one_line_with_its_route_and_status(day: Day, lines: list[str]) -> None:
    requests: dict[str, list[Json]] = {}
    for entry in entries(lines):
        if entry["message"] == "request":
            requests.setdefault(entry["request_id"], []).append(entry)
    for route, answer in day.answers:
        found = requests.get(answer.headers["x-request-id"], [])
        assert [(entry["route"], entry["status"]) for entry in found] == [(route, answer.status)]
        assert found[0].get("code") == answer.code
        assert found[0]["ms"] >= 0


def test_a_signed_in_request_says_whose_it_was_by_id(day: Day, lines: list[str]) -> None:
    mine = [answer.headers["x-request-id"] for route, answer in day.answers if route == "GET /wallet"]
    found = [entry for entry in entries(lines) if entry.get("request_id") in mine]
    assert [entry["user_id"] for entry in found] == [day.asha.user_id] * len(mine)


def test_a_failing_gateway_leaves_a_warning(day: Day, lines: list[str]) -> None:
    failed = next(answer for _, answer in day.answers if answer.status == 502)
    found = [entry for entry in entries(lines) if entry.get("request_id") == failed.headers["x-request-id"]]
    assert [(entry["level"], entry["message"]) for entry in found] == [("WARNING", "outage"), ("INFO", "request")]


def test_nothing_that_the_day_was_told_is_in_any_line(day: Day, lines: list[str]) -> None:
    told = [*day.secret, day.asha.phone[1:], day.asha.phone[3:]]
    for line in lines:
        assert not [text for text in told if text in line], line


def test_nothing_in_any_line_looks_like_a_secret_or_a_person(lines: list[str]) -> None:
    for line in lines:
        assert not [what for what, pattern in _LOOKS_SECRET.items() if pattern.search(line)], line


def test_nobodys_phone_is_in_any_line(lines: list[str], select: Any) -> None:
    phones = {row["phone"].removeprefix("+") for row in select("SELECT phone FROM users WHERE phone IS NOT NULL")}
    phones |= {phone.removeprefix("91") for phone in phones}
    for line in lines:
        numbers = re.findall(r"(?<![0-9a-f-])[0-9]{10,12}(?![0-9a-f-])", line)
        assert not phones.intersection(numbers), line


def test_no_secret_of_the_stack_is_in_any_line(
    api: Api, lines: list[str], cloud: "tuple[CloudWatchLogsClient, SecretsManagerClient]"
) -> None:
    known = set(_secrets(cloud[1])) | {api.stack["mysql"]["password"], *api.stack["webhook_secrets"]}
    assert len(known) >= 8
    # a line is JSON: there, a secret with quotes or backslashes is spelled otherwise
    known |= {json.dumps(secret)[1:-1] for secret in known}
    for line in lines:
        assert not [secret for secret in known if secret in line], "a secret was logged"


def _secrets(manager: "SecretsManagerClient") -> Iterator[str]:
    """What Secrets Manager keeps, but for names that are no secret: user names, the key's public id."""
    for page in manager.get_paginator("list_secrets").paginate():
        for secret in page["SecretList"]:
            text = manager.get_secret_value(SecretId=secret["Name"])["SecretString"]
            try:
                content = json.loads(text)
            except ValueError:
                content = None
            # a generated one may begin with a brace as well as with a letter, or be JSON by chance: a text in quotes
            if not isinstance(content, dict):
                yield text
                continue
            yield from content.get("secrets", [])
            yield from (content[name] for name in ("password", "key_secret") if name in content)
