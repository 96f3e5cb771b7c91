"""Database sessions that do what no function does: hold a lock for seconds, take locks in the wrong order."""

import contextlib
import time
from collections.abc import Sequence

import pymysql

from tests.faults.clocks import Connect

_DEADLOCK = 1213
_LOCK = "SELECT id FROM wallets WHERE id = UNHEX(%s) FOR UPDATE"


def hold_locks(connect: Connect, wallet: str, seconds: float) -> None:
    """Keeps a wallet's row locked, so that whoever needs it waits, and perhaps waits too long."""
    with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
        connection.begin()
        cursor.execute(_LOCK, (wallet,))
        time.sleep(seconds)
        connection.rollback()


def deadlock(connect: Connect, wallets: Sequence[str], between_s: float) -> None:
    """Locks wallets one by one, the highest id first, as nobody may: it, or whoever it meets, has to give way."""
    with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
        connection.begin()
        try:
            for wallet in wallets:
                cursor.execute(_LOCK, (wallet,))
                time.sleep(between_s)
        except pymysql.MySQLError as error:
            if error.args[0] != _DEADLOCK:
                raise
        finally:
            with contextlib.suppress(pymysql.MySQLError):
                connection.rollback()
