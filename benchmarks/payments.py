"""Payments a second through the kernel, beside what the database can do at the most: `make bench`.

A private server with durable commits, callers in processes of their own over TLS as the functions are, no DynamoDB and
no API Gateway. The floor (`floor.sql`) is a payment without keys, limits, names or events: two locks, five rows, a
commit. It and ours take turns, so that whatever else the machine does meets both, and medians of the rounds are
compared. Two loads: payments among random wallets, and everybody paying one merchant whose credits are spread over 16
rows (of the floor, 16 wallets). Ends with status 1 below what `AT_LEAST` promises, or if the books are wrong.
"""

import argparse
import secrets
import statistics
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import migrate
from benchmarks.callers import Callers, Load
from local.database import PrivateServer
from tests.support.books import Books

_MONEY = 10_000_000
_ROWS = 16
#: From so many callers on the database is what limits.
_WIDE = 16
_FLOOR = Path(__file__).with_name("floor.sql")
RANDOM, HOT = "random wallets", f"one merchant, {_ROWS} rows"
#: Of the floor's rate, by load and server.
AT_LEAST = {(RANDOM, "mysql"): 0.50, (RANDOM, "mariadb"): 0.46, (HOT, "mysql"): 0.52, (HOT, "mariadb"): 0.44}


def loads(books: Books, people: int) -> list[tuple[Load, Load]]:
    """The floor's and ours, of each load."""
    everybody = [books.person(money=_MONEY) for _ in range(people)]
    hot = books.person(kind="merchant", tier="merchant")
    books.spread(hot, _ROWS)
    ids = [(person.user_id.bytes, person.wallet_id.bytes) for person in everybody]
    shop, rows = (hot.user_id.bytes, hot.wallet_id.bytes), [(b"", secrets.token_bytes(16)) for _ in range(_ROWS)]
    _lay_floor(books, [wallet_id for _, wallet_id in (*ids, *rows)])
    half = people // 2
    return [
        (Load(RANDOM, "floor_pay", ids[:half], ids[half:]), Load(RANDOM, "post_payment", ids[:half], ids[half:])),
        (Load(HOT, "floor_pay", ids, rows), Load(HOT, "post_payment", ids, [shop])),
    ]


def _lay_floor(books: Books, wallets: list[bytes]) -> None:
    with closing(books.connect()) as connection, connection.cursor() as cursor:
        for statement in migrate.statements(_FLOOR.read_text(encoding="utf-8")):
            cursor.execute(statement)
        cursor.executemany("INSERT INTO floor_wallets VALUES (%s, %s)", [(wallet, _MONEY) for wallet in wallets])
        connection.commit()


def main() -> int:
    """The rounds at each width, a line for each load and each of the two, and the check that the books are right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--callers", type=int, nargs="*", default=[1, 4, 16])
    parser.add_argument("--people", type=int, default=200)
    given = parser.parse_args()
    passed = True
    with tempfile.TemporaryDirectory() as folder, PrivateServer(Path(folder)) as server:
        program = server.program
        print(
            f"{program.flavour} {program.version}: payments a second, the median of {given.rounds} rounds", flush=True
        )
        books = Books(server)
        books.migrate()
        pairs = loads(books, given.people)
        for number in given.callers:
            with Callers(books.server, books.owner_credentials, number) as callers:
                measured = measure(callers, pairs, rounds=given.rounds, seconds=given.seconds)
            for floor, ours in pairs:
                share = measured[ours].rate / measured[floor].rate
                print(f"  {number:>2} callers, {ours.name}: {share:.2f} of the floor")
                print(f"     {measured[ours]}\n     {measured[floor]}, the floor", flush=True)
                wanted = AT_LEAST[ours.name, program.flavour]
                if number >= _WIDE:
                    print(f"     {'pass' if share >= wanted else 'FAIL'}: at least {wanted:.2f}")
                    passed &= share >= wanted
        faults = books.faults()
        print("  the books are right" if not faults else f"  THE BOOKS ARE WRONG: {faults}")
    return 0 if passed and not faults else 1


@dataclass(frozen=True, slots=True)
class Measured:
    """Of each round its payments a second, and of all rounds how long each payment took, in order."""

    rates: list[float]
    took: list[float]

    @property
    def rate(self) -> float:
        """Payments a second."""
        return statistics.median(self.rates)

    def __str__(self) -> str:
        middle, late = (self.took[len(self.took) * part // 100] * 1e3 for part in (50, 99))
        spread = f"{min(self.rates):.0f} to {max(self.rates):.0f}"
        return f"{self.rate:6.0f}/s ({spread}); {middle:.1f} ms, and 99 of 100 within {late:.1f} ms"


def measure(callers: Callers, pairs: list[tuple[Load, Load]], *, rounds: int, seconds: float) -> dict[Load, Measured]:
    """Each load in turn, round by round; before that each once, so that caches are warm and plans are made."""
    inside = [load for pair in pairs for load in pair]
    measured = {load: Measured([], []) for load in inside}
    for load in inside:
        callers.pay(load, min(1.0, seconds))
    for number in range(rounds):
        for load in inside if number % 2 else inside[::-1]:
            took = callers.pay(load, seconds)
            measured[load].rates.append(len(took) / seconds)
            measured[load].took.extend(took)
    for one in measured.values():
        one.took.sort()
    return measured


if __name__ == "__main__":
    sys.exit(main())
