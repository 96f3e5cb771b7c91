"""Mutation testing of the rules of money: `make mutate`.

mutmut breaks the code in every small way it knows, one at a time, in a copy (see `unfold.py`), and runs the unit tests
that reach the broken function. What no test notices is a survivor. The run fails if fewer than `LEAST` of all are
noticed, or if the survivors are others than those that survivors.md argues for.
"""

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.unfold import MADE, unfold

ROOT = Path(__file__).parents[2]
LEAST = 0.9

#: The ledger whole, and of the gateways what decides whether and how far they are believed.
MUTATED = (
    "wallet/ledger/*",
    "wallet/gateways/port.py",
    "wallet/gateways/exact_json.py",
    "wallet/gateways/exchange.py",
    "wallet/gateways/fields.py",
    "wallet/gateways/signing.py",
    "wallet/gateways/*/signature.py",
    "wallet/gateways/*/webhook.py",
    "wallet/gateways/*/wire.py",
)

#: What holds the tables against what is published. It is not mutated, but reads them as what is: anew at each call.
READERS = ("tests/support/event_schemas.py",)

#: Its unit tests: fast, and about the rules. A new file of the ledger has its tests in `test_ledger_<name>.py`.
TESTS = (
    "test_ledger_*.py",
    "gateways/test_*.py",
    "test_bulk_files.py",
    "test_events.py",
    "test_notices.py",
    "test_reconcile_refunds.py",
    "test_relay.py",
    "test_signatures.py",
    "test_statement_file.py",
)

#: What those look at, beside the package.
_BESIDE = ("functions", "docs", "infrastructure", "local", "verifier", "template.yaml")

#: Not worth a test: what an accident's message says. That it is raised, and which it is, are held by tests.
_MESSAGES = (r"^\s*raise \w+Error\(",)

#: What mutmut writes down for a mutant, by what became of its tests.
_NOTICED = {1, 3}
_ENDLESS = {36, 24, 152, 255, -24}

#: How much of the unchanged text is told with a change, in characters.
_AROUND = 24

_SURVIVORS = Path(__file__).with_name("survivors.md")
_LISTED = re.compile(r"- `(?P<where>[\w.]+)`: `+ ?(?P<change>.+?) ?`+")

_CONFTEST = '''"""As many examples as always, the same each time, and none made smaller: one that fails is enough."""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutation", derandomize=True, database=None, deadline=None, max_examples=40,
    phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutation")
'''


@dataclass(frozen=True, slots=True)
class Survivor:
    """A change that no test noticed: the function or constant, and its lines before and after."""

    where: str
    change: str

    def __str__(self) -> str:
        ticks = "``" if "`" in self.change else "`"
        return f"- `{self.where}`: {ticks}{self.change}{ticks}"


def tests(unit: Path) -> list[str]:
    """The unit tests of what is mutated, as pytest wants them named."""
    return sorted({str(path.relative_to(unit.parents[1])) for pattern in TESTS for path in unit.glob(pattern)})


def build(tree: Path) -> None:
    """The copy: the package unfolded, and beside it whatever its unit tests look at."""
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(ROOT / "layers" / "wallet", tree / "wallet", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*_BESIDE, "tests/unit", "tests/support", "tests/__init__.py"):
        source, target = ROOT / name, tree / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, target)
    _unfold_in(tree)
    tree.joinpath("conftest.py").write_text(_CONFTEST)
    options = {
        "source_paths": ["wallet"],
        "only_mutate": [*MUTATED],
        "also_copy": ["conftest.py", *_BESIDE],
        "do_not_mutate_patterns": [*_MESSAGES],
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": tests(tree / "tests" / "unit"),
        "use_setproctitle": False,
        "use_git_change_detection": False,
    }
    lines = [
        "[tool.pytest.ini_options]",
        'pythonpath = ["."]',
        'addopts = ["--import-mode=importlib"]',
        "[tool.mutmut]",
    ]
    lines += [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    tree.joinpath("pyproject.toml").write_text("\n".join(lines) + "\n")


def _unfold_in(tree: Path) -> None:
    inside = [path.relative_to(tree) for path in tree.joinpath("wallet").rglob("*.py")]
    named = {
        ".".join(path.with_suffix("").parts): tree / path
        for path in (*(path for path in inside if any(map(path.match, MUTATED))), *map(Path, READERS))
    }
    for name, text in unfold({name: path.read_text() for name, path in named.items()}).items():
        named[name].write_text(text)


def run(tree: Path, mutmut: Path, at_once: int, only: list[str]) -> None:
    """Lets mutmut break it; whatever it thinks of the outcome is in its own files afterwards."""
    command = [str(mutmut), "run", "--max-children", str(at_once), *only]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=tree, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    tree.joinpath("mutmut.log").write_text(done.stdout)
    if done.returncode != 0:
        sys.exit(f"{done.stdout[-5000:]}\nmutmut itself failed: {done.returncode}")


def outcomes(tree: Path) -> Iterator[tuple[Path, str, int | None]]:
    """Each mutant with the file it is in and what became of the tests."""
    for path in sorted(tree.joinpath("mutants").rglob("*.py.meta")):
        source = path.with_suffix("")
        for name, code in json.loads(path.read_text())["exit_code_by_key"].items():
            yield source, name, code


def survivor(source: Path, name: str, known: dict[Path, dict[str, str]]) -> Survivor:
    """A mutant as a person would name it: numbers change with every line above, words do not."""
    functions = known.get(source)
    if functions is None:
        nodes = [node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.FunctionDef)]
        functions = known[source] = {node.name: ast.unparse(node) for node in nodes}
    module, _, mutant = name.rpartition(".")
    original = mutant.partition("__mutmut_")[0] + "__mutmut_orig"
    before, after = (functions[one].replace(one, "…").splitlines() for one in (original, mutant))
    old, new = _where_they_differ(" ".join(map(str.strip, before)), " ".join(map(str.strip, after)))
    function = mutant.partition("__mutmut_")[0].removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    where = f"{module.removeprefix('wallet.')}.{function.removesuffix(MADE)}"
    return Survivor(where, f"{old} → {new}")


def _where_they_differ(before: str, after: str) -> tuple[str, str]:
    """The words that differ, with a few around them: enough to be found by a reader."""
    before, after = before.replace(MADE + "()", ""), after.replace(MADE + "()", "")
    same = _same(before, after)
    start = max(0, before.rfind(" ", 0, max(0, same - _AROUND)) + 1)
    behind = _same(before[same:][::-1], after[same:][::-1])
    end = max(0, behind - _AROUND)
    return before[start : len(before) - end].strip(), after[start : len(after) - end].strip()


def _same(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def listed(text: str) -> Counter[Survivor]:
    """The survivors that survivors.md argues for."""
    return Counter(
        Survivor(match["where"], match["change"]) for match in map(_LISTED.match, text.splitlines()) if match
    )


def main() -> int:
    """Runs it and says what came of it; 0 if all is as survivors.md says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=ROOT / ".mutation" / "tree")
    parser.add_argument("--mutmut", type=Path, default=ROOT / ".mutation" / "venv" / "bin" / "mutmut")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("only", nargs="*", help="mutants by name, such as 'wallet.ledger.attempts.*'; all if none")
    asked = parser.parse_args()
    began = time.monotonic()
    build(asked.tree)
    run(asked.tree, asked.mutmut.absolute(), asked.at_once, asked.only)
    return judge(asked.tree, whole=not asked.only, seconds=time.monotonic() - began)


def judge(tree: Path, *, whole: bool, seconds: float) -> int:
    """What came of a run; `whole` if it was of everything."""
    all_of_them = [one for one in outcomes(tree) if whole or one[2] is not None]
    odd = [name for _, name, code in all_of_them if code not in _NOTICED | _ENDLESS | {0, 33, 5}]
    noticed = sum(code in _NOTICED | _ENDLESS for _, _, code in all_of_them)
    known: dict[Path, dict[str, str]] = {}
    alive = Counter(survivor(source, name, known) for source, name, code in all_of_them if code in {0, 33, 5})
    argued = listed(_SURVIVORS.read_text())
    share = noticed / len(all_of_them)
    by_area: Counter[tuple[str, bool]] = Counter()
    for _, name, code in all_of_them:
        by_area[".".join(name.split(".")[1:3]), code in _NOTICED | _ENDLESS] += 1
    for area in sorted({area for area, _ in by_area}):
        killed, lived = by_area[area, True], by_area[area, False]
        print(f"  {area:32} {killed + lived:5} mutants {lived:4} alive")
    unargued = alive - argued
    gone = argued - alive if whole else Counter()
    for title, which in (
        ("no test notices, and nobody argues for", unargued),
        ("argued for, but noticed or gone", gone),
    ):
        if which:
            print(f"{title}:")
            for one, times in sorted(which.items(), key=str):
                print(*([str(one)] * times), sep="\n")
    for name in odd:
        print(f"nobody knows: {name}")
    print(
        f"{len(all_of_them)} mutants, {noticed} noticed ({share:.1%}), {sum(alive.values())} survivors,"
        f" {seconds / 60:.0f} minutes"
    )
    return int(bool(unargued or gone or odd) or share < LEAST)


if __name__ == "__main__":
    sys.exit(main())
