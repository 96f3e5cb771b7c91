"""What characters are: by one edition of Unicode, the same on every Python.

`unicodedata` is that of the Python that runs, so what it calls unassigned may be an emoji of last year. Here a code
point that the table doesn't know is a character of tomorrow, of kind UNASSIGNED.
"""

import re
import unicodedata
from bisect import bisect_right
from functools import cache, lru_cache
from typing import Final

from wallet.ledger import unicode_table

# Kinds of code points, as the table has them.
NO_TEXT: Final = "x"  # controls, ends of lines, halves of pairs, noncharacters
INVISIBLE: Final = "i"
BLANK: Final = "b"
PICTOGRAPH: Final = "p"
ENCLOSING_MARK: Final = "e"
MARK: Final = "n"  # stands over, under or in what is before it
SPACING_MARK: Final = "s"
LETTER: Final = "l"
DIGIT: Final = "d"
OTHER_NUMBER: Final = "m"
PRIVATE: Final = "c"
UNASSIGNED: Final = "u"

#: ZERO WIDTH NON-JOINER and ZERO WIDTH JOINER.
JOINERS: Final = frozenset("\u200c\u200d")

# Scripts in which joiners change what is seen.
_JOINING = """
Arabic Balinese Bengali Chakma Devanagari Gujarati Gurmukhi Javanese Kannada Khmer Malayalam Meeteimayek Mongolian
Myanmar Newa Oriya Sharada Sinhala Sylotinagri Syriac Tamil Telugu Tibetan Tirhuta
"""
_WRITTEN = frozenset((LETTER, MARK, SPACING_MARK))
_MARKS = frozenset((MARK, SPACING_MARK, ENCLOSING_MARK))
_RUN = re.compile(r"([0-9a-f]+)([xibpensldmcuo])([A-Z][a-z]+)?")
# UTS #39, 5.4: as many marks as any language puts on a letter. Spacing marks stand beside it, and may be some more.
_STACKED = re.compile(r"[ne]{5}|[nse]{9}")

# The normal forms of Unicode 3.2, which every Python has. What was added since has hardly another form.
_FORMS = unicodedata.ucd_3_2_0


@cache
def _runs() -> tuple[list[int], list[tuple[str, str]]]:
    """Where each run of code points begins, and what it is of: kind and script."""
    begins, members, past = [], [], 0
    for size, kind, script in _RUN.findall(unicode_table.RUNS):
        begins.append(past)
        members.append((kind, script))
        past += int(size, 16)
    return begins, members


@cache
def _joining() -> frozenset[str]:
    return frozenset(_JOINING.split())


@lru_cache(4096)
def _member(sign: str) -> tuple[str, str]:
    begins, members = _runs()
    return members[bisect_right(begins, ord(sign)) - 1]


@cache
def viramas() -> frozenset[str]:
    """The signs that take a consonant's vowel away, and bind it to the next one."""
    return frozenset(chr(int(code, 16)) for code in unicode_table.VIRAMAS.split())


@cache
def lookalikes() -> dict[int, str]:
    """Letters and digits of other scripts, by code point, with the Latin one that they are taken for."""
    found: dict[int, str] = {}
    for word in unicode_table.LOOKALIKES.split():
        plain, _, codes = word.partition(":")
        found |= {int(code, 16): plain for code in codes.split(",")}
    return found


def kind_of(sign: str) -> str:
    """The kind of a character."""
    return _member(sign)[0]


def kinds_of(text: str) -> str:
    """The kinds of a text's characters, one letter each."""
    return "".join(_member(sign)[0] for sign in text)


def script_of(sign: str) -> str:
    """The script of a letter, mark or digit; empty if it is several scripts'."""
    return _member(sign)[1]


def digit_of(sign: str) -> str:
    """A decimal digit of any script as 0 to 9. Each script has its ten in a row, and rows are of ten."""
    begins, _ = _runs()
    return str((ord(sign) - begins[bisect_right(begins, ord(sign)) - 1]) % 10)


def composed(text: str) -> str:
    """The text with each letter and its marks as one character, where there is one."""
    return _FORMS.normalize("NFC", text)


def decomposed(text: str) -> str:
    """The text with each mark by itself."""
    return _FORMS.normalize("NFD", text)


def plain_form(text: str) -> str:
    """The text with each character's fonts, widths and circles taken away."""
    return _FORMS.normalize("NFKC", text)


def has_stacked_marks(text: str) -> bool:
    """Whether some letter bears more marks than any language puts there: they would draw over other lines."""
    if not _MARKS & set(kinds_of(text)):
        return False  # no character is made of a letter and five marks
    return _STACKED.search(kinds_of(decomposed(text))) is not None


def joins(text: str, place: int) -> bool:
    """Whether the joiner at that place does something: within a word of a script that has joiners, or at its end behind
    a virama.
    """
    before = text[place - 1] if place else ""
    behind = text[place + 1 : place + 2]
    if not before or kind_of(before) not in _WRITTEN or script_of(before) not in _joining():
        return False
    if before in viramas():
        return behind not in JOINERS
    return behind != "" and kind_of(behind) in _WRITTEN and script_of(behind) == script_of(before)
