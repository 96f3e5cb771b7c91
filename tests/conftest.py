"""Fixtures that more than one suite uses."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.database import PrivateServer
from tests.support.books import Books


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    """A real database server of our own: what MYSQLD names, or what this machine has.

    SERVER names the folder of one that may run already, and then runs on: who starts pytest many times starts one.
    """
    if "SERVER" in os.environ:
        yield PrivateServer(Path(os.environ["SERVER"])).ensure()
        return
    with PrivateServer(tmp_path_factory.mktemp("database")) as started:
        yield started


@pytest.fixture(scope="session")
def books(server: PrivateServer) -> Books:
    """A migrated database; tests share it, each with people of its own."""
    books = Books(server)
    books.migrate()
    return books
