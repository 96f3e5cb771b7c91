"""Fixtures that more than one suite uses."""

from collections.abc import Iterator

import pytest

from local.database import PrivateServer
from tests.support.books import Books


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    """A real database server of our own: what MYSQLD names, or what this machine has."""
    with PrivateServer(tmp_path_factory.mktemp("database")) as started:
        yield started


@pytest.fixture(scope="session")
def books(server: PrivateServer) -> Books:
    """A migrated database; tests share it, each with people of its own."""
    books = Books(server)
    books.migrate()
    return books
