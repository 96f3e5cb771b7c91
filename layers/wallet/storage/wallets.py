"""Reading wallets and their statements."""

from datetime import UTC, datetime
from uuid import UUID

from wallet.ledger.receipts import Balance, Party, StatementEntry, WalletState
from wallet.ledger.transactions import Side
from wallet.storage.database import Database, Row
from wallet.storage.rows import time_of, uuid_of

_WALLET = """
SELECT w.id, u.kind, w.currency, w.status, w.balance, w.held, t.code AS tier,
       t.max_balance, t.max_top_up, t.max_payment, UTC_TIMESTAMP(6) AS as_of
FROM wallets w JOIN users u ON u.id = w.user_id JOIN tiers t ON t.code = w.tier
WHERE w.user_id = %s
"""


def find_wallet(database: Database, *, user_id: UUID) -> WalletState | None:
    """The user's wallet as it stands."""
    rows = database.read(_WALLET, user_id.bytes)
    if not rows:
        return None
    row = rows[0]
    return WalletState(
        id=uuid_of(row["id"]),
        kind=row["kind"],
        currency=row["currency"],
        status=row["status"],
        balance=Balance(row["balance"], row["held"]),
        tier=row["tier"],
        max_balance=row["max_balance"],
        max_top_up=row["max_top_up"],
        max_payment=row["max_payment"],
        as_of=time_of(row["as_of"]),
    )


# The page is by the wallet's own numbering: entries that arrive between two pages are newer than both.
_STATEMENT = """
SELECT p.entry_no, t.id, t.type, p.side, p.amount, p.balance_after, t.gateway, t.description, t.reference,
       p.created_at, other.id AS other_wallet_id, other_user.name AS other_name
FROM wallets w
JOIN postings p ON p.account_id = w.id
JOIN transactions t ON t.id = p.transaction_id
JOIN postings o ON o.transaction_id = p.transaction_id AND o.line <> p.line
LEFT JOIN wallets other ON other.id = o.account_id
LEFT JOIN users other_user ON other_user.id = other.user_id
WHERE w.user_id = %s
  AND (%s IS NULL OR p.entry_no < %s)
  AND (%s IS NULL OR p.created_at >= %s)
  AND (%s IS NULL OR p.created_at < %s)
  AND (%s IS NULL OR t.type = %s)
ORDER BY p.entry_no DESC LIMIT %s
"""


def statement(
    database: Database,
    *,
    user_id: UUID,
    before: int | None,
    since: datetime | None,
    until: datetime | None,
    transaction_type: str | None,
    limit: int,
) -> list[StatementEntry]:
    """The wallet's entries, newest first: those numbered below `before`, made in [`since`, `until`), of one type."""
    start, end = _naive(since), _naive(until)
    filters = (before, before, start, start, end, end, transaction_type, transaction_type)
    return [_entry(row) for row in database.read(_STATEMENT, user_id.bytes, *filters, limit)]


def _naive(time: datetime | None) -> datetime | None:
    """The database keeps UTC without saying so."""
    return None if time is None else time.astimezone(UTC).replace(tzinfo=None)


def _entry(row: Row) -> StatementEntry:
    return StatementEntry(
        entry_no=row["entry_no"],
        transaction_id=uuid_of(row["id"]),
        type=row["type"],
        side=Side(row["side"]),
        amount=row["amount"],
        balance_after=row["balance_after"],
        counterparty=Party(uuid_of(row["other_wallet_id"]), row["other_name"]) if row["other_wallet_id"] else None,
        gateway=row["gateway"],
        description=row["description"],
        reference=row["reference"],
        created_at=time_of(row["created_at"]),
    )
