"""Asking for money, and seeing who has paid."""

from collections.abc import Callable
from uuid import UUID

from wallet.identity.sessions.model import Principal
from wallet.ledger.refusals import Refusal, Refused
from wallet.payment_requests.model import PaymentRequest, ReceivedPayment, Terms
from wallet.payment_requests.store import (
    cancel_payment_request,
    find_payment_request,
    list_received,
    open_payment_request,
)
from wallet.storage.database import Database


def ask(database: Database, new_id: Callable[[], UUID], caller: Principal, terms: Terms) -> PaymentRequest:
    """A new request of the caller's. Raises `Refused`."""
    request_id = new_id()
    open_payment_request(database, caller, terms, payment_request_id=request_id)
    return show(database, request_id, reader_id=caller.user_id)[0]


def show(database: Database, request_id: UUID, *, reader_id: UUID) -> tuple[PaymentRequest, list[ReceivedPayment]]:
    """A request as it stands, with what was paid on it, as far as that is the reader's affair. Raises `Refused`."""
    request = find_payment_request(database, request_id, reader_id=reader_id)
    if request is None:
        raise Refused(Refusal.NOT_FOUND, "There is no such payment request.")
    return request, list_received(database, request_id, reader_id=reader_id)


def call_off(database: Database, caller: Principal, request_id: UUID) -> tuple[PaymentRequest, list[ReceivedPayment]]:
    """Ends one of the caller's own; what was paid on it stays paid. Raises `Refused`."""
    cancel_payment_request(database, caller, request_id)
    return show(database, request_id, reader_id=caller.user_id)
