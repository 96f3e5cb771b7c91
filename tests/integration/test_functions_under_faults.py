"""Dependencies that are down: nothing moves twice, and the same key works afterwards.

Functions that die, and statements that are lost, are the business of tests/faults: each at every point.
"""

import json
import os
import signal
import time
from typing import Any

import pytest

from local.gateway.server import Simulator
from tests.integration import razorpay_simulator as razorpay
from tests.integration.conftest import Functions
from tests.support.books import Books, Person, new_phone, unique
from tests.support.cloud import Cloud
from tests.support.crowd import together
from tests.support.functions import Function, FunctionDiedError, api_event
from tests.support.moves import connection
from tests.support.proofs import proof_of
from tests.support.proxy import Proxy

Json = dict[str, Any]


def payment_event(payer: Person, payee: Person, key: str, amount: int = 60) -> Json:
    return api_event(
        "POST",
        "/payments",
        body={"to": {"phone": payee.phone}, "amount": amount},
        headers={"Idempotency-Key": key},
        caller=payer.user_id,
    )


def top_up_event(person: Person, key: str, amount: int = 50_000) -> Json:
    return api_event(
        "POST", "/top-ups", body={"amount": amount}, headers={"Idempotency-Key": key}, caller=person.user_id
    )


def told(answer: Json) -> Json:
    body: Json = json.loads(answer["body"])
    return body


def aws_through(cloud: Cloud, proxy: Proxy) -> dict[str, str]:
    return cloud.environment(url=f"http://{proxy.host}:{proxy.port}")


def moto(cloud: Cloud) -> tuple[str, int]:
    host, _, port = cloud.url.removeprefix("http://").partition(":")
    return host, int(port)


def until_it_works(function: Function, event: Json, *, within_s: float = 60) -> Json:
    """What a client does: the same request again as long as it is told to wait."""
    ends = time.monotonic() + within_s
    while True:
        answer: Json = function.invoke(event)
        if answer["statusCode"] not in (409, 503) or time.monotonic() > ends:
            return answer
        time.sleep(0.2)


def test_a_payment_answers_and_its_repetition_is_the_same_bytes(books: Books, functions: Functions) -> None:
    payer, payee = books.person(money=1_000), books.person()
    pay = functions.make("pay")
    event = payment_event(payer, payee, unique("key-"))
    first, again = pay.invoke(event), pay.invoke(event)
    assert (first["statusCode"], again["statusCode"]) == (201, 201)
    assert told(first) == told(again)
    assert "Idempotency-Replayed" not in first["headers"]
    assert again["headers"]["Idempotency-Replayed"] == "true"
    assert books.balance(payer) == 940


def test_killed_between_the_commit_and_the_record_a_retry_gets_one_payment_and_the_first_answer(
    books: Books, functions: Functions, cloud: Cloud
) -> None:
    payer, payee = books.person(money=1_000), books.person()
    event = payment_event(payer, payee, unique("key-"))
    survivor = functions.make("pay")  # warm, or what the dead one's record says is over before it looks
    survivor.invoke(payment_event(books.person(money=100), payee, unique("key-")))
    with Proxy(moto(cloud)) as proxy:
        pay = functions.make("pay", **aws_through(cloud, proxy))
        pid = pay.pid

        def kill_at_the_update(from_client: bool, chunk: bytes) -> bool:  # noqa: FBT001 - a judge's signature
            if from_client and b"DynamoDB_20120810.UpdateItem" in chunk:
                os.kill(pid, signal.SIGKILL)
                return False
            return True

        proxy.judge = kill_at_the_update
        with pytest.raises(FunctionDiedError):
            pay.invoke(event, timeout_s=12)
    assert books.balance(payer) == 940, "it was killed behind the commit"
    rows = books.select(
        "SELECT LOWER(HEX(t.id)) AS id FROM transactions t JOIN postings p ON p.transaction_id = t.id"
        " WHERE p.account_id = %s AND p.side = 'debit'",
        payer.wallet_id.bytes,
    )

    assert survivor.invoke(event)["statusCode"] == 409, "the dead one's record still says that it runs"
    answer = until_it_works(survivor, event)
    assert answer["statusCode"] == 201
    assert answer["headers"]["Idempotency-Replayed"] == "true"
    assert "balance" not in told(answer), "it is made anew, of what the ledger has"
    assert len(rows) == 1
    assert books.balance(payer) == 940
    assert until_it_works(survivor, event)["body"] == answer["body"]
    assert books.faults() == []


def test_when_only_the_record_can_not_be_written_the_payers_answer_is_not_lost(
    books: Books, functions: Functions, cloud: Cloud
) -> None:
    payer, payee = books.person(money=1_000), books.person()
    event = payment_event(payer, payee, unique("key-"))
    with Proxy(moto(cloud)) as proxy:
        pay = functions.make("pay", **aws_through(cloud, proxy))
        proxy.judge = lambda from_client, chunk: not (from_client and b"DynamoDB_20120810.UpdateItem" in chunk)
        answer = pay.invoke(event)
    assert answer["statusCode"] == 201
    assert books.balance(payer) == 940


def test_with_dynamodb_down_it_is_503_nothing_moves_and_the_key_works_afterwards(
    books: Books, functions: Functions, cloud: Cloud
) -> None:
    payer, payee = books.person(money=1_000), books.person()
    event = payment_event(payer, payee, unique("key-"))
    with Proxy(moto(cloud)) as proxy:
        pay = functions.make("pay", **aws_through(cloud, proxy))
        proxy.judge = lambda from_client, chunk: not (from_client and b"DynamoDB_20120810" in chunk)
        answer = pay.invoke(event)
        assert answer["statusCode"] == 503
        assert answer["headers"]["Retry-After"]
        assert told(answer)["code"] == "try_again"
        assert books.balance(payer) == 1_000
        proxy.judge = lambda _from_client, _chunk: True
        assert until_it_works(pay, event)["statusCode"] == 201
    assert books.balance(payer) == 940


@pytest.mark.parametrize("name", ["pay", "top_up", "register", "login", "balance", "webhook"])
def test_with_the_database_down_every_door_says_503_and_works_afterwards(
    books: Books, functions: Functions, name: str
) -> None:
    payer, payee = books.person(money=1_000), books.person()
    body, phone = {"phone": "+919811111111", "password": "correct horse"}, new_phone()
    proof = proof_of(connection(books, "identity"), phone)
    webhook = json.dumps({"event": "payment.failed", "account_id": razorpay.ACCOUNT, "n": unique("n")})
    events = {
        "pay": payment_event(payer, payee, unique("key-")),
        "top_up": top_up_event(payer, unique("key-")),
        "register": api_event("POST", "/register", body=body | {"phone_proof": proof, "phone": phone, "name": "A"}),
        "login": api_event("POST", "/login", body=body),
        "balance": api_event("GET", "/wallet", caller=payer.user_id),
        "webhook": api_event(
            "POST",
            "/webhooks/{gateway}",
            path={"gateway": "razorpay"},
            raw_body=webhook,
            headers={"X-Razorpay-Signature": signature(webhook)},
        ),
    }
    after = {"pay": 201, "top_up": 201, "register": 201, "login": 401, "balance": 200, "webhook": 200}
    with Proxy((books.server.host, books.server.port)) as proxy:
        function = functions.make(name, DATABASE_HOST=proxy.host, DATABASE_PORT=str(proxy.port))
        proxy.judge = lambda _from_client, _chunk: False
        answer = function.invoke(events[name])
        assert answer["statusCode"] == 503
        assert answer["headers"]["Retry-After"]
        assert told(answer)["code"] == "try_again"
        proxy.judge = lambda _from_client, _chunk: True
        assert until_it_works(function, events[name])["statusCode"] == after[name]


def test_with_the_database_down_under_a_warm_function_it_is_503_and_then_works(
    books: Books, functions: Functions
) -> None:
    payer, payee = books.person(money=1_000), books.person()
    with Proxy((books.server.host, books.server.port)) as proxy:
        pay = functions.make("pay", DATABASE_HOST=proxy.host, DATABASE_PORT=str(proxy.port))
        assert pay.invoke(payment_event(payer, payee, unique("key-")))["statusCode"] == 201
        proxy.judge = lambda _from_client, _chunk: False
        proxy.cut_all()
        event = payment_event(payer, payee, unique("key-"))
        assert pay.invoke(event)["statusCode"] == 503
        proxy.judge = lambda _from_client, _chunk: True
        assert until_it_works(pay, event)["statusCode"] == 201
    assert books.balance(payer) == 880


def signature(body: str, secret: str = razorpay.WEBHOOK_SECRET) -> str:
    import hashlib  # noqa: PLC0415 - for this helper alone
    import hmac  # noqa: PLC0415

    return hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("mode", ["down", "drop_answer", "rate_limited"])
def test_with_the_gateway_in_trouble_it_is_502_and_the_key_makes_one_order_afterwards(
    books: Books, functions: Functions, simulator: Simulator, mode: str
) -> None:
    person = books.person()
    event = top_up_event(person, unique("key-"), amount=41_000 + len(mode))
    top_up = functions.make("top_up")
    razorpay.fault(simulator, mode)
    try:
        answer = top_up.invoke(event)
    finally:
        razorpay.fault(simulator, "none")
    assert answer["statusCode"] == 502
    assert told(answer)["code"] == "gateway_unavailable"
    assert answer["headers"]["Retry-After"]
    answer = until_it_works(top_up, event)
    assert answer["statusCode"] == 201
    _, orders = razorpay.call(simulator, "GET", f"/v1/orders?receipt={told(answer)['id']}")
    assert [order["id"] for order in orders["items"]] == [told(answer)["gateway_order_id"]]


def test_the_link_and_its_qr_code_are_the_same_in_every_repetition(books: Books, functions: Functions) -> None:
    person = books.person()
    top_up = functions.make("top_up")
    event = top_up_event(person, unique("key-"))
    first, again = top_up.invoke(event), top_up.invoke(event)
    assert told(first) == told(again)
    assert told(first)["upi"]["intent_url"].startswith("upi://pay?")
    assert told(first)["upi"]["qr_svg"].startswith("<svg")


def webhook_event(body: str, secret: str = razorpay.WEBHOOK_SECRET, *, base64: bool = False) -> Json:
    import base64 as coding  # noqa: PLC0415 - for this helper alone

    return api_event(
        "POST",
        "/webhooks/{gateway}",
        path={"gateway": "razorpay"},
        raw_body=coding.b64encode(body.encode()).decode() if base64 else body,
        base64=base64,
        headers={"X-Razorpay-Signature": signature(body, secret), "X-Razorpay-Event-Id": "evt" + unique("")},
    )


def captured_body(order_id: str, payment_id: str, amount: int, event: str = "payment.captured") -> str:
    entity = {
        "id": payment_id,
        "entity": "payment",
        "amount": amount,
        "currency": "INR",
        "status": "failed" if event == "payment.failed" else "captured",
        "captured": event != "payment.failed",
        "order_id": order_id,
        "amount_refunded": 0,
        "error_reason": "payment_failed" if event == "payment.failed" else None,
        "notes": [],
    }
    told = {
        "entity": "event",
        "account_id": razorpay.ACCOUNT,
        "event": event,
        "contains": ["payment"],
        "payload": {"payment": {"entity": entity}},
        "created_at": 1,
    }
    return json.dumps(told, separators=(",", ":"))


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("base64", [False, True])
def test_a_webhook_is_verified_with_either_live_secret_on_its_raw_bytes(
    books: Books,
    functions: Functions,
    which: int,
    base64: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    person = books.person()
    body = captured_body(books.order(person, 500), unique("pay_"), 500)
    secret = [razorpay.WEBHOOK_SECRET, "the-secret-before-it"][which]
    answer = functions.make("webhook").invoke(webhook_event(body, secret, base64=base64))
    assert (answer["statusCode"], told(answer)) == (200, {"status": "processed"})
    assert books.balance(person) == 500


def test_a_forged_webhook_moves_nothing_and_is_not_kept(books: Books, functions: Functions) -> None:
    person = books.person()
    body = captured_body(books.order(person, 500), unique("pay_"), 500)
    before = books.select("SELECT COUNT(*) AS n FROM gateway_events")
    answer = functions.make("webhook").invoke(webhook_event(body, "a guess"))
    assert (answer["statusCode"], told(answer)["code"]) == (401, "invalid_signature")
    assert books.balance(person) == 0
    assert books.select("SELECT COUNT(*) AS n FROM gateway_events") == before


def test_an_event_of_another_account_is_kept_and_left_alone(books: Books, functions: Functions) -> None:
    person = books.person()
    body = captured_body(books.order(person, 500), unique("pay_"), 500).replace(razorpay.ACCOUNT, "acc_Somebody")
    answer = functions.make("webhook").invoke(webhook_event(body))
    assert (answer["statusCode"], told(answer)) == (200, {"status": "ignored"})
    assert books.balance(person) == 0


def test_20_webhooks_at_once_of_all_kinds_with_the_poller_between_them_credit_once(
    books: Books, functions: Functions, simulator: Simulator
) -> None:
    person = books.person()
    opened = told(functions.make("top_up").invoke(top_up_event(person, unique("key-"))))
    played = razorpay.play(simulator, opened["gateway_order_id"], "captured_without_webhook")
    payment_id = played["payments"][0]["id"]
    kinds = ["payment.failed", "payment.captured", "order.paid", "payment.captured"]
    bodies = [captured_body(opened["gateway_order_id"], payment_id, 50_000, kinds[turn % 4]) for turn in range(20)]
    webhooks = [functions.make("webhook") for _ in range(4)]
    pollers = [functions.make("reconcile") for _ in range(2)]
    time.sleep(1.1)  # the attempt is due for a question
    tasks = [
        (lambda turn=turn, body=body: webhooks[turn % 4].invoke(webhook_event(body)))
        for turn, body in enumerate(bodies)
    ]
    tasks += [(lambda poller=poller: poller.invoke({}, timeout_s=60)) for poller in pollers]  # type: ignore[misc]  # bound early
    answers = together(tasks)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert {answer["statusCode"] for answer in answers[:20] if isinstance(answer, dict)} == {200}
    assert books.balance(person) == 50_000
    assert books.faults() == []
