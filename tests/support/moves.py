"""What people do with money, straight through the kernel, each time on a connection that no other thread uses."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from tests.support.books import Books, Person, id_of_now
from wallet import wiring
from wallet.ledger.attempts import ObservedPayment
from wallet.ledger.receipts import (
    CaptureReceipt,
    Hold,
    HoldReceipt,
    PaymentReceipt,
    RefundReceipt,
    WithdrawalReceipt,
)
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import holds, payments, settlement
from wallet.storage.claims import Claim
from wallet.storage.database import Database
from wallet.storage.settlement import Settlement

_connections = threading.local()
#: The roles whose procedures take the time.
_TIMED = ("money", "withdrawals", "gateway", "reader", "directory", "confirmations", "clock")


def connection(books: Books, role: str) -> Database:
    """This thread's connection of a role; it is closed when the thread ends."""
    key, known = _key(books, role), _known()
    if key not in known:
        known[key] = books.as_role(role)
    return known[key]


def _key(books: Books, role: str) -> str:
    return f"{books.server.port}:{books.server.database}:{role}"


def _known() -> dict[str, Database]:
    return _connections.__dict__


@contextmanager
def clock_at(books: Books, moment: datetime) -> Iterator[None]:
    """Within it, time stands still at a moment for whatever this thread asks of the kernel."""
    known, usual = _known(), dict(_known())
    stopped = {_key(books, role): books.as_role(role, at=moment) for role in _TIMED}
    known.update(stopped)
    try:
        yield
    finally:
        for key, database in stopped.items():
            del known[key]
            database.close()
        known.update(usual)


def pay(
    books: Books, payer: Person, payee: Person | None, amount: int, *, claim: Claim | None = None, **changes: Any
) -> tuple[PaymentReceipt, bool]:
    """A payment; True if the key had made it before."""
    arguments: dict[str, Any] = {
        "transaction_id": wiring.new_id(),
        "payee_wallet_id": payee.wallet_id if payee else None,
        "payee_phone": None,
        "amount": amount,
        "description": None,
        "reference": None,
    } | changes
    return payments.post_payment(connection(books, "money"), claim or payer.claim(), **arguments)


def refund(
    books: Books, payee: Person, payment_id: UUID, amount: int | None, *, claim: Claim | None = None
) -> RefundReceipt:
    """A refund of a payment or a capture, by its payee; None is all that is left."""
    receipt, _ = payments.refund_payment(
        connection(books, "money"),
        claim or payee.claim(),
        transaction_id=wiring.new_id(),
        payment_id=payment_id,
        amount=amount,
        reason=None,
    )
    return receipt


def place(
    books: Books, payer: Person, payee: Person, amount: int, *, valid_s: int = 3_600, claim: Claim | None = None
) -> HoldReceipt:
    """A hold."""
    receipt, _ = holds.place_hold(
        connection(books, "money"),
        claim or payer.claim(),
        hold_id=wiring.new_id(),
        payee_wallet_id=payee.wallet_id,
        payee_phone=None,
        amount=amount,
        valid_s=valid_s,
        description="a room",
    )
    return receipt


def capture(
    books: Books, payee: Person, hold_id: UUID, amount: int | None, *, final: bool = False, claim: Claim | None = None
) -> CaptureReceipt:
    """A capture by the payee; None is all that is left."""
    receipt, _ = holds.capture_hold(
        connection(books, "money"),
        claim or payee.claim(),
        transaction_id=wiring.new_id(),
        hold_id=hold_id,
        amount=amount,
        final=final,
    )
    return receipt


def release(books: Books, actor: Person, hold_id: UUID, *, claim: Claim | None = None) -> Hold:
    """Lets a hold go."""
    hold, _ = holds.release_hold(connection(books, "money"), claim or actor.claim(), hold_id=hold_id)
    return hold


def expire(books: Books, hold_id: UUID) -> bool:
    """What the sweep does with one hold."""
    return holds.expire_hold(connection(books, "clock"), hold_id)


def settle(books: Books, payment: ObservedPayment) -> Settlement:
    """Money that has arrived at the gateway."""
    gateway = connection(books, "gateway")
    return settlement.settle_payment(gateway, payment, transaction_id=id_of_now(gateway))


def made_anew(receipt: Any) -> Any:
    """A receipt as its key gets it later: all that the ledger has of it, which is all but a balance."""
    if isinstance(receipt, PaymentReceipt | HoldReceipt):
        return replace(receipt, payer_balance=None)
    if isinstance(receipt, WithdrawalReceipt):
        return replace(receipt, balance=None)
    return replace(receipt, payee_balance=None) if isinstance(receipt, RefundReceipt) else receipt


def refusal_of(call: Callable[[], object]) -> Refusal:
    """The refusal that a call must end with."""
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.refusal


def refusals_in(answers: list[Any]) -> list[Refusal]:
    """The refusals among many answers; whatever else was raised is an accident, and no answer."""
    accidents = [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, Refused)]
    assert accidents == []
    return [answer.refusal for answer in answers if isinstance(answer, Refused)]


def deadlocks(books: Books) -> int:
    """How many the server has seen, by its own count; a retry would hide one from us."""
    rows = books.select("SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'lock_deadlocks'")
    return int(rows[0]["COUNT"])
