"""Brings a database to the schema in this folder: first its tables, then the views and procedures that stand on them.

Tables are numbered migrations, forward only, each applied once. A view or a procedure is one file with the one text
that is in force: it is applied again when that text has changed, or a migration has come since (see README.md).

What a deployment runs first (`deployment.py`), and a command (`python schema/migrate.py`; its settings are the
function's environment). Safe to run twice and by two at once: one lock in the server, a checksum for each file that was
applied, and statements that can all be run again, so that a run that died half way is finished by the next one.

Afterwards the functions' database users exist with the passwords in their secrets and, in this database, exactly the
rights of `roles.py`, which are few.
"""

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pymysql

from roles import GRANTS
from wallet import wiring
from wallet.confirmations.model import ConfirmationRules
from wallet.storage.database import Credentials

if TYPE_CHECKING:
    from pymysql.cursors import DictCursor

#: The schema of this code.
FOLDER = Path(__file__).parent
_FILE_NAME = re.compile(r"(?P<version>[0-9]{4})_[a-z0-9_]+\.sql")
_USER_NAME = re.compile(r"[a-z_]{1,32}")
_DEFINITION = re.compile(r"^CREATE (?P<kind>VIEW|PROCEDURE) (?P<name>[a-z_]+)(?= AS$|\()", re.MULTILINE)
_GIVEN = re.compile(r"GRANT (?P<rights>.+) ON (?P<object>(PROCEDURE )?`[^`]+`\.(`[^`]+`|\*)) TO ")
_RIGHT = re.compile(r"(?P<right>[A-Z]+(?: [A-Z]+)*)(?: ?\((?P<columns>[^)]+)\))?")
_SERVES = re.compile(r"^-- serves code from (?P<version>[0-9]{4})$", re.MULTILINE)
_LOCK = "wallet.schema"
_LOCK_WAIT_S = 60

# A migration that takes away what older code uses says so (`serves_from`), for the day on which older code is deployed
# again. `schema_versions` has a line for each schema that a database was brought to: the hash of all files.
_HISTORY = (
    """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version     CHAR(4)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name        VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    checksum    CHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    applied_at  DATETIME(6)  NOT NULL,
    serves_from CHAR(4)      CHARACTER SET ascii COLLATE ascii_bin NULL,
    CONSTRAINT schema_migrations_pk PRIMARY KEY (version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
""",
    """
CREATE TABLE IF NOT EXISTS schema_definitions (
    kind       VARCHAR(9)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    checksum   CHAR(64)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    applied_at DATETIME(6) NOT NULL,
    CONSTRAINT schema_definitions_pk PRIMARY KEY (kind, name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
""",
    """
CREATE TABLE IF NOT EXISTS schema_versions (
    position   BIGINT      NOT NULL AUTO_INCREMENT,
    hash       CHAR(64)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    migration  CHAR(4)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    applied_at DATETIME(6) NOT NULL,
    CONSTRAINT schema_versions_pk PRIMARY KEY (position)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
""",
)


_RULES = tuple(field.name for field in fields(ConfirmationRules))
#: Where there are wallets, code of the release before may answer for some minutes yet, and doesn't know how to ask.
_RULES_WAIT_S = 600


class MigrationError(Exception):
    """The history of the database and the files don't fit together, or another migration doesn't end."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of `tables/`."""

    version: str
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def serves_from(self) -> str | None:
        """The newest migration that code must have to run on this one, `-- serves code from 0021`; None: any may."""
        found = _SERVES.search(self.text)
        return None if found is None else found["version"]


@dataclass(frozen=True, slots=True)
class Definition:
    """One file of `views/` or `procedures/`: comments, and the one statement that makes what it is named after."""

    kind: str
    name: str
    text: str

    @property
    def label(self) -> str:
        """As it is told of: `procedure post_payment`."""
        return f"{self.kind} {self.name}"

    @property
    def statement(self) -> str:
        """`CREATE …`, without the comments above it."""
        found = _DEFINITION.search(self.text)
        return "" if found is None else self.text[found.start() :].rstrip()

    def checksum(self, newest: Migration) -> str:
        """SHA-256 of the text and of the newest migration that it stands on, in hexadecimal.

        A migration may have dropped it, or changed what a view's `SELECT` names.
        """
        return hashlib.sha256(f"{newest.checksum}\0{self.text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Schema:
    """All files: migrations by their numbers; then views and procedures, each behind what it is made of."""

    migrations: list[Migration]
    definitions: list[Definition]

    @property
    def newest(self) -> Migration:
        """The last migration."""
        return self.migrations[-1]

    @property
    def hash(self) -> str:
        """SHA-256 of all of it, in hexadecimal."""
        checksums = [migration.checksum for migration in self.migrations]
        checksums += [f"{one.label} {one.checksum(self.newest)}" for one in self.definitions]
        return hashlib.sha256("\0".join(checksums).encode()).hexdigest()


def schema(folder: Path = FOLDER) -> Schema:
    """What is in `folder`; MigrationError if a file is not what its name and place say."""
    return Schema(migrations(folder), definitions(folder))


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """The files of `folder`/tables, in the order of their numbers."""
    found = []
    for path in sorted((folder / "tables").glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name}: a migration is named like 0001_what_it_does.sql")
        found.append(Migration(match["version"], path.stem, path.read_text(encoding="utf-8")))
    if [migration.version for migration in found] != [f"{number:04}" for number in range(1, len(found) + 1)]:
        raise MigrationError("migrations are numbered 0001, 0002, … without a gap")
    return found


def definitions(folder: Path = FOLDER) -> list[Definition]:
    """The views of `folder`, each behind those that it reads, then its procedures, each behind those that it calls.

    So one that calls a new one is replaced when that is there.
    """
    views = _defined("view", sorted((folder / "views").glob("*.sql")))
    procedures = _defined("procedure", sorted((folder / "procedures").rglob("*.sql"), key=lambda path: path.stem))
    return [*_ordered(views, r"\b([a-z_]+)\b"), *_ordered(procedures, r"\bCALL ([a-z_]+)\(")]


def _ordered(found: Sequence[Definition], reference: str) -> list[Definition]:
    named = {one.name: one for one in found}
    order: TopologicalSorter[str] = TopologicalSorter()
    for name, one in named.items():
        order.add(name, *sorted(set(re.findall(reference, one.statement)) & named.keys() - {name}))
    return [named[name] for name in order.static_order()]


def _defined(kind: str, paths: Sequence[Path]) -> list[Definition]:
    found: list[Definition] = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        made = [(one["kind"].lower(), one["name"]) for one in _DEFINITION.finditer(text)]
        if made != [(kind, path.stem)]:
            raise MigrationError(f"{path.name}: it makes the {kind} that it is named after, and nothing else: {made}")
        if found and found[-1].name == path.stem:
            raise MigrationError(f"{path.name}: there are two of that name")
        found.append(Definition(kind, path.stem, text))
    return found


def statements(text: str) -> Iterator[str]:
    """The statements of a file, split where the mysql client would split them: `DELIMITER` lines are obeyed."""
    delimiter = ";"
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("DELIMITER "):
            delimiter = line.removeprefix("DELIMITER ").strip()
            continue
        if not lines and (not line.strip() or line.startswith("--")):
            continue
        lines.append(line)
        if line.rstrip().endswith(delimiter):
            yield "\n".join(lines).rstrip().removesuffix(delimiter)
            lines = []
    if lines:
        raise MigrationError(f"a statement has no end: {lines[0]}")


def migrate(
    connection: "pymysql.Connection[DictCursor]",
    users: dict[str, Credentials],
    folder: Path = FOLDER,
    *,
    confirmation_rules: ConfirmationRules | None = None,
) -> list[str]:
    """Applies what has not been applied, then sets up `users` (role → credentials); the names of what was applied.

    What is confirmed is as `confirmation_rules` say, for all tiers; with None it is as the database says for each.

    A database that a newer release has migrated stays as it is, if it serves this code too, as it does a release back:
    else nobody could take a bad release back.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, %s) AS got", (_LOCK, _LOCK_WAIT_S))
        if cursor.fetchall()[0]["got"] != 1:
            raise MigrationError("another migration is running and does not end")
        try:
            wanted = schema(folder)
            _set_up_history(cursor, wanted)
            names = {role: _set_up_user(cursor, role, credentials) for role, credentials in users.items()}
            is_ahead = _is_ahead(cursor, wanted.newest)
            applied = _migrate(cursor, wanted.migrations)
            if not is_ahead:  # or newer code, which may still answer, would lose what it has been given by now
                applied += _define(cursor, wanted, names)
                for role, name in names.items():
                    _set_rights(cursor, role, name)
                if confirmation_rules is not None:
                    _set_confirmation_rules(cursor, confirmation_rules)
                _renew_rules(cursor)
        finally:
            with contextlib.suppress(pymysql.MySQLError):  # a connection that is gone holds no lock
                cursor.execute("SELECT RELEASE_LOCK(%s)", (_LOCK,))
    return applied


def _set_up_history(cursor: "DictCursor", wanted: Schema) -> None:
    """Makes the tables of what was applied; MigrationError if what was applied is of another schema than this one."""
    cursor.execute(_HISTORY[0])
    cursor.execute("SELECT version, name FROM schema_migrations ORDER BY version")
    ours = {migration.version: migration.name for migration in wanted.migrations}
    for row in cursor.fetchall():
        name = ours.get(row["version"], row["name"])
        if name != row["name"]:
            raise MigrationError(
                f"the schema begins anew: this database was made by the one before it ({row['name']}, where {name} is"
                " now), whose data is not taken over. It takes a new database; on your own machine: make reset"
            )
    for statement in _HISTORY[1:]:
        cursor.execute(statement)


def _is_ahead(cursor: "DictCursor", newest: Migration) -> bool:
    """Whether the database has migrations that this code doesn't know; MigrationError if it doesn't serve such code."""
    ours = newest.version
    cursor.execute(
        "SELECT COUNT(*) AS unknown, MAX(version) AS newest, MAX(serves_from) AS serves_from FROM schema_migrations"
        " WHERE version > %s",
        (ours,),
    )
    ahead = cursor.fetchall()[0]
    if (ahead["serves_from"] or "") > ours:
        raise MigrationError(
            f"the database is ahead of this code: it is at {ahead['newest']}, which serves code from"
            f" {ahead['serves_from']} on; this code is of {ours}"
        )
    return bool(ahead["unknown"])


def _migrate(cursor: "DictCursor", wanted: list[Migration]) -> list[str]:
    """Applies the migrations that were not applied yet; their names."""
    cursor.execute("SELECT version, name, checksum FROM schema_migrations ORDER BY version")
    history = {row["version"]: row for row in cursor.fetchall()}
    applied = []
    for migration in wanted:
        row = history.get(migration.version)
        if row is None:
            for statement in statements(migration.text):
                cursor.execute(statement)
            cursor.execute(
                "INSERT INTO schema_migrations (version, name, checksum, applied_at, serves_from)"
                " VALUES (%s, %s, %s, UTC_TIMESTAMP(6), %s)",
                (migration.version, migration.name, migration.checksum, migration.serves_from),
            )
            applied.append(migration.name)
        elif row["checksum"] != migration.checksum:
            raise MigrationError(
                f"{migration.name} was changed after it was applied. A change of tables is a new migration; where this"
                " one was changed before any release, on your own machine: make reset"
            )
    return applied


def _define(cursor: "DictCursor", wanted: Schema, names: Mapping[str, str]) -> list[str]:
    """Applies the views and procedures that aren't there as they are written; their labels.

    What is written down of one is deleted before it is replaced, and written down again when that is done: so one that
    was half replaced by a run that died is replaced by the next one, whatever its text is by then.
    """
    cursor.execute("SELECT kind, name, checksum FROM schema_definitions")
    known = {(row["kind"], row["name"]): row["checksum"] for row in cursor.fetchall()}
    cursor.execute(
        "SELECT 'view' AS kind, TABLE_NAME AS name FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()"
        " UNION ALL SELECT 'procedure', ROUTINE_NAME FROM information_schema.ROUTINES"
        " WHERE ROUTINE_SCHEMA = DATABASE()"
    )
    there = {(row["kind"], row["name"]) for row in cursor.fetchall()}
    cursor.execute("SELECT VERSION() AS version")
    is_mariadb = "MariaDB" in cursor.fetchall()[0]["version"]
    applied = []
    for one in wanted.definitions:
        key, checksum = (one.kind, one.name), one.checksum(wanted.newest)
        if key in there and known.get(key) == checksum:
            continue
        cursor.execute("DELETE FROM schema_definitions WHERE kind = %s AND name = %s", key)
        _replace(cursor, one, names, is_mariadb=is_mariadb)
        cursor.execute(
            "INSERT INTO schema_definitions (kind, name, checksum, applied_at) VALUES (%s, %s, %s, UTC_TIMESTAMP(6))",
            (*key, checksum),
        )
        applied.append(one.label)
    cursor.execute(
        "INSERT INTO schema_versions (hash, migration, applied_at) SELECT %s, %s, UTC_TIMESTAMP(6) FROM DUAL"
        " WHERE %s <> COALESCE((SELECT v.hash FROM schema_versions v ORDER BY v.position DESC LIMIT 1), '')",
        (wanted.hash, wanted.newest.version, wanted.hash),
    )
    return applied


def _replace(cursor: "DictCursor", one: Definition, names: Mapping[str, str], *, is_mariadb: bool) -> None:
    """Makes a view or a procedure, in the place of the one that is there.

    MySQL replaces no procedure: there it is away for this moment, and then nobody may execute it until the right to it
    is given back. Callers wait for both.
    """
    if one.kind == "view" or is_mariadb:
        cursor.execute(one.statement.replace("CREATE", "CREATE OR REPLACE", 1))
    else:
        cursor.execute(f"DROP PROCEDURE IF EXISTS {one.name}")
        cursor.execute(one.statement)
    for role, name in names.items():
        if f"EXECUTE ON PROCEDURE {one.name}" in GRANTS[role]:
            cursor.execute(f"GRANT EXECUTE ON PROCEDURE {one.name} TO '{name}'@'%'")


def _set_up_user(cursor: "DictCursor", role: str, credentials: Credentials) -> str:
    """Creates the user or gives it its password; its name."""
    name = credentials.username
    if not _USER_NAME.fullmatch(name):
        raise MigrationError(f"the user of role {role} has a name that is no plain identifier")
    cursor.execute(f"CREATE USER IF NOT EXISTS '{name}'@'%%' IDENTIFIED BY %s", (credentials.password,))
    cursor.execute(f"ALTER USER '{name}'@'%%' IDENTIFIED BY %s REQUIRE SSL", (credentials.password,))
    return name


def _set_rights(cursor: "DictCursor", role: str, name: str) -> None:
    """Gives the user what its role may do, then takes what it has in this database beside that, and nothing else."""
    wanted: dict[str, set[str]] = {}
    for grant in GRANTS[role]:
        cursor.execute(f"GRANT {grant} TO '{name}'@'%'")
        rights, _, thing = grant.partition(" ON ")
        wanted.setdefault(thing, set()).update(_rights(rights))
    cursor.execute(f"SHOW GRANTS FOR '{name}'@'%'")
    lines = [next(iter(row.values())) for row in cursor.fetchall()]
    cursor.execute("SELECT DATABASE() AS name")
    here = f"`{cursor.fetchall()[0]['name']}`."
    for line in lines:
        given = _GIVEN.match(line)
        if given is not None and given["object"].removeprefix("PROCEDURE ").startswith(here):
            thing = given["object"].replace(here, "").replace("`", "")
            excess = _rights(given["rights"]) - wanted.get(thing, set())
            if excess:
                cursor.execute(f"REVOKE {', '.join(sorted(excess))} ON {thing} FROM '{name}'@'%'")
                # who takes a right to a whole table, or all rights, takes that to its columns with it
                for grant in GRANTS[role]:
                    if grant.endswith(f" ON {thing}"):
                        cursor.execute(f"GRANT {grant} TO '{name}'@'%'")


def _set_confirmation_rules(cursor: "DictCursor", rules: ConfirmationRules) -> None:
    """Writes a row for each tier whose rules differ; rows that are planned for later are deleted."""
    cursor.execute("SELECT code FROM tiers")
    for tier in [row["code"] for row in cursor.fetchall()]:
        cursor.execute(
            "DELETE FROM confirmation_rules WHERE tier = %s AND valid_from > UTC_TIMESTAMP(6) + INTERVAL %s SECOND",
            (tier, _RULES_WAIT_S),
        )
        cursor.execute("SELECT * FROM confirmation_rules WHERE tier = %s ORDER BY valid_from DESC LIMIT 1", (tier,))
        newest = [ConfirmationRules(**{name: row[name] for name in _RULES}) for row in cursor.fetchall()]
        if (newest or [ConfirmationRules()]) != [rules]:
            cursor.execute(
                f"INSERT INTO confirmation_rules (tier, valid_from, {', '.join(_RULES)})"  # noqa: S608 - names of ours
                " SELECT %s, UTC_TIMESTAMP(6) + INTERVAL IF(EXISTS (SELECT 1 FROM wallets), %s, 0) SECOND,"
                f" {', '.join(['%s'] * len(_RULES))}",
                (tier, _RULES_WAIT_S, *astuple(rules)),
            )


def _renew_rules(cursor: "DictCursor") -> None:
    """Writes down what is in force now, or the first payment of a tier would have to be made again."""
    cursor.execute("SELECT tier FROM current_rules")
    for row in cursor.fetchall():
        cursor.execute("CALL renew_rules(%s)", (row["tier"],))


def _rights(text: str) -> set[str]:
    """The rights of a grant one by one, as ``SELECT (`id`)`` where it is a column's.

    Servers show all of an object in one line, in an order of their own: those to the whole table, and those to columns.
    """
    rights: set[str] = set()
    for found in _RIGHT.finditer(text.replace("`", "")):
        right, columns = found["right"], found["columns"]
        rights |= {right} if columns is None else {f"{right} (`{column.strip()}`)" for column in columns.split(",")}
    return rights


def run() -> list[str]:
    """Migrates the database that the environment names."""
    settings = wiring.migration()
    connection = settings.connect()
    try:
        return migrate(connection, settings.users, confirmation_rules=settings.confirmation_rules)
    finally:
        connection.close()


if __name__ == "__main__":
    for applied_name in run() or ["everything was applied before; users and rules are as the settings say"]:
        print(applied_name)  # noqa: T201 - the command's answer
