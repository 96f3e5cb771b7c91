"""Notices to people: a short text for each debit of a wallet, which its owner gets by SMS or mail.

Amounts, the other side's name as far as the owner needs it, the balance, and where to report what was not them: RBI's
rules on prepaid instruments ask for that in every alert. Never a phone, an address or an id that opens anything.

India's operators deliver only texts that were registered with them (TRAI's rules, DLT): fixed words with gaps, what
stands in a gap being 30 characters at most, and the sender's name in them. So each text here is one template.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any
from uuid import UUID

from wallet.ledger import ids
from wallet.ledger.names import initial
from wallet.ledger.periods import INDIA

#: The most characters that may stand in a gap of a template.
MAX_IN_GAP = 30

_END = " on {date} {time}. Available now: Rs {available}. Not you? "

#: The texts of debits, by the name of their template. `{other}` is the other side, if it is a wallet; sums are rupees.
DEBIT_TEXTS: Mapping[str, str] = {
    "payment": "Rs {amount} paid to {other} from your wallet" + _END,
    "hold_captured": "Rs {amount} of what you had promised was taken by {other} from your wallet" + _END,
    "refund": "Rs {amount} refunded to {other} from your wallet" + _END,
    "withdrawal": "Rs {amount} withdrawn from your wallet (fee Rs {fee})" + _END,
    "withdrawal_corrected": (
        "Rs {amount} of a withdrawal that was paid out after all was taken from your wallet" + _END
    ),
    "refund_to_source": "Rs {amount} of yours was sent back to where it came from" + _END,
    "paused": (
        "Today you were told of {notices} debits of your wallet; of more today you are not told by SMS: look at your"
        " statement. Not you? "
    ),
}

#: Every text, by the name of its template.
TEXTS: Mapping[str, str] = {
    **DEBIT_TEXTS,
    "code": "{code} is your code to {purpose}. Tell it to nobody: we never ask for it. Good for {minutes} minutes.",
}

# What a code is for, as it stands in the gap of its text.
_PURPOSES: Mapping[str, str] = {
    "register": "register this number",
    "sign_in": "sign in",
    "reset_password": "choose a new password",
    "change_phone": "use this number",
    "unfreeze": "unfreeze your wallet",
}

# What happened to the wallet in `wallet_id`, and the template that its owner is told with.
_DEBITS: Mapping[str, str] = {
    "PaymentCompleted": "payment",
    "HoldCaptured": "hold_captured",
    "PaymentRefunded": "refund",
    "WithdrawalSucceeded": "withdrawal",
    "WithdrawalCorrected": "withdrawal_corrected",
    "RefundToSourceSucceeded": "refund_to_source",
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
    """Whose wallet it is, and who is on the other side (no name where that is no wallet).

    `other_kind` is `merchant` if an operator has approved them as one. `phone_is_proved`: it is known to be theirs.
    `phone` is None if it was a closed wallet's and has another owner now, who is told nothing of it.
    """

    user_id: UUID
    phone: str | None
    phone_is_proved: bool
    other_name: str | None
    other_kind: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Who tells: `contact` is a phone number or an address of ours, to report to; `brand` our name, '' for none.

    Both are fixed words of every template: what is registered has them in it.
    """

    contact: str
    brand: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A text and the name of its template."""

    template: str
    text: str


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


def debit_notice(debit: Debit, recipient: Recipient, sender: Sender, *, available: int) -> Notice:
    """What the owner is told of a debit; `available` is in minor units, as it is now."""
    when = debit.at.astimezone(INDIA)
    template = _DEBITS[debit.type]
    return _notice(
        template,
        sender,
        amount=rupees(debit.amount),
        fee=rupees(debit.fee),
        other=_other(recipient),
        date=f"{when:%d-%m-%Y}",
        time=f"{when:%H:%M}",
        available=rupees(available),
    )


def code_notice(code: str, purpose: str, sender: Sender, *, minutes: int, site: str) -> Notice:
    """A code for the phone, and what it is for (`register`, …). Browsers fill it in on `site` alone (WebOTP)."""
    notice = _notice("code", sender, code=code, purpose=_PURPOSES[purpose], minutes=str(minutes))
    return Notice(notice.template, f"{notice.text}\n\n@{site} #{code}") if site else notice


def pause_notice(sender: Sender, *, notices: int) -> Notice:
    """What the owner is told behind the last notice of a day, `notices` being how many there were."""
    return _notice("paused", sender, notices=str(notices))


def registered_text(template: str, sender: Sender) -> str:
    """A template as it is registered with the operators: each gap is `{#var#}`."""
    gaps = {name: "{#var#}" for _, name, _, _ in Formatter().parse(TEXTS[template]) if name}
    return _with_sender(TEXTS[template].format(**gaps), sender)


def _notice(template: str, sender: Sender, **gaps: str) -> Notice:
    return Notice(template, _with_sender(TEXTS[template].format(**gaps), sender))


def _with_sender(text: str, sender: Sender) -> str:
    return f"{text}{sender.contact} - {sender.brand}" if sender.brand else f"{text}{sender.contact}"


def rupees(amount: int) -> str:
    """Minor units as people in India read them: 12345678 is `1,23,456.78`."""
    whole, paise = divmod(amount, 100)
    head, tail = divmod(whole, 1000)
    groups = [f"{tail:03}"] if head else [str(tail)]
    while head:
        head, group = divmod(head, 100)
        groups.insert(0, f"{group:02}" if head else str(group))
    return f"{','.join(groups)}.{paise:02}"


def _other(recipient: Recipient) -> str:
    """An approved shop by its name; of others so much that somebody who knows them knows who it was."""
    name = recipient.other_name
    if name is None:
        return "somebody"
    in_full = recipient.other_kind == "merchant"
    return _in_gap(name if in_full else " ".join(f"{initial(word)}***" for word in name.split()))


def _in_gap(text: str) -> str:
    """As much of a text as a gap takes, cut between letters: a mark stays with its letter."""
    fitting, rest = "", text
    while rest and len(fitting) + len(initial(rest)) <= MAX_IN_GAP:
        fitting, rest = fitting + initial(rest), rest[len(initial(rest)) :]
    return fitting.rstrip()
