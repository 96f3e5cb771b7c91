"""Payment attempts: what we asked of a gateway, what it says happened, and what follows from it.

One small machine, moved forward only and fed by two inputs that may come in any order and any number of times: the
gateway's webhooks and our own questions. `weigh` is the whole rule; the procedure `settle_gateway_payment` in `schema/`
applies the same rule inside the commit, and a property test holds the two together.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from wallet.ledger.money import INR


class AttemptStatus(StrEnum):
    """Where an attempt stands. Callers see `created` as `pending`."""

    CREATED = "created"  # our row is written; no order is known yet
    PENDING = "pending"  # the gateway has the order; nobody has paid
    FAILED = "failed"  # a payment failed; the person may still try again, and the gateway may still capture
    EXPIRED = "expired"  # its time is over and the gateway says that nobody has paid
    SUCCEEDED = "succeeded"  # credited
    REFUNDED = "refunded"  # credited, and given back to the source

    @property
    def shown(self) -> "AttemptStatus":
        """As callers see it: whether the gateway has made its order yet is nothing to them."""
        return AttemptStatus.PENDING if self is AttemptStatus.CREATED else self

    def may_become(self, later: "AttemptStatus") -> bool:
        """Whether the machine moves from here to `later`: forward only, and never out of `refunded`."""
        return _RANK[later] > _RANK[self]


_RANK = {status: rank for rank, status in enumerate(AttemptStatus)}

#: A payment that failed for one of these reasons has an unknown outcome until the next day: it is not called
#: failed. (Razorpay's error reasons; Cashfree has no such.)
OUTCOME_UNKNOWN_REASONS = frozenset(
    {"payment_pending", "deemed_transaction", "collect_request_pending", "record_not_found", "verification_failed"}
)


class PaymentStatus(StrEnum):
    """What a gateway says of one payment, in our words."""

    CREATED = "created"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    REFUNDED = "refunded"  # captured, then given back in full
    FAILED = "failed"
    UNKNOWN = "unknown"  # a word that we don't know (yet): never final


@dataclass(frozen=True, slots=True)
class ObservedPayment:
    """One payment as a gateway reports it, in a webhook or in an answer.

    `payment_id` is the gateway's own and the only key of a credit; `order_id` is the gateway's order, if it names
    one; `amount` is what the payer paid, `surcharge` what of it the gateway calls its own fee (tax included) that the
    payer bears, 0 where it says no such thing; these and `amount_refunded` are minor units of `currency` (ISO 4217,
    upper case); `captured` says that the money has reached our account there; `reason` is the gateway's own word for a
    failure; `told` is what the gateway wrote of it (JSON), which is the evidence for whatever follows from an answer;
    `rrn` is the banks' reference, None as long as the gateway knows none.
    """

    gateway: str
    payment_id: str
    order_id: str | None
    amount: int
    currency: str
    status: PaymentStatus
    captured: bool
    amount_refunded: int = 0
    reason: str | None = None
    surcharge: int = 0
    rrn: str | None = None
    told: bytes | None = field(default=None, compare=False, repr=False)

    @property
    def has_arrived(self) -> bool:
        """Whether the money has reached our account at the gateway, and so must stand in the books."""
        return self.captured and self.status in (PaymentStatus.CAPTURED, PaymentStatus.REFUNDED)

    @property
    def may_still_arrive(self) -> bool:
        """Whether the money is on its way, or nobody knows: such an attempt is not called expired."""
        if self.status is PaymentStatus.FAILED:
            return not self.has_failed
        return self.status in (PaymentStatus.AUTHORIZED, PaymentStatus.UNKNOWN)

    @property
    def has_failed(self) -> bool:
        """Whether this payment failed, as far as the gateway can tell today."""
        return self.status is PaymentStatus.FAILED and self.reason not in OUTCOME_UNKNOWN_REASONS


class SuspenseReason(StrEnum):
    """Why money that arrived can't be credited, in order of precedence."""

    UNKNOWN_ORDER = "unknown_order"
    CURRENCY_MISMATCH = "currency_mismatch"
    AMOUNT_MISMATCH = "amount_mismatch"
    ALREADY_REFUNDED = "already_refunded"
    ORDER_ALREADY_PAID = "order_already_paid"
    WALLET_CLOSED = "wallet_closed"
    OVER_BALANCE_LIMIT = "over_balance_limit"
    OVER_LOAD_LIMIT = "over_load_limit"


@dataclass(frozen=True, slots=True)
class Expected:
    """What we asked for, and whether the wallet could take it at this moment.

    `amount` is in minor units; `over_limit` names the limit of the wallet's tier that the money would break.
    """

    amount: int
    currency: str
    status: AttemptStatus
    wallet_open: bool
    over_limit: SuspenseReason | None = None


def arrived(payment: ObservedPayment, expected: Expected | None) -> int:
    """What of a payment is ours, in minor units: what the gateway holds for us.

    It is what was asked for if the gateway's surcharge is all that was paid beside it; else all that was paid, for an
    explanation that doesn't fit explains nothing.
    """
    if expected is None or payment.currency != expected.currency or payment.surcharge <= 0:
        return payment.amount
    is_explained = payment.amount - payment.surcharge == expected.amount
    return expected.amount if is_explained else payment.amount


def weigh(  # noqa: PLR0911 - a ranked list, one line a rule
    payment: ObservedPayment, expected: Expected | None
) -> SuspenseReason | None:
    """Whether money that has arrived is credited (None), or why it goes to suspense.

    An observation is believed only as far as it agrees with what we asked for: our order, our amount, our currency,
    once. A frozen wallet takes what its owner has paid in: freezing stops money from leaving.
    """
    if expected is None:
        return SuspenseReason.UNKNOWN_ORDER
    if payment.currency != INR or payment.currency != expected.currency:
        return SuspenseReason.CURRENCY_MISMATCH
    if arrived(payment, expected) != expected.amount:
        return SuspenseReason.AMOUNT_MISMATCH
    if payment.amount_refunded > 0:
        return SuspenseReason.ALREADY_REFUNDED
    if not expected.status.may_become(AttemptStatus.SUCCEEDED):
        return SuspenseReason.ORDER_ALREADY_PAID
    if not expected.wallet_open:
        return SuspenseReason.WALLET_CLOSED
    return expected.over_limit
