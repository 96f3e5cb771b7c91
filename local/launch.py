"""Becomes another program, after writing down who it is: `python launch.py PID_FILE PROGRAM ARGUMENT…`.

The program itself writes its pid file, as the one that starts it may be killed before it could.
"""

import os
import sys
from pathlib import Path


def identity(pid: int) -> str | None:
    """What tells this process from a later one with the same number: when it started. None if it is gone."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # after the name, which may hold anything: state is field 3, the start (in clock ticks) field 22
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    # there is no /proc here: macOS, a BSD
    with os.popen(f"ps -o stat=,lstart= -p {int(pid)}") as ps:  # noqa: S605 - the only argument is a number
        state, _, started = ps.read().strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def main() -> None:
    pid_file, program, *arguments = sys.argv[1:]
    fresh = Path(f"{pid_file}.new")
    fresh.write_text(f"{os.getpid()} {identity(os.getpid())}\n")
    fresh.replace(pid_file)
    os.execvp(program, [program, *arguments])  # noqa: S606 - starting programs is what this is for


if __name__ == "__main__":
    main()
