"""A payment from one wallet to another."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from wallet.ledger.receipts import Payment, PaymentReceipt
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import payments
from wallet.storage.claims import Claim
from wallet.storage.database import Database


@dataclass(frozen=True, slots=True)
class Order:
    """What the payer wants: one of `payee_wallet_id` and `payee_phone` (E.164), and an amount in minor units."""

    payee_wallet_id: UUID | None
    payee_phone: str | None
    amount: int
    description: str | None
    reference: str | None


def pay(database: Database, new_id: Callable[[], UUID], *, claim: Claim, order: Order) -> tuple[PaymentReceipt, bool]:
    """Pays, in one round trip; True if this key had paid before. Raises `Refused`, and then nothing has moved."""
    return payments.post_payment(
        database,
        claim,
        transaction_id=new_id(),
        payee_wallet_id=order.payee_wallet_id,
        payee_phone=order.payee_phone,
        amount=order.amount,
        description=order.description,
        reference=order.reference,
    )


def show_payment(database: Database, *, payment_id: UUID, actor_id: UUID) -> Payment:
    """A payment that the actor made or received; to everybody else it is `not_found`."""
    payment = payments.find_payment(database, payment_id=payment_id, actor_id=actor_id)
    if payment is None:
        raise Refused(Refusal.NOT_FOUND, "There is no such payment of yours.")
    return payment
