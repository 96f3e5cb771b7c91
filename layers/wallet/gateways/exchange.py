"""Asking a gateway: which answers are a yes, a no or nobody knows, and what is asked again."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from wallet.gateways.exact_json import MalformedJsonError, compact_json
from wallet.gateways.fields import MalformedWireError
from wallet.gateways.http import Answer, Deadline, TooMuchError, Transport, named
from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError

#: The longest pause after each try, in seconds. Behind the last one there is none: it is the last.
_PAUSES = (0.1, 0.2, 0)

_OK, _REDIRECT, _CLIENT_ERROR, _SERVER_ERROR = 200, 300, 400, 500
_REQUEST_TIMEOUT, _TOO_MANY_REQUESTS = 408, 429

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] | None = None


class ThrottledError(GatewayUnavailableError):
    """429: surely not carried out, and so safe to repeat whatever it was."""


class Exchange:
    """Sends requests and reads their answers. Safe to share between threads."""

    def __init__(
        self,
        transport: Transport,
        rejection_of: Callable[[int, bytes], GatewayRejectedError],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] | None = None,
    ) -> None:
        """Take a transport and what makes an error of a 4xx answer (its status and its body).

        `clock`, `sleep` and `uniform` are in seconds and replaced by tests only.
        """
        self._transport = transport
        self._rejection_of = rejection_of
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform or secrets.SystemRandom().uniform

    def deadline(self, seconds: float) -> Deadline:
        """Return the moment so many seconds from now."""
        return Deadline(seconds, self._clock)

    def get(self, path: str, deadline: Deadline, read: Callable[[bytes], T]) -> T:
        """Ask; whatever comes of it but a refusal, it is asked again while there is time."""
        return self._until_known(_Request("GET", path), deadline, read, GatewayUnavailableError)

    def post(
        self,
        path: str,
        body: Mapping[str, object],
        deadline: Deadline,
        read: Callable[[bytes], T],
        *,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> T:
        """Have something done: sent again only where it surely was not carried out.

        `repeatable` says that the gateway itself knows a repetition, by a key among `headers` or in the body: then
        it is sent again as a question is.
        """
        worth_repeating = GatewayUnavailableError if repeatable else ThrottledError
        return self._until_known(_Request("POST", path, compact_json(body), headers), deadline, read, worth_repeating)

    def _until_known(
        self,
        request: _Request,
        deadline: Deadline,
        read: Callable[[bytes], T],
        worth_repeating: type[GatewayUnavailableError],
    ) -> T:
        """Send, and send again after a pause while it is worth it and there is time."""
        for pause in _PAUSES:
            try:
                answer = self._transport.send(request.method, request.path, request.body, deadline, request.headers)
                return self._understood(request, answer, read)
            except TooMuchError:
                raise
            except worth_repeating as error:
                # Full jitter, so that callers who failed together don't come back together.
                wait = self._uniform(0, pause) + (error.retry_after_s or 0)
                if pause == 0 or wait >= deadline.seconds_left():
                    raise
                self._sleep(wait)
        raise AssertionError("the last pause is 0, after which the error is raised")

    def _understood(self, request: _Request, answer: Answer, read: Callable[[bytes], T]) -> T:
        name = named(request.method, request.path)
        if _OK <= answer.status < _REDIRECT:
            try:
                return read(answer.body)
            except (MalformedJsonError, MalformedWireError) as error:
                raise malformed(request.method, request.path, error) from error
        if answer.status == _TOO_MANY_REQUESTS:
            raise ThrottledError(f"{name}: throttled", retry_after_s=answer.retry_after_s)
        if _CLIENT_ERROR <= answer.status < _SERVER_ERROR and answer.status != _REQUEST_TIMEOUT:
            raise self._rejection_of(answer.status, answer.body)
        raise GatewayUnavailableError(f"{name}: status {answer.status}", retry_after_s=answer.retry_after_s)


def malformed(method: str, path: str, error: ValueError) -> GatewayUnavailableError:
    """Make the error for an answer that can't be read: nobody knows what it said."""
    return GatewayUnavailableError(f"{named(method, path)}: malformed answer ({error})")
