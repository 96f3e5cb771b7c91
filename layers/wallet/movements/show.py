"""Showing a wallet, and what happened in it, to its owner."""

from datetime import datetime
from uuid import UUID

from wallet.ledger.receipts import PartySide, Payment, WalletState
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.statements import Belonging, Span, StatementEntry
from wallet.ledger.times import as_shown, first_shown_from, last_shown_by
from wallet.storage.database import Database
from wallet.storage.payments import find_payment_of_key, list_payments
from wallet.storage.statements import find_entry, find_span
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


def show_payments(
    database: Database,
    *,
    user_id: UUID,
    side: PartySide | None,
    upto: tuple[int, ...] | None,
    key: str | None,
    limit: int,
) -> tuple[list[Payment], Span | None]:
    """The user's payments on one side or both, newest first, and where the next page begins; or that of a key."""
    if key is not None:
        return find_payment_of_key(database, actor_id=user_id, key=key), None
    span = show_entries(database, user_id=user_id, since=None, until=None, upto=upto)
    return list_payments(database, span, actor_id=user_id, side=side, limit=limit)


def show_entry(database: Database, *, user_id: UUID, transaction_id: UUID) -> tuple[StatementEntry, Belonging]:
    """The user's entry in a transaction, and what it belongs to; to everybody else it is `not_found`."""
    found = find_entry(database, user_id=user_id, transaction_id=transaction_id)
    if found is None:
        raise Refused(Refusal.NOT_FOUND, "There is no such entry of yours.")
    return found


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
