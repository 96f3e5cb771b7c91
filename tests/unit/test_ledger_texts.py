"""Texts beside money: all of them can be seen, none draws over others, and tomorrow's emoji are text."""
# ruff: noqa: RUF001 - signs that are taken for others are what it is about

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import unicode_table
from tests.unit.calls import ROOT
from wallet.ledger import characters
from wallet.ledger.texts import check_text
from wallet.ledger.unicode_table import RUNS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lunch",
        "=1+1",
        "a\N{NO-BREAK SPACE}b",
        "वेतन ☕",
        "क्‍ष",
        "علی\u200cرضا",
        "אָלֶף",
        "अ॒ग्निमी॑ळे",
        "❤️",
        "©️",
        "1️⃣",
        "#️⃣",
        "👍🏽",
        "👩‍👩‍👧",
        "👩🏽‍⚕️",
        "👁️‍🗨️",
        "🏳️‍🌈",
        "🇮🇳",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "𝓐",
        "\ue000",
        "\U0001faf0",  # of 2022
        "\U0001fae9",  # of 2024
        "\U0001faea",  # of 2025
        "\U0001fafe",  # a place kept for one
        "\U0001fafe\ufe0f",
        "\U0001fafe\u200d\U0001f469",
        "\u0378",  # a letter of tomorrow
        "\U000323b0",
    ],
)
def test_what_a_phone_can_type_is_text(text: str) -> None:
    assert check_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a\nb",
        "a\tb",
        "\x00",
        "\x1b[31m",
        "\x85",
        "\u2028",
        "\ud800",
        "\ufdd0",
        "\U0010ffff",
        "\u202egnp",
        "a\u2066b",
        "\u200ea",
        "a\u200bb",
        "a\u00adb",
        "\ufeffa",
        "\u3164",
        "\u2800",
        "\u2065",
        "a\ufe0f",
        "1\ufe0f",
        "❤️\ufe0f",
        "a\u200db",
        "👍\u200d",
        "\u200d👍",
        "🎉\U000e0041",
        "\U000e0067\U000e007f",
        "🏴" + "\U000e0067" * 40 + "\U000e007f",
        "葛\U000e0100",
        "a" + "\u0316\u0317\u0318\u0319\u0301",
        "á" + "\u0317\u0318\u0319\u0301",
        "🎉" + "\u20dd" * 5,
        "က" + "\u103b" * 9,
    ],
)
def test_what_nobody_sees_or_what_draws_over_others_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        check_text(text)


@given(st.text(max_size=60))
def test_any_text_is_taken_as_it_is_or_refused(text: str) -> None:
    try:
        assert check_text(text) == text
    except ValueError:
        assert not text.isascii() or not text.isprintable()


def test_the_table_is_what_its_sources_say() -> None:
    assert unicode_table.TABLE.read_text("utf-8") == unicode_table.table()


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


def test_no_answer_depends_on_the_tables_of_the_python_that_runs() -> None:
    """What `unicodedata` knows grows with Python. Only Unicode 3.2's forms are used, and a form for passwords."""
    used = {}
    for path in sorted((ROOT / "layers" / "wallet").rglob("*.py")):
        found = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "unicodedata"
        }
        if found:
            used[path.name] = found
    assert used == {"characters.py": {"ucd_3_2_0"}, "passwords.py": {"normalize"}}
