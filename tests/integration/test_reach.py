"""An intruder who has one function's database user and nothing else: what of other people's money that reaches."""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pymysql
import pytest

from roles import GRANTS
from tests.support.books import GATEWAY, PATIENCE_S, ROLES, Books, Person, captured, unique
from tests.support.moves import pay, place
from tests.support.operators import asked
from tests.support.payouts import PROVIDER, withdraw
from wallet import wiring
from wallet.ledger.bulk import BulkRow
from wallet.ledger.payees import PayeeName
from wallet.ledger.refunds import ObservedRefund, RefundStatus
from wallet.storage import bulk, holds, operators, payments, settlement, source_refunds, withdrawals
from wallet.storage.database import Database, DatabaseBrokenError, DatabaseUnavailableError
from wallet.storage.operators import Instruction
from wallet.storage.rows import uuid_of

#: All that a victim has, in minor units.
_ALL = 1_000

Way = Callable[[Books, Database, Person, Person], object]


def _pay(_books: Books, database: Database, victim: Person, thief: Person, *, amount: int = _ALL) -> None:
    payments.post_payment(
        database,
        victim.claim(),
        transaction_id=wiring.new_id(),
        payee_wallet_id=thief.wallet_id,
        payee_phone=None,
        amount=amount,
        description=None,
        reference=None,
    )


def _hold(_books: Books, database: Database, victim: Person, thief: Person) -> None:
    hold, _ = holds.place_hold(
        database,
        victim.claim(),
        hold_id=wiring.new_id(),
        payee_wallet_id=thief.wallet_id,
        payee_phone=None,
        amount=_ALL,
        valid_s=600,
        description=None,
    )
    holds.capture_hold(
        database, thief.claim(), transaction_id=wiring.new_id(), hold_id=hold.id, amount=None, final=True
    )


def _pay_by_file(_books: Books, database: Database, victim: Person, thief: Person) -> None:
    row = BulkRow(2, PayeeName(thief.wallet_id, None), _ALL, None, None)
    file, _ = bulk.open_bulk_payment(database, victim.claim(), bulk_payment_id=wiring.new_id(), rows=[row])
    bulk.pay_bulk_row(database, file.id, 2, transaction_id=wiring.new_id())


def _withdraw(_books: Books, database: Database, victim: Person, _thief: Person) -> None:
    withdrawals.open_withdrawal(
        database,
        victim.claim(),
        withdrawal_id=wiring.new_id(),
        provider=PROVIDER,
        vpa="thief@okbank",
        amount=_ALL,
        first_check_s=3_600,
    )


def _refund_to_source(books: Books, database: Database, victim: Person, _thief: Person) -> None:
    (top_up,) = _top_ups(books, victim)
    order = asked(database, "refund_to_source", Instruction("Meera", "none", victim.claim()))
    operators.refund_to_source(
        database, order, refund_id=wiring.new_id(), transaction_id=uuid_of(top_up["id"]), amount=None
    )


def _refund_at_the_gateway(books: Books, database: Database, victim: Person, _thief: Person) -> None:
    (top_up,) = _top_ups(books, victim)
    told = ObservedRefund(
        gateway=GATEWAY,
        refund_id=unique("rfnd_"),
        reference=None,
        payment_id=top_up["gateway_payment_id"],
        amount=_ALL,
        currency="INR",
        status=RefundStatus.SUCCEEDED,
    )
    source_refunds.note_foreign_refund(database, told, refund_id=wiring.new_id())


def _top_ups(books: Books, person: Person) -> list[dict[str, Any]]:
    return books.select(
        "SELECT g.transaction_id AS id, g.gateway_payment_id FROM gateway_payments g"
        " JOIN postings p ON p.transaction_id = g.transaction_id WHERE p.account_id = %s AND p.type = 'top_up'",
        person.wallet_id.bytes,
    )


#: To another wallet of ours, where it can be given back from.
_ACROSS: dict[str, Way] = {"pay": _pay, "hold": _hold, "pay by a file": _pay_by_file}
#: Out of our books: to an address of the thief's choice, or to where it came from.
_OUT: dict[str, Way] = {"withdraw": _withdraw}
_BACK: dict[str, Way] = {"refund to source": _refund_to_source, "refund at the gateway": _refund_at_the_gateway}

#: What each user reaches of people's money; those that aren't named reach nothing.
_REACHED = {
    "money": {*_ACROSS},
    "withdrawals": {*_OUT},
    "operator": {"refund to source"},
    "gateway": {"refund at the gateway"},
}


def _is_denied(error: DatabaseUnavailableError) -> bool:
    """Whether it is for a right that is missing, which to a function is as if the database were away."""
    return error.__cause__ is not None and error.__cause__.args[0] in (1142, 1143, 1370)


@pytest.fixture(autouse=True)
def leave_nothing_due(books: Books) -> Iterator[None]:
    """Nobody asks the gateways of other tests about what is made up here."""
    yield
    books.nothing_is_due()


@pytest.mark.parametrize("role", ROLES)
def test_one_database_user_empties_others_wallets_in_its_own_ways_alone(books: Books, role: str) -> None:
    reached = set()
    for name, way in (_ACROSS | _OUT | _BACK).items():
        victim, thief = books.person(money=_ALL), books.person()
        with closing(books.as_role(role)) as database:
            try:
                way(books, database, victim, thief)
            except DatabaseUnavailableError as error:
                if not _is_denied(error):
                    raise
                assert (books.balance(victim), books.held(victim)) == (_ALL, 0)
                continue
        assert books.balance(victim) - books.held(victim) == 0, f"{name} was allowed, and did something else"
        reached.add(name)
    assert reached == _REACHED.get(role, set())


def test_who_can_carry_money_together_can_not_carry_it_out_and_the_reverse() -> None:
    """A thief needs two users: one empties many wallets into one, another takes that out."""
    for role, reached in _REACHED.items():
        assert not (reached & {*_ACROSS} and reached & {*_OUT, *_BACK}), role
    assert [role for role, reached in _REACHED.items() if reached & {*_OUT}] == ["withdrawals"]


def test_who_withdraws_does_nothing_else(books: Books) -> None:
    """Neither pays nor holds, opens no top-up and no file, orders nothing, settles nothing, and reads no table."""
    shown = " ".join(str(row) for row in books.select("SHOW GRANTS FOR 'wallet_withdrawals'@'%%'"))
    every = {row["name"] for row in books.select(
        "SELECT ROUTINE_NAME AS name FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()"
    )}  # fmt: skip
    assert {name for name in every if f"`{name}`" in shown} == {
        "find_idempotency_key",
        "find_withdrawal",
        "request_withdrawal",
        "claim_payout",
        "cancel_withdrawal",
        "note_agreeing_payout",
        "reject_withdrawal",
    }
    assert "SELECT" not in shown


# ------------------------------------------------------------------------------------------------------- locks


#: What an intruder may do to their session before they use what its user has rights to.
_SPITE = (
    "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET SESSION completion_type = CHAIN",
    "SET SESSION autocommit = 0",
    "START TRANSACTION",
)


Call = tuple[str, tuple[object, ...]]


@contextmanager
def failing_on_lock_waits(books: Books, role: str) -> Iterator[Database]:
    """A session in which a wait for a lock ends with an error, and anything else may take its time.

    No test need look at a clock: whoever holds a lock here does nothing until this session is answered, so a wait for
    that lock has no other end than the server's error, however often the call is made again.
    """
    with closing(Database(books.server, books.credentials_of(role), patience_s=PATIENCE_S)) as database:
        database.read("SET SESSION innodb_lock_wait_timeout = 1")
        yield database


@dataclass(frozen=True)
class Stage:
    """Somebody who pays, whom they pay, and an intruder who has looked at both."""

    books: Books
    payer: Person
    payee: Person

    @classmethod
    def new(cls, books: Books) -> "Stage":
        return cls(books, books.person(money=_ALL), books.person())

    def answers_while_they_pay(self, role: str, spite: tuple[str, ...], calls: Sequence[Call]) -> dict[str, int]:
        """How many rows each call of a spiteful session is answered with, and behind each somebody pays."""
        answers: dict[str, int] = {}
        with (
            closing(self.books.connect(role)) as connection,
            connection.cursor() as cursor,
            failing_on_lock_waits(self.books, "money") as money,
        ):
            for procedure, arguments in calls:
                for statement in spite:
                    cursor.execute(statement)
                with contextlib.suppress(pymysql.MySQLError):  # who moves something begins a transaction of their own
                    cursor.execute(f"CALL {procedure}({', '.join(['%s'] * len(arguments))})", arguments)
                    answers[procedure] = len(cursor.fetchall())
                    while cursor.nextset():
                        pass
                try:
                    _pay(self.books, money, self.payer, self.payee, amount=10)
                except DatabaseUnavailableError as error:
                    pytest.fail(f"a payment waited for {procedure}: {error}")
            for table in ("wallets", "wallet_slots", "users", "tier_limits", "postings", "transactions", "holds"):
                for lock in ("FOR UPDATE", "LOCK IN SHARE MODE", ""):
                    with pytest.raises(pymysql.MySQLError, match="denied"):
                        cursor.execute(f"SELECT 1 FROM {table} {lock}")  # noqa: S608 - ours
        assert self.books.balance(self.payee) == 10 * len(calls)
        return answers


@pytest.mark.parametrize("spite", [*((one,) for one in _SPITE), _SPITE, _SPITE[:-1]])
def test_who_withdraws_keeps_no_payment_waiting_whatever_they_do_to_their_session(
    books: Books, spite: tuple[str, ...]
) -> None:
    stage = Stage.new(books)
    owner = stage.payer
    cancelled, asked, rejected = (withdraw(books, owner, 100)[0].id.bytes for _ in range(3))
    key, one = owner.claim(), owner.claim()
    wanted = (wiring.new_id().bytes, PROVIDER, "asha@okbank", 100, 3_600)
    calls: list[Call] = [
        ("request_withdrawal", (*one.signed_in(), *wanted)),
        ("cancel_withdrawal", (*key.signed_in(), cancelled)),
        ("claim_payout", (asked,)),
        ("note_agreeing_payout", (asked, PROVIDER, unique("pout_"), 100, "INR")),
        ("claim_payout", (rejected,)),
        ("reject_withdrawal", (rejected, "rejected")),
        ("find_withdrawal", (asked, owner.user_id.bytes)),
        ("find_idempotency_key", key.arguments()[:2]),
    ]
    answers = stage.answers_while_they_pay("withdrawals", spite, calls)
    assert answers["find_withdrawal"] == 1


def _reads(books: Books, owner: Person, other: Person) -> list[Call]:
    """All that the reader may call, about somebody of whom there is something to be read."""
    wallet, moment = owner.wallet_id.bytes, "2037-01-01 00:00:00"
    claim, file_id = owner.claim(), wiring.new_id()
    withdraw(books, owner, 100, claim=claim)
    with closing(books.as_role("money")) as money:
        row = BulkRow(2, PayeeName(other.wallet_id, None), 100, None, None)
        bulk.open_bulk_payment(money, owner.claim(), bulk_payment_id=file_id, rows=[row])
    (top_up,) = _top_ups(books, owner)
    place(books, owner, other, 1)
    payment = pay(books, owner, books.person(), 1)[0].transaction_id
    calls: list[Call] = [
        ("find_wallet", (owner.user_id.bytes,)),
        ("find_held_at", (wallet, moment)),
        ("find_wallet_owner", (wallet,)),
        ("list_slots", (owner.user_id.bytes,)),
        ("find_slot_balances", (wallet, f'[[0, "{moment}", 99]]')),
        ("list_entries", (wallet, "[[0, 0, 99]]", None, 100)),
        ("find_entry", (owner.user_id.bytes, top_up["id"])),
        ("list_top_ups", (owner.user_id.bytes, None, None, 100)),
        ("list_holds", (owner.user_id.bytes, None, None, None, None, 100)),
        ("find_payments", (owner.user_id.bytes, f'["{payment.hex}"]', None)),
        ("list_withdrawals", (owner.user_id.bytes, None, claim.key, 100)),
        ("find_bulk_payment", (file_id.bytes, owner.user_id.bytes)),
        ("list_bulk_rows", (file_id.bytes, owner.user_id.bytes, 0, None, 100)),
        ("find_recipient", (wallet, other.wallet_id.bytes)),
        ("find_former_phone", (owner.user_id.bytes, moment)),
        ("find_seal", (owner.user_id.bytes, top_up["id"])),
        ("find_checkpoint", (1,)),
        ("list_seals", (1, 10)),
        ("find_sealed_transaction", (top_up["id"],)),
        ("list_sealed_postings", (top_up["id"],)),
        ("preview_debit", (owner.user_id.bytes, 100, other.wallet_id.bytes, None, "asha@okbank")),
    ]
    assert {procedure for procedure, _ in calls} == {
        grant.removeprefix("EXECUTE ON PROCEDURE ") for grant in GRANTS["reader"]
    }
    return calls


#: Nobody's phone has changed, and here nothing need be sealed: the others are answered with something.
_MAY_BE_NOTHING = {"find_former_phone", "list_seals"}


@pytest.mark.parametrize("spite", [(), *((one,) for one in _SPITE), _SPITE, _SPITE[:-1]])
def test_who_reads_keeps_no_payment_waiting_whatever_they_do_to_their_session(
    books: Books, spite: tuple[str, ...]
) -> None:
    stage = Stage.new(books)
    calls = _reads(books, stage.payer, stage.payee)
    answers = stage.answers_while_they_pay("reader", spite, calls)
    assert {procedure for procedure, _ in calls} - {name for name, rows in answers.items() if rows} <= _MAY_BE_NOTHING


#: What anybody locks who moves money, or has to do with people, files, withdrawals and seals.
_LOCKED = (
    *("users", "wallets", "wallet_slots", "tier_limits", "merchant_approvals", "proved_phones", "former_phones"),
    *("holds", "held_changes", "accounts", "transactions", "postings", "withdrawals", "idempotency_records"),
    *("bulk_payments", "bulk_payment_rows", "seals", "checkpoints", "ledger_identity"),
    *("payment_attempts", "payment_attempt_events", "source_refunds", "bank_references"),
    *("confirmation_rules", "known_payees", "known_vpas", "fee_rates"),
)


def test_no_payment_keeps_who_reads_waiting(books: Books) -> None:
    """A SELECT of InnoDB's reads past every lock; what a SET or an IF looks at it would wait for, and lock itself."""
    owner, other = books.person(money=_ALL), books.person()
    calls = _reads(books, owner, other)
    with closing(books.connect()) as busy, busy.cursor() as locks, failing_on_lock_waits(books, "reader") as reader:
        busy.begin()
        for table in _LOCKED:
            locks.execute(f"SELECT 1 FROM {table} FOR UPDATE")  # noqa: S608 - ours
        for procedure, arguments in calls:
            try:
                rows = reader.read(f"CALL {procedure}({', '.join(['%s'] * len(arguments))})", *arguments)
            except DatabaseUnavailableError as error:
                pytest.fail(f"{procedure} waited: {error}")
            assert rows or procedure in _MAY_BE_NOTHING
        busy.rollback()


@pytest.mark.parametrize("word", ["payment' OR '1' = '1", "\\' OR 1 = 1 -- ", "'", "\\"])
def test_what_a_reader_names_is_no_part_of_a_query(books: Books, word: str) -> None:
    """Of the one that is put together: it would run with the rights of the schema's owner."""
    owner = books.person(money=_ALL)
    with closing(books.as_role("reader")) as database:
        listed = partial(database.read, "CALL list_entries(%s, %s, %s, 10)", owner.wallet_id.bytes)
        assert listed("[[0, 0, 99]]", json.dumps([word])) == []
        assert len(listed("[[0, 0, 99]]", '["top_up", "fee"]')) == 1
        for stretches in ('[["0) OR (1 = 1", 0, 99]]', '[[0, "0 OR 1 = 1", 99]]'):
            with contextlib.suppress(DatabaseBrokenError):
                assert [row["slot"] for row in listed(stretches, None)] in ([], [0])


def test_news_of_a_payment_that_nobody_made_takes_nothing_from_anybody(books: Books) -> None:
    """Who settles can make money up (the report of settlements finds it), and reaches nobody's."""
    victim, thief = books.person(money=_ALL), books.person()
    order = books.order(thief, _ALL)
    with closing(books.as_role("gateway")) as database:
        settlement.settle_payment(database, captured(order, _ALL), transaction_id=wiring.new_id())
    assert (books.balance(victim), books.balance(thief)) == (_ALL, _ALL)
