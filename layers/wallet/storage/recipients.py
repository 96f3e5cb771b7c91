"""Whom a notice goes to."""

from datetime import datetime, timedelta
from uuid import UUID

from wallet.ledger.notices import Recipient
from wallet.storage.database import Database
from wallet.storage.rows import uuid_of
from wallet.storage.slot_balances import naive

_RECIPIENT = """
SELECT u.id, u.phone, p.user_id IS NOT NULL AS phone_is_proved, other_user.name AS other_name,
       IF(m.user_id IS NULL, 'personal', other_user.kind) AS other_kind
FROM wallets w JOIN users u ON u.id = w.user_id
LEFT JOIN proved_phones p ON p.user_id = u.id AND p.phone = u.phone
LEFT JOIN wallets other ON other.id = %s LEFT JOIN users other_user ON other_user.id = other.user_id
LEFT JOIN merchant_approvals m ON m.user_id = other_user.id
WHERE w.id = %s
"""


def find_former_phone(database: Database, *, user_id: UUID, ended_at: datetime) -> str | None:
    """The phone that an account had until then, to the millisecond: there may have been others since."""
    query = "SELECT phone FROM former_phones WHERE user_id = %s AND ended_at < %s ORDER BY ended_at DESC LIMIT 1"
    for row in database.read(query, user_id.bytes, naive(ended_at + timedelta(milliseconds=1))):
        return str(row["phone"])
    return None


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
