"""The page at the simulator's address: a phone to look at, with an inbox and a UPI app. Files of `phone/`, as they are.

What it shows and does goes by the routes under `/simulator/`.
"""

from pathlib import Path
from typing import Final

from local.gateway.talk import Reply, Request

FOLDER: Final = Path(__file__).parent / "phone"
_PLACE: Final = "/phone/"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Final = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), microphone=(), geolocation=()"),
    ("Cache-Control", "no-cache"),
)


class Page:
    """Serves the files that were there at the start, by name; a path is never made from a request."""

    def __init__(self) -> None:
        """List them."""
        self._files = {file.name: file for file in FOLDER.iterdir() if file.suffix in _TYPES}

    def answer(self, request: Request) -> Reply:
        """`/phone/` and what it loads; `/` leads there."""
        if request.method != "GET":
            return Reply(405, {"error": "the page is only for looking at"}, (*_HEADERS, ("Allow", "GET")))
        if not request.path.startswith(_PLACE):
            return Reply(302, {}, (*_HEADERS, ("Location", _PLACE)))
        file = self._files.get(request.path.removeprefix(_PLACE) or "index.html")
        if file is None:
            return Reply(404, {"error": "there is nothing at this URL"}, _HEADERS)
        return Reply(200, file.read_text(encoding="utf-8"), _HEADERS, media_type=_TYPES[file.suffix])
