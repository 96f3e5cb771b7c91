"""Reads fields of a gateway's JSON: of the documented type and form, or not at all."""

import re
from collections.abc import Mapping

from wallet.ledger.money import MAX_AMOUNT

#: ISO 4217.
CURRENCY = re.compile(r"[A-Z]{3}")
#: Blanks and other scripts do occur in a link; what no text column takes does not.
UPI_LINK = re.compile(r"upi://pay\?[^\x00-\x1f\x7f\ud800-\udfff]{1,2000}")
#: Our own name for a refund to source.
REFUND_REFERENCE = re.compile(r"rfd_[0-9a-z]{26}")

_BANK_REFERENCE = re.compile(r"[!-~]{1,64}")
_WORD_MAX = 64
_DESCRIPTION_MAX = 256


class MalformedWireError(ValueError):
    """A field has another type or form than the documented one."""


def inner_object(outer: Mapping[str, object], name: str) -> Mapping[str, object] | None:
    """Return the object under a name that we need, None if there is none. PHP writes an empty object as `[]`."""
    value = outer.get(name)
    if value is None:
        return None
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise MalformedWireError(f"{name} is not an object")
    return value


def optional_object(outer: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return the object under a name that we can do without: whatever else stands there says nothing."""
    value = outer.get(name)
    return value if isinstance(value, dict) else {}


def event_name(event: Mapping[str, object], name: str) -> str:
    """Return the text that names an event: as it is, or in the characters and the length of a log's word.

    A name that we don't know is no error, whatever it looks like; without one nobody can say what an event tells of.
    """
    value = text(event, name)
    if not value:
        raise MalformedWireError(f"{name} is empty")
    return _visible(value)


def text(entity: Mapping[str, object], name: str) -> str:
    """Return a text that has to be there."""
    value = entity.get(name)
    if not isinstance(value, str):
        raise MalformedWireError(f"{name} is not a text")
    return value


def matching(entity: Mapping[str, object], name: str, form: re.Pattern[str]) -> str:
    """Return a text of this form."""
    value = entity.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise MalformedWireError(f"{name} is not of the documented form")
    return value


def minor_units(entity: Mapping[str, object], name: str) -> int:
    """Return an amount that is written in minor units, 0 or more."""
    value = entity.get(name)
    # bool is an int to Python, and `100.0 == 100`: the type itself has to be right.
    if type(value) is not int or not 0 <= value <= MAX_AMOUNT:
        raise MalformedWireError(f"{name} is not a whole number of minor units")
    return value


def word(value: object) -> str | None:
    """Read an error's word: null, "null" and "NA" mean none; the rest becomes short ASCII, fit for any log."""
    if not isinstance(value, str) or value in ("", "NA", "null"):
        return None
    return _visible(value)


def bank_reference(value: object) -> str | None:
    """Read a bank's reference (RRN, UTR), as it was written: zeros in front count. Of any other form it is none."""
    is_one = isinstance(value, str) and value not in ("NA", "null") and _BANK_REFERENCE.fullmatch(value)
    return str(value) if is_one else None


def description(value: object) -> str | None:
    """Read an error's sentence, cut to a length; it may name a person and is for no log."""
    return value[:_DESCRIPTION_MAX] if isinstance(value, str) else None


def _visible(value: str) -> str:
    return "".join(character if "!" <= character <= "~" else "_" for character in value[:_WORD_MAX])
