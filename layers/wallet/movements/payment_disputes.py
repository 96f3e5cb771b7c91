"""Booking what a gateway says of disputes: news are written down and what they are about is reserved. Nothing leaves a
wallet here: an operator ends a dispute.
"""

from collections.abc import Callable
from uuid import UUID

from wallet.ledger.disputes import DisputeNews, ObservedDispute
from wallet.storage import payment_disputes
from wallet.storage.database import Database

_AT_ONCE = 100


def book_dispute(database: Database, new_id: Callable[[], UUID], dispute: ObservedDispute) -> DisputeNews:
    """Writes down one observed dispute, whether or not its payment is in the books (yet)."""
    return payment_disputes.record_dispute(database, dispute, new_id=new_id())


def attach_disputes(database: Database, new_id: Callable[[], UUID]) -> None:
    """Sees to disputes that were told before their payment was booked: its wallet's money is reserved now."""
    for dispute_id in payment_disputes.disputes_to_attach(database, limit=_AT_ONCE):
        payment_disputes.attach_dispute(database, dispute_id, new_id=new_id())
