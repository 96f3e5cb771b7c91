"""Booking what a payout provider says became of a withdrawal.

Both inputs of the state machine end here, the webhook and the reconciler's question. Each may tell the same thing
again, late, or before the other; the kernel books each step once.
"""

from collections.abc import Callable
from uuid import UUID

from wallet.ledger import ids
from wallet.ledger.breaks import Break, Kind
from wallet.ledger.withdrawals import ObservedPayout
from wallet.storage import breaks, withdrawals
from wallet.storage.database import Database
from wallet.storage.settlement import ReferenceKind, record_bank_reference
from wallet.storage.withdrawals import Settled


def book_payout(
    database: Database, new_id: Callable[[], UUID], payout: ObservedPayout, *, asked: bool = False
) -> Settled:
    """Books one observed payout; one that is still under way is written down, and nothing moves.

    `asked`: it answers a question that we have just put. Only then an operator's order to end a dispute is carried out,
    or a dispute ends: an event may be an old one. What is for people becomes a break.
    """
    withdrawal_id = ids.read(ids.WITHDRAWAL, payout.reference) if payout.reference is not None else None
    if payout.reference is None or withdrawal_id is None:
        return Settled.FOREIGN  # made at the provider's dashboard, or by another program of its owner's
    record_bank_reference(
        database,
        ReferenceKind.PAYOUT,
        gateway=payout.provider,
        outside_id=payout.payout_id,
        reference=payout.utr,
    )
    if not payout.status.is_final:
        settled = withdrawals.note_payout(database, payout, withdrawal_id=withdrawal_id)
    else:
        settled = withdrawals.settle_withdrawal(database, payout, withdrawal_id=withdrawal_id, transaction_id=new_id())
    if settled is Settled.DISPUTED or (settled is Settled.KNOWN and asked):
        # an answer that says nothing new may still end a dispute, or contradict what an order has brought about
        settled = withdrawals.hear_dispute(
            database,
            payout,
            withdrawal_id=withdrawal_id,
            subject=payout.reference,
            break_id=new_id(),
            transaction_id=new_id(),
            asked=asked,
        )
    elif settled is Settled.MISMATCH:
        found = Break(Kind.PAYOUT_MISMATCH, payout.reference, None, payout.amount, payout.currency)
        breaks.note_break(database, found, gateway=payout.provider, break_id=new_id())
    return settled
