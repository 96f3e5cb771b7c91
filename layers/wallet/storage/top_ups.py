"""Attempts to top up, through the kernel."""

from uuid import UUID

from wallet.ledger.attempts import AttemptStatus
from wallet.ledger.receipts import OpenAttempt, Payer, TopUp, TopUpEvent, TopUpState
from wallet.storage.claims import Claim
from wallet.storage.database import Database, Row
from wallet.storage.lists import ListRequest, Page, id_bytes, read_page
from wallet.storage.rows import time_of, uuid_of


def open_top_up(
    database: Database,
    claim: Claim,
    *,
    attempt_id: UUID,
    gateway: str,
    amount: int,
    valid_s: int,
    first_check_s: int,
) -> tuple[TopUp, Payer, bool]:
    """Writes an attempt down before the gateway is asked for an order; True if the key had done so before.

    `valid_s` and `first_check_s` are seconds from now. Raises `Refused`.
    """
    answer = database.call(
        "open_top_up",
        *claim.signed_in(),
        attempt_id.bytes,
        gateway,
        amount,
        valid_s,
        first_check_s,
    )
    top_up = _top_up(answer.result)
    payer = Payer(answer.result["payer_phone"], answer.result["payer_email"])
    return top_up, payer, top_up.id != attempt_id


def attach_order(
    database: Database,
    attempt_id: UUID,
    *,
    order_id: str,
    checkout_session: str | None = None,
    intent_url: str | None = None,
) -> TopUp | None:
    """Writes down the gateway's order, and how to pay it as far as that is known; the first order stays.

    None if the order is another attempt's.
    """
    answer = database.call("attach_order", attempt_id.bytes, order_id, checkout_session, intent_url)
    return None if answer.outcome == "order_taken" else _top_up(answer.result)


def refuse_attempt(database: Database, attempt_id: UUID, *, order_id: str | None, reason: str) -> bool:
    """Ends an attempt that the gateway refuses for good, and says why.

    `order_id` is what was known of its order when the gateway was asked. False if it has gone on meanwhile: another
    caller with the same key was not refused.
    """
    return database.call("refuse_attempt", attempt_id.bytes, order_id, reason).outcome == "done"


_FIND = """
SELECT LOWER(HEX(a.id)) AS attempt_id, a.amount, a.currency, a.gateway, a.gateway_order_id,
       a.checkout_session, a.intent_url,
       a.created_at, a.expires_at, a.expires_at <= UTC_TIMESTAMP(6) AS is_over, a.status, NULL AS refused,
       (SELECT b.bank_reference FROM payment_attempt_events e STRAIGHT_JOIN bank_references b
            ON b.kind = 'payment' AND b.gateway = a.gateway AND b.outside_id = e.gateway_payment_id
        WHERE e.attempt_id = a.id
        ORDER BY e.status = 'succeeded' AND e.reason IS NULL DESC, e.position DESC LIMIT 1) AS rrn
FROM payment_attempts a JOIN wallets w ON w.id = a.wallet_id
WHERE a.id = %s AND w.user_id = %s
"""

_EVENTS = """
SELECT status, reason, created_at FROM payment_attempt_events WHERE attempt_id = %s ORDER BY position
"""


def find_top_up(database: Database, *, attempt_id: UUID, actor_id: UUID) -> TopUpState | None:
    """An attempt of the actor's own."""
    rows = database.read(_FIND, attempt_id.bytes, actor_id.bytes)
    if not rows:
        return None
    events = tuple(
        TopUpEvent(AttemptStatus(event["status"]), event["reason"], time_of(event["created_at"]))
        for event in database.read(_EVENTS, attempt_id.bytes)
    )
    return _state(rows[0], events)


def list_top_ups(database: Database, *, actor_id: UUID, asked: ListRequest) -> Page[TopUpState]:
    """The actor's own, the newest first; by a key that which was opened under it."""

    def read(before: UUID | None, limit: int) -> list[TopUpState]:
        arguments = (actor_id.bytes, id_bytes(before), asked.key, limit)
        return [_state(row, ()) for row in database.read("CALL list_top_ups(%s, %s, %s, %s)", *arguments)]

    return read_page(read, asked, status_of=lambda one: one.status.shown)


def _state(row: Row, events: tuple[TopUpEvent, ...]) -> TopUpState:
    return TopUpState(_top_up(row), AttemptStatus(row["status"]), row["rrn"], events)


_DUE = """
SELECT id, gateway_order_id, checks, expires_at <= UTC_TIMESTAMP(6) AS is_over
FROM payment_attempts WHERE next_check_at <= UTC_TIMESTAMP(6) AND gateway = %s ORDER BY next_check_at LIMIT %s
"""


def due_attempts(database: Database, *, gateway: str, limit: int) -> list[OpenAttempt]:
    """Open attempts whose next question to this gateway is due, the longest overdue first."""
    return [
        OpenAttempt(
            id=uuid_of(row["id"]),
            gateway_order_id=row["gateway_order_id"],
            checks=row["checks"],
            is_over=bool(row["is_over"]),
        )
        for row in database.read(_DUE, gateway, limit)
    ]


def claim_check(database: Database, attempt: OpenAttempt, *, first_check_s: int) -> bool:
    """Takes a due attempt, and sets the next question further off; False if somebody else has taken it."""
    return database.call("claim_check", attempt.id.bytes, attempt.checks, first_check_s).outcome == "done"


def release_check(database: Database, attempt: OpenAttempt, *, first_check_s: int) -> None:
    """Gives a taken attempt back, unasked: the next question is due in `first_check_s` seconds at the latest."""
    database.call("release_check", attempt.id.bytes, attempt.checks, first_check_s)


def expire_attempt(database: Database, attempt_id: UUID) -> bool:
    """Ends an attempt whose time is over; False if it had ended before, and is only asked about no more."""
    return database.call("expire_attempt", attempt_id.bytes).outcome == "done"


def _top_up(told: Row) -> TopUp:
    return TopUp(
        id=uuid_of(told["attempt_id"]),
        amount=told["amount"],
        currency=told["currency"],
        gateway=told["gateway"],
        gateway_order_id=told["gateway_order_id"],
        checkout_session=told["checkout_session"],
        intent_url=told["intent_url"],
        created_at=time_of(told["created_at"]),
        expires_at=time_of(told["expires_at"]),
        is_over=bool(told["is_over"]),
        refused=told["refused"],
    )
