"""The outbox: what waits to be delivered, who delivers it, and what has been."""

import json
from collections.abc import Sequence
from uuid import UUID

from wallet.ledger.events import OutboxEvent, Pending
from wallet.storage.database import Database, Row
from wallet.storage.rows import time_of, uuid_if_any, uuid_of

_MERCHANT = "merchant"

#: What is told of an event: its detail, or the transaction `t` or the hold `h` that it refers to.
COLUMNS = """e.position, e.type, e.wallet_id, e.other_wallet_id, e.detail, e.created_at,
    t.id AS transaction_id, COALESCE(t.amount, h.amount) AS amount, COALESCE(t.currency, h.currency) AS currency,
    COALESCE(t.description, h.description) AS description, t.reference, t.cause_id,
    COALESCE(c.hold_id, h.id) AS hold_id, h.captured, h.expires_at, g.gateway, g.attempt_id, g.suspense_reason,
    (SELECT f.amount FROM transactions f WHERE f.cause_id = t.id AND f.type = 'fee') AS fee"""
#: Where that stands.
TABLES = """LEFT JOIN transactions t ON t.id = e.transaction_id LEFT JOIN hold_captures c ON c.transaction_id = t.id
LEFT JOIN gateway_payments g ON g.transaction_id = t.id LEFT JOIN holds h ON h.id = e.hold_id"""

# By what was not delivered, never by a position: one may become visible after a later one has been delivered.
# ruff: noqa: S608 - the query is made of constants
_PENDING = f"""
SELECT {COLUMNS}, u.kind, other_user.kind AS other_kind
FROM outbox e {TABLES}
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


def mark_delivered(database: Database, positions: Sequence[int], *, owner: UUID, lease_s: int) -> bool:
    """Writes down what was delivered and renews the lease; False if another has taken over."""
    stretches = json.dumps(_stretches(positions), separators=(",", ":"))
    return database.call("mark_events_delivered", owner.bytes, lease_s, stretches).outcome == "done"


def _stretches(positions: Sequence[int]) -> list[tuple[int, int]]:
    """The first and the last of each stretch of positions that has all between them."""
    stretches: list[tuple[int, int]] = []
    for position in sorted(positions):
        if stretches and stretches[-1][1] == position - 1:
            stretches[-1] = stretches[-1][0], position
        else:
            stretches.append((position, position))
    return stretches


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
        detail=row["detail"] or _of_what_it_refers_to(row),
        created_at=time_of(row["created_at"]),
    )


def _of_what_it_refers_to(row: Row) -> str:
    """What the event of a top-up, of a payment, of its refund, of a capture or of a hold tells: all is in the database.

    Nothing if that is not there any more: an event of nothing is a broken one.
    """
    told = {"amount": row["amount"], "currency": row["currency"]}
    if row["attempt_id"] is not None:
        return json.dumps(told | _of_top_up(row))
    if (row["transaction_id"] or row["hold_id"]) is None or row["other_wallet_id"] is None:
        return ""
    own, other = row["wallet_id"].hex(), row["other_wallet_id"].hex()
    if row["type"] == "PaymentRefunded":
        told |= {"payer_wallet_id": other, "payee_wallet_id": own}
    else:
        told |= {"payer_wallet_id": own, "payee_wallet_id": other}
    if row["hold_id"] is not None:
        told |= {"hold_id": row["hold_id"].hex()}
    if row["transaction_id"] is None:
        return json.dumps(told | _of_hold(row))
    told |= {"transaction_id": row["transaction_id"].hex()}
    if row["type"] == "PaymentRefunded":
        told |= {"payment_id": row["cause_id"].hex(), "reason": row["description"]}
    else:
        told |= {"fee": row["fee"] or 0}
    if row["type"] == "PaymentCompleted":
        told |= {"description": row["description"], "reference": row["reference"]}
    return json.dumps(told)


def _of_top_up(row: Row) -> Row:
    return {
        "top_up_id": row["attempt_id"].hex(),
        "transaction_id": row["transaction_id"].hex(),
        "gateway": row["gateway"],
        "reason": row["suspense_reason"],
    }


def _of_hold(row: Row) -> Row:
    """One that has been placed may have ended by now: of that its first event tells nothing."""
    if row["type"] == "HoldPlaced":
        return {"description": row["description"], "expires_at": row["expires_at"].isoformat(timespec="microseconds")}
    return {"captured": row["captured"]}


def _pending(row: Row) -> Pending:
    event = event_of(row)
    sides = ((event.wallet_id, row["kind"]), (event.other_wallet_id, row["other_kind"]))
    return Pending(event, tuple(side for side, kind in sides if side is not None and kind == _MERCHANT))
