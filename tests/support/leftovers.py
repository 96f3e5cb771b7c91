"""What a worker had no time to end, as after a Ctrl-C on a busy machine: whoever began the run ends it."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from local import database, stack
from local.processes import LocalStackError
from local.state import ROOT, State

#: The stacks that tests deploy for themselves, by their folders.
END_TO_END, BROKEN, RESTARTED, IN_A_BROWSER = _STACKS = ("test", "faults-in-short", "restarts", "web")
#: What a private server's folder is called in a worker's folder for temporary files.
DATABASE = "database"


@contextlib.contextmanager
def stack_to_ourselves(name: str) -> Iterator[State]:
    """The folder of one of the stacks; LocalStackError if another run has it. It is free when its holder is dead."""
    parent = State(ROOT / ".local")
    with parent.alone(name):
        yield State(parent.folder / name)


def end_all(temporary: Path) -> None:
    """Ends the servers below a run's folder for temporary files, and the stacks, unless another run has them now.

    The servers' data goes: hundreds of megabytes that a failed run would leave, and nobody reads. Their logs stay.
    """
    for folder in (*temporary.glob(f"{DATABASE}*"), *temporary.glob(f"*/{DATABASE}*")):
        database.stop_all(folder)
        for data in folder.glob("*/data*"):
            shutil.rmtree(data, ignore_errors=True)
    for name in _STACKS:
        if (ROOT / ".local" / name).exists():
            with contextlib.suppress(LocalStackError), stack_to_ourselves(name) as state:
                stack.down(state)
