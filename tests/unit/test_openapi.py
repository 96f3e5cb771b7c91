"""The API's document: valid, true to the doors and the template, and as it is checked in."""

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support import openapi
from tests.unit import template as templates
from wallet.ledger.refusals import Refusal

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
