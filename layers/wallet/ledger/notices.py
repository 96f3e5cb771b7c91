"""Notices to people: a short text for each debit of a wallet, which its owner gets by SMS or mail.

Amounts, the other side's name as far as the owner needs it, the balance, and where to report what was not them: RBI's
rules on prepaid instruments ask for that in every alert. Never a phone, an address or an id that opens anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from wallet.ledger import ids
from wallet.ledger.periods import INDIA

# What happened to the wallet in `wallet_id`, and how its owner is told. `{other}` is the other side, if it is a wallet.
_DEBITS: Mapping[str, str] = {
    "PaymentCompleted": "{amount} paid to {other} from your wallet",
    "HoldCaptured": "{amount} of what you had promised was taken by {other} from your wallet",
    "PaymentRefunded": "{amount} refunded to {other} from your wallet",
    "WithdrawalSucceeded": "{amount} withdrawn from your wallet",
    "WithdrawalCorrected": "{amount} of a withdrawal that was paid out after all was taken from your wallet",
    "RefundToSourceSucceeded": "{amount} of yours was sent back to where it came from",
}

#: The types of events that take money from the wallet in `wallet_id`.
DEBITS = frozenset(_DEBITS)


class NotADebitError(Exception):
    """An event that debits nobody: the rule that sends it here is wrong."""


@dataclass(frozen=True, slots=True)
class Debit:
    """A debit, as a public event tells of it. Amounts are minor units."""

    event_id: str
    type: str
    wallet_id: UUID
    other_wallet_id: UUID | None
    amount: int
    fee: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whose wallet it is, and who is on the other side (None where that is no wallet)."""

    user_id: UUID
    phone: str
    other_name: str | None
    other_kind: str | None


def debit_of(event_type: str, detail: Mapping[str, Any]) -> Debit:
    """Reads the event from the bus. Raises NotADebitError."""
    wallet_id = ids.read(ids.WALLET, str(detail.get("wallet_id")))
    if event_type not in DEBITS or wallet_id is None:
        raise NotADebitError(event_type)
    data = detail["data"]
    return Debit(
        event_id=detail["id"],
        type=event_type,
        wallet_id=wallet_id,
        other_wallet_id=ids.read(ids.WALLET, str(detail.get("other_wallet_id"))),
        amount=data["amount"],
        # of the others the fee is the payee's
        fee=data["fee"] if event_type == "WithdrawalSucceeded" else 0,
        at=datetime.fromisoformat(detail["occurred_at"]),
    )


def debit_notice(debit: Debit, recipient: Recipient, *, available: int, report_to: str) -> str:
    """The text; `available` is in minor units, as it is now; `report_to` is a phone number or an address of ours."""
    what = _DEBITS[debit.type].format(amount=rupees(debit.amount), other=_other(recipient))
    fee = f" (fee {rupees(debit.fee)})" if debit.fee else ""
    when = debit.at.astimezone(INDIA)
    return f"{what}{fee} on {when:%d-%m-%Y %H:%M}. Available now: {rupees(available)}. Not you? {report_to}"


def rupees(amount: int) -> str:
    """Minor units as people in India read them: 12345678 is `Rs 1,23,456.78`."""
    whole, paise = divmod(amount, 100)
    head, tail = divmod(whole, 1000)
    groups = [f"{tail:03}"] if head else [str(tail)]
    while head:
        head, group = divmod(head, 100)
        groups.insert(0, f"{group:02}" if head else str(group))
    return f"Rs {','.join(groups)}.{paise:02}"


def _other(recipient: Recipient) -> str:
    """A shop by its name; of a person so much that somebody who knows them knows who it was."""
    name = recipient.other_name or "somebody"
    if recipient.other_kind == "personal":
        return " ".join(f"{word[0]}***" for word in name.split())
    return name
