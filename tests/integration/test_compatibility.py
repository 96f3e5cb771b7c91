"""Released code runs on what the migrations after it make of the database: while they are deployed, and taken back."""

import json
import re
from collections.abc import Iterator

import pytest

import migrate
from local.database import PrivateServer
from tests.support.books import Books, beside
from tests.support.compatibility import RELEASED, breaches

_RELEASED = json.loads(RELEASED.read_text())


@pytest.fixture(scope="module")
def migrated(server: PrivateServer) -> Iterator[Books]:
    """A database of its own: what is called here may do something."""
    with beside(server, "compatible") as books:
        books.migrate()
        yield books


def test_the_code_of_the_last_release_runs_on_the_newest_schema(migrated: Books) -> None:
    assert breaches(migrated, _RELEASED) == []


def test_there_is_much_to_be_kept() -> None:
    assert len(_RELEASED["procedures"]) > 40
    assert len(_RELEASED["tables"]) > 20
    assert set(_RELEASED["reads"]) == set(_RELEASED["calls"])
    assert {"outcome", "transaction_id"} <= set(_RELEASED["procedures"]["post_payment"]["answers"])
    assert {"outcome", "result.transaction_id"} <= set(_RELEASED["procedures"]["refund_payment"]["answers"])
    assert len(_RELEASED["procedures"]["post_payment"]["parameters"]) == 10


def test_nothing_that_is_newer_than_the_release_gives_up_its_code() -> None:
    newer = [one for one in migrate.migrations() if one.version > _RELEASED["migration"]]
    assert [one.name for one in newer if (one.serves_from or "") > _RELEASED["migration"]] == []


def _replaced(books: Books, procedure: str, this: str, that: str) -> list[str]:
    """A procedure with another text."""
    (row,) = books.select(f"SHOW CREATE PROCEDURE {procedure}")
    made = re.sub(r"^CREATE DEFINER=\S+ ", "CREATE ", row["Create Procedure"])
    assert this in made
    role = next(role for role, calls in _RELEASED["calls"].items() if procedure in calls)
    return [
        f"DROP PROCEDURE {procedure}",
        made.replace(this, that, 1),
        f"GRANT EXECUTE ON PROCEDURE {procedure} TO 'wallet_{role}'@'%'",
    ]


_STATEMENTS = {
    "procedure sweep_events is gone": "DROP PROCEDURE sweep_events",
    "clock can't call expire_hold": "REVOKE EXECUTE ON PROCEDURE expire_hold FROM 'wallet_clock'@'%'",
    "clock can't read outbox": "REVOKE SELECT ON outbox FROM 'wallet_clock'@'%'",
    "column holds.description is gone": "ALTER TABLE holds DROP COLUMN description",
    "column outbox.told is new": "ALTER TABLE outbox ADD COLUMN told INT NOT NULL",
    "column users.name is varchar 20": "ALTER TABLE users MODIFY name VARCHAR(20) NOT NULL",
}
_REPLACEMENTS = {
    "procedure claim_check takes": ("claim_check", "p_checks INT UNSIGNED", "p_checks INT UNSIGNED, IN p_why INT"),
    "procedure release_check takes": ("release_check", "p_attempt_id BINARY(16)", "p_attempt_id VARBINARY(16)"),
    "procedure release_refund_check no longer answers result": (
        "release_refund_check",
        "NULL AS result",
        "NULL AS told",
    ),
    "procedure mark_events_delivered may refuse with withdrawal_sent": (
        "mark_events_delivered",
        "'done'",
        "'withdrawal_sent'",
    ),
    "procedure renew_session no longer answers result.user_id": ("renew_session", "'user_id'", "'id'"),
}


@pytest.fixture(scope="module")
def broken(server: PrivateServer) -> list[str]:
    """What is found on a database on which every rule is broken once."""
    with beside(server, "incompatible") as books:
        books.migrate()
        replaced = [one for replacement in _REPLACEMENTS.values() for one in _replaced(books, *replacement)]
        for statement in (*_STATEMENTS.values(), *replaced):
            books.write(statement.replace("%", "%%"))
        # as if this word were newer than the release
        known = [word for word in _RELEASED["refusals"] if word != "withdrawal_sent"]
        return breaches(books, _RELEASED | {"refusals": known})


@pytest.mark.parametrize("breach", [*_STATEMENTS, *_REPLACEMENTS])
def test_what_breaks_released_code_is_noticed(broken: list[str], breach: str) -> None:
    assert any(one.startswith(breach) for one in broken), broken


def test_what_is_only_more_is_no_breach(server: PrivateServer) -> None:
    with beside(server, "compatible_too") as books:
        books.migrate()
        for statement in (
            "ALTER TABLE outbox ADD COLUMN told INT NULL, ADD COLUMN times INT NOT NULL DEFAULT 0",
            "ALTER TABLE users MODIFY name VARCHAR(200) NOT NULL",
            "CREATE TABLE more (id INT NOT NULL)",
            *_replaced(books, "expire_hold", "NULL AS result", "NULL AS result, 1 AS more"),
        ):
            books.write(statement.replace("%", "%%"))
        assert breaches(books, _RELEASED) == []
