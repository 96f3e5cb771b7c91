"""A migrated database with a user for each role, and people who use it."""

import hashlib
import itertools
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pymysql

import migrate
from local.database import PrivateServer
from tests.support.event_schemas import event_faults
from tests.support.proofs import proof_of
from wallet import wiring
from wallet.identity.phone_proofs.model import proof_hash
from wallet.ledger import ids
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.events import OutboxEvent
from wallet.storage import settlement, top_ups, users
from wallet.storage.checks.check import find_faults
from wallet.storage.checks.every import every_check
from wallet.storage.claims import Claim
from wallet.storage.database import READ_TIMEOUT, AskCredentials, Credentials, Database, Server, connect
from wallet.storage.outbox import COLUMNS, TABLES, event_of
from wallet.storage.users import NewUser

if TYPE_CHECKING:
    from pymysql.cursors import DictCursor

ROLES = (
    "identity",
    "money",
    "withdrawals",
    "gateway",
    "reader",
    "directory",
    "confirmations",
    "operator",
    "clock",
    "sealer",
    "auditor",
)
GATEWAY = "razorpay"
#: Seconds that an answer may take where a stall of the machine is no finding.
PATIENCE_S = 60

#: Every check of the product; here no event is ever too old to be looked at.
CHECKS = every_check(events_kept_days=36_500)

_DEADLOCK = 1213
#: How often a write that was the victim of one is made again.
_DEADLOCKS = 20

_numbers = itertools.count(1)
_phones = itertools.count(secrets.randbelow(10**8))


def unique(prefix: str) -> str:
    """A text that no other test uses."""
    return f"{prefix}{next(_numbers):06}{wiring.new_id().hex[-10:]}"


def new_landline() -> str:
    """A phone in Delhi that no other test uses: it takes no text messages, and gateways call it no contact."""
    return f"+91112{next(_phones) % 10**7:07}"


def new_phone() -> str:
    """A phone that no other test uses."""
    return f"+9199{next(_phones) % 10**8:08}"


@dataclass(frozen=True, slots=True)
class Person:
    """A registered user, in a session that is of a generation."""

    user_id: UUID
    wallet_id: UUID
    phone: str
    generation: int = 0

    def claim(self, key: str | None = None, asked: str = "") -> Claim:
        """A key of theirs; the same `asked` is the same request."""
        return Claim(self.user_id, key or unique("key-"), hashlib.sha256(asked.encode()).digest(), self.generation)


def id_of_now(database: Database) -> UUID:
    """A new id, of the moment that a connection's clock shows: the kernel takes no other for what arrives."""
    now = database.read("SELECT UNIX_TIMESTAMP() AS now")[0]["now"]
    return ids.uuid7(unix_ms=int(now) * 1000, entropy=secrets.token_bytes(10))


def set_clock(database: Database, at: datetime) -> None:
    """Stops the clock of a connection, which all procedures take their time from, at a moment."""
    database.read("SET timestamp = %s", Decimal(f"{at.timestamp():.6f}"))


class Books:
    """One database of a private server, by default the server's first. `as_role` opens a connection each time."""

    def __init__(self, server: PrivateServer, database: str | None = None) -> None:
        self.server = Server(server.host, server.port, database or server.database, server.ca_pem)
        self.owner_credentials = Credentials(server.owner_user, server.owner_password)
        self.credentials = {role: Credentials(f"wallet_{role}", f"password-of-{role}") for role in ROLES}
        self._events_checked = 0
        #: Seconds that a role's connection waits for an answer, if it is opened while this stands.
        self.patience_s = READ_TIMEOUT

    def migrate(self) -> list[str]:
        """Brings the schema up to date."""
        with closing(self.connect()) as connection:
            return migrate.migrate(connection, self.credentials)

    def connect(self, role: str | None = None) -> "pymysql.Connection[DictCursor]":
        """A bare connection of a function's user or, by default, of the schema's owner: nothing is asked again."""
        credentials = self.owner_credentials if role is None else self.credentials[role]
        return connect(self.server, credentials, patience_s=PATIENCE_S)

    def as_role(self, role: str, *, at: datetime | None = None) -> Database:
        """A connection of a function's user. With `at`, time stands still for it at that moment (see `set_clock`)."""
        # where it stands still it does on this connection, and not on the one that would follow it
        patience_s = self.patience_s if at is None else max(self.patience_s, PATIENCE_S)
        database = Database(self.server, self.credentials_of(role), patience_s=patience_s)
        if at is not None:
            set_clock(database, at)
        return database

    def credentials_of(self, role: str) -> AskCredentials:
        """What a function is told of its user; it never changes here."""

        def ask(*, fresh: bool) -> Credentials:
            return self.credentials[role]

        return ask

    def owner(self) -> Database:
        """A connection of the schema's owner, who may do everything that a trigger doesn't forbid."""
        known = self.owner_credentials
        return Database(self.server, lambda *, fresh: known, patience_s=PATIENCE_S)  # noqa: ARG005 - they never change

    def select(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        """Reads as the owner."""
        database = self.owner()
        try:
            return database.read(query, *arguments)
        finally:
            database.close()

    def write(self, statement: str, *arguments: object) -> None:
        """Writes as the owner: what no function can.

        Again, if it is the victim of a deadlock with somebody whose work goes on: a function that was killed leaves its
        call to the server.
        """
        for _ in range(_DEADLOCKS):
            with closing(self.connect()) as connection, connection.cursor() as cursor:
                try:
                    cursor.execute(statement, arguments)
                except pymysql.MySQLError as error:
                    if error.args[0] != _DEADLOCK:
                        raise
                else:
                    return
        raise AssertionError(f"a deadlock each time: {statement}")

    def person(self, *, tier: str = "full", kind: str = "personal", money: int = 0) -> Person:
        """Somebody new, with some money in minor units, paid in through the gateway."""
        phone = new_phone()
        user = NewUser(phone=phone, name="Asha Rao", email=None, kind=kind, password_hash=b"x" * 60, tier=tier)
        with closing(self.as_role("identity")) as database:
            registration, _ = users.register_user(
                database,
                user,
                proof_hash=proof_hash(proof_of(database, phone)),
                user_id=wiring.new_id(),
                wallet_id=wiring.new_id(),
                claim=None,
            )
        person = Person(registration.user_id, registration.wallet_id, phone)
        if money:
            self.top_up(person, money)
        return person

    def order(
        self, person: Person, amount: int, *, valid_s: int = 3600, first_check_s: int = 60, gateway: str = GATEWAY
    ) -> str:
        """An open attempt of theirs; the gateway's order id."""
        money = self.as_role("money")
        attempt, _, _ = top_ups.open_top_up(
            money,
            person.claim(),
            attempt_id=wiring.new_id(),
            gateway=gateway,
            amount=amount,
            valid_s=valid_s,
            first_check_s=first_check_s,
        )
        order_id = unique("order_")
        top_ups.attach_order(money, attempt.id, order_id=order_id)
        money.close()
        return order_id

    def top_up(self, person: Person, amount: int) -> None:
        """Money, paid in through the gateway."""
        gateway = self.as_role("gateway")
        settled = settlement.settle_payment(
            gateway, captured(self.order(person, amount), amount), transaction_id=wiring.new_id()
        )
        gateway.close()
        assert settled.new
        assert settled.suspense is None

    def balance(self, person: Person) -> int:
        """What the wallet's rows say, in minor units: its own, and the slots of a hot one."""
        rows = self.select(
            "SELECT balance FROM wallets WHERE id = %s UNION ALL SELECT balance FROM wallet_slots WHERE wallet_id = %s",
            person.wallet_id.bytes,
            person.wallet_id.bytes,
        )
        return sum(int(row["balance"]) for row in rows)

    def held(self, person: Person) -> int:
        """What the wallet's row says is promised, in minor units."""
        rows = self.select("SELECT held FROM wallets WHERE id = %s", person.wallet_id.bytes)
        return int(rows[0]["held"])

    def nothing_is_due(self) -> None:
        """Whatever tests before this one have left is no longer to be asked about: its gateway has forgotten it."""
        for asked_about in ("payment_attempts", "withdrawals", "source_refunds"):
            self.write(f"UPDATE {asked_about} SET next_check_at = NULL WHERE next_check_at IS NOT NULL")  # noqa: S608 - ours
        self.write("UPDATE gateway_events SET outcome = 'ignored' WHERE outcome IS NULL")
        for walk in ("payments", "late payments", "settlements", "unsettled"):
            self.write("REPLACE INTO reconciliation_walks VALUES (%s, %s, UTC_TIMESTAMP(6))", GATEWAY, walk)
        self.write("CALL tidy_breaks()")  # stuck events are breaks when the reconciler next runs: so they are now
        self.write(
            "UPDATE reconciliation_breaks SET resolved_at = UTC_TIMESTAMP(6), resolution = 'gone'"
            " WHERE resolved_at IS NULL"
        )

    def turn(self, person: Person, status: str) -> None:
        """Gives the wallet a status, with the locks of whoever freezes one: its row, then every slot."""
        with closing(self.connect()) as connection:
            connection.begin()
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM wallets WHERE id = %s FOR UPDATE", (person.wallet_id.bytes,))
                cursor.execute(
                    "SELECT slot FROM wallet_slots WHERE wallet_id = %s ORDER BY slot FOR UPDATE",
                    (person.wallet_id.bytes,),
                )
                cursor.execute("UPDATE wallets SET status = %s WHERE id = %s", (status, person.wallet_id.bytes))
            connection.commit()

    def tier(self, code: str, rules: Mapping[str, Mapping[str, object]], *, for_merchants: bool = False) -> None:
        """A tier of the tests' own: its limits by the time from which they are in force; what is not named is none."""
        self.write("INSERT IGNORE INTO tiers (code, for_merchants) VALUES (%s, %s)", code, for_merchants)
        for valid_from, limits in rules.items():
            named = {"person_to_person": True, "withdrawals": True, **limits}
            columns, places = ", ".join(named), ", ".join(["%s"] * len(named))
            self.write(
                f"REPLACE INTO tier_limits (tier, valid_from, {columns}) VALUES (%s, %s, {places})",  # noqa: S608 - ours
                code,
                valid_from,
                *named.values(),
            )
        self.renew_rules(code)

    def renew_rules(self, tier: str) -> None:
        """What is in force for a tier is written down, or its first payment would have to be made again."""
        if self.select("SELECT tier FROM current_rules WHERE tier = %s", tier):
            self.write("CALL renew_rules(%s)", tier)

    def set_tier(self, person: Person, code: str) -> None:
        """Gives the wallet another tier."""
        self.write("UPDATE wallets SET tier = %s WHERE id = %s", code, person.wallet_id.bytes)

    def spread(self, person: Person, rows: int) -> None:
        """From now on the wallet's credits of payments and captures are spread over so many rows."""
        with closing(self.connect()) as connection:
            connection.begin()
            with connection.cursor() as cursor:
                cursor.execute("CALL spread_credits(%s, %s)", (person.wallet_id.bytes, rows))
            connection.commit()

    @contextmanager
    def fee(self, movement: str, *, basis_points: int, flat: int = 0, since: str = "2021-01-01") -> Iterator[None]:
        """While this is open, a movement costs something."""
        self.write("INSERT INTO fee_rates VALUES (%s, %s, %s, %s)", movement, since, basis_points, flat)
        try:
            yield
        finally:
            self.write("DELETE FROM fee_rates WHERE movement = %s AND valid_from = %s", movement, since)

    def total(self, *people: Person) -> int:
        """What they have together."""
        return sum(self.balance(person) for person in people)

    def faults(self) -> list[str]:
        """Everything in the whole ledger that does not add up; empty if the books are right."""
        found = self.broken_promises()
        fresh = self.outbox(behind=self._events_checked)  # the others were right the last time, and don't change
        faults = event_faults(fresh)
        if fresh and not faults:
            self._events_checked = fresh[-1].position
        return found + [f"an event is not as documented: {fault}" for fault in faults]

    def broken_promises(self) -> list[str]:
        """What the checks of the product find, all over one connection."""
        database = self.owner()
        try:
            return [str(fault) for check in CHECKS for fault in find_faults(database, check, limit=20)]
        finally:
            database.close()

    def outbox(self, *, behind: int = 0) -> list[OutboxEvent]:
        """Every event that is kept and has a higher position, in the order of positions."""
        return [
            event_of(row)
            for row in self.select(
                f"SELECT {COLUMNS} FROM outbox e {TABLES}"  # noqa: S608 - ours
                " WHERE e.position > %s ORDER BY e.position",
                behind,
            )
        ]


@contextmanager
def beside(server: PrivateServer, database: str) -> Iterator[Books]:
    """A database beside the shared one, empty, and gone at the end.

    For who writes so much that everybody's checks of the whole ledger would take ten times as long, or would break it.
    """
    shared = Books(server)
    shared.write(f"DROP DATABASE IF EXISTS {database}")  # of a run that was killed, on a server that runs on
    shared.write(f"CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    try:
        yield Books(server, database)
    finally:
        shared.write(f"DROP DATABASE {database}")


def captured(
    order_id: str | None,
    amount: int,
    *,
    payment_id: str | None = None,
    currency: str = "INR",
    refunded: int = 0,
    surcharge: int = 0,
) -> ObservedPayment:
    """A captured payment as the gateway would tell of it."""
    payment_id = payment_id or unique("pay_")
    return ObservedPayment(
        gateway=GATEWAY,
        payment_id=payment_id,
        order_id=order_id,
        amount=amount,
        currency=currency,
        status=PaymentStatus.CAPTURED,
        captured=True,
        amount_refunded=refunded,
        surcharge=surcharge,
        told=json.dumps({"id": payment_id, "order_id": order_id, "amount": amount, "currency": currency}).encode(),
    )
