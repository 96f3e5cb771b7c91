"""What runs behind the money, beside payments: the relay of events and the sealer. `make bench`.

16 callers pay for some seconds; then the relay hands over all that happened to a bus that answers in 15 ms, and the
sealer seals and publishes it. Each must do at least twice as much a second as was paid, or its queue grows for ever.
Payments are among random wallets, then half of them to one merchant, who is told of them too. Ends with status 1 below.
"""

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.bus import SlowBus
from benchmarks.callers import Callers, Load, ours
from benchmarks.kept import keep
from local.database import PrivateServer
from tests.support.books import Books
from tests.support.signing import Folder, Key
from wallet import aws, wiring
from wallet.channels.event_bridge import EventBridgeBus
from wallet.channels.port import CALLS_AT_ONCE
from wallet.movements.relay import Deliveries, Relay
from wallet.movements.seal import Sealer, Sealing

_MONEY = 10_000_000
_BUS_ANSWERS_IN_S = 0.015
_AT_LEAST = 2.0


def main() -> int:
    """A line for each load and each of what runs behind it, and the check that the books are right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="of payments")
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--at-least", type=float, default=_AT_LEAST, help="times what was paid")
    parser.add_argument("--keep", action="store_true", help="for `make performance`")
    given = parser.parse_args()
    passed = True
    measured: list[tuple[str, str, float, float]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        PrivateServer(Path(folder)) as server,
        SlowBus(_BUS_ANSWERS_IN_S) as bus,
    ):
        os.environ |= {"AWS_ENDPOINT_URL_EVENTBRIDGE": bus.url, "AWS_DEFAULT_REGION": "ap-south-1"}
        os.environ |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
        print(f"{server.program.flavour} {server.program.version}: what runs behind payments", flush=True)
        books = Books(server)
        books.migrate()
        sealer = Key(2048), Folder(Path(folder) / "kept")
        for load in loads(books, given.people):
            with Callers(given.callers) as callers:
                callers.pay(load, 1.0)
                relay(books)
                seal(books, *sealer)
                made = len(callers.pay(load, given.seconds))
            paid = made / given.seconds
            print(f"  {load.name}: {paid:.0f} payments a second")
            for name, work in (("relay", lambda: relay(books)), ("sealer", lambda: seal(books, *sealer))):
                rate, count = timed(work)
                share = rate / paid
                measured.append((load.name, name, rate, paid))
                passed &= share >= given.at_least and count >= made
                word = "pass" if share >= given.at_least else "FAIL"
                print(f"     {word}: {name} {rate:.0f}/s, {share:.1f} of that (at least {given.at_least})", flush=True)
        faults = books.faults()
        print("  the books are right" if not faults else f"  THE BOOKS ARE WRONG: {faults}")
        if given.keep:
            keep(server.program, "behind", measured)
    return 0 if passed and not faults else 1


def loads(books: Books, people: int) -> list[Load]:
    """Among random wallets, and half of them to one merchant on 16 rows."""
    everybody = [books.person(money=_MONEY) for _ in range(people)]
    shop = books.person(kind="merchant", tier="merchant")
    books.spread(shop, 16)
    ids = [(person.user_id.bytes, person.wallet_id.bytes) for person in everybody]
    half = people // 2
    merchant = [(shop.user_id.bytes, shop.wallet_id.bytes)] * half
    at = books.server, books.owner_credentials
    return [
        Load("random wallets", ours, *at, ids[:half], ids[half:]),
        Load("half of them to one merchant", ours, *at, ids[:half], ids[half:] + merchant),
    ]


def relay(books: Books) -> int:
    """Hands over all that waits; how many events that was."""
    with closing(books.as_role("clock")) as database:
        deliveries, waits = Deliveries(), True

        def time_left_s() -> float:
            nonlocal waits
            waits = waits and bool(database.read("SELECT 1 AS one FROM outbox WHERE delivered_at IS NULL LIMIT 1"))
            return float(waits)

        run = Relay(database, EventBridgeBus(aws.event_bridge(CALLS_AT_ONCE), "wallet-events"), wiring.new_id())
        run.run(deliveries, time_left_s=time_left_s, pause=time.sleep)
    return deliveries.delivered


def seal(books: Books, signer: Key, archive: Folder) -> int:
    """Seals and publishes all that waits; how many transactions that was."""
    sealing = Sealing()
    with closing(books.as_role("sealer")) as database:
        run = Sealer(database, signer, archive, lambda: secrets.token_bytes(16))
        run.run(sealing, time_left_s=lambda: 60.0)
    return sealing.sealed


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """How many a second, and how many."""
    began = time.monotonic()
    count = work()
    return count / (time.monotonic() - began), count


if __name__ == "__main__":
    sys.exit(main())
