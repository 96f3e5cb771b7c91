"""Somebody who holds a lock, and those who wait for it: what else takes luck to happen at once, happens."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from tests.support.books import Books, Person
from wallet.storage.database import Database

_PATIENCE_S = 30
#: A server looks ten times a second who waits: sooner it may tell who waited in the test before.
_STALE_S = 0.11
#: A row that is locked, as MySQL and MariaDB say it to one who won't wait.
_LOCKED = (3572, 1205)

Change = Callable[[DictCursor], object]


@contextmanager
def holding(books: Books, statement: str, *arguments: object) -> Iterator[tuple["pymysql.Connection[Any]", DictCursor]]:
    """A commit of the owner's that has begun with `statement`, and ends with nothing done if nobody commits it."""
    connection = books.connect()
    try:
        connection.begin()
        with connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            cursor.fetchall()
            yield connection, cursor
    finally:
        connection.close()


def behind(
    books: Books, tasks: Sequence[Callable[[], Any]], change: Change, statement: str, *arguments: object
) -> list[Any]:
    """What comes of tasks that all have to wait for the lock that `statement` takes: answers or exceptions, in order.

    They come one behind the other. While they wait, `change` is done behind the lock, and committed.
    """
    with (
        nobody_gives_up(books) as owner,
        ThreadPoolExecutor(max_workers=len(tasks)) as pool,
        holding(books, statement, *arguments) as (connection, cursor),
    ):
        asked = []
        for task in tasks:
            asked.append(pool.submit(_answer, task))
            until = time.monotonic() + _PATIENCE_S
            while waiters(owner) < len(asked):
                assert time.monotonic() < until, (
                    f"who should wait does not: {[one.result() for one in asked if one.done()]}"
                )
        change(cursor)
        connection.commit()
        return [one.result() for one in asked]


def behind_wallet(books: Books, person: Person, tasks: Sequence[Callable[[], Any]], change: Change) -> list[Any]:
    """As `behind`, for the lock of somebody's wallet."""
    return behind(books, tasks, change, LOCK_WALLET, person.wallet_id.bytes)


LOCK_WALLET = "SELECT id FROM wallets WHERE id = %s FOR UPDATE"


def nothing(_: DictCursor) -> None:
    """They wait, and nothing changes meanwhile."""


def is_free(books: Books, statement: str, *arguments: object) -> bool:
    """Whether the rows of a `SELECT … FOR UPDATE` could be locked this moment."""
    try:
        with holding(books, f"{statement} NOWAIT", *arguments):
            return True
    except pymysql.MySQLError as error:
        if error.args[0] not in _LOCKED:
            raise
        return False


def _answer(task: Callable[[], Any]) -> Any:
    try:
        return task()
    except Exception as error:  # noqa: BLE001 - an answer like any other, for the test to judge
        return error


@contextmanager
def nobody_gives_up(books: Books) -> Iterator[Database]:
    """Within it, whoever opens a connection waits for locks and answers as long as it takes."""
    usual = books.patience_s
    with lock_wait(books, 100) as owner:
        books.patience_s = 100
        try:
            yield owner
        finally:
            books.patience_s = usual


@contextmanager
def lock_wait(books: Books, seconds: int) -> Iterator[Database]:
    """Within it, whoever opens a connection may wait so long for a lock. It gives a connection of the owner's."""
    with closing(books.owner()) as owner:
        [usual] = owner.read("SELECT @@GLOBAL.innodb_lock_wait_timeout AS seconds")
        owner.read("SET GLOBAL innodb_lock_wait_timeout = %s", seconds)
        try:
            yield owner
        finally:
            owner.read("SET GLOBAL innodb_lock_wait_timeout = %s", usual["seconds"])


def waiters(owner: Database) -> int:
    """How many sessions wait for a lock now."""
    time.sleep(_STALE_S)
    rows = owner.read("SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'")
    return int(rows[0]["n"])
