"""Which documents are published, and the files that come of them.

A file `X.html` answers under the address `X`, and `index.html` under its folder's, with a slash: a bucket behind
CloudFront looks for no index and no ending, so whoever uploads takes the ending off, and links here have none.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from local.documentation.markdown import Rendered, render, retarget
from local.processes import LocalStackError
from local.state import ROOT

_HERE: Final = Path(__file__).parent
_DOCS: Final = ROOT / "docs"
_SWAGGER: Final = ROOT / "web" / "node_modules" / "swagger-ui-dist"
_OPENAPI: Final = ROOT / "functions" / "openapi" / "openapi.json"
#: The documents' place on the site.
_BASE: Final = "/docs/"
_API_PAGE: Final = f"{_BASE}api"
_API_DOCUMENT: Final = "/v1/openapi.json"
_COLLECTION_FILE: Final = ROOT / "clients" / "postman" / "collection.json"
_COLLECTION: Final = f"{_BASE}postman-collection.json"


@dataclass(frozen=True, slots=True)
class Page:
    """A document that is published: its address below /docs/, its source from docs/ on, what navigation says of it."""

    slug: str
    source: str
    title: str
    about: str

    @property
    def address(self) -> str:
        """Where people read it."""
        return _BASE + self.slug

    @property
    def markdown(self) -> str:
        """Where programs do."""
        return f"{_BASE}{self.slug or 'index'}.md"


#: In the order in which a newcomer needs them.
PAGES: Final[Mapping[str, tuple[Page, ...]]] = {
    "Guides": (
        Page("", "guides/index.md", "Start here", "what the wallet does, and which page to read first"),
        Page("quick-start", "guides/quick-start.md", "Quick start", "from nothing to a payment, with curl"),
        Page("integrate", "guides/integrate.md", "Integrate", "idempotency, errors, confirmations, webhooks, polling"),
        Page("sandbox", "guides/sandbox.md", "Sandbox", "every outcome of the gateway simulator, and how to play it"),
        Page("go-live-razorpay", "guides/go-live-razorpay.md", "Go live with Razorpay", "step by step"),
        Page("go-live-cashfree", "guides/go-live-cashfree.md", "Go live with Cashfree", "step by step"),
    ),
    "Clients": (
        Page(
            "python-client",
            "../clients/python/README.md",
            "Python client",
            "typed, with one key until an outcome is known",
        ),
    ),
    "Reference": (
        Page("reference", "api.md", "The API", "every route, list, limit and code in one document"),
        Page("problems", "problems.md", "Problems", "each code: what happened and what to do next"),
        Page("events", "events.md", "Events", "the bus, webhooks to merchants, messages to people"),
        Page("confirmations", "confirmations.md", "Confirmations", "the second factor of money out"),
        Page("statements", "statements.md", "Statements", "pages, CSV, months and past balances"),
        Page("bulk", "bulk.md", "Bulk payments", "up to 10,000 payments from one file"),
        Page("audit", "audit.md", "Audit and proofs", "what is sealed, and how a stranger verifies it"),
        Page("gateways", "gateways.md", "Gateways", "Razorpay and Cashfree side by side"),
        Page("operations", "operations.md", "Operations", "deploying, limits, keys, alarms, operators"),
        Page("site", "site.md", "The site", "the wallet in a browser: how it is served, and under a name of your own"),
        Page("reconciliation", "reconciliation.md", "Reconciliation", "three sources compared; breaks and disputes"),
        Page("glossary", "glossary.md", "Glossary", "the words that are used here"),
    ),
}


def sources() -> list[Path]:
    """The files and folders that `build` reads, but for Swagger UI, whose version web/package-lock.json has."""
    return [*(_DOCS / page.source for page in _all()), _DOCS / "events", _HERE, _OPENAPI, _COLLECTION_FILE]


def build(into: Path, *, swagger: Path = _SWAGGER) -> None:
    """Writes the site into a folder: `docs/…` and `llms.txt`. What was there under these names is replaced.

    `swagger` is the folder of the package swagger-ui-dist; LocalStackError if it isn't there.
    """
    if not (swagger / "swagger-ui-bundle.js").exists():
        raise LocalStackError("Swagger UI is not there: cd web && npm ci")
    docs = into / "docs"
    shutil.rmtree(docs, ignore_errors=True)
    (docs / "events").mkdir(parents=True)
    for schema in sorted((_DOCS / "events").glob("*.json")):
        shutil.copyfile(schema, docs / "events" / schema.name)
    shutil.copyfile(_COLLECTION_FILE, into / _COLLECTION.lstrip("/"))
    assets = _Assets(docs / "assets")
    style = assets.add(_HERE / "docs.css")
    frame = Template((_HERE / "page.html").read_text(encoding="utf-8"))
    targets = _targets()
    for page in _all():
        source = _DOCS / page.source
        text, name = source.read_text(encoding="utf-8"), page.slug or "index"
        for_programs = retarget(text, partial(_resolve, source=source, targets=targets, form="md"))
        (docs / f"{name}.md").write_text(for_programs, encoding="utf-8")
        rendered = render(text, partial(_resolve, source=source, targets=targets, form="html"))
        html = frame.substitute(
            title=escape(rendered.title), style=style, nav=_nav(page.address), body=_with_contents(rendered, page)
        )
        (docs / f"{name}.html").write_text(html, encoding="utf-8")
    (docs / "api.html").write_text(_api_page(style, assets, swagger), encoding="utf-8")
    (into / "llms.txt").write_text(_llms(), encoding="utf-8")


class _Assets:
    """Files whose names have the hash of what is in them, so that they may be cached for ever."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)

    def add(self, source: Path) -> str:
        """Copies a file; its address."""
        content = source.read_bytes()
        name = f"{source.stem}-{hashlib.sha256(content).hexdigest()[:12]}{source.suffix}"
        (self._folder / name).write_bytes(content)
        return f"{_BASE}assets/{name}"


def _all() -> list[Page]:
    return [page for pages in PAGES.values() for page in pages]


def _targets() -> dict[Path, Page]:
    return {(_DOCS / page.source).resolve(): page for page in _all()}


def _resolve(link: str, *, source: Path, targets: Mapping[Path, Page], form: str) -> str | None:
    """Where a document's link leads on the site, in one `form` of it; None if what it leads to is not published."""
    path, mark, fragment = link.partition("#")
    if not path or re.match(r"[a-z]+:", link) or link.startswith("/"):
        return link
    target = (source.parent / path).resolve()
    if target in targets:
        page = targets[target]
        return (page.markdown if form == "md" else page.address) + mark + fragment
    if target.parent == _DOCS / "events" and target.suffix == ".json":
        return f"{_BASE}events/{target.name}"
    if target == _COLLECTION_FILE:
        return _COLLECTION
    if target == _OPENAPI:
        return _API_DOCUMENT if form == "md" else _API_PAGE
    return None


def _nav(current: str) -> str:
    def item(address: str, title: str) -> str:
        mark = ' aria-current="page"' if address == current else ""
        return f'<li><a href="{address}"{mark}>{escape(title)}</a></li>'

    parts = []
    for group, pages in PAGES.items():
        items = [item(page.address, page.title) for page in pages]
        if group == "Reference":
            items.insert(0, item(_API_PAGE, "Try the API"))
        if group == "Clients":
            items.append(f'<li><a href="{_COLLECTION}" download>Postman collection</a></li>')
        parts.append(f"<h2>{escape(group)}</h2><ul>{''.join(items)}</ul>")
    return "".join(parts)


def _with_contents(rendered: Rendered, page: Page) -> str:
    """The text, with its sections listed below its title if there are enough of them to look for one."""
    sections = [heading for heading in rendered.headings if heading.level == 2]
    if len(sections) < 4:
        return _below_title(rendered.html, "", page)
    items = "".join(f'<li><a href="#{escape(one.anchor)}">{escape(one.text)}</a></li>' for one in sections)
    return _below_title(rendered.html, f'<nav class="contents" aria-label="On this page"><ul>{items}</ul></nav>', page)


def _below_title(html: str, what: str, page: Page) -> str:
    raw = f'<p class="quiet"><a href="{page.markdown}">This page as Markdown</a></p>'
    before, end, after = html.partition("</h1>")
    return before + end + what + after + raw


def _api_page(style: str, assets: _Assets, swagger: Path) -> str:
    page = Template((_HERE / "api.html").read_text(encoding="utf-8"))
    return page.substitute(
        style=style,
        swagger_style=assets.add(swagger / "swagger-ui.css"),
        own_style=assets.add(_HERE / "api.css"),
        swagger=assets.add(swagger / "swagger-ui-bundle.js"),
        script=assets.add(_HERE / "api.js"),
        nav=_nav(_API_PAGE),
    )


def _llms() -> str:
    """What the site has for programs that read, as llmstxt.org has it."""
    info = json.loads(_OPENAPI.read_text(encoding="utf-8"))["info"]
    lines = [f"# {info['title']}", "", f"> {info['summary']} {info['description']}", ""]
    for group, pages in PAGES.items():
        lines += [f"## {group}", "", *(f"- [{page.title}]({page.markdown}): {page.about}" for page in pages), ""]
    lines += ["## The API", "", f"- [OpenAPI 3.1 document]({_API_DOCUMENT}): every route, body, answer and code"]
    lines += [f"- [Postman collection]({_COLLECTION}): a request for each route, tokens and keys kept", ""]
    return "\n".join(lines)
