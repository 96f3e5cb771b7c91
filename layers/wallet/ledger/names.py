"""Names: what people and shops may be called, and how strangers may see that on paper that is passed on.

The rules are those of UTS #39 where it has them (restriction levels, 5.2; marks and numbers, 5.3 and 5.4), with the
scripts of India beside Latin (docs/decisions/0035).
"""

import re
from itertools import pairwise

from wallet.ledger import characters
from wallet.ledger.characters import (
    BLANK,
    DIGIT,
    ENCLOSING_MARK,
    INVISIBLE,
    JOINERS,
    LETTER,
    MARK,
    OTHER_NUMBER,
    SPACING_MARK,
    UNASSIGNED,
)
from wallet.ledger.reserved_names import is_reserved

MAX_LENGTH = 100

# Signs that belong in names of people and shops.
_SIGNS = ".,'’-&()/+·\u0970"  # with the sign of short forms in Devanagari
_KINDS = frozenset((LETTER, MARK, SPACING_MARK, DIGIT, OTHER_NUMBER, UNASSIGNED))
_SHOWS = frozenset((LETTER, DIGIT, OTHER_NUMBER, UNASSIGNED))
_BASES = _KINDS | {MARK, SPACING_MARK}

# Letters and digits in another width or font. They are kept as the plain ones that they are.
_WIDTHS = re.compile("[\uff00-\uffef]")
_FONTS = re.compile("[\u2100-\u214f\U0001d400-\U0001d7ff]")
# Scripts of which a word may stand beside Latin ones, as on Indian signs: none that is taken for Latin.
_BESIDE_LATIN = """
Arabic Bengali Devanagari Ethiopic Gujarati Gurmukhi Hebrew Kannada Khmer Laoo Malayalam Meeteimayek Myanmar Olchiki
Oriya Sinhala Tamil Telugu Thaana Thai Tibetan
"""
# Scripts that are written together in one word, with Latin ones.
_TOGETHER = tuple(
    frozenset(scripts.split())
    for scripts in ("Hani Hiragana Katakana Latin", "Hani Hangul Latin", "Hani Bopomofo Latin")
)

_LABEL = "[^ ,'’&()/+·.]"
_DOMAINS = (
    "[a-z]{2}|com|net|org|info|biz|app|dev|xyz|online|site|shop|store|link|live|club|top|page|click|website|space|tech|"
    "cloud|bank|finance|money|loan|loans|credit|cards|cash|pay|center|support|help|services|email|chat|team|world|today|"
    "agency|digital|media|news|blog|pro|vip|win|work|life|fun|icu|asia|mobi|india|edu|gov|mil|int|zip|mov|software|"
    "systems|network|solutions|technology|exchange|market|markets|trade|insurance|museum|global|directory|foundation|"
    "भारत|ভারত|ভাৰত|భారత్|ભારત|بھارت|ਭਾਰਤ|இந்தியா|ಭಾರತ|ഭാരതം|ଭାରତ"
)
_ADDRESS = (
    rf"{_LABEL}{{2,}}\.(?:{_DOMAINS})(?![^ ,'’&()/+·.-])"  # kyc-update.in; M.K.Om is somebody's name
    rf"|{_LABEL}\.[a-z]{{2,}}/"  # t.me/…
    r"|(?<![a-z0-9])(?:www[0-9]?|https?)(?![a-z0-9])"
)
_CHINESE_DIGITS = "〇一二三四五六七八九零壹贰叁肆伍陆柒捌玖"
_NUMBER = re.compile(r"[0-9](?:[ .,'’&()/+·-]*[0-9]){6,}")


def normal_name(text: str, *, approved: bool = False) -> str:
    """A name as it is kept: composed, undressed, one blank between words. Raises ValueError if it is none.

    `approved`: an operator has seen who this is, so that they may use a word that others may not.
    """
    name = _kept(text)
    if not 1 <= len(name) <= MAX_LENGTH:
        raise ValueError(f"A name has 1 to {MAX_LENGTH} characters.")
    _check_signs(name)
    _check_scripts(name)
    _check_is_no_address(name)
    if not approved and is_reserved(name):
        raise ValueError("A name has no word that is for verified companies and offices.")
    return name


def _kept(text: str) -> str:
    plain = "".join(_undressed(sign) for sign in text)
    blanks = "".join(" " if characters.kind_of(sign) == BLANK else sign for sign in plain)
    return re.sub(" +", " ", characters.composed(blanks).strip())


def _undressed(sign: str) -> str:
    is_dressed = _WIDTHS.fullmatch(sign) or (_FONTS.fullmatch(sign) and characters.kind_of(sign) in _SHOWS)
    return characters.plain_form(sign) if is_dressed else sign


def _check_signs(name: str) -> None:
    kinds = characters.kinds_of(name)
    for place, (sign, kind) in enumerate(zip(name, kinds, strict=True)):
        if sign in JOINERS:
            if not characters.joins(name, place):
                raise ValueError("A name shows all of itself: it has a joiner where nothing is joined.")
        elif kind == INVISIBLE:
            raise ValueError("A name shows all of itself: it has a character that nobody sees.")
        elif sign != " " and sign not in _SIGNS and kind not in _KINDS:
            raise ValueError("A name has letters, digits, blanks and . , ' - & ( ) / + only.")
        elif kind == OTHER_NUMBER and not _digits(sign).replace("\u2044", "").isascii():
            raise ValueError("A name has numbers of digits only.")
        elif kind in (MARK, SPACING_MARK) and (place == 0 or not _bears(name[place - 1], kinds[place - 1])):
            raise ValueError("A mark stands on a letter.")
    if not _SHOWS & set(kinds):
        raise ValueError("A name has a letter or a digit.")
    if characters.has_stacked_marks(name) or _repeats_a_mark(name):
        raise ValueError("A letter of a name has four marks at most, and each of them once.")


def _bears(sign: str, kind: str) -> bool:
    return kind in _BASES or sign in JOINERS


def _repeats_a_mark(name: str) -> bool:
    parts = characters.decomposed(name)
    return any(one == other and characters.kind_of(one) == MARK for one, other in pairwise(parts))


def _check_scripts(name: str) -> None:
    """One script for each word, and for the name one, or one beside Latin; Chinese, Japanese and Korean as they are."""
    words = [
        {script for sign in word if (script := characters.script_of(sign))} for word in re.split("[ .,&()/+·-]", name)
    ]
    every = set().union(*words)
    beside = every - {"Latin"}
    is_one = len(every) <= 1 or any(every <= together for together in _TOGETHER)
    if not is_one and not (
        len(beside) == 1 and beside <= set(_BESIDE_LATIN.split()) and all(len(word) <= 1 for word in words)
    ):
        raise ValueError("The letters of a word are of one script, and those of a name of one beside Latin.")
    numbers = {characters.script_of(sign) + sign.isascii() * "-" for sign in name if characters.kind_of(sign) == DIGIT}
    if len(numbers) > 1:
        raise ValueError("The digits of a name are of one script.")


def _check_is_no_address(name: str) -> None:
    text = "".join(_digits(sign) for sign in name).lower()
    if re.search(_ADDRESS, text):
        raise ValueError("A name is no address; behind the full stop of a short form stands a blank.")
    if _NUMBER.search(text):
        raise ValueError("A name is no number: it has six digits in a row at most.")


def _digits(sign: str) -> str:
    if sign in _CHINESE_DIGITS:
        return str(_CHINESE_DIGITS.index(sign) % 10)
    kind = characters.kind_of(sign)
    if kind == DIGIT:
        return characters.digit_of(sign)
    return characters.plain_form(sign) if kind == OTHER_NUMBER else sign


def shorten(name: str, *, kind: str) -> str:
    """The first word of a person's name and the initials of the others, `Asha R.`; a shop's name is its own to show."""
    if kind == "merchant":
        return name
    first, *others = name.split()
    lettered = (word.lstrip(_SIGNS) for word in others)
    return " ".join([first, *(f"{initial(word)}." for word in lettered if word)])


def initial(word: str) -> str:
    """The first letter as it is written: with its marks, and with what a virama or a joiner binds to it."""
    end = 1
    while end < len(word) and (_clings(word[end]) or word[end - 1] in characters.viramas() | JOINERS):
        end += 1
    return word[:end]


def _clings(sign: str) -> bool:
    return characters.kind_of(sign) in (MARK, SPACING_MARK, ENCLOSING_MARK) or sign in JOINERS


def mask_phone(phone: str) -> str:
    """An E.164 phone by its last three digits."""
    return f"••••• ••{phone[-3:]}"
