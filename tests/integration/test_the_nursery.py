"""A function that was forked from a process with everything imported is as much alone as one that was started."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.functions import ROOT
from tests.support.nursery import Child, Nursery

APP = """
import os, wallet
def handler(event, context):
    wallet.seen = getattr(wallet, "seen", 0) + 1
    print("asked", event, flush=True)
    return {"environment": dict(os.environ), "pid": os.getpid(), "seen": wallet.seen}
"""

Begin = Callable[..., Child]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    nursery = Nursery([ROOT / "layers", ROOT])
    begun: list[Child] = []

    def one(text: str = APP, **environment: str) -> Child:
        app = tmp_path / f"app-{len(begun)}.py"  # each its own: another may be about to read it
        app.write_text(text)
        begun.append(nursery.begin(app, environment, tmp_path / "log"))
        return begun[-1]

    yield one
    for child in begun:
        child.kill()
    nursery.end()


def ask(child: Child) -> Any:
    child.stdin.write(json.dumps({"event": "a question", "timeout_s": 1}) + "\n")
    child.stdin.flush()
    return json.loads(child.answers.readline())["answer"]


def test_it_has_its_own_environment_and_nothing_else(begin: Begin, tmp_path: Path) -> None:
    told = ask(begin(NAME="one"))["environment"]
    assert told == {"NAME": "one"}
    assert ask(begin(OTHER="two"))["environment"] == {"OTHER": "two"}
    assert (tmp_path / "log").read_text() == "asked a question\n" * 2


def test_what_one_keeps_in_a_module_the_next_does_not_find(begin: Begin) -> None:
    first = begin()
    assert [ask(first)["seen"] for _ in range(3)] == [1, 2, 3]
    assert ask(begin())["seen"] == 1


def test_one_that_is_killed_is_gone_and_the_others_go_on(begin: Begin) -> None:
    killed, other = begin(), begin()
    assert ask(killed)["pid"] == killed.pid != ask(other)["pid"]
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.answers.readline() == ""
    assert ask(other)["seen"] == 2
    assert ask(begin())["seen"] == 1


def test_one_that_can_not_begin_answers_nothing_and_its_log_says_why(begin: Begin, tmp_path: Path) -> None:
    assert begin("import nothing_of_this_name").answers.readline() == ""
    assert "No module named 'nothing_of_this_name'" in (tmp_path / "log").read_text()
