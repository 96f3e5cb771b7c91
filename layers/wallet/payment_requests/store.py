"""Requests for money in MySQL. Paying one is a payment: `wallet.storage.payments`."""

from uuid import UUID

from wallet.identity.sessions.model import Principal
from wallet.ledger.receipts import Party
from wallet.payees.model import Payee
from wallet.payment_requests.model import PaymentRequest, ReceivedPayment, RequestStatus, Terms
from wallet.storage.database import Database, Row
from wallet.storage.lists import ListRequest, Page, id_bytes, read_page
from wallet.storage.rows import time_of, uuid_of

#: How many payments of a request are shown.
_SHOWN = 100


def open_payment_request(database: Database, caller: Principal, terms: Terms, *, payment_request_id: UUID) -> None:
    """Writes a request down, once for its id. Raises `Refused`."""
    database.call(
        "open_payment_request",
        caller.user_id.bytes,
        caller.generation,
        payment_request_id.bytes,
        terms.amount,
        terms.description,
        terms.valid_s,
    )


def cancel_payment_request(database: Database, caller: Principal, payment_request_id: UUID) -> None:
    """Ends one of the caller's own. Raises `Refused`: `payment_request_ended` for one that is paid, or over."""
    database.call("cancel_payment_request", caller.user_id.bytes, caller.generation, payment_request_id.bytes)


def find_payment_request(database: Database, payment_request_id: UUID, *, reader_id: UUID) -> PaymentRequest | None:
    """A request of the reader's own, or one whose id they were given; one that has long ended is its maker's alone."""
    rows = database.read("CALL find_payment_request(%s, %s)", reader_id.bytes, payment_request_id.bytes)
    return _request(rows[0]) if rows else None


def list_received(database: Database, payment_request_id: UUID, *, reader_id: UUID) -> list[ReceivedPayment]:
    """The newest payments of a request, a hundred at most, for its maker; who has paid one with an amount sees that."""
    rows = database.read(
        "CALL list_payment_request_payments(%s, %s, %s)", reader_id.bytes, payment_request_id.bytes, _SHOWN
    )
    return [
        ReceivedPayment(
            transaction_id=uuid_of(row["transaction_id"]),
            amount=row["amount"],
            payer=Party(uuid_of(row["payer_wallet_id"]), row["payer_name"]),
            created_at=time_of(row["created_at"]),
        )
        for row in rows
    ]


def list_payment_requests(database: Database, *, actor_id: UUID, asked: ListRequest) -> Page[PaymentRequest]:
    """The actor's own, the newest first."""

    def read(before: UUID | None, limit: int) -> list[PaymentRequest]:
        arguments = (actor_id.bytes, id_bytes(before), limit)
        return [_request(row) for row in database.read("CALL list_payment_requests(%s, %s, %s)", *arguments)]

    return read_page(read, asked, status_of=lambda one: one.status)


def _request(row: Row) -> PaymentRequest:
    return PaymentRequest(
        id=uuid_of(row["id"]),
        is_own=bool(row["is_own"]),
        payee=Payee(uuid_of(row["wallet_id"]), row["name"], row["kind"]),
        amount=row["amount"],
        currency=row["currency"],
        description=row["description"],
        status=RequestStatus(row["status"]),
        created_at=time_of(row["created_at"]),
        expires_at=time_of(row["expires_at"]),
    )
