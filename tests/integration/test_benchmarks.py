"""What `make bench` runs still runs: a figure that nobody can measure again is none."""

import os
import subprocess
import sys

import pytest

from local.state import ROOT


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (
            ["benchmarks/payments.py", "--seconds", "0.3", "--rounds", "1", "--callers", "2", "--people", "8"],
            "of the floor",
        ),
        (["benchmarks/bulk.py", "--rows", "20"], "paid 20, refused 0"),
    ],
    ids=lambda one: one[0] if isinstance(one, list) else "",
)
def test_a_benchmark_measures_and_leaves_the_books_right(command: list[str], told: str) -> None:
    environment = os.environ | {"PYTHONPATH": ".:layers:schema"}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    assert "the books are right" in done.stdout
