"""The kernel broken on purpose: `make mutate-kernel`.

Each mutant of `kernel_mutants.py` changes the text of the schema, which is migrated into a fresh database, and names
the tests that must notice: each of them passes on the schema as it is, and fails on this one. A mutant that none
notices is a test that is missing.

One server serves them all. A mutated schema is a folder of its own in front of pytest's path, so the product's own code
knows nothing of it: `migrate` is the one of that folder, and migrates what is beside it.
"""

import argparse
import multiprocessing
import os
import re
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from xml.etree import ElementTree as ET

import hypothesis  # noqa: F401 - here, so that no child has to
import moto  # noqa: F401
import pytest

from local.database import NO_POWER_CUT, PrivateServer
from tests.mutation.kernel_mutants import MUTANTS, Change, Mutant
from wallet.storage.database import Credentials, Server, connect

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schema"
#: Enough for `make test` to know that this machinery still bites: a lock, a check, a key, the money's commit.
SHORT = (
    "the debit lock is dropped",
    "an entry may overdraw",
    "a key is any caller's",
    "a payment's key commits before the money",
)


_FORK = multiprocessing.get_context("fork")


class BrokenMutantError(Exception):
    """A mutant that shows nothing: its text isn't there once, its schema can't be migrated, its tests can't be run."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: the tests that were to notice and did not, and what the others said."""

    mutant: Mutant
    blind: tuple[str, ...]
    said: str
    seconds: float


def mutate(mutant: Mutant, folder: Path) -> None:
    """Writes the schema, with this mutant's changes, into a folder."""
    shutil.copytree(SCHEMA, folder, ignore=shutil.ignore_patterns("__pycache__"))
    paths = {path.stem: path for ending in ("sql", "py") for path in folder.rglob(f"*.{ending}")}
    for file in {change.file for change in mutant.changes}:
        path = paths[file]
        text, parts, end = path.read_text(encoding="utf-8"), list[str](), 0
        for start, change in sorted((_place(mutant, change, text), change) for change in mutant.changes_of(file)):
            parts += [text[end:start], change.new]
            end = start + len(change.old)
        path.write_text("".join([*parts, text[end:]]), encoding="utf-8")


def _place(mutant: Mutant, change: Change, text: str) -> int:
    """Where the text that is changed begins: there is one such place, or the mutant means another schema."""
    if text.count(change.old) != 1:
        raise BrokenMutantError(f"{mutant.name}: in {change.file} {text.count(change.old)} times: {change.old}")
    return text.index(change.old)


class Bench:
    """One server, on which a schema at a time is migrated and looked at by tests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = PrivateServer(folder / "server", options=NO_POWER_CUT)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def server(self) -> str:
        """What the server says that it is."""
        return f"{self._server.program.flavour} {self._server.program.version}"

    def empty(self) -> None:
        """A database with nothing in it."""
        server = Server(self._server.host, self._server.port, "mysql", self._server.ca_pem)
        owner = Credentials(self._server.owner_user, self._server.owner_password)
        connection = connect(server, owner, patience_s=60)  # it drops a database
        with connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {PrivateServer.database}")
            cursor.execute(f"CREATE DATABASE {PrivateServer.database} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")

    def tests(self, schema: Path, names: Sequence[str]) -> dict[str, str]:
        """What became of each test case on a schema: '' if it passed, else what it said.

        The schema is migrated by the tests' own fixture: were it broken, they would not fail but never begin.
        """
        self.empty()
        report, output = self._folder / "report.xml", self._folder / "output.txt"
        arguments = ["-q", "-p", "no:cacheprovider", f"--junitxml={report}", "--tb=short"]
        arguments += [f"--rootdir={ROOT}", "-o", f"pythonpath=. layers {shlex.quote(str(schema))}", *names]
        child = _FORK.Process(target=_pytest, args=(arguments, output, self._folder / "server"))
        child.start()
        child.join()
        if child.exitcode not in (0, 1):
            raise BrokenMutantError(f"pytest ended with {child.exitcode}:\n{output.read_text()[-2000:]}")
        return dict(_cases(report))

    def judge(self, mutant: Mutant) -> Verdict:
        """Breaks the kernel in one way and lets the mutant's tests look at it."""
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            schema = Path(folder) / "schema"
            mutate(mutant, schema)
            try:
                cases = self.tests(schema, mutant.tests)
            except BrokenMutantError as error:
                raise BrokenMutantError(f"{mutant.name}: {error}") from error
        failed = {name: said for name, said in cases.items() if said}
        blind = tuple(test for test in mutant.tests if not any(_is_of(case, test) for case in failed))
        return Verdict(mutant, blind, next(iter(failed.values()), ""), time.monotonic() - began)


def _pytest(arguments: Sequence[str], output: Path, server: Path) -> None:
    """Runs pytest in a process of its own, which has all that is slow to import and nothing of the schema."""
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(ROOT)
    os.environ["SERVER"] = str(server)
    sys.dont_write_bytecode = True
    sys.exit(pytest.main([*arguments]))


def _cases(report: Path) -> Iterator[tuple[str, str]]:
    """The cases of a JUnit report as pytest names them. One that could not begin or end is no verdict."""
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - written by our own pytest
        name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        if case.find("error") is not None or case.find("skipped") is not None:
            raise BrokenMutantError(f"{name} was not run:\n{''.join(case.itertext())[:2000]}")
        failure = case.find("failure")
        yield name, "" if failure is None else _first_line(failure.get("message") or "failed")


def _first_line(message: str) -> str:
    return re.sub(r"\s+", " ", message.strip().splitlines()[0])[:160]


def _is_of(case: str, test: str) -> bool:
    return case == test or (case.startswith(f"{test}[") and case.endswith("]"))


def main() -> int:
    """Judges all mutants, or those named; 0 if every one is noticed by each test that should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--short", action="store_true", help=", ".join(SHORT))
    asked = parser.parse_args()
    chosen = [one for one in MUTANTS if asked.only in one.name and (not asked.short or one.name in SHORT)]
    with tempfile.TemporaryDirectory(prefix="wallet-mutants-") as folder, Bench(Path(folder)) as bench:
        return judge_all(bench, chosen)


def judge_all(bench: Bench, chosen: Sequence[Mutant]) -> int:
    """First the schema as it is, on which all pass; then each mutant, and what came of it."""
    began = time.monotonic()
    names = sorted({test for mutant in chosen for test in mutant.tests})
    cases = bench.tests(SCHEMA, names)
    failed = [f"{name}: {said}" for name, said in cases.items() if said]
    print(f"{bench.server}: {len(cases)} cases of {len(names)} tests on the schema as it is, {len(failed)} fail")
    if failed:
        print(*failed, sep="\n")
        return 1
    survived = 0
    for mutant in chosen:
        verdict = bench.judge(mutant)
        survived += bool(verdict.blind)
        word = "SURVIVES" if verdict.blind else "noticed"
        print(f"{word:8} {mutant.name:64} {verdict.seconds:5.1f} s  {verdict.said}", flush=True)
        for test in verdict.blind:
            print(f"         not noticed by {test}")
    minutes = (time.monotonic() - began) / 60
    print(f"{bench.server}: {len(chosen)} mutants, {len(chosen) - survived} noticed, {minutes:.1f} minutes")
    return int(survived > 0)


if __name__ == "__main__":
    sys.exit(main())
