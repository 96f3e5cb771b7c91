"""A migrated database with a user for each role, and people who use it."""

import hashlib
import itertools
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import migrate
from local.database import PrivateServer
from wallet import wiring
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.storage import settlement, top_ups, users
from wallet.storage.claims import Claim
from wallet.storage.database import AskCredentials, Credentials, Database, Server, connect
from wallet.storage.users import NewUser

ROLES = ("identity", "money", "gateway", "reader")
GATEWAY = "razorpay"

_numbers = itertools.count(1)


def unique(prefix: str) -> str:
    """A text that no other test uses."""
    return f"{prefix}{next(_numbers):06}{wiring.new_id().hex[-10:]}"


def new_phone() -> str:
    """A phone that no other test uses."""
    return f"+9199{wiring.new_id().int % 10**8:08}"


@dataclass(frozen=True, slots=True)
class Person:
    """A registered user."""

    user_id: UUID
    wallet_id: UUID
    phone: str

    def claim(self, key: str | None = None, asked: str = "") -> Claim:
        """A key of theirs; the same `asked` is the same request."""
        return Claim(self.user_id, key or unique("key-"), hashlib.sha256(asked.encode()).digest())


class Books:
    """One private server, migrated. `as_role` opens a connection of its own each time."""

    def __init__(self, server: PrivateServer) -> None:
        self.server = Server(server.host, server.port, server.database, server.ca_pem)
        self.owner_credentials = Credentials(server.owner_user, server.owner_password)
        self.credentials = {role: Credentials(f"wallet_{role}", f"password-of-{role}") for role in ROLES}

    def migrate(self) -> list[str]:
        """Brings the schema up to date."""
        connection = connect(self.server, self.owner_credentials)
        try:
            return migrate.migrate(connection, self.credentials)
        finally:
            connection.close()

    def as_role(self, role: str) -> Database:
        """A connection of a function's user."""
        return Database(self.server, self.credentials_of(role))

    def credentials_of(self, role: str) -> AskCredentials:
        """What a function is told of its user; it never changes here."""

        def ask(*, fresh: bool) -> Credentials:
            return self.credentials[role]

        return ask

    def owner(self) -> Database:
        """A connection of the schema's owner, who may do everything that a trigger doesn't forbid."""
        return Database(self.server, lambda *, fresh: self.owner_credentials)  # noqa: ARG005 - they never change

    def select(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        """Reads as the owner."""
        database = self.owner()
        try:
            return database.read(query, *arguments)
        finally:
            database.close()

    def write(self, statement: str, *arguments: object) -> None:
        """Writes as the owner: what no function can."""
        connection = connect(self.server, self.owner_credentials)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, arguments)
        finally:
            connection.close()

    def person(self, *, tier: str = "full", kind: str = "personal", money: int = 0) -> Person:
        """Somebody new, with some money in minor units, paid in through the gateway."""
        phone = new_phone()
        user = NewUser(phone=phone, name="Asha Rao", email=None, kind=kind, password_hash=b"x" * 60, tier=tier)
        registration, _ = users.register_user(
            self.as_role("identity"), user, user_id=wiring.new_id(), wallet_id=wiring.new_id(), claim=None
        )
        person = Person(registration.user_id, registration.wallet_id, phone)
        if money:
            self.top_up(person, money)
        return person

    def order(self, person: Person, amount: int, *, valid_s: int = 3600, first_check_s: int = 60) -> str:
        """An open attempt of theirs; the gateway's order id."""
        money = self.as_role("money")
        attempt, _, _ = top_ups.open_top_up(
            money,
            person.claim(),
            attempt_id=wiring.new_id(),
            gateway=GATEWAY,
            amount=amount,
            valid_s=valid_s,
            first_check_s=first_check_s,
        )
        order_id = unique("order_")
        top_ups.attach_order(money, attempt.id, order_id=order_id, intent_url=None)
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
        """What the wallet's row says, in minor units."""
        rows = self.select("SELECT balance FROM wallets WHERE id = %s", person.wallet_id.bytes)
        return int(rows[0]["balance"])

    def total(self, *people: Person) -> int:
        """What they have together."""
        return sum(self.balance(person) for person in people)

    def faults(self) -> list[str]:
        """Everything in the whole ledger that does not add up; empty if the books are right."""
        return [f"{name}: {row}" for name, query in _CHECKS.items() for row in self.select(query)]


def captured(
    order_id: str | None, amount: int, *, payment_id: str | None = None, currency: str = "INR", refunded: int = 0
) -> ObservedPayment:
    """A captured payment as the gateway would tell of it."""
    return ObservedPayment(
        gateway=GATEWAY,
        payment_id=payment_id or unique("pay_"),
        order_id=order_id,
        amount=amount,
        currency=currency,
        status=PaymentStatus.CAPTURED,
        captured=True,
        amount_refunded=refunded,
    )


_SIGNED = "CASE WHEN p.side = 'credit' THEN p.amount ELSE -p.amount END"

_CHECKS = {
    "debits and credits differ": f"""
        SELECT t.currency, SUM({_SIGNED}) AS off FROM postings p JOIN transactions t ON t.id = p.transaction_id
        GROUP BY t.currency HAVING off <> 0""",  # noqa: S608 - constants
    "a transaction does not balance": f"""
        SELECT HEX(t.id) AS id FROM transactions t LEFT JOIN postings p ON p.transaction_id = t.id
        GROUP BY t.id HAVING COUNT(p.line) < 2 OR SUM({_SIGNED}) <> 0
            OR SUM(CASE WHEN p.side = 'debit' THEN p.amount ELSE 0 END) <> MAX(t.amount)""",  # noqa: S608
    "a balance is not the sum of its postings": f"""
        SELECT HEX(w.id) AS id, w.balance FROM wallets w LEFT JOIN postings p ON p.account_id = w.id
        GROUP BY w.id, w.balance HAVING w.balance <> COALESCE(SUM({_SIGNED}), 0)""",  # noqa: S608
    "a wallet's entries have a gap": """
        SELECT HEX(w.id) AS id, w.entries FROM wallets w LEFT JOIN postings p ON p.account_id = w.id
        GROUP BY w.id, w.entries
        HAVING w.entries <> COUNT(p.line) OR COALESCE(MAX(p.entry_no), 0) <> w.entries""",
    "a balance_after does not follow from the one before": f"""
        SELECT HEX(p.account_id) AS id, p.entry_no FROM postings p
        LEFT JOIN postings b ON b.account_id = p.account_id AND b.entry_no = p.entry_no - 1
        WHERE p.entry_no IS NOT NULL AND p.balance_after <> COALESCE(b.balance_after, 0) + {_SIGNED}""",  # noqa: S608
    "a wallet's time runs backwards": """
        SELECT HEX(p.account_id) AS id, p.entry_no FROM postings p
        JOIN postings b ON b.account_id = p.account_id AND b.entry_no = p.entry_no - 1
        WHERE p.created_at < b.created_at""",
    "a balance is negative": "SELECT HEX(id) AS id FROM wallets WHERE balance < 0 OR held < 0 OR held > balance",
    "a key has no result": "SELECT HEX(actor_id) AS id FROM idempotency_records WHERE result IS NULL",
    "an attempt was credited twice": """
        SELECT HEX(attempt_id) AS id FROM transactions WHERE type = 'top_up' GROUP BY attempt_id HAVING COUNT(*) > 1""",
}
