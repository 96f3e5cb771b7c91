"""Asking the gateway ourselves: webhooks get lost, and a person may pay and hear nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from wallet.gateways.port import (
    Gateway,
    GatewayEvent,
    GatewayRejectedError,
    GatewayUnavailableError,
    MalformedEventError,
)
from wallet.ledger.receipts import OpenAttempt
from wallet.movements.settle import EventOutcome, act, book
from wallet.movements.top_up import receipt_of
from wallet.storage import settlement, top_ups, users
from wallet.storage.database import Database

_BATCH = 100
_EVENT_GRACE_S = 60
_GIVE_UP_AFTER = 3


@dataclass(slots=True)
class Findings:
    """What one run came to, for the log: counts, and the attempts that could not be asked about."""

    asked: int = 0
    booked: int = 0
    expired: int = 0
    unreachable: int = 0
    errors: list[str] = field(default_factory=list)


def reconcile(
    database: Database,
    gateway: Gateway,
    new_id: Callable[[], UUID],
    *,
    first_check_s: int,
    time_left_s: Callable[[], float],
) -> Findings:
    """Asks about every attempt that is due, oldest first, as long as there is time; what is left is due next time.

    A gateway that is down is asked no more than a few times in one run. Two runs at once share the work: each attempt
    is taken by one of them, and what both book is booked once.
    """
    findings = Findings()
    users.sweep_identity(database)
    for attempt in _due(database, first_check_s, time_left_s):
        findings.asked += 1
        try:
            _ask(database, gateway, new_id, attempt, findings)
        except (GatewayUnavailableError, GatewayRejectedError) as error:
            findings.unreachable += 1
            top_ups.release_check(database, attempt.id, first_check_s=first_check_s)
            findings.errors.append(f"{receipt_of(attempt.id)}: {error}")
            if findings.unreachable >= _GIVE_UP_AFTER:
                break
    return findings


def finish_leftovers(
    database: Database,
    new_id: Callable[[], UUID],
    parse: Callable[[bytes], GatewayEvent],
    *,
    account_id: str,
) -> int:
    """Acts on events that were kept and not acted on, because whoever did it died; how many.

    The gateway sends them again only as long as it was never answered, and for a day at most.
    """
    finished = 0
    for event_id, body in settlement.unfinished_events(database, older_than_s=_EVENT_GRACE_S, limit=_BATCH):
        try:
            outcome = act(database, new_id, parse(body), account_id=account_id)
        except MalformedEventError:
            outcome = EventOutcome.IGNORED  # readable when it was kept; it stays kept, for people to look at
        settlement.finish_event(database, event_id, outcome)
        finished += 1
    return finished


def _due(database: Database, first_check_s: int, time_left_s: Callable[[], float]) -> Iterator[OpenAttempt]:
    while attempts := top_ups.due_attempts(database, limit=_BATCH):
        for attempt in attempts:
            if time_left_s() <= 0:
                return
            if top_ups.claim_check(database, attempt, first_check_s=first_check_s):
                yield attempt


def _ask(
    database: Database,
    gateway: Gateway,
    new_id: Callable[[], UUID],
    attempt: OpenAttempt,
    findings: Findings,
) -> None:
    order_id = attempt.gateway_order_id or _lost_order(database, gateway, attempt)
    if order_id is not None:
        for payment in gateway.payments_of(order_id):
            if book(database, new_id, payment) is EventOutcome.PROCESSED:
                findings.booked += 1
    if attempt.expired:
        # only now: the gateway has just said that nobody has paid, or the attempt has moved on and stays as it is
        top_ups.expire_attempt(database, attempt.id)
        findings.expired += 1


def _lost_order(database: Database, gateway: Gateway, attempt: OpenAttempt) -> str | None:
    """The order of an attempt whose maker never heard of it."""
    order = gateway.find_order(receipt=receipt_of(attempt.id))
    if order is None:
        return None
    return top_ups.attach_order(database, attempt.id, order_id=order.order_id, intent_url=None).gateway_order_id
