"""Reads a request's fields, and refuses them as the gateway does."""

import json

from local.gateway.failures import ApiError
from local.gateway.shapes import Json

_NOTES_MAX = 15
_NOTE_LENGTH_MAX = 256
_AMOUNT_MIN = 100
_AMOUNT_MAX = 2**53 - 1
_PAGE_MAX = 100


def body_of(raw: bytes) -> Json:
    """Read a JSON object; nothing at all is an empty one."""
    try:
        value: object = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise ApiError("The body is not JSON") from None
    if not isinstance(value, dict):
        raise ApiError("The body is not a JSON object")
    return value


def only(body: Json, *known: str) -> None:
    """Refuse fields that nobody asked for."""
    for name in body:
        if name not in known:
            raise ApiError(f"{name} is not a field of this request", field=name)


def amount(body: Json, name: str = "amount") -> int:
    """Read an amount: a whole number of paise, one rupee at least."""
    value = body.get(name)
    if type(value) is not int:
        raise ApiError(f"The {name} must be an integer", field=name)
    if not _AMOUNT_MIN <= value <= _AMOUNT_MAX:
        raise ApiError(f"The {name} must be at least INR 1.00 and not beyond all bounds", field=name)
    return value


def currency(body: Json) -> str:
    """Read the currency: the rupee."""
    if body.get("currency") != "INR":
        raise ApiError("The currency must be INR", field="currency")
    return "INR"


def text(body: Json, name: str, *, longest: int) -> str:
    """Read a text that must be there."""
    value = body.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise ApiError(f"The {name} must be a text of 1 to {longest} characters", field=name)
    return value


def optional_text(body: Json, name: str, *, longest: int) -> str | None:
    """Read a text that may be missing or null."""
    return None if body.get(name) is None else text(body, name, longest=longest)


def flag(body: Json, name: str) -> bool:
    """Read a boolean that may be missing."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise ApiError(f"The {name} must be true or false", field=name)
    return value


def notes(body: Json) -> dict[str, str]:
    """Read the notes: up to 15 pairs of short texts."""
    value = body.get("notes") or {}
    if not isinstance(value, dict) or len(value) > _NOTES_MAX:
        raise ApiError(f"The notes must be an object of at most {_NOTES_MAX} pairs", field="notes")
    for note in value.values():
        if not isinstance(note, str) or len(note) > _NOTE_LENGTH_MAX:
            raise ApiError(f"A note must be a text of at most {_NOTE_LENGTH_MAX} characters", field="notes")
    return value


def number(query: dict[str, str], name: str, *, default: int, most: int) -> int:
    """Read a whole number from the query."""
    value = query.get(name, str(default))
    if not value.isascii() or not value.isdigit() or len(value) > len(str(most)) or int(value) > most:
        raise ApiError(f"The {name} must be a whole number up to {most}", field=name)
    return int(value)


def page(query: dict[str, str]) -> tuple[int, int]:
    """Read `count` and `skip`."""
    count = number(query, "count", default=10, most=_PAGE_MAX)
    if count == 0:
        raise ApiError("The count must be at least 1", field="count")
    return count, number(query, "skip", default=0, most=10**9)
