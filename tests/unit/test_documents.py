"""The documents say what the code does, as far as a machine can tell."""

import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from tests.unit.calls import ROOT
from tests.unit.template import functions, load, routes
from wallet.edge import statuses
from wallet.edge.commands import Command
from wallet.ledger.breaks import Kind
from wallet.ledger.refusals import Refusal

API = (ROOT / "docs/api.md").read_text()
RECONCILIATION = (ROOT / "docs/reconciliation.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text().splitlines()
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", ROOT / "clients/python/README.md"]
DOCUMENTS += [*sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_is_documented_with_its_status(refusal: Refusal) -> None:
    rows = [row for row in API.splitlines() if row.startswith("|") and f"`{refusal.value}`" in row]
    assert [row.split("|")[2].strip() for row in rows] == [str(statuses.REFUSALS[refusal].status)]


@pytest.mark.parametrize("problem", [statuses.TRY_AGAIN, statuses.GATEWAY_UNAVAILABLE, statuses.INTERNAL_ERROR])
def test_every_accident_is_documented_with_its_status(problem: statuses.Problem) -> None:
    assert f"| `{problem.code}` | {problem.status} |" in API


def test_every_route_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| `([A-Z]+ /[^`]*)`", API, re.MULTILINE))
    deployed = {route for function in functions(load()).values() for route in routes(function)}
    assert documented == deployed


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_link_of_a_document_leads_nowhere(document: Path) -> None:
    text = document.read_text()
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_break_has_an_owner_and_what_to_do(kind: Kind) -> None:
    rows = [row for row in RECONCILIATION.splitlines() if row.startswith(f"| `{kind.value}` |")]
    assert len(rows) == 1
    cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
    assert len(cells) == 4
    assert all(cells), "what it means, whose it is, and what to do"


def test_every_command_of_operators_is_documented() -> None:
    documented = set(re.findall(r"`([a-z_]+)`", "".join(row.split("|")[1] for row in OPERATIONS if row.count("|") > 3)))
    known = {get_args(get_type_hints(one)["command"])[0] for one in get_args(Command)}
    assert known <= documented


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    wanted = set(re.findall(r"\bmake ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert {target for target in wanted if f"\n{target}:" not in makefile} <= {"before"}
