"""Phone numbers: one spelling for one line, and none for what no country has."""

import itertools
import json
import re
import subprocess
import sys

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import new_phone as phone_of_the_books
from tests.support.client import new_phone as phone_of_the_client
from tests.unit import template as templates
from tests.unit.calls import FUNCTIONS, ROOT
from wallet.identity import phones
from wallet.identity.phones import NO_REGION, SignInPhone, read_sign_in

ASHA = "+919876543210"


def read(text: str, region: str = "IN") -> str | None:
    return phones.read(text, region=region)


@pytest.mark.parametrize(
    "text",
    [
        "+919876543210",
        "+91 98765-43210",
        "+91 (98765) 43210",
        "+91.98765.43210",
        "(+91) 98765/43210",
        "+91 (0) 98765-43210",
        "+9109876543210",
        "00919876543210",
        "0091 (0) 98765 43210",
        "tel:+919876543210",
        "TEL:+91-98765-43210",
        "tel: +91 98765 43210",
        "  +919876543210 ",
        "+91\N{NO-BREAK SPACE}98765\N{NARROW NO-BREAK SPACE}43210",
        "\N{LEFT-TO-RIGHT EMBEDDING}+91 98765 43210\N{POP DIRECTIONAL FORMATTING}",
        "\N{LEFT-TO-RIGHT ISOLATE}+919876543210\N{POP DIRECTIONAL ISOLATE}",
        "\N{RIGHT-TO-LEFT MARK}+919876543210",
        "+91\N{NON-BREAKING HYPHEN}98765\N{EN DASH}43210",
        "\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH DIGIT NINE}\N{FULLWIDTH DIGIT ONE} 98765 43210",
        "\N{FULLWIDTH PLUS SIGN}91\N{IDEOGRAPHIC SPACE}9876543210",
    ],
)
def test_a_number_has_one_spelling_however_it_is_written(text: str) -> None:
    assert read(text) == read(text, NO_REGION) == ASHA


@pytest.mark.parametrize("text", ["9876543210", "98765 43210", "098765 43210", "919876543210", "tel:9876543210"])
def test_ten_digits_are_a_number_of_the_region(text: str) -> None:
    assert read(text) == ASHA
    assert read(text, NO_REGION) is None


@pytest.mark.parametrize(
    ("text", "region", "phone"),
    [
        ("+39 06 1234 5678", "IN", "+390612345678"),
        ("0039 06 1234 5678", "IN", "+390612345678"),
        ("+39 (06) 12345678", "IN", "+390612345678"),
        ("+39 312 345 6789", "IN", "+393123456789"),
        ("+44 (0) 20 7946 0000", "IN", "+442079460000"),
        ("+1 415 555 2671", "IN", "+14155552671"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("+7 701 123 4567", "IN", "+77011234567"),  # Kazakhstan's, under Russia's code
        ("+800 1234 5678", "IN", "+80012345678"),  # of no country
    ],
)
def test_every_country_has_its_own_plan(text: str, region: str, phone: str) -> None:
    assert read(text, region) == phone


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "00",
        "tel:",
        "+91",
        "+91 98765",
        "+910000000000",
        "+91 0000000000",
        "+91 98765 432101",
        "+1234567",
        "+1 015 555 2671",
        "+123456789012345",
        "+9991234567",
        "+0919876543210",
        "+91987654321a",
        "++919876543210",
        "+91+9876543210",
        "9876543210+",
        "+९१९८७६५४३२१०",
        "+919876543210\n",
        "\n+919876543210",
        "+91\x009876543210",
        "+91\t9876543210",
        "+919876543210;ext=5",
        "+919876543210 x5",
        "+919876543210" + " " * 20,
        "+919876543210' OR '1'='1",
        "call +919876543210",
        "9.19877E+11",
        "14155552671",  # an American number without its plus is no Indian one
        "98765",
        "1800 123 4567",
        "000800 1234567",
        "\u202e",
        "\ud800",
    ],
)
def test_what_no_country_could_have_is_no_number(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize("text", ["9876543210", "4155552671"])
def test_an_unknown_region_has_no_numbers(text: str) -> None:
    assert read(text, "XX") is None
    assert read(ASHA, "XX") == ASHA


def test_every_country_has_numbers() -> None:
    """The examples that the plans themselves give, of every country and kind, are what they are."""
    kinds = range(11)
    examples = [
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for region, kind in itertools.product(phonenumbers.SUPPORTED_REGIONS, kinds)
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None
    ]
    assert len(examples) > 1_000
    assert [phone for phone in examples if read(phone) != phone] == []


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_a_number_that_was_read_is_read_as_itself(text: str) -> None:
    phone = read(text)
    assert phone is None or read(phone) == read(phone, "US") == phone


@given(st.from_regex(r"\+91[6-9][0-9]{9}", fullmatch=True))
def test_what_is_read_without_the_library_is_what_the_library_says(text: str) -> None:
    assert read(text) == phones._by_plan(text, NO_REGION) == text  # noqa: SLF001 - the other way there


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_none(text: str) -> None:
    phone = read(text)
    assert phone is None or (phone.isascii() and phone[0] == "+" and 8 <= len(phone) <= 16)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("+919876543210", SignInPhone(ASHA, None)),
        ("98765 43210", SignInPhone(ASHA, None)),
        ("+91 (0) 98765-43210", SignInPhone(ASHA, "+9109876543210")),
        ("+91 98765", SignInPhone(None, "+9198765")),
        ("+52 1 55 1234 5678", SignInPhone(None, "+5215512345678")),  # Mexico's plan until 2019
        ("+39 06 1234 5678", SignInPhone("+390612345678", None)),
        ("98765", None),
        ("+91", None),
        ("", None),
        ("+91" + "-" * 40 + "9876543210", None),
    ],
)
def test_who_signs_in_may_have_been_registered_with_the_digits_as_they_were_written(
    text: str, found: SignInPhone | None
) -> None:
    assert read_sign_in(text, region="IN") == found


def test_the_numbers_that_tests_draw_could_be_somebodys() -> None:
    for phone in (phone_of_the_books(), phone_of_the_client()):
        assert read(phone, NO_REGION) == phone


def test_the_library_is_imported_by_whom_a_number_needs_it() -> None:
    """It costs a cold function a tenth of a second and more: not at import, and not for a plain Indian number."""
    probe = f"""
import importlib.util, json, pathlib, sys
sys.path.insert(0, {str(ROOT / "layers")!r})
for path in sorted(pathlib.Path({str(FUNCTIONS)!r}).glob("*/app.py")):
    spec = importlib.util.spec_from_file_location("app_" + path.parent.name, path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
from wallet.identity import phones
known = [phones.read("+919876543210", region="IN")]
early = "phonenumbers" in sys.modules
known.append(phones.read("98765 43210", region="IN"))
print(json.dumps([known, early, "phonenumbers" in sys.modules]))
"""
    told = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True, cwd=ROOT)
    assert json.loads(told.stdout) == [[ASHA, ASHA], False, True]


def test_the_functions_that_read_phones_are_told_the_region() -> None:
    template = templates.load()
    assert template["Parameters"]["DefaultRegion"]["Default"] == "IN"
    told = {
        name
        for name, function in templates.functions(template).items()
        if "DEFAULT_REGION" in function.get("Environment", {}).get("Variables", {})
    }
    reading = re.compile(r"wiring\.(region|phone_api_handler|counting_api_handler)\b")
    readers = {path.parent.name for path in FUNCTIONS.glob("*/app.py") if reading.search(path.read_text("utf-8"))}
    assert {re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Function")).lower() for name in told} == readers
    assert readers == {
        "register",
        "login",
        "session",
        "phone_proofs",
        "pay",
        "payees",
        "preview",
        "hold",
        "bulk",
        "operator",
    }
