"""An intruder who has one function's database user and nothing else: what of other people's money that reaches."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pymysql
import pytest

from tests.support.books import GATEWAY, ROLES, Books, Person, captured, unique
from tests.support.operators import asked
from tests.support.payouts import PROVIDER, withdraw
from wallet import wiring
from wallet.ledger.bulk import BulkRow
from wallet.ledger.payees import PayeeName
from wallet.ledger.refunds import ObservedRefund, RefundStatus
from wallet.storage import bulk, holds, operators, payments, settlement, source_refunds, withdrawals
from wallet.storage.database import Database, DatabaseUnavailableError
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
        "SELECT t.id, t.gateway_payment_id FROM transactions t JOIN postings p ON p.transaction_id = t.id"
        " WHERE p.account_id = %s AND t.type = 'top_up'",
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


@pytest.mark.parametrize("spite", [*((one,) for one in _SPITE), _SPITE, _SPITE[:-1]])
def test_who_withdraws_keeps_no_payment_waiting_whatever_they_do_to_their_session(
    books: Books, spite: tuple[str, ...]
) -> None:
    owner, payee = books.person(money=_ALL), books.person()
    cancelled, asked, rejected = (withdraw(books, owner, 100)[0].id.bytes for _ in range(3))
    key, one = owner.claim(), owner.claim()
    calls: list[tuple[str, tuple[object, ...]]] = [
        ("request_withdrawal", (*one.arguments(), wiring.new_id().bytes, PROVIDER, "asha@okbank", 100, 3_600)),
        ("cancel_withdrawal", (*key.arguments(), cancelled)),
        ("claim_payout", (asked,)),
        ("note_agreeing_payout", (asked, PROVIDER, unique("pout_"), 100, "INR")),
        ("claim_payout", (rejected,)),
        ("reject_withdrawal", (rejected, "rejected")),
        ("find_withdrawal", (asked, owner.user_id.bytes)),
        ("find_idempotency_key", key.arguments()[:2]),
    ]
    with (
        closing(books.connect("withdrawals")) as connection,
        connection.cursor() as cursor,
        closing(books.as_role("money")) as money,
    ):
        for statement in spite:
            cursor.execute(statement)
        done = 0
        for procedure, arguments in calls:
            with contextlib.suppress(pymysql.MySQLError):  # those that move something begin a transaction of their own
                cursor.execute(f"CALL {procedure}({', '.join(['%s'] * len(arguments))})", arguments)
                done += bool(cursor.fetchall())
                while cursor.nextset():
                    pass
        for lock in ("FOR UPDATE", "LOCK IN SHARE MODE", ""):
            with pytest.raises(pymysql.MySQLError, match="denied"):
                cursor.execute(f"SELECT id FROM wallets {lock}")  # noqa: S608 - ours
        assert done, "it could call nothing at all"
        money.read("SET SESSION innodb_lock_wait_timeout = 1")
        began = time.monotonic()
        _pay(books, money, owner, payee, amount=300)
        assert time.monotonic() - began < 1, "it waited"
    assert books.balance(payee) == 300


def test_news_of_a_payment_that_nobody_made_takes_nothing_from_anybody(books: Books) -> None:
    """Who settles can make money up (the report of settlements finds it), and reaches nobody's."""
    victim, thief = books.person(money=_ALL), books.person()
    order = books.order(thief, _ALL)
    with closing(books.as_role("gateway")) as database:
        settlement.settle_payment(database, captured(order, _ALL), transaction_id=wiring.new_id())
    assert (books.balance(victim), books.balance(thief)) == (_ALL, _ALL)
