"""The wires cut where they say they do, and carry everything else."""

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pymysql
import pytest

from tests.faults.aws_wire import DYNAMODB, AwsWire, Trouble
from tests.faults.clocks import DatabaseClock, FunctionsClock
from tests.faults.database_wire import GREETING, Cut, DatabaseWire
from tests.faults.hostile_sessions import deadlock, hold_locks
from tests.support.books import Books
from tests.support.client import wait_until
from tests.support.waiting import LOCK_WALLET, is_free
from wallet.storage.database import Database, Server, connect

# --- the database's


@pytest.fixture
def wire(books: Books) -> Iterator[DatabaseWire]:
    with DatabaseWire(books.server.port) as wire:
        yield wire


@pytest.fixture
def through(books: Books, wire: DatabaseWire) -> Server:
    """The server, as functions see it."""
    return Server(books.server.host, wire.port, books.server.database, books.server.ca_pem)


@pytest.fixture
def tally(books: Books) -> Iterator[str]:
    """A statement that leaves a row in a table of its own."""
    books.write("CREATE TABLE tally (n INT NOT NULL)")
    yield "INSERT INTO tally VALUES (1)"
    books.write("DROP TABLE tally")


def rows(books: Books) -> int:
    return len(books.select("SELECT n FROM tally"))


def lost(books: Books, through: Server, wire: DatabaseWire, cut: Cut, statement: str) -> None:
    """A statement whose connection is cut so."""
    connection = connect(through, books.owner_credentials)
    with connection.cursor() as cursor:
        # however the greeting's packets were joined on their way, behind these a statement is one
        for _ in range(GREETING):
            cursor.execute("SELECT 1")
        wire.arm(cut, 1)
        with pytest.raises(pymysql.MySQLError):
            cursor.execute(statement)
    assert wire.struck == {cut: 1}


def test_cut_before_it_was_sent_a_statement_does_nothing(
    books: Books, through: Server, wire: DatabaseWire, tally: str
) -> None:
    lost(books, through, wire, Cut.BEFORE_SENT, tally)
    assert rows(books) == 0


def test_cut_behind_the_commit_a_statement_is_done_and_its_caller_does_not_know(
    books: Books, through: Server, wire: DatabaseWire, tally: str
) -> None:
    lost(books, through, wire, Cut.ANSWER_LOST, tally)
    assert rows(books) == 1


def test_cut_while_it_ran_a_statement_is_done_or_not(
    books: Books, through: Server, wire: DatabaseWire, tally: str
) -> None:
    lost(books, through, wire, Cut.BEHIND_SENT, tally)
    assert rows(books) in (0, 1)


def test_what_is_not_cut_goes_through(books: Books, through: Server, wire: DatabaseWire) -> None:
    wire.arm(Cut.BEFORE_SENT, 5)
    wire.disarm()
    database = Database(through, lambda *, fresh: books.owner_credentials)  # noqa: ARG005
    assert [database.read("SELECT %s AS n", n)[0]["n"] for n in range(20)] == list(range(20))
    database.close()


def test_a_database_that_refuses_connections_is_unreachable_until_it_does_not(
    books: Books, through: Server, wire: DatabaseWire
) -> None:
    wire.refuses = True
    with pytest.raises(pymysql.MySQLError):
        connect(through, books.owner_credentials)
    wire.refuses = False
    connect(through, books.owner_credentials).close()


def test_a_wrong_clock_is_what_functions_are_told_and_nobody_else(
    books: Books, through: Server, wire: DatabaseWire
) -> None:
    clock = DatabaseClock(lambda: connect(books.server, books.owner_credentials), wire.cut_all)
    asked = "SELECT TIMESTAMPDIFF(SECOND, SYSDATE(), UTC_TIMESTAMP()) AS off"
    database = Database(through, books.credentials_of("money"))
    assert -1 <= database.read(asked)[0]["off"] <= 0
    clock.set(300)
    try:
        assert 250 <= database.read(asked)[0]["off"] <= 300  # it stands still
        assert -1 <= books.select(asked)[0]["off"] <= 0
    finally:
        clock.set(0)
    assert -1 <= database.read(asked)[0]["off"] <= 0
    database.close()


def test_half_of_the_functions_processes_are_told_a_wrong_time(tmp_path: Path) -> None:
    clock = FunctionsClock(tmp_path)
    clock.set(300)
    code = (
        "import os, time, datetime, json\n"
        "from aws_lambda_powertools.utilities.idempotency.persistence import datarecord\n"
        "right = datetime.datetime.now().timestamp()\n"
        "told = [time.time() - right, time.time_ns() / 1e9 - right, datarecord.dt.datetime.now().timestamp() - right]\n"
        "print(json.dumps([os.getpid() % 2, *told]))\n"
    )
    environment = {**os.environ, **clock.environment, "AWS_LAMBDA_FUNCTION_NAME": "pay"}
    seen = set()
    for _ in range(40):
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        odd, *off = json.loads(done.stdout)
        assert [round(one / 10) * 10 for one in off] == [300 if odd else 0] * 3
        seen.add(odd)
        if seen == {0, 1}:
            return
    pytest.fail("all processes had even numbers, or all odd")


# --- AWS's


class _Table(BaseHTTPRequestHandler):
    """What takes records, and keeps count."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    kept: list[str] = []  # noqa: RUF012 - one server a test

    def do_POST(self) -> None:
        self.kept.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response_only(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Say nothing."""


@pytest.fixture
def aws() -> Iterator[AwsWire]:
    _Table.kept.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Table)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with AwsWire(server.server_address[1]) as wire:
        yield wire
    server.shutdown()
    server.server_close()


def put(wire: AwsWire) -> int | None:
    """A record; the status, None if no answer came."""
    connection = http.client.HTTPConnection("127.0.0.1", wire.port, timeout=10)
    try:
        connection.request("POST", "/", b"a record", {"X-Amz-Target": "DynamoDB_20120810.PutItem"})
        return connection.getresponse().status
    except http.client.RemoteDisconnected:
        return None
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("trouble", "status", "kept"),
    [
        (Trouble.FAILS, 500, 0),
        (Trouble.THROTTLED, 400, 0),
        (Trouble.LOSES_RECORD, 200, 0),
        (Trouble.LOSES_ANSWER, None, 1),
        (Trouble.SLOW, 200, 1),
    ],
)
def test_a_request_meets_what_is_armed_once_and_the_next_goes_through(
    aws: AwsWire, trouble: Trouble, status: int | None, kept: int
) -> None:
    aws.arm(DYNAMODB, trouble, 1)
    assert put(aws) == status
    assert len(_Table.kept) == kept
    assert put(aws) == 200
    assert len(_Table.kept) == kept + 1
    assert aws.struck == {f"DynamoDB: {trouble}": 1}


def test_another_service_is_left_alone(aws: AwsWire) -> None:
    aws.arm("AWSEvents", Trouble.FAILS, 1)
    assert put(aws) == 200


# --- hostile sessions


def test_locks_in_the_wrong_order_are_a_deadlock(books: Books) -> None:
    first, second = sorted((books.person().wallet_id.hex for _ in range(2)), reverse=True)

    def connect_as_owner() -> "pymysql.Connection[Any]":
        connection = books.connect()
        with connection.cursor() as cursor:
            cursor.execute("SET innodb_lock_wait_timeout = 25")  # longer than the longest pause
        return connection

    def deadlocks() -> int:
        query = "SELECT count AS n FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'"
        return int(books.select(query)[0]["n"])

    before = deadlocks()
    for between_s in (1.0, 4.0, 16.0):  # on a busy machine one may be through before the other has begun
        in_order = threading.Thread(target=deadlock, args=(connect_as_owner, (second, first), between_s))
        in_order.start()
        deadlock(connect_as_owner, (first, second), between_s)
        in_order.join()
        if deadlocks() > before:
            break
    assert deadlocks() == before + 1


def test_a_locked_wallet_keeps_others_waiting(books: Books) -> None:
    wallet = books.person().wallet_id
    holding = threading.Thread(target=hold_locks, args=(books.connect, wallet.hex, 15.0))
    holding.start()
    wait_until(lambda: not is_free(books, LOCK_WALLET, wallet.bytes))
    with pytest.raises(pymysql.MySQLError, match="1205"):
        books.write("UPDATE wallets SET tier = 'small' WHERE id = %s", wallet.bytes)
    holding.join()
