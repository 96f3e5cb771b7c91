"""Payments' disputes (chargebacks), straight through the kernel: what a gateway tells, and how operators end them."""

import itertools
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from tests.support.books import GATEWAY, Books, Person, captured, unique
from tests.support.operators import asked
from wallet import wiring
from wallet.ledger.disputes import DisputeEnd, DisputeNews, DisputePhase, DisputeStatus, ObservedDispute
from wallet.ledger.refunds import ObservedRefund, RefundStatus
from wallet.movements.payment_disputes import book_dispute
from wallet.storage import operators, settlement
from wallet.storage.claims import Claim
from wallet.storage.operators import EndedPaymentDispute, Instruction

_BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
_moments = itertools.count(1)


def later() -> datetime:
    """A moment of the gateway's, behind all that were told before."""
    return _BEGINNING + timedelta(seconds=next(_moments))


class TopUp:
    """A payment that has arrived for somebody: credited to them, or (`refunded`) in suspense."""

    def __init__(self, books: Books, person: Person, amount: int, *, suspended: bool = False) -> None:
        self.books, self.person, self.amount, self.id = books, person, amount, wiring.new_id()
        order_id = unique("order_") if suspended else books.order(person, amount)
        self.payment = captured(order_id, amount)
        with closing(books.as_role("gateway")) as gateway:
            settlement.settle_payment(gateway, self.payment, transaction_id=self.id)

    def disputed(self, amount: int | None = None, **changes: Any) -> ObservedDispute:
        """A new dispute of it."""
        dispute = ObservedDispute(
            gateway=GATEWAY,
            dispute_id=unique("disp_"),
            payment_id=self.payment.payment_id,
            amount=self.amount if amount is None else amount,
            currency="INR",
            phase=DisputePhase.CHARGEBACK,
            status=DisputeStatus.OPEN,
            told_at=later(),
            respond_by=_BEGINNING + timedelta(days=400),
            reason="goods_not_received",
        )
        return replace(dispute, **changes)

    def refunded(self, amount: int, status: RefundStatus = RefundStatus.SUCCEEDED, **changes: Any) -> ObservedRefund:
        """A refund of it that somebody began at the gateway."""
        refund = ObservedRefund(
            gateway=GATEWAY,
            refund_id=unique("rfnd_"),
            reference=None,
            payment_id=self.payment.payment_id,
            amount=amount,
            currency="INR",
            status=status,
            payment=replace(self.payment, amount_refunded=amount),
        )
        return replace(refund, **changes)

    def refund(self, amount: int | None = None) -> UUID:
        """Opens a refund of it by the operator's command."""
        with closing(self.books.as_role("operator")) as operator:
            opened, _ = operators.refund_to_source(
                operator,
                asked(operator, "refund_to_source", instruction()),
                refund_id=wiring.new_id(),
                transaction_id=self.id,
                amount=amount,
            )
        return opened.refund_id


def then(dispute: ObservedDispute, status: str, **changes: Any) -> ObservedDispute:
    """Later news of a dispute."""
    return replace(dispute, status=DisputeStatus(status), told_at=later(), **changes)


def tell(books: Books, *told: ObservedDispute) -> list[DisputeNews]:
    """Books news, one after the other."""
    with closing(books.as_role("gateway")) as gateway:
        return [book_dispute(gateway, wiring.new_id, one) for one in told]


def instruction(key: str | None = None, asked: str = "") -> Instruction:
    """An operator's."""
    claim = Claim(UUID(bytes=sha256(b"Meera").digest()[:16]), key or unique("key-"), sha256(asked.encode()).digest())
    return Instruction("Meera", "the bank has written", claim)


def end(
    books: Books, dispute: ObservedDispute, how: str, *, key: str | None = None, action_id: UUID | None = None
) -> EndedPaymentDispute:
    """An operator ends it."""
    with closing(books.as_role("operator")) as operator:
        ended, _ = operators.resolve_payment_dispute(
            operator,
            asked(operator, "resolve_payment_dispute", instruction(key, f"{dispute.dispute_id} {how}")),
            action_id=action_id or wiring.new_id(),
            dispute_id=row(books, dispute)["id"],
            end=DisputeEnd(how),
        )
    return ended


def row(books: Books, dispute: ObservedDispute) -> dict[str, Any]:
    """A dispute as the kernel has it."""
    [found] = books.select(
        "SELECT * FROM payment_disputes WHERE gateway = %s AND gateway_dispute_id = %s",
        dispute.gateway,
        dispute.dispute_id,
    )
    return found | {"id": UUID(bytes=found["id"])}


def booked(books: Books, dispute: ObservedDispute) -> list[tuple[str, str, str, int]]:
    """What is in the ledger about a dispute: type, debited and credited kinds of account, amount."""
    rows = books.select(
        "SELECT t.type, d.kind AS debited, c.kind AS credited, t.amount FROM payment_disputes x"
        " JOIN payment_dispute_bookings k ON k.dispute_id = x.id JOIN transactions t ON t.id = k.transaction_id"
        " JOIN postings p ON p.transaction_id = t.id AND p.side = 'debit' JOIN accounts d ON d.id = p.account_id"
        " JOIN postings q ON q.transaction_id = t.id AND q.side = 'credit' JOIN accounts c ON c.id = q.account_id"
        " WHERE x.gateway_dispute_id = %s ORDER BY k.end_no, k.part DESC",
        dispute.dispute_id,
    )
    return [(one["type"], one["debited"], one["credited"], one["amount"]) for one in rows]


def open_break(books: Books, dispute: ObservedDispute) -> tuple[int, int] | None:
    """The amounts of its break, ours first; None if none is open."""
    rows = books.select(
        "SELECT our_amount, their_amount FROM reconciliation_breaks"
        " WHERE kind = 'payment_dispute' AND subject = %s AND resolved_at IS NULL",
        dispute.dispute_id,
    )
    return (rows[0]["our_amount"], rows[0]["their_amount"]) if rows else None
