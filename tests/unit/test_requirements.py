"""What is installed: each version by its files' hashes, so that nobody on the way can put another in its place."""

import re
from pathlib import Path

import pytest

from tests.unit.calls import ROOT

LISTS = ("layers/requirements", "layers/passkeys", "requirements-dev", "tests/mutation/requirements")
lists = pytest.mark.parametrize("name", LISTS)

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)")


def wanted(path: Path) -> dict[str, str]:
    """The versions that a list names, and those of the lists that it takes in."""
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            found |= wanted(path.parent / line.removeprefix("-r "))
        elif pinned := _PINNED.match(line):
            found[_normal(pinned[1])] = pinned[2]
        else:
            assert not line or line.startswith("#"), line
    return found


def locked(name: str) -> dict[str, tuple[str, int]]:
    """The versions that are installed, and how many hashes each may have."""
    text = (ROOT / f"{name}.txt").read_text(encoding="utf-8")
    found = {}
    for requirement in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]:
        pinned = _PINNED.match(requirement)
        assert pinned is not None, requirement
        found[_normal(pinned[1])] = (pinned[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", requirement)))
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@lists
def test_what_is_wanted_is_what_is_installed(name: str) -> None:
    """`make requirements` has been run since the list was changed."""
    installed = {package: version for package, (version, _) in locked(name).items()}
    asked = wanted(ROOT / f"{name}.in")
    assert asked
    assert {package: installed.get(package) for package in asked} == asked


@lists
def test_every_package_has_hashes(name: str) -> None:
    assert {package for package, (_, hashes) in locked(name).items() if hashes == 0} == set()


@pytest.mark.parametrize("name", ["layers/requirements", "layers/passkeys"])
def test_a_layer_is_made_of_what_its_list_names_and_of_nothing_that_a_resolver_adds(name: str) -> None:
    assert set(locked(name)) == set(wanted(ROOT / f"{name}.in"))


def test_who_pays_waits_for_no_cryptography() -> None:
    assert "cryptography" in locked("layers/passkeys")
    assert "cryptography" not in locked("layers/requirements")


@lists
def test_nobodys_index_is_named(name: str) -> None:
    for suffix in ("in", "txt"):
        assert not re.search(r"https?:|--(extra-)?index-url|--find-links", (ROOT / f"{name}.{suffix}").read_text())


def test_nothing_is_installed_without_its_hashes() -> None:
    for name in ("Makefile", "layers/Makefile"):
        text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
        installing = [line for line in text.splitlines() if "pip install" in line]
        assert installing
        assert [line for line in installing if "--require-hashes" not in line] == []
