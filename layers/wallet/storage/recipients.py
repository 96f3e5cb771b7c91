"""Whom a notice goes to."""

from uuid import UUID

from wallet.ledger.notices import Recipient
from wallet.storage.database import Database
from wallet.storage.rows import uuid_of

_RECIPIENT = """
SELECT u.id, u.phone, other_user.name AS other_name, other_user.kind AS other_kind
FROM wallets w JOIN users u ON u.id = w.user_id
LEFT JOIN wallets other ON other.id = %s LEFT JOIN users other_user ON other_user.id = other.user_id
WHERE w.id = %s
"""


def find_recipient(database: Database, *, wallet_id: UUID, other_wallet_id: UUID | None) -> Recipient | None:
    """The owner of a wallet, and who is on the other side."""
    rows = database.read(_RECIPIENT, other_wallet_id.bytes if other_wallet_id else None, wallet_id.bytes)
    if not rows:
        return None
    row = rows[0]
    return Recipient(
        user_id=uuid_of(row["id"]), phone=row["phone"], other_name=row["other_name"], other_kind=row["other_kind"]
    )
