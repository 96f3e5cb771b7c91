"""Domain events: what the kernel noted beside the money, in the words of everybody who hears of it.

The kernel writes an event into the outbox, in the commit of what it tells of; ids stand there as the database has them.
Here it becomes the public one: versioned, with public ids, and nothing in it that `CATALOGUE` doesn't name. The
schemas in docs/events/ are made of the same catalogue, and a test holds what the kernel writes against it.

Between versions fields are only added. Whoever reads events ignores what they don't know.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from wallet.ledger import ids
from wallet.ledger.times import show_time

VERSION = 1


class Kind(StrEnum):
    """What a field holds. An id stands in the outbox as 32 hexadecimal digits, and outside in its public form."""

    AMOUNT = "amount"  # a whole number of minor units, 0 or more
    TEXT = "text"
    TIME = "time"  # RFC 3339 in UTC
    PAYMENT = ids.PAYMENT
    REFUND = ids.REFUND
    HOLD = ids.HOLD
    TOP_UP = ids.TOP_UP
    TRANSACTION = ids.TRANSACTION
    WALLET = ids.WALLET
    WITHDRAWAL = ids.WITHDRAWAL
    DISPUTE = ids.DISPUTE

    @property
    def is_id(self) -> bool:
        """Whether this is an id of ours, and the kind its prefix."""
        return self not in (Kind.AMOUNT, Kind.TEXT, Kind.TIME)


@dataclass(frozen=True, slots=True)
class Field:
    """A field that events may have, and what it says."""

    kind: Kind
    about: str


FIELDS: Mapping[str, Field] = {
    "amount": Field(Kind.AMOUNT, "What was moved, or is to be, in minor units of `currency`."),
    "captured": Field(Kind.AMOUNT, "What of a hold has been captured so far, in minor units."),
    "fee": Field(Kind.AMOUNT, "What we took for it, in minor units; 0 or null if nothing."),
    "currency": Field(Kind.TEXT, "ISO 4217."),
    "payment_id": Field(Kind.PAYMENT, "The payment."),
    "refund_id": Field(Kind.REFUND, "The refund."),
    "hold_id": Field(Kind.HOLD, "The hold."),
    "top_up_id": Field(Kind.TOP_UP, "The top-up that the money was asked for by."),
    "transaction_id": Field(Kind.TRANSACTION, "The transaction in the ledger."),
    "payer_wallet_id": Field(Kind.WALLET, "Who paid, or promised to."),
    "payee_wallet_id": Field(Kind.WALLET, "Who was paid, or is to be."),
    "withdrawal_id": Field(Kind.WITHDRAWAL, "The withdrawal."),
    "dispute_id": Field(Kind.DISPUTE, "The dispute of a top-up."),
    "reserved": Field(Kind.AMOUNT, "What of the wallet is reserved for it, in minor units: held, and not spendable."),
    "recovered": Field(Kind.AMOUNT, "What of the wallet was debited for it in the end, in minor units."),
    "phase": Field(Kind.TEXT, "How far the banks have got: `chargeback`, `pre_arbitration`, `arbitration` and others."),
    "outcome": Field(Kind.TEXT, "How it ended for us: `won`, `lost` or `closed`."),
    "gateway": Field(Kind.TEXT, "The payment gateway."),
    "provider": Field(Kind.TEXT, "Who pays it out."),
    "description": Field(Kind.TEXT, "What the payer wrote."),
    "reference": Field(Kind.TEXT, "The payer's reference, such as an order's number."),
    "reason": Field(Kind.TEXT, "Why: a stable word, or what somebody wrote who gave a payment back."),
    "expires_at": Field(Kind.TIME, "When the hold ends by itself."),
    "tier": Field(Kind.TEXT, "The tier that is in force from now on."),
    "device": Field(Kind.TEXT, "What the client calls itself that somebody signed in on, up to 200 signs of ASCII."),
    "waits_until": Field(Kind.TIME, "Nobody is asked to pay it out before then; until then its owner may cancel it."),
    "kind": Field(
        Kind.TEXT,
        "What was to be confirmed: `payment`, `hold`, `withdrawal`, `bulk_payment`, `new_passkey`, `lost_passkey`,"
        " `new_name` or `new_phone`.",
    ),
    "unfreezes_at": Field(Kind.TIME, "When the freeze ends, unless its owner calls that off."),
}


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event.

    `required` fields are always there, `optional` ones may be null. Of an event that concerns two wallets, the owner in
    `other_wallet_id` is told `others_only` and the one in `wallet_id` is not: it is none of their affair. `noted_as`
    says under which name the outbox has a field, where that is another: a payment is known by its transaction.
    `is_personal`: it is of an account and not of its money, so no merchant's webhook has it.
    """

    about: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    others_only: frozenset[str] = frozenset()
    noted_as: Mapping[str, str] = field(default_factory=dict)
    is_personal: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """All of them, in the order in which they are told."""
        return self.required + self.optional


_BETWEEN = ("payer_wallet_id", "payee_wallet_id", "amount", "currency")
_WITHDRAWAL = ("withdrawal_id", "amount", "fee", "currency", "provider")
_TO_SOURCE = ("refund_id", "transaction_id", "amount", "currency", "gateway")
_DISPUTE = ("dispute_id", "transaction_id", "amount", "currency", "gateway", "phase")
_FEE = frozenset({"fee"})

CATALOGUE: Mapping[str, EventType] = {
    "TopUpSucceeded": EventType(
        "Money came in through a gateway and was credited to the wallet.",
        ("top_up_id", "transaction_id", "amount", "currency", "gateway"),
    ),
    "TopUpSuspended": EventType(
        "Money came in for the wallet and could not be credited: it is in suspense.",
        ("top_up_id", "transaction_id", "amount", "currency", "gateway", "reason"),
    ),
    "SuspenseCredited": EventType(
        "Money that was in suspense was credited to the wallet by an operator.",
        ("transaction_id", "amount", "currency", "gateway"),
        ("top_up_id",),
    ),
    "MoneyUnclaimed": EventType(
        "Money of a closed wallet's owner is kept for them: what was left as it was closed (`reason` `closed`), or a"
        " refund of a payment that they had made (`refund`).",
        ("transaction_id", "amount", "currency", "reason"),
    ),
    "UnclaimedCredited": EventType(
        "Money that was kept for its owner was credited to the wallet by an operator.",
        ("transaction_id", "amount", "currency"),
    ),
    "PaymentCompleted": EventType(
        "`wallet_id` paid `other_wallet_id`. The fee is the payee's.",
        ("payment_id", "transaction_id", *_BETWEEN),
        ("fee", "description", "reference"),
        others_only=_FEE,
        noted_as={"payment_id": "transaction_id"},
    ),
    "PaymentRefunded": EventType(
        "`wallet_id`, the payee of a payment, gave all or a part of it back to `other_wallet_id`, its payer. If that"
        " wallet is closed, `MoneyUnclaimed` follows.",
        ("refund_id", "payment_id", "transaction_id", *_BETWEEN),
        ("reason",),
        noted_as={"refund_id": "transaction_id"},
    ),
    "HoldPlaced": EventType(
        "`wallet_id` promised money to `other_wallet_id`: it is no longer available, and still in the payer's wallet.",
        ("hold_id", *_BETWEEN, "expires_at"),
        ("description",),
    ),
    "HoldCaptured": EventType(
        "`other_wallet_id`, the payee, took the amount out of a hold. The fee is the payee's.",
        ("hold_id", "transaction_id", *_BETWEEN),
        ("fee",),
        others_only=_FEE,
    ),
    "HoldReleased": EventType("What was left of a hold is the payer's again.", ("hold_id", *_BETWEEN, "captured")),
    "HoldExpired": EventType(
        "A hold's time was over: what was left of it is the payer's again.", ("hold_id", *_BETWEEN, "captured")
    ),
    "WithdrawalRequested": EventType(
        "Money is on its way to a UPI address: no longer available, and still in the wallet.", _WITHDRAWAL
    ),
    "WithdrawalSucceeded": EventType("A withdrawal was paid out, and its fee was taken.", _WITHDRAWAL),
    "WithdrawalFailed": EventType(
        "A withdrawal was not paid out: what was set aside is available again.", _WITHDRAWAL, ("reason",)
    ),
    "WithdrawalReversed": EventType(
        "A withdrawal that had been paid out came back from the bank, and is in the wallet again with the fee it took.",
        _WITHDRAWAL,
        ("reason",),
    ),
    "WithdrawalCorrected": EventType(
        "A withdrawal that had failed or come back in our books was paid out after all: its amount was debited.",
        _WITHDRAWAL,
        ("reason",),
    ),
    "RefundToSourceRequested": EventType(
        "Money that came in for the wallet is on its way back to where it came from. If it had been credited, it is no"
        " longer available, and still in the wallet.",
        _TO_SOURCE,
    ),
    "RefundToSourceSucceeded": EventType("A refund to source was paid out by the gateway.", _TO_SOURCE),
    "RefundToSourceFailed": EventType(
        "A refund to source was not paid out: the money is where it was before, and available again.",
        _TO_SOURCE,
        ("reason",),
    ),
    "TopUpDisputed": EventType(
        "The payer's bank wants a top-up back (a chargeback), or does again: what is available of the wallet is"
        " reserved, up to that.",
        (*_DISPUTE, "reserved"),
        ("reason",),
    ),
    "TopUpDisputeEnded": EventType(
        "A dispute of a top-up has ended: what was reserved is available again, less what was debited.",
        (*_DISPUTE, "outcome", "recovered"),
        ("reason",),
    ),
    "WalletFrozen": EventType(
        "The wallet was frozen: its owner can't move money out of it. `reason` says by whom or why: `owner`,"
        " `operator` or `phone_replaced` (somebody else has registered with the phone). An operator's freeze of what"
        " its owner has frozen is an event too, and so is an owner's who calls off an end that was asked for.",
        (),
        ("reason",),
    ),
    "WalletUnfrozen": EventType("The wallet's freeze ended: an operator's word, or its owner's of a day before.", ()),
    "UnfreezeRequested": EventType(
        "The owner of a wallet that they have frozen asked for the end of that, with a proof of their phone.",
        ("unfreezes_at",),
        is_personal=True,
    ),
    "SignedInOnNewDevice": EventType(
        "Somebody signed in on a device that the account has had no session on, as far as sessions are kept.",
        ("device",),
        is_personal=True,
    ),
    "PasswordChanged": EventType(
        "The account has another password, from somebody who knew the old one.", (), is_personal=True
    ),
    "PasswordReset": EventType(
        "The account has another password, from somebody who proved its phone.", (), is_personal=True
    ),
    "WithdrawalAddressAdded": EventType(
        "A withdrawal goes to a UPI address that is new to the wallet, and perhaps waits for its owner to look.",
        ("withdrawal_id", "amount", "currency", "waits_until"),
        is_personal=True,
    ),
    "ConfirmationFailed": EventType(
        "Somebody in a session of the account tried five wrong codes to confirm something. It was not done.",
        ("kind", "amount", "currency"),
        is_personal=True,
    ),
    "NameChanged": EventType("The account has another name, which its owner has confirmed.", (), is_personal=True),
    "PhoneChanged": EventType(
        "The account has another phone, which its owner has proved, and confirmed by the one before or a passkey.",
        (),
        is_personal=True,
    ),
    "PasskeyAdded": EventType("The account has another passkey, which can confirm money out.", (), is_personal=True),
    "PasskeyRemoved": EventType("A passkey of the account was removed.", (), is_personal=True),
    "WalletClosed": EventType("The wallet is empty and closed for good.", ()),
    "TierChanged": EventType("An operator gave the wallet another tier, and with it other limits.", ("tier",)),
}


class BrokenEventError(Exception):
    """The outbox holds an event that the catalogue doesn't know: kernel and catalogue are of different versions."""


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """An event as the kernel noted it. `position` grows within a wallet's row; `detail` is a JSON text of its own."""

    position: int
    type: str
    wallet_id: UUID
    other_wallet_id: UUID | None
    detail: str
    created_at: datetime

    @property
    def id(self) -> str:
        """What it is known by outside, the same at every delivery: `evt_…`."""
        unix_ms = int(self.created_at.timestamp() * 1000)
        return ids.show(ids.EVENT, ids.uuid7(unix_ms=unix_ms, entropy=self.position.to_bytes(10)))


@dataclass(frozen=True, slots=True)
class Pending:
    """An event that waits for its delivery, and those of its wallets that are merchants', who are told of it too."""

    event: OutboxEvent
    merchants: tuple[UUID, ...]


def told(event: OutboxEvent) -> dict[str, Any]:
    """The public event, all of it: for the bus, which only we listen on. Raises BrokenEventError."""
    other = event.other_wallet_id
    return {
        "id": event.id,
        "version": VERSION,
        "sequence": event.position,
        "wallet_id": ids.show(ids.WALLET, event.wallet_id),
        "other_wallet_id": None if other is None else ids.show(ids.WALLET, other),
        "occurred_at": show_time(event.created_at),
        "data": _data(event),
    }


def is_personal(event: OutboxEvent) -> bool:
    """Whether no merchant's webhook has it. Raises BrokenEventError."""
    return _type_of(event).is_personal


def told_to(event: OutboxEvent, wallet_id: UUID, public: Mapping[str, Any]) -> dict[str, Any]:
    """What `told` made of an event, as the owner of one of its wallets may know it: the body of a webhook.

    `type`, `timestamp` and `data` are what the Standard Webhooks specification calls them.
    """
    hidden = _type_of(event).others_only if wallet_id == event.wallet_id else frozenset()
    return {
        "id": public["id"],
        "type": event.type,
        "version": public["version"],
        "sequence": public["sequence"],
        "wallet_id": ids.show(ids.WALLET, wallet_id),
        "timestamp": public["occurred_at"],
        "data": {name: value for name, value in public["data"].items() if name not in hidden},
    }


def _type_of(event: OutboxEvent) -> EventType:
    known = CATALOGUE.get(event.type)
    if known is None:
        raise BrokenEventError(f"event {event.position}: there is no type {event.type}")
    return known


def _data(event: OutboxEvent) -> dict[str, Any]:
    known = _type_of(event)
    try:
        noted: dict[str, Any] = json.loads(event.detail)
    except json.JSONDecodeError as error:
        raise BrokenEventError(f"event {event.position}: its detail is no JSON") from error
    data = {name: _public(event, name, noted.get(known.noted_as.get(name, name))) for name in known.fields}
    for name in known.required:
        if data[name] is None:
            raise BrokenEventError(f"event {event.position}: {event.type} has no {name}")
    return data


def _public(event: OutboxEvent, name: str, value: object) -> object:
    kind = FIELDS[name].kind
    if value is None:
        return None
    if kind is Kind.AMOUNT and isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return _public_text(kind, value)
        except ValueError:
            pass
    raise BrokenEventError(f"event {event.position}: {name} is no {kind.value}")


def _public_text(kind: Kind, value: str) -> str:
    if kind.is_id:
        return ids.show(kind.value, UUID(hex=value))
    if kind is Kind.TIME:
        return show_time(datetime.fromisoformat(value).replace(tzinfo=UTC))
    if kind is Kind.AMOUNT:
        raise ValueError
    return value
