"""Holds answers of the API to its document: an undocumented status, type, code, field or header is a fault."""

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema

from tests.support.openapi import DOCUMENT

Json = dict[str, Any]

#: What every answer has (docs/security.md), what a listed origin is told (docs/operations.md), and what carries it all.
_EVERYWHERE = frozenset(
    {
        *("cache-control", "content-security-policy", "referrer-policy", "strict-transport-security"),
        *("x-content-type-options", "x-frame-options", "content-type"),
        *("vary", "access-control-allow-origin", "access-control-expose-headers"),
        *("content-length", "connection", "date", "server", "transfer-encoding"),
    }
)


@functools.cache
def _document() -> Json:
    told: Json = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    for schema in told["components"]["schemas"].values():
        if "properties" in schema:  # what is not there is not told of: in a test that is a fault, to a client it is not
            schema.setdefault("additionalProperties", False)
    return told


@functools.cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Each path with what it looks like; one without an id before one with."""
    return [
        (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path)
        for path in sorted(_document()["paths"], key=lambda path: (path.count("{"), path))
    ]


def operation_of(method: str, path: str) -> Json | None:
    """What the document says of a route, None where it has none."""
    bare = path.partition("?")[0]
    for pattern, template in _paths():
        if pattern.fullmatch(bare):
            found: Json | None = _document()["paths"][template].get(method.lower())
            return found
    return None


def faults_of(method: str, path: str, status: int, headers: Mapping[str, str], body: Any) -> list[str]:
    """What of an answer is not documented; headers by their names in lower case."""
    operation = operation_of(method, path)
    if operation is None or "x-request-id" not in headers:
        return []  # no route of ours, or API Gateway's own answer, which is plain locally
    if str(status) not in operation["responses"]:
        return [f"status {status}"]
    told = _resolved(operation["responses"][str(status)])
    known = _EVERYWHERE | {name.lower() for name in told.get("headers", {})}
    faults = [f"header {name}" for name in headers if name not in known and not name.startswith("x-amz")]
    content = told.get("content", {})
    media = headers.get("content-type", "").partition(";")[0]
    if content and media not in content:
        faults.append(f"type {media}")
    elif media.endswith("json") and content:
        schema = {**content[media]["schema"], "components": _document()["components"]}
        validator = jsonschema.Draft202012Validator(schema)
        faults += [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(body)]
    return faults


def _resolved(told: Json) -> Json:
    reference = told.get("$ref")
    if reference is None:
        return told
    found: Json = _document()["components"]["responses"][reference.rpartition("/")[2]]
    return found
