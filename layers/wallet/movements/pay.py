"""A payment from one wallet to another, and the way back."""

from collections.abc import Callable
from uuid import UUID

from wallet.ledger.payees import AskedFor, PayeeName
from wallet.ledger.receipts import Payment, PaymentReceipt, RefundReceipt
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import payments
from wallet.storage.claims import Claim
from wallet.storage.database import Database


def pay(
    database: Database,
    new_id: Callable[[], UUID],
    *,
    claim: Claim,
    payee: PayeeName | AskedFor,
    amount: int,
    description: str | None,
    reference: str | None,
) -> tuple[PaymentReceipt, bool]:
    """Pays `amount` (minor units), in one round trip; True if this key had paid before.

    What was asked for has its own reference. Raises `Refused`, and then nothing has moved.
    """
    if isinstance(payee, AskedFor):
        return payments.pay_payment_request(
            database,
            claim,
            transaction_id=new_id(),
            payment_request_id=payee.payment_request_id,
            amount=amount,
            description=description,
        )
    return payments.post_payment(
        database,
        claim,
        transaction_id=new_id(),
        payee_wallet_id=payee.wallet_id,
        payee_phone=payee.phone,
        amount=amount,
        description=description,
        reference=reference,
    )


def refund(
    database: Database,
    new_id: Callable[[], UUID],
    *,
    claim: Claim,
    payment_id: UUID,
    amount: int | None,
    reason: str | None,
) -> tuple[RefundReceipt, bool]:
    """Gives a payment, or a part of it, back to its payer; True if this key had done so before. Raises `Refused`."""
    return payments.refund_payment(
        database, claim, transaction_id=new_id(), payment_id=payment_id, amount=amount, reason=reason
    )


def show_payment(database: Database, *, payment_id: UUID, actor_id: UUID) -> Payment:
    """A payment that the actor made or received; to everybody else it is `not_found`."""
    payment = payments.find_payment(database, payment_id=payment_id, actor_id=actor_id)
    if payment is None:
        raise Refused(Refusal.NOT_FOUND, "There is no such payment of yours.")
    return payment
