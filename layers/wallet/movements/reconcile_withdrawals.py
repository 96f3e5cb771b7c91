"""Asking the payout provider ourselves: answers and webhooks get lost, and money is on its way for days."""

from collections.abc import Callable, Iterator
from uuid import UUID

from wallet.gateways.port import REJECTED, GatewayRejectedError, GatewayUnavailableError, PayoutProvider
from wallet.ledger.receipts import DueWithdrawal
from wallet.ledger.withdrawals import ObservedPayout, WithdrawalStatus
from wallet.movements.payouts import book_payout
from wallet.movements.reconcile import Findings
from wallet.movements.withdraw import reference_of
from wallet.storage import withdrawals
from wallet.storage.database import Database, DatabaseBrokenError
from wallet.storage.withdrawals import Settled

_BATCH = 100
_GIVE_UP_AFTER = 3

#: A provider remembers an idempotency key for a week. A withdrawal that it has never heard of is asked for again as
#: long as the key surely guards, and is over then.
_KEY_LIVES_S = 5 * 24 * 3600
_NEVER_SENT = "never_sent"


def reconcile_withdrawals(
    database: Database,
    provider: PayoutProvider,
    new_id: Callable[[], UUID],
    findings: Findings,
    *,
    first_check_s: int,
    time_left_s: Callable[[], float],
) -> None:
    """Asks about every withdrawal that is due, oldest first, as long as there is time; what is left is due next time.

    A provider that is down is asked three times in one run, and the withdrawals are given back. One that it refuses to
    be asked about is for people to look at: it is our keys or our account that it doesn't like.
    """
    unreachable = 0
    for due in _due(database, first_check_s, time_left_s):
        findings.asked += 1
        try:
            _ask(database, provider, new_id, due, findings)
        except GatewayUnavailableError as error:
            findings.count_refused_keys(error)
            findings.unreachable += 1
            unreachable += 1
            withdrawals.release_check(database, due, first_check_s=first_check_s)
            if unreachable >= _GIVE_UP_AFTER:
                return
        except GatewayRejectedError as error:
            findings.count_refused_keys(error)
            findings.broken.append(f"{reference_of(due.id)}: {error}")
            withdrawals.release_check(database, due, first_check_s=first_check_s)
            return
        except DatabaseBrokenError as error:
            findings.broken.append(f"{reference_of(due.id)}: {error}")


def _due(database: Database, first_check_s: int, time_left_s: Callable[[], float]) -> Iterator[DueWithdrawal]:
    while found := withdrawals.due_withdrawals(database, limit=_BATCH):
        for withdrawal_id, checks in found:
            if time_left_s() <= 0:
                return
            due = withdrawals.claim_check(database, withdrawal_id, checks, first_check_s=first_check_s)
            if due is not None:
                yield due


def _ask(
    database: Database,
    provider: PayoutProvider,
    new_id: Callable[[], UUID],
    due: DueWithdrawal,
    findings: Findings,
) -> None:
    """Looks for the payout first: after a lost answer it is there, whatever the key still guards."""
    reference = reference_of(due.id)
    payout = provider.find(reference=reference)
    if payout is None:
        if due.status is not WithdrawalStatus.PENDING or due.payout_id is not None:
            findings.broken.append(f"{reference}: the provider does not know its payout any more")
            return
        payout = _send(database, provider, due)
        if payout is None:
            return
    settled = book_payout(database, new_id, payout, asked=True)
    if settled in (Settled.MISMATCH, Settled.DISPUTED, Settled.NOT_COVERED):
        findings.broken.append(f"{reference}: {settled.value}")
    elif settled is Settled.NEW and payout.status.is_final:
        findings.booked += 1


def _send(database: Database, provider: PayoutProvider, due: DueWithdrawal) -> ObservedPayout | None:
    """Asks for a payout that the provider has not heard of, under the key that it always has.

    None if it is over, or if the wallet is not active: then it waits, for what was asked before may still arrive.
    """
    if due.age_s > _KEY_LIVES_S:
        withdrawals.reject_withdrawal(database, due.id, reason=_NEVER_SENT)
        return None
    if not due.may_send:
        return None
    try:
        return provider.send(
            reference=reference_of(due.id),
            amount_minor=due.amount,
            currency=due.currency,
            vpa=due.vpa,
            name=due.payee_name,
        )
    except GatewayRejectedError as error:
        withdrawals.reject_withdrawal(database, due.id, reason=error.reason or REJECTED)
        return None
