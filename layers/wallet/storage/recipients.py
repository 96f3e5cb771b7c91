"""Whom a notice goes to."""

from uuid import UUID

from wallet.ledger.notices import Recipient
from wallet.storage.database import Database
from wallet.storage.rows import uuid_of

_RECIPIENT = """
SELECT u.id, u.phone, p.user_id IS NOT NULL AS phone_is_proved, other_user.name AS other_name,
       IF(m.user_id IS NULL, 'personal', other_user.kind) AS other_kind
FROM wallets w JOIN users u ON u.id = w.user_id
LEFT JOIN proved_phones p ON p.user_id = u.id AND p.phone = u.phone
LEFT JOIN wallets other ON other.id = %s LEFT JOIN users other_user ON other_user.id = other.user_id
LEFT JOIN merchant_approvals m ON m.user_id = other_user.id
WHERE w.id = %s
"""


def find_recipient(database: Database, *, wallet_id: UUID, other_wallet_id: UUID | None) -> Recipient | None:
    """The owner of a wallet, and who is on the other side."""
    rows = database.read(_RECIPIENT, other_wallet_id.bytes if other_wallet_id else None, wallet_id.bytes)
    if not rows:
        return None
    row = rows[0]
    return Recipient(
        user_id=uuid_of(row["id"]),
        phone=row["phone"],
        phone_is_proved=bool(row["phone_is_proved"]),
        other_name=row["other_name"],
        other_kind=row["other_kind"],
    )
