"""A restore brings the idempotency keys along with the money: whatever is asked again gets its first answer.

One server lives two days: yesterday, then a backup, then today up to a moment, and a while beyond it. It is brought
back as of the backup, and with the binlog up to the moment; each way that there is, a dump and a copy of its files.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local.database import PrivateServer
from tests.integration.conftest import Functions
from tests.support import backups
from tests.support.backups import BINLOG, Place, Way
from tests.support.books import GATEWAY, ROLES, Books, Person, captured, new_phone, unique
from tests.support.functions import api_event
from tests.support.moves import made_anew, pay
from tests.support.proofs import proof_of
from tests.support.verbs import Day
from wallet import wiring
from wallet.identity.phone_proofs.model import proof_hash
from wallet.ledger.attempts import ObservedPayment
from wallet.storage import settlement, top_ups, users, withdrawals
from wallet.storage.database import Database
from wallet.storage.users import NewUser

Json = dict[str, Any]

#: Asks for something under its key; what it was answered, and whether its key had done it before.
Asked = Callable[[Database], tuple[object, bool]]

ROUTINES = """
    SELECT ROUTINE_NAME AS name, ROUTINE_TYPE AS kind, SECURITY_TYPE AS runs_as, DEFINER AS definer,
        SHA2(ROUTINE_DEFINITION, 256) AS body FROM information_schema.ROUTINES
    WHERE ROUTINE_SCHEMA = DATABASE() ORDER BY 1"""
TRIGGERS = """
    SELECT TRIGGER_NAME AS name, ACTION_TIMING AS at, EVENT_MANIPULATION AS event, EVENT_OBJECT_TABLE AS on_table,
        SHA2(ACTION_STATEMENT, 256) AS body FROM information_schema.TRIGGERS
    WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY 1"""
VIEWS = """
    SELECT TABLE_NAME AS name, SECURITY_TYPE AS runs_as, DEFINER AS definer FROM information_schema.VIEWS
    WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1"""


@dataclass
class Asking:
    """Everything that was asked for under a key on one day, with what was answered."""

    asked: dict[str, tuple[str, Asked, object]] = field(default_factory=dict)

    def ask(self, books: Books, name: str, role: str, verb: Asked) -> None:
        """Does it for the first time."""
        database = books.as_role(role)
        answer, done_before = verb(database)
        database.close()
        assert not done_before, name
        self.asked[name] = (role, verb, answer)

    def differing(self, books: Books) -> list[str]:
        """What is answered otherwise when all is asked again, or is done again; empty as it should be."""
        found = []
        for name, (role, verb, first) in self.asked.items():
            database = books.as_role(role)
            again, done_before = verb(database)
            database.close()
            kept = made_anew(first)
            if again != kept or not done_before:
                found.append(f"{name}: {first} became {again}, {done_before=}")
        return found


@dataclass(frozen=True)
class State:
    """A server's whole content, in a form that can be compared."""

    checksums: dict[str, int]
    definitions: tuple[str, ...]
    rights: tuple[str, ...]
    last_event: int

    @classmethod
    def of(cls, books: Books) -> "State":
        """Every row of every table, every routine, trigger and view, every right of every role."""
        tables = [row["TABLE_NAME"] for row in books.select(
            "SELECT TABLE_NAME FROM information_schema.TABLES"
            " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY 1"
        )]  # fmt: skip
        sums = books.select(f"CHECKSUM TABLE {', '.join(tables)} EXTENDED")
        definitions = [str(row) for query in (ROUTINES, TRIGGERS, VIEWS) for row in books.select(query)]
        rights = [
            " ".join(sorted(re.findall(r"[^ ,()]+", str(grant))))  # the order of columns is the server's whim
            for role in ROLES
            for row in books.select(f"SHOW GRANTS FOR '{books.credentials[role].username}'@'%%'")
            for grant in row.values()
        ]
        last = books.select("SELECT COALESCE(MAX(position), 0) AS last FROM outbox")[0]["last"]
        return cls(
            {row["Table"]: row["Checksum"] for row in sums}, tuple(definitions), tuple(sorted(rights)), int(last)
        )


class History:
    """A server's two days, with what was asked for on each and what it looked like at the end of it."""

    def __init__(self, server: PrivateServer, folder: Path) -> None:
        self.server = server
        self.books = Books(server)
        self.books.migrate()
        self.payer, self.payee = self.books.person(money=100_000), self.books.person()
        self.yesterday = self._a_day()
        self.as_of_yesterday = State.of(self.books)
        ways: dict[str, Way | None] = {"dump": backups.dump_of(server), "copy": backups.Copy()}
        self.backups = {name: (way, way.back_up(server, folder / name)) for name, way in ways.items() if way}
        self.today = self._a_day()
        self.as_of_the_moment = State.of(self.books)
        self.moment: Place = backups.place_of(server)
        self.lost_payment = captured(self.books.order(self.payer, 700), 700)

    def _a_day(self) -> Asking:
        """One of everything that is done under a key, and money in."""
        asking, day = Asking(), Day(self.books)
        for name, verb in day.verbs().items():
            asking.ask(self.books, name, "money", _by_a_new_request(verb, _OWN_ID.get(name)))
        asking.ask(self.books, "top up", "money", _opening(self.payer))
        asking.ask(self.books, "withdraw", "withdrawals", _withdrawing(self.payer))
        asking.ask(self.books, "register", "identity", _registering(self.books))
        asking.ask(self.books, "settle", "gateway", _settling(captured(self.books.order(self.payer, 5_000), 5_000)))
        return asking


#: What a request calls what it makes, chosen anew each time that it is made.
_OWN_ID = {"place": "hold_id", **dict.fromkeys(("pay", "pay out", "refund", "capture"), "transaction_id")}


def _by_a_new_request(verb: Any, own_id: str | None) -> Asked:
    def ask(database: Database) -> tuple[object, bool]:
        answer: tuple[object, bool] = verb(database, **({own_id: wiring.new_id()} if own_id else {}))
        return answer

    return ask


def _opening(person: Person) -> Asked:
    def ask(database: Database, **told: Any) -> tuple[object, bool]:
        top_up, _, done_before = top_ups.open_top_up(database, **told)
        return top_up, done_before

    told: dict[str, Any] = {
        "claim": person.claim(),
        "gateway": GATEWAY,
        "amount": 900,
        "valid_s": 432_000,
        "first_check_s": 300,
    }
    return _by_a_new_request(partial(ask, **told), "attempt_id")


def _withdrawing(person: Person) -> Asked:
    told: dict[str, Any] = {"claim": person.claim(), "provider": "razorpayx", "vpa": "asha@okbank", "amount": 1_100}
    return _by_a_new_request(partial(withdrawals.open_withdrawal, **told, first_check_s=300), "withdrawal_id")


def _registering(books: Books) -> Asked:
    phone, database = new_phone(), books.as_role("identity")
    proof = proof_of(database, phone)
    database.close()
    user = NewUser(phone=phone, name="Bela", email=None, kind="personal", password_hash=b"x" * 60, tier="full")
    someone = Person(wiring.new_id(), wiring.new_id(), phone)
    told: dict[str, Any] = {"user": user, "wallet_id": someone.wallet_id, "claim": someone.claim()}
    told["proof_hash"] = proof_hash(proof)
    return _by_a_new_request(partial(users.register_user, **told), "user_id")


def _settling(payment: ObservedPayment) -> Asked:
    def ask(database: Database) -> tuple[object, bool]:
        settled = settlement.settle_payment(database, payment, transaction_id=wiring.new_id())
        return payment.payment_id, not settled.new

    return ask


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    with PrivateServer(tmp_path_factory.mktemp("original"), options=BINLOG) as server:
        yield History(server, tmp_path_factory.mktemp("backups"))


@dataclass(frozen=True)
class Restored:
    """A server that was brought back, with what was found as of the backup; it stands as of the moment now."""

    server: PrivateServer
    books: Books
    as_of_yesterday: State
    differed_yesterday: list[str]
    to_migrate: list[str]
    as_of_the_moment: State


@pytest.fixture(scope="module", params=["dump", "copy"])
def restored(
    request: pytest.FixtureRequest, history: History, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Restored]:
    if request.param not in history.backups:
        told = history.server.program
        pytest.skip(f"no dump tool of {told.flavour} {told.version} is here (MYSQL_TOOLS=…): held by the copy alone")
    way, backup = history.backups[request.param]
    server = PrivateServer(tmp_path_factory.mktemp("restored"), options=BINLOG)
    try:
        way.restore(backup, server)
        books = Books(server)
        state = State.of(books)
        differed = history.yesterday.differing(books)
        logs = backups.logs_of(history.server, backup.place, history.moment)
        way.replay(logs, backup.place, history.moment, server)
        to_migrate = books.migrate()
        yield Restored(server, Books(server), state, differed, to_migrate, State.of(books))
    finally:
        server.stop()


def test_every_row_routine_trigger_and_right_comes_back_with_a_backup(history: History, restored: Restored) -> None:
    assert restored.as_of_yesterday == history.as_of_yesterday


def test_old_retries_still_replay_on_a_restored_backup(restored: Restored) -> None:
    assert restored.differed_yesterday == []


def test_with_the_binlog_the_ledger_is_as_of_the_moment_to_the_byte(history: History, restored: Restored) -> None:
    """And migrations find nothing to do there."""
    assert restored.to_migrate == []
    assert restored.as_of_the_moment == history.as_of_the_moment
    assert restored.books.faults() == []


def test_retries_of_both_days_replay_as_of_the_moment_and_move_nothing(history: History, restored: Restored) -> None:
    before = State.of(restored.books)
    assert history.yesterday.differing(restored.books) == []
    assert history.today.differing(restored.books) == []
    assert State.of(restored.books) == before


def test_new_payments_go_on_and_events_behind_the_old_ones(history: History, restored: Restored) -> None:
    books, before = restored.books, State.of(restored.books).last_event
    balance = books.balance(history.payee)
    receipt, done_before = pay(books, history.payer, history.payee, 40)
    assert (done_before, receipt.amount, books.balance(history.payee)) == (False, 40, balance + 40)
    told = books.outbox(behind=before)
    assert [event.type for event in told] == ["PaymentCompleted"]
    assert books.faults() == []


def test_the_restored_ledger_only_grows_for_its_owner_too(restored: Restored) -> None:
    for statement in ("UPDATE postings SET amount = amount", "DELETE FROM idempotency_records"):
        with pytest.raises(Exception, match=r"only grows|kept|written once"):
            restored.books.write(statement)


def test_money_whose_booking_was_lost_is_booked_when_the_gateway_is_asked_again(
    history: History, restored: Restored
) -> None:
    """Its order was opened behind the moment: the restored ledger has never heard of it, and the money is shown."""
    gateway = restored.books.as_role("gateway")
    settled = settlement.settle_payment(gateway, history.lost_payment, transaction_id=wiring.new_id())
    gateway.close()
    assert settled.new
    assert settled.suspense is not None
    assert settled.suspense.value == "unknown_order"


def test_a_payment_that_the_restore_lost_is_not_told_as_made_by_the_table_that_remembers_it(
    history: History, restored: Restored, functions: Functions
) -> None:
    """The idempotency table is newer than the ledger: a retry makes the payment, and moves money once."""
    payment = api_event(
        "POST",
        "/payments",
        body={"to": {"phone": history.payee.phone}, "amount": 60},
        headers={"Idempotency-Key": unique("key-")},
        caller=history.payer.user_id,
    )
    first = functions.make("pay", **_database_of(history.server)).invoke(payment)
    assert first["statusCode"] == 201
    books, balance = restored.books, restored.books.balance(history.payee)
    door = functions.make("pay", **_database_of(restored.server))
    retry, again = door.invoke(payment), door.invoke(payment)
    assert (retry["statusCode"], again["statusCode"]) == (201, 201)
    assert "Idempotency-Replayed" not in retry["headers"]
    assert again["headers"]["Idempotency-Replayed"] == "true"
    assert _id(retry) == _id(again) != _id(first)
    assert books.balance(history.payee) == balance + 60
    assert books.faults() == []


def test_a_payment_that_the_restore_lost_and_nobody_can_pay_any_more_is_refused(
    history: History, restored: Restored, functions: Functions
) -> None:
    payment = api_event(
        "POST",
        "/payments",
        body={"to": {"phone": history.payee.phone}, "amount": 60},
        headers={"Idempotency-Key": unique("key-")},
        caller=history.payer.user_id,
    )
    assert functions.make("pay", **_database_of(history.server)).invoke(payment)["statusCode"] == 201
    restored.books.turn(history.payer, "frozen")
    try:
        refused = functions.make("pay", **_database_of(restored.server)).invoke(payment)
    finally:
        restored.books.turn(history.payer, "active")
    assert (refused["statusCode"], json.loads(refused["body"])["code"]) == (409, "wallet_frozen")


def test_a_withdrawal_that_the_restore_lost_is_not_paid_out_again(
    history: History, restored: Restored, functions: Functions
) -> None:
    """Its payout may be made: what the provider did can't be restored."""
    withdrawal = api_event(
        "POST",
        "/withdrawals",
        body={"amount": 1_300, "vpa": "asha@okbank"},
        headers={"Idempotency-Key": unique("key-")},
        caller=history.payer.user_id,
    )
    assert functions.make("withdraw", **_database_of(history.server)).invoke(withdrawal)["statusCode"] == 202
    held = restored.books.held(history.payer)
    again = functions.make("withdraw", **_database_of(restored.server)).invoke(withdrawal)
    assert (again["statusCode"], json.loads(again["body"])["code"]) == (503, "try_again")
    assert restored.books.held(history.payer) == held


def _database_of(server: PrivateServer) -> dict[str, str]:
    return {"DATABASE_HOST": server.host, "DATABASE_PORT": str(server.port), "DATABASE_CA": server.ca_pem}


def _id(answer: Json) -> str:
    told: str = json.loads(answer["body"])["id"]
    return told
