"""Payments a second through the kernel, beside what the database can do at the most: `make bench`.

A private server with durable commits, callers in processes of their own over TLS as the functions are, no DynamoDB and
no API Gateway. The floor (`floor.sql`) is a payment without keys, limits, names or events: two locks, five rows, a
commit. It, ours and the kernel of an older commit take turns, so that whatever else the machine does meets all, and
medians of the rounds are compared. Two loads: payments among random wallets, and everybody paying one merchant whose
credits are spread over 16 rows (of the floor, 16 wallets). Each is measured without a network, and with one that takes
a millisecond for the way there and back. Ends with status 1 below what is promised here, or if the books are wrong.
"""

import argparse
import math
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import migrate
from benchmarks.callers import Callers, Load, floor, older, ours, six_statements
from benchmarks.kept import keep
from benchmarks.older import COMMIT, Older, older_kernel
from local.database import PrivateServer
from tests.support.books import Books
from tests.support.proxy import Proxy

_MONEY = 10_000_000
_ROWS = 16
#: From so many callers on the database is what limits.
_WIDE = 16
#: More callers than this meet on rows, and are asked for the one merchant alone.
_RANDOM_UP_TO = 16
_NETWORK_S = 0.001
_FLOOR = Path(__file__).with_name("floor.sql")
RANDOM, HOT = "random wallets", f"one merchant, {_ROWS} rows"
OURS, THE_FLOOR, OLDER, SIX = "ours", "the floor", f"at {COMMIT}", "six statements"
#: Of the floor's rate, by load and server.
OF_THE_FLOOR = {(RANDOM, "mysql"): 0.50, (RANDOM, "mariadb"): 0.46, (HOT, "mysql"): 0.52, (HOT, "mariadb"): 0.44}
#: Of the rate of another: who of which load, against whom, and whether with a network only.
_OF_OUR_RANDOM, _OF_OLDER, _OF_SIX = 0.80, 1.6, 8.0


@dataclass(slots=True)
class Measured:
    """Of each round its payments a second, and of all rounds how long each payment took, in order."""

    rates: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Payments a second."""
        return statistics.median(self.rates)

    def within_ms(self, part: float) -> float:
        """So many milliseconds that part of the payments (0 to 1) took at the most."""
        return self.took[min(int(len(self.took) * part), len(self.took) - 1)] * 1e3

    def __str__(self) -> str:
        spread = f"{min(self.rates):.0f} to {max(self.rates):.0f}"
        middle, late = self.within_ms(0.50), self.within_ms(0.99)
        return f"{self.rate:6.0f}/s ({spread}); {middle:.1f} ms, and 99 of 100 within {late:.1f} ms"


def loads(books: Books, people: int) -> dict[tuple[str, str], Load]:
    """The floor's and ours, by the name of the load and by whose it is."""
    everybody = [books.person(money=_MONEY) for _ in range(people)]
    hot = books.person(kind="merchant", tier="merchant")
    books.spread(hot, _ROWS)
    ids = [(person.user_id.bytes, person.wallet_id.bytes) for person in everybody]
    shop, rows = (hot.user_id.bytes, hot.wallet_id.bytes), [(b"", secrets.token_bytes(16)) for _ in range(_ROWS)]
    _lay_floor(books, [wallet_id for _, wallet_id in (*ids, *rows)])
    half = people // 2
    at = books.server, books.owner_credentials
    return {
        (RANDOM, THE_FLOOR): Load(RANDOM, floor, *at, ids[:half], ids[half:]),
        (RANDOM, OURS): Load(RANDOM, ours, *at, ids[:half], ids[half:]),
        (HOT, THE_FLOOR): Load(HOT, floor, *at, ids, rows),
        (HOT, OURS): Load(HOT, ours, *at, ids, [shop]),
        (HOT, SIX): Load(HOT, six_statements, *at, ids, rows[:1]),
    }


def _lay_floor(books: Books, wallets: list[bytes]) -> None:
    with closing(books.connect()) as connection, connection.cursor() as cursor:
        for statement in migrate.statements(_FLOOR.read_text(encoding="utf-8")):
            cursor.execute(statement)
        cursor.executemany("INSERT INTO floor_wallets VALUES (%s, %s)", [(wallet, _MONEY) for wallet in wallets])
        connection.commit()


def _loads_of(kernel: Older) -> dict[tuple[str, str], Load]:
    half = len(kernel.people) // 2
    at = kernel.server, kernel.credentials
    return {
        (RANDOM, OLDER): Load(RANDOM, older, *at, kernel.people[:half], kernel.people[half:]),
        (HOT, OLDER): Load(HOT, older, *at, kernel.people, [kernel.hot]),
    }


@contextmanager
def away(inside: dict[tuple[str, str], Load], delay_s: float) -> Iterator[dict[tuple[str, str], Load]]:
    """The same loads behind a network in which the way to the server and back takes so long."""

    def delayed(from_client: bool, _chunk: bytes) -> bool:  # noqa: FBT001 - a judge
        if from_client:
            time.sleep(delay_s)
        return True

    with ExitStack() as stack:
        servers = {load.server for load in inside.values()}
        through = {one: stack.enter_context(Proxy((one.host, one.port))) for one in servers}
        for proxy in through.values():
            proxy.judge = delayed
        yield {
            key: replace(load, server=replace(load.server, host=proxy.host, port=proxy.port))
            for key, load in inside.items()
            for proxy in (through[load.server],)
        }


def measure(
    callers: Callers, inside: dict[tuple[str, str], Load], *, rounds: int, seconds: float
) -> dict[tuple[str, str], Measured]:
    """Each load in turn, round by round; before that each once, so that caches are warm and plans are made."""
    measured = {key: Measured() for key in inside}
    for load in inside.values():
        callers.pay(load, min(1.0, seconds))
    for number in range(rounds):
        for key in list(inside) if number % 2 else reversed(inside):
            took = callers.pay(inside[key], seconds)
            measured[key].rates.append(len(took) / seconds)
            measured[key].took.extend(took)
    for one in measured.values():
        one.took.sort()
    return measured


@dataclass(frozen=True, slots=True)
class Promise:
    """One line of what is promised: how much something is (a rate, in times of another's), and how much it may be."""

    what: str
    is_now: float
    at_least: float = 0.0
    at_most: float = math.inf

    @property
    def is_kept(self) -> bool:
        """Whether it is so."""
        return self.at_least <= self.is_now <= self.at_most

    def __str__(self) -> str:
        bound = f"at least {self.at_least:.2f}" if self.at_most == math.inf else f"at most {self.at_most:.2f}"
        return f"{'pass' if self.is_kept else 'FAIL'}  {self.is_now:5.2f} ({bound})  {self.what}"


def promises(measured: dict[tuple[str, str], Measured], flavour: str, where: str, *, is_away: bool) -> list[Promise]:
    """What is promised of one measurement."""
    rates = {key: one.rate for key, one in measured.items()}
    kept = []
    for load in (RANDOM, HOT):
        if (load, THE_FLOOR) in rates:
            share = rates[load, OURS] / rates[load, THE_FLOOR]
            kept.append(Promise(f"{where}, {load}: of the floor", share, OF_THE_FLOOR[load, flavour]))
        if (load, OLDER) in rates:
            times = rates[load, OURS] / rates[load, OLDER]
            kept.append(Promise(f"{where}, {load}: of the kernel {OLDER}", times, _OF_OLDER))
    if (RANDOM, OURS) in rates:
        share = rates[HOT, OURS] / rates[RANDOM, OURS]
        kept.append(Promise(f"{where}, {HOT}: of ours among random wallets", share, _OF_OUR_RANDOM))
    if is_away:
        times = rates[HOT, OURS] / rates[HOT, SIX]
        kept.append(Promise(f"{where}, {HOT}: of {SIX} to one row", times, _OF_SIX))
    return kept


def main() -> int:
    """The rounds at each width, a line for each load and whose it is, what was promised, and the check of the books."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--callers", type=int, nargs="*", default=[1, 4, 16, 32])
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--enough", type=float, default=1.0, help="part of what is promised: less is a cliff")
    parser.add_argument("--keep", action="store_true", help="for `make performance`")
    given = parser.parse_args()
    kept: list[Promise] = []
    kept_as: list[dict[str, object]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(PrivateServer(folder))
        program = server.program
        print(
            f"{program.flavour} {program.version}: payments a second, the median of {given.rounds} rounds", flush=True
        )
        books = Books(server)
        books.migrate()
        inside = loads(books, given.people)
        if _WIDE in given.callers:
            before = stack.enter_context(older_kernel(people=given.people, money=_MONEY, rows=_ROWS))
            if before is None:
                print(f"  no history here: the kernel {OLDER} is not measured", flush=True)
            else:
                inside |= _loads_of(before)
        behind = stack.enter_context(away(inside, _NETWORK_S))
        for number in given.callers:
            with Callers(number) as callers:
                for is_away, these in ((False, inside), (True, behind)):
                    where = f"{number} callers{', 1 ms away' if is_away else ''}"
                    print(f"  {where}", flush=True)
                    wanted = {key: load for key, load in these.items() if _is_wanted(key, number, is_away=is_away)}
                    measured = measure(callers, wanted, rounds=given.rounds, seconds=given.seconds)
                    for (load, who), one in measured.items():
                        print(f"    {load + ', ' + who:<36} {one}", flush=True)
                        kept_as.append(_as_json(number, load, who, one, is_away=is_away))
                    if number >= _WIDE:
                        these_kept = promises(measured, program.flavour, where, is_away=is_away)
                        kept += [replace(one, at_least=one.at_least * given.enough) for one in these_kept]
        faults = books.faults()
    print("\n".join(["  what is promised", *(f"    {one}" for one in kept)]))
    print("  the books are right" if not faults else f"  THE BOOKS ARE WRONG: {faults}")
    if given.keep:
        keep(program, "payments", kept_as)
    return 0 if all(one.is_kept for one in kept) and not faults else 1


def _is_wanted(key: tuple[str, str], callers: int, *, is_away: bool) -> bool:
    load, who = key
    if who == SIX:
        return is_away and callers >= _WIDE
    if who == OLDER:
        return callers == _WIDE
    return load == HOT or callers <= _RANDOM_UP_TO


def _as_json(callers: int, load: str, who: str, one: Measured, *, is_away: bool) -> dict[str, object]:
    within = {str(part): round(one.within_ms(part), 2) for part in (0.5, 0.9, 0.99, 0.999)}
    return {
        "callers": callers,
        "is_away": is_away,
        "load": load,
        "who": who,
        "rates": one.rates,
        "within_ms": within,
    }


if __name__ == "__main__":
    sys.exit(main())
