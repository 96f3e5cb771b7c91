"""What unit tests call the doors with: events as API Gateway sends them, and an invocation's context."""

import importlib.util
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from wallet.edge.requests import Request
from wallet.identity.sessions.model import Principal
from wallet.ledger import ids
from wallet.ledger.refusals import Refusal, Refused

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
REQUEST_ID = "3f1d9c52-5f0b-4c3e-9d57-0d9b8a4e6c11"
CALLER = UUID("01928e7e-9b3a-7c5d-8f21-b4a6c8d0e2f4")
SESSION = UUID("01928e7e-9b3a-7c5d-8f21-b4a6c8d0e2f5")
GENERATION = 3
PRINCIPAL = Principal(CALLER, SESSION, GENERATION)

Event = dict[str, Any]


@dataclass(frozen=True)
class Context:
    """An invocation as Lambda describes it."""

    remaining_ms: int = 10_000
    aws_request_id: str = "9b8a7c6d-0000-4000-8000-000000000000"
    function_name: str = "wallet-pay"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:ap-south-1:000000000000:function:wallet-pay"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


def signed_in(user_id: UUID = CALLER, *, seconds: int = 600) -> dict[str, Any]:
    """What the authorizer says, as it reaches a function: every value a text."""
    return {
        "principalId": ids.show(ids.USER, user_id),
        "user_id": ids.show(ids.USER, user_id),
        "session_id": ids.show(ids.SESSION, SESSION),
        "generation": str(GENERATION),
        "good_from": str(int(time.time()) - 10),
        "expires_at": str(int(time.time()) + seconds),
        "integrationLatency": 12,
    }


def event(
    route: str = "POST /payments",
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, list[str]] | None = None,
    authorizer: Mapping[str, Any] | None = None,
    encoded: bool = False,
) -> Event:
    """One call of a REST API, payload 1.0; what is absent is null, as API Gateway has it."""
    method, resource = route.split(" ")
    context: dict[str, Any] = {
        "requestId": REQUEST_ID,
        "stage": "v1",
        "httpMethod": method,
        "resourcePath": resource,
        "identity": {"sourceIp": "203.0.113.9", "userAgent": "tests"},
    }
    if authorizer is not None:
        context["authorizer"] = dict(authorizer)
    return {
        "resource": resource,
        "path": resource,
        "httpMethod": method,
        "headers": dict(headers) if headers is not None else None,
        "multiValueHeaders": {name: [value] for name, value in headers.items()} if headers is not None else None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "multiValueQueryStringParameters": dict(query) if query else None,
        "pathParameters": dict(path) if path is not None else None,
        "stageVariables": None,
        "requestContext": context,
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": encoded,
    }


def request(body: bytes = b"", **changes: Any) -> Request:
    """A request that was read already."""
    told: dict[str, Any] = {
        "id": REQUEST_ID,
        "route": "POST /payments",
        "path": {},
        "query": {},
        "headers": {"content-type": "application/json"},
        "body": body,
        "address": "203.0.113.9",
        "authorizer": {},
        "context": Context(),
    }
    return Request(**(told | changes))


def door(name: str) -> ModuleType:
    """A function's module, loaded anew from its folder."""
    spec = importlib.util.spec_from_file_location(f"door_{name}", FUNCTIONS / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(handler: Callable[[Event, Any], Event], told: Event, context: Context | None = None) -> tuple[Event, Any]:
    """The answer of a door, and its body as JSON (None if it has none)."""
    answer = handler(told, context or Context())
    return answer, json.loads(answer["body"]) if answer["body"] else None


def refusal_of(work: Callable[[], object]) -> Refusal | None:
    """What some work is refused for, None if it isn't; whatever else it raises is raised."""
    try:
        work()
    except Refused as refused:
        return refused.refusal
    return None
