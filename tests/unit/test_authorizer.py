"""The authorizer: an event of API Gateway's in, a policy out, whatever somebody calls a token."""

import time
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit import template as templates
from tests.unit.calls import CALLER, GENERATION, PRINCIPAL, SESSION, Context, Event, door, event, refusal_of
from tests.unit.conftest import LogLines
from wallet import wiring
from wallet.aws import SecretUnavailableError, SecretVersion
from wallet.edge.requests import read_request
from wallet.identity.tokens import CLOCK_LEEWAY_S, REMEMBERED_S, SigningKey, sign
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal

METHOD = "arn:aws:execute-api:ap-south-1:000000000000:a1b2c3d4e5/v1/POST/payments"
STAGE = "arn:aws:execute-api:ap-south-1:000000000000:a1b2c3d4e5/v1/*"
CURRENT, PREVIOUS, NEXT = (SecretVersion(name, name[0] * 64) for name in ("current-1", "previous-1", "next-1"))


class Secrets:
    """The token secret as Secrets Manager has it; `known` is what this process remembers of it."""

    def __init__(self) -> None:
        self.stages: dict[str, SecretVersion | None] = {"AWSCURRENT": CURRENT, "AWSPREVIOUS": PREVIOUS}
        self.known = dict(self.stages)
        self.asked_afresh = 0
        self.down = False

    def live(self, *, fresh: bool = False) -> list[SecretVersion]:
        if self.down:
            raise SecretUnavailableError("no answer")
        if fresh:
            self.asked_afresh += 1
            self.known = dict(self.stages)
        return [version for version in self.known.values() if version is not None]

    def rotate(self) -> None:
        self.stages = {"AWSCURRENT": NEXT, "AWSPREVIOUS": CURRENT}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    kept = Secrets()
    monkeypatch.setattr(wiring, "_token_secret", lambda: kept)
    return kept


@pytest.fixture(scope="module")
def authorizer() -> ModuleType:
    return door("authorizer")


def ask(authorizer: ModuleType, token: object, method: str = METHOD) -> dict[str, Any]:
    told: Event = {"type": "TOKEN", "authorizationToken": token, "methodArn": method}
    policy: dict[str, Any] = authorizer.handler(told, Context())
    return policy


def effect(policy: dict[str, Any]) -> str:
    [statement] = policy["policyDocument"]["Statement"]
    assert policy["policyDocument"]["Version"] == "2012-10-17"
    assert statement["Action"] == "execute-api:Invoke"
    assert statement["Resource"] == STAGE
    told: str = statement["Effect"]
    return told


def token_of(version: SecretVersion = CURRENT, *, valid_s: int = 900, now: int | None = None) -> str:
    made_at = int(time.time()) if now is None else now
    return sign(PRINCIPAL, SigningKey(version.id, version.text), now=made_at, valid_s=valid_s)


def test_a_good_token_is_let_in_and_named(authorizer: ModuleType, secrets: Secrets) -> None:
    policy = ask(authorizer, f"Bearer {token_of()}")
    assert effect(policy) == "Allow"
    assert policy["principalId"] == ids.show(ids.USER, CALLER)
    assert set(policy["context"]) == {"user_id", "session_id", "generation", "good_from", "expires_at"}
    assert policy["context"]["user_id"] == ids.show(ids.USER, CALLER)
    assert policy["context"]["session_id"] == ids.show(ids.SESSION, SESSION)
    assert policy["context"]["generation"] == GENERATION
    assert abs(policy["context"]["expires_at"] - time.time() - 900) < 5


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
def test_the_schemes_case_is_nothing(authorizer: ModuleType, secrets: Secrets, scheme: str) -> None:
    assert effect(ask(authorizer, scheme + token_of())) == "Allow"


def test_the_policy_is_for_every_route_of_the_stage(authorizer: ModuleType, secrets: Secrets) -> None:
    """API Gateway remembers it by token: for one route only, the next one would be denied."""
    for method in (METHOD, METHOD.replace("POST/payments", "GET/wallet"), METHOD.replace("payments", "payments/pay_1")):
        assert effect(ask(authorizer, f"Bearer {token_of()}", method)) == "Allow"


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Bearer null",
        "Basic cnpwOnNlY3JldA==",
        "Bearer a.b.c",
        "Bearer é.é.é",
        "Bearer \ud800",
        "Bearer " + "x" * 100_000,
        "Bearer " + "." * 100_000,
        7,
        ["Bearer x"],
        {"a": 1},
    ],
)
def test_a_bad_token_is_denied(authorizer: ModuleType, secrets: Secrets, token: object) -> None:
    policy = ask(authorizer, token)
    assert effect(policy) == "Deny"
    assert policy["context"] == {}
    assert policy["principalId"] == "nobody"


def test_a_token_without_its_scheme_is_denied(authorizer: ModuleType, secrets: Secrets) -> None:
    assert effect(ask(authorizer, token_of())) == "Deny"


def test_a_token_that_has_ended_is_denied(authorizer: ModuleType, secrets: Secrets) -> None:
    assert effect(ask(authorizer, f"Bearer {token_of(valid_s=-1)}")) == "Deny"


@pytest.mark.parametrize("ahead", [1, CLOCK_LEEWAY_S, CLOCK_LEEWAY_S + 1, CLOCK_LEEWAY_S + REMEMBERED_S])
def test_what_is_remembered_of_a_token_that_is_early_keeps_nobody_out_when_its_time_has_come(
    authorizer: ModuleType, secrets: Secrets, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    """The clock of the login is ahead of the authorizer's. Its word is remembered by API Gateway, as text."""
    made_at, clock = 1_790_000_000, {"now": 1_790_000_000.0 - ahead}
    monkeypatch.setattr("time.time", lambda: clock["now"])
    policy = ask(authorizer, f"Bearer {token_of(now=made_at)}")
    assert effect(policy) == "Allow"
    remembered = {name: str(value) for name, value in policy["context"].items()}
    asked = read_request(event(authorizer=remembered), Context())
    if ahead > CLOCK_LEEWAY_S:
        assert refusal_of(asked.caller) is Refusal.INVALID_TOKEN
    clock["now"] = made_at - CLOCK_LEEWAY_S
    assert asked.principal() == PRINCIPAL


def test_a_token_of_tomorrow_is_denied(authorizer: ModuleType, secrets: Secrets) -> None:
    assert effect(ask(authorizer, f"Bearer {token_of(now=int(time.time()) + 86_400)}")) == "Deny"


def test_api_gateway_remembers_the_authorizers_word_for_as_long_as_it_believes() -> None:
    authorizers = templates.load()["Resources"]["WalletApi"]["Properties"]["Auth"]["Authorizers"]
    assert authorizers["TokenAuthorizer"]["Identity"]["ReauthorizeEvery"] == REMEMBERED_S


def test_a_missing_token_is_denied(authorizer: ModuleType, secrets: Secrets) -> None:
    assert effect(authorizer.handler({"methodArn": METHOD}, Context())) == "Deny"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_nothing_that_anybody_sends_breaks_it(authorizer: ModuleType, secrets: Secrets, text: str) -> None:
    assert effect(ask(authorizer, f"Bearer {text}")) == "Deny"


def test_the_previous_secret_is_still_good(authorizer: ModuleType, secrets: Secrets) -> None:
    assert effect(ask(authorizer, f"Bearer {token_of(PREVIOUS)}")) == "Allow"
    assert secrets.asked_afresh == 0


def test_a_brand_new_secret_is_looked_up(authorizer: ModuleType, secrets: Secrets) -> None:
    secrets.rotate()
    assert effect(ask(authorizer, f"Bearer {token_of(NEXT)}")) == "Allow"
    assert effect(ask(authorizer, f"Bearer {token_of(CURRENT)}")) == "Allow"
    assert effect(ask(authorizer, f"Bearer {token_of(PREVIOUS)}")) == "Deny"


def test_a_first_secret_has_no_previous_one(authorizer: ModuleType, secrets: Secrets) -> None:
    secrets.stages["AWSPREVIOUS"] = secrets.known["AWSPREVIOUS"] = None
    assert effect(ask(authorizer, f"Bearer {token_of()}")) == "Allow"
    assert effect(ask(authorizer, f"Bearer {token_of(PREVIOUS)}")) == "Deny"


def test_while_the_secret_can_not_be_read_nobody_is_called_a_stranger(authorizer: ModuleType, secrets: Secrets) -> None:
    """A Deny would log people out, and be remembered; a failure is a 503 by the template."""
    secrets.down = True
    with pytest.raises(SecretUnavailableError):
        ask(authorizer, f"Bearer {token_of()}")


def test_a_denial_is_logged_without_the_token(authorizer: ModuleType, secrets: Secrets, log_lines: LogLines) -> None:
    token = token_of(valid_s=-1)
    ask(authorizer, f"Bearer {token}")
    [line] = log_lines()
    assert line["code"] == "invalid_token"
    assert token[:20] not in str(line)
