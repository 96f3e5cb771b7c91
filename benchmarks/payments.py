"""Payments a second through the kernel: `make bench`.

A private server with durable commits, callers in processes of their own over TLS as the functions are, no DynamoDB and
no API Gateway. First what one payment is, counted by the server: statements in its procedures, and round trips. Then
four loads: payments among random wallets, whose tier limits no sums; to merchants, by wallets of the
tier that new ones have, which limits a month's; everybody paying one merchant, whose row they queue on; and the same
with a hot wallet, whose credits are spread over eight rows.
"""

import argparse
import hashlib
import multiprocessing
import random
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

from local.database import PrivateServer
from tests.support.books import Books, Person
from tests.support.statements_sent import statements_of
from wallet import wiring
from wallet.storage.claims import Claim
from wallet.storage.database import Credentials, Database, Server
from wallet.storage.payments import post_payment

_MONEY = 10_000_000
_MOST_OF_SMALL = 1_000_000
_ROWS = 8
_HASH = hashlib.sha256(b"").digest()


def caller(
    server: Server, credentials: Credentials, payers: list[UUID], payees: list[UUID], seconds: float
) -> list[float]:
    """Pays as fast as it can; the seconds that each payment took."""

    def ask(*, fresh: bool) -> Credentials:  # noqa: ARG001 - they never change
        return credentials

    database = Database(server, ask)
    database.read("SELECT 1 AS one")
    dice = random.Random()  # noqa: S311 - dice
    took: list[float] = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        payer, payee = dice.choice(payers), dice.choice(payees)
        began = time.monotonic()
        post_payment(database, _claim(payer), payee_wallet_id=payee, **_one())
        took.append(time.monotonic() - began)
    database.close()
    return took


def count(books: Books, title: str, payer: Person, payee: Person) -> None:
    """Prints what one payment is to the server, the second of the two people's."""

    def pay() -> None:
        post_payment(database, _claim(payer.user_id), payee_wallet_id=payee.wallet_id, **_one())

    with closing(books.as_role("money")) as database:
        pay()
        told = statements_of(database, pay)
    trips = told.pop("round trips")
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(told.items()))
    print(f"  {title:<28} {trips} round trip, {told.total()} statements: {kinds}")


def _claim(payer: UUID) -> Claim:
    return Claim(payer, wiring.new_id().hex, _HASH, generation=0)


def _one() -> dict[str, Any]:
    """The least that a payment is."""
    return {
        "transaction_id": wiring.new_id(),
        "payee_phone": None,
        "amount": 1,
        "description": None,
        "reference": None,
    }


def measure(
    books: Books, title: str, payers: list[Person], payees: list[Person], *, callers: int, seconds: float
) -> None:
    """Prints one line: payments a second, and the median and the 99th percentile of a payment in milliseconds."""
    arguments = (
        books.server,
        books.credentials["money"],
        [person.user_id for person in payers],
        [person.wallet_id for person in payees],
        seconds,
    )
    with multiprocessing.get_context("spawn").Pool(callers) as pool:
        took = sorted(second for one in pool.starmap(caller, [arguments] * callers) for second in one)
    middle, late = took[len(took) // 2], took[len(took) * 99 // 100]
    print(f"  {title:<28} {callers:>3} callers {len(took) / seconds:8.0f}/s {middle * 1e3:8.1f} {late * 1e3:8.1f} ms")


def main() -> None:
    """The loads at several widths, then the check that the books are right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--callers", type=int, nargs="*", default=[1, 4, 16])
    parser.add_argument("--people", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PrivateServer(Path(folder)) as server:
        print(f"{server.program.flavour} {server.program.version}: payments a second, median, 99th percentile")
        books = Books(server)
        books.migrate()
        half = given.people // 2
        people = [books.person(money=_MONEY) for _ in range(given.people)]
        small = [books.person(tier="small", money=_MOST_OF_SMALL) for _ in range(half)]
        shops = [books.person(kind="merchant", tier="merchant") for _ in range(half)]
        merchant, hot = (books.person(kind="merchant", tier="merchant") for _ in range(2))
        books.spread(hot, _ROWS)
        count(books, "among people", people[0], people[-1])
        count(books, "tier small to a merchant", small[0], shops[0])
        for callers in given.callers:
            measure(books, "random wallets", people[:half], people[half:], callers=callers, seconds=given.seconds)
            measure(books, "tier small to merchants", small, shops, callers=callers, seconds=given.seconds)
            measure(books, "everybody pays one merchant", people, [merchant], callers=callers, seconds=given.seconds)
            measure(books, f"the same, in {_ROWS} rows", people, [hot], callers=callers, seconds=given.seconds)
        faults = books.faults()
        print("  the books are right" if not faults else f"  THE BOOKS ARE WRONG: {faults}")


if __name__ == "__main__":
    main()
