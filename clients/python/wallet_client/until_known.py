"""One request, repeated until its outcome is known."""

import random
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, TypeVar

import httpx

from wallet_client.errors import OutcomeUnknownError, RefusedError
from wallet_client.rest.models import Problem
from wallet_client.rest.types import Response

Answer = TypeVar("Answer")

#: Refusals that are none yet: the same request may get another answer by itself. So may every 5xx.
_NOT_YET: Final = frozenset({"idempotency_key_in_use", "too_many_requests", "proof_not_ready"})
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 8.0


def until_known(request: Callable[[], Response[Answer | Problem]], *, patience_s: float = 60.0) -> Answer:
    """The answer to a request that may be sent more than once: one that only reads, or one with a key.

    `request` sends it, by one of the functions `….sync_detailed`; each time it is called it has to send the same. It is
    sent again, with growing pauses or after what `Retry-After` says, while there is no answer or one that says to come
    back, and for `patience_s` seconds at most; each attempt may last as long as the client's `timeout` beyond that.

    RefusedError is a no: nothing has moved. OutcomeUnknownError: nobody has said.
    """
    ends, pause = time.monotonic() + patience_s, _FIRST_PAUSE_S
    cause: Exception | None = None
    while True:
        wanted = 0.0
        try:
            response = request()
        except (httpx.TransportError, ValueError, KeyError) as error:  # no answer; one that is cut off; one of a proxy
            cause = error
        else:
            if response.parsed is None and response.status_code != HTTPStatus.NO_CONTENT:
                cause = None  # no answer of the API's: a proxy's page, a redirect
            elif not _says_come_back(response):
                return _read(response)
            wanted = _retry_after_s(response)
        wait = max(wanted, pause * random.uniform(0.5, 1.0))  # noqa: S311 - so that many clients don't come at once
        if time.monotonic() + wait > ends:
            raise OutcomeUnknownError("the outcome is not known: ask again with the same key") from cause
        time.sleep(wait)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def _says_come_back(response: Response[Answer | Problem]) -> bool:
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return True
    if isinstance(response.parsed, Problem):
        return response.parsed.code in _NOT_YET
    return response.status_code == HTTPStatus.TOO_MANY_REQUESTS


def _retry_after_s(response: Response[Answer | Problem]) -> float:
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() else 0.0


def _read(response: Response[Answer | Problem]) -> Answer:
    answer = response.parsed
    if isinstance(answer, Problem):
        raise RefusedError(answer)
    return answer  # type: ignore[return-value]  # None only where the route answers no body, and `Answer` is that
