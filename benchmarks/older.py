"""The kernel of an older commit, on a server of its own with the same settings, to be measured beside ours."""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.callers import Someone
from local.state import ROOT
from wallet.storage.database import Credentials, Server

#: Before this work on its speed began.
COMMIT = "96eef38"
_LAY = Path(__file__).with_name("lay_older.py")


@dataclass(frozen=True, slots=True)
class Older:
    """Where it is, and who is there."""

    server: Server
    credentials: Credentials
    people: list[Someone]
    hot: Someone


@contextmanager
def older_kernel(*, people: int, money: int, rows: int) -> Iterator[Older | None]:
    """Starts it; None where this is no clone with its history."""
    try:
        archive = subprocess.run(["git", "archive", COMMIT], cwd=ROOT, capture_output=True, check=True)  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            files.extractall(folder, filter="data")
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(("", "layers", "schema"))}
        command = [sys.executable, str(_LAY), *map(str, (people, money, rows))]
        with subprocess.Popen(  # noqa: S603 - our own
            command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                where, who, ids = json.loads(process.stdout.readline() if process.stdout else "")
                people_there = [(bytes.fromhex(user), bytes.fromhex(wallet)) for user, wallet in ids]
                yield Older(Server(*where), Credentials(*who), people_there[:-1], people_there[-1])
            finally:
                process.communicate()  # its input ends, and with it the server
