"""Operators' commands: strict, by name, for a reason, under a key. Read from an invocation, carried out, answered.

Who may invoke the function may command; that is IAM's to say. There is no route to it. `operator` is who that person
says they are, for the journal; it is no proof.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal, Self, get_args
from uuid import UUID

from pydantic import (
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from wallet.edge import shapes
from wallet.edge.bodies import Amount, ApprovedName, Body, Description, SignIn, WalletId
from wallet.edge.logs import logger
from wallet.edge.requests import invalid
from wallet.edge.responses import Json
from wallet.edge.statuses import REFUSALS
from wallet.edge.validation import Wanted, faults_of_one
from wallet.identity.phones import NO_REGION
from wallet.ledger import ids
from wallet.ledger.breaks import Kind
from wallet.ledger.disputes import DisputeEnd
from wallet.ledger.receipts import Balance
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.times import show_time
from wallet.storage import debts, dispute_views, inspection, operators
from wallet.storage.claims import Claim
from wallet.storage.database import Database
from wallet.storage.operators import Instruction

#: How many refunds one step of `close` begins: a few seconds' work under the wallet's lock.
_REFUNDS_A_STEP = 50
#: How many of a list are told at once.
_PAGE = 100

NewId = Callable[[], UUID]


def _id_of(thing: str, prefix: str) -> BeforeValidator:
    """Reads the public form of an id."""

    def read(value: object) -> UUID:
        found = ids.read(prefix, value) if isinstance(value, str) else None
        if found is None:
            raise ValueError(f"A {thing}'s id looks like {prefix}_….")
        return found

    return BeforeValidator(read)


WithdrawalId = Annotated[UUID, _id_of("withdrawal", ids.WITHDRAWAL), Wanted("A withdrawal's id, like wdr_….")]
DisputeId = Annotated[UUID, _id_of("payment dispute", ids.DISPUTE), Wanted("A payment dispute's id, like dsp_….")]
DebtId = Annotated[UUID, _id_of("debt", ids.DEBT), Wanted("A debt's id, as `debts` shows it.")]
BreakId = Annotated[UUID, _id_of("break", ids.BREAK), Wanted("A break's id, like brk_….")]
TransactionId = Annotated[UUID, _id_of("transaction", ids.TRANSACTION), Wanted("A transaction's id, like txn_….")]
Operator = Annotated[
    StrictStr,
    Field(pattern=r"^[!-~]{1,64}$"),
    Wanted("Who orders it, like meera@example.com: 1 to 64 visible ASCII characters without blanks."),
]
Key = Annotated[
    StrictStr,
    Field(pattern=r"^[!-~]{1,64}$"),
    Wanted("A key of this order, a new one for each new order: 1 to 64 visible ASCII characters without blanks."),
]
Reason = Annotated[Description, Field(min_length=1), Wanted("Why, for the journal: a text of 1 to 200 characters.")]


class Question(Body):
    """A command that changes nothing."""


class Order(Body):
    """A command that changes something: once under its key, and written down."""

    operator: Operator
    reason: Reason
    key: Key

    @property
    def instruction(self) -> Instruction:
        """As the kernel takes it. A key belongs to its operator, and to everything that was ordered under it."""
        scope = UUID(bytes=hashlib.sha256(b"operator:" + self.operator.encode()).digest()[:16])
        asked = json.dumps(self.model_dump(mode="json", exclude_none=True), sort_keys=True)
        return Instruction(self.operator, self.reason, Claim(scope, self.key, hashlib.sha256(asked.encode()).digest()))


class SetTier(Order):
    """Another tier, and with it other limits."""

    command: Literal["set_tier"]
    wallet_id: WalletId
    tier: Annotated[StrictStr, Wanted("The name of a tier, as text.")]

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """What came of it, and whether the key had done so before."""
        return operators.set_tier(
            database, self.instruction, action_id=new_id(), wallet_id=self.wallet_id, tier=self.tier
        )


class Freeze(Order):
    """No payments from the wallet or to it, until it is unfrozen."""

    command: Literal["freeze"]
    wallet_id: WalletId

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.freeze(database, self.instruction, action_id=new_id(), wallet_id=self.wallet_id)


class Unfreeze(Order):
    """The end of a freeze, or of a closing that is called off."""

    command: Literal["unfreeze"]
    wallet_id: WalletId

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.unfreeze(database, self.instruction, action_id=new_id(), wallet_id=self.wallet_id)


class SetSlots(Order):
    """A hot wallet: its credits spread over so many rows. 1 ends that."""

    command: Literal["set_slots"]
    wallet_id: WalletId
    slots: Annotated[StrictInt, Field(ge=1, le=16), Wanted("A whole number from 1 to 16, as a JSON number.")]

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.set_slots(
            database, self.instruction, action_id=new_id(), wallet_id=self.wallet_id, slots=self.slots
        )


class RefundToSource(Order):
    """A top-up, or money that is in suspense, back to where it came from; without an amount, all that is left of it."""

    command: Literal["refund_to_source"]
    transaction_id: TransactionId
    amount: Amount | None = None

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.refund_to_source(
            database,
            self.instruction,
            refund_id=new_id(),
            transaction_id=self.transaction_id,
            amount=self.amount,
        )


class CreditFromSuspense(Order):
    """Money in suspense to the wallet that it came for, or to a named one; without an amount, all that is left."""

    command: Literal["credit_from_suspense"]
    transaction_id: TransactionId
    wallet_id: WalletId | None = None
    amount: Amount | None = None
    over_limits: StrictBool = False

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.credit_from_suspense(
            database,
            self.instruction,
            transaction_id=new_id(),
            suspended_id=self.transaction_id,
            wallet_id=self.wallet_id,
            amount=self.amount,
            over_limits=self.over_limits,
        )


class ResolveBreak(Order):
    """A break that only a person can settle, and has: the reason says how."""

    command: Literal["resolve_break"]
    break_id: BreakId

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.resolve_break(database, self.instruction, action_id=new_id(), break_id=self.break_id)


class ResolvePaymentDispute(Order):
    """The end of a payment's dispute (a chargeback): won, or lost and recovered from the wallet, or lost and ours."""

    command: Literal["resolve_payment_dispute"]
    dispute_id: DisputeId
    end: DisputeEnd

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.resolve_payment_dispute(
            database, self.instruction, action_id=new_id(), dispute_id=self.dispute_id, end=self.end
        )


class EndDispute(Order):
    """A withdrawal that was paid out and failed, by what we heard: the provider is asked again, and that is booked."""

    command: Literal["end_dispute"]
    withdrawal_id: WithdrawalId

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.end_dispute(database, self.instruction, action_id=new_id(), withdrawal_id=self.withdrawal_id)


class Close(Order):
    """A step towards the wallet's end: its balance goes back to source. Ordered again (with a new key) it goes on."""

    command: Literal["close"]
    wallet_id: WalletId

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.close(
            database, self.instruction, action_id=new_id(), wallet_id=self.wallet_id, most=_REFUNDS_A_STEP
        )


class ApproveMerchant(Order):
    """Everybody is shown them as a merchant, in full; with a name, under that one."""

    command: Literal["approve_merchant"]
    wallet_id: WalletId
    name: ApprovedName | None = None

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.approve_merchant(
            database, self.instruction, action_id=new_id(), wallet_id=self.wallet_id, name=self.name
        )


class RevokeMerchant(Order):
    """The end of a merchant's approval: to others a person again, under the name that they registered with."""

    command: Literal["revoke_merchant"]
    wallet_id: WalletId

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.revoke_merchant(database, self.instruction, action_id=new_id(), wallet_id=self.wallet_id)


class SetPhoneProved(Order):
    """The phone of a wallet's owner is known to be theirs, so it may be sent messages; `false` takes that back."""

    command: Literal["set_phone_proved"]
    wallet_id: WalletId
    proved: StrictBool = True

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.set_phone_proved(
            database, self.instruction, action_id=new_id(), wallet_id=self.wallet_id, proved=self.proved
        )


class WriteOff(Order):
    """What is left of a wallet that is being closed and can't go back to its source: kept as unclaimed money."""

    command: Literal["write_off"]
    wallet_id: WalletId
    amount: Amount | None = None

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.write_off(
            database, self.instruction, transaction_id=new_id(), wallet_id=self.wallet_id, amount=self.amount
        )


class CreditFromUnclaimed(Order):
    """Unclaimed money to the wallet that its owner has now; without an amount, all that is left of it."""

    command: Literal["credit_from_unclaimed"]
    transaction_id: TransactionId
    wallet_id: WalletId
    amount: Amount | None = None
    over_limits: StrictBool = False

    def carry_out(self, database: Database, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.credit_from_unclaimed(
            database,
            self.instruction,
            transaction_id=new_id(),
            unclaimed_id=self.transaction_id,
            wallet_id=self.wallet_id,
            amount=self.amount,
            over_limits=self.over_limits,
        )


class ShowWallet(Question):
    """A wallet, by its id or by its owner's phone, as it is or as it was once spelled."""

    command: Literal["show_wallet"]
    wallet_id: WalletId | None = None
    phone: SignIn | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.wallet_id is None) == (self.phone is None):
            raise ValueError("Name the wallet by wallet_id or by phone, one of the two.")
        return self

    def carry_out(self, database: Database, _new_id: NewId) -> tuple[object, bool]:
        """As above."""
        for phone in (None,) if self.phone is None else self.phone.spellings:
            found = inspection.find_wallet(database, wallet_id=self.wallet_id, phone=phone)
            if found is not None:
                return found, False
        raise Refused(Refusal.NOT_FOUND)


def _event_id(text: str) -> UUID | None:
    return UUID(hex=text) if re.fullmatch("[0-9a-f]{32}", text) else None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A list of what waits: how it is read, and how the id is read that a page of it begins behind."""

    find: Callable[..., tuple[object, ...]]
    read_id: Callable[[str], UUID | None]


_WAITING = {
    "breaks": _Waiting(inspection.shown_breaks, partial(ids.read, ids.BREAK)),
    "disputes": _Waiting(dispute_views.open_disputes, partial(ids.read, ids.DISPUTE)),
    "withdrawals": _Waiting(inspection.waiting_withdrawals, partial(ids.read, ids.WITHDRAWAL)),
    "suspense": _Waiting(inspection.suspended_money, partial(ids.read, ids.TRANSACTION)),
    "refunds": _Waiting(inspection.pending_refunds, partial(ids.read, ids.REFUND)),
    "uncovered": _Waiting(inspection.uncovered_refunds, partial(ids.read, ids.REFUND)),
    "closing": _Waiting(inspection.closing_wallets, partial(ids.read, ids.WALLET)),
    "stuck": _Waiting(inspection.stuck_events, _event_id),
}


class Pending(Question):
    """What waits for a person or for a gateway: the first of each list, or the next of one of them."""

    command: Literal["pending"]
    only: (
        Literal["breaks", "disputes", "withdrawals", "suspense", "refunds", "uncovered", "closing", "stuck"] | None
    ) = None
    after: Annotated[StrictStr, Wanted("The id of the last one that was told, as text.")] | None = None

    @property
    def _behind(self) -> UUID | None:
        return _WAITING[self.only].read_id(self.after) if self.only is not None and self.after is not None else None

    @model_validator(mode="after")
    def _after_one_of_the_list(self) -> Self:
        if self.after is not None and self._behind is None:
            raise ValueError("`after` is the id of the last one that was told of the list named by `only`.")
        return self

    def carry_out(self, database: Database, _new_id: NewId) -> tuple[object, bool]:
        """As above."""
        names = [self.only] if self.only is not None else list(_WAITING)
        return {name: _WAITING[name].find(database, after=self._behind, limit=_PAGE) for name in names}, False


class Debts(Question):
    """What left for somebody and nothing of theirs covers: whose it is, since when, and how it ended if it has."""

    command: Literal["debts"]
    wallet_id: WalletId | None = None
    phone: SignIn | None = None
    only_open: StrictBool = False
    after: DebtId | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.wallet_id is not None and self.phone is not None:
            raise ValueError("Name the wallet by wallet_id or by phone, one of the two, or none.")
        return self

    def carry_out(self, database: Database, _new_id: NewId) -> tuple[object, bool]:
        """As above."""
        wallet_id = self.wallet_id
        if self.phone is not None:
            known = [inspection.wallet_of(database, phone) for phone in self.phone.spellings]
            wallet_id = next((one for one in known if one is not None), None)
            if wallet_id is None:
                raise Refused(Refusal.NOT_FOUND)
        found = debts.debts(database, wallet_id=wallet_id, only_open=self.only_open, after=self.after, limit=_PAGE)
        return found, False


class ShowPaymentDispute(Question):
    """A payment's dispute, open or ended, with its history and what was booked."""

    command: Literal["show_payment_dispute"]
    dispute_id: DisputeId

    def carry_out(self, database: Database, _new_id: NewId) -> tuple[object, bool]:
        """As above."""
        found = dispute_views.find_dispute(database, self.dispute_id)
        if found is None:
            raise Refused(Refusal.NOT_FOUND)
        return found, False


class Unclaimed(Question):
    """Money that is kept for the owners of closed wallets, in the order in which it came."""

    command: Literal["unclaimed"]
    after: TransactionId | None = None

    def carry_out(self, database: Database, _new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return inspection.unclaimed_money(database, after=self.after, limit=_PAGE), False


class Breaks(Question):
    """Where our books and others' differ, in the order in which they were first seen."""

    command: Literal["breaks"]
    kind: Kind | None = None
    after: BreakId | None = None

    def carry_out(self, database: Database, _new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return inspection.shown_breaks(database, kind=self.kind, after=self.after, limit=_PAGE), False


Command = (
    SetTier
    | Freeze
    | Unfreeze
    | SetSlots
    | RefundToSource
    | CreditFromSuspense
    | ResolveBreak
    | ResolvePaymentDispute
    | EndDispute
    | Close
    | ApproveMerchant
    | RevokeMerchant
    | SetPhoneProved
    | WriteOff
    | CreditFromUnclaimed
    | ShowWallet
    | Pending
    | Unclaimed
    | Breaks
    | Debts
    | ShowPaymentDispute
)
_READER: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="command")])
#: The commands by their names.
COMMANDS = {get_args(one.model_fields["command"].annotation)[0]: one for one in get_args(Command)}


def answer(
    event: Mapping[str, Any], database: Callable[[], Database], new_id: NewId, *, region: str = NO_REGION
) -> Json:
    """`{"status": "done", "replayed", "result"}`, or `{"status": "refused", "code", "detail", "errors"?}`.

    Anything else that happens is an accident or an outage, and raised: the invocation fails, and the same command with
    the same key is safe to repeat.
    """
    told_as = event if isinstance(event, Mapping) else {}
    name = told_as.get("command")
    try:
        command = _read(event, region)
        result, replayed = command.carry_out(database(), new_id)
    except Refused as refused:
        told = _refusal(refused)
    else:
        told = {"status": "done", "replayed": replayed, "result": _shown("", result)}
    logger().info(
        "command",
        command=name if isinstance(name, str) else None,
        operator=told_as.get("operator"),
        status=told["status"],
        code=told.get("code"),
    )
    return told


def _read(event: object, region: str) -> Command:
    if not isinstance(event, Mapping):
        raise Refused(Refusal.INVALID_REQUEST, "A command is an object.")
    try:
        return _READER.validate_python(dict(event), context={"region": region})
    except ValidationError as error:
        raise invalid(faults_of_one(error, COMMANDS, tag="command")) from error


def _refusal(refused: Refused) -> Json:
    told: Json = {
        "status": "refused",
        "code": refused.refusal.value,
        "detail": refused.detail or REFUSALS[refused.refusal].detail,
    }
    if refused.fields:
        told["errors"] = [{"field": name, "message": message} for name, message in refused.fields]
    return told


_PREFIXES = {
    "wallet_id": ids.WALLET,
    "closing": ids.WALLET,
    "former_wallets": ids.WALLET,
    "transaction_id": ids.TRANSACTION,
    "suspended_id": ids.TRANSACTION,
    "unclaimed_id": ids.TRANSACTION,
    "refund_id": ids.REFUND,
    "withdrawal_id": ids.WITHDRAWAL,
    "break_id": ids.BREAK,
    "dispute_id": ids.DISPUTE,
    "debt_id": ids.DEBT,
    "user_id": ids.USER,
    "owner_wallet_id": ids.WALLET,
}


def _shown(name: str, value: object) -> object:
    """A result as JSON: ids in their public form (by the field's name), times in UTC, everything else as it is."""
    if isinstance(value, Balance):
        return shapes.balance(value)
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, dict):
        return {field: _shown(field, one) for field, one in value.items() if one is not None}
    if isinstance(value, tuple):
        return [_shown(name, one) for one in value]
    if isinstance(value, UUID):
        return ids.show(_PREFIXES[name], value) if name in _PREFIXES else value.hex
    if isinstance(value, datetime):
        return show_time(value)
    return value
