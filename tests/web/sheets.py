"""Writes docs/screens/ from what `make screens` has photographed: of each screen one sheet, with a list of them."""

import sys
from pathlib import Path

from PIL import Image

from local.state import ROOT
from tests.web.test_every_screen import SIGHTS

_COLUMNS = ("desk light", "desk dark", "phone light", "phone dark")
_ROWS = ("en-IN", "hi-IN")
_SCALE = 0.6
_LONGEST, _GAP = 1_400, 24
_SCREENS = ROOT / "docs" / "screens"


def sheet(photographs: Path, name: str) -> Image.Image:
    """All looks of a screen: a row for each language."""
    rows = [[_scaled(photographs / f"{name} {look} {language}.png") for look in _COLUMNS] for language in _ROWS]
    width = _GAP + max(sum(one.width + _GAP for one in row) for row in rows)
    heights = [max(one.height for one in row) for row in rows]
    made = Image.new("RGB", (width, _GAP + sum(height + _GAP for height in heights)), "#8a8f8c")
    y = _GAP
    for row, height in zip(rows, heights, strict=True):
        x = _GAP
        for one in row:
            made.paste(one, (x, y))
            x += one.width + _GAP
        y += height + _GAP
    return made


def _scaled(photograph: Path) -> Image.Image:
    with Image.open(photograph) as taken:
        shown = taken.convert("RGB").crop((0, 0, taken.width, min(taken.height, _LONGEST)))
        return shown.resize((round(shown.width * _SCALE), round(shown.height * _SCALE)), Image.Resampling.LANCZOS)


def main(photographs: Path) -> None:
    _SCREENS.mkdir(exist_ok=True)
    for old in _SCREENS.glob("*.webp"):
        old.unlink()
    lines = [
        "# Every screen",
        "",
        "As `make screens` has photographed them: on a desk and on a phone, light and dark, in English and in Hindi.",
        "",
    ]
    for sight in SIGHTS:
        sheet(photographs, sight.name).save(_SCREENS / f"{sight.name}.webp", quality=60, method=6)
        lines += [f"## `/{sight.screen}` {sight.name.replace('-', ' ')}", "", f"![{sight.name}]({sight.name}.webp)", ""]
    (_SCREENS / "README.md").write_text("\n".join(lines[:-1]) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
