"""No money without evidence, on a real server: what the kernel believes, and what it asks of an id."""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.books import Books, captured, id_of_now, unique
from tests.support.crowd import together
from wallet import wiring
from wallet.ledger import ids
from wallet.ledger.attempts import ObservedPayment
from wallet.storage import breaks
from wallet.storage.database import Database, DatabaseBrokenError, DatabaseUnavailableError, Row
from wallet.storage.settlement import Settlement, finish_event, settle_payment, store_event


@pytest.fixture
def gateway(books: Books) -> Iterator[Database]:
    with closing(books.as_role("gateway")) as database:
        yield database


def told_by(database: Database, body: bytes, *, gateway: str = "razorpay") -> UUID:
    """A stored event."""
    digest = hashlib.sha256(body).digest()
    stored = store_event(
        database,
        new_id=wiring.new_id(),
        gateway=gateway,
        digest=digest,
        event_id=None,
        name="payment.captured",
        body=body,
    )
    return stored.id


def body_of(payment: ObservedPayment) -> bytes:
    return json.dumps({"event": unique("ev"), "payload": {"payment": {"entity": {"id": payment.payment_id}}}}).encode()


def settle_as_before(database: Database, payment: ObservedPayment, transaction_id: UUID) -> str:
    """As code of the last release does."""
    return database.call(
        "settle_payment",
        transaction_id.bytes,
        payment.gateway,
        payment.payment_id,
        payment.order_id,
        payment.amount,
        payment.currency,
        payment.amount_refunded,
    ).outcome


def booked(books: Books, payment: ObservedPayment) -> list[Row]:
    """How a payment stands in the ledger, with its evidence."""
    return books.select(
        "SELECT t.id, t.type, g.event_id, g.answer, g.answer_digest FROM gateway_payments g"
        " JOIN transactions t ON t.id = g.transaction_id WHERE g.gateway_payment_id = %s",
        payment.payment_id,
    )


def id_at(moment: datetime) -> UUID:
    return ids.uuid7(unix_ms=int(moment.timestamp() * 1000), entropy=secrets.token_bytes(10))


def test_what_an_event_told_is_booked_with_the_event(books: Books, gateway: Database) -> None:
    payment = captured(books.order(books.person(), 500), 500)
    event_id = told_by(gateway, body_of(payment))
    assert settle_payment(gateway, payment, transaction_id=wiring.new_id(), event_id=event_id).suspense is None
    (row,) = booked(books, payment)
    assert (row["type"], row["event_id"], row["answer"]) == ("top_up", event_id.bytes, None)
    assert books.faults() == []


def test_what_an_answer_told_is_booked_with_the_answer_and_its_digest(books: Books, gateway: Database) -> None:
    payment = captured(None, 500)
    settle_payment(gateway, payment, transaction_id=wiring.new_id())
    (row,) = booked(books, payment)
    assert payment.told is not None
    assert (row["type"], row["event_id"], row["answer"]) == ("suspense", None, payment.told)
    assert row["answer_digest"] == hashlib.sha256(payment.told).digest()
    assert books.faults() == []


def test_nothing_is_booked_without_evidence_that_names_the_payment(books: Books, gateway: Database) -> None:
    person = books.person()
    payment = captured(books.order(person, 500), 500)
    other = told_by(gateway, body_of(captured(None, 500)))
    elsewhere = told_by(gateway, body_of(payment), gateway="cashfree")
    longer = told_by(gateway, body_of(replace(payment, payment_id=payment.payment_id + "0")))
    for event_id, answer in (
        (None, None),
        (wiring.new_id(), None),
        (other, None),
        (elsewhere, None),
        (longer, None),
        (None, b"{}"),
        (None, b'{"id": "pay_another"}'),
    ):
        with pytest.raises(DatabaseBrokenError):
            settle_payment(gateway, replace(payment, told=answer), transaction_id=wiring.new_id(), event_id=event_id)
    assert booked(books, payment) == []
    assert books.balance(person) == 0


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"cf_payment_id":1453002795}', True),
        (b'{"cf_payment_id" : 1453002795 ,"a":1}', True),
        (b'{"cf_payment_id":\n  1453002795\n}', True),
        (b'{"cf_payment_id":"1453002795"}', True),
        (b'{"cf_payment_id":14530027951}', False),
        (b'{"cf_payment_id":21453002795}', False),
        (b'{"bank_reference":"x1453002795"}', False),
        (b'{"amount":1453002795.50}', False),
        (b"", False),
    ],
)
def test_a_payment_is_named_as_a_text_or_as_a_number(books: Books, body: bytes, names: bool) -> None:  # noqa: FBT001 - a table
    with closing(books.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CALL check_names_payment(%s, '1453002795', @names)", (body,))
        cursor.execute("SELECT @names AS names")
        (row,) = cursor.fetchall()
        assert bool(row["names"]) is names


@pytest.mark.parametrize(("off_s", "taken"), [(0, True), (900, True), (-900, True), (902, False), (-902, False)])
def test_an_id_is_of_this_moment_give_or_take_a_quarter_of_an_hour(
    books: Books,
    off_s: int,
    taken: bool,  # noqa: FBT001 - a table
) -> None:
    moment = datetime.now(UTC).replace(microsecond=0)
    payment = captured(books.order(books.person(), 500), 500)
    with closing(books.as_role("gateway", at=moment)) as gateway:
        transaction_id = id_at(moment + timedelta(seconds=off_s))
        if taken:
            assert settle_payment(gateway, payment, transaction_id=transaction_id).new
        else:
            with pytest.raises(DatabaseBrokenError):
                settle_payment(gateway, payment, transaction_id=transaction_id)
    assert len(booked(books, payment)) == taken


def test_an_old_retry_of_what_is_booked_needs_no_evidence_and_no_new_id(books: Books, gateway: Database) -> None:
    payment = captured(books.order(books.person(), 500), 500)
    settle_payment(gateway, payment, transaction_id=wiring.new_id())
    old = id_at(datetime.now(UTC) - timedelta(days=300))
    assert settle_payment(gateway, replace(payment, told=None), transaction_id=old) == Settlement(
        new=False, suspense=None
    )
    assert settle_as_before(gateway, payment, old) == "duplicate"


def test_an_event_and_an_answer_at_once_book_a_payment_once(books: Books, gateway: Database) -> None:
    person = books.person()
    payment = captured(books.order(person, 500), 500)
    event_id = told_by(gateway, body_of(payment))

    def telling(event: UUID | None) -> Callable[[], Settlement]:
        def tell() -> Settlement:
            with closing(books.as_role("gateway")) as database:
                return settle_payment(database, payment, transaction_id=wiring.new_id(), event_id=event)

        return tell

    answers = together([telling(event_id if place % 2 else None) for place in range(20)])
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert sum(answer.new for answer in answers if isinstance(answer, Settlement)) == 1
    assert len(booked(books, payment)) == 1
    assert books.balance(person) == 500
    assert books.faults() == []


def test_the_answer_of_a_settlement_that_was_lost_is_given_again(books: Books, gateway: Database) -> None:
    payment = captured(books.order(books.person(), 500), 500)
    transaction_id, event_id = id_of_now(gateway), told_by(gateway, body_of(payment))
    answers = [settle_payment(gateway, payment, transaction_id=transaction_id, event_id=event_id).new for _ in range(2)]
    assert answers == [True, True]


def test_the_last_releases_procedure_books_nothing_that_no_stored_event_tells_of(
    books: Books, gateway: Database
) -> None:
    person = books.person()
    payment = captured(books.order(person, 500), 500)
    three_days_old = id_at(datetime.now(UTC) - timedelta(days=3))
    for transaction_id in (three_days_old, wiring.new_id()):
        with pytest.raises(DatabaseUnavailableError):
            settle_as_before(gateway, payment, transaction_id)
    assert booked(books, payment) == []
    assert books.balance(person) == 0


def test_the_last_releases_procedure_books_what_an_event_tells_of_that_is_under_way(
    books: Books, gateway: Database
) -> None:
    person = books.person()
    payment = captured(books.order(person, 500), 500)
    event_id = told_by(gateway, body_of(payment))
    assert settle_as_before(gateway, payment, wiring.new_id()) == "done"
    (row,) = booked(books, payment)
    assert row["event_id"] == event_id.bytes
    assert settle_as_before(gateway, payment, wiring.new_id()) == "duplicate"
    assert books.balance(person) == 500
    assert books.faults() == []


def test_to_the_last_releases_procedure_an_event_that_is_finished_or_names_another_payment_is_not_believed(
    books: Books, gateway: Database
) -> None:
    payment = captured(books.order(books.person(), 500), 500)
    finish_event(gateway, told_by(gateway, body_of(payment)), "ignored")
    told_by(gateway, body_of(replace(payment, payment_id=payment.payment_id + "0")))
    told_by(gateway, body_of(payment), gateway="cashfree")
    for one in (payment, replace(payment, payment_id="")):
        with pytest.raises(DatabaseUnavailableError):
            settle_as_before(gateway, one, wiring.new_id())
    assert booked(books, payment) == []


def test_an_id_of_another_time_is_not_taken_by_the_last_releases_procedure_either(
    books: Books, gateway: Database
) -> None:
    payment = captured(books.order(books.person(), 500), 500)
    told_by(gateway, body_of(payment))
    with pytest.raises(DatabaseBrokenError):
        settle_as_before(gateway, payment, id_at(datetime.now(UTC) - timedelta(days=3)))
    assert booked(books, payment) == []


class _OneConnection:
    """What has not been committed, as it is read by who wrote it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def read(self, query: str, *arguments: object) -> list[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, arguments)
            return list(cursor.fetchall())


def test_what_was_booked_when_goes_by_the_time_of_its_booking_and_not_by_its_id(books: Books) -> None:
    """Somebody forges a payment under an id that is three days old, where no walk looks any more."""
    payment_id, now = unique("pay_"), datetime.now(UTC).replace(microsecond=0)
    forged = id_at(now - timedelta(days=3))
    with closing(books.connect()) as connection:
        connection.begin()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO transactions (id, type, amount, currency, created_at)"
                " VALUES (%s, 'suspense', 5, 'INR', %s)",
                (forged.bytes, now.replace(tzinfo=None)),
            )
            cursor.execute(
                "INSERT INTO gateway_payments (gateway, gateway_payment_id, transaction_id, suspense_reason, answer,"
                " answer_digest, surcharge, created_at)"
                " VALUES ('razorpay', %s, %s, 'odd', 'x', REPEAT('d', 32), 0, %s)",
                (payment_id, forged.bytes, now.replace(tzinfo=None)),
            )
        database: Any = _OneConnection(connection)
        since, until = now - timedelta(minutes=1), now + timedelta(minutes=1)
        assert payment_id in breaks.booked_between(database, since, until, gateway="razorpay")
        waiting = breaks.not_settled(database, since, until, gateway="razorpay")
        assert payment_id in {one.subject for one in waiting}
        long_before = breaks.booked_between(database, since - timedelta(days=3), since, gateway="razorpay")
        assert payment_id not in long_before
        connection.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO gateway_payments (transaction_id, surcharge, created_at) VALUES ('a', 0, '2026-01-01')",
        "SELECT answer FROM gateway_payments LIMIT 1",
        "CALL check_names_payment('x', 'x', @names)",
    ],
)
def test_who_settles_can_write_no_evidence_by_hand_and_reads_no_answer(books: Books, statement: str) -> None:
    with (
        closing(books.connect("gateway")) as connection,
        connection.cursor() as cursor,
        pytest.raises(Exception, match="denied"),
    ):
        cursor.execute(statement)
