"""What make does to what a person types."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.state import ROOT

#: Stands in for `python -m local`: says what it was given.
_SAY = f"{sys.executable} -c 'import json, sys; print(json.dumps(sys.argv[1:]))'"
_REASONS = [
    "owes $500, see $(HOME) and ${HOME}",
    "$(shell touch {ran}) `touch {ran}`",
    'it\'s "quoted" \\ and # not a comment',
    "दो सौ रुपये\nin two lines",
]


def make(*arguments: str, environment: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    # a .venv as it is, whichever one these tests run in
    command = ["make", "--silent", "--assume-old=.venv/made", *arguments]
    named = {name: value for name, value in os.environ.items() if name not in ("PYTHON", "MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(
        command, cwd=ROOT, env=named | (environment or {}), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("reason", _REASONS)
@pytest.mark.parametrize("how", ["argument", "environment"])
def test_an_operators_command_arrives_as_it_was_typed(tmp_path: Path, reason: str, how: str) -> None:
    typed = json.dumps(
        {"command": "freeze", "reason": reason.replace("{ran}", str(tmp_path / "ran"))}, ensure_ascii=False
    )
    if how == "argument":
        done = make("operator", f"LOCAL={_SAY}", f"COMMAND={typed}")
    else:
        done = make("operator", f"LOCAL={_SAY}", environment={"COMMAND": typed})
    assert json.loads(done.stdout)[:2] == ["operator", typed], done.stderr
    assert not (tmp_path / "ran").exists()


def test_a_python_that_is_not_the_one_of_the_venv_is_said(tmp_path: Path) -> None:
    for folder, version in (("asked", "3.13.1"), ("venv/bin", "3.11.9")):
        program = tmp_path / folder / "python"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho CPython {version}\n")
        program.chmod(0o755)
    venv = f"VENV={tmp_path / 'venv'}"
    done = make("python", venv, f"PYTHON={tmp_path / 'asked' / 'python'}")
    assert done.returncode != 0
    assert "is CPython 3.13.1, but" in done.stdout
    assert "was made from CPython 3.11.9" in done.stdout
    assert make("python", venv, environment={"PYTHON": str(tmp_path / "asked" / "python")}).returncode != 0
    assert make("python", venv, f"PYTHON={tmp_path / 'venv' / 'bin' / 'python'}").returncode == 0
    assert make("python", venv).returncode == 0
    shutil.rmtree(tmp_path / "venv")
    assert make("python", venv, f"PYTHON={tmp_path / 'asked' / 'python'}").returncode == 0


def test_a_python_that_is_not_there_is_said() -> None:
    done = make("python", "PYTHON=/nowhere/python")
    assert done.returncode != 0
    assert "PYTHON: /nowhere/python does not run" in done.stdout


@pytest.mark.parametrize(("given", "told"), [((), []), (("FORCE=1",), ["--force"]), (("FORCE=0",), [])])
def test_a_reset_asks_unless_it_is_told_not_to(given: tuple[str, ...], told: list[str]) -> None:
    done = make("reset", f"LOCAL={_SAY}", *given)
    assert json.loads(done.stdout) == ["reset", "--state", ".local", *told]
