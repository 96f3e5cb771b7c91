"""The code blocks of the guides, by what stands behind their fence: `sh`, `sh aws`, `yaml parameters`, `python`."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))


class Block(NamedTuple):
    """One block, without its fences."""

    kind: str
    code: str


def blocks(document: Path) -> list[Block]:
    """Those of a document, in order."""
    found = re.findall(r"^```([^\n]*)\n(.*?)^```$", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [Block(*one) for one in found]
