"""Makes `wallet/ledger/unicode_table.py` of what the packages `regex` and `confusable-homoglyphs` know of Unicode.

    python -m tests.support.unicode_table

A test makes it again and compares, so the table is what its sources say. Another edition of Unicode is another version
of the two, pinned in requirements-dev.in.
"""

import json
import textwrap
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import metadata, resources
from itertools import groupby
from pathlib import Path

import regex
from regex import _regex_core

TABLE = Path(__file__).parents[2] / "layers" / "wallet" / "ledger" / "unicode_table.py"

_SIZE = 0x110000
_EVERY = "".join(chr(code) for code in range(_SIZE) if not 0xD800 <= code <= 0xDFFF)

# What draws nothing though its category is another's: blank Braille, blanks and a filler that are letters or marks,
# a head of a note that is none, the place of an object, signs of annotations and of hieroglyphs' layout.
_BLANK = {0x2800, 0x13441, 0x13442, 0x16FE4, 0x1D159, 0xFFFC, 0xFFF9, 0xFFFA, 0xFFFB, *range(0x13430, 0x13440)}
_SKIN_TONES = set(range(0x1F3FB, 0x1F400))

# Two scripts are nobody's own.
_SHARED = {"COMMON", "INHERITED", "UNKNOWN"}


@cache
def _members(properties: str) -> frozenset[int]:
    found = regex.finditer(f"[{properties}]+", _EVERY)
    return frozenset(ord(sign) for run in found for sign in run.group())


def _kinds() -> list[str]:
    """For each code point a letter, as `characters.py` reads it; the first line that has it decides."""
    surrogates = frozenset(range(0xD800, 0xE000))
    lines = (
        ("x", _members(r"\p{Cc}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}") | surrogates),
        ("i", _members(r"\p{Default_Ignorable_Code_Point}") | _BLANK),
        ("b", _members(r"\p{Zs}")),
        ("p", _members(r"\p{Extended_Pictographic}") | _SKIN_TONES),
        ("e", _members(r"\p{Me}")),
        ("n", _members(r"\p{Mn}")),
        ("s", _members(r"\p{Mc}")),
        ("l", _members(r"\p{L}")),
        ("d", _members(r"\p{Nd}")),
        ("m", _members(r"\p{Nl}\p{No}")),
        ("c", _members(r"\p{Co}")),
        ("u", _members(r"\p{Cn}")),
    )
    kinds = ["o"] * _SIZE
    for kind, members in reversed(lines):
        for code in members:
            kinds[code] = kind
    return kinds


def _scripts() -> list[str]:
    """For each code point the script that it belongs to, empty where it is several scripts'.

    What is unassigned between two characters of one script is that script's, and so are the planes kept for Han.
    """
    scripts = [""] * _SIZE
    names: dict[int, str] = {}
    for name, value in _regex_core.PROPERTIES["SCRIPT"][1].items():
        names[value] = max(names.get(value, ""), name, key=lambda name: (len(name), name))  # an alias is shorter
    for name in sorted(set(names.values()) - _SHARED):
        for code in _members(rf"\p{{Script={name}}}"):
            scripts[code] = name
    unassigned = _members(r"\p{Cn}")
    first = 0
    for code in range(_SIZE):
        if code not in unassigned:
            if 0 < code - first < 128 and scripts[first - 1] == scripts[code]:
                scripts[first:code] = [scripts[code]] * (code - first)
            first = code + 1
    for code in unassigned & frozenset(range(0x20000, 0x3FFFE)):
        scripts[code] = scripts[0x4E00]
    return scripts


def _runs(kinds: list[str], scripts: list[str]) -> Iterator[str]:
    """`41l Latin` as words: how many, what, whose; a script is named where it decides."""
    told = [
        kind + script.title().replace("_", "") if kind in "nsldu" else kind
        for kind, script in zip(kinds, scripts, strict=True)
    ]
    for word, run in groupby(told):
        yield f"{len(list(run)):x}{word}"


def _lookalikes(kinds: list[str]) -> Iterator[str]:
    """`a0430,0251`: the letters of all scripts that are taken for a Latin one or a digit."""
    told = json.loads(resources.files("confusable_homoglyphs").joinpath("confusables.json").read_text("utf-8"))
    found: dict[str, list[str]] = {}
    for sign, others in sorted(told.items()):
        if len(sign) != 1 or unicodedata.ucd_3_2_0.normalize("NFKC", sign).isascii() or kinds[ord(sign)] not in "ld":
            continue  # what is a plain sign's other form is made plain before
        plain = sorted(other["c"].lower() for other in others if len(other["c"]) == 1 and other["c"].isascii())
        if plain and plain[0].isalnum():
            found.setdefault(plain[0], []).append(f"{ord(sign):x}")
    for plain_sign, signs in sorted(found.items()):
        yield f"{plain_sign}:{','.join(signs)}"


def _literal(words: Iterator[str] | list[str]) -> str:
    lines = textwrap.wrap(" ".join(words), 112, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f'    "{line} "' for line in lines)


def table() -> str:
    """The module's text."""
    kinds = _kinds()
    viramas = _members(r"\p{InSC=Virama}\p{InSC=Invisible_Stacker}\p{InSC=Pure_Killer}")
    known, similar = metadata.version("regex"), metadata.version("confusable-homoglyphs")
    edition = "17.0" if 0x1FAEA not in _members(r"\p{Cn}") else "16.0"  # 17.0 has it first
    return f'''"""What every code point is, by Unicode {edition}, whatever Python this is.

Made by tests/support/unicode_table.py of regex {known} (categories, scripts and properties) and of
confusable-homoglyphs {similar} (lookalikes).
"""

# How many code points, from 0 on, are of which kind and script. Kinds: x no text, i shows nothing, b blank,
# p pictograph, e enclosing mark, n nonspacing mark, s spacing mark, l letter, d decimal digit, m other number,
# c private use, u unassigned, o anything else that shows.
RUNS = (
{_literal(_runs(kinds, _scripts()))}
)

# Signs behind which, and before which, a joiner of Indic scripts does something.
VIRAMAS = (
{_literal([f"{code:x}" for code in sorted(viramas)])}
)

# Letters and digits of other scripts by the Latin letter or digit that they are taken for.
LOOKALIKES = (
{_literal([word for line in _lookalikes(kinds) for word in _short(line)])}
)
'''


def _short(line: str) -> Iterator[str]:
    """A long line in words that fit into one each."""
    plain, _, signs = line.partition(":")
    several = signs.split(",")
    for first in range(0, len(several), 15):
        yield f"{plain}:{','.join(several[first : first + 15])}"


if __name__ == "__main__":
    TABLE.write_text(table(), "utf-8")
