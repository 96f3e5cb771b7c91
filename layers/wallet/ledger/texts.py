"""Texts that people write beside money: descriptions, references, reasons. Strangers read them in their statements.

A text is kept as it was sent, or refused: what somebody compares it with is theirs to know.
"""

import re

from wallet.ledger import characters
from wallet.ledger.characters import INVISIBLE, NO_TEXT

_ASCII = re.compile(r"[ -~]*")
_FLAG = "\U0001f3f4"

# What has no shape of its own and yet belongs to one, each by a letter: a choice of an emoji's look, a joiner,
# the frame of a keycap, and the tags that make a black flag a country's, with their end.
_SPECIAL = (
    {"\ufe0e": "V", "\ufe0f": "V", "\u200d": "J", "\u200c": "j", "\u20e3": "K", "\U000e007f": "E", _FLAG: "F"}
    | dict.fromkeys("0123456789#*", "#")
    | {chr(code): "T" for code in (*range(0xE0030, 0xE003A), *range(0xE0061, 0xE007B))}
)

# Where they belong, for one after the other to be taken out.
_EMOJI = (re.compile("(?<=F)T{3,6}E"), re.compile("(?<=[pFu])V|(?<=#)V(?=K)"), re.compile("(?<=[pFu.])J(?=[pFu])"))


def check_text(text: str) -> str:
    """The text; raises ValueError if not all of it can be seen, or if it draws over what stands around it.

    No control characters, ends of lines, or what turns the direction of other text; nothing invisible but what emoji
    and Indic scripts are made with; no more marks on a letter than a language has. Characters of tomorrow are text.
    """
    if _ASCII.fullmatch(text):
        return text
    kinds = characters.kinds_of(text)
    if NO_TEXT in kinds:
        raise ValueError("Control characters and ends of lines are not text.")
    if _hides_something(text, kinds):
        raise ValueError("A text shows all of itself: it has a character that nobody sees.")
    if characters.has_stacked_marks(text):
        raise ValueError("A letter has four marks at most.")
    return text


def _hides_something(text: str, kinds: str) -> bool:
    if INVISIBLE not in kinds:
        return False
    shape = "".join(_SPECIAL.get(sign, kind) for sign, kind in zip(text, kinds, strict=True))
    for belongs in _EMOJI:
        shape = belongs.sub(lambda found: "." * len(found[0]), shape)
    return any(
        sign in "iVTE" or (sign in "Jj" and not characters.joins(text, place)) for place, sign in enumerate(shape)
    )
