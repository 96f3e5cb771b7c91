"""The documentation's site: every link leads somewhere, nothing needs more than a strict policy, guides are true."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from clients.collection import MADE
from local.contents import files_below
from local.documentation import PAGES, build, sources
from local.documentation.markdown import anchor_of, render, retarget
from local.gateway.person import _OUTCOMES
from local.processes import LocalStackError
from tests.support.guides import GUIDES, ROOT, Block, blocks
from tests.unit.template import load
from wallet.edge.problem_pages import PAGES as PROBLEMS

#: What operators alone are told, who are not integrators.
_OF_OPERATORS = {"not_an_operator", "same_person", "request_ended", "nothing_to_write_off"}
#: Served beside the documents, by the API.
_ELSEWHERE = {"/v1/openapi.json"}


class _Page(HTMLParser):
    """What a page has: where it links to, what is linked to, and what its policy would refuse."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.refused: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.links += [value for name, value in attrs if name in ("href", "src") and value and value != "data:,"]
        self.anchors += [value for name, value in attrs if name == "id" and value]
        self.refused += [f"{tag} {name}" for name in told if name == "style" or name.startswith("on")]
        self.refused += [tag] if tag == "style" or (tag == "script" and "src" not in told) else []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    swagger = tmp_path_factory.mktemp("swagger")
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        (swagger / name).write_text("/* the package's */")
    folder = tmp_path_factory.mktemp("site")
    build(folder, swagger=swagger)
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, _Page]:
    """By address: no ending, and the index is its folder."""
    found = {}
    for path in sorted(site.rglob("*.html")):
        name = "/" + str(path.relative_to(site)).removesuffix(".html")
        found[re.sub(r"index$", "", name)] = _Page(path.read_text(encoding="utf-8"))
    return found


def test_the_pages_are_those_that_are_named(pages: dict[str, _Page]) -> None:
    assert set(pages) == {page.address for group in PAGES.values() for page in group} | {"/docs/api"}


def test_no_link_of_a_page_leads_nowhere(site: Path, pages: dict[str, _Page]) -> None:
    lost = []
    for address, page in pages.items():
        for link in page.links:
            path, _, anchor = link.partition("#")
            if re.match(r"https?:", link) or path in _ELSEWHERE:
                continue
            target = pages.get(path or address)
            is_there = target is not None or (path.startswith("/") and (site / path.lstrip("/")).is_file())
            if not is_there or (anchor and (target is None or anchor not in target.anchors)):
                lost.append((address, link))
    assert lost == []


def test_no_link_of_a_markdown_page_leads_nowhere(site: Path) -> None:
    lost = []
    for path in (site / "docs").glob("*.md"):
        outside_of_code = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        links = set(re.findall(r"\]\(([^)\s#]+)[^)]*\)", outside_of_code)) - _ELSEWHERE
        here = [link for link in links if not re.match(r"https?:", link)]
        lost += [(path.name, link) for link in here if not (site / link.lstrip("/")).is_file()]
    assert lost == []


def test_no_page_needs_more_than_the_strict_policy(pages: dict[str, _Page]) -> None:
    assert {address: page.refused for address, page in pages.items() if page.refused} == {}


def test_programs_find_every_page_as_markdown(site: Path) -> None:
    listed = re.findall(r"\]\((/docs/\S+\.md)\)", (site / "llms.txt").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(f"/docs/{path.name}" for path in (site / "docs").glob("*.md"))


def test_the_clients_are_on_the_site(site: Path, pages: dict[str, _Page]) -> None:
    collection = "/docs/postman-collection.json"
    assert json.loads((site / collection.lstrip("/")).read_text()) == json.loads(MADE.read_text())
    for address, page in pages.items():
        assert {collection, "/docs/python-client"} <= set(page.links), address
    listed = (site / "llms.txt").read_text(encoding="utf-8")
    assert f"]({collection})" in listed
    assert "](/docs/python-client.md)" in listed


def test_without_the_package_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="npm ci"):
        build(tmp_path, swagger=tmp_path)


def test_what_it_is_made_of_is_all_that_it_reads_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or an edit would not be seen, or a new picture would have everything built anew."""
    swagger, read = tmp_path / "swagger", set[Path]()
    swagger.mkdir()
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        (swagger / name).touch()
    plain_text, plain_bytes, copy = Path.read_text, Path.read_bytes, shutil.copyfile

    def read_text(self: Path, *arguments: str, **named: str) -> str:
        read.add(self)
        return plain_text(self, *arguments, **named)

    def read_bytes(self: Path) -> bytes:
        read.add(self)
        return plain_bytes(self)

    def copyfile(source: Path, target: Path) -> None:
        read.add(source)
        copy(source, target)

    monkeypatch.setattr(Path, "read_text", read_text)
    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    monkeypatch.setattr(shutil, "copyfile", copyfile)
    build(tmp_path / "site", swagger=swagger)
    told = {file for source in sources() for file in files_below(source)}
    assert {file for file in read if swagger not in file.parents} == {file for file in told if file.suffix != ".py"}


def test_a_documents_own_html_is_text_and_a_lost_link_is_its_text() -> None:
    made = render("# A `b` (c), d\n\n<script>x</script> [to e](e.md) [to f](f.md#g)\n", {"f.md#g": "/docs/f#g"}.get)
    assert made.headings[0].anchor == "a-b-c-d"
    assert "<script>" not in made.html
    assert 'to e <a href="/docs/f#g">to f</a>' in made.html


def test_links_within_code_stay_as_they_are() -> None:
    text = "[a](a.md)\n```\n[a](a.md)\n```\n[`b`](b.md)"
    assert retarget(text, {"a.md": "/a"}.get) == "[a](/a)\n```\n[a](a.md)\n```\n`b`"


def test_headings_of_one_text_have_anchors_of_their_own() -> None:
    made = render("# A\n\n## B\n\n## B\n", str)
    assert [heading.anchor for heading in made.headings] == ["a", "b", "b-1"]
    assert anchor_of("Once, and in order") == "once-and-in-order"


SHELL = [
    pytest.param(block, id=f"{guide.stem}-{number}")
    for guide in GUIDES
    for number, block in enumerate(blocks(guide))
    if block.kind.startswith("sh")
]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_block_of_a_guide_is_of_a_kind_that_is_checked(guide: Path) -> None:
    assert {block.kind for block in blocks(guide)} <= {"sh", "sh aws", "yaml parameters"}


@pytest.mark.parametrize("block", SHELL)
def test_the_shell_can_read_every_block(block: Block) -> None:
    read = subprocess.run(["bash", "-n"], input=block.code, text=True, capture_output=True, check=False)  # noqa: S607
    assert (read.returncode, read.stderr) == (0, "")


def test_every_make_target_of_the_guides_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = {
        name
        for guide in GUIDES
        for name in re.findall(r"(?:`|^)make ([a-z-]+)", guide.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {name for name in wanted if f"\n{name}:" not in makefile} == set()


@pytest.mark.parametrize("gateway", ["razorpay", "cashfree"])
def test_what_a_guide_deploys_with_is_what_the_template_asks_for(gateway: str) -> None:
    (given,) = [
        yaml.safe_load(block.code)
        for block in blocks(ROOT / f"docs/guides/go-live-{gateway}.md")
        if block.kind == "yaml parameters"
    ]
    parameters = load()["Parameters"]
    assert set(given) - set(parameters) == set()
    assert given["Gateway"] == gateway
    of_the_database = {name for name in parameters if name.startswith("Database")}
    needed = {name for name, told in parameters.items() if "Default" not in told} - of_the_database - {"BuildSha"}
    assert needed - set(given) == set()
    for name, value in given.items():
        assert str(value) in parameters[name].get("AllowedValues", [str(value)]), name


@pytest.mark.parametrize("block", [one for guide in GUIDES for one in blocks(guide) if one.kind == "sh aws"])
def test_what_is_run_on_aws_names_files_and_outputs_that_there_are(block: Block) -> None:
    outputs = load()["Outputs"]
    for template in re.findall(r"--template-file (\S+)", block.code):
        assert (ROOT / template).is_file()
    for output in re.findall(r"OutputKey=='(\w+)'", block.code):
        assert output in outputs


def test_the_guide_says_of_every_code_what_to_do() -> None:
    text = (ROOT / "docs/guides/integrate.md").read_text(encoding="utf-8")
    rows = [row for row in text.partition("## Errors")[2].partition("\n## ")[0].splitlines() if row.startswith("|")]
    named = [code for row in rows for code in re.findall(r"`([a-z_]+)`", row.split("|")[2])]
    assert sorted(named) == sorted(set(PROBLEMS) - _OF_OPERATORS)


def test_the_guide_has_every_outcome_of_the_simulator() -> None:
    text = (ROOT / "docs/guides/sandbox.md").read_text(encoding="utf-8")
    rows = text.partition("## Money in")[2].partition("\n## ")[0].splitlines()
    named = [row.split("`")[1] for row in rows if row.startswith("| `")]
    assert sorted(named) == sorted(_OUTCOMES)
