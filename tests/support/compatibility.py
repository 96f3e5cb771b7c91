"""What the code of the last release uses of the database, written down when it was released (`schema/released.json`).

Migrations run while that code answers, and it runs on them again when a release is taken back. So everything in there
holds for each migration until the next release: what each role may read, what it calls and with what, and what it is
answered.

`make released` writes it anew, on the day of a release, from the migrations that are there.
"""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql

import migrate
import roles
from local.database import NO_POWER_CUT, PrivateServer
from local.state import ROOT
from tests.support.books import Books
from wallet.ledger.refusals import Refusal

RELEASED = ROOT / "schema" / "released.json"

Json = dict[str, Any]

# that a call doesn't get through; what it says of arguments that are all NULL is no finding
_BROKEN_CALLS = frozenset({1054, 1142, 1143, 1146, 1305, 1318, 1364, 1370})
# words that older code is not told: `answer_payer` and `check_bulk_quota` have an old one for each, and a file's row
# keeps them as a text
_PAYEES = frozenset({"payee_unavailable", "too_many_lookups"})
_FILES = frozenset({"too_many_bulk_payments"})
_TRANSLATED = {
    "post_payment": _PAYEES,
    "place_hold": _PAYEES,
    "pay_bulk_row": _PAYEES,
    "open_bulk_payment": _FILES,
    "retry_bulk_payment": _FILES,
}
_SIZED = frozenset({"char", "varchar", "binary", "varbinary"})
_TIMES = frozenset({"datetime", "timestamp", "time"})
_GRANT = re.compile(r"SELECT( \((?P<columns>[^)]+)\))? ON (?P<table>[a-z_]+)")
_KEY = re.compile(r"JSON_OBJECT\(")
_ANSWER = re.compile(r"(?:^|;|\bTHEN\b|\bELSE\b|\bBEGIN\b|\bDO\b)\s*(SELECT\b[^;]*)", re.IGNORECASE)
_NAMED = re.compile(r"(\w+)\s*$")  # `… AS name`, or a column as it is called


def snapshot(books: Books) -> Json:
    """What code may use of a migrated database, as its owner sees it."""
    procedures, texts = _parameters(books), _texts(books)
    called = {name for grants in roles.GRANTS.values() for name in _executed(grants)}
    return {
        "migration": migrate.migrations()[-1].version,
        "refusals": sorted(refusal.value for refusal in Refusal),
        "procedures": {
            name: {"parameters": procedures.get(name, []), "answers": _answers(texts, name)} for name in sorted(called)
        },
        "tables": _tables(books),
        "reads": {role: _reads(books, grants) for role, grants in roles.GRANTS.items()},
        "calls": {role: sorted(_executed(grants)) for role, grants in roles.GRANTS.items()},
    }


def breaches(books: Books, released: Json) -> list[str]:
    """What of a released snapshot no longer holds on a migrated database; asked for by the roles' own users."""
    return [
        *_of_procedures(books, released),
        *_of_refusals(books, released),
        *_of_tables(books, released),
        *_of_roles(books, released),
    ]


def _of_procedures(books: Books, released: Json) -> Iterator[str]:
    now, texts = _parameters(books), _texts(books)
    for name, was in released["procedures"].items():
        if name not in now:
            yield f"procedure {name} is gone"
        elif now[name] != was["parameters"]:
            yield f"procedure {name} takes {now[name]}, and took {was['parameters']}"
        else:
            missing = {one for one in was["answers"] if one not in _answers(texts, name)}
            if missing:
                yield f"procedure {name} no longer answers {', '.join(sorted(missing))}"


def _of_refusals(books: Books, released: Json) -> Iterator[str]:
    """A word for a refusal that the release doesn't know is an error to it, and to its callers a 500."""
    texts, new = _texts(books), {refusal.value for refusal in Refusal} - set(released["refusals"])
    for name in released["procedures"]:
        words = {word for one in _reached(texts, name) for word in re.findall(r"'(\w+)'", texts.get(one, ""))}
        for word in sorted(words & new - _TRANSLATED.get(name, frozenset())):
            yield f"procedure {name} may refuse with {word}"


def _of_tables(books: Books, released: Json) -> Iterator[str]:
    now = _tables(books)
    for table, was in released["tables"].items():
        columns = now.get(table, {})
        for name, kind in was.items():
            if name not in columns:
                yield f"column {table}.{name} is gone"
            elif kind != "view" and columns[name] != kind and not _is_wider(columns[name], kind):
                yield f"column {table}.{name} is {columns[name]}, and was {kind}"
    for row in books.select(
        "SELECT TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()"
        " AND IS_NULLABLE = 'NO' AND COLUMN_DEFAULT IS NULL AND EXTRA = ''"
    ):
        if (
            row["t"] in released["tables"]
            and row["c"] not in released["tables"][row["t"]]
            and row["c"] in now[row["t"]]
        ):
            yield f"column {row['t']}.{row['c']} is new, must be given, and has no default"


def _is_wider(now: str, was: str) -> bool:
    """Whether a text of so many signs is one of more now."""
    kind, _, length = was.partition(" ")
    kind_now, _, length_now = now.partition(" ")
    return kind == kind_now and kind in _SIZED and int(length_now) >= int(length)


def _of_roles(books: Books, released: Json) -> Iterator[str]:
    for role, tables in released["reads"].items():
        with closing(books.connect(role)) as connection, connection.cursor() as cursor:
            for table, columns in tables.items():
                try:
                    cursor.execute(f"SELECT {', '.join(f'`{one}`' for one in columns)} FROM {table} LIMIT 0")  # noqa: S608
                except pymysql.MySQLError as error:
                    yield f"{role} can't read {table} ({', '.join(columns)}): {error.args}"
            for name in released["calls"][role]:
                parameters = len(released["procedures"][name]["parameters"])
                try:
                    cursor.execute(f"CALL {name}({', '.join(['NULL'] * parameters)})")
                    cursor.fetchall()
                except pymysql.MySQLError as error:
                    if error.args[0] in _BROKEN_CALLS:
                        yield f"{role} can't call {name}: {error.args}"
                connection.rollback()


def _parameters(books: Books) -> dict[str, list[str]]:
    """The parameters of each procedure, as a caller has to know them."""
    names = books.select("SELECT ROUTINE_NAME AS p FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()")
    found: dict[str, list[str]] = {row["p"]: [] for row in names}
    for row in books.select(
        "SELECT SPECIFIC_NAME AS p, PARAMETER_MODE AS mode, DATA_TYPE AS kind, CHARACTER_MAXIMUM_LENGTH AS length,"
        " DATETIME_PRECISION AS digits, DTD_IDENTIFIER AS whole FROM information_schema.PARAMETERS"
        " WHERE SPECIFIC_SCHEMA = DATABASE() AND PARAMETER_MODE IS NOT NULL ORDER BY SPECIFIC_NAME, ORDINAL_POSITION"
    ):
        found[row["p"]].append(f"{row['mode']} {_kind(row)}")
    return found


def _tables(books: Books) -> dict[str, dict[str, str]]:
    """The columns of tables and views that some role may read, and their types; of a view's just that they are."""
    readable = {table for grants in roles.GRANTS.values() for table, _ in _read(grants)}
    found: dict[str, dict[str, str]] = {}
    for row in books.select(
        "SELECT c.TABLE_NAME AS t, c.COLUMN_NAME AS c, c.DATA_TYPE AS kind, c.CHARACTER_MAXIMUM_LENGTH AS length,"
        " c.DATETIME_PRECISION AS digits, c.COLUMN_TYPE AS whole, v.TABLE_TYPE AS sort"
        " FROM information_schema.COLUMNS c JOIN information_schema.TABLES v"
        " ON v.TABLE_SCHEMA = c.TABLE_SCHEMA AND v.TABLE_NAME = c.TABLE_NAME"
        " WHERE c.TABLE_SCHEMA = DATABASE() ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION"
    ):
        if row["t"] in readable:
            found.setdefault(row["t"], {})[row["c"]] = "view" if row["sort"] == "VIEW" else _kind(row)
    return found


def _kind(row: Mapping[str, Any]) -> str:
    """A type in one form for all servers."""
    kind = "longtext" if row["kind"] == "json" else str(row["kind"])
    if kind in _SIZED:
        return f"{kind} {row['length']}"
    if kind in _TIMES:
        return f"{kind} {row['digits']}"
    return f"{kind} unsigned" if "unsigned" in str(row["whole"]) else kind


def _executed(grants: tuple[str, ...]) -> set[str]:
    return {grant.removeprefix("EXECUTE ON PROCEDURE ") for grant in grants if grant.startswith("EXECUTE")}


def _read(grants: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Tables and views, and the columns of each that may be read; none named are all."""
    for grant in grants:
        found = _GRANT.fullmatch(grant)
        if found is not None:
            yield found["table"], (found["columns"] or "").replace(" ", "").split(",") if found["columns"] else []


def _reads(books: Books, grants: tuple[str, ...]) -> dict[str, list[str]]:
    tables = _tables(books)
    return {table: columns or list(tables[table]) for table, columns in _read(grants)}


def _answers(texts: Mapping[str, str], procedure: str) -> list[str]:
    """Columns that it answers, and keys of the objects in them; by itself or through those that it calls."""
    named: set[str] = set()
    for text in (texts.get(name, "") for name in _reached(texts, procedure)):
        named |= {f"result.{key}" for key in _keys(text)}
        for statement in _ANSWER.findall(text):
            if not re.search(r"\bINTO\b", statement, re.IGNORECASE):
                named |= {found[1] for part in _parts(_list_of(statement)) if (found := _NAMED.search(part))}
    return sorted(named)


def _reached(texts: Mapping[str, str], procedure: str) -> set[str]:
    """A procedure and those that it calls, and so on."""
    seen: set[str] = set()
    waiting = [procedure]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += re.findall(r"\bCALL (\w+)", texts.get(name, ""))
    return seen


def _texts(books: Books) -> dict[str, str]:
    """The bodies of all procedures, without comments."""
    rows = books.select(
        "SELECT ROUTINE_NAME AS p, ROUTINE_DEFINITION AS body FROM information_schema.ROUTINES"
        " WHERE ROUTINE_SCHEMA = DATABASE()"
    )
    return {row["p"]: re.sub(r"(?m)--.*$", "", str(row["body"])) for row in rows}


def _list_of(statement: str) -> str:
    """What a SELECT selects: from its beginning to its own FROM."""
    depth = 0
    for found in re.finditer(r"[()]|\bFROM\b", statement):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if found[0] == "FROM" and depth == 0:
            return statement[: found.start()]
    return statement


def _parts(text: str) -> list[str]:
    """A text in parts, at the commas that stand in no brackets; what is in them stays with its part."""
    parts, depth = [""], 0
    for sign in text:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _keys(text: str) -> Iterator[str]:
    for found in _KEY.finditer(text):
        inside, depth = "", 1
        for sign in text[found.end() :]:
            depth += {"(": 1, ")": -1}.get(sign, 0)
            if depth == 0:
                break
            inside += sign
        for key in _parts(inside)[::2]:
            if re.fullmatch(r"\s*'\w+'\s*", key):
                yield key.strip().strip("'")


def _lines(content: Json) -> str:
    return "{\n" + ",\n".join(f"    {json.dumps(name)}: {json.dumps(one)}" for name, one in content.items()) + "\n  }"


def write() -> None:
    """Migrates an empty database, and writes down what it has for code."""
    with tempfile.TemporaryDirectory() as folder, PrivateServer(Path(folder), options=NO_POWER_CUT) as server:
        books = Books(server)
        books.migrate()
        # a line for each procedure, table and role, so that a change of them can be read
        told = [
            f"  {json.dumps(part)}: {_lines(content) if isinstance(content, dict) else json.dumps(content)}"
            for part, content in snapshot(books).items()
        ]
        RELEASED.write_text("{\n" + ",\n".join(told) + "\n}\n")


if __name__ == "__main__":
    write()
