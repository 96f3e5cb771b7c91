"""A receipt, from the payer's screen to a stranger who has no account: what is altered is found, a balance is not."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Api
from tests.web.conftest import Visit

_ALTERED = "This has been altered: what it says is not what was signed."
_UNREADABLE = "This is no receipt, or it has been altered: it can't be read."


@pytest.fixture
def receipt(api: Api, visit: Visit, tmp_path: Path) -> Path:
    """Of a payment of 120.50 rupees by somebody who had 777, as their browser saves it."""
    payer, shop = api.person(money=77_700), api.person(kind="merchant", name="Chai Point")
    assert payer.pay(shop, 12_050).status == 201
    api.let_the_clock_run("seal")
    newest = payer.get("/wallet/transactions").body["data"][0]
    asha = visit()
    asha.comes_as(payer)
    asha.open("entry", newest["id"])
    asha.press("Verify")
    asha.sees("This is in the wallet's books, as they were signed.")
    asha.sees("₹120.50")
    asha.open("entry", newest["id"])
    asha.press("Get the receipt")
    asha.sees("The receipt is made. Nobody has it yet but you.")
    with asha.page.expect_download() as downloading:
        asha.press("Save the file")
    downloading.value.save_as(tmp_path / "receipt.json")
    return tmp_path / "receipt.json"


def numbers_in(told: Any) -> list[int]:
    """Every number that a JSON document has, also in a text."""
    return [int(found) for found in re.findall(r"\b[0-9]+\b", json.dumps(told))]


def test_a_stranger_checks_a_receipt_without_signing_in(visit: Visit, receipt: Path) -> None:
    text = receipt.read_text()
    assert "Asha" not in text
    assert 65_650 not in numbers_in(json.loads(text)), "what they had left"
    stranger = visit()
    stranger.open("verify")
    stranger.page.get_by_label("The receipt's file").set_input_files(receipt)
    stranger.sees("This is in the wallet's books, as they were signed.")
    stranger.sees("₹120.50")
    stranger.sees("What this does not prove")
    stranger.press("Check it")  # the file that is chosen, once more
    stranger.sees("This is in the wallet's books, as they were signed.")
    assert stranger.storage() == {}


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("12050", "92050", _ALTERED),
        ('"side":"debit"', '"side":"credit"', _ALTERED),
        ('"wallet proof 2"', '"wallet proof 1"', _UNREADABLE),
    ],
)
def test_what_was_altered_is_said_to_be(visit: Visit, receipt: Path, old: str, new: str, verdict: str) -> None:
    text = receipt.read_text()
    assert old in text, text
    stranger = visit()
    stranger.open("verify")
    stranger.page.get_by_label("Or its text, or its link").fill(text.replace(old, new))
    stranger.press("Check it")
    stranger.sees(verdict)
    stranger.sees_nothing_of("This is in the wallet's books")


def test_whoever_checks_nothing_is_told_what_is_wanted(visit: Visit) -> None:
    stranger = visit()
    stranger.open("verify")
    stranger.press("Check it")
    stranger.sees("Choose a receipt's file, or paste its text or its link.")
    stranger.page.get_by_label("Or its text, or its link").fill("nonsense")
    stranger.press("Check it")
    stranger.sees(_UNREADABLE)
    stranger.sees_nothing_of("Choose a receipt's file")
