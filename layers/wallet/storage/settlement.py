"""Settlement: what gateways say, and the money that arrived, through the kernel."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from wallet.ledger.attempts import ObservedPayment, SuspenseReason
from wallet.storage.database import Database
from wallet.storage.rows import uuid_of


@dataclass(frozen=True, slots=True)
class Settlement:
    """`new` is False if this payment was in the books before; `suspense` says why it was not credited, if new."""

    new: bool
    suspense: SuspenseReason | None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A verified event, kept as it came; `outcome` is None until it has been acted on."""

    id: UUID
    outcome: str | None


def settle_payment(
    database: Database, payment: ObservedPayment, *, transaction_id: UUID, event_id: UUID | None = None
) -> Settlement:
    """Books a payment that has arrived, once: to the wallet that asked for it, or to suspense.

    The evidence is the stored event of this id, else what the gateway told of the payment when it was asked.
    `transaction_id` is of this moment: the kernel takes no other.
    """
    answer = database.call(
        "settle_gateway_payment",
        transaction_id.bytes,
        payment.gateway,
        payment.payment_id,
        payment.order_id,
        payment.amount,
        payment.surcharge,
        payment.currency,
        payment.amount_refunded,
        event_id.bytes if event_id is not None else None,
        payment.told if event_id is None else None,
    )
    if answer.outcome == "duplicate":
        return Settlement(new=False, suspense=None)
    reason = answer.result["suspense_reason"]
    return Settlement(new=True, suspense=SuspenseReason(reason) if reason else None)


class Noted(StrEnum):
    """What came of the news that a payment failed."""

    NEW = "done"
    LATE = "duplicate"  # the attempt is further on
    UNKNOWN_ORDER = "unknown_order"


def note_unsuccessful_payment(database: Database, payment: ObservedPayment) -> Noted:
    """Writes down that a payment failed, or that its outcome is unknown."""
    answer = database.call(
        "note_unsuccessful_payment",
        payment.gateway,
        payment.payment_id,
        payment.order_id,
        payment.reason,
        payment.has_failed,
    )
    return Noted(answer.outcome)


class ReferenceKind(StrEnum):
    """What a bank's reference is of."""

    PAYMENT = "payment"
    REFUND = "refund"
    PAYOUT = "payout"


def record_bank_reference(
    database: Database, kind: ReferenceKind, *, gateway: str, outside_id: str, reference: str | None
) -> None:
    """Writes down by which reference banks know a payment, a refund or a payout of a gateway's; the first one stays.

    It comes before the money is booked: whoever dies in between is told again. None is none yet.
    """
    if reference is not None:
        database.call("record_bank_reference", kind.value, gateway, outside_id, reference)


def store_event(
    database: Database, *, new_id: UUID, gateway: str, digest: bytes, event_id: str | None, name: str, body: bytes
) -> StoredEvent:
    """Keeps a verified event before it is acted on, or finds it kept. `digest` is the SHA-256 of `body`."""
    answer = database.call("store_gateway_event", new_id.bytes, gateway, digest, event_id, name, body)
    return StoredEvent(uuid_of(answer.result["event_id"]), answer.result["outcome"])


def finish_event(database: Database, event_id: UUID, outcome: str) -> None:
    """Writes down what an event came to: `processed`, `duplicate`, `ignored` or `stuck`."""
    database.call("finish_gateway_event", event_id.bytes, outcome)


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """A verified event that nobody has finished."""

    id: UUID
    gateway: str
    body: bytes
    age_s: int


_UNFINISHED = """
SELECT id, gateway, body, TIMESTAMPDIFF(SECOND, received_at, UTC_TIMESTAMP(6)) AS age_s FROM gateway_events
WHERE outcome IS NULL AND received_at < UTC_TIMESTAMP(6) - INTERVAL %s SECOND AND id > %s ORDER BY id LIMIT %s
"""


def unfinished_events(database: Database, *, older_than_s: int, page: int) -> Iterator[KeptEvent]:
    """Events that were kept and not finished: whoever did it died half way, or they came early. Oldest first.

    They are read `page` at a time; what happens to one doesn't hold up the rest.
    """
    after = UUID(int=0)
    while rows := database.read(_UNFINISHED, older_than_s, after.bytes, page):
        for row in rows:
            after = uuid_of(row["id"])
            yield KeptEvent(after, row["gateway"], row["body"], row["age_s"])
