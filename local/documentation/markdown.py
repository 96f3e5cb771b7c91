"""Markdown to HTML that keeps a strict Content-Security-Policy: no style, no script, no HTML of the document's own."""

import itertools
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

#: Where a link leads; None if nowhere, and then its text alone stays.
Resolve = Callable[[str], str | None]

#: A link of a document, outside of code; its text has no bracket but in code.
_LINK = re.compile(r"\[((?:[^\[\]`]|`[^`]*`)+)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading, and what leads to it."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document as HTML, without the page around it."""

    title: str
    html: str
    headings: tuple[Heading, ...]


def render(text: str, resolve: Resolve) -> Rendered:
    """A document whose links are resolved, with an anchor on each heading, named as GitHub names them."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("fence", _fence)
    tokens = parser.parse(text)
    headings = tuple(_anchored(tokens))
    for token in tokens:
        token.attrs.pop("style", None)  # how a column is aligned
        if token.children:
            token.children = list(_linked(token.children, resolve))
    html: str = parser.renderer.render(tokens, parser.options, {})
    html = html.replace("<th></th>", "<td></td>")  # a head of nothing is no head
    html = html.replace("<table>", '<div class="wide" tabindex="0" role="group"><table>')
    html = html.replace("</table>", "</table></div>")
    return Rendered(headings[0].text, html, headings)


def retarget(text: str, resolve: Resolve) -> str:
    """The same document as Markdown, its links resolved."""

    def outside_of_code(part: str) -> str:
        def one(link: re.Match[str]) -> str:
            found = resolve(link[2])
            return link[1] if found is None else f"[{link[1]}]({found})"

        return _LINK.sub(one, part)

    result, end = [], 0
    for fence in _FENCE.finditer(text):
        result += [outside_of_code(text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*result, outside_of_code(text[end:])])


def anchor_of(text: str) -> str:
    """What leads to a heading of this text."""
    kept = "".join(one for one in text.lower() if one in " -_" or unicodedata.category(one)[0] in "LNM")
    return kept.replace(" ", "-")


def _anchored(tokens: Sequence[Token]) -> list[Heading]:
    found: list[Heading] = []
    for token, inline in itertools.pairwise(tokens):
        if token.type == "heading_open":
            text = "".join(child.content for child in inline.children or () if child.type in ("text", "code_inline"))
            anchor, number = anchor_of(text), sum(anchor_of(one.text) == anchor_of(text) for one in found)
            anchor += f"-{number}" if number else ""
            token.attrSet("id", anchor)
            found.append(Heading(int(token.tag[1]), text, anchor))
    return found


def _linked(children: Sequence[Token], resolve: Resolve) -> list[Token]:
    kept: list[Token] = []
    is_open = True
    for child in children:
        if child.type == "link_open":
            target = resolve(str(child.attrGet("href")))
            is_open = target is not None
            if target is None:
                continue
            child.attrSet("href", target)
        elif child.type == "link_close" and not is_open:
            is_open = True
            continue
        kept.append(child)
    return kept


def _fence(renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: EnvType) -> str:
    """A block of code, which the keyboard can scroll."""
    del renderer
    return f'<pre tabindex="0"><code>{escape(tokens[at].content)}</code></pre>\n'
