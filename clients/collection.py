"""The Postman collection (format 2.1), made of the API's document: `python -m clients.collection` writes it anew."""

import json
import uuid
from pathlib import Path
from typing import Any, Final

from clients.generate import DOCUMENT, ROOT

Json = dict[str, Any]

MADE: Final = ROOT / "clients" / "postman" / "collection.json"
_SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_NAMESPACE: Final = uuid.UUID("5f2d1c9a-6d0e-4b7e-9c65-0d9a0a0f7c11")
#: Signed by IAM, which Postman can do, but on another host than the wallet's site.
_LEFT_OUT: Final = ("/operator/",)
#: What a query may ask for.
_ASKED: Final = {"to": "+919876543211", "amount": 5000, "vpa": "asha.rao@okbank", "phone": "+919876543210"}
#: Of a body, what an answer has said before.
_TOLD: Final = ("phone_proof", "refresh_token")
#: What is kept for the requests after this one: by the operation, the variable and the field of its answer.
_KEPT: Final = {
    "post_login": {"token": "access_token", "refresh_token": "refresh_token"},
    "post_token": {"token": "access_token", "refresh_token": "refresh_token"},
    "post_phone_proofs_id": {"phone_proof": "phone_proof"},
}


def collection(document: Json) -> Json:
    """All of it: a folder for each first part of a path, a request for each route."""
    folders: dict[str, list[Json]] = {}
    for path, item in document["paths"].items():
        if not path.startswith(_LEFT_OUT):
            for method, operation in item.items():
                folders.setdefault(operation["tags"][0], []).append(_request(method, path, operation))
    return {
        "info": {
            "_postman_id": str(uuid.uuid5(_NAMESPACE, document["info"]["title"])),
            "name": document["info"]["title"],
            "description": f"{document['info']['summary']} {document['info']['description']}\n\n"
            "Set `base_url`, send POST /login, and `token` is kept for the rest. `key` is what is sent as "
            "`Idempotency-Key`: made when it is empty, kept until something has been done with it, so what failed or "
            "was lost is sent again with the same one. Empty it if you mean something else before that.",
            "schema": _SCHEMA,
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "variable": [{"key": name, "value": value} for name, value in _variables().items()],
        "event": [
            _script(
                "prerequest",
                "if (!pm.collectionVariables.get('key')) {",
                "  pm.collectionVariables.set('key', pm.variables.replaceIn('{{$guid}}'));",
                "}",
            ),
            _script(
                "test",
                "if (pm.request.headers.has('Idempotency-Key') && pm.response.code < 300) {",
                "  pm.collectionVariables.set('key', '');",
                "}",
            ),
        ],
        "item": [{"name": name, "item": requests} for name, requests in folders.items()],
    }


def _variables() -> dict[str, str]:
    kept = {name: "" for names in _KEPT.values() for name in names}
    return {"base_url": "https://wallet.example/v1", "key": "", **kept}


def _request(method: str, path: str, operation: Json) -> Json:
    parameters = operation.get("parameters", [])
    url_path = [f":{part[1:-1]}" if part.startswith("{") else part for part in path.strip("/").split("/")]
    query = [_query(one) for one in parameters if one["in"] == "query"]
    request: Json = {
        "method": method.upper(),
        "description": operation["summary"],
        "url": {
            "raw": "{{base_url}}/" + "/".join(url_path),
            "host": ["{{base_url}}"],
            "path": url_path,
            "query": query,
            "variable": [{"key": one["name"], "value": ""} for one in parameters if one["in"] == "path"],
        },
        "header": [_header(one) for one in parameters if one["in"] == "header" and one["name"] != "If-None-Match"],
    }
    if operation.get("security") == []:
        request["auth"] = {"type": "noauth"}
    body = _body(operation)
    if body is not None:
        (media,) = operation["requestBody"]["content"]
        request["header"].append({"key": "Content-Type", "value": media})
        request["body"] = {"mode": "raw", "raw": body}
    made: Json = {"name": f"{method.upper()} {path}", "request": request, "response": []}
    kept = _KEPT.get(operation["operationId"])
    if kept is not None:
        lines = [f"  pm.collectionVariables.set('{name}', answer.{field});" for name, field in kept.items()]
        head = ("if (pm.response.code < 300) {", "  const answer = pm.response.json();")
        made["event"] = [_script("test", *head, *lines, "}")]
    return made


def _query(parameter: Json) -> Json:
    """One that may be left out is, until somebody switches it on."""
    value = _ASKED.get(parameter["name"], "") if parameter["required"] else ""
    told = parameter.get("description", parameter["schema"].get("description", ""))
    return {"key": parameter["name"], "value": str(value), "description": told, "disabled": not parameter["required"]}


def _header(parameter: Json) -> Json:
    value = "{{key}}" if parameter["name"] == "Idempotency-Key" else str(parameter["schema"].get("enum", [""])[0])
    made: Json = {"key": parameter["name"], "value": value, "description": parameter.get("description", "")}
    return made


def _body(operation: Json) -> str | None:
    """The document's example, with what an answer before it has said."""
    if "requestBody" not in operation:
        return None
    ((media, content),) = operation["requestBody"]["content"].items()
    example = content["example"]
    if media == "text/csv":
        return str(example)
    told = {name: f"{{{{{name}}}}}" for name in _TOLD if name in example}
    return json.dumps({**example, **told}, indent=2, ensure_ascii=False)


def _script(listen: str, *lines: str) -> Json:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": list(lines)}}


def text(document: Path = DOCUMENT) -> str:
    """As it is checked in."""
    made = collection(json.loads(document.read_text(encoding="utf-8")))
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    MADE.parent.mkdir(exist_ok=True)
    MADE.write_text(text(), encoding="utf-8")
