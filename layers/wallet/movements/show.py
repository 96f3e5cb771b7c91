"""Showing a wallet to its owner."""

from uuid import UUID

from wallet.ledger.receipts import WalletState
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.database import Database
from wallet.storage.wallets import find_wallet


def show_wallet(database: Database, *, user_id: UUID) -> WalletState:
    """The user's wallet; a token of somebody without one is no good token."""
    state = find_wallet(database, user_id=user_id)
    if state is None:
        raise Refused(Refusal.INVALID_TOKEN)
    return state
