"""Holding the gateway's daily settlement report against the ledger, line by line.

A payment or a refund that was settled and is not in the books is asked about first: then it is booked as any other, and
was only late. What remains is a break; so is what is in our books and in no report when the gateway's time is over.
Gateways take disputed money by adjustments that name the dispute, some of them before it is decided, and give it back
so: what they took in all has to be what is booked when the dispute has ended.
Lines are kept as they were told, with the fee, the tax and the bank's reference (UTR), for whoever counts the money on
the bank's account.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError
from wallet.ledger.breaks import (
    OF_SETTLEMENTS,
    PAYMENT_LINE,
    REFUND_LINE,
    BookedDispute,
    BookedPayment,
    BookedRefund,
    Kind,
    SettlementLine,
    weigh_dispute,
    weigh_line,
    weigh_waiting,
)
from wallet.ledger.periods import INDIA
from wallet.movements.walk_payments import Comparer
from wallet.storage import breaks

_REPORTS, _WAITING = "settlements", "unsettled"

#: A report may get lines after its day: each is read again on the days behind it.
_READ_AGAIN = timedelta(days=3)
_FARTHEST = timedelta(days=30)
_DAY = timedelta(days=1)
_LOOKED_AT_AGAIN = 500


@dataclass(frozen=True, slots=True)
class Reports:
    """Reads settlement reports. `settled_within_days` is the gateway's time, from booking to report."""

    comparer: Comparer
    settled_within_days: int

    def read(self, now: datetime, time_left_s: Callable[[], float]) -> None:
        """Reads the reports up to yesterday's, new ones first, then looks for what should have been in them.

        When the time is over, no other report is begun. One that can't be read to its end is read again by the next
        run: progress is kept day by day.
        """
        findings = self.comparer.findings
        try:
            has_all = self._read_days(now, time_left_s)
        except GatewayUnavailableError as error:
            findings.not_reached(error)
        except GatewayRejectedError as error:
            findings.count_refused_keys(error)
            findings.broken.append(f"the settlement report: {error}")
        else:
            if has_all:
                self._look_for_what_waits(now)
        self._look_again()

    def _read_days(self, now: datetime, time_left_s: Callable[[], float]) -> bool:
        """Reads the days that nobody has read, then those before them again; whether there was time for the new."""
        done = self._walked(_REPORTS, farthest=now - _FARTHEST)
        today = now.astimezone(INDIA).date()
        if done is None:
            return True
        unread = done.astimezone(INDIA).date()
        first = (done - _READ_AGAIN).astimezone(INDIA).date()
        days = [first + _DAY * ahead for ahead in range((today - first).days)]
        for day in sorted(days, key=lambda day: (day < unread, day)):
            if time_left_s() <= 0:
                return day < unread
            self._read_day(day)
            self._advance(_REPORTS, _midnight(day + _DAY))
        return True

    def _read_day(self, day: date) -> None:
        for page in self.comparer.gateway.settlement_lines(day):
            breaks.keep_lines(self.comparer.database, page.lines, gateway=self._name)
            booked = self._booked(page.lines)
            if self._book_missing(page.lines, booked):
                booked = self._booked(page.lines)
            weighed = {line.subject: weigh_line(line, booked.get(line.subject)) for line in page.lines}
            self.comparer.keep(weighed, OF_SETTLEMENTS)
            self._weigh_disputes({line.dispute_id for line in page.lines if line.dispute_id is not None})
            self.comparer.name_unreadable(Kind.UNREADABLE_LINE, page.unreadable)

    def _weigh_disputes(self, ids: Collection[str]) -> None:
        """Holds what the reports took for each of these disputes against what is booked."""
        disputes = breaks.booked_disputes(self.comparer.database, ids, gateway=self._name)
        self.comparer.keep({name: weigh_dispute(dispute) for name, dispute in disputes.items()}, OF_SETTLEMENTS)

    def _book_missing(
        self, lines: Iterable[SettlementLine], booked: Mapping[str, BookedPayment | BookedRefund | BookedDispute]
    ) -> bool:
        """Asks about settled payments and refunds that we have not, so that they are booked; whether there were any."""
        missing = [line for line in lines if line.subject not in booked]
        self.comparer.ask_about([line.entity_id for line in missing if line.type == PAYMENT_LINE])
        for line in missing:
            if line.type == REFUND_LINE and line.payment_id is not None:
                self.comparer.ask_about([line.payment_id])
                self.comparer.book_refunds(line.payment_id, None)
        return bool(missing)

    def _look_for_what_waits(self, now: datetime) -> None:
        """What was booked so long ago that a report should have told of it."""
        goal = now - timedelta(days=self.settled_within_days)
        done = self._walked(_WAITING, farthest=goal - _FARTHEST)
        since = goal if done is None else done
        while since < goal:
            until = min(since + _DAY, goal)
            waiting = breaks.not_settled(self.comparer.database, since, until, gateway=self._name)
            weighed = {
                one.subject: weigh_waiting(
                    one.subject, amount=one.amount, currency=one.currency, settled=False, late=True
                )
                for one in waiting
            }
            self.comparer.keep(weighed, closing=())  # the want of a line says nothing about one that can't be read
            self._advance(_WAITING, until)
            since = until

    def _look_again(self) -> None:
        """Resolves breaks that are no longer there: by now it is booked, or a report has told of it."""
        database = self.comparer.database
        subjects = breaks.open_lines(database, OF_SETTLEMENTS, gateway=self._name, limit=_LOOKED_AT_AGAIN)
        lines = breaks.lines_about(database, subjects, gateway=self._name)
        booked = self._booked(lines.values())
        weighed = {subject: weigh_line(line, booked.get(subject)) for subject, line in lines.items()}
        self.comparer.keep(weighed, OF_SETTLEMENTS - {Kind.UNREADABLE_LINE})
        disputed = breaks.open_dispute_subjects(database, OF_SETTLEMENTS, gateway=self._name, limit=_LOOKED_AT_AGAIN)
        known = breaks.booked_disputes(database, disputed, gateway=self._name)
        told = {name: dispute for name, dispute in known.items() if dispute.deducted or not dispute.booked}
        self.comparer.keep({name: weigh_dispute(dispute) for name, dispute in told.items()}, OF_SETTLEMENTS)

    def _booked(self, lines: Iterable[SettlementLine]) -> dict[str, BookedPayment | BookedRefund | BookedDispute]:
        known = list(lines)
        database = self.comparer.database
        payments = [line.entity_id for line in known if line.type == PAYMENT_LINE]
        refunds = [line.entity_id for line in known if line.type == REFUND_LINE]
        found: dict[str, BookedPayment | BookedRefund | BookedDispute] = {}
        found |= breaks.booked_payments(database, payments, gateway=self._name)
        found |= breaks.booked_refunds(database, refunds, gateway=self._name)
        named = {line.dispute_id for line in known if line.dispute_id is not None}
        disputes = breaks.booked_disputes(database, named, gateway=self._name)
        found |= {
            line.entity_id: disputes[line.dispute_id]
            for line in known
            if line.type not in (PAYMENT_LINE, REFUND_LINE) and line.dispute_id in disputes
        }
        return found

    @property
    def _name(self) -> str:
        return self.comparer.gateway.name

    def _walked(self, walk: str, farthest: datetime) -> datetime | None:
        return breaks.walked_until(self.comparer.database, gateway=self._name, walk=walk, farthest=farthest)

    def _advance(self, walk: str, until: datetime) -> None:
        breaks.advance_walk(self.comparer.database, gateway=self._name, walk=walk, done_until=until)


def _midnight(day: date) -> datetime:
    """When a day begins in India, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=INDIA).astimezone(UTC)
