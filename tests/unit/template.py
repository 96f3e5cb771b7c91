"""template.yaml as data: CloudFormation's short tags become its long form, merges are merged."""

from typing import Any

import yaml

from local.template import Loader, Template, read
from tests.unit.calls import ROOT


def load(name: str = "template.yaml") -> Template:
    """A template of this checkout."""
    return read(ROOT / name)


def keys_told_twice() -> list[str]:
    """Keys that one mapping has twice, of which YAML readers silently drop one."""
    with (ROOT / "template.yaml").open(encoding="utf-8") as file:
        waiting = [node for node in [yaml.compose(file, Loader)] if node is not None]
    found = []
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            told = [key.value for key, _ in node.value]
            found += [f"{key} near line {node.start_mark.line + 1}" for key in set(told) if told.count(key) > 1]
            waiting += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
    return found


def functions(template: Template) -> dict[str, dict[str, Any]]:
    """The functions' properties by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def routes(function: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A function's routes (`POST /payments`) and the properties of each."""
    return {
        f"{properties['Method']} {properties['Path']}": properties
        for properties in (
            source["Properties"] for source in function.get("Events", {}).values() if source["Type"] == "Api"
        )
    }


def statements(function: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a function's policies, those of every condition."""
    told = [statement for policy in function.get("Policies", []) for statement in policy["Statement"]]
    branches = [branch for statement in told for branch in statement.get("Fn::If", [None, statement])[1:]]
    return [branch for branch in branches if branch != {"Ref": "AWS::NoValue"}]


def listed(value: Any) -> list[Any]:
    """IAM takes one thing or a list of them."""
    return value if isinstance(value, list) else [value]
