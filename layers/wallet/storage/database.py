"""One connection to MySQL for the life of a process, and what to do when it breaks.

A Lambda environment serves one request at a time, so a pool of one is the right pool; RDS Proxy holds the real one.
The connection is opened at first use, never at import, and is in autocommit mode: an atomic block is a procedure.

Every write is one CALL of a procedure that can be called again with the same arguments: its key, its ids or its
digest make the second call find what the first one did. That is why a call whose outcome is unknown (the connection
broke before the answer) is simply made again on a new connection: it asks the database, it doesn't guess. (Three
counters are the exception, and move no money: a login attempt and a payee who is looked up or can't be paid may be
counted twice, a question to the gateway be put off.)
"""

import json
import random
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pymysql
from pymysql.cursors import DictCursor

from wallet.ledger.limits import BrokenLimit, LimitCode
from wallet.ledger.refusals import Refusal, Refused, RequiredConfirmation
from wallet.storage.rows import time_of, uuid_of

Row = dict[str, Any]

# Seconds. The server gives up one lock wait after 3 (innodb_lock_wait_timeout); we give up an answer after 5, and ask
# once more at the most if that much time is gone, so 12 in all; Lambda gives up the function after 15, API Gateway
# after 29.
_CONNECT_TIMEOUT = 2
READ_TIMEOUT = 5
_PATIENCE = 6.0
_TRIES = 6

_CONTENDED = frozenset({1205, 1213})  # lock wait, deadlock: rolled back by the procedure; make room and try again
_BROKEN = 2013
# outcome unknown, or wrong server
_LOST = frozenset({0, 1053, 1290, 1317, 1836, 1927, 2006, _BROKEN, 2055, 3169, 4031})
_WRONG_PASSWORD = 1045
# full (of prepared statements, too: 1461), down, too slow, with a password that our secret does not know yet, or being
# migrated (a procedure is away, or has other parameters, or the right to it is away); 9501 is RDS Proxy's, which had no
# connection free within its ConnectionBorrowTimeout
_NO_ENTRY = frozenset(
    {1040, _WRONG_PASSWORD, 1129, 1142, 1143, 1203, 1226, 1305, 1318, 1370, 1461, 1969, 2002, 2003, 2005, 3024, 9501}
)
# ended by the server, as its time was over: MySQL, MariaDB
_TOO_SLOW = frozenset({3024, 1969})
# how a SELECT begins that may take so long: MySQL, MariaDB
_TIME_LIMITS = (
    "SELECT /*+ MAX_EXECUTION_TIME({milliseconds}) */",
    "SET STATEMENT max_statement_time = {seconds} FOR SELECT",
)
_REFUSALS = {refusal.value: refusal for refusal in Refusal}


class DatabaseUnavailableError(Exception):
    """The database can't be reached or can't serve now; nothing is known to have moved. The same key works later."""


class DatabaseTooSlowError(DatabaseUnavailableError):
    """The server ended a query that took longer than it was given."""


class DatabaseBrokenError(Exception):
    """The database said something that no caller can mend: a broken promise between the code and the schema."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A database user's name and password."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Server:
    """Where the database is. `ca_pem` is the authority that signed its certificate; '' is the system's own list."""

    host: str
    port: int
    database: str
    ca_pem: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a procedure said: its word, and what it tells with it (empty if nothing).

    That is a row of columns, or what a column `result` has as JSON.
    """

    outcome: str
    result: Row


class AskCredentials(Protocol):
    """Whose connection it is; asked `fresh` when the known password is refused."""

    def __call__(self, *, fresh: bool) -> Credentials:
        """The user's name and password."""
        ...


class Reader(Protocol):
    """What can be asked."""

    def read(self, query: str, *arguments: object) -> list[Row]:
        """Runs a SELECT."""
        ...


#: Every session's, whatever the server's own is: what is too long or no number is an error, never cut to fit.
SQL_MODE = "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"


def connect(
    server: Server, credentials: Credentials, *, patience_s: int = READ_TIMEOUT
) -> "pymysql.Connection[DictCursor]":
    """Opens a connection over TLS, verified: `ssl_ca=` alone would encrypt to anybody (PyMySQL's default).

    `patience_s`: how many seconds an answer may take.
    """
    return pymysql.connect(
        host=server.host,
        port=server.port,
        database=server.database,
        user=credentials.username,
        password=credentials.password,
        ssl=_tls(server.ca_pem),
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=patience_s,
        write_timeout=patience_s,
        sql_mode=SQL_MODE,
        cursorclass=DictCursor,
    )


class Database:
    """A connection that mends itself.

    `credentials` is asked once, and again if the password has changed since (`fresh=True`). `patience_s`: how many
    seconds an answer may take.
    """

    def __init__(self, server: Server, credentials: AskCredentials, *, patience_s: int = READ_TIMEOUT) -> None:
        self._server = server
        self._credentials = credentials
        self._patience_s = patience_s
        self._connection: pymysql.Connection[DictCursor] | None = None

    def call(self, procedure: str, *arguments: object) -> Answer:
        """Runs a procedure of the kernel: one round trip, one commit.

        Raises `Refused` if the procedure refuses, `DatabaseUnavailableError` if it can't be asked.
        """
        placeholders = ", ".join(["%s"] * len(arguments))
        row = self._ask(f"CALL {procedure}({placeholders})", arguments)[0]
        refusal = _REFUSALS.get(row["outcome"])
        result = _result_of(row)
        if refusal is not None:
            # one that the code of the release before does not know has its `code` in the result
            raise Refused(
                Refusal(result.get("code", refusal)),
                retry_after_s=result.get("retry_after_s"),
                limit=_limit_of(result) if "limit" in result else None,
                confirmation=_confirmation_of(result) if "confirmation_id" in result else None,
            )
        return Answer(row["outcome"], result)

    def read(self, query: str, *arguments: object) -> list[Row]:
        """Runs a SELECT."""
        return self._ask(query, arguments)

    def close(self) -> None:
        """Drops the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()  # sends a farewell, and minds no error

    def read_within(self, seconds: int, query: str, *arguments: object) -> list[Row]:
        """Runs a SELECT that the server ends after so many seconds: then raises DatabaseTooSlowError.

        The limit is this query's alone, on whatever connection it is asked.
        """
        limit = _TIME_LIMITS["MariaDB" in str(self.read("SELECT VERSION() AS version")[0]["version"])]
        limited = limit.format(seconds=seconds, milliseconds=1000 * seconds)
        return self.read(limited + query.strip().removeprefix("SELECT"), *arguments)

    @contextmanager
    def snapshot(self) -> Iterator["Reader"]:
        """Within it everything is read as it was at one moment, on a connection of its own. It locks nothing.

        A connection that is lost ends it, by an error: on another one the moment would be another.
        """
        own = Database(self._server, self._credentials, patience_s=self._patience_s)
        try:
            own.read("SELECT 1")  # opens it, with patience
            snapshot = _Snapshot(own._session())
            snapshot.read("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            snapshot.read("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            yield snapshot
        finally:
            own.close()

    def _ask(self, statement: str, arguments: tuple[object, ...]) -> list[Row]:
        give_up_at = time.monotonic() + _PATIENCE
        for attempt in range(1, _TRIES + 1):
            try:
                rows = self._send(statement, arguments)
            except pymysql.MySQLError as error:
                code = _code(error)
                if code in _LOST or code in _NO_ENTRY:
                    self.close()
                elif code not in _CONTENDED:
                    self.close()
                    raise DatabaseBrokenError(f"{statement.partition('(')[0]}: error {code}") from error
                if code in _TOO_SLOW:
                    raise DatabaseTooSlowError(f"error {code}") from error
                if attempt == _TRIES or code in _NO_ENTRY or time.monotonic() > give_up_at:
                    raise DatabaseUnavailableError(f"error {code}") from error
            else:
                if not (rows and rows[0].get("outcome") == "try_again"):
                    return rows
            time.sleep(random.uniform(0.005, 0.05) * attempt)  # noqa: S311 - jitter, not a secret
        raise DatabaseUnavailableError("contended")

    def _send(self, statement: str, arguments: tuple[object, ...]) -> list[Row]:
        with self._session().cursor() as cursor:
            cursor.execute(statement, arguments)
            rows = list(cursor.fetchall())
            while cursor.nextset():  # a CALL ends with a status of its own, in the same answer
                pass
        return rows

    def _session(self) -> "pymysql.Connection[DictCursor]":
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> "pymysql.Connection[DictCursor]":
        try:
            return connect(self._server, self._credentials(fresh=False), patience_s=self._patience_s)
        except pymysql.MySQLError as error:
            if _code(error) != _WRONG_PASSWORD:
                raise
        return connect(self._server, self._credentials(fresh=True), patience_s=self._patience_s)


class _Snapshot:
    """A connection inside a snapshot."""

    def __init__(self, connection: "pymysql.Connection[DictCursor]") -> None:
        self._connection = connection

    def read(self, query: str, *arguments: object) -> list[Row]:
        """Runs a SELECT."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(query, arguments)
                return list(cursor.fetchall())
        except pymysql.MySQLError as error:
            raise DatabaseUnavailableError(f"the snapshot is lost: error {_code(error)}") from error


def _result_of(row: Row) -> Row:
    """What a procedure tells with its word."""
    if "result" not in row:
        return {name: value for name, value in row.items() if name != "outcome"}
    return {} if row["result"] is None else dict(json.loads(row["result"]))


def _limit_of(told: Row) -> BrokenLimit:
    """The caller's own limit that a procedure refuses for."""
    return BrokenLimit.at(LimitCode(told["limit"]), told["left"], time_of(told["at"]))


def _confirmation_of(told: Row) -> RequiredConfirmation:
    """What a procedure requires to be confirmed first."""
    return RequiredConfirmation(
        uuid_of(told["confirmation_id"]), tuple(told["methods"].split(",")), time_of(told["expires_at"])
    )


_contexts: dict[str, ssl.SSLContext] = {}


def _tls(ca_pem: str) -> ssl.SSLContext:
    """One context per authority: building it takes ten times as long as the handshake."""
    context = _contexts.get(ca_pem)
    if context is None:
        context = _contexts[ca_pem] = ssl.create_default_context(cadata=ca_pem or None)
    return context


def _code(error: pymysql.MySQLError) -> int:
    """The server's error number; the class of the exception says nothing reliable.

    A connection that breaks in the middle of its handshake is a broken one too, though PyMySQL says 2003, as if nobody
    had been there. A restart does it, and a KILL on MySQL: it closes the socket of a session whose thread may still
    write, and what that writes goes to the connection that got the socket's number next. TLS won't take it.
    """
    met = getattr(error, "original_exception", None)  # why it could not be opened
    broke = isinstance(met, ssl.SSLError | ConnectionResetError | BrokenPipeError)
    if broke and not isinstance(met, ssl.SSLCertVerificationError):
        return _BROKEN
    code = error.args[0] if error.args else 0
    return code if isinstance(code, int) else 0
