"""Books that have grown: payments, and top-ups that webhooks have settled, all by the kernel's own procedures.

They are called in a loop inside the server (`filling.sql`), and meanwhile no commit waits for the disk. So all that a
payment or a settlement looks at has grown as it would have in use, but in minutes.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import migrate
from tests.support.books import Books, Person

if TYPE_CHECKING:
    import pymysql
    from pymysql.cursors import DictCursor

_PROCEDURES = Path(__file__).with_name("filling.sql")
#: Of each top-up, in paise: the least that is taken.
AMOUNT = 100
#: How many payments there are for each top-up: so 1 in 4 transactions is one.
PAYMENTS_FOR_EACH = 3
#: What one call fills in: some tenths of a second.
_BATCH = 100
_TELL_AFTER_S = 10.0
#: What payments and settlements look at or add to.
TABLES = (
    "transactions",
    "postings",
    "idempotency_records",
    "outbox",
    "payment_attempts",
    "payment_attempt_events",
    "gateway_events",
    "gateway_payments",
    "bank_references",
)


class Filling:
    """Fills books among these people. `event` is the body of a webhook of a captured payment of `AMOUNT`.

    In it stand THE_ORDER, THE_PAYMENT and THE_RRN for what is each time another.
    """

    def __init__(self, books: Books, people: Sequence[Person], event: bytes) -> None:
        self._books = books
        self._people = len(people)
        self._event = event.decode()
        rows = [(number, one.user_id.bytes, one.wallet_id.bytes) for number, one in enumerate(people)]
        with closing(books.connect()) as connection, connection.cursor() as cursor:
            for statement in migrate.statements(_PROCEDURES.read_text(encoding="utf-8")):
                cursor.execute(statement)
            cursor.executemany("INSERT INTO filling_people VALUES (%s, %s, %s)", rows)

    def grow(self, payments: int) -> None:
        """Until the books have so many payments, and a third as many top-ups that were paid; a line now and then."""
        # nobody waits for a lock: each has people of its own, who pay one another
        fillers = max(1, min(2 * (os.cpu_count() or 1), self._people // 2))
        each = self._people // fillers
        with self._hurried(), ThreadPoolExecutor(fillers) as pool:
            while any(missing := self._missing(payments)):  # what was to be tried again is missing still
                left = _Left(*missing)
                for done in [pool.submit(self._fill, number * each, each, left) for number in range(fillers)]:
                    done.result()

    def orders(self, number: int) -> list[str]:
        """The gateway's orders of so many top-ups that are opened now, for `AMOUNT` each, by everybody in turn."""
        with self._hurried(), closing(self._books.connect()) as connection:
            answers = _called(connection, "fill_top_ups", 0, self._people, number, AMOUNT, None)
        told = [answer.get("gateway_order_id") for answer in answers]
        return [order for order in told if order is not None]

    def counted(self) -> dict[str, int]:
        """How many rows there are in each table."""
        return {
            table: int(self._books.select(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"])  # noqa: S608 - ours
            for table in TABLES
        }

    def _missing(self, payments: int) -> tuple[int, int]:
        rows = self._books.select("SELECT type, COUNT(*) AS n FROM transactions GROUP BY type")
        there = {row["type"]: int(row["n"]) for row in rows}
        top_ups = -(-payments // PAYMENTS_FOR_EACH)
        return max(0, payments - there.get("payment", 0)), max(0, top_ups - there.get("top_up", 0))

    def _fill(self, first: int, people: int, left: "_Left") -> None:
        with closing(self._books.connect()) as connection:
            while batch := left.take():
                payments, top_ups = batch
                _called(connection, "fill_payments", first, people, payments)
                _called(connection, "fill_top_ups", first, people, top_ups, AMOUNT, self._event)
                left.tell()

    @contextmanager
    def _hurried(self) -> Iterator[None]:
        """Within it a commit is answered before it is on the disk."""
        self._wait_for_disk(always=False)
        try:
            yield
        finally:
            self._wait_for_disk(always=True)

    def _wait_for_disk(self, *, always: bool) -> None:
        self._books.write(f"SET GLOBAL innodb_flush_log_at_trx_commit = {1 if always else 2}")
        self._books.write(f"SET GLOBAL sync_binlog = {1 if always else 0}")


class _Left:
    """What is still to be filled in, for several who fill at a time."""

    def __init__(self, payments: int, top_ups: int) -> None:
        self._left = [payments, top_ups]
        self._wanted = payments, top_ups
        self._lock = threading.Lock()
        self._began = self._told = time.monotonic()

    def take(self) -> tuple[int, int] | None:
        """A batch of payments and of top-ups, in the proportion of what is wanted; None if nothing is left."""
        with self._lock:
            calls = max(1, sum(self._wanted) // _BATCH)
            taken = [min(left, -(-wanted // calls)) for left, wanted in zip(self._left, self._wanted, strict=True)]
            self._left = [left - some for left, some in zip(self._left, taken, strict=True)]
        return (taken[0], taken[1]) if any(taken) else None

    def tell(self) -> None:
        """A line, if the last one is some time ago."""
        with self._lock:
            now = time.monotonic()
            if now - self._told < _TELL_AFTER_S:
                return
            self._told = now
            payments, top_ups = (wanted - left for left, wanted in zip(self._left, self._wanted, strict=True))
            print(
                f"    {now - self._began:4.0f} s: {payments:,} payments and {top_ups:,} top-ups filled in", flush=True
            )


def _called(connection: "pymysql.Connection[DictCursor]", procedure: str, *arguments: object) -> list[dict[str, Any]]:
    """The answers of all that a procedure has called."""
    answers: list[dict[str, Any]] = []
    with connection.cursor() as cursor:
        cursor.execute(f"CALL {procedure}({', '.join(['%s'] * len(arguments))})", arguments)
        answers += cursor.fetchall()
        while cursor.nextset():
            answers += cursor.fetchall()
    refused = {answer["outcome"] for answer in answers} - {"done", "try_again"}
    if refused:
        raise RuntimeError(f"{procedure} was refused: {', '.join(sorted(refused))}")
    return answers
