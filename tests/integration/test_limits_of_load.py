"""A database that is full or busy: a function says 503 and when to come back, early; the same key works afterwards."""

import contextlib
import gc
import json
import time
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest

from tests.integration.conftest import Functions
from tests.integration.test_functions_under_faults import payment_event
from tests.support.books import Books, unique
from wallet.storage import database
from wallet.storage.database import Credentials, Database, DatabaseUnavailableError, Server

Json = dict[str, Any]

# A function is given up by Lambda after 15 seconds, and by API Gateway after 29.
_KILLED_S = 15


def refused(answer: Json) -> bool:
    """Whether it is told to come back, and when."""
    body = json.loads(answer["body"])
    return (answer["statusCode"], body["code"], int(answer["headers"]["Retry-After"]) >= 1) == (503, "try_again", True)


@contextlib.contextmanager
def full(books: Books) -> Iterator[None]:
    """Within it, all of the server's connections are taken."""
    gc.collect()  # a connection that others left in a cycle would give its place back in the middle of this
    owner = books.connect()
    taken: list[Any] = []
    try:
        with owner.cursor() as cursor:
            cursor.execute("SHOW GLOBAL VARIABLES LIKE 'max_connections'")
            usual = int(cursor.fetchall()[0]["Value"])
            cursor.execute("SET GLOBAL max_connections = 10")
            try:
                refusals = 0
                while refusals < 5:  # who has just left may still have a place
                    try:
                        taken.append(books.connect("reader"))
                        refusals = 0
                    except pymysql.MySQLError:
                        refusals += 1
                        time.sleep(0.1)
                yield
            finally:
                cursor.execute("SET GLOBAL max_connections = %s", (usual,))
    finally:
        for connection in (*taken, owner):
            connection.close()


def test_who_finds_the_database_full_is_told_so_at_once_and_served_when_it_is_not(
    books: Books, functions: Functions
) -> None:
    payer, payee = books.person(money=1_000), books.person()
    event = payment_event(payer, payee, unique("key-"))
    pay = functions.make("pay")
    with full(books):
        turned_away = pay.invoke(event)
        began = time.monotonic()
        again = pay.invoke(event)  # warm by now: how long a machine takes to start it says nothing
        took = time.monotonic() - began
    assert refused(turned_away)
    assert refused(again)
    assert took < _KILLED_S
    assert books.balance(payer) == 1_000
    assert pay.invoke(event)["statusCode"] == 201
    assert books.balance(payer) == 940


def test_who_is_in_goes_on_paying_while_the_database_is_full_for_others(books: Books, functions: Functions) -> None:
    payer, payee = books.person(money=1_000), books.person()
    pay = functions.make("pay")
    assert pay.invoke(payment_event(payer, payee, unique("key-")))["statusCode"] == 201
    with full(books):
        assert pay.invoke(payment_event(payer, payee, unique("key-")))["statusCode"] == 201


def test_who_waits_too_long_for_a_wallet_is_told_to_come_back_before_the_function_is_killed(
    books: Books, functions: Functions
) -> None:
    payer, payee = books.person(money=1_000), books.person()
    event = payment_event(payer, payee, unique("key-"))
    pay = functions.make("pay")
    assert pay.invoke(payment_event(payer, payee, unique("key-"), 1))["statusCode"] == 201  # it is warm
    holder = books.connect()
    try:
        holder.begin()
        with holder.cursor() as cursor:
            cursor.execute("SELECT id FROM wallets WHERE id = %s FOR UPDATE", (payer.wallet_id.bytes,))
        began = time.monotonic()
        answer = pay.invoke(event, timeout_s=_KILLED_S)
        took = time.monotonic() - began
    finally:
        holder.close()
    assert refused(answer)
    assert took < _KILLED_S
    assert pay.invoke(event)["statusCode"] == 201
    assert books.balance(payer) == 939


@pytest.mark.parametrize(
    ("code", "says"),
    [
        pytest.param(1040, "Too many connections", id="the server is full"),
        pytest.param(1203, "User wallet_money already has more than 'max_user_connections'", id="the user is"),
        pytest.param(1226, "User 'wallet_money' has exceeded the 'max_user_connections' resource", id="its account is"),
        pytest.param(9501, "Timed-out waiting to acquire database connection", id="the proxy has no connection free"),
    ],
)
def test_no_connection_to_be_had_is_an_outage_and_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, code: int, says: str
) -> None:
    asked: list[int] = []

    def turned_away(*_: object, **__: object) -> None:
        asked.append(code)
        raise pymysql.err.OperationalError(code, says)

    monkeypatch.setattr(database, "connect", turned_away)
    nobody = Database(Server("nowhere", 3306, "wallet", ""), lambda *, fresh: Credentials("wallet_money", ""))  # noqa: ARG005 - never changes
    with pytest.raises(DatabaseUnavailableError):
        nobody.read("SELECT 1")
    assert len(asked) == 1
