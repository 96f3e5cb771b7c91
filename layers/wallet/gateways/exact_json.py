"""JSON that is read exactly or not at all: one meaning for every reader, and no surprise exception."""

import json
from dataclasses import dataclass

# No amount or time has more digits; Python itself refuses to read integers of more than 4,300.
MAX_INTEGER_DIGITS = 19
_MAX_DECIMAL_LENGTH = 64


class MalformedJsonError(ValueError):
    """The bytes are not JSON in UTF-8 of the form asked for, or could be read in two ways."""


@dataclass(frozen=True, slots=True)
class DecimalNumber:
    """A number as it was written, with a fraction, an exponent or more digits than 19: `100.10` and `1e2`.

    It is no text, no float and no amount in minor units.
    """

    text: str


def json_object(raw: bytes, *, bounded: bool = False) -> dict[str, object]:
    """Read bytes as one JSON object.

    Refuses with MalformedJsonError what `json.loads` lets through or stumbles on: other encodings, a byte
    order mark, NaN and infinities, a key told twice (two readers could believe different amounts), deep
    nesting. A number that isn't whole, or is huge, is a DecimalNumber: it may stand where nobody needs it.
    `bounded` refuses huge ones.
    """
    value = _json_value(raw, bounded=bounded)
    if not isinstance(value, dict):
        raise MalformedJsonError("not a JSON object")
    return value


def json_objects(raw: bytes) -> list[dict[str, object]]:
    """Read bytes as one JSON array of objects, as strictly as `json_object`."""
    value = _json_value(raw, bounded=False)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MalformedJsonError("not a JSON array of objects")
    return value


def _json_value(raw: bytes, *, bounded: bool) -> object:
    try:
        value: object = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object_without_repeats,
            parse_constant=_refuse_constant,
            parse_float=_short_decimal if bounded else DecimalNumber,
            parse_int=_short_integer if bounded else _integer_as_written,
        )
    except MalformedJsonError:
        raise
    except (ValueError, RecursionError) as error:
        # The cause's own text quotes the input, which may hold personal data: its type is enough.
        raise MalformedJsonError(f"not readable as JSON ({type(error).__name__})") from None
    return value


def _object_without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise MalformedJsonError("an object names a key twice")
    return fields


def _refuse_constant(_: str) -> object:
    raise MalformedJsonError("NaN and infinities are not JSON")


def _short_decimal(text: str) -> DecimalNumber:
    if len(text) > _MAX_DECIMAL_LENGTH:
        raise MalformedJsonError("a number is too long")
    return DecimalNumber(text)


def _integer_as_written(digits: str) -> int | DecimalNumber:
    return DecimalNumber(digits) if len(digits.removeprefix("-")) > MAX_INTEGER_DIGITS else int(digits)


def _short_integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > MAX_INTEGER_DIGITS:
        raise MalformedJsonError("an integer is too long")
    return int(digits)


def compact_json(value: object) -> bytes:
    """Write JSON without blanks; a DecimalNumber is written as the number that its text is."""
    return _written(value).encode("ascii")


def _written(value: object) -> str:
    if isinstance(value, DecimalNumber):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_written(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(item) for item in value) + "]"
    return json.dumps(value)
