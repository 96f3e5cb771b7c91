"""The schema's history: forward only, once, by one at a time."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import pymysql
import pytest
from pymysql.cursors import DictCursor

import migrate
import roles
from local.database import PrivateServer
from local.state import ROOT
from tests.support.books import PATIENCE_S, ROLES, Books, Person, beside
from tests.support.client import wait_until
from tests.support.crowd import together
from wallet import wiring
from wallet.confirmations.model import ConfirmationRules
from wallet.ledger.refusals import Refused
from wallet.storage import payments
from wallet.storage.database import DatabaseUnavailableError


@pytest.fixture
def empty(server: PrivateServer) -> Iterator[Books]:
    """A database of its own beside the shared one."""
    with beside(server, "fresh") as books:
        yield books


@pytest.fixture(scope="module")
def kept(server: PrivateServer) -> Iterator[PrivateServer]:
    """The server, with a migrated database beside the shared one."""
    with beside(server, "kept") as books:
        books.migrate()
        yield server


@pytest.fixture
def current(kept: PrivateServer) -> Books:
    """A database that is as this code has it, for who leaves nothing there that a migration doesn't mend.

    Migrating an empty one takes seconds.
    """
    books = Books(kept, "kept")
    books.migrate()
    return books


def names() -> list[str]:
    """What a migration of an empty database applies."""
    return [one.name for one in migrate.migrations()] + [one.label for one in migrate.definitions()]


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
        for definition in migrate.definitions()[:50]:
            cursor.execute(definition.statement)
    assert empty.migrate() == names()


class DiedError(Exception):
    """What a run dies of here."""


def test_a_run_that_died_while_it_replaced_a_procedure_is_finished_by_the_next_though_that_has_the_old_text(
    current: Books, tmp_path: Path
) -> None:
    changed = edited(copied(tmp_path), "fee_of")

    class Dying(DictCursor):
        def execute(self, query: str, args: object = None) -> int:
            found = super().execute(query, args)
            if "PROCEDURE fee_of" in query:
                raise DiedError
            return found

    with closing(current.connect()) as connection:
        connection.cursorclass = Dying
        with pytest.raises(DiedError):
            migrate.migrate(connection, current.credentials, changed)
    assert current.migrate() == ["procedure fee_of"]
    assert current.migrate() == []
    assert body_of(text_of(current, "fee_of")) == body_of(ours("fee_of").statement)


def test_every_statement_can_be_run_again(empty: Books) -> None:
    empty.migrate()
    empty.write("DELETE FROM schema_migrations")
    empty.write("DELETE FROM schema_definitions")
    assert empty.migrate() == names()


def test_a_file_that_was_changed_after_it_was_applied_is_refused(empty: Books) -> None:
    empty.migrate()
    empty.write("UPDATE schema_migrations SET checksum = REVERSE(checksum) WHERE version = '0002'")
    with pytest.raises(migrate.MigrationError, match="0002_sign_in was changed"):
        empty.migrate()


def test_a_database_of_the_schema_before_this_one_is_refused_and_left_as_it_is(empty: Books) -> None:
    empty.migrate()
    empty.write(
        "UPDATE schema_migrations SET name = '0001_identity', checksum = REPEAT('a', 64) WHERE version = '0001'"
    )
    empty.write("DROP TABLE schema_definitions, schema_versions")
    before = empty.select("SHOW TABLES"), empty.select("SELECT * FROM schema_migrations")
    with pytest.raises(
        migrate.MigrationError, match=r"begins anew.*0001_identity, where 0001_people is now.*make reset"
    ):
        empty.migrate()
    assert (empty.select("SHOW TABLES"), empty.select("SELECT * FROM schema_migrations")) == before


# ------------------------------------------------------------------------------------ views and procedures


def ours(name: str) -> migrate.Definition:
    """One of the files."""
    return next(one for one in migrate.definitions() if one.name == name)


def body_of(text: str) -> str:
    """A procedure from its BEGIN on, which the server keeps as it is."""
    return text[text.index("\nBEGIN\n") :]


def text_of(books: Books, procedure: str) -> str:
    """A procedure as the database has it."""
    return str(books.select(f"SHOW CREATE PROCEDURE {procedure}")[0]["Create Procedure"])


def edited(folder: Path, *procedures: str, text: str = "-- another text") -> Path:
    """A copy of the schema in which these procedures have another text, and do the same."""
    for path in (folder / "procedures").rglob("*.sql"):
        if path.stem in procedures:
            path.write_text(path.read_text().replace("\nBEGIN\n", f"\nBEGIN\n    {text}\n", 1))
    return folder


def test_what_was_edited_is_applied_again_and_nothing_else(current: Books, tmp_path: Path) -> None:
    folder = edited(copied(tmp_path), "fee_of", "post_payment")
    view = folder / "views" / "disputed_money.sql"
    view.write_text(view.read_text().replace("SELECT id, ", "SELECT 1 AS one, id, "))
    assert migrated(current, folder) == ["view disputed_money", "procedure fee_of", "procedure post_payment"]
    assert "-- another text" in text_of(current, "post_payment")
    assert current.select("SELECT one FROM disputed_money") == []
    assert migrated(current, folder) == []


def test_a_comment_is_a_part_of_the_text(current: Books, tmp_path: Path) -> None:
    """What is written down is the file, so no two that differ are ever taken for one."""
    path = copied(tmp_path) / "procedures" / "posting" / "fee_of.sql"
    path.write_text(f"-- Another word.\n{path.read_text()}")
    assert migrated(current, tmp_path) == ["procedure fee_of"]


def test_what_is_gone_from_the_database_is_applied_again(current: Books) -> None:
    current.write("DROP PROCEDURE fee_of")
    current.write("DROP VIEW trial_balance")
    assert current.migrate() == ["view trial_balance", "procedure fee_of"]


def test_a_migration_has_everything_that_stands_on_tables_applied_again(empty: Books, tmp_path: Path) -> None:
    """It may have dropped a procedure, whose file is there again a release later with the same text."""
    empty.migrate()
    number = len(migrate.migrations()) + 1
    applied = migrated(empty, copied(tmp_path, "DROP PROCEDURE IF EXISTS fee_of;\n"))
    assert applied == [f"{number:04}_next_{number}", *(one.label for one in migrate.definitions())]


def test_a_procedure_without_a_file_is_dropped_by_a_migration_only(empty: Books, tmp_path: Path) -> None:
    empty.migrate()
    folder = copied(tmp_path)
    (folder / "procedures" / "posting" / "fee_of.sql").unlink()
    assert migrated(empty, folder) == []
    assert "fee_of" in {row["name"] for row in empty.select("SELECT name FROM schema_definitions")}
    copied(tmp_path, "DROP PROCEDURE IF EXISTS fee_of;\n")
    (folder / "procedures" / "posting" / "fee_of.sql").unlink()
    migrated(empty, folder)
    assert empty.select("SHOW PROCEDURE STATUS WHERE Db = DATABASE() AND Name = 'fee_of'") == []


def test_the_hash_of_the_whole_schema_is_written_down_once_for_each_that_there_was(
    empty: Books, tmp_path: Path
) -> None:
    folder = edited(copied(tmp_path), "fee_of")
    for one in (migrate.FOLDER, migrate.FOLDER, folder, migrate.FOLDER):
        migrated(empty, one)
    hashes = [row["hash"] for row in empty.select("SELECT hash FROM schema_versions ORDER BY position")]
    assert hashes == [migrate.schema().hash, migrate.schema(folder).hash, migrate.schema().hash]
    assert len(set(hashes)) == 2


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("procedures/posting/fee_of.sql", "CREATE PROCEDURE fee_off()\nSELECT 1\n"),
        ("procedures/posting/fee_of.sql", "CREATE PROCEDURE fee_of()\nSELECT 1;\nCREATE PROCEDURE fees()\nSELECT 1\n"),
        ("procedures/posting/fee_of.sql", "CREATE VIEW fee_of AS\nSELECT 1\n"),
        ("procedures/posting/fee_of.sql", "-- nothing\n"),
        ("procedures/payments/fee_of.sql", "CREATE PROCEDURE fee_of()\nSELECT 1\n"),
        ("views/trial_balance.sql", "CREATE PROCEDURE trial_balance()\nSELECT 1\n"),
    ],
    ids=["another name", "two", "a view", "nothing", "a name that is taken", "a procedure"],
)
def test_a_file_makes_what_it_is_named_after_and_nothing_else(tmp_path: Path, path: str, text: str) -> None:
    (copied(tmp_path) / path).write_text(text)
    with pytest.raises(migrate.MigrationError, match=f"{Path(path).name}: "):
        migrate.schema(tmp_path)


_CALL = re.compile(r"\bCALL\s+(\w+)\s*\(")


def test_each_comes_behind_what_it_is_made_of() -> None:
    """While a release is applied, whatever calls a new procedure finds it."""
    order = {one.name: place for place, one in enumerate(migrate.definitions())}
    assert order["disputed_money"] < order["money_in_suspense"] < order["fee_of"]
    early = [
        f"{one.name} before {called}"
        for one in migrate.definitions()
        for called in _CALL.findall(one.statement)
        if order[called] >= order[one.name]
    ]
    assert early == []


def test_the_database_has_what_the_files_say_and_no_more(empty: Books) -> None:
    empty.migrate()
    made = {row["Name"] for row in empty.select("SHOW PROCEDURE STATUS WHERE Db = DATABASE()")}
    wanted = [one for one in migrate.definitions() if one.kind == "procedure"]
    assert made == {one.name for one in wanted}
    assert [one.name for one in wanted if body_of(text_of(empty, one.name)) != body_of(one.statement)] == []


#: How Python names a procedure: to `Database.call`, or in a text of its own.
_CALLED = re.compile(r"\.call\(\s*\"(\w+)\"|\bCALL (\w+)\(")


def test_every_call_finds_its_procedure() -> None:
    there = {one.name for one in migrate.definitions() if one.kind == "procedure"}
    called = {call for one in migrate.definitions() for call in _CALL.findall(one.statement)}
    assert len(called) > 50
    assert called <= there
    by_python = {
        name
        for path in (ROOT / "layers" / "wallet").rglob("*.py")
        for names in _CALLED.findall(path.read_text(encoding="utf-8"))
        for name in names
        if name
    }
    assert len(by_python) > 100
    assert by_python <= there
    granted = {
        right.removeprefix("EXECUTE ON PROCEDURE ")
        for grants in roles.GRANTS.values()
        for right in grants
        if right.startswith("EXECUTE")
    }
    assert granted <= there
    assert by_python <= granted, "a procedure that Python calls has a right"
    assert there == called | granted, "a procedure that nothing calls"


# ------------------------------------------------------------------------ procedures that are replaced while in use

#: That a procedure is away, or the right to it, for the moment in which MySQL has dropped it: `wallet.storage.database`
#: answers that it can't be reached now.
_AWAY = {1305, 1370}


def answered(connection: "pymysql.Connection[DictCursor]", call: str) -> object:
    """What kind of answer a call has: its outcome, else its columns, or the error of the server."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(call)
            rows = cursor.fetchall()
            columns = [] if cursor.description is None else [column[0] for column in cursor.description]
            while cursor.nextset():
                pass
    except pymysql.MySQLError as error:
        return error.args[0]
    return rows[0]["outcome"] if rows and "outcome" in columns else columns


def parameters(books: Books) -> dict[str, int]:
    """How many each procedure has."""
    rows = books.select(
        "SELECT r.ROUTINE_NAME AS name, COUNT(p.SPECIFIC_NAME) AS many FROM information_schema.ROUTINES r"
        " LEFT JOIN information_schema.PARAMETERS p ON p.SPECIFIC_SCHEMA = r.ROUTINE_SCHEMA"
        " AND p.SPECIFIC_NAME = r.SPECIFIC_NAME WHERE r.ROUTINE_SCHEMA = DATABASE() GROUP BY r.ROUTINE_NAME"
    )
    return {row["name"]: int(row["many"]) for row in rows}


def granted_to(role: str) -> list[str]:
    """The procedures that a role calls."""
    rights = [right for right in roles.GRANTS[role] if right.startswith("EXECUTE")]
    return [right.removeprefix("EXECUTE ON PROCEDURE ") for right in rights]


def in_two_texts(folder: Path) -> list[Path]:
    """The schema twice, and not a procedure with the same text."""
    everything = [one.name for one in migrate.definitions() if one.kind == "procedure"]
    return [edited(copied(folder / name), *everything, text=f"-- {name}") for name in ("one", "two")]


def test_who_calls_a_procedure_that_is_replaced_has_its_answer_or_is_told_that_it_is_away(
    current: Books, tmp_path: Path
) -> None:
    """All that functions call, without arguments that mean something: what each answers must be what it always does."""
    counts = parameters(current)
    calls = {
        role: {name: f"CALL {name}({', '.join(['NULL'] * counts[name])})" for name in granted_to(role)}
        for role in ROLES
    }
    stopped = threading.Event()
    replaced = in_two_texts(tmp_path)

    def keep_calling(role: str) -> list[str]:
        wrong = []
        with closing(current.connect(role)) as connection:
            usual = {name: answered(connection, call) for name, call in calls[role].items()}
            begun.wait(PATIENCE_S)
            while not stopped.is_set():
                for name, call in calls[role].items():
                    answer = answered(connection, call)
                    if answer != usual[name] and answer not in _AWAY:
                        wrong.append(f"{role}: {name} answers {answer}, and not {usual[name]}")
        return wrong

    begun = threading.Barrier(len(ROLES) + 1)
    with ThreadPoolExecutor(len(ROLES)) as pool:
        callers = [pool.submit(keep_calling, role) for role in ROLES]
        try:
            begun.wait(PATIENCE_S)
            for folder in replaced:
                assert len(migrated(current, folder)) == len(counts)
        finally:
            stopped.set()
    assert [wrong for caller in callers for wrong in caller.result()] == []


def until_answered(work: Callable[[], object]) -> None:
    """As a caller who is told to try again."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            work()
        except DatabaseUnavailableError:
            assert time.monotonic() < deadline
        else:
            return


def test_movements_go_on_while_every_procedure_is_replaced_and_each_is_made_once(empty: Books, tmp_path: Path) -> None:
    """All of them, of which a payment alone is made of 20: whoever is told to try again does, under the same key."""
    empty.migrate()
    people = [empty.person(money=100_000) for _ in range(3)]
    stopped = threading.Event()
    replaced = in_two_texts(tmp_path)

    def keep_paying(payer: Person, payee: Person) -> int:
        made = 0
        with closing(empty.as_role("money")) as money, closing(empty.as_role("reader")) as reader:
            while not stopped.is_set():
                payment = partial(
                    payments.post_payment,
                    money,
                    payer.claim(),
                    transaction_id=wiring.new_id(),
                    payee_wallet_id=payee.wallet_id,
                    payee_phone=None,
                    amount=3,
                    description=None,
                    reference=None,
                )
                until_answered(payment)
                until_answered(partial(reader.read, "CALL find_wallet(%s)", payer.user_id.bytes))
                made += 1
        return made

    with ThreadPoolExecutor(3) as pool:
        paying = [pool.submit(keep_paying, people[i], people[i - 1]) for i in range(3)]
        try:
            for folder in replaced:
                migrated(empty, folder)
        finally:
            stopped.set()
    made = [one.result() for one in paying]
    assert min(made) > 0
    assert empty.select("SELECT COUNT(*) AS n FROM transactions WHERE type = 'payment'")[0]["n"] == sum(made)
    assert [empty.balance(person) for person in people] == [
        100_000 - 3 * made[i] + 3 * made[(i + 1) % 3] for i in range(3)
    ]
    assert empty.faults() == []


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


def copied(folder: Path, *more: str) -> Path:
    """The schema of this code, and the migrations of a release after it."""
    for part in ("tables", "views", "procedures"):
        shutil.copytree(migrate.FOLDER / part, folder / part, dirs_exist_ok=True)
    for number, text in enumerate(more, len(migrate.migrations()) + 1):
        (folder / "tables" / f"{number:04}_next_{number}.sql").write_text(text)
    return folder


def migrated(books: Books, folder: Path) -> list[str]:
    with closing(books.connect()) as connection:
        return migrate.migrate(connection, books.credentials, folder)


def test_a_release_is_taken_back_on_a_database_that_it_has_migrated(empty: Books, tmp_path: Path) -> None:
    next_release = edited(copied(tmp_path, "CREATE TABLE IF NOT EXISTS news (id INT);\n"), "fee_of")
    (next_release / "procedures" / "events" / "news.sql").write_text("CREATE PROCEDURE news()\nSELECT 1 AS one\n")
    migrated(empty, next_release)
    # by now what the next release has been given in the meantime is used
    empty.write("GRANT SELECT ON news TO 'wallet_auditor'@'%%'")
    assert empty.migrate() == []
    assert empty.as_role("auditor").read("SELECT COUNT(*) AS n FROM news") == [{"n": 0}]
    assert empty.as_role("auditor").read("SELECT COUNT(*) AS n FROM wallets") == [{"n": 0}]
    assert "-- another text" in text_of(empty, "fee_of"), "its procedures stay, too"
    assert empty.select("CALL news()") == [{"one": 1}]
    # and then it comes again
    assert migrated(empty, next_release) == []


def test_a_database_that_no_longer_serves_the_code_refuses_it(empty: Books, tmp_path: Path) -> None:
    newest = migrate.migrations()[-1].version
    following = f"{int(newest) + 1:04}"
    serving = copied(tmp_path, f"-- serves code from {newest}\nDO 1;\n", "DO 1;\n")
    migrated(empty, serving)
    assert empty.migrate() == []
    (tmp_path / "tables" / f"{int(newest) + 3:04}_away.sql").write_text(
        f"-- It was replaced.\n-- serves code from {following}\nDO 1;\n"
    )
    assert migrated(empty, tmp_path)[0] == f"{int(newest) + 3:04}_away"
    with pytest.raises(migrate.MigrationError, match=f"serves code from {following} on; this code is of {newest}"):
        empty.migrate()


def test_files_are_numbered_without_a_gap(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "0001_one.sql").write_text("SELECT 1;\n")
    (tmp_path / "tables" / "0003_three.sql").write_text("SELECT 3;\n")
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
def test_whatever_a_role_had_it_has_exactly_its_own_rights_after_one_migration(current: Books, other: str) -> None:
    wanted = rights_of(current, "money")
    assert {("postings", "side", "SELECT"), ("transactions", "", "SELECT")} <= wanted
    assert ("post_payment", "procedure", "Execute") in wanted
    for statement in _OTHER_RIGHTS[other]:
        current.write(statement.format(user="'wallet_money'@'%%'"))
    assert rights_of(current, "money") != wanted
    current.migrate()
    assert rights_of(current, "money") == wanted


def test_a_right_that_is_taken_back_takes_no_other_with_it_meanwhile(current: Books) -> None:
    """Functions answer while their users' rights are set: who gets a whole table, and had columns, loses neither."""
    current.write("GRANT SELECT (id), INSERT (id), INSERT ON transactions TO 'wallet_money'@'%%'")
    executed: list[str] = []

    class Recorder(DictCursor):
        def execute(self, query: str, args: object = None) -> int:
            executed.append(query)
            return super().execute(query, args)

    with closing(current.connect()) as connection:
        connection.cursorclass = Recorder
        migrate.migrate(connection, current.credentials)
    revoked = [statement for statement in executed if statement.startswith("REVOKE")]
    assert revoked == ["REVOKE INSERT, INSERT (`id`), SELECT (`id`) ON transactions FROM 'wallet_money'@'%'"]


def test_callers_of_a_procedure_that_is_replaced_are_not_kept_out_until_the_migration_ends(
    current: Books, tmp_path: Path
) -> None:
    """A long migration that replaces a procedure early: it is away for that moment, and there for all the rest."""
    # the first of them in its place, and the run waits at the last until we say so
    waiting = edited(copied(tmp_path), "post_payment")
    slow = "DO GET_LOCK('go on', 50)"
    last = migrate.definitions()[-1].name
    current.patience_s = PATIENCE_S

    class Waiting(DictCursor):
        def execute(self, query: str, args: object = None) -> int:
            if f"PROCEDURE {last}" in query:
                super().execute(slow)
            return super().execute(query, args)

    def is_slow() -> bool:
        running = owner.read("SELECT INFO FROM information_schema.PROCESSLIST WHERE DB = %s", current.server.database)
        return slow in [row["INFO"] for row in running]

    with (
        closing(current.connect()) as connection,
        closing(current.owner()) as owner,
        closing(current.as_role("money")) as money,
        ThreadPoolExecutor(1) as pool,
    ):
        money.read("SELECT 1")  # nor is who has been there all the time
        owner.read("DO GET_LOCK('go on', 0)")
        connection.cursorclass = Waiting
        applied = pool.submit(migrate.migrate, connection, current.credentials, edited(waiting, last))
        try:
            wait_until(lambda: is_slow() or applied.done())
            with pytest.raises(Refused):  # by the kernel, so the procedure was there
                money.call("post_payment", b"0" * 16, b"k", b"0" * 32, 0, b"1" * 16, None, "+910", 1, None, None)
            assert is_slow(), applied.result()
        finally:
            owner.read("DO RELEASE_LOCK('go on')")
        assert applied.result() == ["procedure post_payment", f"procedure {last}"]
