"""The schema's history: forward only, once, by one at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from pymysql.cursors import DictCursor

import migrate
from local.database import PrivateServer
from tests.support.books import PATIENCE_S, Books, beside
from tests.support.client import wait_until
from tests.support.crowd import together
from tests.support.payouts import tell, withdraw
from wallet.confirmations.model import ConfirmationRules
from wallet.ledger.refusals import Refused
from wallet.ledger.withdrawals import PayoutStatus


@pytest.fixture
def empty(server: PrivateServer) -> Iterator[Books]:
    """A database of its own beside the shared one."""
    with beside(server, "fresh") as books:
        yield books


def names(folder: Path | None = None) -> list[str]:
    return [migration.name for migration in (migrate.migrations(folder) if folder else migrate.migrations())]


def test_a_second_run_has_nothing_to_do(empty: Books) -> None:
    assert empty.migrate() == names()
    assert empty.migrate() == []


def test_two_at_once_apply_each_file_once(empty: Books) -> None:
    answers = together([empty.migrate, empty.migrate])
    assert sorted(answers, key=len) == [[], names()]  # type: ignore[arg-type]  # lists, both


def test_a_run_that_died_half_way_is_finished_by_the_next(empty: Books) -> None:
    with closing(empty.connect()) as connection, connection.cursor() as cursor:
        for migration in migrate.migrations():
            for statement in migrate.statements(migration.text):
                cursor.execute(statement)
    assert empty.migrate() == names()


def test_every_statement_can_be_run_again(empty: Books) -> None:
    empty.migrate()
    empty.write("DELETE FROM schema_migrations")
    assert empty.migrate() == names()


def test_a_file_that_was_changed_after_it_was_applied_is_refused(empty: Books) -> None:
    empty.migrate()
    empty.write("UPDATE schema_migrations SET checksum = REVERSE(checksum) WHERE version = '0002'")
    with pytest.raises(migrate.MigrationError, match="0002_wallets was changed"):
        empty.migrate()


# ------------------------------------------------------------------------------------- what is confirmed

_RULES = "SELECT tier, above, new_vpa, valid_from <= UTC_TIMESTAMP(6) AS in_force FROM confirmation_rules ORDER BY 1, 2"
_CAREFUL, _EASY = ConfirmationRules(above=0), ConfirmationRules(above=500_000, new_vpa=True)


def ruled(books: Books, rules: ConfirmationRules | None) -> list[tuple[object, ...]]:
    """A migration with rules; what the database then says of each tier."""
    with closing(books.connect()) as connection:
        migrate.migrate(connection, books.credentials, confirmation_rules=rules)
    return [tuple(row.values()) for row in books.select(_RULES)]


def test_what_a_deployment_says_is_confirmed_in_every_tier_at_once(empty: Books) -> None:
    first = ruled(empty, _CAREFUL)
    assert first == [(tier, 0, 0, 1) for tier in ("full", "merchant", "small")]
    assert ruled(empty, _CAREFUL) == first, "what has been said is not said again"
    assert ruled(empty, None) == first, "and stays where the rules are the database's own"


def test_where_there_are_wallets_another_rule_waits_for_code_that_knows_it(empty: Books) -> None:
    empty.migrate()
    empty.person()
    waiting = [(tier, 0, 0, 0) for tier in ("full", "merchant", "small")]
    assert ruled(empty, _CAREFUL) == waiting
    assert ruled(empty, _CAREFUL) == waiting
    (row,) = empty.select(
        "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), MAX(valid_from)) AS s FROM confirmation_rules"
    )
    assert 570 < row["s"] <= 600


def test_what_was_planned_for_later_gives_way_to_what_a_deployment_says(empty: Books) -> None:
    ruled(empty, _CAREFUL)
    empty.write("INSERT INTO confirmation_rules (tier, valid_from, above) VALUES ('full', '2099-01-01', 7)")
    assert ("full", 7, 0, 0) in ruled(empty, None)
    assert ruled(empty, _CAREFUL) == [(tier, 0, 0, 1) for tier in ("full", "merchant", "small")]
    empty.write("INSERT INTO confirmation_rules (tier, valid_from, above) VALUES ('full', '2099-01-01', 7)")
    after = ruled(empty, _EASY)
    assert ("full", 7, 0, 0) not in after
    assert [row for row in after if row[1] == 500_000] == [
        (tier, 500_000, 1, 1) for tier in ("full", "merchant", "small")
    ]


def test_addresses_that_were_paid_before_there_were_rules_are_known(empty: Books) -> None:
    empty.migrate()
    person = empty.person(money=9_000)
    paid, failed = (withdraw(empty, person, 1_000, vpa=f"{name}@okbank")[0] for name in ("paid", "failed"))
    tell(empty, paid, PayoutStatus.SUCCEEDED)
    tell(empty, failed, PayoutStatus.FAILED)
    empty.write("DELETE FROM known_vpas")
    empty.write("DELETE FROM schema_migrations WHERE version = '0031'")
    assert empty.migrate() == ["0031_confirmations"]
    assert [row["vpa"] for row in empty.select("SELECT vpa FROM known_vpas")] == ["paid@okbank"]


def copied(folder: Path, *more: str) -> Path:
    """The migrations of this code, and those of a release after it."""
    for migration in migrate.migrations():
        (folder / f"{migration.name}.sql").write_text(migration.text)
    for number, text in enumerate(more, len(migrate.migrations()) + 1):
        (folder / f"{number:04}_next_{number}.sql").write_text(text)
    return folder


def migrated(books: Books, folder: Path) -> list[str]:
    with closing(books.connect()) as connection:
        return migrate.migrate(connection, books.credentials, folder)


def test_a_release_is_taken_back_on_a_database_that_it_has_migrated(empty: Books, tmp_path: Path) -> None:
    next_release = copied(tmp_path, "CREATE TABLE IF NOT EXISTS news (id INT);\n")
    migrated(empty, next_release)
    # by now what the next release has been given in the meantime is used
    empty.write("GRANT SELECT ON news TO 'wallet_auditor'@'%%'")
    assert empty.migrate() == []
    assert empty.as_role("auditor").read("SELECT COUNT(*) AS n FROM news") == [{"n": 0}]
    assert empty.as_role("auditor").read("SELECT COUNT(*) AS n FROM wallets") == [{"n": 0}]
    # and then it comes again
    assert migrated(empty, next_release) == []


def test_a_database_that_no_longer_serves_the_code_refuses_it(empty: Books, tmp_path: Path) -> None:
    newest = migrate.migrations()[-1].version
    following = f"{int(newest) + 1:04}"
    serving = copied(tmp_path, f"-- serves code from {newest}\nDO 1;\n", "DO 1;\n")
    migrated(empty, serving)
    assert empty.migrate() == []
    (tmp_path / f"{int(newest) + 3:04}_away.sql").write_text(
        f"-- It was replaced.\n-- serves code from {following}\nDO 1;\n"
    )
    assert migrated(empty, tmp_path) == [f"{int(newest) + 3:04}_away"]
    with pytest.raises(migrate.MigrationError, match=f"serves code from {following} on; this code is of {newest}"):
        empty.migrate()


def test_a_history_from_before_it_said_whom_it_serves_goes_on(empty: Books) -> None:
    empty.migrate()
    empty.write("ALTER TABLE schema_migrations DROP COLUMN serves_from")
    assert empty.migrate() == []


def test_files_are_numbered_without_a_gap(tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_text("SELECT 1;\n")
    (tmp_path / "0003_three.sql").write_text("SELECT 3;\n")
    with pytest.raises(migrate.MigrationError, match="without a gap"):
        migrate.migrations(tmp_path)


def test_statements_are_split_where_the_client_would_split_them() -> None:
    text = "-- words\nSELECT 1;\n\nDELIMITER //\nCREATE x\nBEGIN\n  SELECT 2;\nEND//\nDELIMITER ;\nSELECT 3;\n"
    assert list(migrate.statements(text)) == ["SELECT 1", "CREATE x\nBEGIN\n  SELECT 2;\nEND", "SELECT 3"]


def test_a_right_that_is_no_longer_a_roles_is_taken_back(empty: Books) -> None:
    empty.migrate()
    empty.write("GRANT INSERT ON postings TO 'wallet_money'@'%%'")
    empty.write("GRANT EXECUTE ON PROCEDURE settle_payment TO 'wallet_money'@'%%'")
    empty.write("GRANT SELECT (password_hash) ON users TO 'wallet_money'@'%%'")
    empty.migrate()
    shown = str(empty.select("SHOW GRANTS FOR 'wallet_money'@'%%'"))
    fresh = shown[shown.index("`fresh`") :]
    assert "INSERT" not in fresh
    assert "settle_payment`" not in fresh.replace("`wallet`.`settle_payment`", "")
    assert "`post_payment`" in fresh


def rights_of(books: Books, role: str) -> set[tuple[object, ...]]:
    """What a role's user may do in this database, as the server's tables say it: object, column and right."""
    user = f"'wallet_{role}'@'%'"
    rows = books.select(
        "SELECT TABLE_NAME AS thing, COLUMN_NAME AS part, PRIVILEGE_TYPE AS may"
        " FROM information_schema.COLUMN_PRIVILEGES WHERE TABLE_SCHEMA = DATABASE() AND GRANTEE = %s"
        " UNION ALL SELECT TABLE_NAME, '', PRIVILEGE_TYPE FROM information_schema.TABLE_PRIVILEGES"
        " WHERE TABLE_SCHEMA = DATABASE() AND GRANTEE = %s"
        " UNION ALL SELECT '', '', PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES"
        " WHERE TABLE_SCHEMA = DATABASE() AND GRANTEE = %s"
        " UNION ALL SELECT Routine_name, 'procedure', Proc_priv FROM mysql.procs_priv"
        " WHERE Db = DATABASE() AND User = %s",
        *(user, user, user, f"wallet_{role}"),
    )
    return {tuple(row.values()) for row in rows}


#: What a role's user has beside, or instead of, what the role is given: a release before gave more, or less, or other.
_OTHER_RIGHTS = {
    "the whole table where columns are enough": ["GRANT SELECT ON postings TO {user}"],
    "other columns": ["GRANT SELECT (amount) ON postings TO {user}"],
    "columns where the whole table is given": ["GRANT SELECT (id, amount) ON transactions TO {user}"],
    "another right to a table that it reads": ["GRANT INSERT ON transactions TO {user}"],
    "another right to columns that it reads": ["GRANT UPDATE (side, account_id), INSERT ON postings TO {user}"],
    "all rights": ["GRANT ALL ON postings TO {user}", "GRANT ALL ON holds TO {user}"],
    "more of a procedure": ["GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE post_payment TO {user}"],
    "the whole database": ["GRANT SELECT ON * TO {user}"],
    "nothing": ["REVOKE SELECT ON transactions FROM {user}", "REVOKE SELECT (account_id) ON postings FROM {user}"],
}


@pytest.mark.parametrize("other", _OTHER_RIGHTS)
def test_whatever_a_role_had_it_has_exactly_its_own_rights_after_one_migration(empty: Books, other: str) -> None:
    empty.migrate()
    wanted = rights_of(empty, "money")
    assert {("postings", "side", "SELECT"), ("transactions", "", "SELECT")} <= wanted
    assert ("post_payment", "procedure", "Execute") in wanted
    for statement in _OTHER_RIGHTS[other]:
        empty.write(statement.format(user="'wallet_money'@'%%'"))
    assert rights_of(empty, "money") != wanted
    empty.migrate()
    assert rights_of(empty, "money") == wanted


def test_a_right_that_is_taken_back_takes_no_other_with_it_meanwhile(empty: Books) -> None:
    """Functions answer while their users' rights are set: who gets a whole table, and had columns, loses neither."""
    empty.migrate()
    empty.write("GRANT SELECT (id), INSERT (id), INSERT ON transactions TO 'wallet_money'@'%%'")
    executed: list[str] = []

    class Recorder(DictCursor):
        def execute(self, query: str, args: object = None) -> int:
            executed.append(query)
            return super().execute(query, args)

    with closing(empty.connect()) as connection:
        connection.cursorclass = Recorder
        migrate.migrate(connection, empty.credentials)
    revoked = [statement for statement in executed if statement.startswith("REVOKE")]
    assert revoked == ["REVOKE INSERT, INSERT (`id`), SELECT (`id`) ON transactions FROM 'wallet_money'@'%'"]


def test_callers_of_a_procedure_that_is_replaced_are_not_kept_out_until_the_migration_ends(
    empty: Books, tmp_path: Path
) -> None:
    """A long migration that replaces a procedure early: it is away for that moment, and there for all the rest."""
    empty.migrate()
    for migration in migrate.migrations():
        (tmp_path / f"{migration.name}.sql").write_text(migration.text)
    payments = next(one.text for one in reversed(migrate.migrations()) if "CREATE PROCEDURE post_payment(" in one.text)
    next_number = len(migrate.migrations()) + 1
    slow = "DO GET_LOCK('go on', 50)"  # it ends when we say so
    (tmp_path / f"{next_number:04}_slow.sql").write_text(f"{payments}\n{slow};\n")
    empty.patience_s = PATIENCE_S

    def is_slow() -> bool:
        running = owner.read("SELECT INFO FROM information_schema.PROCESSLIST WHERE DB = %s", empty.server.database)
        return slow in [row["INFO"] for row in running]

    with (
        closing(empty.connect()) as connection,
        closing(empty.owner()) as owner,
        closing(empty.as_role("money")) as money,
        ThreadPoolExecutor(1) as pool,
    ):
        money.read("SELECT 1")  # nor is who has been there all the time
        owner.read("DO GET_LOCK('go on', 0)")
        applied = pool.submit(migrate.migrate, connection, empty.credentials, tmp_path)
        try:
            wait_until(lambda: is_slow() or applied.done())
            with pytest.raises(Refused):  # by the kernel, so the procedure was there
                money.call("post_payment", b"0" * 16, b"k", b"0" * 32, 0, b"1" * 16, None, "+910", 1, None, None)
            assert is_slow(), applied.result()
        finally:
            owner.read("DO RELEASE_LOCK('go on')")
        assert applied.result() == [f"{next_number:04}_slow"]
