"""Booking what a payout provider says became of a withdrawal.

Both inputs of the state machine end here, the webhook and the reconciler's question. Each may tell the same thing
again, late, or before the other; the kernel books each step once.
"""

from collections.abc import Callable
from uuid import UUID

from wallet.ledger import ids
from wallet.ledger.withdrawals import ObservedPayout
from wallet.storage import withdrawals
from wallet.storage.database import Database
from wallet.storage.withdrawals import Settled


def book_payout(database: Database, new_id: Callable[[], UUID], payout: ObservedPayout) -> Settled:
    """Books one observed payout; one that is still under way is written down, and nothing moves."""
    withdrawal_id = ids.read(ids.WITHDRAWAL, payout.reference) if payout.reference is not None else None
    if withdrawal_id is None:
        return Settled.FOREIGN  # made at the provider's dashboard, or by another program of its owner's
    if not payout.status.is_final:
        return withdrawals.note_payout(database, withdrawal_id, payout_id=payout.payout_id)
    return withdrawals.settle_withdrawal(database, payout, withdrawal_id=withdrawal_id, transaction_id=new_id())
