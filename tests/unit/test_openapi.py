"""The API's document: valid, true to the doors and the template, and as it is checked in."""

import csv
import json
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support import openapi
from tests.unit import template as templates
from wallet.edge.bodies import BulkRowBody, EmptyBody
from wallet.edge.commands import commands_of
from wallet.ledger.refusals import Refusal
from wallet.operators.model import Role

DOCUMENT = openapi.document()
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def test_it_is_an_openapi_document_of_3_1() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_what_is_checked_in_is_what_the_doors_say() -> None:
    assert openapi.DOCUMENT.read_text(encoding="utf-8") == openapi.text(), "python -m tests.support.openapi"


def test_it_has_every_route_that_the_template_has() -> None:
    known = {
        route for function in templates.functions(templates.load()).values() for route in templates.routes(function)
    }
    assert {name for name, _ in OPERATIONS} == {route for route in known if not route.startswith("OPTIONS")}


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_every_operation_says_what_it_does_answers_and_refuses(name: str, operation: dict[str, Any]) -> None:
    assert operation["summary"].endswith((".", ".)"))
    statuses = set(operation["responses"])
    assert {"403", "422", "429", "500", "503"} <= statuses
    assert any(status.startswith("2") for status in statuses)
    if operation.get("security") is None:
        assert "401" in statuses, name


def test_every_refusal_is_some_routes() -> None:
    told = json.dumps(DOCUMENT["components"]["responses"])
    assert [refusal for refusal in Refusal if f'"{refusal.value}"' not in told] == []


BODIES = [
    pytest.param(name, media, told, id=name)
    for name, operation in OPERATIONS
    for media, told in operation.get("requestBody", {"content": {}})["content"].items()
]


@pytest.mark.parametrize(("name", "media", "told"), BODIES)
def test_every_body_has_an_example_of_its_own_schema(name: str, media: str, told: dict[str, Any]) -> None:
    schema = {**told["schema"], "components": DOCUMENT["components"]}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(told["example"])


@pytest.mark.parametrize(("name", "media", "told"), BODIES)
def test_what_a_body_is_like_is_what_its_door_takes(name: str, media: str, told: dict[str, Any]) -> None:
    """A schema knows less than a model: that one of two is named, that a phone is one."""
    example, models = told["example"], {route.name: route.asks for _, route in openapi.routes()}
    if media == "text/csv":
        (row,) = csv.DictReader(example.splitlines())
        assert list(row) == list(BulkRowBody.model_fields)
        BulkRowBody.model_validate(row)
        return
    model = models[name]
    if model is None:
        model = commands_of(Role(name.split("/")[2]))[example["command"]]
    model.model_validate(example)
    assert bool(example) == (model is not EmptyBody)
    assert not {None, "", "string", 0} & {value for value in example.values() if not isinstance(value, dict)}


def test_a_key_is_like_one_that_nobody_else_has() -> None:
    keys = [
        parameter
        for _, operation in OPERATIONS
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "Idempotency-Key"
    ]
    assert keys
    for key in keys:
        assert UUID(key["example"]).version == 4
        jsonschema.validate(key["example"], key["schema"])


def test_every_part_of_the_api_is_named_once_and_with_a_sentence() -> None:
    named = [tag["name"] for tag in DOCUMENT["tags"]]
    assert sorted(named) == sorted({operation["tags"][0] for _, operation in OPERATIONS})
    assert all(tag["description"].endswith(".") for tag in DOCUMENT["tags"])


def test_who_authorizes_sees_the_users_token_first() -> None:
    assert next(iter(DOCUMENT["components"]["securitySchemes"])) == "token"
