"""What a caller of the client may rely on when answers are lost, late or refusals. No network: httpx plays the API."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from tests.examples import PAYEE, RECEIPT
from wallet_client import OutcomeUnknownError, RefusedError, Wallet, new_key
from wallet_client.rest.models import PaymentReceipt, Tokens

BASE = "https://wallet.example/v1"

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

    def time(self) -> float:
        return 1_800_000_000.0 + self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock.monotonic)
    monkeypatch.setattr("time.time", clock.time)
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


NO_FUNDS = problem(402, "insufficient_funds")


def not_sent(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("", request=request)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(lost, id="no answer"),
        pytest.param(problem(409, "idempotency_key_in_use"), id="one that goes on"),
        pytest.param(problem(503, "try_again"), id="one that may go on"),
        pytest.param(problem(500, "internal_error"), id="internal_error"),
    ],
)
def test_a_refusal_after_an_attempt_that_was_lost_is_no_answer_until_that_one_can_not_arrive_any_more(
    first: Step, clock: Clock
) -> None:
    with pytest.raises(OutcomeUnknownError) as unknown:
        pay(Api(first, NO_FUNDS))
    until, refusal = unknown.value.until, unknown.value.problem
    assert refusal is not None
    assert refusal.code == "insufficient_funds"
    # the access token that the lost one came with is good for 900 s at most; what began with it is over a minute later
    assert 955 < until.timestamp() - clock.time() <= 960

    def again() -> PaymentReceipt:
        return wallet_of(Api(NO_FUNDS)).pay(PAYEE, 6000, key="order-17", unknown_until=until)

    clock.now += 950
    with pytest.raises(OutcomeUnknownError) as still:
        again()
    assert still.value.until == until
    clock.now += 10
    with pytest.raises(RefusedError, match="insufficient_funds"):
        again()


def test_what_goes_through_under_a_key_that_was_unknown_is_done(clock: Clock) -> None:
    until = datetime.fromtimestamp(clock.time() + 500, UTC)
    assert wallet_of(Api(PAID)).pay(PAYEE, 6000, key="order-17", unknown_until=until).id == "pay_1"


@pytest.mark.usefixtures("clock")
def test_a_time_without_a_zone_is_refused_before_anything_is_sent() -> None:
    api = Api(NO_FUNDS)
    with pytest.raises(ValueError, match="unknown_until"):
        wallet_of(api).pay(PAYEE, 6000, key="order-17", unknown_until=datetime(2026, 11, 22))  # noqa: DTZ001
    assert api.asked == []


def test_another_attempt_that_is_lost_prolongs_it_and_never_shortens(clock: Clock) -> None:
    for known_s, longest_s in ((100, 960), (5000, 5000)):
        until = datetime.fromtimestamp(clock.time() + known_s, UTC)
        wallet = wallet_of(Api(lost, NO_FUNDS))
        with pytest.raises(OutcomeUnknownError) as unknown:
            wallet.pay(PAYEE, 6000, key="order-17", unknown_until=until)
        assert abs(unknown.value.until.timestamp() - clock.time() - longest_s) < 5


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(not_sent, id="no connection"),
        pytest.param(problem(429, "too_many_requests"), id="too_many_requests"),
    ],
)
@pytest.mark.usefixtures("clock")
def test_a_refusal_is_one_if_no_attempt_before_it_can_arrive(first: Step) -> None:
    with pytest.raises(RefusedError, match="insufficient_funds"):
        pay(Api(first, NO_FUNDS))


@pytest.mark.usefixtures("clock")
def test_the_end_of_the_session_says_nothing_of_an_attempt_that_was_lost() -> None:
    ended = problem(401, "invalid_token")
    with pytest.raises(OutcomeUnknownError, match="invalid_token"):
        pay(Api(lost, ended, ended))


@pytest.mark.usefixtures("clock")
def test_what_only_reads_is_refused_at_once() -> None:
    with pytest.raises(RefusedError, match="not_found"):
        wallet_of(Api(lost, problem(404, "not_found"))).top_up("top_1")


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


def test_a_change_of_tokens_that_is_not_answered_is_repeated_while_the_refresh_token_may_be(clock: Clock) -> None:
    started: list[float] = []

    def silent(request: httpx.Request) -> httpx.Response:
        started.append(clock.now)
        timeout = request.extensions["timeout"]
        arrives = clock.now + timeout["connect"]
        assert arrives < started[0] + 30
        clock.now = arrives + timeout["read"]
        raise httpx.ReadTimeout("", request=request)

    api = Api(silent, TOKENS, PAID)
    wallet = wallet_of(api, expires_in=900)
    clock.now += 850
    assert wallet.pay(PAYEE, 6000, key="order-17").id == "pay_1"
    assert [json.loads(request.content) for request in api.asked[:2]] == [{"refresh_token": "refresh-1"}] * 2
    # and then not any more, until somebody pays again
    api = Api(*[silent] * 100)
    started.clear()
    wallet = wallet_of(api, expires_in=0, patience_s=0)
    with pytest.raises(OutcomeUnknownError):
        wallet.pay(PAYEE, 6000, key="order-17")
    assert len(started) >= 2


def test_a_status_that_is_new_is_no_reason_to_lose_an_answer(clock: Clock) -> None:
    assert pay(Api(answer(201, {**RECEIPT, "status": "completed_later", "new": 1}))).status == "completed_later"
    assert clock.slept == []


def test_keys_are_of_the_form_that_the_api_takes() -> None:
    assert len({new_key() for _ in range(100)}) == 100
    assert all(len(new_key()) <= 64 and new_key().isascii() for _ in range(10))
