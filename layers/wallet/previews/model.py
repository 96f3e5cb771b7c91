"""What would happen to a debit now: the kernel's rules over what it would look at, and over nothing of the payee's.

The kernel decides in the commit of the money, behind its locks; a preview promises nothing. A property test holds the
two together (`tests/integration/previews`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from wallet.confirmations.model import ConfirmationRules
from wallet.ledger.limits import BrokenLimit, LimitCode, Limits, exceeds
from wallet.ledger.wallets import WalletStatus


@dataclass(frozen=True, slots=True)
class Standing:
    """All of the caller's own that a debit would meet at `now`; amounts in minor units.

    `is_own`: the payee is the caller. `is_known`: a payment or hold to the payee's wallet was confirmed before.
    `known_from` is when the wallet knows the VPA, None of one that it does not know. Until `paused_until` nothing is
    confirmed.
    """

    now: datetime
    status: WalletStatus
    is_own: bool
    available: int
    fee: int
    limits: Limits
    debited_today: int
    debited_this_month: int
    rules: ConfirmationRules
    unconfirmed_today: int
    is_known: bool
    known_from: datetime | None
    paused_until: datetime | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen; amounts in minor units. `available_after` is negative of what would be refused.

    `limits` are those that it counts towards, as `wallet_limit_exceeded` would tell each of them before it.
    `confirmation`: whether one would be required, and until `paused_until` none can be given. Before `waits_until`
    nobody would be asked to pay the withdrawal.
    """

    fee: int
    total: int
    available_after: int
    limits: tuple[BrokenLimit, ...]
    confirmation: bool
    paused_until: datetime | None
    waits_until: datetime | None


def preview_payment(standing: Standing, amount: int) -> Preview:
    """A payment of `amount`.

    That the tier may not pay people is told whoever the payee is: GET /payees says, counted, who is a merchant.
    """
    forbidden = None if standing.limits.person_to_person else LimitCode.PERSON_TO_PERSON
    is_new = not standing.is_known and exceeds(amount, standing.rules.new_payee_above)
    return _preview(standing, amount, forbidden=forbidden, goes_somewhere_new=is_new)


def preview_withdrawal(standing: Standing, amount: int) -> Preview:
    """A withdrawal of `amount`, with its fee on top."""
    rules, now = standing.rules, standing.now
    known_from = standing.known_from or now + timedelta(seconds=rules.new_vpa_wait_s)
    is_new = rules.new_vpa and (standing.known_from is None or standing.known_from > now)
    forbidden = None if standing.limits.withdrawals else LimitCode.WITHDRAWALS
    waits_until = max(known_from, standing.paused_until or known_from)
    return _preview(
        standing,
        amount,
        forbidden=forbidden,
        goes_somewhere_new=is_new,
        waits_until=waits_until if waits_until > now else None,
    )


def _preview(
    standing: Standing,
    amount: int,
    *,
    forbidden: LimitCode | None,
    goes_somewhere_new: bool,
    waits_until: datetime | None = None,
) -> Preview:
    rules, total = standing.rules, amount + standing.fee
    is_large = exceeds(amount, rules.above) or exceeds(standing.unconfirmed_today + amount, rules.day_above)
    confirmation = is_large or goes_somewhere_new
    paused_until = standing.paused_until if confirmation else None
    return Preview(
        fee=standing.fee,
        total=total,
        available_after=standing.available - total,
        limits=_limits(standing, forbidden),
        confirmation=confirmation,
        paused_until=paused_until,
        # what can't be confirmed yet is asked for later, and waits from then on
        waits_until=None if paused_until else waits_until,
    )


def _limits(standing: Standing, forbidden: LimitCode | None) -> tuple[BrokenLimit, ...]:
    """What is left of each limit that a debit counts towards, always in this order; none where there is no limit."""
    limits = standing.limits
    left = [
        (LimitCode.MAX_PAYMENT, limits.max_payment, 0),
        (LimitCode.MAX_DEBIT_DAY, limits.max_debit_day, standing.debited_today),
        (LimitCode.MAX_DEBIT_MONTH, limits.max_debit_month, standing.debited_this_month),
    ]
    if forbidden is not None:
        left.append((forbidden, 0, 0))
    return tuple(BrokenLimit.at(code, most - used, standing.now) for code, most, used in left if most is not None)
