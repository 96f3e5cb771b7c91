"""Holding the gateway's own list of payments against the ledger: what webhooks and attempts did not lead us to.

The list is by the time when a payment was begun, and a payment may be captured, or refunded, days after that. So it is
walked twice: soon after, with an hour's overlap, and once more when nothing can become of those payments any more.
Captured money that is not in the books is booked here and now, as any other is: to the wallet, or to suspense with its
reason. What the ledger has and the gateway has not, or has otherwise, is a break.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError, ListingGateway
from wallet.ledger.attempts import ObservedPayment
from wallet.ledger.breaks import OF_PAYMENTS, BookedPayment, Break, Kind, Unreadable, unreadable, weigh_payment
from wallet.ledger.refunds import RefundNews
from wallet.movements.reconcile import Findings
from wallet.movements.refund_to_source import book_refund
from wallet.movements.settle import EventOutcome, book
from wallet.storage import breaks
from wallet.storage.database import Database, DatabaseBrokenError

#: How far back the first walk goes that finds no other word of how far it has come.
_FARTHEST = timedelta(days=30)

#: Progress is kept after each of these: so much at most is read again after a run that died.
_SLICE = timedelta(hours=1)

#: Open breaks that one run asks the gateway about by themselves.
_ASKED_AGAIN = 50

#: So many payments in a row about which nothing is heard, for the first time: then it is the gateway that is down.
_IT_IS_DOWN = 3

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Walk:
    """One way over the list: `lag` behind the present, each time from `overlap` before where it came to.

    It doesn't go on for less than `least`: what was begun before a stretch and booked in it is asked about one by one.
    """

    name: str
    lag: timedelta
    overlap: timedelta
    least: timedelta = timedelta()


def walks(first_check_s: int) -> tuple[Walk, Walk]:
    """The two walks. The first leaves webhooks a fifth of the time that attempts leave them."""
    return (
        Walk("payments", timedelta(seconds=first_check_s // 5), timedelta(hours=1)),
        Walk("late payments", timedelta(days=6), timedelta(hours=1), timedelta(hours=1)),
    )


@dataclass(slots=True)
class Comparer:
    """Compares payments as the gateway tells of them with the ledger, books what is missing, keeps breaks.

    One payment that the gateway can't be understood about is a break and holds up no other.
    """

    database: Database
    gateway: ListingGateway
    new_id: Callable[[], UUID]
    findings: Findings
    _unanswered: set[str] = field(default_factory=set, init=False)
    _in_a_row: int = field(default=0, init=False)

    def compare(self, told: Iterable[ObservedPayment]) -> None:
        """Payments that the gateway has."""
        payments = {payment.payment_id: payment for payment in told}
        booked = self._booked(payments)
        touched = [one.payment_id for one in payments.values() if self._book(one, booked.get(one.payment_id))]
        booked |= self._booked(touched)
        self.keep({name: weigh_payment(name, booked.get(name), payment) for name, payment in payments.items()})

    def ask_about(self, ids: Iterable[str]) -> None:
        """Payments that we have, or have a break of, and that no list has told of."""
        told, missing = [], []
        for payment_id in ids:
            for payment in self._heard(payment_id, partial(self._payment, payment_id)):
                told += [] if payment is None else [payment]
                missing += [payment_id] if payment is None else []
        self.compare(told)
        booked = self._booked(missing)
        # what can't be read is not mended by not being there any more
        self._unanswered |= set(missing)
        self.keep({name: weigh_payment(name, booked.get(name), None) for name in missing})

    def book_refunds(self, payment_id: str, order_id: str | None) -> None:
        """Books whatever the gateway has given back of a payment."""
        ask = partial(self.gateway.refunds_of, payment_id=payment_id, order_id=order_id)
        for refund in self._heard(payment_id, ask):
            try:
                self.findings.booked += book_refund(self.database, self.new_id, refund) is RefundNews.NEW
            except DatabaseBrokenError as error:
                self.findings.broken.append(f"{payment_id}: {error}")

    def keep(self, weighed: Mapping[str, Break | None], closing: Collection[Kind] = OF_PAYMENTS) -> None:
        """Opens the breaks that there are, and resolves those of the kinds `closing` that were."""
        for kind, subject in breaks.open_about(self.database, list(weighed), gateway=self.gateway.name):
            found = weighed[subject]
            if kind is Kind.UNREADABLE_PAYMENT and subject in self._unanswered:
                self.note(unreadable(kind, subject))
            elif kind in closing and (found is None or found.kind is not kind):
                self.findings.mended += breaks.clear_break(
                    self.database, kind, gateway=self.gateway.name, subject=subject
                )
        for found in weighed.values():
            if found is not None:
                self.note(found)

    def note(self, found: Break) -> bool:
        """Opens a break; whether it is new."""
        is_new = breaks.note_break(self.database, found, gateway=self.gateway.name, break_id=self.new_id())
        self.findings.broke += is_new
        return is_new

    def name_unreadable(self, kind: Kind, items: Iterable[Unreadable]) -> None:
        """Opens a break about each item of a list that can't be read."""
        for item in items:
            self.findings.broken.append(f"unreadable: {item}")
            self.note(unreadable(kind, item.subject))

    def _payment(self, payment_id: str) -> list[ObservedPayment | None]:
        return [self.gateway.payment(payment_id)]

    def _booked(self, ids: Iterable[str]) -> dict[str, BookedPayment]:
        return breaks.booked_payments(self.database, list(ids), gateway=self.gateway.name)

    def _book(self, payment: ObservedPayment, booked: BookedPayment | None) -> bool:
        """Books what the gateway has and we have not; whether anything was tried."""
        if not payment.has_arrived:
            return False
        refunded = payment.amount_refunded > (booked.promised if booked is not None else 0)
        if booked is not None and not refunded:
            return False
        try:
            if booked is None and book(self.database, self.new_id, payment) is EventOutcome.PROCESSED:
                self.findings.found += 1
        except DatabaseBrokenError as error:
            self.findings.broken.append(f"{payment.payment_id}: {error}")
            return True
        if refunded:
            self.book_refunds(payment.payment_id, payment.order_id)
        return True

    def _heard(self, payment_id: str, ask: Callable[[], Sequence[Answer]]) -> Sequence[Answer]:
        """What the gateway says about one payment: nothing, and a break, where that can't be had.

        Keys that are refused end the run. So does a gateway that is down: no answer about several payments in a row.
        One that was a break before is no sign of that, and no run ends at it twice.
        """
        try:
            answers = ask()
        except (GatewayUnavailableError, GatewayRejectedError) as error:
            if isinstance(error, GatewayRejectedError) and error.is_about_us:
                raise
            self.findings.broken.append(f"{payment_id}: {error}")
            self._unanswered.add(payment_id)
            is_new = self.note(unreadable(Kind.UNREADABLE_PAYMENT, payment_id))
            if isinstance(error, GatewayUnavailableError) and is_new:
                self._in_a_row += 1
                if self._in_a_row >= _IT_IS_DOWN:
                    raise
            return ()
        self._in_a_row = 0
        self._unanswered.discard(payment_id)
        return answers


def walk_payments(
    comparer: Comparer, *, first_check_s: int, now: Callable[[], datetime], time_left_s: Callable[[], float]
) -> None:
    """Goes on with both walks as long as there is time, then asks again about payments that breaks are open of.

    A gateway that is down, in the middle of a list or before, costs the slice under way: the next run reads it anew.
    """
    findings = comparer.findings
    try:
        for walk in walks(first_check_s):
            _go_on(comparer, walk, now, time_left_s)
        if time_left_s() > 0:
            _look_again(comparer)
    except GatewayUnavailableError as error:
        findings.not_reached(error)
    except GatewayRejectedError as error:
        findings.count_refused_keys(error)
        findings.broken.append(f"the list of payments: {error}")
    findings.list_behind_s = max(_behind_s(comparer, walk, now()) for walk in walks(first_check_s))


def _behind_s(comparer: Comparer, walk: Walk, now: datetime) -> int:
    """For how long a walk could have gone on and has not."""
    goal = now - walk.lag
    done = _done_until(comparer, walk, goal)
    return 0 if done is None else max(0, int((goal - walk.least - done).total_seconds()))


def _done_until(comparer: Comparer, walk: Walk, goal: datetime) -> datetime | None:
    return breaks.walked_until(
        comparer.database, gateway=comparer.gateway.name, walk=walk.name, farthest=goal - _FARTHEST
    )


def _go_on(comparer: Comparer, walk: Walk, now: Callable[[], datetime], time_left_s: Callable[[], float]) -> None:
    database, name = comparer.database, comparer.gateway.name
    goal = now() - walk.lag
    done = _done_until(comparer, walk, goal)
    since = goal if done is None else done
    while since < goal and goal - since >= walk.least and time_left_s() > 0:
        until = min(since + _SLICE, goal)
        seen = _compare_list(comparer, since - walk.overlap, until, time_left_s)
        if seen is None:
            return
        missing = breaks.booked_between(database, since, until, gateway=name) - seen
        comparer.ask_about(sorted(missing - _open_already(comparer, missing)))
        breaks.advance_walk(database, gateway=name, walk=walk.name, done_until=until)
        since = until


def _compare_list(
    comparer: Comparer, since: datetime, until: datetime, time_left_s: Callable[[], float]
) -> set[str] | None:
    """Reads the list of a stretch of time, page by page; the ids of what was on it, None if time was over before."""
    seen: set[str] = set()
    pages = comparer.gateway.payments_between(since_s=_unix(since), until_s=_unix(until) + 1)
    for page in pages:
        if time_left_s() <= 0:
            return None
        seen |= {payment.payment_id for payment in page.payments} | {one.subject for one in page.unreadable}
        comparer.compare(page.payments)
        comparer.name_unreadable(Kind.UNREADABLE_PAYMENT, page.unreadable)
    return seen


def _open_already(comparer: Comparer, payments: set[str]) -> set[str]:
    """Those that nothing was to be heard about before: they are asked about again behind the lists, not in each."""
    still = breaks.open_about(comparer.database, payments, gateway=comparer.gateway.name)
    return {subject for kind, subject in still if kind is Kind.UNREADABLE_PAYMENT}


def _look_again(comparer: Comparer) -> None:
    """Asks about payments that breaks are open of: one that is no longer there resolves itself."""
    name = comparer.gateway.name
    comparer.ask_about(breaks.open_subjects(comparer.database, OF_PAYMENTS, gateway=name, limit=_ASKED_AGAIN))


def _unix(at: datetime) -> int:
    return max(0, int(at.timestamp()))


def utc_now() -> datetime:
    """The time, for who wants no other."""
    return datetime.now(UTC)
