"""template.yaml as data: CloudFormation's short tags in their long form, YAML's merges written out."""

import copy
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Template = dict[str, Any]


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the same, ten times as fast
    """YAML with CloudFormation's tags."""


def _tag(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _tag)


def read(path: Path) -> Template:
    """A template, whatever form its functions have."""
    text = path.read_text(encoding="utf-8")
    content: Template = json.loads(text) if path.suffix == ".json" else copy.deepcopy(_parsed(text))
    return content


@cache
def _parsed(text: str) -> Template:
    """What a text says, read once: it takes a tenth of a second, and tests ask for the same one dozens of times."""
    content: Template = yaml.load(text, Loader)  # noqa: S506 - a safe one
    return content


def write(path: Path, content: Mapping[str, Any]) -> Path:
    """Writes a template as JSON, which is YAML too and read much faster; for its owner's eyes alone, as values of
    parameters may be in it. Returns `path`.
    """
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path
