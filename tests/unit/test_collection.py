"""The Postman collection is what is made of the document, and has a request for each route."""

import json
import re
from typing import Any

from clients.collection import MADE, collection, text
from clients.generate import DOCUMENT

MADE_OF = json.loads(DOCUMENT.read_text(encoding="utf-8"))


def test_it_is_what_is_made_of_the_document() -> None:
    assert MADE.read_text(encoding="utf-8") == text(), "make client"


def _requests() -> list[dict[str, Any]]:
    return [one for folder in collection(MADE_OF)["item"] for one in folder["item"]]


def test_there_is_a_request_for_each_route_but_the_operators() -> None:
    named = {one["name"] for one in _requests()}
    routes = {f"{method.upper()} {path}" for path, item in MADE_OF["paths"].items() for method in item}
    assert {route for route in routes if "/operator/" not in route} == named


def test_every_variable_that_a_request_uses_is_one_of_the_collection() -> None:
    made = collection(MADE_OF)
    known = {one["key"] for one in made["variable"]} | {"$guid"}
    assert set(re.findall(r"\{\{([^}]+)\}\}", json.dumps(made))) == known


def test_what_moves_money_has_the_key_and_what_needs_no_token_has_none() -> None:
    for one in _requests():
        method, _, path = str(one["name"]).partition(" ")
        operation = MADE_OF["paths"][path][method.lower()]
        wants_key = any(asked["name"] == "Idempotency-Key" for asked in operation.get("parameters", []))
        assert ("{{key}}" in json.dumps(one["request"]["header"])) == wants_key
        assert (one["request"].get("auth") == {"type": "noauth"}) == (operation.get("security") == [])
