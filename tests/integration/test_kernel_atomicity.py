"""All of a movement or nothing of it: whichever of its writes fails, nothing has moved, and the key is free."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pymysql
import pytest

from tests.support.books import Books, Person, captured
from tests.support.confirmations import tier_with
from tests.support.moves import capture, pay, place, refund, settle
from tests.support.payouts import tell, withdraw
from tests.support.waiting import LOCK_WALLET, is_free
from wallet import wiring
from wallet.ledger.withdrawals import PayoutStatus
from wallet.storage.database import DatabaseBrokenError

#: What the movements below write, each time but for what they don't: no payment changes what is held.
WRITES = (
    "INSERT ON transactions",
    "INSERT ON postings",
    "UPDATE ON wallets",
    "INSERT ON outbox",
    "INSERT ON held_changes",
    "INSERT ON idempotency_records",
    "UPDATE ON payment_attempts",
    "UPDATE ON withdrawals",
    "UPDATE ON holds",
)
_NEVER = {
    "payment": {
        "INSERT ON held_changes",
        "UPDATE ON payment_attempts",
        "UPDATE ON withdrawals",
        "UPDATE ON holds",
    },
    "refund": {
        "INSERT ON held_changes",
        "UPDATE ON payment_attempts",
        "UPDATE ON withdrawals",
        "UPDATE ON holds",
    },
    "hold": {
        "INSERT ON transactions",
        "INSERT ON postings",
        "UPDATE ON payment_attempts",
        "UPDATE ON withdrawals",
        "UPDATE ON holds",
    },
    "capture": {"UPDATE ON payment_attempts", "UPDATE ON withdrawals"},
    "top-up": {
        "INSERT ON held_changes",
        "INSERT ON idempotency_records",
        "UPDATE ON withdrawals",
        "UPDATE ON holds",
    },
    "withdrawal": {
        "INSERT ON transactions",
        "INSERT ON postings",
        "UPDATE ON payment_attempts",
        "UPDATE ON withdrawals",
        "UPDATE ON holds",
    },
    "payout": {
        "INSERT ON idempotency_records",
        "UPDATE ON payment_attempts",
        "UPDATE ON holds",
    },
}


@contextmanager
def failing(books: Books, write: str) -> Iterator[None]:
    """While this is open, a write that is done is taken back with an error: the last moment at which it can fail."""
    books.write(
        f"CREATE TRIGGER this_fails AFTER {write} FOR EACH ROW"
        " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this fails today'"
    )
    try:
        yield
    finally:
        books.write("DROP TRIGGER this_fails")


def movements(books: Books, payer: Person, payee: Person) -> dict[str, Callable[[], Any]]:
    """Everything that moves money or sets it aside; each may be done again, and is then done once."""
    paid = pay(books, payer, payee, 100)[0].transaction_id
    held = place(books, payer, payee, 100).id
    taken, _ = withdraw(books, payer, 1_000)
    arrived = captured(books.order(payer, 500), 500)
    return {
        "payment": partial(pay, books, payer, payee, 60, claim=payer.claim()),
        "refund": partial(refund, books, payee, paid, 60, claim=payee.claim()),
        "hold": partial(place, books, payer, payee, 60, claim=payer.claim()),
        "capture": partial(capture, books, payee, held, 100, claim=payee.claim()),
        "top-up": partial(settle, books, arrived),
        "withdrawal": partial(withdraw, books, payer, 1_000, claim=payer.claim()),
        "payout": partial(tell, books, taken, PayoutStatus.SUCCEEDED),
    }


def standing(books: Books, *people: Person) -> list[object]:
    """What people have and hold, and how much is written down of them."""
    counted = [(books.balance(person), books.held(person)) for person in people]
    tables = ("transactions", "postings", "outbox", "held_changes", "idempotency_records")
    rows = [books.select(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"] for table in tables]  # noqa: S608 - ours
    return [*counted, *rows]


@pytest.mark.parametrize(
    ("movement", "write"),
    [(movement, write) for movement in _NEVER for write in WRITES if write not in _NEVER[movement]],
)
def test_a_movement_that_fails_at_any_of_its_writes_has_moved_nothing_and_is_done_when_asked_again(
    books: Books, movement: str, write: str
) -> None:
    payer, payee = books.person(money=10_000), books.person(money=1_000)
    move = movements(books, payer, payee)[movement]
    before = standing(books, payer, payee)
    with failing(books, write), pytest.raises(DatabaseBrokenError):
        move()
    assert standing(books, payer, payee) == before
    move()
    assert standing(books, payer, payee) != before
    assert books.faults() == []


_PAY = "CALL post_payment(%s, 'k', REPEAT('h', 32), 0, %s, %s, NULL, %s, NULL, NULL)"


def test_a_call_that_fails_lets_go_of_its_locks_although_its_session_stays(books: Books) -> None:
    payer, payee = books.person(money=100), books.person()
    connection = books.connect("money")
    arguments = (payer.user_id.bytes, wiring.new_id().bytes, payee.wallet_id.bytes, 60)
    with connection, connection.cursor() as cursor:
        with failing(books, "INSERT ON outbox"), pytest.raises(pymysql.MySQLError, match="this fails today"):
            cursor.execute(_PAY, arguments)
        assert is_free(books, LOCK_WALLET, payer.wallet_id.bytes)


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [
        pytest.param(101, "insufficient_funds", id="before the wallets' locks"),
        pytest.param(60, "confirmation_required", id="under the wallets' locks"),
    ],
)
def test_a_refusal_lets_go_of_its_locks_although_its_session_stays(books: Books, amount: int, refusal: str) -> None:
    payer, payee = books.person(money=100), books.person()
    books.set_tier(payer, tier_with(books, above=0))
    connection = books.connect("money")
    arguments = (payer.user_id.bytes, wiring.new_id().bytes, payee.wallet_id.bytes, amount)
    record = "SELECT 1 FROM idempotency_records WHERE actor_id = %s AND idem_key = 'k'"
    with connection, connection.cursor() as cursor:
        cursor.execute(_PAY, arguments)
        assert cursor.fetchall()[0]["outcome"] == refusal
        assert is_free(books, LOCK_WALLET, payer.wallet_id.bytes)
        assert is_free(books, f"{record} FOR UPDATE", payer.user_id.bytes)
    assert books.select(record, payer.user_id.bytes) == []
