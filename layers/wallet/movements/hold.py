"""Holds: place, capture, release, expire."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from wallet.ledger import ids
from wallet.ledger.payees import PayeeName
from wallet.ledger.receipts import CaptureReceipt, Hold, HoldReceipt
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import holds
from wallet.storage.claims import Claim
from wallet.storage.database import Database, DatabaseBrokenError

#: How many due holds one look takes.
_BATCH = 100


def place_hold(
    database: Database,
    new_id: Callable[[], UUID],
    *,
    claim: Claim,
    payee: PayeeName,
    amount: int,
    valid_s: int,
    description: str | None,
) -> tuple[HoldReceipt, bool]:
    """Promises `amount` (minor units) to the payee for `valid_s` seconds. Raises `Refused`."""
    return holds.place_hold(
        database,
        claim,
        hold_id=new_id(),
        payee_wallet_id=payee.wallet_id,
        payee_phone=payee.phone,
        amount=amount,
        valid_s=valid_s,
        description=description,
    )


def capture_hold(
    database: Database, new_id: Callable[[], UUID], *, claim: Claim, hold_id: UUID, amount: int | None, final: bool
) -> tuple[CaptureReceipt, bool]:
    """Takes `amount` (None: what is left); `final` lets the rest go. Raises `Refused`."""
    return holds.capture_hold(database, claim, transaction_id=new_id(), hold_id=hold_id, amount=amount, final=final)


def release_hold(database: Database, *, claim: Claim, hold_id: UUID) -> tuple[Hold, bool]:
    """Lets a hold go. Raises `Refused`."""
    return holds.release_hold(database, claim, hold_id=hold_id)


def show_hold(database: Database, *, hold_id: UUID, actor_id: UUID) -> Hold:
    """A hold that the actor placed, or that is for them; to everybody else it is `not_found`."""
    hold = holds.find_hold(database, hold_id=hold_id, actor_id=actor_id)
    if hold is None:
        raise Refused(Refusal.NOT_FOUND, "There is no such hold of yours.")
    return hold


@dataclass(slots=True)
class Sweep:
    """What one sweep came to: how many holds it ended, and which it could not, each with why."""

    expired: int = 0
    broken: dict[UUID, str] = field(default_factory=dict)


def expire_holds(database: Database, *, time_left_s: Callable[[], float]) -> Sweep:
    """Ends every hold whose time has passed, as long as there is time.

    Nothing waits for this: a hold that is due is counted as free by whoever needs to know. One hold that the kernel
    breaks over doesn't hold up the others.
    """
    sweep = Sweep()
    while due := _due(database, sweep):
        for hold_id in due:
            if time_left_s() <= 0:
                return sweep
            try:
                sweep.expired += holds.expire_hold(database, hold_id)
            except DatabaseBrokenError as error:
                sweep.broken[hold_id] = f"{ids.show(ids.HOLD, hold_id)}: {error}"
    return sweep


def _due(database: Database, sweep: Sweep) -> list[UUID]:
    found = holds.due_holds(database, limit=_BATCH + len(sweep.broken))
    return [hold_id for hold_id in found if hold_id not in sweep.broken]
