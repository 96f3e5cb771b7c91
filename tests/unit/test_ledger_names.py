"""Names and phones as strangers may see them."""

import pytest

from wallet.ledger.names import initial, mask_phone, shorten


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Asha Rao", "Asha R."),
        ("Asha", "Asha"),
        ("Asha Devi Rao", "Asha D. R."),
        ("  Asha   Rao ", "Asha R."),
        ("आशा राव", "आशा रा."),
        ("आशा क्षत्रिय", "आशा क्ष."),
        ("ஆஷா ராவ்", "ஆஷா ரா."),
        ("José Ångström", "José Å."),
    ],
)
def test_a_persons_name_is_shortened_to_initials(name: str, short: str) -> None:
    assert shorten(name, kind="personal") == short


def test_a_shop_shows_its_whole_name() -> None:
    assert shorten("Chai Point Indiranagar", kind="merchant") == "Chai Point Indiranagar"


@pytest.mark.parametrize(("word", "first"), [("R", "R"), ("e\u0301a", "e\u0301"), ("क\u094d\u200dष", "क\u094d\u200dष")])
def test_an_initial_takes_along_what_belongs_to_it(word: str, first: str) -> None:
    assert initial(word) == first


def test_of_a_phone_three_digits_are_shown() -> None:
    assert mask_phone("+919876543210") == "••••• ••210"


@pytest.mark.parametrize(("word", "first"), [("XX", "X"), ("aX", "a"), ("Xa", "X")])
def test_a_plain_letter_binds_nothing(word: str, first: str) -> None:
    assert initial(word) == first
