"""UPI addresses: which are taken, and what is shown of them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.edge.logs import mask as mask_line
from wallet.ledger import vpa

GOOD = [
    "asha@okbank",
    "asha.rao-77@okhdfcbank",
    "asha_rao@ybl",
    "9876543210@upi",
    "a1@ok",
    "0a@x9",
    f"{'a' * 90}@okhdfcban",
]
BAD = [
    "",
    "asha",
    "@okbank",
    "asha@",
    "a@okbank",
    "asha@o",
    "asha@@okbank",
    "asha@ok@bank",
    "asha@ok.bank",
    "asha@ok-bank",
    "asha@9bank",
    ".asha@okbank",
    "-asha@okbank",
    "asha rao@okbank",
    " asha@okbank",
    "asha@okbank ",
    "asha@okbank\n",
    "asha\x00@okbank",
    "आशा@okbank",
    "\u212aasha@okbank",  # the Kelvin sign, whose lower case is an ASCII k
    "asha@ok\u0131bank",
    f"{'a' * 91}@okhdfcban",
    "12345@HDFC0000001.ifsc.npci",
]


@pytest.mark.parametrize("text", GOOD)
def test_an_address_is_taken_as_it_is(text: str) -> None:
    assert vpa.read(text) == text


@pytest.mark.parametrize("text", BAD)
def test_what_can_be_no_address_is_none(text: str) -> None:
    assert vpa.read(text) is None


def test_addresses_do_not_care_for_case() -> None:
    assert vpa.read("Asha.Rao@OKBank") == "asha.rao@okbank"


@given(st.text(alphabet=string.printable + "अé\u212a\u200b", max_size=120))
def test_whatever_is_taken_is_short_plain_and_lower_case_and_is_taken_again(text: str) -> None:
    address = vpa.read(text)
    if address is not None:
        assert len(address) <= vpa.MAX_LENGTH
        assert address.isascii()
        assert address == text.lower()
        assert vpa.read(address) == address


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("asha@okbank", "as***@okbank"),
        ("9876543210@ybl", "98***@ybl"),
        ("ab@upi", "a***@upi"),
        ("abc@upi", "a***@upi"),
    ],
)
def test_an_address_is_shown_by_its_beginning_and_its_handle(address: str, shown: str) -> None:
    assert vpa.mask(address) == shown


@given(st.from_regex(r"[a-z0-9][a-z0-9._-]{1,60}@[a-z][a-z0-9]{1,20}", fullmatch=True))
def test_at_most_half_of_a_name_is_ever_shown(address: str) -> None:
    name = address.partition("@")[0]
    shown = vpa.mask(address).partition("***")[0]
    assert name.startswith(shown)
    assert 1 <= len(shown) <= max(1, len(name) // 2)


@pytest.mark.parametrize("address", GOOD)
def test_no_address_gets_into_a_log(address: str) -> None:
    assert address not in mask_line(f"paying {address}, now")
