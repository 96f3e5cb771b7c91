"""How several workers share a run: which tests stay together, in which order, and how many workers are worth while."""

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePath

from xdist.scheduler import LoadScopeScheduling

#: Each has a database server of its own, and one of them a whole stack; a core for each, but no more of them than this.
MOST_WORKERS = 4
TESTS = Path(__file__).resolve().parents[1]


#: Minutes of tests in one file, each about a door that its parameter begins with: `…[pay: repeated]`.
_BY_DOOR = re.compile(r"test_crash_points\.py::\w+\[(\w+):")


def share_of(test: str) -> str:
    """What a test belongs to, and goes to one worker with: the stack's tests to each other, others to their file.

    `test` is a test's id or a file, relative to the repository.
    """
    path, _, _ = test.partition("::")
    by_door = _BY_DOOR.search(test)
    if by_door is not None:
        return f"{path} {by_door[1]}"
    return "e2e" if "e2e" in PurePath(path).parts else path


class Shares(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """A worker takes the next share when it is done with its own: the stack's tests, which are the longest, first."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)


def workers(asked: Sequence[str], *, cores: int | None = None) -> int:
    """How many workers a run of these arguments (paths, ids of tests; none is all) keeps busy; 0 if only this process.

    By default one for each core of this machine.
    """
    paths = [Path(argument.partition("::")[0]) for argument in asked] or [TESTS]
    files = [file for path in paths for file in (path.rglob("test_*.py") if path.is_dir() else [path])]
    shares = {share_of(str(file)) for file in files}
    most = min(len(shares), cores or os.cpu_count() or 1, MOST_WORKERS)
    return most if most > 1 else 0
