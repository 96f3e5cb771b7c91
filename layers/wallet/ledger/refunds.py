"""Refunds to source: money that goes back through the gateway it came by.

The money is set aside first, leaves when the gateway says that the refund is done, and is free again if it failed.
The machine moves forward only and is fed by our own call, the gateway's webhooks and our questions.
"""

from dataclasses import dataclass
from enum import StrEnum

from wallet.ledger.attempts import ObservedPayment


class RefundStatus(StrEnum):
    """What is known of a refund to source."""

    PENDING = "pending"  # set aside; the gateway has it, or is still to be asked
    SUCCEEDED = "succeeded"  # the gateway has paid it out
    FAILED = "failed"  # the gateway will never pay it out
    UNKNOWN = "unknown"  # a word of the gateway's that we don't know (yet): never final, never stored

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return self in (RefundStatus.SUCCEEDED, RefundStatus.FAILED)


@dataclass(frozen=True, slots=True)
class ObservedRefund:
    """One refund as a gateway reports it, in a webhook or in an answer.

    `refund_id` is the gateway's own; `reference` is ours (`rfd_…`), None for a refund that somebody else began (the
    gateway itself, or a person at its dashboard); `amount` is in minor units of `currency`; `payment` is the refunded
    payment where the gateway tells of it: one that was never `captured` was never credited, and its refund debits
    nobody. `reason` is the gateway's own word for a failure; `rrn` is the banks' reference, None as long as the gateway
    knows none.
    """

    gateway: str
    refund_id: str
    reference: str | None
    payment_id: str
    amount: int
    currency: str
    status: RefundStatus
    payment: ObservedPayment | None = None
    reason: str | None = None
    rrn: str | None = None


class RefundNews(StrEnum):
    """What news of a refund come to."""

    NEW = "done"
    KNOWN = "duplicate"
    NOT_OURS = "unknown_refund"
    MADE_AFTER_ALL = "failed_before"  # we had concluded by ourselves that it failed: it is booked as somebody else's
    UNKNOWN_PAYMENT = "unknown_payment"  # of a payment that is not in the books (yet)
    MISMATCH = "mismatch"  # not what was asked for: for people to look at
    CONTRADICTED = "contradicted"  # the gateway says now this, now that: for people to look at
    NO_MONEY = "no_money"  # nothing of ours has moved, or nobody knows yet


def weigh(*, stored: RefundStatus, told: RefundStatus, agrees: bool, is_known_there: bool) -> RefundNews:
    """What news of a refund come to whose row says `stored`; only NEW changes anything.

    `agrees`: it is the refund that was asked for, of that payment, amount and currency. `is_known_there`: we had heard
    of it from the gateway before. The procedure `settle_source_refund` applies the same rule inside the commit.
    """
    if not agrees:
        return RefundNews.MISMATCH
    if not stored.is_final:
        return RefundNews.KNOWN if told is RefundStatus.PENDING and is_known_there else RefundNews.NEW
    if told in (stored, RefundStatus.PENDING):
        return RefundNews.KNOWN
    if stored is RefundStatus.FAILED and not is_known_there:
        return RefundNews.MADE_AFTER_ALL
    return RefundNews.CONTRADICTED
