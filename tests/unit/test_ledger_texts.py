"""Texts beside money: all of them can be seen, none draws over others, and tomorrow's emoji are text."""
# ruff: noqa: RUF001 - signs that are taken for others are what it is about

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger.texts import check_text


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
