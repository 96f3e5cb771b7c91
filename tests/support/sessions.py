"""Sessions of the database server, and how one is killed."""

from tests.support.books import Books
from tests.support.client import wait_until
from wallet.storage.database import Database

#: Those that pay, workers' too, also while they end.
PAYING = "SELECT id AS id FROM information_schema.processlist WHERE user = 'wallet_money'"


def paying(books: Books) -> set[int]:
    """The ids of the sessions that pay."""
    return {row["id"] for row in books.select(PAYING)}


def kill(killer: Database, session: int) -> None:
    """Kills a session, and returns when it is gone: until then whoever connects may find MySQL silent.

    A killed thread may still read from its socket's number, which is that of the next connection by then.
    """
    killer.read("KILL %s", session)
    query = "SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = %s"
    wait_until(lambda: not killer.read(query, session), within_s=60, every_s=0.005)
