"""Codes before a camera: a fake one, which shows a film that was made for it."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import resvg_py
from PIL import Image, ImageOps
from playwright.sync_api import Playwright, expect

from tests.support.client import Api
from tests.web.conftest import Visit
from tests.web.visitor import DESK, Visitor


def film(picture: Path, made: Path) -> None:
    """One second of a code, held before a camera of 640 by 480."""
    frame = Image.new("RGB", (640, 480), "white")
    frame.paste(ImageOps.contain(Image.open(picture).convert("RGB"), (400, 400)), (120, 40))
    y, cb, cr = frame.convert("YCbCr").split()
    planes = y.tobytes() + cb.resize((320, 240)).tobytes() + cr.resize((320, 240)).tobytes()
    made.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420\n" + (b"FRAME\n" + planes) * 10)


@pytest.fixture
def shown(api: Api, visit: Visit, tmp_path: Path) -> tuple[str, Path]:
    """The name of a shop, and its code as it is on its own screen."""
    shop = visit()
    shop.comes_as(api.person(kind="merchant", name="Chai Point"), "receive")
    code = shop.page.get_by_role("img").first
    expect(code).to_be_visible()
    code.screenshot(path=tmp_path / "code.png")
    return "Chai Point", tmp_path / "code.png"


@pytest.fixture
def before_a_camera(
    api: Api, playwright: Playwright, chromium: str, shown: tuple[str, Path], tmp_path: Path
) -> Iterator[Visitor]:
    film(shown[1], tmp_path / "film.y4m")
    options = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={tmp_path / 'film.y4m'}",
    ]
    with playwright.chromium.launch(executable_path=chromium, args=options) as browser:
        visitor = Visitor(api, browser.new_context(**DESK.context(), permissions=["camera"]))
        yield visitor
        visitor.leave()
        assert visitor.faults == []


def test_a_code_before_the_camera_leads_to_its_payee(api: Api, before_a_camera: Visitor) -> None:
    before_a_camera.comes_as(api.person(), "scan")
    before_a_camera.press("Use the camera")
    before_a_camera.is_at("pay")
    before_a_camera.sees("Chai Point")


def test_who_refuses_the_camera_is_told_what_else_there_is(api: Api, visit: Visit) -> None:
    visitor = visit()
    visitor.comes_as(api.person(), "scan")
    visitor.press("Use the camera")
    visitor.sees("The browser has no camera, or may not use it. Allow it beside the address, or choose a picture.")
    visitor.sees("A picture of a code")


def test_what_is_no_code_of_ours_is_said_to_be_none(api: Api, visit: Visit, tmp_path: Path) -> None:
    person = api.person()
    visitor = visit()
    visitor.comes_as(person, "scan")

    def show(name: str, content: bytes) -> None:
        (tmp_path / name).write_bytes(content)
        visitor.page.get_by_label("A picture of a code").set_input_files(tmp_path / name)

    blank = BytesIO()
    Image.new("RGB", (300, 300), "white").save(blank, "png")
    show("white.png", blank.getvalue())
    visitor.sees("There is no code in this picture.")
    # a UPI code: it is for other apps
    foreign = bytes(resvg_py.svg_to_bytes(svg_string=person.open_top_up(10_000)["upi"]["qr_svg"], width=400))
    show("upi.png", foreign)
    visitor.sees("This code is none of this wallet's.")
    show("text.png", b"no picture")
    visitor.sees("There is no code in this picture.")
    visitor.is_at("scan")
