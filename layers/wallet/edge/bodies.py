"""What callers may send: every request body and query, strictly. Unknown fields are refused."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationInfo,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from wallet.edge.qr import read_payment_request_code, read_wallet_code
from wallet.edge.requests import Request
from wallet.edge.validation import Wanted
from wallet.identity import passwords, phones
from wallet.identity.phone_proofs.model import PasskeyPurpose, Purpose
from wallet.identity.phones import SignInPhone
from wallet.identity.sessions.model import SignIn, device_of
from wallet.ledger import characters, ids, vpa
from wallet.ledger.bulk import RowStatus
from wallet.ledger.holds import HoldStatus
from wallet.ledger.money import MAX_AMOUNT
from wallet.ledger.payees import AskedFor, PayeeName
from wallet.ledger.receipts import PartySide
from wallet.ledger.statements import MAX_SLOTS
from wallet.ledger.texts import check_text
from wallet.ledger.withdrawals import WithdrawalStatus
from wallet.payment_requests.model import RequestStatus, Terms
from wallet.storage.lists import ListRequest

_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")
_PLUS_LOST = re.compile(r".* [0-9]{2}:[0-9]{2}")
_CURSOR = re.compile(rf"e(0|[1-9][0-9]{{0,17}})(\.(0|[1-9][0-9]{{0,17}})){{0,{MAX_SLOTS - 1}}}")
_LINE_CURSOR = re.compile(r"l[1-9][0-9]{0,8}")
_DIGITS = re.compile(r"[1-9][0-9]{0,15}")
_A_TIME = "A time is RFC 3339 with a zone, like 2026-11-22T06:30:00Z or 2026-11-22T12:00:00+05:30."
_A_CURSOR = "A cursor is what next_cursor said, as it is; without one the list begins at its first page."
_A_PAYEE = (
    "A payee is a wallet's id (wal_…), a phone number with its calling code (its + written %2B), or what a wallet's QR"
    " code says (wallet:wal_…)."
)
# A text as it is sent, whatever it is read into.
_TEXT = {"type": "string"}
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def _like(example: JsonValue) -> FieldInfo:
    """What the API's document gives for it: of a field that may be absent, one that has this stands in the example."""
    info: FieldInfo = Field(examples=[example])
    return info


def _upto(most: int) -> dict[str, object]:
    """A whole number from 1, as it is sent."""
    return {"type": "integer", "minimum": 1, "maximum": most}


def _name(text: str) -> str:
    from wallet.ledger.names import normal_name  # noqa: PLC0415 - who registers waits for it, not who pays

    return normal_name(text)


def _approved_name(text: str) -> str:
    from wallet.ledger.names import normal_name  # noqa: PLC0415 - as above

    return normal_name(text, approved=True)


def _email(text: str) -> str:
    unseen = {characters.NO_TEXT, characters.INVISIBLE, characters.PRIVATE}
    if len(text) > 254 or not _EMAIL.fullmatch(text) or unseen & set(characters.kinds_of(text)):
        raise ValueError("An e-mail address looks like asha@example.com.")
    return text


def region_of(info: ValidationInfo) -> str:
    """Where phones are that name no country, as whoever validates says."""
    return str((info.context or {}).get("region", phones.NO_REGION))


def _phone(text: str, info: ValidationInfo) -> str:
    phone = phones.read(text, region=region_of(info))
    if phone is None:
        raise ValueError(phones.NO_PHONE)
    return phone


def _sign_in_phone(text: object, info: ValidationInfo) -> SignInPhone:
    phone = phones.read_sign_in(text, region=region_of(info)) if isinstance(text, str) else None
    if phone is None:
        raise ValueError(phones.NO_PHONE)
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


def _qr(text: str) -> UUID:
    wallet_id = read_wallet_code(text)
    if wallet_id is None:
        raise ValueError("That is no QR code of a wallet.")
    return wallet_id


def _payment_request(text: str) -> UUID:
    payment_request_id = read_payment_request_code(text)
    if payment_request_id is None:
        raise ValueError("That is no payment request: neither its id, nor its link or code.")
    return payment_request_id


def _time(text: object) -> datetime:
    if not isinstance(text, str):
        raise ValueError(_A_TIME)  # noqa: TRY004 - pydantic wants a ValueError
    if _PLUS_LOST.fullmatch(text) and _RFC_3339.fullmatch("+".join(text.rsplit(" ", 1))):
        raise ValueError("The + of this time arrived as a blank, as it does in an address: write it as %2B there.")
    if not _RFC_3339.fullmatch(text):  # `fromisoformat` takes more: weeks, times without a zone
        raise ValueError(_A_TIME)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):  # the first hours of the year 1 are before it in UTC
        raise ValueError("There is no such time: look at the day, the hour and the zone.") from None


def _reference(text: str) -> str:
    if ids.read(ids.PAYMENT_REQUEST, text) is not None:
        # whoever has asked goes by it: it is on what was paid on that request, and on nothing else
        raise ValueError("This is a payment request's id: pay what it asks for by `to.payment_request`.")
    return check_text(text)


def _whole(text: object) -> int:
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 9:
        raise PydanticCustomError("whole_number", "A whole number.")  # in what bounds, its field says
    return int(text)


def _cursor(text: object) -> tuple[int, ...]:
    known = isinstance(text, str) and _CURSOR.fullmatch(text) is not None
    numbers = tuple(int(number) for number in str(text)[1:].split(".")) if known else ()
    if not any(numbers):  # there is no next page where nothing is left
        raise ValueError(_A_CURSOR)
    return numbers


def _line_cursor(text: object) -> int:
    if not isinstance(text, str) or not _LINE_CURSOR.fullmatch(text):
        raise ValueError(_A_CURSOR)
    return int(text.removeprefix("l"))


def _cursor_of(prefix: str) -> BeforeValidator:
    def read(text: object) -> UUID:
        last = ids.read(prefix, text) if isinstance(text, str) else None
        if last is None:
            raise ValueError(_A_CURSOR)
        return last

    return BeforeValidator(read)


def _payee(cell: object, info: ValidationInfo) -> PayeeName:
    text = str(cell)
    wallet_id = ids.read(ids.WALLET, text)
    phone = phones.read(text, region=region_of(info)) if wallet_id is None else None
    if wallet_id is None and phone is None:
        raise ValueError(
            "A payee is a wallet's id (wal_…) or a phone number with its calling code, like +919876543210."
        )
    return PayeeName(wallet_id=wallet_id, phone=phone)


def _named(text: object, info: ValidationInfo) -> PayeeName:
    wallet_id = read_wallet_code(str(text))
    if wallet_id is not None:
        return PayeeName(wallet_id=wallet_id, phone=None)
    try:
        return _payee(text, info)
    except ValueError:
        raise ValueError(_A_PAYEE) from None


def _amount(cell: object) -> int:
    if not _DIGITS.fullmatch(str(cell)):  # no sign, point, exponent or grouping: a spreadsheet's rounding is no amount
        raise ValueError("An amount is a whole number of minor units (paise), in digits only.")
    return int(str(cell))


def _given(cell: object) -> object:
    return cell or None


Amount = Annotated[
    StrictInt,
    Field(ge=1, le=MAX_AMOUNT, description="Minor units (paise).", examples=[5000]),
    Wanted(f"A whole number of minor units (paise) from 1 to {MAX_AMOUNT}, as a JSON number: 5000 is 50 rupees."),
]
Name = Annotated[StrictStr, AfterValidator(_name), _like("Asha Rao"), Wanted("A name of 1 to 100 characters, as text.")]
# An operator has looked at it: words that nobody else may have in a name are allowed.
ApprovedName = Annotated[StrictStr, AfterValidator(_approved_name), Wanted("A name of 1 to 100 characters, as text.")]
Phone = Annotated[
    StrictStr,
    AfterValidator(_phone),
    _like("+919876543210"),
    Wanted("A phone number is international, like +919876543210, as text."),
]
RegisteredPhone = Annotated[
    SignInPhone,
    BeforeValidator(_sign_in_phone),
    _like("+919876543210"),
    Wanted("A phone number is international, like +919876543210, as text.", _TEXT),
]
WalletId = Annotated[
    UUID,
    BeforeValidator(lambda text: _wallet_id(text) if isinstance(text, str) else text),
    _like("wal_01kasf8v0yfmx9pmgfdt64tagq"),
    Wanted("A wallet's id, like wal_…, as text.", {"type": "string", "pattern": "^wal_[0-9a-z]{26}$"}),
]
QrWalletId = Annotated[
    UUID,
    BeforeValidator(lambda text: _qr(text) if isinstance(text, str) else text),
    Wanted("What a wallet's QR code says, like wallet:wal_…, as text.", _TEXT),
]
PaymentRequestId = Annotated[
    UUID,
    BeforeValidator(lambda text: _payment_request(text) if isinstance(text, str) else text),
    Wanted("A payment request's id, like prq_…, or what its code says, as text.", _TEXT),
]
Password = Annotated[
    StrictStr,
    AfterValidator(_password),
    _like("correct horse"),
    Wanted(f"A password of {passwords.MIN_LENGTH} to {passwords.MAX_LENGTH} characters, as text."),
]
AnyPassword = Annotated[StrictStr, Field(max_length=1024, examples=["correct horse"]), Wanted("The password, as text.")]
Email = Annotated[StrictStr, AfterValidator(_email), Wanted("An e-mail address, like asha@example.com, as text.")]
_A_CREDENTIAL: dict[str, JsonValue] = {
    "id": "mYkQ0nWc3VbT7uLx",
    "rawId": "mYkQ0nWc3VbT7uLx",
    "type": "public-key",
    "response": {
        "clientDataJSON": "eyJ0eXBlIjoi",
        "authenticatorData": "SZYN5YgOjGh0",
        "signature": "MEUCIQDx",
    },
    "clientExtensionResults": {},
}
_A_NEW_CREDENTIAL = {
    **_A_CREDENTIAL,
    "response": {"clientDataJSON": "eyJ0eXBlIjoi", "attestationObject": "o2NmbXRkbm9uZQ"},
}
Credential = Annotated[
    dict[str, JsonValue],
    _like(_A_CREDENTIAL),
    Wanted("What navigator.credentials gave, as its toJSON() has it: an object."),
]
PasskeyName = Annotated[
    StrictStr,
    Field(min_length=1, max_length=64, examples=["My phone"]),
    AfterValidator(check_text),
    Wanted("What you call it: a text of at most 64 characters."),
]
Code = Annotated[
    StrictStr, Field(pattern=r"^[0-9]{6}$", examples=["123456"]), Wanted("The six digits that were sent, as text.")
]
PhoneProof = Annotated[
    StrictStr,
    Field(min_length=1, max_length=200, examples=["the phone_proof of POST /phone-proofs/{id}"]),
    Wanted("The phone_proof of POST /phone-proofs/{id}, as text."),
]
RefreshToken = Annotated[
    StrictStr,
    Field(min_length=1, max_length=200, examples=["the refresh_token of POST /login"]),
    Wanted("The refresh_token of POST /login or POST /token, as text."),
]
Time = Annotated[datetime, BeforeValidator(_time), Wanted(_A_TIME)]
Description = Annotated[
    StrictStr, Field(max_length=200), AfterValidator(check_text), Wanted("A text of at most 200 characters.")
]
Reference = Annotated[
    StrictStr, Field(max_length=64), AfterValidator(_reference), Wanted("A text of at most 64 characters.")
]


Limit = Annotated[
    int,
    BeforeValidator(_whole),
    Field(ge=1, le=100),
    Wanted("A whole number from 1 to 100.", {"type": "integer", "minimum": 1, "maximum": 100}),
]
OwnKey = Annotated[str, Field(pattern=r"^[!-~]{1,64}$"), Wanted("An Idempotency-Key of yours.")]
StatementCursor = Annotated[tuple[int, ...], BeforeValidator(_cursor), Wanted(_A_CURSOR, _TEXT)]
Vpa = Annotated[
    StrictStr,
    Field(max_length=255, examples=["asha.rao@okbank"]),
    AfterValidator(lambda text: vpa.read(text) or text),
    Wanted("A UPI address, like asha@okbank, as text of at most 255 characters."),
]


class Body(BaseModel):
    """Strict, closed and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class RegisterBody(Body):
    """POST /register."""

    phone_proof: PhoneProof
    phone: Phone
    name: Name
    password: Password
    email: Email | None = None
    kind: Literal["personal", "merchant"] = "personal"
    replace: StrictBool = False


class CodeBody(Body):
    """POST /phone-proofs."""

    phone: Phone
    purpose: Annotated[
        Purpose, _like("register"), Wanted("One of register, sign_in, reset_password, unfreeze and change_phone.")
    ]


class ProofBody(Body):
    """POST /phone-proofs/{id}."""

    code: Code


class ConfirmationBody(Body):
    """POST /confirmations/{id}: one of the two."""

    code: Annotated[Code | None, _like("123456")] = None
    passkey: Credential | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.code is None) == (self.passkey is None):
            raise ValueError("Name one of code and passkey.")
        return self


class PasskeyBody(Body):
    """POST /passkeys."""

    name: PasskeyName
    credential: Annotated[Credential, _like(_A_NEW_CREDENTIAL)]


class ProofOptionsBody(Body):
    """POST /passkey-proofs/options."""

    purpose: Annotated[PasskeyPurpose, _like("sign_in"), Wanted("One of sign_in and reset_password.")]


class PasskeyProofBody(Body):
    """POST /passkey-proofs."""

    purpose: Annotated[PasskeyPurpose, _like("sign_in"), Wanted("One of sign_in and reset_password.")]
    passkey: Credential


class LoginBody(Body):
    """POST /login and POST /session.

    A password of any length is checked: a limit would tell something of the stored one.
    """

    phone: RegisteredPhone
    password: AnyPassword
    phone_proof: PhoneProof | None = None

    def sign_in(self, request: Request) -> SignIn:
        """What is shown, with from where and on what."""
        device = device_of(request.headers.get("user-agent", ""))
        return SignIn(self.phone, self.password, self.phone_proof, request.address, device)


class MeBody(Body):
    """PATCH /me: one of the two, or both; `email` null takes the address away."""

    name: Name | None = None
    email: Annotated[Email | None, _like("asha@example.com")] = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.name is None and "email" not in self.model_fields_set:
            raise ValueError("Name what is to be changed: name or email.")
        return self

    @property
    def new_email(self) -> str | None:
        """The address to come, '' for none, None if it stays."""
        return (self.email or "") if "email" in self.model_fields_set else None


class NewPhoneBody(Body):
    """POST /me/phone: the proof is of the new phone."""

    phone_proof: PhoneProof
    password: AnyPassword


class PasswordBody(Body):
    """POST /me/password."""

    old_password: AnyPassword
    new_password: Annotated[Password, _like("battery staple")]


class ResetBody(Body):
    """POST /password-resets."""

    phone_proof: PhoneProof
    new_password: Annotated[Password, _like("battery staple")]
    passkey: PhoneProof | None = None


class UnfreezeBody(Body):
    """POST /me/unfreeze."""

    phone_proof: PhoneProof


class TokenBody(Body):
    """POST /token and POST /logout."""

    refresh_token: RefreshToken


class TopUpBody(Body):
    """POST /top-ups."""

    amount: Annotated[Amount, _like(50_000)]


class PayeeRef(Body):
    """Who is paid, or looked up: by wallet, by phone, or by what the wallet's QR code says."""

    wallet_id: WalletId | None = None
    phone: Annotated[Phone | None, _like("+919876543211")] = None
    qr: QrWalletId | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        names = type(self).model_fields
        if sum(getattr(self, name) is not None for name in names) != 1:
            raise ValueError(f"Name the payee by exactly one of: {', '.join(names)}.")
        return self

    def named(self) -> PayeeName:
        """As a movement takes it: a QR code names a wallet."""
        return PayeeName(wallet_id=self.wallet_id or self.qr, phone=self.phone)


class PaymentPayeeRef(PayeeRef):
    """Who is paid by POST /payments: as ever, or who has asked for it."""

    payment_request: PaymentRequestId | None = None

    def payee(self) -> PayeeName | AskedFor:
        """As a payment takes it."""
        return AskedFor(self.payment_request) if self.payment_request is not None else self.named()


class PaymentBody(Body):
    """POST /payments."""

    to: Annotated[PaymentPayeeRef, Wanted('An object that names the payee, like {"phone": "+919876543210"}.')]
    amount: Amount
    description: Annotated[Description | None, _like("Tea")] = None
    reference: Annotated[Reference | None, _like("order-17")] = None

    @model_validator(mode="after")
    def _one_reference(self) -> Self:
        if self.to.payment_request is not None and self.reference is not None:
            raise ValueError("The reference of what was asked for is the payment request's id: leave it out.")
        return self


class PaymentRequestBody(Body):
    """POST /payment-requests. `expires_in` is in seconds: a week if absent, 90 days at most."""

    amount: Annotated[Amount | None, _like(5_000)] = None
    description: Annotated[Description | None, _like("Dinner")] = None
    expires_in: Annotated[
        StrictInt,
        Field(ge=60, le=7_776_000),
        Wanted("A whole number of seconds from 60 to 7776000 (90 days), as a JSON number."),
    ] = 604_800

    def terms(self) -> Terms:
        """As it is written down."""
        return Terms(self.amount, self.description, self.expires_in)


class RefundBody(Body):
    """POST /payments/{id}/refunds. Without an amount: what is left."""

    amount: Annotated[Amount | None, _like(2_000)] = None
    reason: Annotated[Description | None, _like("One cup was cold")] = None


class HoldBody(Body):
    """POST /holds. `expires_in` is in seconds: a week if absent, 30 days at most."""

    to: Annotated[PayeeRef, Wanted('An object that names the payee, like {"phone": "+919876543210"}.')]
    amount: Amount
    expires_in: Annotated[
        StrictInt,
        Field(ge=1, le=2_592_000),
        Wanted("A whole number of seconds from 1 to 2592000 (30 days), as a JSON number."),
    ] = 604_800
    description: Annotated[Description | None, _like("Deposit")] = None


class CaptureBody(Body):
    """POST /holds/{id}/capture. Without an amount: what is left. `final` false keeps the rest held."""

    amount: Annotated[Amount | None, _like(5_000)] = None
    final: StrictBool = True


class WithdrawalBody(Body):
    """POST /withdrawals. A text that is no VPA has a refusal of its own, and comes through as it is."""

    amount: Amount
    vpa: Vpa


AmountInQuery = Annotated[
    int,
    BeforeValidator(_amount),
    Field(le=MAX_AMOUNT),
    Wanted(
        f"A whole number of minor units (paise) from 1 to {MAX_AMOUNT}, in digits: 5000 is 50 rupees.",
        _upto(MAX_AMOUNT),
    ),
]


class PaymentPreviewQuery(Body):
    """GET /payments/preview. `to` is a wallet's id, a phone, or what a wallet's QR code says."""

    to: Annotated[PayeeName, BeforeValidator(_named), Wanted(_A_PAYEE, _TEXT)]
    amount: AmountInQuery


class WithdrawalPreviewQuery(Body):
    """GET /withdrawals/preview. A text that is no VPA comes through, as in POST /withdrawals."""

    amount: AmountInQuery
    vpa: Vpa


class EmptyBody(Body):
    """Routes that are told everything by their path."""


class BulkRowBody(Body):
    """One row of the file of POST /bulk-payments. Its cells are text; an empty one is none."""

    to: Annotated[
        PayeeName,
        BeforeValidator(_payee),
        _like("+919876543211"),
        Wanted("A wallet's id (wal_…) or an international phone number."),
    ]
    amount: Annotated[
        int,
        BeforeValidator(_amount),
        Field(le=MAX_AMOUNT, examples=[5000]),
        Wanted(f"An amount is {MAX_AMOUNT} at most."),
    ]
    description: Annotated[Description | None, BeforeValidator(_given), _like("Tea")]
    reference: Annotated[Reference | None, BeforeValidator(_given), _like("row-1")]


class BulkRowsQuery(Body):
    """GET /bulk-payments/{id}/rows. The cursor is the line of the last row of the page before."""

    limit: Annotated[
        int,
        BeforeValidator(_whole),
        Field(ge=1, le=1000),
        Wanted("A whole number from 1 to 1000.", {"type": "integer", "minimum": 1, "maximum": 1000}),
    ] = 100
    cursor: Annotated[int, BeforeValidator(_line_cursor), Wanted(_A_CURSOR, _TEXT)] | None = None
    status: RowStatus | None = None


class NoQuery(Body):
    """Routes without parameters."""


class WalletQuery(Body):
    """GET /wallet."""

    at: Time | None = None


class _ListQuery(Body):
    """What every list takes. The cursor of most is the id of the last one of the page before."""

    limit: Limit = 20
    key: OwnKey | None = None

    @model_validator(mode="after")
    def _key_alone(self) -> Self:
        if self.key is not None and len(self.model_fields_set - {"limit"}) > 1:
            raise ValueError("A key is asked for alone: what it has done is one thing at most.")
        return self


class WithdrawalsQuery(_ListQuery):
    """GET /withdrawals."""

    cursor: Annotated[UUID, _cursor_of(ids.WITHDRAWAL), Wanted(_A_CURSOR, _TEXT)] | None = None
    status: WithdrawalStatus | None = None


class TopUpsQuery(_ListQuery):
    """GET /top-ups."""

    cursor: Annotated[UUID, _cursor_of(ids.TOP_UP), Wanted(_A_CURSOR, _TEXT)] | None = None
    status: Literal["pending", "failed", "expired", "succeeded", "refunded"] | None = None


class HoldsQuery(_ListQuery):
    """GET /holds."""

    cursor: Annotated[UUID, _cursor_of(ids.HOLD), Wanted(_A_CURSOR, _TEXT)] | None = None
    side: PartySide | None = None
    status: HoldStatus | None = None


class PaymentRequestsQuery(Body):
    """GET /payment-requests."""

    limit: Limit = 20
    cursor: Annotated[UUID, _cursor_of(ids.PAYMENT_REQUEST), Wanted(_A_CURSOR, _TEXT)] | None = None
    status: RequestStatus | None = None


class PaymentsQuery(_ListQuery):
    """GET /payments. The cursor is a statement's."""

    cursor: StatementCursor | None = None
    side: PartySide | None = None
    status: Literal["completed"] | None = None


def asked_of(query: TopUpsQuery | HoldsQuery | PaymentRequestsQuery | WithdrawalsQuery) -> ListRequest:
    """As a store takes it."""
    key = None if isinstance(query, PaymentRequestsQuery) else query.key
    return ListRequest(query.cursor, query.status, key, query.limit)


class StatementQuery(Body):
    """GET /wallet/transactions."""

    limit: Limit = 20
    cursor: StatementCursor | None = None
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
            "chargeback",
            "chargeback_reversal",
        ]
        | None
    ) = None
