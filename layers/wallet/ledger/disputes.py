"""Payment disputes (chargebacks): a payer's bank takes back, through the gateway, what somebody had topped up.

What is available of the wallet that the payment was credited to is reserved when the first news come; how the dispute
ended is an operator's to say, who books it. A withdrawal on which its provider contradicts itself is something else
(`wallet.ledger.withdrawals`).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DisputePhase(StrEnum):
    """How far the banks have got, in this order. Each of the later ones may follow on a dispute that was won."""

    UNKNOWN = "unknown"  # a word of the gateway's that we don't know (yet)
    FRAUD = "fraud"
    RETRIEVAL = "retrieval"
    DISPUTE = "dispute"
    CHARGEBACK = "chargeback"
    PRE_ARBITRATION = "pre_arbitration"
    ARBITRATION = "arbitration"


class DisputeStatus(StrEnum):
    """How a dispute stands within its phase. What comes behind the first is nearer to the end."""

    OPEN = "open"  # our answer is awaited, until the deadline
    UNDER_REVIEW = "under_review"  # the bank has our answer
    ACTION_REQUIRED = "action_required"  # our answer was not enough: another is awaited
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"  # it ended, and nothing was taken

    @property
    def is_final(self) -> bool:
        """Whether it ends the phase; another phase, or a reversal, may follow all the same."""
        return self in (DisputeStatus.WON, DisputeStatus.LOST, DisputeStatus.CLOSED)


@dataclass(frozen=True, slots=True)
class ObservedDispute:
    """A dispute as a gateway tells of it.

    `amount` is what it asks back or, once it is lost, has taken, in minor units of `currency`; more than the payment
    brought its wallet where the payer bore a surcharge. `respond_by` is the deadline for our answer, None if none was
    told. `told_at` is the gateway's own time of these news: what is older changes nothing. `reason` is the gateway's
    word or number for why.
    """

    gateway: str
    dispute_id: str
    payment_id: str
    amount: int
    currency: str
    phase: DisputePhase
    status: DisputeStatus
    told_at: datetime
    respond_by: datetime | None = None
    reason: str | None = None


class DisputeNews(StrEnum):
    """What news of a dispute come to."""

    NEW = "done"
    KNOWN = "duplicate"  # or old
    MISMATCH = "mismatch"  # of another payment or currency: for people to look at
    CONTRADICTED = "contradicted"  # it ended two ways at one moment: for people to look at


class DisputeEnd(StrEnum):
    """How an operator ends a dispute."""

    WON = "won"  # what is reserved is free; what was booked as lost comes back
    LOST_RECOVERED = "lost_recovered"  # the wallet pays what it can, the rest is our loss
    LOST_BORNE = "lost_borne"  # it is our loss


def weigh(*, stored: ObservedDispute, told: ObservedDispute) -> DisputeNews:
    """What news come to, of a dispute that stands as `stored`; only NEW changes anything.

    By the gateway's time the latest stand; of one moment the later phase, then what is nearer to the end. The procedure
    `record_payment_dispute` applies the same rule inside the commit.
    """
    if (stored.payment_id, stored.currency) != (told.payment_id, told.currency):
        return DisputeNews.MISMATCH
    if told.told_at != stored.told_at:
        return DisputeNews.NEW if told.told_at > stored.told_at else DisputeNews.KNOWN
    if (told.phase, told.status) == (stored.phase, stored.status):
        return DisputeNews.KNOWN
    if told.phase is stored.phase and told.status.is_final and stored.status.is_final:
        is_loss = DisputeStatus.LOST in (told.status, stored.status)
        return DisputeNews.CONTRADICTED if is_loss else DisputeNews.KNOWN
    return DisputeNews.NEW if _rank(told) > _rank(stored) else DisputeNews.KNOWN


def _rank(dispute: ObservedDispute) -> tuple[int, int]:
    return list(DisputePhase).index(dispute.phase), list(DisputeStatus).index(dispute.status)
