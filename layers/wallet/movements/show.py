"""Showing a wallet to its owner."""

from datetime import datetime
from uuid import UUID

from wallet.ledger.receipts import WalletState
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.statements import Span
from wallet.storage.database import Database
from wallet.storage.statements import find_span
from wallet.storage.wallets import find_wallet, find_wallet_at


def show_wallet(database: Database, *, user_id: UUID, at: datetime | None = None) -> WalletState:
    """The user's wallet, with the balance of now or as it was at a time that has passed.

    A token of somebody without a wallet is no good token.
    """
    state = find_wallet(database, user_id=user_id) if at is None else find_wallet_at(database, user_id=user_id, at=at)
    if state is None:
        raise Refused(Refusal.INVALID_TOKEN)
    if at is not None and state.as_of < at:
        raise Refused(Refusal.INVALID_REQUEST, fields=(("at", "This time is still to come."),))
    return state


def show_entries(
    database: Database,
    *,
    user_id: UUID,
    since: datetime | None,
    until: datetime | None,
    upto: tuple[int, ...] | None = None,
) -> Span:
    """The user's entries made in [`since`, `until`), of those that `upto` counts by slot (None: all so far)."""
    span = find_span(database, user_id=user_id, upto=upto, since=since, until=until)
    if span is None:
        raise Refused(Refusal.INVALID_TOKEN)
    return span
