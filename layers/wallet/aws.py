"""Secrets Manager and DynamoDB, asked with short patience: a wallet that waits for them holds up its callers."""

import functools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

_PATIENCE = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
_PASSING = frozenset({"ThrottlingException", "InternalServiceError", "ServiceUnavailable", "RequestTimeout"})
_MAX_AGE_S = 300.0
_MIN_AGE_S = 10.0


class SecretUnavailableError(Exception):
    """Secrets Manager can't be reached, or doesn't give the secret."""


class SecretDeniedError(SecretUnavailableError):
    """Secrets Manager says no: what was known before must not be used any more."""


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """One version of a secret."""

    id: str
    text: str


@functools.cache
def dynamodb() -> "DynamoDBClient":
    """The client for the idempotency table."""
    return boto3.client("dynamodb", config=_PATIENCE)


@functools.cache
def _secrets_manager() -> "SecretsManagerClient":
    return boto3.client("secretsmanager", config=_PATIENCE)


class Secret:
    """A secret, remembered for five minutes; asked for again sooner if somebody has reason to think it changed, but
    no more often than every ten seconds, so that forged requests can't make us ask.
    """

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._known: dict[str, tuple[float, SecretVersion | None]] = {}

    def text(self, *, fresh: bool = False) -> str:
        """What the secret says now."""
        version = self.version("AWSCURRENT", fresh=fresh)
        if version is None:
            raise SecretUnavailableError("the secret has no current version")
        return version.text

    def json(self, *, fresh: bool = False) -> Mapping[str, Any]:
        """What the secret says now, as a JSON object."""
        try:
            value = json.loads(self.text(fresh=fresh))
        except json.JSONDecodeError:
            value = None  # the error would carry the secret's text along
        if not isinstance(value, dict):
            raise SecretUnavailableError("the secret is no JSON object")
        return value

    def version(self, stage: str, *, fresh: bool = False) -> SecretVersion | None:
        """The version at a stage (`AWSCURRENT`, `AWSPREVIOUS`), None if there is none."""
        now = time.monotonic()
        asked_at, version = self._known.get(stage, (None, None))
        if asked_at is not None and now - asked_at < (_MIN_AGE_S if fresh else _MAX_AGE_S):
            return version
        try:
            version = self._fetch(stage)
        except SecretDeniedError:
            raise
        except SecretUnavailableError:
            if asked_at is None:
                raise
            # what it said last is better than no wallet at all; it is asked again when this grows old
        self._known[stage] = (now, version)
        return version

    def _fetch(self, stage: str) -> SecretVersion | None:
        try:
            answer = _secrets_manager().get_secret_value(SecretId=self._arn, VersionStage=stage)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code == "ResourceNotFoundException" and stage != "AWSCURRENT":
                return None
            trouble = SecretUnavailableError if code in _PASSING else SecretDeniedError
            raise trouble(f"Secrets Manager refused: {code}") from error
        except BotoCoreError as error:
            raise SecretUnavailableError(f"Secrets Manager was not reached: {type(error).__name__}") from error
        return SecretVersion(answer["VersionId"], answer["SecretString"])
