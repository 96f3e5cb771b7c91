"""JSON that is read exactly or not at all: one meaning for every reader, and no surprise exception."""

import json

# Python refuses to read integers of more than 4,300 digits by default; no amount or time has more than 19.
MAX_INTEGER_DIGITS = 19


class MalformedJsonError(ValueError):
    """The bytes are not one JSON object in UTF-8, or could be read in two ways."""


def json_object(raw: bytes) -> dict[str, object]:
    """Read bytes as one JSON object.

    Refuses with MalformedJsonError what `json.loads` lets through or stumbles on: other encodings, a byte
    order mark, NaN and infinities, a key told twice (two readers could believe different amounts), huge
    integers, deep nesting.
    """
    try:
        value: object = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object_without_repeats,
            parse_constant=_refuse_constant,
            parse_int=_bounded_integer,
        )
    except MalformedJsonError:
        raise
    except (ValueError, RecursionError) as error:
        # The cause's own text quotes the input, which may hold personal data: its type is enough.
        raise MalformedJsonError(f"not readable as JSON ({type(error).__name__})") from None
    if not isinstance(value, dict):
        raise MalformedJsonError("not a JSON object")
    return value


def _object_without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise MalformedJsonError("an object names a key twice")
    return fields


def _refuse_constant(_: str) -> object:
    raise MalformedJsonError("NaN and infinities are not JSON")


def _bounded_integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > MAX_INTEGER_DIGITS:
        raise MalformedJsonError("an integer is too long")
    return int(digits)
