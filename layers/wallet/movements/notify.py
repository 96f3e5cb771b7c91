"""Telling a person that money left their wallet."""

from wallet.channels.port import Notices
from wallet.ledger import ids
from wallet.ledger.notices import Debit, debit_notice
from wallet.storage.database import Database
from wallet.storage.recipients import find_recipient
from wallet.storage.wallets import find_wallet


class NobodyToTellError(Exception):
    """The event names a wallet that this database doesn't have: bus and database belong to different wallets."""


def notify(database: Database, notices: Notices, debit: Debit, *, report_to: str) -> None:
    """Sends the notice of one debit, with the balance as it is now. Raises NobodyToTellError."""
    recipient = find_recipient(database, wallet_id=debit.wallet_id, other_wallet_id=debit.other_wallet_id)
    state = find_wallet(database, user_id=recipient.user_id) if recipient else None
    if recipient is None or state is None:
        raise NobodyToTellError(debit.event_id)
    text = debit_notice(debit, recipient, available=state.balance.available, report_to=report_to)
    about = {"wallet_id": ids.show(ids.WALLET, debit.wallet_id), "event_id": debit.event_id, "type": debit.type}
    notices.send(text, phone=recipient.phone, attributes=about)
