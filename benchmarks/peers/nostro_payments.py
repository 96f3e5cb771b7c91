"""A payment by hf-nostro, which has debits and credits: both in one transaction, as its README joins them (`cur=`)."""

import ssl
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import pymysql
from nostro import Ledger
from nostro.migrate import migrate
from psycopg_pool import ConnectionPool
from told import POSTGRESQL_SAYS, Peer, serve

_SCALE = 2


class Nostro(Peer):
    """On PostgreSQL or on MySQL; accounts by their ids, which its README says cost nothing."""

    def __init__(self, database: dict[str, Any]) -> None:
        self._database = database
        self._on_mysql = database["scheme"] == "mysql"
        self._accounts: dict[str, uuid.UUID] = {}

    def lay(self, people: int, money: int) -> list[str]:
        migrate(dsn=self._dsn, scale=_SCALE)
        tenant = uuid.uuid4().hex
        accounts = [self._ledger.accounts.create(tenant, str(number)) for number in range(people + 1)]
        for account in accounts[:-1]:
            self._ledger.credit(
                account, self._ledger.amount_of_units(money), category="topup", idempotency_key=uuid.uuid4().hex
            )
        return [str(account.id) for account in accounts]

    def open(self, wallets: Sequence[str]) -> None:
        self._accounts = {wallet: uuid.UUID(wallet) for wallet in wallets}

    def pay(self, payer: str, payee: str, *, merchant: bool) -> None:
        del merchant  # to it all accounts are alike
        ledger, key, amount = self._ledger, uuid.uuid4().hex, self._ledger.amount_of_units(1)
        with self._transaction() as cur:
            ledger.debit(self._accounts[payer], amount, category="payment", idempotency_key=key, cur=cur)
            ledger.credit(self._accounts[payee], amount, category="payment", idempotency_key=key, cur=cur)

    def balance(self, wallets: Sequence[str]) -> int:
        ids = [self._accounts[wallet] for wallet in wallets]
        # it takes two hundred at once
        accounts = [one for at in range(0, len(ids), 200) for one in self._ledger.balances(ids[at : at + 200])]
        return sum(account.balance.to_units() for account in accounts)

    def durability(self) -> str:
        with self._transaction() as cur:
            if self._on_mysql:
                cur.execute(
                    "SELECT CONCAT('MySQL ', @@version, ': innodb_flush_log_at_trx_commit=',"
                    " @@innodb_flush_log_at_trx_commit, ', sync_binlog=', @@sync_binlog, ', log_bin=', @@log_bin)"
                )
            else:
                cur.execute(POSTGRESQL_SAYS)
            return str(cur.fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        """A cursor of ours, and its commit: from a pool on PostgreSQL, and on MySQL, where it takes none, without."""
        if not self._on_mysql:
            with self._pool.connection() as connection, connection.cursor() as cur:
                yield cur
            return
        try:
            with self._mysql.cursor() as cur:
                yield cur
            self._mysql.commit()
        except BaseException:
            self._mysql.rollback()
            raise

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(dsn=self._dsn, scale=_SCALE) if self._on_mysql else Ledger(pool=self._pool, scale=_SCALE)

    @cached_property
    def _pool(self) -> "ConnectionPool[Any]":
        return ConnectionPool(self._dsn, min_size=1, max_size=1, open=True)

    @cached_property
    def _mysql(self) -> "pymysql.Connection[Any]":
        known = self._database
        return pymysql.connect(
            host=known["host"],
            port=known["port"],
            user=known["user"],
            password=known["password"],
            database=known["database"],
            ssl=ssl.create_default_context(cafile=known["ca"]),
            charset="utf8mb4",
            autocommit=False,
        )

    @property
    def _dsn(self) -> str:
        known = self._database
        if self._on_mysql:
            tls = {"ssl_mode": "verify_identity", "ssl_ca": known["ca"]}
        else:
            tls = {"sslmode": "verify-full", "sslrootcert": known["ca"]}
        where = f"{known['host']}:{known['port']}/{known['database']}"
        return f"{known['scheme']}://{known['user']}:{known['password']}@{where}?{urlencode(tls)}"


if __name__ == "__main__":
    serve(Nostro)
