"""What is confirmed, by which rules, and the code for it."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from wallet.identity.sessions.model import Principal, subject_hash

_SETTING = re.compile(r"([a-z_]+)=([0-9]{1,15})")
#: What stands in a setting for rules that are kept in the database, by tier, and nowhere else.
BY_TIER = "by_tier"


class ConfirmationKind(StrEnum):
    """What is confirmed: what money goes out by, what could confirm the next time, and who somebody is."""

    PAYMENT = "payment"
    HOLD = "hold"
    WITHDRAWAL = "withdrawal"
    BULK_PAYMENT = "bulk_payment"
    NEW_PASSKEY = "new_passkey"
    LOST_PASSKEY = "lost_passkey"
    NEW_NAME = "new_name"
    NEW_PHONE = "new_phone"


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """How many codes that come to nothing are sent in a day to who asks in one session.

    To a user it is ten times as many, whatever comes of them. `pause_s`, in seconds, is before a confirmation's second
    code, and doubles before the third, which is the last.
    """

    per_day: int
    pause_s: int


@dataclass(frozen=True, slots=True)
class CodeQuotas:
    """What codes are counted under: a session, so that no thief in another one uses up the owner's, and the user."""

    session: bytes
    user: bytes

    @classmethod
    def of(cls, caller: Principal) -> Self:
        """Those of who asks."""
        return cls(
            subject_hash("confirmation codes in", str(caller.session_id)),
            subject_hash("confirmation codes of", str(caller.user_id)),
        )


@dataclass(frozen=True, slots=True)
class CodeToSend:
    """A code for a confirmation: whom to send it to, what it is for, and until when it is good.

    `amount` is in minor units. Of a withdrawal `payee` is the VPA, of a new name that, and of a new phone its last
    digits; a file of payments and a passkey have none.
    """

    phone: str
    kind: ConfirmationKind
    amount: int
    payee: str
    expires_at: datetime
    resend_after_s: int


@dataclass(frozen=True, slots=True)
class ConfirmationRules:
    """What of a tier's money out is confirmed; amounts in minor units, None is no such rule.

    A debit above `above`; one that brings the day's sum of unconfirmed ones above `day_above`; one above
    `new_payee_above` to somebody to whom none was confirmed before; each withdrawal to a VPA that is new (`new_vpa`).
    The first withdrawals to a VPA wait for `new_vpa_wait_s`, and after a reset of the password nothing is confirmed
    for `reset_wait_s`.
    """

    above: int | None = None
    day_above: int | None = None
    new_payee_above: int | None = None
    new_vpa: bool = False
    new_vpa_wait_s: int = 0
    reset_wait_s: int = 0

    @classmethod
    def read(cls, setting: str) -> Self | None:
        """The rules of a setting, for all tiers alike; None for those that are kept by tier. ValueError for any other.

        A setting is `none`, `by_tier`, or rules with commas between them: `above=0,new_vpa=1,new_vpa_wait_s=86400`.
        """
        if setting == BY_TIER:
            return None
        if setting == "none":
            return cls()
        rules: dict[str, int] = {}
        for text in setting.split(","):
            rule = _SETTING.fullmatch(text)
            if rule is None or rule[1] not in cls.__slots__ or rule[1] in rules:
                raise ValueError(
                    f"{text!r} is no rule, or one too many; they are NAME=WHOLE NUMBER, each once, of"
                    f" {', '.join(cls.__slots__)}; or none, or {BY_TIER}"
                )
            rules[rule[1]] = int(rule[2])
        if rules.get("new_vpa", 0) > 1:
            raise ValueError("new_vpa is 0 or 1")
        return cls(new_vpa=bool(rules.pop("new_vpa", 0)), **rules)
