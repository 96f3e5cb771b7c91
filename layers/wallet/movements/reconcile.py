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
    refuses_our_keys,
)
from wallet.ledger.attempts import ObservedPayment
from wallet.ledger.receipts import OpenAttempt
from wallet.ledger.refunds import RefundNews
from wallet.movements.refund_to_source import book_refund
from wallet.movements.settle import EventOutcome, act, book
from wallet.movements.top_up import receipt_of
from wallet.storage import settlement, top_ups
from wallet.storage.database import Database, DatabaseBrokenError

_BATCH = 100
_EVENT_GRACE_S = 60

#: A payment that has not come within five days of its order never will: see decision 0004.
_EARLY_FOR_S = 6 * 24 * 3600
_GIVE_UP_AFTER = 3


@dataclass(slots=True)
class Findings:
    """What one run came to. `broken` holds what needs a person: a run with any of it counts as failed.

    `keys_refused` is how often a gateway or provider refused our keys: until somebody mends that, nothing works there.
    `unreachable` is how often somebody was not reached, `unreached` what was heard of them instead.

    `found` is money in the gateway's lists that neither a webhook nor an attempt had led us to; `broke` and `mended`
    are breaks that were opened and that are no longer there. `list_behind_s`: for how long the gateway's list of
    payments has not been compared that should have been by now; 0 when it has, and of a gateway that gives none.
    """

    asked: int = 0
    booked: int = 0
    found: int = 0
    broke: int = 0
    mended: int = 0
    expired: int = 0
    finished_events: int = 0
    list_behind_s: int = 0
    keys_refused: int = 0
    unreachable: int = 0
    unreached: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def is_healthy(self) -> bool:
        """Whether everything that was due was asked and understood."""
        return not self.broken and not self.unreachable

    def count_refused_keys(self, error: Exception) -> None:
        """Counts an error that says that our keys are refused."""
        self.keys_refused += refuses_our_keys(error)

    def not_reached(self, error: GatewayUnavailableError) -> None:
        """Counts somebody who was not reached."""
        self.count_refused_keys(error)
        self.unreachable += 1
        self.unreached.append(str(error))


def reconcile(
    database: Database,
    gateway: Gateway,
    new_id: Callable[[], UUID],
    findings: Findings,
    *,
    first_check_s: int,
    time_left_s: Callable[[], float],
) -> None:
    """Asks about every attempt that is due, oldest first, as long as there is time; what is left is due next time.

    A gateway that is down is asked three times in one run, and the attempts are given back. One attempt that can't be
    understood doesn't hold up the others. Two runs at once share the work: each attempt is taken by one of them, and
    what both book is booked once.
    """
    for attempt in _due(database, gateway.name, first_check_s, time_left_s):
        findings.asked += 1
        try:
            _ask(database, gateway, new_id, attempt, findings)
        except GatewayUnavailableError as error:
            findings.not_reached(error)
            top_ups.release_check(database, attempt, first_check_s=first_check_s)
            if findings.unreachable >= _GIVE_UP_AFTER:
                return
        except GatewayRejectedError as error:
            findings.broken.append(f"{receipt_of(attempt.id)}: {error}")
            findings.count_refused_keys(error)
            if error.is_about_us:
                top_ups.release_check(database, attempt, first_check_s=first_check_s)
                return
        except DatabaseBrokenError as error:
            findings.broken.append(f"{receipt_of(attempt.id)}: {error}")


def finish_leftovers(
    database: Database,
    new_id: Callable[[], UUID],
    parse: Callable[[str, bytes], GatewayEvent],
    findings: Findings,
) -> None:
    """Acts on events that were kept and not acted on, because whoever did it died.

    The gateway sends them again only as long as it was never answered, and for a day at most. `parse` takes the
    gateway's name and the body. What can't be acted on is marked `stuck`, so that it holds up nothing and is seen. An
    event that came early is looked at in each run until what it waits for has come, or no longer can.
    """
    for event in settlement.unfinished_events(database, older_than_s=_EVENT_GRACE_S, page=_BATCH):
        try:
            outcome = act(database, new_id, parse(event.gateway, event.body), event_id=event.id)
            if outcome is EventOutcome.STUCK:
                findings.broken.append(f"event {event.id}: it contradicts the books")
        except (MalformedEventError, DatabaseBrokenError) as error:
            findings.broken.append(f"event {event.id}: {error}")
            outcome = EventOutcome.STUCK
        if outcome is EventOutcome.EARLY:
            if event.age_s < _EARLY_FOR_S:
                continue
            outcome = EventOutcome.IGNORED
        settlement.finish_event(database, event.id, outcome)
        findings.finished_events += 1


def _due(
    database: Database, gateway: str, first_check_s: int, time_left_s: Callable[[], float]
) -> Iterator[OpenAttempt]:
    while attempts := top_ups.due_attempts(database, gateway=gateway, limit=_BATCH):
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
    payments = _payments_of(database, gateway, attempt, order_id) if order_id is not None else ()
    for payment in payments:
        if book(database, new_id, payment) is EventOutcome.PROCESSED:
            findings.booked += 1
    failures: list[Exception] = []
    for payment in payments:  # only now: refunds that can't be had keep no payment out of the books
        try:
            if payment.has_arrived and payment.amount_refunded > 0:  # by whomever: nothing else may tell us of it
                for refund in gateway.refunds_of(payment_id=payment.payment_id, order_id=order_id):
                    findings.booked += book_refund(database, new_id, refund) is RefundNews.NEW
        except (GatewayUnavailableError, GatewayRejectedError, DatabaseBrokenError) as error:
            failures.append(error)
    if failures:
        raise failures[0]
    # Only now: the gateway has just said that nobody has paid and that nothing is on its way.
    if attempt.is_over and not any(payment.may_still_arrive for payment in payments):
        findings.expired += top_ups.expire_attempt(database, attempt.id)


def _payments_of(
    database: Database, gateway: Gateway, attempt: OpenAttempt, order_id: str
) -> tuple[ObservedPayment, ...]:
    """The payments of an order; an attempt that is over ends when the gateway says that it knows no such order."""
    try:
        return gateway.payments_of(order_id)
    except GatewayRejectedError as error:
        if attempt.is_over and error.knows_none:
            top_ups.expire_attempt(database, attempt.id)
        raise


def _lost_order(database: Database, gateway: Gateway, attempt: OpenAttempt) -> str | None:
    """The order of an attempt whose maker never heard of it."""
    order = gateway.find_order(receipt=receipt_of(attempt.id))
    if order is None:
        return None
    attached = top_ups.attach_order(
        database, attempt.id, order_id=order.order_id, checkout_session=order.checkout_session
    )
    return attached.gateway_order_id if attached is not None else None
