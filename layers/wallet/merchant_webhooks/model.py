"""What a webhook to a merchant is: its signature, its attempts and the pauses between them, and what an answer means.

By the Standard Webhooks specification, version 1.0.0 (github.com/standard-webhooks/standard-webhooks).
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus

from wallet.ledger import ids

#: What a secret begins with where people see it.
SECRET_PREFIX = "whsec_"  # noqa: S105 - no secret, but the sign of one
#: The specification's bounds of a secret, in bytes.
_SHORTEST_KEY, _LONGEST_KEY = 24, 64

#: How long to wait behind each attempt that failed, in seconds: two days in all, over ten attempts. The template's
#: queue moves a message to the undelivered ones behind so many.
PAUSES_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000, 36_000, 36_000)
ATTEMPTS = len(PAUSES_S) + 1
#: SQS hides a message for 12 hours at most, counted from when it was received. An hour is left for that.
LONGEST_PAUSE_S = 39_600


class MalformedMessageError(ValueError):
    """A message in a merchant's queue that the relay didn't write."""


class EndpointUnavailableError(Exception):
    """Where a merchant's webhooks go, or what signs them, isn't known at the moment."""


@dataclass(frozen=True, slots=True)
class Message:
    """A webhook in its merchant's queue. `body` is sent as it is; `attempt` counts from 1."""

    id: str
    wallet_id: str
    body: bytes
    attempt: int

    @classmethod
    def read(cls, text: str, *, attempt: int) -> "Message":
        """The event that the relay put on the bus for a merchant. Raises MalformedMessageError for anything else."""
        try:
            event = json.loads(text)
        except ValueError as error:
            raise MalformedMessageError("no JSON") from error
        if not isinstance(event, dict):
            raise MalformedMessageError("no JSON object")
        event_id, wallet_id = event.get("id"), event.get("wallet_id")
        if not (isinstance(event_id, str) and ids.read(ids.EVENT, event_id)):
            raise MalformedMessageError("no id of an event")
        if not (isinstance(wallet_id, str) and ids.read(ids.WALLET, wallet_id)):
            raise MalformedMessageError("no id of a wallet")
        return cls(event_id, wallet_id, text.encode(), attempt)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a merchant's webhooks go, and the live keys that sign them, newest first: two while they change."""

    url: str
    keys: Sequence[bytes]


class Result(Enum):
    """What came of an attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    #: 410: nobody is there any more, and another attempt would be none's wish.
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt's end. `reason` is a status, or a word for why there is none; `retry_after_s` the merchant's wish."""

    result: Result
    reason: str
    retry_after_s: int | None = None


def key_of(secret: str) -> bytes:
    """The key in a secret: base64, with or without `whsec_` before it. Raises ValueError, which doesn't show it."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not _SHORTEST_KEY <= len(key) <= _LONGEST_KEY:
        raise ValueError(f"the secret is not of {_SHORTEST_KEY} to {_LONGEST_KEY} bytes in base64")
    return key


def signature(keys: Sequence[bytes], *, message_id: str, timestamp_s: int, body: bytes) -> str:
    """The header `webhook-signature`: HMAC-SHA256 over `id.timestamp.body` under each key, a blank between them."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def headers_of(message: Message, endpoint: Endpoint, *, timestamp_s: int) -> Mapping[str, str]:
    """The specification's headers of one attempt, made at `timestamp_s` (Unix seconds)."""
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": signature(
            endpoint.keys, message_id=message.id, timestamp_s=timestamp_s, body=message.body
        ),
    }


def outcome_of(status: int, retry_after: str | None, *, now: datetime) -> Outcome:
    """What an answer means: 2xx is a success, 410 ends it, everything else (redirects, too) is a failed attempt."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(Result.DELIVERED, str(status))
    if status == HTTPStatus.GONE:
        return Outcome(Result.GONE, str(status))
    return Outcome(Result.FAILED, str(status), _seconds(retry_after, now))


def pause_s(attempt: int, retry_after_s: int | None, *, below: Callable[[int], int]) -> int:
    """How many seconds to wait behind a failed attempt; 0 behind the last one, which ends it.

    A merchant's Retry-After makes a pause longer and never shorter, and none is longer than LONGEST_PAUSE_S. What
    failed together does not come back together: up to a tenth is added by `below`, which gives a number from 0 on and
    below its argument.
    """
    if attempt >= ATTEMPTS:
        return 0
    least = min(max(PAUSES_S[attempt - 1], retry_after_s or 0), LONGEST_PAUSE_S)
    return min(least + below(least // 10 + 1), LONGEST_PAUSE_S)


def _seconds(retry_after: str | None, now: datetime) -> int | None:
    """Retry-After in either of its forms, seconds or a date; None for none that can be read, or one that is over."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0, int((until - now).total_seconds()))
