"""QR codes: read on light and dark pages, small and large; and what a scanner makes of one is read."""

import io
import json
import re

import pytest
import resvg_py
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.unit.calls import CALLER, request
from wallet.edge.bodies import PaymentBody
from wallet.edge.qr import read_wallet_code, svg, wallet_code
from wallet.ledger import ids

CODE = wallet_code(CALLER)
# as long as the simulator's, and as gateways' are
LINK = (
    "upi://pay?pa=wallet.simulator@upi&pn=Wallet%20Simulator&tr=LX0Ssh4ykKtFR60123456789abcdef"
    "&tn=Top%20up&am=500.00&cu=INR&mc=6540"
)
WHITE, BLACK = 255, 0


def drawn(picture: str, size: int, page: int) -> Image.Image:
    """The picture, so many pixels wide, in the middle of a page of that grey."""
    pixels = bytes(resvg_py.svg_to_bytes(svg_string=picture, width=size, height=size))
    image = Image.open(io.BytesIO(pixels)).convert("RGBA")
    assert image.size == (size, size), "it is scaled, not cropped"
    sheet = Image.new("RGBA", (size + 60, size + 60), (page, page, page, 255))
    sheet.alpha_composite(image, (30, 30))
    return sheet.convert("L")


@pytest.mark.parametrize("page", [WHITE, BLACK], ids=["white", "black"])
@pytest.mark.parametrize("size", [60, 150, 400])
@pytest.mark.parametrize("text", [CODE, LINK], ids=["a wallet", "a UPI link"])
def test_a_code_is_read_on_every_page_at_every_size(text: str, size: int, page: int) -> None:
    [found] = zxingcpp.read_barcodes(drawn(svg(text), size, page))
    assert found.text == text
    assert found.format == zxingcpp.BarcodeFormat.QRCode


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=120))
def test_a_code_says_what_it_was_made_of(text: str) -> None:
    assert [found.text for found in zxingcpp.read_barcodes(drawn(svg(text), 500, BLACK))] == [text]


def test_a_picture_scales_as_a_whole_and_brings_its_light_field() -> None:
    picture = svg(LINK)
    size = re.match(r'<svg xmlns="[^"]*" width="([0-9]+)" height="([0-9]+)" viewBox="0 0 ([0-9]+) ([0-9]+)" ', picture)
    assert size is not None
    width, height, across, down = map(int, size.groups())
    assert (width, across) == (height, down)
    assert width == 4 * across
    assert f'<path fill="#fff" d="M0 0h{across}v{across}H0z"/>' in picture
    dark = [tuple(map(int, run)) for run in re.findall(r"M([0-9]+) ([0-9]+)h([0-9]+)v1", picture)]
    assert dark
    assert all(x >= 4 and x + size <= across - 4 and 4 <= y < across - 4 for x, y, size in dark), "the quiet zone"


@pytest.mark.parametrize("around", ["{}", "{}\n", "{}\r\n", " {} ", "\t{}", "\u00a0{}\u00a0", "\n\n{}\n"])
def test_what_a_scanner_adds_around_a_code_is_no_part_of_it(around: str) -> None:
    assert read_wallet_code(around.format(CODE)) == CALLER
    body = json.dumps({"to": {"qr": around.format(CODE)}, "amount": 1}).encode()
    assert request(body).json(PaymentBody).to.qr == CALLER


@pytest.mark.parametrize(
    "text",
    ["", " ", "wallet:", f"wallet: {ids.show(ids.WALLET, CALLER)}", f"{CODE} {CODE}", f"x{CODE}", CODE.upper(), LINK],
)
def test_anything_else_is_no_code_of_a_wallet(text: str) -> None:
    assert read_wallet_code(text) is None
