"""Hot wallets that are paid and pay at once: `make bench`.

Two scenes. On a marketplace people pay shops, whose wallets are hot, and the shops pay one another; what they pay with
lies in their slots and is gathered as it is needed. And people pay one hot shop, which pays its suppliers meanwhile.
Nobody may meet a deadlock, and 99 of 100 payments may take ten times what the middle one does, at the most. Ends with
status 1 if it is otherwise, or if the books are wrong.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from benchmarks.callers import Callers, Load, ours_if_covered
from benchmarks.kept import keep
from benchmarks.payments import Measured, Promise
from local.database import PrivateServer
from tests.support.books import Books, Person
from tests.support.moves import deadlocks

_MONEY = 10_000_000
_ROWS = 16
_SHOPS = 4
#: Of 99 of 100 payments, times the middle one's.
_AT_MOST = 10.0


def scenes(books: Books, people: int) -> dict[str, list[Load]]:
    """By what each is called, the loads that come at once."""
    everybody, suppliers = ([books.person(money=money) for _ in range(people)] for money in (_MONEY, 0))
    shops = [books.person(kind="merchant", tier="merchant") for _ in range(_SHOPS + 1)]
    for shop in shops:
        books.spread(shop, _ROWS)
    *market, alone = shops

    def load(name: str, payers: list[Person], payees: list[Person]) -> Load:
        ids = [[(one.user_id.bytes, one.wallet_id.bytes) for one in side] for side in (payers, payees)]
        return Load(name, ours_if_covered, books.server, books.owner_credentials, *ids)

    return {
        "marketplace": [load("people pay shops", everybody, market), load("shops pay shops", market, market)],
        "one shop": [load("people pay it", everybody, [alone]), load("it pays its suppliers", [alone], suppliers)],
    }


def main() -> int:
    """A line for each load of each scene, and what was promised of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--callers", type=int, default=8, help="of each load; two come at once")
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--at-most", type=float, default=_AT_MOST, help="99 of 100 within so many times the middle one")
    parser.add_argument("--keep", action="store_true", help="for `make performance`")
    given = parser.parse_args()
    kept: list[Promise] = []
    measured: list[tuple[str, str, float, float, float]] = []
    with ExitStack() as stack:
        server = stack.enter_context(PrivateServer(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        print(
            f"{server.program.flavour} {server.program.version}: hot wallets that are paid and pay at once", flush=True
        )
        books = Books(server)
        books.migrate()
        groups = [stack.enter_context(Callers(given.callers)) for _ in range(2)]
        at_once = stack.enter_context(ThreadPoolExecutor(len(groups)))
        for scene, loads in scenes(books, given.people).items():
            for seconds in (min(2.0, given.seconds), given.seconds):  # the first is not measured, and fills the shops
                before = deadlocks(books)
                took = list(at_once.map(lambda group, load, s=seconds: group.pay(load, s), groups, loads))
                met = deadlocks(books) - before
            for load, seconds_of_it in zip(loads, took, strict=True):
                one = Measured([len(seconds_of_it) / given.seconds], sorted(seconds_of_it))
                print(f"  {scene}, {load.name:<22} {one}", flush=True)
                late = one.within_ms(0.99) / one.within_ms(0.50)
                kept.append(
                    Promise(f"{scene}, {load.name}: 99 of 100 within, of the middle one", late, at_most=given.at_most)
                )
                measured.append((scene, load.name, one.rate, one.within_ms(0.50), one.within_ms(0.99)))
            kept.append(Promise(f"{scene}: deadlocks", met, at_most=0))
        faults = books.faults()
    print("\n".join(["  what is promised", *(f"    {one}" for one in kept)]))
    print("  the books are right" if not faults else f"  THE BOOKS ARE WRONG: {faults}")
    if given.keep:
        keep(server.program, "hot", measured)
    return 0 if all(one.is_kept for one in kept) and not faults else 1


if __name__ == "__main__":
    sys.exit(main())
