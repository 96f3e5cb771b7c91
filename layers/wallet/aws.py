"""AWS, asked with short patience: a wallet that waits for it holds up its callers."""

import functools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

#: For so many seconds a secret is remembered without looking again.
SECRET_MAX_AGE_S = 300

_PATIENCE = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
_PASSING = frozenset({"ThrottlingException", "InternalServiceError", "ServiceUnavailable", "RequestTimeout"})
_MIN_AGE_S = 10.0
# in this order: a rotation between the two looks leaves what was current in both
_LIVE = ("AWSCURRENT", "AWSPREVIOUS")


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
def event_bridge(calls_at_once: int) -> "EventBridgeClient":
    """The client for the bus, with so many calls under way at the most."""
    return boto3.client("events", config=_PATIENCE.merge(Config(max_pool_connections=calls_at_once)))


@functools.cache
def sns() -> "SNSClient":
    """The client for notices to people."""
    return boto3.client("sns", config=_PATIENCE)


@functools.cache
def sqs() -> "SQSClient":
    """The client for the queues of webhooks."""
    return boto3.client("sqs", config=_PATIENCE)


@functools.cache
def kms() -> "KMSClient":
    """The client for the key that signs checkpoints."""
    return boto3.client("kms", config=_PATIENCE)


@functools.cache
def s3() -> "S3Client":
    """The client for files."""
    # With its own host name and signature 4 a link goes to the bucket's own region, where it is signed for; a link to
    # the host of all regions is sent on from there, and no longer fits its signature.
    config = Config(
        connect_timeout=1,
        read_timeout=8,
        retries={"mode": "standard", "total_max_attempts": 2},
        signature_version="s3v4",
        s3={"addressing_style": "virtual"},
    )
    return boto3.client("s3", config=config)


class FilesUnavailableError(Exception):
    """S3 can't be reached, or doesn't take the file."""


class Files:
    """A bucket whose files are handed out by links that open for whoever has them, for a short time."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def put(self, key: str, content: bytes, *, media_type: str) -> None:
        """Stores a file."""
        try:
            s3().put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType=media_type, CacheControl="private, no-store"
            )
        except (BotoCoreError, ClientError) as error:
            raise FilesUnavailableError(f"S3 did not take a file: {type(error).__name__}") from error

    def link(self, key: str, *, valid_s: int) -> str:
        """A link to a file that opens for `valid_s` seconds; made here, without asking anybody."""
        return s3().generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=valid_s, HttpMethod="GET"
        )


@functools.cache
def _lambda() -> "LambdaClient":
    return boto3.client("lambda", config=_PATIENCE)


def invoke_soon(function: str) -> bool:
    """Has Lambda run a function (name or ARN) soon, without an answer; False if it did not take that on."""
    try:
        _lambda().invoke(FunctionName=function, InvocationType="Event")
    except (BotoCoreError, ClientError):
        return False
    return True


@functools.cache
def _secrets_manager() -> "SecretsManagerClient":
    return boto3.client("secretsmanager", config=_PATIENCE)


@functools.cache
def _ssm() -> "SSMClient":
    return boto3.client("ssm", config=_PATIENCE)


class LateParameter:
    """A setting that may be written after the deployment; '' until it is.

    It is remembered for five minutes, and that there is none for ten seconds. While SSM doesn't answer it is what it
    was, so that nothing waits for it twice.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._known, self._until = "", 0.0

    def text(self) -> str:
        """What it says, or said last."""
        now = time.monotonic()
        if now >= self._until:
            fresh = self._asked()
            self._until = now + (_MIN_AGE_S if not fresh else SECRET_MAX_AGE_S)
            self._known = self._known if fresh is None else fresh
        return self._known

    def _asked(self) -> str | None:
        """What it says now; None if that can't be known."""
        try:
            return _ssm().get_parameter(Name=self._name)["Parameter"].get("Value", "")
        except ClientError as error:
            return "" if error.response["Error"]["Code"] == "ParameterNotFound" else None
        except BotoCoreError:
            return None


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
        return _json_object(self.text(fresh=fresh))

    def live_json(self, *, fresh: bool = False) -> list[Mapping[str, Any]]:
        """What the secret says now, and what it said before its last rotation if there was one, as JSON objects."""
        return [_json_object(version.text) for version in self.live(fresh=fresh)]

    def live(self, *, fresh: bool = False) -> list[SecretVersion]:
        """The current version, and the one before its last rotation if there was one: both of one look.

        Of two looks, one before a rotation and one behind it, what was current until then would be in neither.
        """
        if self._is_due(_LIVE, fresh=fresh):
            for stage in _LIVE:
                self._look(stage)
        return [version for stage in _LIVE if (version := self._known[stage][1]) is not None]

    def version(self, stage: str, *, fresh: bool = False) -> SecretVersion | None:
        """The version at a stage (`AWSCURRENT`, `AWSPREVIOUS`), None if there is none."""
        if self._is_due((stage,), fresh=fresh):
            self._look(stage)
        return self._known[stage][1]

    def _is_due(self, stages: tuple[str, ...], *, fresh: bool) -> bool:
        latest = time.monotonic() - (_MIN_AGE_S if fresh else SECRET_MAX_AGE_S)
        return any(stage not in self._known or self._known[stage][0] <= latest for stage in stages)

    def _look(self, stage: str) -> None:
        now = time.monotonic()
        try:
            version = self._fetch(stage)
        except SecretDeniedError:
            raise
        except SecretUnavailableError:
            if stage not in self._known:
                raise
            # what it said last is better than no wallet at all; it is asked again when this grows old
            version = self._known[stage][1]
        self._known[stage] = (now, version)

    def _fetch(self, stage: str) -> SecretVersion | None:
        try:
            answer = _secrets_manager().get_secret_value(SecretId=self._arn, VersionStage=stage)
        except ClientError as error:
            if _code_of(error) == "ResourceNotFoundException" and stage != "AWSCURRENT":
                return None
            raise _refused(error) from error
        except BotoCoreError as error:
            raise _unreached(error) from error
        return SecretVersion(answer["VersionId"], answer["SecretString"])


class WrittenSecret:
    """A secret that is given new versions by somebody who can't read it."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def state(self) -> tuple[str, datetime]:
        """The id of the current version, and when anything of the secret was last changed."""
        try:
            answer = _secrets_manager().describe_secret(SecretId=self._arn)
        except ClientError as error:
            raise _refused(error) from error
        except BotoCoreError as error:
            raise _unreached(error) from error
        stages = answer.get("VersionIdsToStages", {})
        current = [version_id for version_id, named in stages.items() if "AWSCURRENT" in named]
        if not current:
            raise SecretUnavailableError("the secret has no current version")
        return current[0], answer["LastChangedDate"]

    def put(self, version_id: str, text: str) -> bool:
        """Makes `text` the current version and what was current the previous one, in one step.

        `version_id` has 32 to 64 characters. False if there is another version of this id.
        """
        try:
            _secrets_manager().put_secret_value(SecretId=self._arn, ClientRequestToken=version_id, SecretString=text)
        except ClientError as error:
            if _code_of(error) == "ResourceExistsException":
                return False
            raise _refused(error) from error
        except BotoCoreError as error:
            raise _unreached(error) from error
        return True


def _code_of(error: ClientError) -> str | None:
    return error.response.get("Error", {}).get("Code")


def _refused(error: ClientError) -> SecretUnavailableError:
    code = _code_of(error)
    trouble = SecretUnavailableError if code in _PASSING else SecretDeniedError
    return trouble(f"Secrets Manager refused: {code}")


def _unreached(error: BotoCoreError) -> SecretUnavailableError:
    return SecretUnavailableError(f"Secrets Manager was not reached: {type(error).__name__}")


def _json_object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None  # the error would carry the secret's text along
    if not isinstance(value, dict):
        raise SecretUnavailableError("the secret is no JSON object")
    return value
