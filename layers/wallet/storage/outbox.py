"""The outbox: what waits to be delivered, who delivers it, and what has been."""

import json
from collections.abc import Sequence
from uuid import UUID

from wallet.ledger.events import OutboxEvent
from wallet.ledger.lineup import Pending
from wallet.storage.database import Database, Row
from wallet.storage.rows import time_of, uuid_if_any, uuid_of

_MERCHANT = "merchant"

#: What is told of an event: its detail, or the transaction `t` that it refers to.
COLUMNS = """e.position, e.type, e.wallet_id, e.other_wallet_id, e.detail, e.created_at,
    t.id AS transaction_id, t.amount, t.currency, t.description, t.reference,
    (SELECT f.amount FROM transactions f WHERE f.cause_id = t.id AND f.type = 'fee') AS fee"""

# By what was not delivered, never by a position: one may become visible after a later one has been delivered. One
# statement sees one state of the table, and in it whatever a wallet's event follows is there or delivered.
# ruff: noqa: S608 - the query is made of constants
_PENDING = f"""
SELECT {COLUMNS}, u.kind, other_user.kind AS other_kind, COALESCE(other.slots, 1) > 1 AS other_is_hot
FROM outbox e
LEFT JOIN transactions t ON t.id = e.transaction_id
JOIN wallets w ON w.id = e.wallet_id
JOIN users u ON u.id = w.user_id
LEFT JOIN wallets other ON other.id = e.other_wallet_id
LEFT JOIN users other_user ON other_user.id = other.user_id
WHERE e.delivered_at IS NULL ORDER BY e.position LIMIT %s
"""


def pending_events(database: Database, *, limit: int) -> list[Pending]:
    """The oldest events that were not delivered."""
    return [_pending(row) for row in database.read(_PENDING, limit)]


def claim_relay(database: Database, *, owner: UUID, lease_s: int) -> bool:
    """Takes or renews the right to deliver, for so many seconds; False while another has it."""
    return database.call("claim_relay", owner.bytes, lease_s).outcome == "done"


def release_relay(database: Database, *, owner: UUID) -> None:
    """Gives the right to deliver back, if it is still ours."""
    database.call("claim_relay", owner.bytes, 0)


def mark_delivered(database: Database, events: Sequence[OutboxEvent], *, owner: UUID, lease_s: int) -> bool:
    """Writes down what was delivered and renews the lease; False if another has taken over."""
    positions = json.dumps([event.position for event in events])
    return database.call("mark_events_delivered", owner.bytes, lease_s, positions).outcome == "done"


def sweep_events(database: Database, *, kept_days: int, limit: int) -> None:
    """Forgets some of what was delivered longer ago than that."""
    database.call("sweep_events", kept_days, limit)


def event_of(row: Row) -> OutboxEvent:
    """An event, of a row of `COLUMNS`."""
    return OutboxEvent(
        position=row["position"],
        type=row["type"],
        wallet_id=uuid_of(row["wallet_id"]),
        other_wallet_id=uuid_if_any(row["other_wallet_id"]),
        detail=_payment(row) if row["detail"] is None else row["detail"],
        created_at=time_of(row["created_at"]),
    )


def _payment(row: Row) -> str:
    """What a payment's event tells, which is all in the ledger."""
    return json.dumps(
        {
            "transaction_id": row["transaction_id"].hex(),
            "payer_wallet_id": row["wallet_id"].hex(),
            "payee_wallet_id": row["other_wallet_id"].hex(),
            "amount": row["amount"],
            "currency": row["currency"],
            "description": row["description"],
            "reference": row["reference"],
            "fee": row["fee"] or 0,
        }
    )


def _pending(row: Row) -> Pending:
    event = event_of(row)
    sides = (
        (event.wallet_id, row["kind"], False),
        (event.other_wallet_id, row["other_kind"], row["other_is_hot"]),
    )
    return Pending(
        event,
        merchants=tuple(side for side, kind, _ in sides if side is not None and kind == _MERCHANT),
        in_order=frozenset(side for side, _, is_hot in sides if side is not None and not is_hot),
    )
