"""What callers and gateways are told when there is nothing for them: routes, tokens, webhooks."""

import hashlib
import hmac
import json
import secrets
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.support.client import Answer, Api, Json, wait_until
from tests.support.problems import common_headers, problem

EVENT = "/webhooks/razorpay"
LARGEST_EVENT = 256 * 1024


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def event(api: Api, name: str = "settlement.processed", **more: object) -> Json:
    """An event of our account that says nothing about money of ours, new each time."""
    return {
        "entity": "event",
        "account_id": api.stack["account_id"],
        "event": name,
        "contains": [],
        "payload": {},
        "created_at": 1_795_000_000,
        "nonce": secrets.token_hex(8),
        **more,
    }


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def deliver(
    api: Api,
    body: bytes,
    *,
    path: str = EVENT,
    signed: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """A webhook as the gateway sends it; `signed` instead of the right signature, "" for none at all."""
    told = signature(api.stack["webhook_secret"], body) if signed is None else signed
    sent = {"X-Razorpay-Signature": told} if told else {}
    return api.call("POST", path, raw=body, headers=sent | (headers or {}))


def kept(select: Any, body: bytes) -> int:
    """How many events with this body were kept."""
    digest = hashlib.sha256(body).digest()
    rows = select("SELECT COUNT(*) AS events FROM gateway_events WHERE digest = %s", digest)
    return int(rows[0]["events"])


# ------------------------------------------------------------------------------------------------------- types


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/wallet"),
        ("POST", "/login"),
        ("POST", "/webhooks/nobody"),
        ("GET", "/problems/none"),
    ],
)
def test_the_type_of_a_problem_leads_to_a_page_that_explains_it(api: Api, method: str, path: str) -> None:
    """Whoever answers: API Gateway, the authorizer or a function."""
    answers: list[Answer] = []

    def answered() -> bool:
        answers.append(api.call(method, path, {} if method == "POST" else None))
        return not answers[-1].says_come_back  # as a function may that is slow to start

    wait_until(answered)
    answer = answers[-1]
    assert answer.code is not None, answer.text
    address = urljoin(api.stack["api_url"] + path, answer.body["type"])
    wait_until(lambda: api.pool.request("GET", address).status == 200)
    page = api.pool.request("GET", address)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"<code>{answer.code}</code>" in page.data.decode()


# ------------------------------------------------------------------------------------------------------- routes


@pytest.mark.parametrize("path", ["/nothing", "/", "/wallets", "/payments/a/b", "/webhooks", "/openapi.yaml", "/%00"])
def test_an_unknown_route_is_not_found(api: Api, path: str) -> None:
    problem(api.call("GET", path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/register"),
        ("GET", "/login"),
        ("DELETE", "/token"),
        ("PUT", "/payments"),
        ("PATCH", "/wallet"),
        ("POST", "/wallet"),
        ("DELETE", "/top-ups/top_0"),
        ("GET", EVENT),
    ],
)
def test_a_known_path_has_no_other_methods(api: Api, method: str, path: str) -> None:
    problem(api.call(method, path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/wallet"),
        ("GET", "/wallet/transactions"),
        ("POST", "/top-ups"),
        ("GET", "/top-ups/top_0"),
        ("POST", "/payments"),
        ("GET", "/payments/pay_0"),
    ],
)
def test_every_route_of_a_wallet_needs_a_token(api: Api, method: str, path: str) -> None:
    problem(api.call(method, path), 401, "missing_token")


def test_every_answer_has_the_common_headers_and_a_request_id_of_its_own(api: Api) -> None:
    asha = api.person()
    answers = [asha.get("/wallet"), asha.get("/wallet"), asha.get("/wallet/transactions"), asha.get("/nothing")]
    for answer in answers:
        common_headers(answer)
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    assert answers[0].headers["content-type"] == "application/json"


# ----------------------------------------------------------------------------------------------------- webhooks


@pytest.mark.parametrize("name", ["cashfree", "RAZORPAY", "razorpay%20", "'%3B%20DROP%20TABLE%20users%3B%20--", "%00"])
def test_a_webhook_of_a_gateway_that_is_not_connected_is_unknown(api: Api, name: str) -> None:
    problem(deliver(api, compact(event(api)), path=f"/webhooks/{name}"), 404, "unknown_gateway")


FORGERIES = {
    "missing": "",
    "None": "None",
    "null": "null",
    "a blank": " ",
    "too short": "ab" * 31,
    "too long": "ab" * 33,
    "64 wrong digits": "0" * 64,
    "no digits": "x" * 64,
    "not ASCII": "é" * 64,
    "SQL": "' OR '1'='1' -- ".ljust(64, "x"),
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_signature_that_does_not_fit_is_refused_and_nothing_is_kept(api: Api, select: Any, forged: str) -> None:
    body = compact(event(api))
    problem(deliver(api, body, signed=forged), 401, "invalid_signature", hidden=(api.stack["webhook_secret"],))
    assert kept(select, body) == 0


@pytest.mark.parametrize("secret", ["", "None", "another secret", "[]"])
def test_a_signature_by_another_secret_is_refused(api: Api, secret: str) -> None:
    body = compact(event(api))
    problem(deliver(api, body, signed=signature(secret, body)), 401, "invalid_signature")


def test_only_the_very_signature_of_the_very_bytes_counts(api: Api) -> None:
    told = event(api)
    body = compact(told)
    right = signature(api.stack["webhook_secret"], body)
    problem(deliver(api, body, signed=right.upper()), 401, "invalid_signature")
    problem(deliver(api, body, signed=f"sha256={right}"), 401, "invalid_signature")
    problem(deliver(api, body, signed=f"{right}, {right}"), 401, "invalid_signature")
    problem(deliver(api, body + b"\n", signed=right), 401, "invalid_signature")
    problem(deliver(api, json.dumps(told).encode(), signed=right), 401, "invalid_signature")
    problem(deliver(api, b"", signed=right), 401, "invalid_signature")
    assert deliver(api, body, signed=right).status == 200


def test_both_live_secrets_count(api: Api) -> None:
    newest, previous = api.stack["webhook_secrets"]
    for secret in (newest, previous):
        body = compact(event(api))
        answer = deliver(api, body, signed=signature(secret, body))
        assert (answer.status, answer.body) == (200, {"status": "ignored"})


def test_nobody_needs_a_token_and_no_token_makes_up_for_a_signature(api: Api) -> None:
    token = api.person().token
    body = compact(event(api))
    bearer = {"Authorization": f"Bearer {token}"}
    problem(deliver(api, body, signed="0" * 64, headers=bearer), 401, "invalid_signature")
    assert deliver(api, body).status == 200


def payment(**fields: object) -> Json:
    entity: Json = {
        "id": "pay_Malformed00001",
        "entity": "payment",
        "amount": 10_000,
        "currency": "INR",
        "status": "captured",
        "captured": True,
        "order_id": "order_Malformed0001",
    }
    return {"payload": {"payment": {"entity": entity | fields}}}


def malformed(api: Api) -> dict[str, bytes]:
    """Bodies that are no event, whoever signed them."""

    def captured(**fields: object) -> bytes:
        return compact(event(api, "payment.captured", **payment(**fields)))

    whole = captured()
    return {
        "no body": b"",
        "no JSON": b"hello",
        "half of it": whole[:-20],
        "two of them": whole + whole,
        "a byte order mark": b"\xef\xbb\xbf" + whole,
        "null": b"null",
        "a list": b"[" + whole + b"]",
        "a text": b'"payment.captured"',
        "an empty object": b"{}",
        "100,000 lists": b"[" * 100_000,
        "40,000 objects": b'{"a":' * 40_000,
        "deep inside": b'{"event":"payment.captured","payload":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        "an amount told twice": whole.replace(b'"amount":10000', b'"amount":10000,"amount":1'),
        "NaN": whole.replace(b'"amount":10000', b'"amount":NaN'),
        "infinity": whole.replace(b'"amount":10000', b'"amount":-Infinity'),
        "a 5,000-digit amount": whole.replace(b'"amount":10000', b'"amount":' + b"9" * 5_000),
        "an amount with a point": captured(amount=10_000.0),
        "an amount as text": captured(amount="10000"),
        "an amount that is true": captured(amount=True),
        "no amount": captured(amount=None),
        "a negative amount": captured(amount=-10_000),
        "an amount of 2^53": captured(amount=2**53),
        "captured as text": captured(captured="true"),
        "no payment id": captured(id=None),
        "SQL as a payment id": captured(id="'; DROP TABLE users; --"),
        "a long payment id": captured(id="pay_" + "a" * 100),
        "NUL in an order id": captured(order_id="order_\x00"),
        "a number as an order id": captured(order_id=7),
        "a currency in words": captured(currency="rupees"),
        "no status": captured(status=None),
        "no event name": compact(event(api) | {"event": None}),
        "a number as an event name": compact(event(api) | {"event": 7}),
        "a list as the account": compact(event(api, "payment.captured") | {"account_id": []}),
        "a text as the payment": compact(event(api, "payment.captured") | {"payload": {"payment": "all of it"}}),
        "a payment without its entity": compact(event(api, "payment.captured") | {"payload": {"payment": {}}}),
    }


def test_what_is_signed_and_no_event_is_malformed_and_not_kept(api: Api, select: Any) -> None:
    before = select("SELECT COUNT(*) AS n FROM gateway_payments WHERE gateway_payment_id = 'pay_Malformed00001'")
    for name, body in malformed(api).items():
        answer = deliver(api, body)
        assert (answer.status, answer.code) == (400, "malformed_event"), f"{name}: {answer.text}"
        problem(answer, 400, "malformed_event", hidden=("99999999", "pay_Malformed"))
        assert kept(select, body) == 0, name
    assert (
        select("SELECT COUNT(*) AS n FROM gateway_payments WHERE gateway_payment_id = 'pay_Malformed00001'") == before
    )


def test_a_number_that_nobody_needs_may_have_5000_digits(api: Api) -> None:
    answer = deliver(api, compact(event(api)).replace(b"1795000000", b"1" * 5_000))
    assert (answer.status, answer.body) == (200, {"status": "ignored"})


def test_bytes_that_are_no_utf_8_are_refused(api: Api) -> None:
    body = compact(event(api)).replace(b"processed", b"\xff\xfe\xff")
    answer = deliver(api, body)
    # the emulator and API Gateway replace such bytes, so that the signature doesn't fit what arrives
    assert (answer.status, answer.code) in ((401, "invalid_signature"), (400, "malformed_event"))


@pytest.mark.parametrize("signed", [None, "0" * 64], ids=["signed", "not signed"])
@pytest.mark.parametrize("size", [LARGEST_EVENT + 1, 1_000_000])
def test_an_event_of_more_than_256_kb_is_too_large(api: Api, size: int, signed: str | None) -> None:
    body = compact(event(api, padding="")).replace(b'"padding":""', b'"padding":"' + b"x" * size + b'"')
    problem(deliver(api, body, signed=signed), 413, "request_too_large")


def test_an_event_of_exactly_256_kb_is_not(api: Api) -> None:
    empty = compact(event(api, padding=""))
    body = compact(event(api, padding="x" * (LARGEST_EVENT - len(empty))))
    assert len(body) == LARGEST_EVENT
    assert deliver(api, body).status == 200


@pytest.mark.parametrize("name", ["settlement.processed", "payment.dispute.created", "invoice.paid", "x"])
def test_an_event_that_says_nothing_about_our_money_is_kept_and_ignored(api: Api, select: Any, name: str) -> None:
    body = compact(event(api, name))
    answer = deliver(api, body)
    assert (answer.status, answer.body) == (200, {"status": "ignored"})
    common_headers(answer)
    again = deliver(api, body)
    assert (again.status, again.body) == (200, {"status": "duplicate"})
    assert kept(select, body) == 1


def test_money_of_another_account_is_not_ours(api: Api, select: Any) -> None:
    asha = api.person()
    opened = asha.open_top_up(10_000)
    payment_id = f"pay_{secrets.token_hex(7)}"
    told = payment(id=payment_id, order_id=opened["gateway_order_id"])
    body = compact(event(api, "payment.captured", **told) | {"account_id": "acc_somebodyelse"})
    answer = deliver(api, body)
    assert (answer.status, answer.body) == (200, {"status": "ignored"})
    assert asha.balance() == 0
    assert select("SELECT * FROM gateway_payments WHERE gateway_payment_id = %s", payment_id) == []


@pytest.mark.parametrize(
    "event_id",
    ["", "x" * 5_000, "'; DROP TABLE gateway_events; --", "é", "None"],
    ids=["none", "long", "SQL", "é", "None"],
)
def test_the_event_id_is_nobodys_word_and_does_no_harm(api: Api, select: Any, event_id: str) -> None:
    body = compact(event(api))
    answer = deliver(api, body, headers={"X-Razorpay-Event-Id": event_id})
    assert (answer.status, answer.body) == (200, {"status": "ignored"})
    assert kept(select, body) == 1
