"""A migrated database with a user for each role, and people who use it."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import migrate
from local.database import PrivateServer
from tests.support.event_schemas import event_faults
from wallet import wiring
from wallet.ledger.attempts import ObservedPayment, PaymentStatus
from wallet.ledger.events import OutboxEvent
from wallet.storage import settlement, top_ups, users
from wallet.storage.claims import Claim
from wallet.storage.database import AskCredentials, Credentials, Database, Server, connect
from wallet.storage.rows import time_of, uuid_of
from wallet.storage.users import NewUser

ROLES = ("identity", "money", "gateway", "reader", "operator", "clock", "sealer")
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


def set_clock(database: Database, at: datetime) -> None:
    """Stops the clock of a connection, which all procedures take their time from, at a moment."""
    database.read("SET timestamp = %s", Decimal(f"{at.timestamp():.6f}"))


class Books:
    """One private server, migrated. `as_role` opens a connection of its own each time."""

    def __init__(self, server: PrivateServer) -> None:
        self.server = Server(server.host, server.port, server.database, server.ca_pem)
        self.owner_credentials = Credentials(server.owner_user, server.owner_password)
        self.credentials = {role: Credentials(f"wallet_{role}", f"password-of-{role}") for role in ROLES}
        self._events_checked = 0

    def migrate(self) -> list[str]:
        """Brings the schema up to date."""
        connection = connect(self.server, self.owner_credentials)
        try:
            return migrate.migrate(connection, self.credentials)
        finally:
            connection.close()

    def as_role(self, role: str, *, at: datetime | None = None) -> Database:
        """A connection of a function's user. With `at`, time stands still for it at that moment (see `set_clock`)."""
        database = Database(self.server, self.credentials_of(role))
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
            self.write(f"UPDATE {asked_about} SET next_check_at = NULL WHERE next_check_at IS NOT NULL")
        self.write("UPDATE gateway_events SET outcome = 'ignored' WHERE outcome IS NULL")

    def turn(self, person: Person, status: str) -> None:
        """Gives the wallet a status, with the locks of whoever freezes one: its row, then every slot."""
        connection = connect(self.server, self.owner_credentials)
        try:
            connection.begin()
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM wallets WHERE id = %s FOR UPDATE", (person.wallet_id.bytes,))
                cursor.execute(
                    "SELECT slot FROM wallet_slots WHERE wallet_id = %s ORDER BY slot FOR UPDATE",
                    (person.wallet_id.bytes,),
                )
                cursor.execute("UPDATE wallets SET status = %s WHERE id = %s", (status, person.wallet_id.bytes))
            connection.commit()
        finally:
            connection.close()

    def tier(self, code: str, rules: Mapping[str, Mapping[str, object]], *, for_merchants: bool = False) -> None:
        """A tier of the tests' own: its limits by the time from which they are in force; what is not named is none."""
        self.write("INSERT IGNORE INTO tiers (code, for_merchants) VALUES (%s, %s)", code, for_merchants)
        for valid_from, limits in rules.items():
            named = {"person_to_person": True, "withdrawals": True, **limits}
            columns, places = ", ".join(named), ", ".join(["%s"] * len(named))
            self.write(
                f"REPLACE INTO tier_limits (tier, valid_from, {columns}) VALUES (%s, %s, {places})",
                code,
                valid_from,
                *named.values(),
            )

    def set_tier(self, person: Person, code: str) -> None:
        """Gives the wallet another tier."""
        self.write("UPDATE wallets SET tier = %s WHERE id = %s", code, person.wallet_id.bytes)

    def spread(self, person: Person, rows: int) -> None:
        """From now on the wallet's credits of payments and captures are spread over so many rows."""
        connection = connect(self.server, self.owner_credentials)
        try:
            connection.begin()
            with connection.cursor() as cursor:
                cursor.execute("CALL spread_credits(%s, %s)", (person.wallet_id.bytes, rows))
            connection.commit()
        finally:
            connection.close()

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
        found = [f"{name}: {row}" for name, query in FAULTS.items() for row in self.select(query)]
        fresh = self.outbox(behind=self._events_checked)  # the others were right the last time, and don't change
        faults = event_faults(fresh)
        if fresh and not faults:
            self._events_checked = fresh[-1].position
        return found + [f"an event is not as documented: {fault}" for fault in faults]

    def outbox(self, *, behind: int = 0) -> list[OutboxEvent]:
        """Every event that is kept and has a higher position, in the order of positions."""
        return [
            OutboxEvent(
                position=row["position"],
                type=row["type"],
                wallet_id=uuid_of(row["wallet_id"]),
                other_wallet_id=uuid_of(row["other_wallet_id"]) if row["other_wallet_id"] else None,
                detail=row["detail"],
                created_at=time_of(row["created_at"]),
            )
            for row in self.select("SELECT * FROM outbox WHERE position > %s ORDER BY position", behind)
        ]


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

# A wallet's rows: its own, which is slot 0, and the further ones of a hot one.
_ROWS = """(
    SELECT id, 0 AS slot, balance, entries, last_entry_at FROM wallets
    UNION ALL SELECT wallet_id, slot, balance, entries, last_entry_at FROM wallet_slots)"""

# What is promised, and why.
_PROMISES = """(
    SELECT payer_wallet_id AS wallet_id, id, amount - captured AS amount FROM holds WHERE status = 'placed'
    UNION ALL SELECT wallet_id, id, amount + fee FROM withdrawals WHERE status = 'pending'
    UNION ALL SELECT wallet_id, id, amount FROM source_refunds WHERE status = 'pending' AND wallet_id IS NOT NULL)"""

# What counts towards the limits, and when.
_DEBITS = """(
    SELECT p.account_id AS wallet_id, t.amount, DATE(t.created_at + INTERVAL 330 MINUTE) AS day
    FROM transactions t JOIN postings p ON p.transaction_id = t.id AND p.side = 'debit' WHERE t.type = 'payment'
    UNION ALL SELECT payer_wallet_id, IF(status = 'placed', amount, captured),
        DATE(created_at + INTERVAL 330 MINUTE) FROM holds
    UNION ALL SELECT wallet_id, amount, DATE(created_at + INTERVAL 330 MINUTE)
        FROM withdrawals WHERE status IN ('pending', 'succeeded'))"""
_LOADS = """(
    SELECT w.id AS wallet_id, t.amount, DATE(t.created_at + INTERVAL 330 MINUTE) AS day
    FROM transactions t JOIN postings p ON p.transaction_id = t.id AND p.side = 'credit'
    JOIN wallets w ON w.id = p.account_id JOIN users u ON u.id = w.user_id JOIN tiers r ON r.code = w.tier
    WHERE t.type = 'top_up'
        OR (t.type IN ('payment', 'hold_capture') AND NOT (u.kind = 'merchant' AND r.for_merchants)))"""
_IN_MONTH = "x.day >= w.usage_month AND x.day < w.usage_month + INTERVAL 1 MONTH"
_IN_YEAR = "x.day >= w.usage_year AND x.day < w.usage_year + INTERVAL 1 YEAR"

# How often each thing is told of.
_TOLD = """(
    SELECT CAST(UNHEX(JSON_UNQUOTE(JSON_EXTRACT(detail, '$.{id}'))) AS BINARY(16)) AS id, COUNT(*) AS times
    FROM outbox WHERE type IN ({types}) GROUP BY 1)"""
_TOLD_MOVEMENT = _TOLD.format(
    id="transaction_id",
    types="'TopUpSucceeded', 'TopUpSuspended', 'PaymentCompleted', 'PaymentRefunded', 'HoldCaptured'",
)

# ruff: noqa: S608 - every query below is made of the constants above
#: What is wrong if its query finds anything.
FAULTS = {
    "debits and credits differ": f"""
        SELECT t.currency, SUM({_SIGNED}) AS off FROM postings p JOIN transactions t ON t.id = p.transaction_id
        GROUP BY t.currency HAVING off <> 0""",
    "a transaction does not balance": f"""
        SELECT HEX(t.id) AS id FROM transactions t LEFT JOIN postings p ON p.transaction_id = t.id
        GROUP BY t.id HAVING COUNT(p.line) <> 2 OR SUM({_SIGNED}) <> 0
            OR SUM(CASE WHEN p.side = 'debit' THEN p.amount ELSE 0 END) <> MAX(t.amount)""",
    "a balance is not the sum of its postings": f"""
        SELECT HEX(r.id) AS id, r.slot, r.balance FROM {_ROWS} r
        LEFT JOIN postings p ON p.account_id = r.id AND p.slot = r.slot
        GROUP BY r.id, r.slot, r.balance HAVING r.balance <> COALESCE(SUM({_SIGNED}), 0)""",
    "a row's entries have a gap": f"""
        SELECT HEX(r.id) AS id, r.slot, r.entries FROM {_ROWS} r
        LEFT JOIN postings p ON p.account_id = r.id AND p.slot = r.slot
        GROUP BY r.id, r.slot, r.entries
        HAVING r.entries <> COUNT(p.line) OR COALESCE(MAX(p.entry_no), 0) <> r.entries""",
    "a posting is of a row that is not there": f"""
        SELECT HEX(p.account_id) AS id, p.slot FROM postings p LEFT JOIN {_ROWS} r
        ON r.id = p.account_id AND r.slot = p.slot WHERE r.id IS NULL AND (p.slot <> 0 OR p.entry_no IS NOT NULL)""",
    "a balance_after does not follow from the one before": f"""
        SELECT HEX(p.account_id) AS id, p.slot, p.entry_no FROM postings p
        LEFT JOIN postings b ON b.account_id = p.account_id AND b.slot = p.slot AND b.entry_no = p.entry_no - 1
        WHERE p.entry_no IS NOT NULL AND p.balance_after <> COALESCE(b.balance_after, 0) + {_SIGNED}""",
    "the time of a row stands still or runs backwards": """
        SELECT HEX(p.account_id) AS id, p.slot, p.entry_no FROM postings p
        JOIN postings b ON b.account_id = p.account_id AND b.slot = p.slot AND b.entry_no = p.entry_no - 1
        WHERE p.created_at <= b.created_at""",
    "a row's last time is before its last entry": f"""
        SELECT HEX(r.id) AS id, r.slot FROM {_ROWS} r
        JOIN postings p ON p.account_id = r.id AND p.slot = r.slot AND p.entry_no = r.entries
        WHERE r.last_entry_at < p.created_at""",
    "a posting's type is not its transaction's": """
        SELECT HEX(t.id) AS id, t.type FROM postings p JOIN transactions t ON t.id = p.transaction_id
        WHERE p.type <> t.type OR p.created_at <> t.created_at""",
    "a balance is negative": "SELECT HEX(id) AS id FROM wallets WHERE balance < 0 OR held < 0 OR held > balance",
    "a wallet's slots are not numbered from 1": """
        SELECT HEX(w.id) AS id FROM wallets w LEFT JOIN wallet_slots s ON s.wallet_id = w.id
        GROUP BY w.id, w.slots HAVING COUNT(s.slot) <> w.slots - 1 OR COALESCE(MAX(s.slot), 0) <> w.slots - 1""",
    "a gather is not within one wallet": """
        SELECT HEX(t.id) AS id FROM transactions t JOIN postings p ON p.transaction_id = t.id WHERE t.type = 'gather'
        GROUP BY t.id HAVING COUNT(DISTINCT p.account_id) <> 1
            OR SUM(p.side = 'debit' AND p.slot > 0) <> 1 OR SUM(p.side = 'credit' AND p.slot = 0) <> 1""",
    "what is held is not what is promised": f"""
        SELECT HEX(w.id) AS id, w.held FROM wallets w LEFT JOIN {_PROMISES} x ON x.wallet_id = w.id
        GROUP BY w.id, w.held HAVING w.held <> COALESCE(SUM(x.amount), 0)""",
    "a promise is not what its changes add up to": f"""
        SELECT HEX(c.cause_id) AS id, c.amount, x.amount AS promised
        FROM (SELECT wallet_id, cause_id, SUM(amount) AS amount FROM held_changes GROUP BY wallet_id, cause_id) c
        LEFT JOIN {_PROMISES} x ON x.id = c.cause_id AND x.wallet_id = c.wallet_id
        WHERE c.amount <> COALESCE(x.amount, 0)""",
    "the changes of what is held have a gap": """
        SELECT HEX(w.id) AS id, w.held_changes FROM wallets w LEFT JOIN held_changes c ON c.wallet_id = w.id
        GROUP BY w.id, w.held, w.held_changes HAVING w.held_changes <> COUNT(c.change_no)
            OR COALESCE(MAX(c.change_no), 0) <> w.held_changes OR w.held <> COALESCE(SUM(c.amount), 0)""",
    "a held_after does not follow from the one before": """
        SELECT HEX(c.wallet_id) AS id, c.change_no FROM held_changes c
        LEFT JOIN held_changes b ON b.wallet_id = c.wallet_id AND b.change_no = c.change_no - 1
        WHERE c.held_after <> COALESCE(b.held_after, 0) + c.amount OR c.created_at < b.created_at""",
    "a hold's captures are not what was captured": """
        SELECT HEX(h.id) AS id, h.captured FROM holds h
        LEFT JOIN transactions t ON t.hold_id = h.id AND t.type = 'hold_capture'
        GROUP BY h.id, h.captured, h.amount
        HAVING h.captured <> COALESCE(SUM(t.amount), 0) OR h.captured > h.amount""",
    "a capture is not from the hold's payer to its payee": """
        SELECT HEX(t.id) AS id FROM transactions t JOIN holds h ON h.id = t.hold_id
        JOIN postings p ON p.transaction_id = t.id
        WHERE p.account_id <> IF(p.side = 'debit', h.payer_wallet_id, h.payee_wallet_id)""",
    "a refund is not from the payee back to the payer": """
        SELECT HEX(t.id) AS id FROM transactions t JOIN transactions c ON c.id = t.cause_id
        JOIN postings p ON p.transaction_id = t.id
        LEFT JOIN postings o ON o.transaction_id = c.id AND o.line <> p.line AND o.account_id = p.account_id
        WHERE t.type = 'refund' AND (c.type NOT IN ('payment', 'hold_capture') OR o.line IS NULL)""",
    "refunds are more than the payment": """
        SELECT HEX(c.id) AS id, c.amount, SUM(t.amount) AS refunded
        FROM transactions t JOIN transactions c ON c.id = t.cause_id WHERE t.type = 'refund'
        GROUP BY c.id, c.amount HAVING SUM(t.amount) > c.amount""",
    "a fee does not follow its cause": """
        SELECT HEX(t.id) AS id, c.type FROM transactions t JOIN transactions c ON c.id = t.cause_id
        JOIN postings p ON p.transaction_id = t.id JOIN accounts a ON a.id = p.account_id
        LEFT JOIN postings o ON o.transaction_id = c.id AND o.account_id = p.account_id AND o.slot = p.slot
        WHERE t.type = 'fee' AND (c.type NOT IN ('payment', 'hold_capture', 'withdrawal', 'withdrawal_return')
            OR (a.code <> 'fees' AND (o.line IS NULL OR o.created_at >= p.created_at))
            OR (c.type IN ('payment', 'hold_capture') AND t.amount > c.amount))""",
    "a movement has two fees": """
        SELECT HEX(cause_id) AS id FROM transactions WHERE type = 'fee' GROUP BY cause_id HAVING COUNT(*) > 1""",
    "a debit does not count, or counts twice": f"""
        SELECT HEX(w.id) AS id, w.usage_day, w.debited_day, w.usage_month, w.debited_month
        FROM wallets w LEFT JOIN {_DEBITS} x ON x.wallet_id = w.id
        GROUP BY w.id, w.usage_day, w.debited_day, w.usage_month, w.debited_month
        HAVING w.debited_day <> SUM(IF(x.day = w.usage_day, x.amount, 0))
            OR w.debited_month <> SUM(IF({_IN_MONTH}, x.amount, 0))""",
    "a load does not count, or counts twice": f"""
        SELECT HEX(w.id) AS id, w.usage_month, w.loaded_month, w.usage_year, w.loaded_year
        FROM wallets w LEFT JOIN {_LOADS} x ON x.wallet_id = w.id
        GROUP BY w.id, w.usage_month, w.loaded_month, w.usage_year, w.loaded_year
        HAVING w.loaded_month <> SUM(IF({_IN_MONTH}, x.amount, 0))
            OR w.loaded_year <> SUM(IF({_IN_YEAR}, x.amount, 0))""",
    "a movement is not told of once": f"""
        SELECT HEX(t.id) AS id, t.type, o.times FROM transactions t LEFT JOIN {_TOLD_MOVEMENT} o ON o.id = t.id
        WHERE (t.type IN ('top_up', 'payment', 'refund', 'hold_capture')
            OR (t.type = 'suspense' AND t.attempt_id IS NOT NULL)) AND COALESCE(o.times, 0) <> 1""",
    "a hold is not told of once": f"""
        SELECT HEX(h.id) AS id, h.status, placed.times AS placed, ended.times AS ended FROM holds h
        LEFT JOIN {_TOLD.format(id="hold_id", types="'HoldPlaced'")} placed ON placed.id = h.id
        LEFT JOIN {_TOLD.format(id="hold_id", types="'HoldReleased', 'HoldExpired'")} ended ON ended.id = h.id
        WHERE COALESCE(placed.times, 0) <> 1 OR COALESCE(ended.times, 0) <> (h.status IN ('released', 'expired'))""",
    "a withdrawal is not booked as it stands": """
        SELECT HEX(d.id) AS id, d.status, COUNT(t.id) AS booked FROM withdrawals d
        LEFT JOIN transactions t ON t.withdrawal_id = d.id AND t.amount = d.amount
        GROUP BY d.id, d.status
        HAVING COALESCE(SUM(t.type = 'withdrawal'), 0) <> (d.status IN ('succeeded', 'reversed'))
            OR COALESCE(SUM(t.type = 'withdrawal_return'), 0) <> (d.status = 'reversed')""",
    "a withdrawal is not from its wallet to its provider, or back": """
        SELECT HEX(t.id) AS id FROM transactions t JOIN withdrawals d ON d.id = t.withdrawal_id
        JOIN postings p ON p.transaction_id = t.id JOIN accounts a ON a.id = p.account_id
        WHERE p.account_id <> d.wallet_id AND a.code <> CONCAT('payout:', d.provider)
            OR (p.account_id = d.wallet_id) <> ((t.type = 'withdrawal') = (p.side = 'debit'))""",
    "a withdrawal's fee is not its own": """
        SELECT HEX(t.id) AS id, d.fee, f.amount FROM transactions t JOIN withdrawals d ON d.id = t.withdrawal_id
        LEFT JOIN transactions f ON f.cause_id = t.id AND f.type = 'fee'
        WHERE COALESCE(f.amount, 0) <> d.fee""",
    "a withdrawal is not told of as it stands": f"""
        SELECT HEX(d.id) AS id, d.status FROM withdrawals d
        LEFT JOIN {_TOLD.format(id="withdrawal_id", types="'WithdrawalRequested'")} asked ON asked.id = d.id
        LEFT JOIN {_TOLD.format(id="withdrawal_id", types="'WithdrawalSucceeded'")} paid ON paid.id = d.id
        LEFT JOIN {_TOLD.format(id="withdrawal_id", types="'WithdrawalFailed'")} failed ON failed.id = d.id
        LEFT JOIN {_TOLD.format(id="withdrawal_id", types="'WithdrawalReversed'")} back ON back.id = d.id
        WHERE COALESCE(asked.times, 0) <> 1 OR COALESCE(paid.times, 0) <> (d.status IN ('succeeded', 'reversed'))
            OR COALESCE(failed.times, 0) <> (d.status = 'failed')
            OR COALESCE(back.times, 0) <> (d.status = 'reversed')""",
    "more went back to a source than came from it": """
        SELECT HEX(t.id) AS id FROM transactions t JOIN source_refunds r ON r.transaction_id = t.id
        WHERE r.status = 'succeeded' GROUP BY t.id, t.amount HAVING SUM(r.amount) > t.amount""",
    "more of ours is on its way to a source than came from it": """
        SELECT HEX(t.id) AS id FROM transactions t JOIN source_refunds r ON r.transaction_id = t.id
        WHERE r.status <> 'failed' AND r.origin = 'ours' GROUP BY t.id, t.amount HAVING SUM(r.amount) > t.amount""",
    "a refund to source is not in the ledger as it ended": """
        SELECT HEX(r.id) AS id, r.status FROM source_refunds r
        LEFT JOIN transactions t ON t.source_refund_id = r.id AND t.type = 'refund_to_source'
        LEFT JOIN postings p ON p.transaction_id = t.id AND p.side = 'debit'
        LEFT JOIN accounts a ON a.id = p.account_id
        WHERE (r.status = 'succeeded') <> (t.id IS NOT NULL) OR t.amount <> r.amount OR t.cause_id <> r.transaction_id
            OR p.account_id <> r.wallet_id OR (t.id IS NOT NULL AND r.wallet_id IS NULL AND a.code <> 'suspense')""",
    "a refund to source is not told of as it stands": f"""
        SELECT HEX(r.id) AS id, r.status FROM source_refunds r
        JOIN transactions t ON t.id = r.transaction_id AND t.attempt_id IS NOT NULL
        LEFT JOIN {_TOLD.format(id="refund_id", types="'RefundToSourceRequested'")} asked ON asked.id = r.id
        LEFT JOIN {_TOLD.format(id="refund_id", types="'RefundToSourceSucceeded'")} paid ON paid.id = r.id
        LEFT JOIN {_TOLD.format(id="refund_id", types="'RefundToSourceFailed'")} failed ON failed.id = r.id
        WHERE COALESCE(asked.times, 0) <> 1 OR COALESCE(paid.times, 0) <> (r.status = 'succeeded')
            OR COALESCE(failed.times, 0) <> (r.status = 'failed')""",
    "a closed wallet has something in it": """
        SELECT HEX(w.id) AS id FROM wallets w LEFT JOIN wallet_slots s ON s.wallet_id = w.id
        WHERE w.status = 'closed' GROUP BY w.id, w.balance HAVING w.balance + COALESCE(SUM(s.balance), 0) <> 0""",
    "a key has no result": "SELECT HEX(actor_id) AS id FROM idempotency_records WHERE result IS NULL",
    "an attempt was credited twice": """
        SELECT HEX(attempt_id) AS id FROM transactions WHERE type = 'top_up' GROUP BY attempt_id HAVING COUNT(*) > 1""",
    "a row of a bulk payment is paid by another payment": """
        SELECT HEX(r.bulk_payment_id) AS id, r.line FROM bulk_payment_rows r
        JOIN bulk_payments b ON b.id = r.bulk_payment_id
        JOIN transactions t ON t.id = r.transaction_id
        JOIN postings p ON p.transaction_id = t.id AND p.side = 'credit'
        JOIN wallets w ON w.id = p.account_id JOIN users u ON u.id = w.user_id
        WHERE t.type <> 'payment' OR t.amount <> r.amount OR t.actor_id <> b.user_id
            OR COALESCE(r.payee_wallet_id <> w.id, r.payee_phone <> u.phone)""",
    "a bulk payment has other rows than it says, or is finished and has rows that wait": """
        SELECT HEX(b.id) AS id FROM bulk_payments b LEFT JOIN bulk_payment_rows r ON r.bulk_payment_id = b.id
        GROUP BY b.id, b.row_count, b.total, b.status
        HAVING COUNT(r.line) <> b.row_count OR SUM(r.amount) <> b.total
            OR (b.status = 'finished' AND SUM(r.status = 'waiting') > 0)""",
}
