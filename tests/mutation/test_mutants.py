"""The machinery of the mutants: none of them has rotted, and what it must notice it still does."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutation import ledger
from tests.mutation.kernel import SHORT, mutate
from tests.mutation.kernel_mutants import MUTANTS, Mutant
from tests.mutation.unfold import unfold

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_what_a_mutant_changes_is_there_once_and_its_tests_exist(mutant: Mutant, tmp_path: Path) -> None:
    mutate(mutant, tmp_path / "schema")
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8"), test


def test_no_trigger_that_a_mutant_changes_is_made_anew_by_a_later_migration() -> None:
    made = re.compile(r"^CREATE TRIGGER (\w+)", re.MULTILINE)
    tables = sorted((ROOT / "schema" / "tables").glob("*.sql"))
    texts = {path.stem: path.read_text(encoding="utf-8") for path in tables}
    newest = {name: file for file, text in texts.items() for name in made.findall(text)}
    for change in (change for mutant in MUTANTS for change in mutant.changes if change.file in texts):
        text = texts[change.file]
        around = made.findall(text[: text.index(change.old) + len(change.old)])
        assert not around or newest[around[-1]] == change.file, f"{change.file}: {change.old}"


def test_mutants_are_known_by_their_names() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert set(SHORT) <= {mutant.name for mutant in MUTANTS}


def test_a_kernel_that_is_broken_in_a_few_ways_is_noticed_each_time() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers")])}
    command = [sys.executable, "-m", "tests.mutation.kernel", "--short"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(SHORT)} mutants, {len(SHORT)} noticed" in done.stdout


#: As mutmut does it, in one process: a test that is called otherwise the second time is not found.
_COLLECTED_TWICE = """
import sys, pytest

class Names(list):
    def pytest_collection_modifyitems(self, items):
        self.extend(item.nodeid for item in items)

first, second = Names(), Names()
for names in (first, second):
    ended = pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", *sys.argv[1:]], plugins=[names])
    assert ended == 0, ended
assert len(first) > 1_000
assert sorted(first) == sorted(second), set(first) ^ set(second)
"""


def test_the_copy_that_is_broken_has_all_that_its_tests_need(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    ledger.build(tree)
    command = [sys.executable, "-c", _COLLECTED_TWICE, *ledger.tests(tree / "tests" / "unit")]
    done = subprocess.run(command, cwd=tree, env=_without_ours(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _without_ours() -> dict[str, str]:
    """The environment, in which nothing of the checkout is found."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTEST_ADDOPTS")}


def test_the_environment_of_the_mutants_has_the_versions_that_everything_else_is_tested_with() -> None:
    pinned = re.compile(r"^([\w-]+)(?:\[.*\])?==(\S+)$", re.MULTILINE)
    ours = dict(pinned.findall((ROOT / "requirements-dev.in").read_text()))
    theirs = dict(pinned.findall((ROOT / "tests" / "mutation" / "requirements.in").read_text()))
    assert {name: ours.get(name, version) for name, version in theirs.items()} == theirs


def _loaded(name: str, source: str) -> ModuleType:
    module = ModuleType(name)
    sys.modules[name] = module
    exec(source, module.__dict__)  # noqa: S102 - the source stands below
    return module


def test_what_is_unfolded_says_the_same_in_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    one = 'LIMIT, _REST = 3, 4\n"""A text."""\nUNREAD = 5\ndef over(n): return n > LIMIT or n > _REST\n'
    two = (
        "from one_of_two import LIMIT\nimport enum\nclass Kind(enum.Enum):\n    A = 1\n    @property\n"
        "    def most(self): return LIMIT + self.value\n"
    )
    unfolded = unfold({"one_of_two": one, "two_of_two": two})
    assert "def LIMIT_made():" in unfolded["one_of_two"]
    assert "UNREAD_made" not in unfolded["one_of_two"]
    assert "most = property(most)" in unfolded["two_of_two"]
    monkeypatch.setitem(sys.modules, "one_of_two", ModuleType("one_of_two"))
    first = _loaded("one_of_two", unfolded["one_of_two"])
    assert [first.over(3), first.over(4), first.LIMIT, first.UNREAD] == [False, True, 3, 5]
    second = _loaded("two_of_two", unfolded["two_of_two"])
    assert second.Kind.A.most == 4
    monkeypatch.setattr(first, "LIMIT_made", lambda: 10)
    assert not first.over(4), "a function reads what the constant's function makes, at each call"


def test_what_is_published_is_made_of_the_tables_as_they_are_in_a_mutant(tmp_path: Path) -> None:
    ledger.build(tmp_path / "tree")
    for path in ledger.READERS:
        text = (tmp_path / "tree" / path).read_text(encoding="utf-8")
        assert "in CATALOGUE_made()" in text
        assert "FIELDS_made()[name]" in text


def test_every_survivor_that_is_argued_for_is_listed_in_a_form_that_is_read() -> None:
    lines = (ROOT / "tests" / "mutation" / "survivors.md").read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if line.startswith("- ")]
    assert sum(ledger.listed("\n".join(told)).values()) == len(told)
