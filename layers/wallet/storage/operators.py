"""What operators do, through the kernel's procedures."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wallet.ledger import ids
from wallet.ledger.disputes import DisputeEnd
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage.claims import Claim
from wallet.storage.database import Answer, Database
from wallet.storage.rows import uuid_if_any, uuid_of

_TIER = re.compile(r"[a-z_]{1,16}")


@dataclass(frozen=True, slots=True)
class Instruction:
    """Who orders something (1 to 64 characters), why (1 to 200), and the key that it is ordered under."""

    operator: str
    reason: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """A line of the operators' journal; `asked_by` is who asked, if it took two people."""

    operator: str
    asked_by: str | None
    command: str
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class WalletChange:
    """A wallet behind a command; `tier` and `slots` are told by the command that sets them."""

    wallet_id: UUID
    status: str
    tier: str | None = None
    slots: int | None = None


@dataclass(frozen=True, slots=True)
class OpenedRefund:
    """A refund to source that was begun; `wallet_id` is whose money it is or was meant for, None if nobody knows."""

    refund_id: UUID
    transaction_id: UUID
    wallet_id: UUID | None
    amount: int


@dataclass(frozen=True, slots=True)
class SuspenseCredit:
    """Money that was credited by `transaction_id` out of what `suspended_id` brought; `left` of that is still there."""

    transaction_id: UUID
    suspended_id: UUID
    wallet_id: UUID
    amount: int
    left: int


@dataclass(frozen=True, slots=True)
class ResolvedBreak:
    """A break that an operator has resolved, as it looked then."""

    break_id: UUID
    kind: str
    gateway: str
    subject: str
    our_amount: int | None
    their_amount: int | None


@dataclass(frozen=True, slots=True)
class EndedPaymentDispute:
    """A payment's dispute that an operator has ended, and what of it was borne by whom in the end, in minor units.

    `wallet_id` is None where the payment was credited to nobody.
    """

    dispute_id: UUID
    wallet_id: UUID | None
    status: str
    amount: int
    from_wallet: int
    from_suspense: int
    from_losses: int


@dataclass(frozen=True, slots=True)
class OrderedEnd:
    """A disputed withdrawal that is to be ended when its provider has been asked once more."""

    withdrawal_id: UUID
    wallet_id: UUID
    break_id: UUID
    status: str
    amount: int


@dataclass(frozen=True, slots=True)
class CancelledWithdrawal:
    """A withdrawal that nobody was asked to pay, nor will be: amount and fee are its owner's again, in minor units."""

    withdrawal_id: UUID
    wallet_id: UUID
    status: str
    reason: str
    amount: int
    fee: int


@dataclass(frozen=True, slots=True)
class Closing:
    """How far a wallet is from closed, in minor units: what is on its way to its source, and what is held for others.

    Of what is available: `returnable` is the next step's to send back; the rest has no way back and is to be written
    off: what came through a gateway and is too little for a refund (`below_minimum`) or was credited from suspense, and
    what came from other people (`without_a_source`). `opened` refunds were begun in this step.
    """

    wallet_id: UUID
    status: str
    opened: int
    on_its_way: int
    held_for_others: int
    returnable: int
    below_minimum: int
    from_suspense: int
    without_a_source: int


@dataclass(frozen=True, slots=True)
class MerchantChange:
    """A merchant behind an approval or its end; `name` is the one that everybody is shown now."""

    wallet_id: UUID
    approved: bool
    name: str
    name_before: str


@dataclass(frozen=True, slots=True)
class PhoneChange:
    """Whether a wallet's owner is sent messages: whether their phone is known to be theirs."""

    wallet_id: UUID
    proved: bool


@dataclass(frozen=True, slots=True)
class MovedPhone:
    """An account behind the loss or the change of its phone, which is None if it has none now."""

    wallet_id: UUID
    status: str
    phone: str | None
    phone_before: str | None


@dataclass(frozen=True, slots=True)
class WriteOff:
    """What of a wallet is kept as unclaimed money from now on, in minor units, and the wallet's status behind it."""

    transaction_id: UUID
    wallet_id: UUID
    amount: int
    status: str


@dataclass(frozen=True, slots=True)
class UnclaimedCredit:
    """Money that was credited by `transaction_id` out of what `unclaimed_id` kept; `left` of that is still there."""

    transaction_id: UUID
    unclaimed_id: UUID
    wallet_id: UUID
    amount: int
    left: int


def set_tier(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID, tier: str
) -> tuple[WalletChange, bool]:
    """Gives a wallet another tier; True if the key had done so before, as everywhere here. Raises `Refused`.

    An unknown tier is refused with those that there are.
    """
    if not _TIER.fullmatch(tier):
        raise _unknown_tier(database)
    try:
        return _change(_command(database, "set_tier", instruction, action_id.bytes, wallet_id.bytes, tier))
    except Refused as refused:
        if refused.refusal is Refusal.INVALID_REQUEST:
            raise _unknown_tier(database) from None
        raise


@contextmanager
def _wanting(field: str, sentence: str) -> Iterator[None]:
    """Whatever a procedure calls an invalid request is what `sentence` says of this field."""
    try:
        yield
    except Refused as refused:
        if refused.refusal is Refusal.INVALID_REQUEST:
            raise Refused(Refusal.INVALID_REQUEST, fields=((field, sentence),)) from refused
        raise


def _unknown_tier(database: Database) -> Refused:
    known = ", ".join(row["code"] for row in database.read("SELECT code FROM tiers ORDER BY code"))
    return Refused(Refusal.INVALID_REQUEST, fields=(("tier", f"There is no such tier; there are: {known}."),))


def freeze(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID
) -> tuple[WalletChange, bool]:
    """Freezes a wallet."""
    return _change(_command(database, "freeze_wallet", instruction, action_id.bytes, wallet_id.bytes))


def unfreeze(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID
) -> tuple[WalletChange, bool]:
    """Ends a wallet's freeze, or its closing."""
    return _change(_command(database, "unfreeze_wallet", instruction, action_id.bytes, wallet_id.bytes))


def end_sessions(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID
) -> tuple[WalletChange, bool]:
    """Ends every session of a wallet's owner."""
    return _change(_command(database, "end_sessions_of_owner", instruction, action_id.bytes, wallet_id.bytes))


def set_slots(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID, slots: int
) -> tuple[WalletChange, bool]:
    """Spreads a wallet's credits over so many rows, 1 to 16."""
    return _change(_command(database, "set_slots", instruction, action_id.bytes, wallet_id.bytes, slots))


def refund_to_source(
    database: Database, instruction: Instruction, *, refund_id: UUID, transaction_id: UUID, amount: int | None
) -> tuple[OpenedRefund, bool]:
    """Sets a refund of a top-up, or of money in suspense, aside; `amount` None is all that is left of it."""
    answer = _command(database, "refund_to_source", instruction, refund_id.bytes, transaction_id.bytes, amount)
    told = answer.result
    opened = OpenedRefund(
        refund_id=uuid_of(told["refund_id"]),
        transaction_id=uuid_of(told["transaction_id"]),
        wallet_id=uuid_if_any(told["wallet_id"]),
        amount=told["amount"],
    )
    return opened, opened.refund_id != refund_id


def credit_from_suspense(
    database: Database,
    instruction: Instruction,
    *,
    transaction_id: UUID,
    suspended_id: UUID,
    wallet_id: UUID | None,
    amount: int | None,
    over_limits: bool,
) -> tuple[SuspenseCredit, bool]:
    """Credits money in suspense to the wallet that it came for, or to a named one; `amount` None is all of it.

    The limits of the wallet's tier apply unless `over_limits`.
    """
    with _wanting("transaction_id", "Wallets hold rupees: money in another currency can only be refunded."):
        answer = _command(
            database,
            "credit_from_suspense",
            instruction,
            transaction_id.bytes,
            suspended_id.bytes,
            wallet_id.bytes if wallet_id is not None else None,
            amount,
            over_limits,
        )
    told = answer.result
    credit = SuspenseCredit(
        transaction_id=uuid_of(told["transaction_id"]),
        suspended_id=uuid_of(told["suspended_id"]),
        wallet_id=uuid_of(told["wallet_id"]),
        amount=told["amount"],
        left=told["left"],
    )
    return credit, answer.outcome == "replayed"


def resolve_break(
    database: Database, instruction: Instruction, *, action_id: UUID, break_id: UUID
) -> tuple[ResolvedBreak, bool]:
    """Resolves a break by the operator's word."""
    ended_elsewhere = "A payment's dispute is ended by resolve_payment_dispute, which says what becomes of the money."
    with _wanting("break_id", ended_elsewhere):
        answer = _command(database, "resolve_break", instruction, action_id.bytes, break_id.bytes)
    told = answer.result
    resolved = ResolvedBreak(
        break_id=uuid_of(told["break_id"]),
        kind=told["kind"],
        gateway=told["gateway"],
        subject=told["subject"],
        our_amount=told["our_amount"],
        their_amount=told["their_amount"],
    )
    return resolved, answer.outcome == "replayed"


def resolve_payment_dispute(
    database: Database, instruction: Instruction, *, action_id: UUID, dispute_id: UUID, end: DisputeEnd
) -> tuple[EndedPaymentDispute, bool]:
    """Ends a payment's dispute, and books what that means."""
    with _wanting("end", "The gateway's last word about this dispute is another: it has to take that back first."):
        answer = _command(
            database, "resolve_payment_dispute", instruction, action_id.bytes, dispute_id.bytes, end.value
        )
    result = answer.result
    ended = EndedPaymentDispute(
        dispute_id=uuid_of(result["dispute_id"]),
        wallet_id=uuid_if_any(result["wallet_id"]),
        status=result["status"],
        amount=result["amount"],
        from_wallet=result["from_wallet"],
        from_suspense=result["from_suspense"],
        from_losses=result["from_losses"],
    )
    return ended, answer.outcome == "replayed"


def end_dispute(
    database: Database, instruction: Instruction, *, action_id: UUID, withdrawal_id: UUID
) -> tuple[OrderedEnd, bool]:
    """Orders that a disputed withdrawal be ended with what its provider says when it is asked once more."""
    subject = ids.show(ids.WITHDRAWAL, withdrawal_id)
    answer = _command(database, "end_dispute", instruction, action_id.bytes, withdrawal_id.bytes, subject)
    told = answer.result
    ordered = OrderedEnd(
        withdrawal_id=uuid_of(told["withdrawal_id"]),
        wallet_id=uuid_of(told["wallet_id"]),
        break_id=uuid_of(told["break_id"]),
        status=told["status"],
        amount=told["amount"],
    )
    return ordered, answer.outcome == "replayed"


def cancel_withdrawal(
    database: Database, instruction: Instruction, *, action_id: UUID, withdrawal_id: UUID
) -> tuple[CancelledWithdrawal, bool]:
    """Cancels a withdrawal for its owner. Raises `Refused` (`withdrawal_sent` once somebody may have been asked)."""
    answer = _command(database, "cancel_withdrawal_for_owner", instruction, action_id.bytes, withdrawal_id.bytes)
    told = answer.result
    cancelled = CancelledWithdrawal(
        withdrawal_id=uuid_of(told["withdrawal_id"]),
        wallet_id=uuid_of(told["wallet_id"]),
        status=told["status"],
        reason=told["reason"],
        amount=told["amount"],
        fee=told["fee"],
    )
    return cancelled, answer.outcome == "replayed"


def close(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID, most: int
) -> tuple[Closing, bool]:
    """Goes a step towards closing a wallet: at most `most` refunds of its top-ups are begun."""
    answer = _command(database, "close_wallet", instruction, action_id.bytes, wallet_id.bytes, most)
    told = answer.result
    closing = Closing(
        wallet_id=uuid_of(told["wallet_id"]),
        status=told["status"],
        opened=told["opened"],
        on_its_way=told["on_its_way"],
        held_for_others=told["held_for_others"],
        returnable=told.get("returnable", 0),  # answers from before these were told apart are kept
        below_minimum=told.get("below_minimum", 0),
        from_suspense=told.get("from_suspense", 0),
        without_a_source=told["without_a_source"],
    )
    return closing, answer.outcome == "replayed"


def approve_merchant(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID, name: str | None
) -> tuple[MerchantChange, bool]:
    """Has everybody shown who registered as a merchant as one, under `name` if one is told."""
    a_person = "Its owner registered as a person; who registered as a merchant can be approved as one."
    with _wanting("wallet_id", a_person):
        answer = _command(database, "approve_merchant", instruction, action_id.bytes, wallet_id.bytes, name)
    return _merchant(answer, approved=True)


def revoke_merchant(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID
) -> tuple[MerchantChange, bool]:
    """Ends a merchant's approval, and gives them back the name that they had before it."""
    answer = _command(database, "revoke_merchant", instruction, action_id.bytes, wallet_id.bytes)
    return _merchant(answer, approved=False)


def set_phone_proved(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID, proved: bool
) -> tuple[PhoneChange, bool]:
    """Says whether the phone of a wallet's owner is known to be theirs."""
    answer = _command(database, "set_phone_proved", instruction, action_id.bytes, wallet_id.bytes, proved)
    change = PhoneChange(uuid_of(answer.result["wallet_id"]), bool(answer.result["proved"]))
    return change, answer.outcome == "replayed"


def move_phone(
    database: Database, instruction: Instruction, *, action_id: UUID, wallet_id: UUID, phone: str | None
) -> tuple[MovedPhone, bool]:
    """Gives an account another phone, or takes the one that it has (None), which freezes its wallet."""
    answer = _command(database, "move_phone", instruction, action_id.bytes, wallet_id.bytes, phone)
    told = answer.result
    moved = MovedPhone(uuid_of(told["wallet_id"]), told["status"], told["phone"], told["phone_before"])
    return moved, answer.outcome == "replayed"


def _merchant(answer: Answer, *, approved: bool) -> tuple[MerchantChange, bool]:
    told = answer.result
    change = MerchantChange(uuid_of(told["wallet_id"]), approved, told["name"], told["name_before"])
    return change, answer.outcome == "replayed"


def write_off(
    database: Database, instruction: Instruction, *, transaction_id: UUID, wallet_id: UUID, amount: int | None
) -> tuple[WriteOff, bool]:
    """Keeps what is available of a wallet that is being closed, and can't go back, as unclaimed money.

    `amount` None is all of it.
    """
    answer = _command(database, "write_off_wallet", instruction, transaction_id.bytes, wallet_id.bytes, amount)
    told = answer.result
    written = WriteOff(uuid_of(told["transaction_id"]), uuid_of(told["wallet_id"]), told["amount"], told["status"])
    return written, answer.outcome == "replayed"


def credit_from_unclaimed(
    database: Database,
    instruction: Instruction,
    *,
    transaction_id: UUID,
    unclaimed_id: UUID,
    wallet_id: UUID,
    amount: int | None,
    over_limits: bool,
) -> tuple[UnclaimedCredit, bool]:
    """Gives unclaimed money to the wallet that its owner has now; `amount` None is all that is left of it.

    The limits of the wallet's tier apply unless `over_limits`.
    """
    answer = _command(
        database,
        "credit_from_unclaimed",
        instruction,
        transaction_id.bytes,
        unclaimed_id.bytes,
        wallet_id.bytes,
        amount,
        over_limits,
    )
    told = answer.result
    credit = UnclaimedCredit(
        transaction_id=uuid_of(told["transaction_id"]),
        unclaimed_id=uuid_of(told["unclaimed_id"]),
        wallet_id=uuid_of(told["wallet_id"]),
        amount=told["amount"],
        left=told["left"],
    )
    return credit, answer.outcome == "replayed"


def _command(database: Database, procedure: str, instruction: Instruction, own_id: bytes, *more: object) -> Answer:
    return database.call(
        procedure,
        *instruction.claim.arguments(),
        own_id,
        instruction.operator,
        instruction.reason,
        *more,
    )


def _change(answer: Answer) -> tuple[WalletChange, bool]:
    told = answer.result
    change = WalletChange(uuid_of(told["wallet_id"]), told["status"], told.get("tier"), told.get("slots"))
    return change, answer.outcome == "replayed"
