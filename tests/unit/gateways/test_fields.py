"""One field of a gateway's JSON: the edges of what is taken for it."""

import pytest

from wallet.gateways import fields
from wallet.gateways.fields import MalformedWireError
from wallet.ledger.money import MAX_AMOUNT


@pytest.mark.parametrize("amount", [0, 1, MAX_AMOUNT])
def test_an_amount_is_a_whole_number_up_to_the_largest(amount: int) -> None:
    assert fields.minor_units({"amount": amount}, "amount") == amount


@pytest.mark.parametrize("amount", [-1, MAX_AMOUNT + 1, True, 1.0, "1", None])
def test_no_other_is_an_amount(amount: object) -> None:
    with pytest.raises(MalformedWireError):
        fields.minor_units({"amount": amount}, "amount")


def test_the_largest_amount_is_one_that_every_reader_of_json_counts_exactly() -> None:
    assert MAX_AMOUNT == 9_007_199_254_740_991


@pytest.mark.parametrize("nothing", ["", "NA", "null", None, 7])
def test_some_words_say_nothing(nothing: object) -> None:
    assert fields.word(nothing) is None


def test_a_word_keeps_what_is_visible_and_nothing_else() -> None:
    assert fields.word("!a~b") == "!a~b"
    assert fields.word(" a\x7f\né") == "_a___"
    assert fields.word("w" * 65) == "w" * 64


def test_a_sentence_is_cut_to_a_length() -> None:
    assert fields.description("s" * 300) == "s" * 256
    assert fields.description(None) is None


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        (fields.CURRENCY, ["INR", "USD"], ["inr", "IN", "INRR", "I R"]),
        (
            fields.REFUND_REFERENCE,
            ["rfd_" + "0az" * 8 + "zz"],
            ["rfd_" + "0" * 25, "RFD_" + "0" * 26, "rfd_" + "A" * 26],
        ),
        (
            fields.UPI_LINK,
            ["upi://pay?pa=a@b&pn=चाय घर"],
            ["upi://pay?", "UPI://pay?pa=a@b", "upi://pay?a\nb", "http://pay?a"],
        ),
    ],
    ids=["currency", "reference", "link"],
)
def test_a_form_takes_all_of_a_text_or_nothing(form: object, good: list[str], bad: list[str]) -> None:
    assert isinstance(form, type(fields.CURRENCY))
    assert [text for text in good if fields.matching({"it": text}, "it", form) != text] == []
    for text in bad:
        with pytest.raises(MalformedWireError):
            fields.matching({"it": text}, "it", form)
