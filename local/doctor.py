"""Whether a stack can run on this machine, in sentences, before anything takes long.

It needs nothing but Python: it also runs before there is a `.venv`.
"""

import argparse
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from local import mysqld
from local.processes import LocalStackError
from local.state import ROOT, State

#: Bytes that a stack takes with room to grow, a virtual environment, and what programs put aside while they run.
_STACK, _VENV, _ASIDE = 1_000_000_000, 700_000_000, 200_000_000
_OLDEST, _NEWEST = (3, 11), (3, 14)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: good, or what is to be done. What isn't `needed` stops nothing."""

    about: str
    good: bool
    told: str
    needed: bool = True

    def __str__(self) -> str:
        return f"{'✓' if self.good else '✗' if self.needed else '…'} {self.about}: {self.told}"


def look(state: State) -> list[Finding]:
    """Looks at everything, and changes nothing."""
    return [finding for looking in _LOOKS for finding in looking(state)]


def require(state: State) -> None:
    """LocalStackError with all that is missing, if something is."""
    missing = [finding for finding in look(state) if finding.needed and not finding.good]
    if missing:
        raise LocalStackError("\n".join(f"{finding.about}: {finding.told}" for finding in missing))


def _python(_: State) -> Iterator[Finding]:
    version = sys.version_info[:2]
    told = f"{sys.version.split()[0]}, {sys.executable}"
    if version < _OLDEST:
        yield Finding("Python", good=False, told=f"{told}: older than 3.11; make PYTHON=python3.13 …")
    elif version > _NEWEST:
        yield Finding("Python", good=False, needed=False, told=f"{told}: newer than what this was tried with")
    else:
        yield Finding("Python", good=True, told=told)
    if not (ROOT / ".venv").exists() and importlib.util.find_spec("ensurepip") is None:
        yield Finding("venv", good=False, told="this Python can't make one (on Debian: apt install python3-venv)")


def _folders(state: State) -> Iterator[Finding]:
    yield _folder("state", state.folder, _STACK)
    yield _folder("temporary files", Path(tempfile.gettempdir()), _ASIDE)
    if not (ROOT / ".venv").exists():
        yield _folder("virtual environment", ROOT / ".venv", _VENV)


def _folder(about: str, folder: Path, room: int) -> Finding:
    """Whether something can be written where `folder` is or will be, and how much."""
    there = next(found for found in (folder, *folder.parents) if found.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding(about, good=False, told=f"{there} can't be written: {error.strerror}")
    told = f"{folder}, {free / 1e9:.1f} GB free"
    if free < room:
        return Finding(about, good=False, told=f"{told}; {room / 1e9:.1f} are needed")
    return Finding(about, good=True, told=told)


def _database(state: State) -> Iterator[Finding]:
    try:
        program = mysqld.look()
    except LocalStackError as error:
        yield Finding("database server", good=False, told=str(error))
        return
    if program is None:
        yield Finding("database server", good=True, told="none yet; MariaDB will be installed by apt-get")
        return
    yield Finding("database server", good=True, told=f"{program.name}, {program.path}")
    there = sorted(found.parent.name for found in (state.folder / "mysql").glob("*/data"))
    if there and program.folder not in there:
        told = (
            f"{state.folder} has the data of {', '.join(there)}, which {program.name} can't read: name that server"
            " (MYSQLD=/path/to/it), or another folder (STATE=…), or delete that data (make reset)"
        )
        yield Finding("data", good=False, told=told)


def _docker(_: State) -> Iterator[Finding]:
    found = shutil.which("docker")
    told = found or "none here; only `make sam-local` needs it"
    yield Finding("docker", good=found is not None, needed=False, told=told)


_LOOKS: Sequence[Callable[[State], Iterator[Finding]]] = (_python, _folders, _database, _docker)


def main(arguments: Sequence[str]) -> int:
    """Prints everything that was looked at; 1 if something is missing."""
    parser = argparse.ArgumentParser(prog="python -m local.doctor", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help="the stack's folder; default: .local")
    parser.add_argument("--quiet", action="store_true", help="only what is missing")
    given = parser.parse_args(arguments)
    findings = look(State(given.state.absolute()))
    missing = [finding for finding in findings if finding.needed and not finding.good]
    for finding in missing if given.quiet else findings:
        print(f"  {finding}", flush=True)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
