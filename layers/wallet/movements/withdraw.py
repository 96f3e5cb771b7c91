"""Money out: a withdrawal to a UPI address. Nothing leaves the wallet here; the money is set aside, and asked out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from wallet.gateways.port import (
    REJECTED,
    GatewayRejectedError,
    GatewayUnavailableError,
    PayoutProvider,
    refuses_our_keys,
)
from wallet.ledger import ids
from wallet.ledger.receipts import Withdrawal, WithdrawalReceipt
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.vpa import read as read_vpa
from wallet.storage import withdrawals
from wallet.storage.claims import Claim
from wallet.storage.database import Database
from wallet.storage.withdrawals import PayoutClaim, Settled


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong with asking for a payout; `keys_refused`: the provider refuses our keys, and nothing works."""

    reason: str
    keys_refused: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What the owner wants: an amount in minor units, to a VPA as `vpa.read` gives it."""

    amount: int
    vpa: str

    @classmethod
    def read(cls, *, amount: int, vpa: str) -> Self:
        """A wish as it was told; raises `Refused` if that is no VPA."""
        address = read_vpa(vpa)
        if address is None:
            raise Refused(Refusal.INVALID_VPA)
        return cls(amount, address)


def withdraw(
    database: Database,
    provider: PayoutProvider,
    new_id: Callable[[], UUID],
    *,
    claim: Claim,
    wish: Wish,
    first_check_s: int,
) -> tuple[WithdrawalReceipt, bool, Trouble | None]:
    """Sets the money aside, commits, claims the payout, commits, and only then asks for it.

    True if this key had done so before.

    The third value says what went wrong with asking, None if nothing did. It is for the log: the money is set aside,
    so the withdrawal is pending for its owner, and the reconciler asks again under the same idempotency key. A replay
    asks nothing, and answers the same withdrawal; one that waits is the reconciler's. Raises `Refused`, and then
    nothing is set aside.
    """
    receipt, replayed = withdrawals.open_withdrawal(
        database,
        claim,
        withdrawal_id=new_id(),
        provider=provider.name,
        vpa=wish.vpa,
        amount=wish.amount,
        first_check_s=first_check_s,
    )
    waits = replayed or receipt.waits_until is not None
    return receipt, replayed, None if waits else _ask(database, provider, receipt)


def _ask(database: Database, provider: PayoutProvider, receipt: WithdrawalReceipt) -> Trouble | None:
    claimed = withdrawals.claim_payout(database, receipt.id)
    if claimed is not PayoutClaim.ALLOWED:
        return Trouble(claimed.value)
    try:
        payout = provider.send(
            reference=reference_of(receipt.id),
            amount_minor=receipt.amount,
            currency=receipt.currency,
            vpa=receipt.vpa,
            name=receipt.payee_name,
        )
    except GatewayUnavailableError as error:
        return Trouble(str(error), refuses_our_keys(error))
    except GatewayRejectedError as error:
        withdrawals.reject_withdrawal(database, receipt.id, reason=error.reason or REJECTED)
        return Trouble(str(error))
    # What became of it is for the webhook to say, or for the provider when it is asked: this function can book nothing.
    noted = withdrawals.note_payout(database, payout, withdrawal_id=receipt.id)
    return None if noted is Settled.NEW else Trouble(f"the provider's payout: {noted.value}")


def cancel_withdrawal(database: Database, claim: Claim, withdrawal_id: UUID) -> tuple[Withdrawal, bool]:
    """Calls back a withdrawal that nobody was asked to pay yet. Raises `Refused` (`withdrawal_sent`, `not_found`)."""
    return withdrawals.cancel_withdrawal(database, claim, withdrawal_id=withdrawal_id)


def show_withdrawal(database: Database, *, withdrawal_id: UUID, actor_id: UUID) -> Withdrawal:
    """A withdrawal of the actor's own; to everybody else it is `not_found`."""
    withdrawal = withdrawals.find_withdrawal(database, withdrawal_id=withdrawal_id, actor_id=actor_id)
    if withdrawal is None:
        raise Refused(Refusal.NOT_FOUND, "There is no such withdrawal of yours.")
    return withdrawal


def reference_of(withdrawal_id: UUID) -> str:
    """What the provider knows a withdrawal by, and its idempotency key there: the public id, 30 characters."""
    return ids.show(ids.WITHDRAWAL, withdrawal_id)
