"""Whom a notice goes to."""

from datetime import datetime, timedelta
from uuid import UUID

from wallet.ledger.notices import Recipient
from wallet.storage.database import Database
from wallet.storage.rows import uuid_of
from wallet.storage.slot_balances import naive


def find_former_phone(database: Database, *, user_id: UUID, ended_at: datetime) -> str | None:
    """The phone that an account had until then, to the millisecond: there may have been others since."""
    before = naive(ended_at + timedelta(milliseconds=1))
    rows = database.read("CALL find_former_phone(%s, %s)", user_id.bytes, before)
    return str(rows[0]["phone"]) if rows else None


def find_recipient(database: Database, *, wallet_id: UUID, other_wallet_id: UUID | None) -> Recipient | None:
    """The owner of a wallet, and who is on the other side."""
    other = other_wallet_id.bytes if other_wallet_id else None
    rows = database.read("CALL find_recipient(%s, %s)", wallet_id.bytes, other)
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
