"""Answers, and the headers that every one of them has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from wallet.edge.statuses import REFUSALS, Problem
from wallet.ledger import ids
from wallet.ledger.limits import BrokenLimit
from wallet.ledger.refusals import Refused
from wallet.ledger.times import show_time

if TYPE_CHECKING:
    from wallet.edge import answers

Json = dict[str, Any]

_ALWAYS = {
    "Cache-Control": "no-store",
    # base-uri, form-action and frame-ancestors don't follow default-src
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


#: What a body is: an object, which becomes JSON; a text of the type that the headers name; None for no body.
Told_co = TypeVar("Told_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Response(Generic[Told_co]):
    """A status, a body, and headers of its own."""

    status: int
    body: Told_co
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str | None:
        """The code of the problem, if it is one."""
        return self.body.get("code") if isinstance(self.body, dict) and self.status >= 400 else None


def limit_left(value: BrokenLimit) -> "answers.LimitLeft":
    """A limit of the caller's own, and what is left of it."""
    return {
        "code": value.code.value,
        "left": value.left,
        "renews_at": show_time(value.renews_at) if value.renews_at else None,
    }


def problem_response(problem: Problem, request_id: str, refused: Refused | None = None, *, base: str) -> Response[Json]:
    """A problem document (RFC 9457), with the detail, fields, limit and confirmation of a refusal that has some.

    `base` is where problems are explained: an address for the code to be put behind.
    """
    body: Json = {
        "type": base + problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": (refused.detail if refused else None) or problem.detail,
        "code": problem.code,
        "request_id": request_id,
    }
    if refused is not None and refused.fields:
        body["errors"] = [{"field": name, "message": message} for name, message in refused.fields]
    if refused is not None and refused.limit is not None:
        body["limit"] = limit_left(refused.limit)
    if refused is not None and refused.confirmation is not None:
        body["confirmation"] = {
            "id": ids.show(ids.CONFIRMATION, refused.confirmation.id),
            "methods": list(refused.confirmation.methods),
            "expires_at": show_time(refused.confirmation.expires_at),
        }
    headers = {"Content-Type": "application/problem+json"}
    retry_after_s = (refused.retry_after_s if refused else None) or problem.retry_after_s
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(problem.status, body, headers)


def refusal_response(refused: Refused, request_id: str, *, base: str) -> Response[Json]:
    """A refusal as a problem document."""
    return problem_response(REFUSALS[refused.refusal], request_id, refused, base=base)


def to_api_gateway(response: Response[object], request_id: str, shared: Mapping[str, str] | None = None) -> Json:
    """What API Gateway wants back; `shared` are headers that each answer to this request would have."""
    headers = {**_ALWAYS, "X-Request-Id": request_id, **(shared or {}), **response.headers}
    if response.body is not None:
        headers.setdefault("Content-Type", "application/json")
    return {
        "statusCode": response.status,
        "headers": headers,
        "body": _text(response.body),
        "isBase64Encoded": False,
    }


def _text(body: object) -> str:
    if body is None or isinstance(body, str):
        return body or ""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
