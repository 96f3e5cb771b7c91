"""What documents point to: a test, a setting of a template, a file. Followed, so that none outlives what it names."""

import ast
import functools
import re
from pathlib import Path
from typing import Any

from local import template

ROOT = Path(__file__).resolve().parents[2]

_TEST = re.compile(r"(?P<path>tests/[a-z0-9_/]+\.py)::((?P<group>Test[A-Za-z0-9]+)::)?(?P<name>test_[a-z0-9_]+)")
_SETTING = re.compile(r"(?P<path>[a-z0-9_/]+\.yaml): (?P<keys>[A-Za-z0-9]+(\.[A-Za-z0-9-]+)*)")
_FILE = re.compile(r"(?P<path>[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*)(#(?P<heading>[a-z0-9-]+))?")


def fault_of(pointer: str) -> str | None:
    """What is wrong with a pointer, None if it leads somewhere.

    `tests/….py::test_…` (or `::Test…::test_…`), `template.yaml: Parameter` (or `Resource.Property…`),
    `docs/….md#heading`.
    """
    if test := _TEST.fullmatch(pointer):
        return fault_of_test(test["path"], test["name"], group=test["group"])
    if setting := _SETTING.fullmatch(pointer):
        return _fault_of_setting(setting["path"], setting["keys"].split("."))
    if file := _FILE.fullmatch(pointer):
        return _fault_of_file(file["path"], file["heading"])
    return "it is neither a test, nor a setting, nor a file"


def fault_of_test(path: str, name: str, *, group: str | None = None) -> str | None:
    """Why a test is not there, or may not run; None if it is and does."""
    if not (ROOT / path).is_file():
        return "there is no such file"
    function = _tests(path).get((group, name)) if group else tests_of(path).get(name)
    if function is None:
        return "there is no such test"
    if left_out(function):
        return "the test may be left out"
    text = (ROOT / path).read_text()
    return "its whole file may be left out" if "pytestmark" in text and left_out(ast.parse(text)) else None


def tests_of(path: str) -> dict[str, ast.FunctionDef]:
    """The functions of a module that pytest would collect: at its top, or in a class of tests."""
    return {name: function for (_, name), function in _tests(path).items()}


def left_out(function: ast.AST) -> list[str]:
    """Whatever in a test, or on it, could keep it from running or from failing."""
    words = {"skip", "skipif", "xfail", "importorskip"}
    return [
        ast.unparse(node)
        for node in ast.walk(function)
        if (isinstance(node, ast.Attribute) and node.attr in words) or (isinstance(node, ast.Name) and node.id in words)
    ]


@functools.cache
def _tests(path: str) -> dict[tuple[str | None, str], ast.FunctionDef]:
    body = ast.parse((ROOT / path).read_text()).body
    groups = [one for one in body if isinstance(one, ast.ClassDef) and one.name.startswith("Test")]
    found = [(None, node) for node in body] + [(group.name, node) for group in groups for node in group.body]
    return {(group, node.name): node for group, node in found if isinstance(node, ast.FunctionDef)}


def _fault_of_setting(path: str, keys: list[str]) -> str | None:
    if not (ROOT / path).is_file():
        return "there is no such template"
    told = _template(path)
    first, *rest = keys
    if first in told["Parameters"]:
        return "a parameter has no properties" if rest else None
    if first not in told["Resources"]:
        return f"the template has neither a parameter nor a resource {first}"
    found = [told["Resources"][first].get("Properties", {})] if rest else []
    for key in rest:
        found = [one[key] for one in found if isinstance(one, dict) and key in one]
        if not found:
            return f"{first} has no {'.'.join(rest)}"
    return None


@functools.cache
def _template(path: str) -> dict[str, Any]:
    return template.read(ROOT / path)


def _fault_of_file(path: str, heading: str | None) -> str | None:
    if not (ROOT / path).is_file():
        return "there is no such file"
    if heading is None:
        return None
    lines = (ROOT / path).read_text().splitlines()
    known = {anchor(line.lstrip("#").strip()) for line in lines if line.startswith("#")}
    return None if heading in known else "the file has no such heading"


def anchor(heading: str) -> str:
    """What a heading is linked by."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
