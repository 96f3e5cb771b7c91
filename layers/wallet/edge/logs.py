"""Logs: one JSON line each, and nothing in them that is a secret or a person.

What is written is chosen with care; what exceptions of others bring along is not ours to choose, so every line is
masked on its way out: phones, tokens, payment addresses, key-like things.
"""

import functools
import json
import re
import time
from typing import Any

from aws_lambda_powertools import Logger

# Addresses may be of any script; what stands around them is of these signs. The look behind keeps the search for
# one linear: it begins where a word does.
_IN_ADDRESS = r"[^\s@'\"`<>()\[\]{},;:=|/\\]"

#: On how many phones one password fails before somebody is trying it on many.
SPRAYED_PHONES = 20

_MASKS = (
    (re.compile(r"\$2[aby]\$[0-9]{2}\$[A-Za-z0-9./]{53}"), "<hash>"),
    (re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), "<token>"),
    (re.compile(r"\b(rt|pp)_[A-Za-z0-9_-]{20,}"), "<token>"),
    (re.compile(r"(?i)\b(bearer|basic) +[A-Za-z0-9._~+/=-]+"), r"\1 <secret>"),
    # a phone as people type it, then one without a sign of what it is; the last part of a UUID is none
    (re.compile(r"\+[0-9](?:[ ().-]{0,2}[0-9]){5,12}[ ().-]{0,2}([0-9][ ().-]{0,2}[0-9])(?![0-9])"), r"…\1"),
    (re.compile(r"(?<![0-9A-Za-z])(?<!-[0-9a-f]{4}-)[0-9]{8,13}([0-9]{2})(?![0-9A-Za-z])"), r"…\1"),
    (re.compile(rf"(?<!{_IN_ADDRESS}){_IN_ADDRESS}+@{_IN_ADDRESS}+"), "<address>"),
)


def mask(text: str) -> str:
    """A line without phones, tokens, addresses and password hashes."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


def _serialise(record: dict[str, Any]) -> str:
    told = {key: _masked(value) for key, value in record.items() if value is not None}
    return json.dumps(told, default=lambda value: mask(str(value)))


def _masked(value: object) -> object:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    return value


@functools.cache
def logger() -> Logger:
    """The logger of this function; level and service name come from the function's environment."""
    return Logger(json_serializer=_serialise, utc=True, log_uncaught_exceptions=False)


def as_metric(field: str, *, by: str, namespace: str) -> dict[str, Any]:
    """What has CloudWatch take a number in a line for a metric of its own for each value of another field.

    That is its embedded metric format. Metric filters are counted: a log group has a hundred of them at most.
    """
    metrics = [{"Namespace": namespace, "Dimensions": [[by]], "Metrics": [{"Name": field}]}]
    return {"_aws": {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": metrics}}


def log_failed_sign_in(phones: int) -> None:
    """A password that failed on so many phones: of one that is tried on many there is an alarm."""
    if phones >= SPRAYED_PHONES:
        logger().warning("password_sprayed", phones=phones)


def log_unasked_payout(withdrawal_id: str, reason: str, *, keys_refused: bool) -> None:
    """A payout that nobody was asked for, of which the caller isn't told; refused keys of ours have an alarm."""
    logger().warning("payout not asked for", withdrawal_id=withdrawal_id, reason=reason)
    if keys_refused:
        logger().error("keys_refused", reason=reason)
