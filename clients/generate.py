"""The Python client, made of the API's document: `python -m clients.generate` (`make client`) writes it anew.

The generator runs in an environment of its own, .clients/venv. What it makes is checked in, so that `pip install` of a
checkout needs neither; a test compares.
"""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENT: Final = ROOT / "functions" / "openapi" / "openapi.json"
VENV: Final = ROOT / ".clients" / "venv"
MADE: Final = ROOT / "clients" / "python" / "wallet_client" / "rest"
#: Not for programs that hold a token: operators sign by IAM, cookies are a browser's, webhooks are the gateway's, and
#: the last two are pages.
_NOT_FOR_CLIENTS: Final = re.compile(r"/(operator|webhooks|problems)/|/session(/token)?$|/openapi\.json$")
_REFERENCE: Final = re.compile(r'"#/components/schemas/([^"]+)"')
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_CONFIGURATION: Final = {
    "content_type_overrides": {"text/csv": "application/octet-stream"},
    "docstrings_on_attributes": True,
    "post_hooks": [
        "ruff check . --isolated --line-length 120 --fix --quiet --select F401,F811,I",
        "ruff format . --isolated --line-length 120 --quiet",
    ],
}


def for_clients(document: Json) -> Json:
    """The document as the generator is to read it: less of it, and more generous with answers.

    Problems are one type: a code for each status of each route would be a thousand files. And what an answer's text may
    be is left open: a status that is new must not make the answer of a payment that was done unreadable.
    """
    made: Json = json.loads(json.dumps(document))
    made["paths"] = {path: told for path, told in made["paths"].items() if not _NOT_FOR_CLIENTS.search(path)}
    for operation in [one for item in made["paths"].values() for one in item.values()]:
        operation["responses"].pop("304", None)  # there is no earlier answer to keep to
        parameters = operation.get("parameters", [])
        operation["parameters"] = [one for one in parameters if one["name"] != "If-None-Match"]
    for response in made["components"]["responses"].values():
        response["content"] = {"application/json": {"schema": _PROBLEM}}
    schemas = made["components"]["schemas"]
    asked = _reached(schemas, [one for path in made["paths"].values() for one in _asked(path)])
    named = {name for name, schema in schemas.items() if "enum" in schema}
    answered = _reached(schemas, [path["responses"] for item in made["paths"].values() for path in item.values()])
    answered |= _reached(schemas, [made["components"]["responses"]])
    for name in (asked | answered) - asked - named:
        schemas[name] = _opened(schemas[name], named)
    made["components"]["schemas"] = {name: schemas[name] for name in sorted((asked | answered) & set(schemas))}
    return made


def _asked(item: Json) -> list[Json]:
    return [{name: told for name, told in operation.items() if name != "responses"} for operation in item.values()]


def _reached(schemas: Json, where: list[Json]) -> set[str]:
    """The names of all that something refers to, by way of others too."""
    found: set[str] = set()
    new = set(_REFERENCE.findall(json.dumps(where)))
    while new:
        found |= new
        new = set(_REFERENCE.findall(json.dumps([schemas[name] for name in new]))) - found
    return found


def _opened(schema: Any, named: set[str]) -> Any:  # noqa: ANN401 - any part of a schema
    """A schema whose texts may be others than those that are known today."""
    if isinstance(schema, list):
        return [_opened(one, named) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("$ref", "").rpartition("/")[2] in named:
        return {"type": "string"}
    if schema.get("type") == "string" and ("enum" in schema or "const" in schema):
        known = ", ".join(schema.get("enum", [schema.get("const")]))
        return {"type": "string", "description": f"{known}; ready for others."}
    return {name: _opened(value, named) for name, value in schema.items()}


def generate(into: Path) -> None:
    """Writes the package into a folder that isn't there yet."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        document, configuration = folder / "openapi.json", folder / "configuration.json"
        document.write_text(json.dumps(for_clients(json.loads(DOCUMENT.read_text(encoding="utf-8")))), encoding="utf-8")
        configuration.write_text(json.dumps(_CONFIGURATION))
        command = [str(VENV / "bin" / "openapi-python-client"), "generate", "--meta", "none", "--fail-on-warning"]
        subprocess.run(  # noqa: S603 - the generator, and files of ours
            [*command, "--path", str(document), "--config", str(configuration), "--output-path", str(into)],
            env={"PATH": str(VENV / "bin"), "HOME": name},
            check=True,
        )
    for path in into.rglob("*"):
        if path.name in (".ruff_cache", "__pycache__"):
            shutil.rmtree(path)
    (into / "py.typed").unlink(missing_ok=True)  # the package has one


def main() -> None:
    """Writes it where it is checked in."""
    shutil.rmtree(MADE, ignore_errors=True)
    generate(MADE)


if __name__ == "__main__":
    main()
