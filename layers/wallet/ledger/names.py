"""Names as strangers may see them on paper that is passed on."""

import unicodedata

_JOINERS = frozenset("\u200c\u200d")
_VIRAMAS = frozenset("\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d")


def shorten(name: str, *, kind: str) -> str:
    """The first word of a person's name and the initials of the others, `Asha R.`; a shop's name is its own to show."""
    if kind == "merchant":
        return name
    first, *others = name.split()
    return " ".join([first, *(f"{initial(word)}." for word in others)])


def initial(word: str) -> str:
    """The first letter as it is written: with its marks, and with what a virama or a joiner binds to it."""
    end = 1
    while end < len(word) and (_clings(word[end]) or word[end - 1] in _VIRAMAS | _JOINERS):
        end += 1
    return word[:end]


def _clings(sign: str) -> bool:
    return unicodedata.category(sign)[0] == "M" or sign in _JOINERS


def mask_phone(phone: str) -> str:
    """An E.164 phone by its last three digits."""
    return f"••••• ••{phone[-3:]}"
