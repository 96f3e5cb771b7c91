"""The Python client is what the generator makes of the document, typed, and careful with money."""

import filecmp
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clients.generate import DOCUMENT, MADE, for_clients, generate
from tests.support import clients

ROOT = clients.ROOT
CLIENT = ROOT / "clients" / "python"


@pytest.fixture(scope="module")
def programs() -> Path:
    return clients.ensure()


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py"))


def test_it_is_what_the_generator_makes_of_the_document(programs: Path, tmp_path: Path) -> None:
    generate(tmp_path / "rest")
    assert _files(tmp_path / "rest") == _files(MADE)
    _, other, unreadable = filecmp.cmpfiles(tmp_path / "rest", MADE, _files(MADE), shallow=False)
    assert (other, unreadable) == ([], []), "make client"


def test_every_route_for_clients_is_in_it(programs: Path) -> None:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    known = {one["operationId"] for item in for_clients(document)["paths"].values() for one in item.values()}
    assert known == {path.stem for path in (MADE / "api").glob("*/*.py")} - {"__init__"}
    left_out = {path for path in document["paths"] if path not in for_clients(document)["paths"]}
    assert len([path for path in left_out if not path.startswith("/operator/")]) == 5


def test_no_text_of_an_answer_is_closed(programs: Path) -> None:
    for name, schema in for_clients(json.loads(DOCUMENT.read_text(encoding="utf-8")))["components"]["schemas"].items():
        if "enum" not in schema and not name.endswith("Body"):
            assert "enum" not in json.dumps(schema), name


def test_its_own_tests_pass(programs: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(CLIENT), "PYTEST_ADDOPTS": "", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        str(programs / "python"),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:schemathesis",
        "-p",
        "no:cacheprovider",
        "tests",
    ]
    done = subprocess.run(command, cwd=CLIENT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_typed(programs: Path) -> None:
    own = [str(path) for path in sorted((CLIENT / "wallet_client").glob("*.py"))]
    options = [
        "--strict",
        "--config-file=",
        "--explicit-package-bases",
        "--python-executable",
        str(programs / "python"),
    ]
    command = [sys.executable, "-m", "mypy", *options, *own, str(CLIENT / "tests")]
    done = subprocess.run(command, cwd=CLIENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
