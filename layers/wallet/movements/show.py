"""Showing a wallet to its owner."""

from datetime import datetime
from uuid import UUID

from wallet.ledger.receipts import WalletState
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.statements import Span
from wallet.ledger.times import as_shown, first_shown_from, last_shown_by
from wallet.storage.database import Database
from wallet.storage.statements import find_span
from wallet.storage.wallets import find_wallet


def show_wallet(database: Database, *, user_id: UUID, at: datetime | None = None) -> WalletState:
    """The user's wallet, with the balance of now, or as it was at a time that has passed, behind all that is shown so.

    A token of somebody without a wallet is no good token.
    """
    moment = None if at is None else last_shown_by(at)
    state = find_wallet(database, user_id=user_id, at=moment)
    if state is None:
        raise Refused(Refusal.INVALID_TOKEN)
    if at is not None and state.as_of < as_shown(at):
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
    """The user's entries in [`since`, `until`), of those that `upto` counts by slot (None: all so far).

    An entry is in there by the time that it is shown with.
    """
    span = find_span(
        database,
        user_id=user_id,
        upto=upto,
        since=None if since is None else first_shown_from(since),
        until=None if until is None else first_shown_from(until),
    )
    if span is None:
        raise Refused(Refusal.INVALID_TOKEN)
    return span
