"""The API's document (OpenAPI 3.1), made of what the doors say of their own routes, models, answers and refusals.

`python -m tests.support.openapi` writes it to functions/openapi/, where the API serves it from; a test says when it is
due, and every answer of the end-to-end tests is held to it (tests/support/contract.py).
"""

import csv
import importlib.util
import inspect
import io
import itertools
import json
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from wallet.edge import answers, shapes
from wallet.edge.bodies import BulkRowBody
from wallet.edge.commands import commands_of
from wallet.edge.problem_pages import PAGES
from wallet.edge.responses import Response
from wallet.edge.routes import Route
from wallet.edge.statuses import GATEWAY_UNAVAILABLE, INTERNAL_ERROR, REFUSALS, TRY_AGAIN
from wallet.ledger.refusals import Refusal
from wallet.operators.model import Role

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "functions" / "openapi" / "openapi.json"
_COMPONENT = "#/components/schemas/{model}"
_REFERENCE = r'"#/components/schemas/([^"]+)"'

#: What the `{id}` of a path is, by the segment before it.
_IDS = {
    "payments": answers.PaymentId,
    "holds": answers.HoldId,
    "top-ups": answers.TopUpId,
    "withdrawals": answers.WithdrawalId,
    "bulk-payments": answers.BulkPaymentId,
    "confirmations": answers.ConfirmationId,
    "passkeys": answers.PasskeyId,
    "sessions": answers.SessionId,
    "phone-proofs": answers.PhoneProofId,
    "payment-requests": answers.PaymentRequestId,
    "transactions": answers.TransactionId,
}
_PATH_TEXTS = {
    "month": "A month in India, like 2026-11.",
    "gateway": "razorpay, cashfree or razorpayx.",
    "code": "A problem's.",
}

#: What routes are about, by the first segment of their path, in the order in which a newcomer needs them.
_TAGS = {
    "phone-proofs": "A code to a phone, and the proof that it came.",
    "register": "A new account and its wallet.",
    "login": "A phone and a password for an access token.",
    "token": "The next access token of a session.",
    "logout": "The end of a session.",
    "wallet": "The balance, the limits, the statement, the code by which one is paid.",
    "top-ups": "Money in, by UPI.",
    "payees": "Whose a phone, a wallet or a code is.",
    "payments": "Money to somebody else, and its refunds.",
    "payment-requests": "A link by which one is paid.",
    "holds": "Money that is promised first and taken later.",
    "withdrawals": "Money out, to a UPI address.",
    "bulk-payments": "Up to 10,000 payments from one file.",
    "confirmations": "The second factor of money out.",
    "passkeys": "What confirms without a message.",
    "passkey-proofs": "A passkey in place of a code to the phone.",
    "me": "One's own account: name, phone, password, freeze.",
    "password-resets": "A lost password.",
    "sessions": "Where one is signed in.",
    "session": "Browsers' sessions, by a cookie that no script reads.",
    "problems": "What a refusal means, as a page.",
    "proof-key": "What receipts are verified with.",
    "openapi.json": "This document.",
    "webhooks": "For payment gateways: what happened to an order.",
    "operator": "For operators, signed by IAM.",
}
#: One command of each role, to begin with.
_COMMANDS = {Role.LOOK: "pending", Role.SUPPORT: "freeze", Role.MONEY: "write_off", Role.ADMIN: "unfreeze"}
#: Whoever copies it once and means something else the next time is refused, and has paid nothing twice.
_KEY_EXAMPLE = "3f0e2c1a-7b64-4f0e-9c5d-2a81d6b7e490"

#: Of API Gateway and of its firewall, and of every accident: any route may answer these.
_ALWAYS = {403: ["forbidden"], 429: ["too_many_requests"], 500: [INTERNAL_ERROR.code], 503: [TRY_AGAIN.code]}
#: Who asks a gateway within their own request.
_ASKS_A_GATEWAY = {"POST /top-ups"}

_HEADERS: Json = {
    "X-Request-Id": {"description": "Names this answer to us.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "`true`: the answer was given before, and nothing has moved now.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {"description": "In how many seconds it is worth asking again.", "schema": {"type": "string"}},
    "ETag": {
        "description": "What `If-None-Match` names to be answered 304 while nothing has changed.",
        "schema": {"type": "string"},
    },
    "Link": {"description": 'Where the next page is (`rel="next"`).', "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string"}},
    "Set-Cookie": {"description": "`__Host-Http-wallet`, which no script reads.", "schema": {"type": "string"}},
    "Clear-Site-Data": {"description": "What the browser forgets.", "schema": {"type": "string"}},
}


def routes() -> Iterator[tuple[str, Route]]:
    """Every route that callers may know, with the folder of its function."""
    for path in sorted((ROOT / "functions").glob("*/app.py")):
        door = getattr(_module(path), "handler", None)
        for route in getattr(door, "routes", {}).values():
            if not route.name.startswith("OPTIONS"):
                yield path.parent.name, route


def _module(path: Path) -> types.ModuleType:
    name = f"_door_{path.parent.name}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def document() -> Json:
    """All of it."""
    known = [route for _, route in routes()]
    adapters = {route.name: list(_told(route)) for route in known}
    schemas, definitions = _schemas(known, adapters)
    paths: Json = {}
    for route in known:
        method, _, path = route.name.partition(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(route, adapters[route.name], schemas, definitions)
    problems = _problems(known, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wallet",
            "version": "1",
            "summary": "A stored-value wallet: add money by UPI, pay people and merchants.",
            "description": "Amounts are whole numbers of paise. What moves money takes an `Idempotency-Key`.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/v1"}],
        "security": [{"token": []}],
        "tags": [{"name": name, "description": about} for name, about in _TAGS.items()],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": _used(definitions, paths, problems),
            "responses": problems,
            "headers": _HEADERS,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The `access_token` of POST /login or POST /session.",
                },
                "browser": {"type": "apiKey", "in": "cookie", "name": "__Host-Http-wallet"},
                "operator": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "AWS Signature Version 4, by IAM.",
                },
            },
        },
    }


def _used(definitions: Json, *where: Json) -> Json:
    """Those definitions that something refers to, by way of others too: a query's parameters stand by themselves."""
    used: set[str] = set()
    new = set(re.findall(_REFERENCE, json.dumps(where)))
    while new:
        used |= new
        new = set(re.findall(_REFERENCE, json.dumps([definitions[name] for name in new]))) - used
    return {name: definitions[name] for name in sorted(used)}


def _told(route: Route) -> Iterator[Any]:
    """What a handler says that its answers have: types, None for no body."""
    handler = route.handler if inspect.isfunction(route.handler) else type(route.handler).__call__
    known = {**handler.__globals__, "shapes": shapes}
    shapes.answers = answers  # at run time it isn't there
    told = typing.get_type_hints(handler, globalns=known)["return"]
    for one in typing.get_args(told) if typing.get_origin(told) in (typing.Union, types.UnionType) else (told,):
        assert typing.get_origin(one) is Response, route.name
        (inner,) = typing.get_args(one)
        yield from _parts(inner)


def _parts(inner: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(inner) in (typing.Union, types.UnionType)
    return tuple(typing.get_args(inner)) if is_union else (inner,)


def _schemas(known: list[Route], adapters: dict[str, list[Any]]) -> tuple[dict[Any, Json], Json]:
    """The schema of each model and answer, and the definitions that they refer to."""
    inputs: list[tuple[Any, Any, TypeAdapter[Any]]] = [("Problem", "serialization", TypeAdapter(answers.Problem))]
    for route in known:
        if route.asks is not None:
            inputs.append((f"{route.name} asks", "validation", TypeAdapter(route.asks)))
        if route.query is not None:
            inputs.append((f"{route.name} query", "validation", TypeAdapter(route.query)))
        inputs += [
            (f"{route.name} {number}", "serialization", TypeAdapter(told))
            for number, told in enumerate(adapters[route.name])
            if told not in (None, type(None), str)
        ]
    schemas, definitions = TypeAdapter.json_schemas(inputs, ref_template=_COMPONENT)
    return {key: schema for (key, _), schema in schemas.items()}, _untitled(definitions["$defs"])


def _untitled(schema: Any) -> Any:
    """Without the titles that pydantic makes of names. A property may have that name: that is no text."""
    if isinstance(schema, dict):
        return {
            name: _untitled(value) for name, value in schema.items() if name != "title" or not isinstance(value, str)
        }
    return [_untitled(one) for one in schema] if isinstance(schema, list) else schema


def _operation(route: Route, told: list[Any], schemas: dict[Any, Json], definitions: Json) -> Json:
    method, _, path = route.name.partition(" ")
    operation: Json = {
        "operationId": re.sub(r"\W+", "_", f"{method.lower()}{path}").strip("_"),
        "summary": _first_sentence(route),
        "tags": [path.split("/")[1]],
        "parameters": [*_path_parameters(path), *_query_parameters(route, schemas), *_headers_asked(route, told)],
        "responses": _responses(route, told, schemas),
    }
    if route.asks is not None:
        asked = schemas[f"{route.name} asks"]
        model = definitions[asked["$ref"].rpartition("/")[2]] if "$ref" in asked else asked
        operation["requestBody"] = {
            "required": bool(model.get("required")),
            "content": {route.takes: {"schema": asked, "example": example_of(route.asks)}},
        }
    elif path.startswith("/operator/"):
        command = {"type": "object", "required": ["command"], "properties": {"command": {"type": "string"}}}
        role = Role(path.split("/")[2])
        example = example_of(commands_of(role)[_COMMANDS[role]])
        operation["requestBody"] = {
            "required": True,
            "content": {route.takes: {"schema": command, "example": example}},
        }
    elif route.takes != "application/json":
        operation["requestBody"] = {
            "required": True,
            "content": {route.takes: {"schema": {"type": "string"}, "example": _file_of_one_row()}},
        }
    if path.startswith("/operator/"):
        operation["security"] = [{"operator": []}]
    elif route.name in ("DELETE /session", "POST /session/token"):
        operation["security"] = [{"browser": []}]
    elif route.is_open:
        operation["security"] = []
    return {name: value for name, value in operation.items() if value != [] or name == "security"}


def example_of(model: type[BaseModel]) -> Json:
    """What might be sent: what a model's fields give as their examples. One that may be absent and gives none is."""
    made: Json = {}
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            made[name] = example_of(info.annotation)
        elif info.examples:
            made[name] = info.examples[0]
        elif typing.get_origin(info.annotation) is typing.Literal and info.is_required():
            made[name] = typing.get_args(info.annotation)[0]
    return made


def _file_of_one_row() -> str:
    row = example_of(BulkRowBody)
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([row.keys(), row.values()])
    return file.getvalue()


def _first_sentence(route: Route) -> str:
    text = inspect.getdoc(route.handler) or ""
    return text.partition("\n")[0]


def _path_parameters(path: str) -> Iterator[Json]:
    segments = path.split("/")
    for before, segment in itertools.pairwise(segments):
        if segment.startswith("{"):
            name = segment[1:-1]
            schema = (
                TypeAdapter(_IDS[before]).json_schema()
                if name == "id"
                else {"type": "string", "description": _PATH_TEXTS[name]}
            )
            yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(route: Route, schemas: dict[Any, Json]) -> Iterator[Json]:
    if route.query is None:
        return
    whole = _untitled(TypeAdapter(route.query).json_schema(ref_template=_COMPONENT))
    for name, schema in whole["properties"].items():
        yield {"name": name, "in": "query", "required": name in whole.get("required", ()), "schema": schema}


def _headers_asked(route: Route, told: list[Any]) -> Iterator[Json]:
    if route.key is not None:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": route.key == "required",
            "description": "A new one for each new intention, the same for each repetition of it.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,64}$"},
            "example": _KEY_EXAMPLE,
        }
    if type(None) in told and route.status == 200:
        yield {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}
    if route.name.partition(" ")[2].startswith("/session") and not route.name.endswith(("/sessions", "/sessions/{id}")):
        yield {"name": "X-Wallet", "in": "header", "required": True, "schema": {"type": "string", "enum": ["1"]}}


def _responses(route: Route, told: list[Any], schemas: dict[Any, Json]) -> Json:
    content: Json = {
        media: {"schema": {"type": "object" if media == "application/json" else "string"}} for media in route.media
    }
    for number in range(len(told)):
        if f"{route.name} {number}" in schemas:
            content["application/json"] = {"schema": schemas[f"{route.name} {number}"]}
    responses: dict[str, Json] = {str(route.status): {"description": "Done.", "headers": _answer_headers(route, told)}}
    if content:
        responses[str(route.status)]["content"] = content
    if type(None) in told and route.status == 200:
        responses["304"] = {"description": "Nothing has changed.", "headers": _refer("X-Request-Id", "ETag")}
    if route.name.startswith("POST /operator/"):
        responses["202"] = responses["200"] | {"description": "It waits for a second person."}
    for status, codes in sorted(_refusals(route).items()):
        responses[str(status)] = {"$ref": f"#/components/responses/{_problem_name(status, codes)}"}
    return responses


def _problem_name(status: int, codes: list[str]) -> str:
    return ".".join([str(status), *codes])


def _problems(known: list[Route], schemas: dict[Any, Json]) -> Json:
    """Each set of codes that a status stands for somewhere, once."""
    found: Json = {}
    for route in known:
        for status, codes in _refusals(route).items():
            headers = _refer("X-Request-Id", *(("WWW-Authenticate",) if status == 401 else ()), "Retry-After")
            schema = {"allOf": [schemas["Problem"], {"properties": {"code": {"enum": codes}}}]}
            made = {
                "description": "\n".join(f"- `{code}`: {PAGES[code].happened}" for code in codes),
                "headers": headers,
                "content": {"application/problem+json": {"schema": schema}},
            }
            found[_problem_name(status, codes)] = made
    return dict(sorted(found.items()))


def _refer(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _answer_headers(route: Route, told: list[Any]) -> Json:
    names = ["X-Request-Id"]
    if route.key is not None:
        names.append("Idempotency-Replayed")
    if type(None) in told and route.status == 200:
        names.append("ETag")
    if "text/csv" in route.media:
        names.append("Link")
    if route.name in ("POST /session", "DELETE /session"):
        names.append("Set-Cookie")
    if route.name == "DELETE /session":
        names.append("Clear-Site-Data")
    return _refer(*names)


def _refusals(route: Route) -> dict[int, list[str]]:
    """Codes by status, in the order of their precedence."""
    _, _, path = route.name.partition(" ")
    found = set(route.refuses)
    if not route.is_open:
        found |= {Refusal.MISSING_TOKEN, Refusal.INVALID_TOKEN}
    if route.asks is not None or route.takes != "application/json" or route.is_open:
        found |= {Refusal.REQUEST_TOO_LARGE, Refusal.UNSUPPORTED_MEDIA_TYPE, Refusal.MALFORMED_BODY}
    found.add(Refusal.INVALID_REQUEST)
    if "{" in path:
        found.add(Refusal.NOT_FOUND)
    if route.key is not None:
        found |= {Refusal.IDEMPOTENCY_KEY_INVALID, Refusal.IDEMPOTENCY_KEY_REUSED, Refusal.IDEMPOTENCY_KEY_IN_USE}
    if route.key == "required":
        found.add(Refusal.IDEMPOTENCY_KEY_REQUIRED)
    by_status: dict[int, list[str]] = {status: list(codes) for status, codes in _ALWAYS.items()}
    for refusal in Refusal:
        if refusal in found:
            by_status.setdefault(REFUSALS[refusal].status, []).append(refusal.value)
    if route.name in _ASKS_A_GATEWAY:
        by_status[GATEWAY_UNAVAILABLE.status] = [GATEWAY_UNAVAILABLE.code]
    return by_status


def text() -> str:
    """The document as it is checked in."""
    return json.dumps(document(), indent=0, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(text(), encoding="utf-8")
