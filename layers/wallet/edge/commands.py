"""Operators' commands: strict, by name, for a reason, under a key. Read from a request, carried out or asked for.

Which role may command what, and what takes two people, is in `wallet.operators.model`. Who commands is the person that
API Gateway says has signed the request, and never what the request says.
"""

import functools
import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal, Self, Union, get_args
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
from wallet.edge.bodies import Amount, ApprovedName, Body, Description, Phone, RegisteredPhone, WalletId
from wallet.edge.logs import logger
from wallet.edge.requests import Request, invalid
from wallet.edge.responses import Json, Response
from wallet.edge.validation import Wanted, faults_of_one
from wallet.ledger import ids
from wallet.ledger.breaks import Kind
from wallet.ledger.disputes import DisputeEnd
from wallet.ledger.receipts import Balance
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.times import show_time
from wallet.operators import store
from wallet.operators.model import NEED_TWO_PEOPLE, ROLE_OF, Role, person_of
from wallet.operators.store import OperatorRequest
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
RequestId = Annotated[UUID, _id_of("request", ids.REQUEST), Wanted("A request's id, like req_….")]
Key = Annotated[
    StrictStr,
    Field(pattern=r"^[!-~]{1,64}$", examples=["case-2026-118"]),
    Wanted("A key of this order, a new one for each new order: 1 to 64 visible ASCII characters without blanks."),
]
Reason = Annotated[
    Description,
    Field(min_length=1, examples=["Reported stolen, case 118"]),
    Wanted("Why, for the journal: a text of 1 to 200 characters."),
]


class Question(Body):
    """A command that changes nothing."""

    def find(self, database: Database) -> object:
        """What is asked about."""
        raise NotImplementedError


class Order(Body):
    """A command that changes something: once under its key, and written down."""

    command: str
    reason: Reason
    key: Key

    def instruction(self, operator: str) -> Instruction:
        """As the kernel takes it. A key belongs to its operator, and to everything that was ordered under it."""
        scope = UUID(bytes=hashlib.sha256(b"operator:" + operator.encode()).digest()[:16])
        asked = json.dumps(self.model_dump(mode="json", exclude_none=True), sort_keys=True)
        return Instruction(operator, self.reason, Claim(scope, self.key, hashlib.sha256(asked.encode()).digest()))

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """What came of it, and whether the key had done so before."""
        raise NotImplementedError


class SetTier(Order):
    """Another tier, and with it other limits."""

    command: Literal["set_tier"]
    wallet_id: WalletId
    tier: Annotated[StrictStr, Wanted("The name of a tier, as text.")]

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.set_tier(database, instruction, action_id=new_id(), wallet_id=self.wallet_id, tier=self.tier)


class Freeze(Order):
    """No payments from the wallet or to it, until it is unfrozen."""

    command: Literal["freeze"]
    wallet_id: WalletId

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.freeze(database, instruction, action_id=new_id(), wallet_id=self.wallet_id)


class Unfreeze(Order):
    """The end of a freeze, or of a closing that is called off."""

    command: Literal["unfreeze"]
    wallet_id: WalletId

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.unfreeze(database, instruction, action_id=new_id(), wallet_id=self.wallet_id)


class EndSessions(Order):
    """The end of every session of the wallet's owner."""

    command: Literal["end_sessions"]
    wallet_id: WalletId

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.end_sessions(database, instruction, action_id=new_id(), wallet_id=self.wallet_id)


class SetSlots(Order):
    """A hot wallet: so many rows, of which all but its own take what it is paid. 1 ends that."""

    command: Literal["set_slots"]
    wallet_id: WalletId
    slots: Annotated[StrictInt, Field(ge=1, le=16), Wanted("A whole number from 1 to 16, as a JSON number.")]

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.set_slots(
            database, instruction, action_id=new_id(), wallet_id=self.wallet_id, slots=self.slots
        )


class RefundToSource(Order):
    """A top-up, or money that is in suspense, back to where it came from; without an amount, all that is left of it."""

    command: Literal["refund_to_source"]
    transaction_id: TransactionId
    amount: Amount | None = None

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.refund_to_source(
            database,
            instruction,
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

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.credit_from_suspense(
            database,
            instruction,
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

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.resolve_break(database, instruction, action_id=new_id(), break_id=self.break_id)


class ResolvePaymentDispute(Order):
    """The end of a payment's dispute (a chargeback): won, or lost and recovered from the wallet, or lost and ours."""

    command: Literal["resolve_payment_dispute"]
    dispute_id: DisputeId
    end: DisputeEnd

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.resolve_payment_dispute(
            database, instruction, action_id=new_id(), dispute_id=self.dispute_id, end=self.end
        )


class EndDispute(Order):
    """A withdrawal that was paid out and failed, by what we heard: the provider is asked again, and that is booked."""

    command: Literal["end_dispute"]
    withdrawal_id: WithdrawalId

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.end_dispute(database, instruction, action_id=new_id(), withdrawal_id=self.withdrawal_id)


class CancelWithdrawal(Order):
    """The end of a withdrawal that nobody was asked to pay yet: its owner has the money again."""

    command: Literal["cancel_withdrawal"]
    withdrawal_id: WithdrawalId

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.cancel_withdrawal(database, instruction, action_id=new_id(), withdrawal_id=self.withdrawal_id)


class Close(Order):
    """A step towards the wallet's end: its balance goes back to source. Ordered again (with a new key) it goes on."""

    command: Literal["close"]
    wallet_id: WalletId

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.close(
            database, instruction, action_id=new_id(), wallet_id=self.wallet_id, most=_REFUNDS_A_STEP
        )


class ApproveMerchant(Order):
    """Everybody is shown them as a merchant, in full; with a name, under that one."""

    command: Literal["approve_merchant"]
    wallet_id: WalletId
    name: ApprovedName | None = None

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.approve_merchant(
            database, instruction, action_id=new_id(), wallet_id=self.wallet_id, name=self.name
        )


class RevokeMerchant(Order):
    """The end of a merchant's approval: to others a person again, under the name that they registered with."""

    command: Literal["revoke_merchant"]
    wallet_id: WalletId

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.revoke_merchant(database, instruction, action_id=new_id(), wallet_id=self.wallet_id)


class SetPhoneProved(Order):
    """The phone of a wallet's owner is known to be theirs, so it may be sent messages; `false` takes that back."""

    command: Literal["set_phone_proved"]
    wallet_id: WalletId
    proved: StrictBool = True

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.set_phone_proved(
            database, instruction, action_id=new_id(), wallet_id=self.wallet_id, proved=self.proved
        )


class WriteOff(Order):
    """What is left of a wallet that is being closed and can't go back to its source: kept as unclaimed money."""

    command: Literal["write_off"]
    wallet_id: WalletId
    amount: Amount | None = None

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.write_off(
            database, instruction, transaction_id=new_id(), wallet_id=self.wallet_id, amount=self.amount
        )


class CreditFromUnclaimed(Order):
    """Unclaimed money to the wallet that its owner has now; without an amount, all that is left of it."""

    command: Literal["credit_from_unclaimed"]
    transaction_id: TransactionId
    wallet_id: WalletId
    amount: Amount | None = None
    over_limits: StrictBool = False

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.credit_from_unclaimed(
            database,
            instruction,
            transaction_id=new_id(),
            unclaimed_id=self.transaction_id,
            wallet_id=self.wallet_id,
            amount=self.amount,
            over_limits=self.over_limits,
        )


class FreePhone(Order):
    """The phone that its owner has lost, away from their account: it is frozen, and its sessions end."""

    command: Literal["free_phone"]
    wallet_id: WalletId

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.move_phone(database, instruction, action_id=new_id(), wallet_id=self.wallet_id, phone=None)


class ChangePhone(Order):
    """Another phone for an account, whose sessions end."""

    command: Literal["change_phone"]
    wallet_id: WalletId
    phone: Phone

    def carry_out(self, database: Database, instruction: Instruction, new_id: NewId) -> tuple[object, bool]:
        """As above."""
        return operators.move_phone(
            database, instruction, action_id=new_id(), wallet_id=self.wallet_id, phone=self.phone
        )


class Approve(Body):
    """A request of somebody else is carried out, once."""

    command: Literal["approve"]
    request: RequestId


class Cancel(Body):
    """A request of one's own is not to be carried out."""

    command: Literal["cancel"]
    request: RequestId


class Requests(Question):
    """What waits for another person's approval, in the order in which it was asked for."""

    command: Literal["requests"]
    after: RequestId | None = None

    def find(self, database: Database) -> object:
        """As above."""
        return tuple(map(_view, store.waiting_requests(database, after=self.after, limit=_PAGE)))


class FindPhone(Question):
    """Whose a phone is, and whose it was before."""

    command: Literal["find_phone"]
    phone: RegisteredPhone

    def find(self, database: Database) -> object:
        """As above."""
        found = tuple(one for phone in self.phone.spellings for one in store.find_phone(database, phone))
        if not found:
            raise Refused(Refusal.NOT_FOUND)
        return found


class ShowWallet(Question):
    """A wallet, by its id or by its owner's phone, as it is or as it was once spelled."""

    command: Literal["show_wallet"]
    wallet_id: WalletId | None = None
    phone: RegisteredPhone | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.wallet_id is None) == (self.phone is None):
            raise ValueError("Name the wallet by wallet_id or by phone, one of the two.")
        return self

    def find(self, database: Database) -> object:
        """As above."""
        for phone in (None,) if self.phone is None else self.phone.spellings:
            found = inspection.find_wallet(database, wallet_id=self.wallet_id, phone=phone)
            if found is not None:
                return found
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

    def find(self, database: Database) -> object:
        """As above."""
        names = [self.only] if self.only is not None else list(_WAITING)
        return {name: _WAITING[name].find(database, after=self._behind, limit=_PAGE) for name in names}


class Debts(Question):
    """What left for somebody and nothing of theirs covers: whose it is, since when, and how it ended if it has."""

    command: Literal["debts"]
    wallet_id: WalletId | None = None
    phone: RegisteredPhone | None = None
    only_open: StrictBool = False
    after: DebtId | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.wallet_id is not None and self.phone is not None:
            raise ValueError("Name the wallet by wallet_id or by phone, one of the two, or none.")
        return self

    def find(self, database: Database) -> object:
        """As above."""
        wallet_id = self.wallet_id
        if self.phone is not None:
            known = [inspection.wallet_of(database, phone) for phone in self.phone.spellings]
            wallet_id = next((one for one in known if one is not None), None)
            if wallet_id is None:
                raise Refused(Refusal.NOT_FOUND)
        return debts.debts(database, wallet_id=wallet_id, only_open=self.only_open, after=self.after, limit=_PAGE)


class ShowPaymentDispute(Question):
    """A payment's dispute, open or ended, with its history and what was booked."""

    command: Literal["show_payment_dispute"]
    dispute_id: DisputeId

    def find(self, database: Database) -> object:
        """As above."""
        found = dispute_views.find_dispute(database, self.dispute_id)
        if found is None:
            raise Refused(Refusal.NOT_FOUND)
        return found


class Unclaimed(Question):
    """Money that is kept for the owners of closed wallets, in the order in which it came."""

    command: Literal["unclaimed"]
    after: TransactionId | None = None

    def find(self, database: Database) -> object:
        """As above."""
        return inspection.unclaimed_money(database, after=self.after, limit=_PAGE)


class Breaks(Question):
    """Where our books and others' differ, in the order in which they were first seen."""

    command: Literal["breaks"]
    kind: Kind | None = None
    after: BreakId | None = None

    def find(self, database: Database) -> object:
        """As above."""
        return inspection.shown_breaks(database, kind=self.kind, after=self.after, limit=_PAGE)


Command = (
    SetTier
    | Freeze
    | Unfreeze
    | EndSessions
    | SetSlots
    | RefundToSource
    | CreditFromSuspense
    | ResolveBreak
    | ResolvePaymentDispute
    | EndDispute
    | CancelWithdrawal
    | Close
    | ApproveMerchant
    | RevokeMerchant
    | SetPhoneProved
    | FreePhone
    | ChangePhone
    | WriteOff
    | CreditFromUnclaimed
    | ShowWallet
    | FindPhone
    | Pending
    | Unclaimed
    | Breaks
    | Debts
    | ShowPaymentDispute
    | Requests
    | Approve
    | Cancel
)
#: The commands by their names.
COMMANDS: dict[str, type[Body]] = {
    get_args(one.model_fields["command"].annotation)[0]: one for one in get_args(Command)
}


def commands_of(role: Role) -> dict[str, type[Body]]:
    """What a role commands, by name: its own commands, and what becomes of requests for those that take two people."""
    own = {name for name, its_role in ROLE_OF.items() if its_role is role}
    decisions = {"approve", "cancel"} if own & NEED_TWO_PEOPLE else set()
    return {name: model for name, model in COMMANDS.items() if name in own | decisions}


@functools.cache
def _reader(role: Role) -> TypeAdapter[Command]:
    of_role = Union[tuple(commands_of(role).values())]  # type: ignore[valid-type]  # noqa: UP007 - not known before it runs
    return TypeAdapter(Annotated[of_role, Field(discriminator="command")])


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a role commands: what answers `POST /operator/{role}/commands`.

    `session_roles` are the roles whose sessions IAM names by their users (see `person_of`).
    """

    role: Role
    database: Callable[[], Database]
    new_id: NewId
    session_roles: Callable[[], Collection[str]]

    def __call__(self, request: Request) -> Response["shapes.answers.CommandAnswer"]:
        """`{"status", "replayed", "result"}`; 202 if it waits for another person. Raises `Refused`.

        The same command with the same key is safe to repeat, and so is an approval.
        """
        person = person_of(request.user_arn, account=request.account, session_roles=self.session_roles())
        if person is None:
            raise Refused(Refusal.NOT_AN_OPERATOR)
        told = request.raw_json()
        command = self._read(told, request.region)
        logger().info("command", request_id=request.id, command=command.command, role=self.role, operator=person)
        if isinstance(command, Question):
            return _answer("done", command.find(self.database()))
        if isinstance(command, Approve):
            return self._approve(command.request, person, request.region)
        if isinstance(command, Cancel):
            return self._cancel(command.request, person)
        if command.command in NEED_TWO_PEOPLE:
            return self._ask(command, told, person)
        return _answer("done", *command.carry_out(self.database(), command.instruction(person), self.new_id))

    def _read(self, told: Mapping[str, Any], region: str) -> Command:
        try:
            return _reader(self.role).validate_python(dict(told), context={"region": region})
        except ValidationError as error:
            raise invalid(faults_of_one(error, commands_of(self.role), tag="command")) from None  # shows what was sent

    def _ask(self, order: Order, told: Json, person: str) -> Response["shapes.answers.CommandAnswer"]:
        request_id, replayed = store.ask(
            self.database(),
            order.instruction(person),
            request_id=self.new_id(),
            command=order.command,
            arguments=told,
        )
        return self._state(request_id, replayed=replayed)

    def _approve(self, request_id: UUID, person: str, region: str) -> Response["shapes.answers.CommandAnswer"]:
        asked = self._find(request_id)
        order = self._read(asked.arguments, region)
        if not isinstance(order, Order):
            raise TypeError("a request for what is no order")
        # under the asker's key; the kernel compares what is done with what was asked, and who with who
        claim = replace(asked.claim, request_hash=order.instruction(person).claim.request_hash)
        return _answer("done", *order.carry_out(self.database(), Instruction(person, asked.reason, claim), self.new_id))

    def _cancel(self, request_id: UUID, person: str) -> Response["shapes.answers.CommandAnswer"]:
        self._find(request_id)
        return self._state(request_id, replayed=store.cancel(self.database(), request_id, operator=person))

    def _state(self, request_id: UUID, *, replayed: bool) -> Response["shapes.answers.CommandAnswer"]:
        asked = self._find(request_id)
        return _answer(asked.status, _view(asked), replayed)

    def _find(self, request_id: UUID) -> OperatorRequest:
        """A request for what this role commands; another role's is not there."""
        asked = store.find_request(self.database(), request_id)
        if asked is None or ROLE_OF.get(asked.command) is not self.role:
            raise Refused(Refusal.NOT_FOUND)
        return asked


def _answer(status: str, result: object, replayed: bool = False) -> Response["shapes.answers.CommandAnswer"]:  # noqa: FBT001, FBT002 - as a command ends
    body: shapes.answers.CommandAnswer = {"status": status, "replayed": replayed, "result": _shown("", result)}
    return Response(202 if status == "waiting" else 200, body)


def _view(asked: OperatorRequest) -> Json:
    """A request as operators see it: what would be done, why, and who has said what when."""
    return {
        "request_id": asked.request_id,
        "status": asked.status,
        "role": ROLE_OF[asked.command].value,
        "command": asked.command,
        "arguments": {k: v for k, v in asked.arguments.items() if k not in ("command", "reason", "key")},
        "reason": asked.reason,
        "asked_by": asked.asked_by,
        "asked_at": asked.asked_at,
        "expires_at": asked.expires_at,
        "approved_by": asked.approved_by,
        "approved_at": asked.approved_at,
    }


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
    "request_id": ids.REQUEST,
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
