"""A whole stack of the tests' own, deployed from the template; or the one that STACK names (its stack.json)."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from pymysql.cursors import DictCursor

from local import stack
from local.database import NO_POWER_CUT
from local.detours import Detours
from tests.support.client import Api, pointed_at
from tests.support.leftovers import END_TO_END, stack_to_ourselves

#: As little work for each password as the template allows: tests have some two thousand of them hashed.
BY = Detours(
    parameters={
        "PasswordCost": "4",
        "CodesPerAddress": "20",
        "CodePauseSeconds": "1",
        "SignInsPerAddress": "100",
        # a file of its own has people confirm: it gives them a tier with rules
        "ConfirmationRules": "by_tier",
        "AllowedOrigins": "https://app.example,http://localhost:5173",
    }
)


@pytest.fixture(scope="session")
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    """The wallet's API. Everything behind it is real but the outside world."""
    named = pointed_at()
    if named is not None:
        yield Api(json.loads(Path(named).read_text()))
        return
    with stack_to_ourselves(END_TO_END) as state:
        stack.down(state)
        shutil.rmtree(state.folder, ignore_errors=True)  # what an earlier version left is nobody's business
        try:
            yield Api(stack.up(state, by=BY, options=NO_POWER_CUT))
        finally:
            stack.down(state)
        if request.session.testsfailed == 0:  # else its logs are what there is to read
            shutil.rmtree(state.folder)


@pytest.fixture(scope="session")
def select(api: Api) -> Any:
    """Reads the database as its owner: `select(query, *arguments)` gives rows."""
    mysql = api.stack["mysql"]

    def read(query: str, *arguments: object) -> list[dict[str, Any]]:
        connection = pymysql.connect(
            host=mysql["host"],
            port=mysql["port"],
            user=mysql["user"],
            password=mysql["password"],
            database=mysql["database"],
            cursorclass=DictCursor,
            autocommit=True,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(query, arguments)
            return list(cursor.fetchall())

    return read
