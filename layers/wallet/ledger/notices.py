"""Messages to people: a notice of each debit of a wallet, which its owner gets by SMS or mail, and alerts.

Alerts tell of what happened to the account itself, and go to the phone whatever anybody has set.

Amounts, the other side's name as far as the owner needs it, the balance, and where to report what was not them: RBI's
rules on prepaid instruments ask for that in every alert. Never a phone, an address or an id that opens anything.

India's operators deliver only texts that were registered with them (TRAI's rules, DLT): fixed words with gaps, what
stands in a gap being 30 characters at most, and the sender's name in them. So each text here is one template.
"""

import re
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
    "chargeback": "Rs {amount} of a top-up that its payer's bank took back was taken from your wallet" + _END,
    "unclaimed": "Rs {amount} that was left in your wallet as it was closed was set aside for you" + _END,
    "paused": (
        "Today you were told of {notices} debits of your wallet; of more today you are not told by SMS: look at your"
        " statement. Not you? "
    ),
}

#: The texts of alerts, by the name of their template.
ALERT_TEXTS: Mapping[str, str] = {
    "new_device": "New sign-in to your wallet on {date} {time}, on a device that calls itself {device}. Not you? ",
    "password_changed": "Your wallet's password was changed on {date} {time}: other devices are signed out. Not you? ",
    "password_reset": "Your wallet's password was reset by a code on {date} {time}: devices are signed out. Not you? ",
    "frozen_by_owner": "Your wallet was frozen on {date} {time} as you asked: nothing leaves it. Not you? ",
    "unfreeze_requested": (
        "On {date} {time} you asked for the end of your wallet's freeze. It ends on {end_date} {end_time}. Not you?"
        " Freeze it again, and tell "
    ),
    "withdrawal_address": (
        "Rs {amount} goes from your wallet to a new UPI address on {end_date} at {end_time} or later. Not you? "
    ),
    "confirmation_failed": (
        "Five wrong codes were tried on your wallet on {date} {time}: what they were to confirm was not done. Not you? "
    ),
    "name_changed": "The name on your wallet was changed on {date} {time}, after a confirmation. Not you? ",
    "phone_changed": "Your wallet was moved from this phone to another one on {date} {time}. Not you? ",
    "passkey_added": "A passkey was added to your wallet on {date} {time}: it can confirm payments. Not you? ",
    "passkey_removed": "A passkey was removed from your wallet on {date} {time}: it confirms no more. Not you? ",
    "frozen_by_us": "We froze your wallet on {date} {time}: nothing leaves it until we have looked. Questions? ",
}

_CONFIRM_END = " Tell it to nobody: we never ask for it."

#: The texts of codes that confirm, by the name of their template: `confirm_` and what.
CONFIRMATION_TEXTS: Mapping[str, str] = {
    "confirm_payment": "{code} is your code to pay Rs {amount} to {payee} from your wallet." + _CONFIRM_END,
    "confirm_hold": "{code} is your code to hold Rs {amount} in your wallet for {payee}." + _CONFIRM_END,
    "confirm_withdrawal": "{code} is your code to withdraw Rs {amount} from your wallet to {payee}." + _CONFIRM_END,
    "confirm_new_passkey": "{code} is your code to add a passkey to your wallet." + _CONFIRM_END,
    "confirm_lost_passkey": "{code} is your code to remove a passkey from your wallet." + _CONFIRM_END,
    "confirm_new_name": "{code} is your code to change the name on your wallet to {payee}." + _CONFIRM_END,
    "confirm_new_phone": "{code} is your code to move your wallet to the phone that ends in {payee}." + _CONFIRM_END,
    "confirm_bulk_payment": (
        "{code} is your code to pay Rs {amount} in all from your wallet by a file of payments." + _CONFIRM_END
    ),
}

#: Every text, by the name of its template.
TEXTS: Mapping[str, str] = {
    **DEBIT_TEXTS,
    **ALERT_TEXTS,
    **CONFIRMATION_TEXTS,
    "code": "{code} is your code to {purpose}. Tell it to nobody: we never ask for it. Good for {minutes} minutes.",
}

# What a code is for, as it stands in the gap of its text.
_PURPOSES: Mapping[str, str] = {
    "register": "register this number",
    "sign_in": "sign in",
    "reset_password": "choose a new password",
    "unfreeze": "unfreeze your wallet",
    "change_phone": "have your wallet on this phone",
}

# What happened to the wallet in `wallet_id`, and the template that its owner is told with.
_DEBITS: Mapping[str, str] = {
    "PaymentCompleted": "payment",
    "HoldCaptured": "hold_captured",
    "PaymentRefunded": "refund",
    "WithdrawalSucceeded": "withdrawal",
    "WithdrawalCorrected": "withdrawal_corrected",
    "RefundToSourceSucceeded": "refund_to_source",
    "TopUpDisputeEnded": "chargeback",
    "MoneyUnclaimed": "unclaimed",
}

#: The types of events that take money from the wallet in `wallet_id`.
DEBITS = frozenset(_DEBITS)


# What happened to the account, and the template that its owner is told with. Of a freeze it is its reason's.
_ALERTS: Mapping[str, str] = {
    "SignedInOnNewDevice": "new_device",
    "PasswordChanged": "password_changed",
    "PasswordReset": "password_reset",
    "WalletFrozen": "frozen_by_us",
    "UnfreezeRequested": "unfreeze_requested",
    "WithdrawalAddressAdded": "withdrawal_address",
    "ConfirmationFailed": "confirmation_failed",
    "NameChanged": "name_changed",
    "PhoneChanged": "phone_changed",
    "PasskeyAdded": "passkey_added",
    "PasskeyRemoved": "passkey_removed",
}

#: The types of events that tell of an account what its owner must know.
ALERTS = frozenset(_ALERTS)

# Every browser begins with the same words; what differs stands behind them.
_BROWSER = re.compile(r"Mozilla/5\.0 \(([^)]+)\)")


class NobodyIsToldError(Exception):
    """An event that nobody is told of: the rule that sends it here is wrong."""


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
class Alert:
    """What an owner must know of their account, as a public event tells of it.

    `device` is what a client calls itself, `ends_at` when a freeze or a wait ends, `amount` in minor units, where that
    is what happened.
    """

    event_id: str
    type: str
    wallet_id: UUID
    template: str
    at: datetime
    device: str
    ends_at: datetime | None
    amount: int

    @property
    def to_former_phone(self) -> bool:
        """Whether it is for the phone of before: that of now may be a thief's."""
        return self.type == "PhoneChanged"


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


def read_event(event_type: str, detail: Mapping[str, Any]) -> Debit | Alert | None:
    """Reads the event from the bus; None if it took nothing after all. Raises NobodyIsToldError."""
    wallet_id = ids.read(ids.WALLET, str(detail.get("wallet_id")))
    if wallet_id is None or event_type not in DEBITS | ALERTS:
        raise NobodyIsToldError(event_type)
    return (_alert if event_type in ALERTS else _debit)(event_type, wallet_id, detail)


def _debit(event_type: str, wallet_id: UUID, detail: Mapping[str, Any]) -> Debit | None:
    data = detail["data"]
    # of a dispute it is what the wallet bore; a refund to a closed wallet was never in it
    amount = data["recovered"] if event_type == "TopUpDisputeEnded" else data["amount"]
    if amount == 0 or (event_type == "MoneyUnclaimed" and data["reason"] == "refund"):
        return None
    return Debit(
        event_id=detail["id"],
        type=event_type,
        wallet_id=wallet_id,
        other_wallet_id=ids.read(ids.WALLET, str(detail.get("other_wallet_id"))),
        amount=amount,
        # of the others the fee is the payee's
        fee=data["fee"] if event_type == "WithdrawalSucceeded" else 0,
        at=datetime.fromisoformat(detail["occurred_at"]),
    )


def _alert(event_type: str, wallet_id: UUID, detail: Mapping[str, Any]) -> Alert:
    data = detail["data"]
    ends_at = data.get("unfreezes_at") or data.get("waits_until")
    is_own_freeze = event_type == "WalletFrozen" and data.get("reason") == "owner"
    return Alert(
        event_id=detail["id"],
        type=event_type,
        wallet_id=wallet_id,
        template="frozen_by_owner" if is_own_freeze else _ALERTS[event_type],
        at=datetime.fromisoformat(detail["occurred_at"]),
        device=data.get("device", ""),
        ends_at=datetime.fromisoformat(ends_at) if ends_at else None,
        amount=data.get("amount", 0),
    )


def debit_notice(debit: Debit, recipient: Recipient, sender: Sender, *, available: int) -> Notice:
    """What the owner is told of a debit; `available` is in minor units, as it is now."""
    date, time = _in_india(debit.at)
    return _notice(
        _DEBITS[debit.type],
        sender,
        amount=rupees(debit.amount),
        fee=rupees(debit.fee),
        other=_other(recipient),
        date=date,
        time=time,
        available=rupees(available),
    )


def alert_notice(alert: Alert, sender: Sender) -> Notice:
    """What the owner is told of their account."""
    date, time = _in_india(alert.at)
    end_date, end_time = _in_india(alert.ends_at or alert.at)
    return _notice(
        alert.template,
        sender,
        date=date,
        time=time,
        device=_device(alert.device),
        end_date=end_date,
        end_time=end_time,
        amount=rupees(alert.amount),
    )


def code_notice(code: str, purpose: str, sender: Sender, *, minutes: int, site: str) -> Notice:
    """A code for the phone, and what it is for (`register`, …). Browsers fill it in on `site` alone (WebOTP)."""
    notice = _notice("code", sender, code=code, purpose=_PURPOSES[purpose], minutes=str(minutes))
    return _for_site(notice, code, site)


def confirmation_notice(code: str, kind: str, sender: Sender, *, amount: int, payee: str, site: str) -> Notice:
    """A code that confirms something (`kind`): how much (minor units), and to whom, for its owner to compare.

    A long VPA is cut in its middle: its bank stays to be seen.
    """
    shown = payee if len(payee) <= MAX_IN_GAP or "@" not in payee else f"{payee[:12]}..{payee[-16:]}"
    notice = _notice(f"confirm_{kind}", sender, code=code, amount=rupees(amount), payee=_in_gap(shown))
    return _for_site(notice, code, site)


def _for_site(notice: Notice, code: str, site: str) -> Notice:
    """With the last line by which browsers fill a code in on one site alone (WebOTP)."""
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


def _device(told: str) -> str:
    """What a client calls itself, as letters and digits: no address and no number to call.

    Whoever signs in chooses it: they would write our message, or have the operators drop it for an address in it.
    """
    browser = _BROWSER.match(told)
    words = re.sub(r"[^A-Za-z0-9]+", " ", browser[1] if browser else told)
    return _in_gap(re.sub(r"[0-9](?: ?[0-9]){6,}", "", words).strip()) or "unknown"


def _in_india(at: datetime) -> tuple[str, str]:
    """The day and the time of day."""
    there = at.astimezone(INDIA)
    return f"{there:%d-%m-%Y}", f"{there:%H:%M}"


def _in_gap(text: str) -> str:
    """As much of a text as a gap takes, cut between letters: a mark stays with its letter."""
    fitting, rest = "", text
    while rest and len(fitting) + len(initial(rest)) <= MAX_IN_GAP:
        fitting, rest = fitting + initial(rest), rest[len(initial(rest)) :]
    return fitting.rstrip()
