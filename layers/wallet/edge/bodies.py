"""What callers may send: every request body and query, strictly. Unknown fields are refused."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    model_validator,
)

from wallet.identity import passwords, phones
from wallet.ledger import ids
from wallet.ledger.money import MAX_AMOUNT

# Signs that belong in names of people and shops, beside letters, marks, digits and blanks.
_NAME_SIGNS = frozenset(".,'’-&()/+·\u200c\u200d")  # with the joiners that Indic scripts need
_NAME_CATEGORIES = ("L", "M", "N")
_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def _name(text: str) -> str:
    text = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(text) <= 100:
        raise ValueError("A name has 1 to 100 characters.")
    for sign in text:
        if sign != " " and sign not in _NAME_SIGNS and unicodedata.category(sign)[0] not in _NAME_CATEGORIES:
            raise ValueError("A name has letters, digits, blanks and . , ' - & ( ) / + only.")
    if not any(unicodedata.category(sign)[0] in ("L", "N") for sign in text):
        raise ValueError("A name has a letter or a digit.")  # or it could be all joiners, which nobody sees
    return text


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _text(text: str) -> str:
    """No control characters, and none that turn the direction of what stands beside them in a statement."""
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Cn") or sign in _TURNING for sign in text):
        raise ValueError("Control characters are not text.")
    return text


def _email(text: str) -> str:
    if len(text) > 254 or not _EMAIL.fullmatch(text) or any(unicodedata.category(sign)[0] == "C" for sign in text):
        raise ValueError("An e-mail address looks like asha@example.com.")
    return text


def _phone(text: str) -> str:
    phone = phones.normalise(text) if len(text) <= 32 else None
    if phone is None:
        raise ValueError("A phone number is international, like +919876543210.")
    return phone


def _password(text: str) -> str:
    if not passwords.MIN_LENGTH <= len(text) <= passwords.MAX_LENGTH:
        raise ValueError(f"A password has {passwords.MIN_LENGTH} to {passwords.MAX_LENGTH} characters.")
    return text


def _wallet_id(text: str) -> UUID:
    wallet_id = ids.read(ids.WALLET, text)
    if wallet_id is None:
        raise ValueError("A wallet's id looks like wal_….")
    return wallet_id


def _time(text: object) -> datetime:
    if not isinstance(text, str):
        raise ValueError("A time is RFC 3339 text.")  # noqa: TRY004 - pydantic wants a ValueError
    if not _RFC_3339.fullmatch(text):  # `fromisoformat` takes more: weeks, times without a zone
        raise ValueError("A time is RFC 3339, like 2026-11-22T06:30:00Z.")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):  # the first hours of the year 1 are before it in UTC
        raise ValueError("There is no such time.") from None


def _whole(text: object) -> int:
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ValueError("A whole number.")
    return int(text)


def _cursor(text: object) -> int:
    number = _whole(text.removeprefix("e")) if isinstance(text, str) and text.startswith("e") else 0
    if number < 1:
        raise ValueError("A cursor is what next_cursor said.")
    return number


Amount = Annotated[StrictInt, Field(ge=1, le=MAX_AMOUNT, description="Minor units (paise).")]
Name = Annotated[StrictStr, AfterValidator(_name)]
Phone = Annotated[StrictStr, AfterValidator(_phone)]
WalletId = Annotated[UUID, BeforeValidator(lambda text: _wallet_id(text) if isinstance(text, str) else text)]
Password = Annotated[StrictStr, AfterValidator(_password)]
Email = Annotated[StrictStr, AfterValidator(_email)]
RefreshToken = Annotated[StrictStr, Field(min_length=1, max_length=200)]
Time = Annotated[datetime, BeforeValidator(_time)]


class Body(BaseModel):
    """Strict, closed and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class RegisterBody(Body):
    """POST /register."""

    phone: Phone
    name: Name
    password: Password
    email: Email | None = None
    kind: Literal["personal", "merchant"] = "personal"


class LoginBody(Body):
    """POST /login. A password of any length is checked: a limit would tell something about the stored one."""

    phone: Phone
    password: Annotated[StrictStr, Field(max_length=1024)]


class TokenBody(Body):
    """POST /token and POST /logout."""

    refresh_token: RefreshToken


class TopUpBody(Body):
    """POST /top-ups."""

    amount: Amount


class Payee(Body):
    """Who is paid: by wallet or by phone, one of the two."""

    wallet_id: WalletId | None = None
    phone: Phone | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.wallet_id is None) == (self.phone is None):
            raise ValueError("Name the payee by wallet_id or by phone, one of the two.")
        return self


class PaymentBody(Body):
    """POST /payments."""

    to: Payee
    amount: Amount
    description: Annotated[StrictStr, Field(max_length=200), AfterValidator(_text)] | None = None
    reference: Annotated[StrictStr, Field(max_length=64), AfterValidator(_text)] | None = None


class NoQuery(Body):
    """Routes without parameters."""


class StatementQuery(Body):
    """GET /wallet/transactions."""

    limit: Annotated[int, BeforeValidator(_whole), Field(ge=1, le=100)] = 20
    cursor: Annotated[int, BeforeValidator(_cursor)] | None = None
    since: Annotated[Time | None, Field(alias="from")] = None
    until: Annotated[Time | None, Field(alias="to")] = None
    type: (
        Literal[
            "top_up",
            "payment",
            "refund",
            "hold_capture",
            "withdrawal",
            "withdrawal_return",
            "refund_to_source",
            "fee",
            "adjustment",
        ]
        | None
    ) = None
