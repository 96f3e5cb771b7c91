"""Breaks: where our books and somebody else's differ, as a pure rule.

Three sides are held against each other: what we asked for (attempts, withdrawals), what the gateway says of its
payments and of what it settled, and the ledger. One subject (a payment, a refund, a line of a report) has one break of
each kind at most. What to do about each kind is in docs/reconciliation.md.
"""

from dataclasses import dataclass
from enum import StrEnum

from wallet.ledger.attempts import ObservedPayment


class Kind(StrEnum):
    """What differs. `ours` and `theirs` are the two amounts that a break tells."""

    # a payment, against the gateway's list of payments
    UNBOOKED_PAYMENT = "unbooked_payment"  # captured there, and the kernel breaks over booking it
    UNKNOWN_PAYMENT = "unknown_payment"  # in our books, and the gateway knows of none
    PAYMENT_DIFFERS = "payment_differs"  # another amount or currency there, or not captured (theirs is 0)
    REFUNDED_DIFFERS = "refunded_differs"  # more has gone back there than we know of, or less
    UNREADABLE_PAYMENT = "unreadable_payment"  # what the gateway says of it can't be read, or it doesn't say anything
    # a line of a settlement report, or the want of one
    UNBOOKED_LINE = "unbooked_line"  # a payment or refund was settled that is not in our books
    LINE_DIFFERS = "line_differs"  # settled with another amount or currency than it is booked with
    UNEXPLAINED_LINE = "unexplained_line"  # an adjustment, a transfer: our account there changed, and no entry says why
    UNREADABLE_LINE = "unreadable_line"  # it is not of the documented form
    NOT_SETTLED = "not_settled"  # booked, and in no report within the time that the gateway has
    # what people have to look at for other reasons
    STUCK_EVENT = "stuck_event"  # an event that contradicts the books, or can't be read
    PAYMENT_DISPUTE = "payment_dispute"  # a payer's bank wants its payment back: ours is what is reserved or booked
    DISPUTED_WITHDRAWAL = "disputed_withdrawal"  # paid out and failed: we have heard both
    PAYOUT_MISMATCH = "payout_mismatch"  # a payout that is not what was asked for
    UNCOVERED_REFUND = "uncovered_refund"  # begun at the gateway, when the wallet had spent the money


#: What a look at one payment at the gateway may open, and so may close.
OF_PAYMENTS = frozenset(
    {
        Kind.UNBOOKED_PAYMENT,
        Kind.UNKNOWN_PAYMENT,
        Kind.PAYMENT_DIFFERS,
        Kind.REFUNDED_DIFFERS,
        Kind.UNREADABLE_PAYMENT,
    }
)

#: What a look at the settlement reports may open, and so may close.
OF_SETTLEMENTS = frozenset(
    {Kind.UNBOOKED_LINE, Kind.LINE_DIFFERS, Kind.UNEXPLAINED_LINE, Kind.UNREADABLE_LINE, Kind.NOT_SETTLED}
)


@dataclass(frozen=True, slots=True)
class Break:
    """A difference: amounts in minor units of `currency`, None where that side has nothing at all."""

    kind: Kind
    subject: str
    ours: int | None
    theirs: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class BookedPayment:
    """A gateway payment as the ledger has it, credited or in suspense.

    `returned` is what of it went back to its source, `promised` that and what is about to, `surcharge` what the payer
    paid beside it for the gateway's fee; minor units.
    """

    payment_id: str
    amount: int
    currency: str
    returned: int = 0
    promised: int = 0
    surcharge: int = 0

    @property
    def paid(self) -> int:
        """What the payer paid, as the gateway tells it."""
        return self.amount + self.surcharge


@dataclass(frozen=True, slots=True)
class BookedRefund:
    """A refund to source as the ledger has it, under the gateway's own id of it."""

    refund_id: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class BookedDispute:
    """A payment's dispute as it stands with us, under the gateway's own id of it, in minor units.

    `amount` is what is disputed, `booked` what of it is in the ledger as lost; `is_open`: nobody has ended it.
    `deducted` is what settlement reports have taken for it, less what they gave back.
    """

    dispute_id: str
    amount: int
    currency: str
    booked: int
    is_open: bool
    deducted: int


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """A line of a gateway's settlement report, in minor units.

    `type` is the gateway's word, `payment` and `refund` are the two that we know; `entity_id` is of the payment, the
    refund or whatever it is; `fee` has the `tax` in it; `settled_at` is in Unix seconds. `dispute_id` is the dispute
    that an adjustment is about.
    """

    type: str
    entity_id: str
    payment_id: str | None
    amount: int
    currency: str
    debit: int
    credit: int
    fee: int
    tax: int
    settlement_id: str | None
    utr: str | None
    settled_at: int | None
    dispute_id: str | None = None

    @property
    def subject(self) -> str:
        """What a break about it is known by."""
        return self.entity_id


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item of a list that is not of the documented form.

    `subject` is its id, or one made of its content where it has none; `told` says what is wrong; `amount` is what it is
    worth in minor units, None where that can't be read, 0 where it says that no money has arrived.
    """

    subject: str
    told: str
    amount: int | None = None

    def __str__(self) -> str:
        """As a log tells it."""
        return f"{self.subject}: {self.told}"


PAYMENT_LINE, REFUND_LINE = "payment", "refund"


def weigh_payment(payment_id: str, booked: BookedPayment | None, told: ObservedPayment | None) -> Break | None:
    """What differs between a payment in our books and the gateway's word for it, if anything does.

    Something that has not arrived there and is not in our books is no break; nor is a refund that is on its way. Money
    that is there under a status which we don't know can't be booked, and is one.
    """
    if booked is None:
        if told is None or not told.captured or told.amount == 0:
            return None
        kind = Kind.UNBOOKED_PAYMENT if told.has_arrived else Kind.UNREADABLE_PAYMENT
        return Break(kind, payment_id, None, told.amount, told.currency)
    if told is None:
        return Break(Kind.UNKNOWN_PAYMENT, payment_id, booked.amount, None, booked.currency)
    there = told.amount if told.captured else 0
    if (there, told.currency) != (booked.paid, booked.currency) or booked.surcharge not in (0, told.surcharge):
        return Break(Kind.PAYMENT_DIFFERS, payment_id, booked.amount, there, told.currency)
    if not booked.returned <= told.amount_refunded <= booked.promised:
        return Break(Kind.REFUNDED_DIFFERS, payment_id, booked.returned, told.amount_refunded, booked.currency)
    return None


def weigh_line(line: SettlementLine, booked: BookedPayment | BookedRefund | BookedDispute | None) -> Break | None:
    """What differs between a settled line and our books.

    Amounts are gross, and the fee is the gateway's affair, unless the payer has borne it: then we are paid what we have
    booked. An adjustment about a dispute that we know is explained; its amount is weighed with the others of that
    dispute.
    """
    if isinstance(booked, BookedDispute):
        return None
    if line.type not in (PAYMENT_LINE, REFUND_LINE):
        return Break(Kind.UNEXPLAINED_LINE, line.subject, None, line.credit - line.debit, line.currency)
    if booked is None:
        return Break(Kind.UNBOOKED_LINE, line.subject, None, line.amount, line.currency)
    surcharge = booked.surcharge if isinstance(booked, BookedPayment) else 0
    if (line.amount, line.currency) != (booked.amount + surcharge, booked.currency):
        return Break(Kind.LINE_DIFFERS, line.subject, booked.amount, line.amount, line.currency)
    if surcharge and line.credit != booked.amount:
        return Break(Kind.LINE_DIFFERS, line.subject, booked.amount, line.credit, line.currency)
    return None


def weigh_dispute(dispute: BookedDispute) -> Break | None:
    """What differs between what the reports took for a dispute and what we booked.

    While it is open it may have been taken already, or not yet; either way it is an open break of its own kind.
    """
    fitting = {0, dispute.amount, dispute.booked} if dispute.is_open else {dispute.booked}
    if dispute.deducted in fitting:
        return None
    return Break(Kind.LINE_DIFFERS, dispute.dispute_id, dispute.booked, dispute.deducted, dispute.currency)


def unreadable(kind: Kind, subject: str) -> Break:
    """A break about something that can't be read or asked about: nobody knows the amounts."""
    return Break(kind, subject, None, None, None)


def weigh_waiting(subject: str, *, amount: int, currency: str, settled: bool, late: bool) -> Break | None:
    """Whether something in our books is missing in the reports: not settled, and its time is over."""
    if settled or not late:
        return None
    return Break(Kind.NOT_SETTLED, subject, amount, None, currency)
