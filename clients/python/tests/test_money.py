"""What a caller of the client may rely on when answers are lost, late or refusals. No network: httpx plays the API."""

import json
from collections.abc import Callable

import httpx
import pytest

from wallet_client import OutcomeUnknownError, RefusedError, Wallet, new_key
from wallet_client.rest.models import PaymentPayeeRef, PaymentReceipt, Tokens

BASE = "https://wallet.example/v1"
PAYEE = PaymentPayeeRef(phone="+919876543211")
RECEIPT = {
    "id": "pay_1",
    "status": "completed",
    "amount": 6000,
    "currency": "INR",
    "from": {"wallet_id": "wal_1", "name": "Asha Rao"},
    "to": {"wallet_id": "wal_2", "name": "Bela Iyer"},
    "description": None,
    "reference": None,
    "transaction_id": "txn_1",
    "created_at": "2026-11-22T06:30:00.123Z",
    "balance": {"total": 1, "held": 0, "available": 1},
}

Step = Callable[[httpx.Request], httpx.Response]


def problem(status: int, code: str, **headers: str) -> Step:
    body = {"type": code, "title": code, "status": status, "detail": code, "code": code, "request_id": "1"}
    return lambda _: httpx.Response(status, json=body, headers=headers)


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("", request=request)


def answer(status: int, body: object) -> Step:
    return lambda _: httpx.Response(status, json=body)


PAID = answer(201, RECEIPT)


class Api:
    """Answers one step after the other, and remembers what it was asked."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.steps.pop(0)(request)

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("Idempotency-Key") for request in self.asked]


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock.monotonic)
    monkeypatch.setattr("time.sleep", clock.sleep)
    return clock


def wallet_of(api: Api, *, expires_in: int = 900, patience_s: float = 60.0) -> Wallet:
    tokens = Tokens("access-1", "Bearer", expires_in, "refresh-1")
    return Wallet(BASE, tokens, patience_s=patience_s, transport=httpx.MockTransport(api))


def pay(api: Api, key: str = "order-17") -> PaymentReceipt:
    return wallet_of(api).pay(PAYEE, 6000, key=key)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(lost, id="no answer"),
        pytest.param(lambda _: httpx.Response(201, text='{"id": "pay_1", "sta'), id="an answer that is cut off"),
        pytest.param(lambda _: httpx.Response(502, text="<html>"), id="a proxy's page"),
        pytest.param(problem(500, "internal_error"), id="internal_error"),
        pytest.param(problem(503, "try_again"), id="try_again"),
        pytest.param(problem(409, "idempotency_key_in_use"), id="idempotency_key_in_use"),
        pytest.param(problem(429, "too_many_requests"), id="too_many_requests"),
        pytest.param(lambda _: httpx.Response(429, text=""), id="a 429 of nobody's"),
    ],
)
def test_what_says_nothing_is_asked_again_with_the_same_key_and_body(first: Step, clock: Clock) -> None:
    api = Api(first, first, PAID)
    assert pay(api).id == "pay_1"
    assert api.keys == ["order-17"] * 3
    assert len({request.content for request in api.asked}) == 1
    assert len(clock.slept) == 2


@pytest.mark.parametrize("code", ["insufficient_funds", "confirmation_required", "idempotency_key_reused"])
def test_a_refusal_is_told_at_once(code: str, clock: Clock) -> None:
    api = Api(problem(402, code))
    with pytest.raises(RefusedError) as refused:
        pay(api)
    assert refused.value.code == code
    assert (len(api.asked), clock.slept) == (1, [])


def test_a_quota_is_a_refusal_and_no_reason_to_ask_again(clock: Clock) -> None:
    with pytest.raises(RefusedError, match="too_many_lookups"):
        pay(Api(problem(429, "too_many_lookups")))
    assert clock.slept == []


def test_when_nobody_says_it_the_outcome_is_unknown_and_the_key_stays(clock: Clock) -> None:
    api = Api(*[lost] * 100)
    started = clock.now
    with pytest.raises(OutcomeUnknownError) as unknown:
        pay(api)
    assert isinstance(unknown.value.__cause__, httpx.ReadTimeout)
    assert clock.now - started <= 60
    assert set(api.keys) == {"order-17"}
    later = Api(PAID)
    assert pay(later).id == "pay_1"
    assert later.keys == ["order-17"]


def test_it_waits_as_long_as_it_is_told_to(clock: Clock) -> None:
    pay(Api(problem(503, "try_again", **{"Retry-After": "17"}), PAID))
    assert clock.slept == [17.0]


def test_pauses_grow(clock: Clock) -> None:
    pay(Api(*[lost] * 6, PAID))
    assert all(most / 2 <= slept <= most for slept, most in zip(clock.slept, (0.5, 1, 2, 4, 8, 8), strict=True))


TOKENS = answer(
    200, {"access_token": "access-2", "token_type": "Bearer", "expires_in": 900, "refresh_token": "refresh-2"}
)


def test_a_token_is_changed_before_it_is_over(clock: Clock) -> None:
    api = Api(TOKENS, PAID)
    wallet = wallet_of(api, expires_in=900)
    clock.now += 850
    wallet.pay(PAYEE, 6000, key="order-17")
    assert json.loads(api.asked[0].content) == {"refresh_token": "refresh-1"}
    assert api.asked[1].headers["Authorization"] == "Bearer access-2"


def test_a_token_that_is_refused_is_changed_once_and_the_key_is_the_same(clock: Clock) -> None:
    api = Api(problem(401, "invalid_token"), TOKENS, PAID)
    assert pay(api).id == "pay_1"
    assert api.keys == ["order-17", None, "order-17"]
    with pytest.raises(RefusedError, match="invalid_token"):
        pay(Api(problem(401, "invalid_token"), problem(401, "invalid_token")))
    assert clock.slept == []


def test_a_status_that_is_new_is_no_reason_to_lose_an_answer(clock: Clock) -> None:
    assert pay(Api(answer(201, {**RECEIPT, "status": "completed_later", "new": 1}))).status == "completed_later"
    assert clock.slept == []


def test_keys_are_of_the_form_that_the_api_takes() -> None:
    assert len({new_key() for _ in range(100)}) == 100
    assert all(len(new_key()) <= 64 and new_key().isascii() for _ in range(10))
