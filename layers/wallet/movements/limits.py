"""Which of the caller's own limits a refusal is for, where the procedure that refuses does not say so itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from wallet.ledger.limits import BrokenLimit, LimitCode, broken_debit_limit, broken_load_limit
from wallet.ledger.receipts import WalletState
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.database import Database
from wallet.storage.wallets import find_wallet


@contextmanager
def naming_own_limit(
    database: Database, actor_id: UUID, broken_by: Callable[[WalletState], BrokenLimit | None]
) -> Iterator[None]:
    """Adds the limit to a `wallet_limit_exceeded` that names none: a further question, of who is refused alone.

    It is asked a moment later: if nothing stands in the way any more, none is named, and the same key may be tried.
    """
    try:
        yield
    except Refused as refused:
        if refused.refusal is not Refusal.WALLET_LIMIT_EXCEEDED or refused.limit is not None:
            raise
        state = find_wallet(database, user_id=actor_id)
        raise Refused(refused.refusal, refused.detail, limit=broken_by(state) if state else None) from refused


def broken_by_top_up(state: WalletState, amount: int) -> BrokenLimit | None:
    """The limit that a top-up would break."""
    return broken_load_limit(
        state.limits,
        amount=amount,
        balance=state.balance.total,
        loaded_this_month=state.used.loaded_this_month,
        loaded_this_year=state.used.loaded_this_year,
        now=state.as_of,
    )


def broken_by_withdrawal(state: WalletState, amount: int) -> BrokenLimit | None:
    """The limit that a withdrawal would break; its fee is no debit."""
    broken = broken_debit_limit(
        state.limits,
        amount=amount,
        debited_today=state.used.debited_today,
        debited_this_month=state.used.debited_this_month,
        now=state.as_of,
    )
    if broken is None and not state.limits.withdrawals:
        return BrokenLimit.at(LimitCode.WITHDRAWALS, 0, state.as_of)
    return broken
