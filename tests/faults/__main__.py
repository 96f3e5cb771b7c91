"""The command: `python -m tests.faults --seed 7 --minutes 10`; see `make faults`."""

import argparse
import secrets
import shutil
import sys
from pathlib import Path

from local import stack
from local.processes import end_with_the_terminal
from local.state import ROOT, State
from tests.faults.suite import CALLERS, PEOPLE, Settings, run


def _empty(folder: Path) -> None:
    """All but what was built, which takes a while and is the same for every run."""
    for one in folder.glob("*"):
        if one.is_dir() and one.name != "build":
            shutil.rmtree(one)
        elif one.is_file():
            one.unlink()


def main(arguments: list[str]) -> int:
    """0 if nothing was broken."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description="Breaks the stack, and looks at the books."
    )
    parser.add_argument("--seed", type=int, default=None, help="what is done and when; a random one if none is given")
    parser.add_argument("--minutes", type=float, default=2.0, help="of harm")
    parser.add_argument("--callers", type=int, default=CALLERS, help="at once")
    parser.add_argument("--people", type=int, default=PEOPLE, help="at the start")
    parser.add_argument("--state", type=Path, default=ROOT / ".local" / "faults", help="a folder, emptied first")
    parser.add_argument("--report", type=Path, default=None, help="a file for what is printed at the end")
    given = parser.parse_args(arguments)
    end_with_the_terminal()
    seed = given.seed if given.seed is not None else secrets.randbelow(10**6)
    print(f"  SEED={seed} MINUTES={given.minutes:g}", flush=True)
    stack.down(State(given.state.absolute()))
    _empty(given.state)
    report = run(Settings(seed, 60 * given.minutes, given.callers, given.people), given.state)
    print(f"\n{report.text()}", flush=True)
    if given.report is not None:
        given.report.write_text(report.text() + "\n")
    if report.is_good:
        _empty(given.state)  # else history.jsonl, the logs and the database are what there is to look at
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
