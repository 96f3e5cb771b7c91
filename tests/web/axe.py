"""What axe finds on a page that is open."""

import json
from typing import Any, Final

from playwright.sync_api import Page

from local.state import ROOT
from tests.web.visitor import Shape

_AXE: Final = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
#: The newest rules there are, those of WCAG 2.2 at level AA among them.
_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def show_all(page: Page, shape: Shape) -> None:
    """All of the page at once: what is under a bar at the bottom can be scrolled from under it."""
    height = max(shape.height, page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": shape.width, "height": height})


def findings(page: Page) -> list[str]:
    """What axe finds, a line each. It is put into the page by the browser, which no policy hinders."""
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(_AXE.read_text())
    page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")  # colours that are on their way
    found: dict[str, Any] = page.evaluate(
        "async (tags) => axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })",
        _TAGS,
    )
    return [
        f"{one['id']}: {node['html'][:200]} {json.dumps([check['message'] for check in node['any']])[:300]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
