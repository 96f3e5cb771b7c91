"""What `make bench` runs still runs: a figure that nobody can measure again is none."""

import os
import subprocess
import sys

import pytest

from benchmarks.stages import STAGES
from local.state import ROOT


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (
            [
                *("benchmarks/payments.py", "--seconds", "1", "--rounds", "1", "--callers", "16", "--people", "40"),
                *("--enough", "0.15"),
            ],
            "of the floor",
        ),
        (
            ["benchmarks/behind.py", "--seconds", "0.3", "--callers", "1", "--people", "8", "--at-least", "0.1"],
            "pass: relay",
        ),
        (
            [
                *("benchmarks/webhooks.py", "--books", "200", "--seconds", "0.3", "--rounds", "1"),
                *("--callers", "2", "--people", "8", "--at-least", "0.05"),
            ],
            "of the payments (at least 0.05)",
        ),
        (["benchmarks/hot.py", "--seconds", "1", "--callers", "2", "--people", "4", "--at-most", "100"], "deadlocks"),
        (["benchmarks/movements.py", "--times", "5"], "13 statements"),
        (["benchmarks/bulk.py", "--rows", "20"], "paid 20, refused 0"),
    ],
    ids=lambda one: one[0] if isinstance(one, list) else "",
)
def test_a_benchmark_measures_and_leaves_the_books_right(command: list[str], told: str) -> None:
    printed = output_of(command)
    assert told in printed
    assert "the books are right" in printed


def test_each_stage_of_a_payment_is_measured() -> None:
    printed = output_of(["benchmarks/stages.py", "--seconds", "0.1", "--callers", "1", "--people", "4"])
    assert all(f"of it: {name}" in printed for name, _, _ in STAGES)


def output_of(command: list[str]) -> str:
    """What a benchmark prints that ends well."""
    environment = os.environ | {"PYTHONPATH": ".:layers:schema"}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
