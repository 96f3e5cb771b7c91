"""Withdrawals: money that leaves for a UPI address (VPA), and what a payout provider says of it.

One small machine, moved forward only and fed by what the provider says, in webhooks and in answers, which may come in
any order and any number of times. `hear` is the whole rule; the procedure `settle_withdrawal` in `schema/` applies the
same rule inside the commit, and a property test holds the two together. What comes after an operator's order has ended
a dispute is `weigh`'s.
"""

from dataclasses import dataclass
from enum import StrEnum


class WithdrawalStatus(StrEnum):
    """Where a withdrawal stands. It moves forward only; `reversed` is the one way out of `succeeded`."""

    PENDING = "pending"  # set aside: no longer available, still in the wallet
    SUCCEEDED = "succeeded"  # paid out: it has left the wallet
    FAILED = "failed"  # never paid out: it is available again
    REVERSED = "reversed"  # paid out, and sent back by the bank: it is in the wallet again


class PayoutStatus(StrEnum):
    """What a provider says of one payout, in our words."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REVERSED = "reversed"
    UNKNOWN = "unknown"  # a word that we don't know (yet): never final

    @property
    def is_final(self) -> bool:
        """Whether it says what became of the money; a reversal may still follow a success."""
        return self not in (PayoutStatus.PENDING, PayoutStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class ObservedPayout:
    """One payout as its provider reports it.

    `payout_id` is the provider's own, `reference` is ours (`wdr_…`, None if it is not one of ours); `amount` is in
    minor units of `currency`; `reason` is the provider's own word for a failure; `utr` is the banks' reference, None as
    long as the provider knows none.
    """

    provider: str
    payout_id: str
    reference: str | None
    amount: int
    currency: str
    status: PayoutStatus
    reason: str | None = None
    utr: str | None = None


class Booking(StrEnum):
    """What a piece of news does to the wallet's money."""

    LEAVES = "leaves"  # what was set aside leaves, the amount to the provider and the fee to us
    IS_FREED = "is_freed"  # what was set aside is available again; nothing is posted
    COMES_BACK = "comes_back"  # amount and fee come back, each by a transaction of its own


@dataclass(frozen=True, slots=True)
class Step:
    """What a piece of news comes to: where the withdrawal stands then, and what is booked, in order.

    `disputed`: the provider contradicts itself (or us) about money that is gone; nothing moves, and people must look.
    """

    status: WithdrawalStatus
    bookings: tuple[Booking, ...] = ()
    disputed: bool = False


def hear(status: WithdrawalStatus, news: PayoutStatus) -> Step:
    """What follows when a withdrawal that stands at `status` hears `news`.

    A reversal that is heard before the success books both: the money did leave our account at the provider, and did
    come back to it. A payout that failed may be called reversed later (the provider's bank had taken the money and has
    returned it): the wallet has its money since the failure. A payout that was paid can't have failed, nor the other
    way round: whichever was heard first stands.
    """
    if not news.is_final:
        return Step(status)
    if status is WithdrawalStatus.PENDING:
        return _FROM_PENDING[news]
    if status is WithdrawalStatus.SUCCEEDED and news is PayoutStatus.REVERSED:
        return Step(WithdrawalStatus.REVERSED, (Booking.COMES_BACK,))
    return Step(status, disputed={status.value, news.value} == {"succeeded", "failed"})


_FROM_PENDING = {
    PayoutStatus.SUCCEEDED: Step(WithdrawalStatus.SUCCEEDED, (Booking.LEAVES,)),
    PayoutStatus.FAILED: Step(WithdrawalStatus.FAILED, (Booking.IS_FREED,)),
    PayoutStatus.REVERSED: Step(WithdrawalStatus.REVERSED, (Booking.LEAVES, Booking.COMES_BACK)),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the money of a withdrawal that has ended is, by the books: its status, and what operators' orders did.

    `corrected`: a correction has debited the wallet, for it was paid out after all. `returned`: money has come back
    from the bank, what had left by the withdrawal or by its correction. Each is booked once at most.
    """

    status: WithdrawalStatus
    corrected: bool = False
    returned: bool = False

    @property
    def is_paid(self) -> bool:
        """Whether the payee has the money, and not the wallet."""
        if self.status is WithdrawalStatus.FAILED:
            return self.corrected and not self.returned
        return self.status is WithdrawalStatus.SUCCEEDED or self.corrected


class Verdict(StrEnum):
    """What a provider's last word is to the books."""

    AGREES = "agrees"  # the same; if we have asked, a dispute is over
    OLD = "old"  # an event from before the money came back
    COMES_BACK = "comes_back"  # a correction is taken back: the bank has returned the money
    DISPUTED = "disputed"  # nothing moves unless an operator has ordered it, and we have asked


def weigh(standing: Standing, news: PayoutStatus, *, asked: bool) -> Verdict:
    """Weighs final `news` against where the money is; the procedure `hear_dispute` applies the same rule.

    An event that says `failed` after a correction may be an old one too. It is disputed all the same, for it must not
    get lost: it is our own question that clears it.
    """
    says_paid = news is PayoutStatus.SUCCEEDED
    if says_paid == standing.is_paid:
        return Verdict.AGREES
    if news is PayoutStatus.REVERSED and not standing.returned:
        return Verdict.COMES_BACK
    if says_paid and standing.returned and not asked:
        return Verdict.OLD
    return Verdict.DISPUTED
