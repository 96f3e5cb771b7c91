"""Previews: the numbers of a payment or withdrawal, or the refusal that no number could show."""

from uuid import UUID

from wallet.ledger.payees import PayeeName
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.wallets import MIN_WITHDRAWAL, WalletStatus
from wallet.previews import model, store
from wallet.previews.model import Preview, Standing
from wallet.storage.database import Database


def preview_payment(database: Database, *, user_id: UUID, payee: PayeeName, amount: int) -> Preview:
    """What a payment would come to. Raises `Refused` (`self_payment`, `wallet_frozen`)."""
    standing = _usable(store.find_standing(database, user_id=user_id, amount=amount, payee=payee))
    return model.preview_payment(standing, amount)


def preview_withdrawal(database: Database, *, user_id: UUID, vpa: str, amount: int) -> Preview:
    """What a withdrawal would come to. Raises `Refused` (`wallet_frozen`, `amount_out_of_range`)."""
    standing = _usable(store.find_standing(database, user_id=user_id, amount=amount, vpa=vpa))
    if amount < MIN_WITHDRAWAL:
        raise Refused(Refusal.AMOUNT_OUT_OF_RANGE)
    return model.preview_withdrawal(standing, amount)


def _usable(standing: Standing | None) -> Standing:
    """What there is to look at, in the kernel's order of refusals.

    A token of somebody without a wallet is no good token.
    """
    if standing is None:
        raise Refused(Refusal.INVALID_TOKEN)
    if standing.is_own:
        raise Refused(Refusal.SELF_PAYMENT)
    if standing.status is not WalletStatus.ACTIVE:
        raise Refused(Refusal.WALLET_FROZEN)
    return standing
