"""A migrated database beside the shared one, for tests that look at the whole ledger: nobody else writes there."""

from collections.abc import Iterator
from contextlib import contextmanager

from local.database import PrivateServer
from tests.support.books import Books


@contextmanager
def own_books(server: PrivateServer, name: str) -> Iterator[Books]:
    """A database of this name on the server, gone when this ends."""
    shared = Books(server)
    shared.write(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    try:
        books = Books(server)
        books.server = type(shared.server)(shared.server.host, shared.server.port, name, shared.server.ca_pem)
        books.migrate()
        yield books
    finally:
        shared.write(f"DROP DATABASE {name}")
