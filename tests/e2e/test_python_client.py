"""The README of the Python client, as its reader does it: installed into a fresh environment, run against a stack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.client import Api, new_phone
from tests.support.guides import ROOT, blocks

CLIENT = ROOT / "clients" / "python"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the client, and what comes with it."""
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    (install,) = [block.code for block in blocks(CLIENT / "README.md") if block.kind == "sh"]
    environment = {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    # as it is written, from a folder in which nothing of the build is left
    copy = tmp_path_factory.mktemp("checkout") / "clients"
    copy.mkdir()
    subprocess.run(["cp", "-r", str(CLIENT), str(copy / "python")], check=True)  # noqa: S607
    command = ["bash", "-c", f"set -e; {install}"]
    subprocess.run(command, cwd=copy.parent, env=environment, check=True, capture_output=True)
    return folder / "bin" / "python"


def test_its_examples_register_top_up_and_pay_a_person_and_a_merchant(api: Api, python: Path, tmp_path: Path) -> None:
    example = "\n".join(block.code for block in blocks(CLIENT / "README.md") if block.kind == "python")
    for phone in ("+919876500001", "+919876500002", "+919876500003"):
        example = example.replace(phone, new_phone())
    environment = {"API": api.stack["api_url"], "GATEWAY": api.stack["gateway_url"], "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [str(python), "-c", example], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "44000 6000",
        "insufficient_funds",
        "merchant False 4000",
    ]
