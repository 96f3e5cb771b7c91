"""A new key for access tokens: safe twice, safe at once, and never so soon that a token that is good ends."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto import mock_aws

from tests.unit.calls import PRINCIPAL, Context, door
from wallet import aws, wiring
from wallet.aws import Secret, SecretDeniedError, SecretUnavailableError, WrittenSecret
from wallet.identity import tokens
from wallet.identity.token_keys import rotate
from wallet.identity.tokens import SigningKey

FIRST = "f" * 64
LEAST = timedelta(minutes=40)


class Manager:
    """Secrets Manager, with one secret in it."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.arn = client.create_secret(Name="token", SecretString=FIRST)["ARN"]

    def stages(self) -> dict[str, str]:
        """Version ids by stage."""
        told = self.client.describe_secret(SecretId=self.arn)["VersionIdsToStages"]
        return {stage: version_id for version_id, stages in told.items() for stage in stages}

    def keys(self) -> dict[str, SigningKey]:
        """The live ones, as the authorizer has them that begins now."""
        return {version.id: SigningKey(version.id, version.text) for version in Secret(self.arn).live()}


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="ap-south-1")
        monkeypatch.setattr(aws, "_secrets_manager", lambda: client)
        yield Manager(client)


def later(by: timedelta = LEAST) -> datetime:
    return datetime.now(UTC) + by + timedelta(seconds=5)


def test_a_new_key_signs_and_the_one_before_still_verifies(manager: Manager) -> None:
    before = Secret(manager.arn).version("AWSCURRENT")
    assert before is not None
    token = tokens.sign(PRINCIPAL, SigningKey(before.id, before.text), now=1_000, valid_s=900)
    assert rotate(WrittenSecret(manager.arn), now=later(), least_age=LEAST)
    keys = manager.keys()
    assert tokens.verify(token, keys, now=1_100).principal == PRINCIPAL
    fresh = keys[manager.stages()["AWSCURRENT"]]
    assert fresh.secret != FIRST
    assert len(fresh.secret) == 64
    assert tokens.verify(tokens.sign(PRINCIPAL, fresh, now=1_000, valid_s=900), keys, now=1_100).principal == PRINCIPAL


def test_twice_is_once_while_the_new_key_is_young(manager: Manager) -> None:
    written = WrittenSecret(manager.arn)
    assert rotate(written, now=later(), least_age=LEAST)
    stages = manager.stages()
    assert not rotate(written, now=later(-2 * timedelta(seconds=5)), least_age=LEAST)
    assert not rotate(written, now=later(LEAST - timedelta(minutes=1)), least_age=LEAST)
    assert manager.stages() == stages


def test_after_its_time_the_next_one_comes(manager: Manager) -> None:
    written = WrittenSecret(manager.arn)
    assert rotate(written, now=later(), least_age=LEAST)
    first = manager.stages()["AWSCURRENT"]
    assert rotate(written, now=later(), least_age=LEAST)
    assert manager.stages()["AWSPREVIOUS"] == first


def test_two_at_once_rotate_once(manager: Manager) -> None:
    """Both have looked before either has written."""

    class Late(WrittenSecret):
        def state(self) -> tuple[str, datetime]:
            seen = super().state()
            if not others:
                others.append(rotate(WrittenSecret(manager.arn), now=later(), least_age=LEAST))
            return seen

    others: list[bool] = []
    assert not rotate(Late(manager.arn), now=later(), least_age=LEAST)
    assert others == [True]
    assert {version.text == FIRST for version in Secret(manager.arn).live()} == {True, False}, (
        "the first still verifies"
    )


def test_a_key_that_somebody_has_just_put_by_hand_is_left_alone(manager: Manager) -> None:
    manager.client.put_secret_value(SecretId=manager.arn, SecretString="h" * 64)
    assert not rotate(WrittenSecret(manager.arn), now=datetime.now(UTC), least_age=LEAST)


@pytest.mark.parametrize("operation", ["DescribeSecret", "PutSecretValue"])
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ConnectTimeoutError(endpoint_url="https://secrets.invalid"), SecretUnavailableError),
        (ClientError({"Error": {"Code": "ThrottlingException"}}, "any"), SecretUnavailableError),
        (ClientError({"Error": {"Code": "AccessDeniedException"}}, "any"), SecretDeniedError),
    ],
)
def test_what_fails_is_raised_and_changes_nothing(
    manager: Manager, operation: str, error: Exception, raised: type[Exception]
) -> None:
    def fail(**_: object) -> None:
        raise error

    stages = manager.stages()
    name = f"before-call.secrets-manager.{operation}"
    manager.client.meta.events.register(name, fail)
    with pytest.raises(raised):
        rotate(WrittenSecret(manager.arn), now=later(), least_age=LEAST)
    manager.client.meta.events.unregister(name, fail)
    assert manager.stages() == stages


def test_a_secret_without_a_current_version_is_not_rotated(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager.client, "describe_secret", lambda **_: {"VersionIdsToStages": {}})
    with pytest.raises(SecretUnavailableError, match="no current version"):
        rotate(WrittenSecret(manager.arn), now=later(), least_age=LEAST)


def test_the_clock_rotates_and_says_so(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_SECRET", manager.arn)
    monkeypatch.setenv("ACCESS_TOKEN_SECONDS", "900")
    handler = door("rotate_token_key").handler
    assert handler({}, Context()) == {"rotated": False}, "it was made just now"
    monkeypatch.setattr(wiring, "token_key_least_age", lambda: timedelta(seconds=-5))
    assert handler({}, Context()) == {"rotated": True}


def test_a_key_is_old_enough_when_all_that_the_one_before_signed_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five minutes in which a login may still sign with it, and the lifetime of what it signed last."""
    monkeypatch.setenv("ACCESS_TOKEN_SECONDS", "900")
    assert wiring.token_key_least_age() >= timedelta(minutes=5 + 15)
