"""What is told about a request that doesn't fit its model: what is wanted there, and never what was sent.

Each field of a model says what it wants: by a `Wanted` beside its type, or by the type itself where that has few
values. Checks of our own have words of their own; they come first.
"""

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError

Fault = tuple[str, str]
_Location = Sequence[int | str]

_NO_OBJECT = ("model_type", "model_attributes_type", "dict_type")
_NO_TAG = ("union_tag_invalid", "union_tag_not_found")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Stands beside a type in `Annotated`: one sentence that says what is wanted there.

    `form` is the JSON schema of what is sent, where it is read into something else than it looks like.
    """

    text: str
    form: Mapping[str, Any] | None = field(default=None, hash=False)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:  # noqa: ANN401 - pydantic's
        """What the API's document says of the field."""
        told = handler(schema) if self.form is None else {**self.form}
        return {**told, "description": self.text}


def faults_of(error: ValidationError, model: type[BaseModel], *, whole: str = "body") -> list[Fault]:
    """The fields that are at fault, each with a message; `whole` is what a fault of none of them is of."""
    return [
        (".".join(str(part) for part in fault["loc"]) or whole, _message(fault, model, fault["loc"]))
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def faults_of_one(error: ValidationError, models: Mapping[str, type[BaseModel]], *, tag: str) -> list[Fault]:
    """The same where one field, `tag`, says which of several models it is: the location begins with its value."""
    found: list[Fault] = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        field = ".".join(str(part) for part in fault["loc"]) or "body"
        if fault["type"] in _NO_TAG:
            found.append((field, f"{tag} is one of: {', '.join(sorted(models))}."))
        else:
            name, *rest = fault["loc"] or ("",)
            model = models.get(str(name))
            found.append((field, _message(fault, model, rest) if model else f"An object with {tag}."))
    return found


def wanted_of(model: type[BaseModel], field: str) -> str | None:
    """What a field wants, by its public name; None if nothing says so."""
    return _wanted(_annotations(model).get(field))


def fields_of(model: type[BaseModel]) -> list[str]:
    """The public names of a model's fields."""
    return [info.alias or name for name, info in model.model_fields.items()]


def _message(fault: Mapping[str, Any], model: type[BaseModel], location: _Location) -> str:
    kind, own_words = fault["type"], fault["msg"].removeprefix("Value error, ")
    if kind == "value_error":
        return str(own_words)
    if not location:
        return "A JSON object is wanted." if kind in _NO_OBJECT else str(own_words)
    if kind == "extra_forbidden":
        return _there_are(_owner(model, location))
    wanted = wanted_of(_owner(model, location), str(location[-1]))
    if wanted is None:
        return str(own_words)
    return f"Required. {wanted}" if kind == "missing" else wanted


def _there_are(model: type[BaseModel]) -> str:
    names = fields_of(model)
    return f"Unknown here; known are: {', '.join(names)}." if names else "Unknown here: nothing is taken."


def _owner(model: type[BaseModel], location: _Location) -> type[BaseModel]:
    """The model that the last part of a location is a field of."""
    for part in location[:-1]:
        inner = next(_models(_annotations(model).get(str(part))), None)
        if inner is None:
            break
        model = inner
    return model


def _annotations(model: type[BaseModel]) -> dict[str, Any]:
    """The types of a model's fields with what stands beside them, by public name."""
    hints = get_type_hints(model, include_extras=True)
    return {info.alias or name: hints[name] for name, info in model.model_fields.items()}


def _wanted(annotation: Any) -> str | None:  # noqa: ANN401 - whatever stands behind a field's name
    if get_origin(annotation) is Annotated:
        inner, *beside = get_args(annotation)
        told = next((one.text for one in reversed(beside) if isinstance(one, Wanted)), None)  # the closest to the field
        return told or _wanted(inner)
    if get_origin(annotation) in (Union, types.UnionType):
        return next((told for told in map(_wanted, get_args(annotation)) if told), None)
    if get_origin(annotation) is Literal:
        return _one_of(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _one_of([member.value for member in annotation])
    return "true or false." if annotation is bool else None


def _one_of(values: Sequence[object]) -> str:
    return f"One of: {', '.join(str(value) for value in values)}."


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - as above
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
