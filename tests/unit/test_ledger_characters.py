"""Characters by our own table: kinds, scripts, digits, what joins and what is stacked."""
# ruff: noqa: RUF001 - signs that are taken for others are what it is about

import re

import pytest

from wallet.ledger import characters
from wallet.ledger.unicode_table import RUNS


def test_the_table_has_every_code_point_once() -> None:
    runs = re.findall(r"([0-9a-f]+)([a-z])([A-Z][a-z]+)?(?: |$)", RUNS)
    assert sum(int(size, 16) for size, _, _ in runs) == 0x110000
    assert [size + kind + script for size, kind, script in runs] == RUNS.split()


@pytest.mark.parametrize(
    ("sign", "kind", "script"),
    [
        ("a", "l", "Latin"),
        ("7", "d", ""),
        ("७", "d", "Devanagari"),
        (" ", "b", ""),
        ("\u0301", "n", ""),
        ("\u0940", "s", "Devanagari"),
        ("🎉", "p", ""),
        ("\U0001fafe", "p", ""),
        ("½", "m", ""),
        ("\u0378", "u", "Greek"),
        ("\U0010fffd", "c", ""),
        ("\U0010ffff", "x", ""),
        ("\U0003fff0", "u", "Hani"),
    ],
)
def test_a_character_is_of_a_kind_and_of_a_script(sign: str, kind: str, script: str) -> None:
    assert (characters.kind_of(sign), characters.script_of(sign)) == (kind, script)


@pytest.mark.parametrize(("sign", "digit"), [("7", "7"), ("०", "0"), ("९", "9"), ("٣", "3"), ("๙", "9")])
def test_a_digit_of_any_script_is_one(sign: str, digit: str) -> None:
    assert characters.digit_of(sign) == digit


@pytest.mark.parametrize(
    ("text", "place", "joins"),
    [
        ("क\u094d\u200dष", 2, True),
        ("क\u094d\u200d", 2, True),  # at the end of a word, behind a virama
        ("क\u094d\u200d ", 2, True),
        ("क\u094d\u200d\u200c", 2, False),
        ("रा\u200cम", 2, True),
        ("रा\u200c", 2, False),
        ("रा\u200c ", 2, False),
        ("रा\u200ca", 2, False),  # between two scripts
        ("रा\u200c7", 2, False),
        ("\u200cरा", 0, False),
        ("7\u200cरा", 1, False),
        ("a\u200db", 1, False),
        ("ก\u200dข", 1, False),  # Thai has none
        ("ی\u200cر", 1, True),
    ],
)
def test_a_joiner_joins_in_a_word_of_a_script_that_has_them(text: str, place: int, *, joins: bool) -> None:
    assert characters.joins(text, place) is joins


@pytest.mark.parametrize(
    ("marks", "too_many"),
    [
        ("\u0316\u0317\u0318\u0319", False),
        ("\u0316\u0317\u0318\u0319\u0301", True),
        ("\u20dd" * 4, False),
        ("\u20dd" * 5, True),
        ("\u0903" * 8, False),
        ("\u0903" * 9, True),
        ("\u0903\u0301\u0301\u0301\u0301\u0903\u0301\u0301\u0301", True),
        ("\u0903\u0301\u0301\u0301\u0301\u0903\u0301\u0301", False),
        ("", False),
    ],
)
def test_a_letter_bears_as_many_marks_as_a_language_puts_on_one(marks: str, *, too_many: bool) -> None:
    assert characters.has_stacked_marks(f"x{marks}y") is too_many


def test_a_letter_that_has_a_mark_of_its_own_counts_it() -> None:
    assert characters.has_stacked_marks("á\u0316\u0317\u0318\u0319")
    assert not characters.has_stacked_marks("á\u0316\u0317\u0318")


def test_a_lookalike_is_known_by_what_it_is_taken_for() -> None:
    assert "раураӏ".translate(characters.lookalikes()) == "paypai"  # an i where somebody reads an l


@pytest.mark.parametrize(("sign", "binds"), [("\u094d", True), ("\u0940", False), ("a", False), ("\u1039", True)])
def test_a_virama_binds_what_follows(sign: str, *, binds: bool) -> None:
    assert (sign in characters.viramas()) is binds


@pytest.mark.parametrize(
    ("text", "composed", "decomposed", "plain"),
    [("é", "é", "e\u0301", "é"), ("e\u0301", "é", "e\u0301", "é"), ("ﬁ", "ﬁ", "ﬁ", "fi"), ("Ａ", "Ａ", "Ａ", "A")],
)
def test_a_text_has_three_forms(text: str, composed: str, decomposed: str, plain: str) -> None:
    assert characters.composed(text) == composed
    assert characters.decomposed(text) == decomposed
    assert characters.plain_form(text) == plain
