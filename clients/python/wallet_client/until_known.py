"""One request, repeated until its outcome is known."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final, TypeVar

import httpx

from wallet_client.errors import OutcomeUnknownError, RefusedError
from wallet_client.rest.errors import UnexpectedStatus
from wallet_client.rest.models import Problem
from wallet_client.rest.types import Response

Answer = TypeVar("Answer")

#: Refusals that are none yet: the same request may get another answer by itself. So may every 5xx.
_NOT_YET: Final = frozenset({"idempotency_key_in_use", "too_many_requests", "proof_not_ready"})
#: What is answered of an attempt that goes on: it is lost as one without an answer is. So is every 5xx.
_UNDER_WAY: Final = "idempotency_key_in_use"
#: Nothing has left this machine; or the tokens could not be changed, and without them it was not sent.
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, OutcomeUnknownError)
#: No answer, or one that can't be read: cut off, corrupt, `null`, somebody else's. What made `rest` trip over it says
#: nothing about the money; the errors after the first two are those of reading JSON and of taking it apart.
_UNREADABLE: Final = (httpx.RequestError, UnexpectedStatus, ValueError, TypeError, KeyError, RecursionError)
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 8.0


def until_known(
    request: Callable[[], Response[Answer | Problem]],
    *,
    patience_s: float = 60.0,
    moves_money: bool = True,
    unknown_until: datetime | None = None,
    arrives_within_s: float = 960.0,
) -> Answer:
    """The answer to a request that may be sent more than once: one with a key, or one that only reads.

    `request` sends it, by one of the functions `….sync_detailed`; each time it is called it has to send the same. It is
    sent again, with growing pauses or after what `Retry-After` says, while there is no answer or one that says to come
    back, and for `patience_s` seconds at most; each attempt may last as long as the client's `timeout` beyond that.

    RefusedError is a no: nothing has moved. But an attempt whose answer was lost may arrive after its repetition was
    refused, and be done: for `arrives_within_s` seconds (as long as an access token is good, and a minute) such a
    refusal is an OutcomeUnknownError, as is no answer at all. `unknown_until` is that of an earlier call with this key
    that ended so, aware. With `moves_money=False` a refusal is a RefusedError at once.
    """
    if unknown_until is not None and unknown_until.tzinfo is None:
        raise ValueError("unknown_until has no zone")  # now, and not when there is something to compare it with
    ends, pause = time.monotonic() + patience_s, _FIRST_PAUSE_S
    while True:
        answer = _attempt(request)
        if not isinstance(answer, _NoAnswer):
            return answer
        now = datetime.fromtimestamp(time.time(), UTC)
        if answer.is_lost:
            unknown_until = max(now + timedelta(seconds=arrives_within_s), unknown_until or now)
        elif answer.problem is not None and answer.problem.code not in _NOT_YET:
            if moves_money and unknown_until is not None and now < unknown_until:
                raise OutcomeUnknownError(unknown_until, answer.problem)
            raise RefusedError(answer.problem)
        wait = max(answer.retry_after_s, pause * random.uniform(0.5, 1.0))  # noqa: S311 - not many clients at once
        if time.monotonic() + wait > ends:
            raise OutcomeUnknownError(unknown_until or now, answer.problem) from answer.cause
        time.sleep(wait)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


@dataclass(frozen=True, slots=True)
class _NoAnswer:
    """How one attempt ended otherwise; `is_lost`: it may have arrived, or arrive yet, and be done."""

    problem: Problem | None = None
    cause: Exception | None = None
    is_lost: bool = False
    retry_after_s: float = 0.0


def _attempt(request: Callable[[], Response[Answer | Problem]]) -> Answer | _NoAnswer:
    try:
        response = request()
    except RefusedError as refused:  # the tokens could not be changed, and it was not sent
        return _NoAnswer(refused.problem)
    except _NOT_SENT as error:
        return _NoAnswer(cause=error)
    except _UNREADABLE as error:
        return _NoAnswer(cause=error, is_lost=True)
    answer, wanted = response.parsed, _retry_after_s(response)
    if not _is_of_the_api(response):
        return _NoAnswer(is_lost=True, retry_after_s=wanted)
    if isinstance(answer, Problem):
        is_lost = answer.code == _UNDER_WAY or response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        return _NoAnswer(answer, is_lost=is_lost, retry_after_s=wanted)
    return answer  # type: ignore[return-value]  # None only where the route answers no body, and `Answer` is that


def _is_of_the_api(response: Response[Answer | Problem]) -> bool:
    """Whether it is no proxy's page, no firewall's refusal, no redirect."""
    if isinstance(response.parsed, Problem):
        return isinstance(response.parsed.code, str)  # `rest` does not look
    if response.status_code == HTTPStatus.NO_CONTENT:
        return "X-Request-Id" in response.headers
    return response.parsed is not None


def _retry_after_s(response: Response[Answer | Problem]) -> float:
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() else 0.0
