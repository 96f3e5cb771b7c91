"""What the suites of faults share."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from local.gateway.server import Simulator
from tests.faults.crash.world import Doors, World
from tests.integration.conftest import Functions
from tests.support.books import Books
from tests.support.cloud import Cloud


@pytest.fixture(scope="session")
def world(
    books: Books, cloud: Cloud, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Doors whose processes may die, over a database, AWS and a gateway."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # thousands of lines that nobody reads
    folder = tmp_path_factory.mktemp("doors")
    with ExitStack() as running:
        doors = Doors(Functions(books, cloud, simulator, folder), folder, running)
        yield World(books, cloud, simulator, doors)
