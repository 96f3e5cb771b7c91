"""What callers get, as types: mypy proves that each answer is one of them, and the API's document is written from them.

Nothing here is imported at run time: `shapes` makes these of our values, and doors name them, for the checker alone.
Amounts are minor units; a field that may be absent is `NotRequired`, one that may be null says `| None`.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, JsonValue
from pydantic.fields import FieldInfo
from typing_extensions import TypedDict

from wallet.ledger.attempts import AttemptStatus
from wallet.ledger.bulk import RowStatus
from wallet.ledger.holds import HoldStatus
from wallet.ledger.limits import LimitCode
from wallet.ledger.transactions import Side, TransactionType
from wallet.ledger.withdrawals import WithdrawalStatus
from wallet.payment_requests.model import RequestStatus

_DIGITS = "[0-9a-hjkmnp-tv-z]{26}"

Amount = Annotated[int, Field(description="Minor units (paise).", examples=[5000])]
Time = Annotated[
    str,
    Field(
        description="RFC 3339, in UTC, to the millisecond.",
        json_schema_extra={"format": "date-time"},
        examples=["2026-11-22T06:30:00.123Z"],
    ),
]
Currency = Annotated[str, Field(json_schema_extra={"enum": ["INR"]})]
UserId = Annotated[str, Field(pattern=f"^usr_{_DIGITS}$")]
WalletId = Annotated[str, Field(pattern=f"^wal_{_DIGITS}$")]
TopUpId = Annotated[str, Field(pattern=f"^top_{_DIGITS}$")]
PaymentId = Annotated[str, Field(pattern=f"^pay_{_DIGITS}$")]
RefundId = Annotated[str, Field(pattern=f"^rfd_{_DIGITS}$")]
HoldId = Annotated[str, Field(pattern=f"^hld_{_DIGITS}$")]
WithdrawalId = Annotated[str, Field(pattern=f"^wdr_{_DIGITS}$")]
TransactionId = Annotated[str, Field(pattern=f"^txn_{_DIGITS}$")]
BulkPaymentId = Annotated[str, Field(pattern=f"^blk_{_DIGITS}$")]
PaymentRequestId = Annotated[str, Field(pattern=f"^prq_{_DIGITS}$")]
SessionId = Annotated[str, Field(pattern=f"^ses_{_DIGITS}$")]
PhoneProofId = Annotated[str, Field(pattern=f"^prf_{_DIGITS}$")]
ConfirmationId = Annotated[str, Field(pattern=f"^cnf_{_DIGITS}$")]
PasskeyId = Annotated[str, Field(pattern=f"^psk_{_DIGITS}$")]
Kind = Annotated[str, Field(json_schema_extra={"enum": ["personal", "merchant"]})]


def _one_of(values: Iterable[str]) -> FieldInfo:
    """A text of ours that has these values: the checker sees a text, and the document which."""
    info: FieldInfo = Field(json_schema_extra={"enum": list(values)})
    return info


TopUpStatus = Annotated[str, _one_of(status for status in AttemptStatus if status is not AttemptStatus.CREATED)]
LimitName = Annotated[str, _one_of(LimitCode)]
EntryType = Annotated[str, _one_of(one for one in TransactionType if one not in ("suspense", "gather"))]


class Balance(TypedDict):
    """What is in a wallet: `total` is the sum of its entries, `held` is promised, `available` may be spent."""

    total: Amount
    held: Amount
    available: Amount


class Party(TypedDict):
    """One side of a payment, by the name they registered with."""

    wallet_id: WalletId
    name: str


class Payee(TypedDict):
    """Who would be paid; `merchant` is an approved one."""

    wallet_id: WalletId
    name: str
    kind: Kind


class LimitLeft(TypedDict):
    """A limit of the caller's own; `renews_at` is when all of it is there again, null if time does not bring it."""

    code: LimitName
    left: Amount
    renews_at: Time | None


# ------------------------------------------------------------------------------------------------------------ problems


class Fault(TypedDict):
    """A field that is at fault, and what is wanted there."""

    field: str
    message: str


class RequiredConfirmation(TypedDict):
    """What has to be confirmed before the same request goes through."""

    id: ConfirmationId
    methods: list[Annotated[str, _one_of(("passkey", "sms"))]]
    expires_at: Time


class Problem(TypedDict):
    """RFC 9457. `code` is stable; `type` leads to a page that explains it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: NotRequired[list[Fault]]
    limit: NotRequired[LimitLeft]
    confirmation: NotRequired[RequiredConfirmation]


# ------------------------------------------------------------------------------------------------------------ identity


class User(TypedDict):
    """A new user."""

    id: UserId
    phone: str
    name: str
    kind: Kind
    created_at: Time


class NewWallet(TypedDict):
    """A wallet that has just been made."""

    id: WalletId
    currency: Currency
    balance: Balance


class Registration(TypedDict):
    """A new user and their wallet."""

    user: User
    wallet: NewWallet


class Account(TypedDict):
    """The caller, as they are known."""

    id: UserId
    phone: str | None
    name: str
    email: str | None
    kind: Kind
    tier: str
    passkeys: int
    created_at: Time


class Access(TypedDict):
    """An access token, for so many seconds."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int


class Tokens(Access):
    """An access token, and what gets the next one."""

    refresh_token: str


class Session(TypedDict):
    """A place where somebody is signed in; `current` is where this was asked from."""

    id: SessionId
    device: str
    created_at: Time
    last_used_at: Time
    current: bool


class Sessions(TypedDict):
    """All that are open."""

    data: list[Session]


class SentCode(TypedDict):
    """A code is on its way; the next one may be asked for in so many seconds."""

    id: PhoneProofId
    expires_at: Time
    resend_after_s: int


class PhoneProof(TypedDict):
    """Good once, for that phone and purpose."""

    phone_proof: str
    expires_at: Time


class PasskeyProof(TypedDict):
    """What a passkey has proved, in the place of a phone's proof."""

    proof: str
    expires_at: Time


class ConfirmationCode(TypedDict):
    """A code is on its way, in a message that names amount and payee."""

    expires_at: Time
    resend_after_s: int


class NewPasskey(TypedDict):
    """A passkey."""

    id: PasskeyId
    name: str
    created_at: Time


class Passkey(NewPasskey):
    """A passkey, from when on it confirms, and when it last did."""

    usable_from: Time
    last_used_at: Time | None


class Passkeys(TypedDict):
    """All that the caller has."""

    data: list[Passkey]


class Unfreezing(TypedDict):
    """When one's own freeze ends."""

    unfreezes_at: Time


PublicKeyOptions = dict[str, JsonValue]
"""What `navigator.credentials` takes as `publicKey`, in JSON."""


# -------------------------------------------------------------------------------------------------------------- wallet


class Usage(TypedDict):
    """What counts towards the limits so far, of the Indian day, month and financial year."""

    debited_today: Amount
    debited_this_month: Amount
    loaded_this_month: Amount
    loaded_this_year: Amount


class Limits(TypedDict):
    """The wallet's limits by its tier; null is none."""

    tier: str
    max_balance: Amount | None
    max_top_up: Amount | None
    max_payment: Amount | None
    max_load_month: Amount | None
    max_load_year: Amount | None
    max_debit_day: Amount | None
    max_debit_month: Amount | None
    person_to_person: bool
    withdrawals: bool
    used: Usage


class Wallet(TypedDict):
    """A wallet as it stands, or its balance as it was at `as_of`.

    `unfreezes_at` is when a freeze by its owner ends, null if nobody has asked for that: POST /me/freeze calls it off.
    """

    id: WalletId
    currency: Currency
    balance: Balance
    kind: Kind
    approved: bool
    status: Annotated[str, _one_of(("active", "frozen", "closing", "closed"))]
    unfreezes_at: Time | None
    limits: Limits
    as_of: Time


class WalletCode(TypedDict):
    """How to be paid: `code` is what a payer sends as `to.qr`, `svg` its picture."""

    code: str
    svg: str


class WalletSide(TypedDict):
    """The other side is a wallet."""

    wallet_id: WalletId
    name: str


class GatewaySide(TypedDict):
    """The other side is a payment gateway."""

    gateway: str


class VpaSide(TypedDict):
    """The other side is a UPI address, masked."""

    vpa: str


class AccountSide(TypedDict):
    """The other side is an account of ours."""

    account: str


Counterparty = WalletSide | GatewaySide | VpaSide | AccountSide


class Entry(TypedDict):
    """One line of a statement. `rrn` and `utr` are what banks know it by, null as long as none is known."""

    id: TransactionId
    type: EntryType
    direction: Annotated[str, _one_of(Side)]
    amount: Amount
    balance_after: Amount
    counterparty: Counterparty
    description: str | None
    reference: str | None
    rrn: str | None
    utr: str | None
    created_at: Time


class WholeEntry(Entry):
    """One line, with what it belongs to."""

    payment_id: PaymentId | None
    refund_of: PaymentId | None
    hold_id: HoldId | None
    top_up_id: TopUpId | None
    withdrawal_id: WithdrawalId | None


class Statement(TypedDict):
    """A page of entries, newest first."""

    data: list[Entry]
    next_cursor: str | None


class StatementLink(TypedDict):
    """A month as a file: `url` opens for whoever has it until `expires_at`."""

    month: str
    complete: bool
    url: str
    expires_at: Time


# ------------------------------------------------------------------------------------------------------------- top-ups


class Upi(TypedDict):
    """How to pay by a UPI app: the gateway's own link, unaltered, and its picture."""

    intent_url: str
    qr_svg: str


class AnyTopUp(TypedDict):
    """What all shapes of a top-up have."""

    id: TopUpId
    status: TopUpStatus
    amount: Amount
    currency: Currency
    gateway: str
    gateway_order_id: str | None
    created_at: Time
    expires_at: Time


class NewTopUp(AnyTopUp):
    """A top-up that waits to be paid; `checkout` is what the gateway's own checkout needs."""

    checkout: dict[str, str | None]
    upi: NotRequired[Upi]


class ListedTopUp(AnyTopUp):
    """A top-up as it stands, in a list."""

    rrn: str | None


class TopUpEvent(TypedDict):
    """One step of a top-up's life."""

    at: Time
    status: TopUpStatus
    reason: NotRequired[str]


class TopUp(NewTopUp):
    """A top-up as it stands, how to pay it, and what happened."""

    rrn: str | None
    events: list[TopUpEvent]


class TopUps(TypedDict):
    """A page of top-ups, newest first."""

    data: list[ListedTopUp]
    next_cursor: str | None


# The functional form: `from` is no name in Python.
_PaymentParties = TypedDict("_PaymentParties", {"from": Party, "to": Party})


class AnyPayment(_PaymentParties):
    """What all shapes of a payment have."""

    id: PaymentId
    status: Literal["completed"]
    amount: Amount
    currency: Currency
    description: str | None
    reference: str | None
    transaction_id: TransactionId
    created_at: Time


class Payment(AnyPayment):
    """A payment, for payer and payee; `refunded` is what its refunds add up to."""

    refunded: Amount


class PaymentReceipt(AnyPayment):
    """A payment that has happened, with the payer's balance behind it.

    A key that is sent again long afterwards is answered from the ledger, which doesn't keep that.
    """

    balance: NotRequired[Balance]


class Payments(TypedDict):
    """A page of payments, newest first; it may be shorter than was asked for."""

    data: list[Payment]
    next_cursor: str | None


class Preview(TypedDict):
    """What would happen; it promises nothing."""

    fee: Amount
    total: Amount
    available_after: Annotated[int, Field(description="Minor units (paise); negative: it would be refused.")]
    limits: list[LimitLeft]
    confirmation: bool
    confirmation_paused_until: NotRequired[Time]
    waits_until: NotRequired[Time]


class Refund(TypedDict):
    """A refund that has happened, with the payee's balance behind it.

    A key that is sent again long afterwards is answered from the ledger, which doesn't keep that.
    """

    id: RefundId
    payment_id: PaymentId
    status: Literal["completed"]
    amount: Amount
    currency: Currency
    reason: str | None
    refunded: Amount
    transaction_id: TransactionId
    balance: NotRequired[Balance]
    created_at: Time


_Received = TypedDict("_Received", {"from": Party})


class ReceivedPayment(_Received):
    """A payment of a request, for who asked."""

    id: PaymentId
    amount: Amount
    created_at: Time


class ListedPaymentRequest(TypedDict):
    """What somebody asks for; `amount` null: as much and as often as payers like."""

    id: PaymentRequestId
    status: Annotated[str, _one_of(RequestStatus)]
    amount: Amount | None
    currency: Currency
    description: str | None
    to: Payee
    created_at: Time
    expires_at: Time


class PaymentRequest(ListedPaymentRequest):
    """A request, and what was paid on it as far as the caller may know; to its maker how it is handed on, too."""

    payments: list[ReceivedPayment]
    code: NotRequired[str]
    svg: NotRequired[str]
    url: NotRequired[str | None]


class PaymentRequests(TypedDict):
    """A page of one's own, newest first."""

    data: list[ListedPaymentRequest]
    next_cursor: str | None


# --------------------------------------------------------------------------------------------------------------- holds


_HoldParties = TypedDict("_HoldParties", {"from": Party, "to": Party})


class Hold(_HoldParties):
    """A promise; `captured` is what was paid of it."""

    id: HoldId
    status: Annotated[str, _one_of(HoldStatus)]
    amount: Amount
    captured: Amount
    currency: Currency
    description: str | None
    created_at: Time
    expires_at: Time


class HoldReceipt(Hold):
    """A hold that has just been placed, with the payer's balance behind it.

    A key that is sent again long afterwards is answered from the database, which doesn't keep that.
    """

    balance: NotRequired[Balance]


class Capture(Hold):
    """A hold behind a capture, and the payment that this made."""

    payment_id: PaymentId
    transaction_id: TransactionId


class Holds(TypedDict):
    """A page of holds, newest first."""

    data: list[Hold]
    next_cursor: str | None


# --------------------------------------------------------------------------------------------------------------- files


class BulkReceipt(TypedDict):
    """A file that is being paid."""

    id: BulkPaymentId
    status: Literal["running"]
    rows: int
    total: Amount
    currency: Currency
    created_at: Time


class BulkRetry(TypedDict):
    """A file whose refused rows wait again."""

    id: BulkPaymentId
    status: Annotated[str, _one_of(("running", "finished"))]
    retried: int


class Tally(TypedDict):
    """How many rows, and what they come to."""

    rows: int
    amount: Amount


class BulkPayment(TypedDict):
    """A file as it stands."""

    id: BulkPaymentId
    status: Annotated[str, _one_of(("running", "finished"))]
    rows: int
    total: Amount
    currency: Currency
    waiting: Tally
    paid: Tally
    refused: Tally
    created_at: Time
    finished_at: Time | None


class BulkRow(TypedDict):
    """What became of a row; `to` is its payee as the file names it."""

    line: int
    to: str
    amount: Amount
    description: str | None
    reference: str | None
    status: Annotated[str, _one_of(RowStatus)]
    refusal: str | None
    payment_id: PaymentId | None
    ended_at: Time | None


class BulkRows(TypedDict):
    """A page of rows, in the file's order."""

    data: list[BulkRow]
    next_cursor: str | None


# --------------------------------------------------------------------------------------------------------- withdrawals


class AnyWithdrawal(TypedDict):
    """What all shapes of a withdrawal have."""

    id: WithdrawalId
    status: Annotated[str, _one_of(WithdrawalStatus)]
    amount: Amount
    fee: Amount
    currency: Currency
    vpa: Annotated[str, Field(description="Masked.", examples=["as***@okbank"])]
    created_at: Time
    waits_until: NotRequired[Time]


class WithdrawalReceipt(AnyWithdrawal):
    """A withdrawal whose money has just been set aside, with the balance behind it.

    A key that is sent again is answered from the database later on, which doesn't keep that.
    """

    balance: NotRequired[Balance]


class Withdrawal(AnyWithdrawal):
    """A withdrawal as it stands; `reason` says why it failed or was reversed."""

    reason: NotRequired[str]
    utr: str | None


class Withdrawals(TypedDict):
    """A page of withdrawals, newest first."""

    data: list[Withdrawal]
    next_cursor: str | None


# ------------------------------------------------------------------------------------------------------------ gateways


class EventAnswer(TypedDict):
    """What became of a gateway's event."""

    status: Annotated[str, _one_of(("processed", "duplicate", "ignored"))]


# ----------------------------------------------------------------------------------------------------------- operators


class CommandAnswer(TypedDict):
    """What came of a command; what `result` has, docs/operations.md says."""

    status: str
    replayed: bool
    result: Any


# -------------------------------------------------------------------------------------------------------------- proofs


Proof = dict[str, JsonValue]
"""A transaction's proof, as docs/audit.md describes it."""


class ProofKey(TypedDict):
    """A public key, and how checkpoints are signed with it."""

    algorithm: Annotated[str, _one_of(("RSASSA-PKCS1-v1_5 with SHA-256",))]
    public_key: Annotated[str, Field(description="Base64 of its SubjectPublicKeyInfo (DER).")]
    sha256: Annotated[str, Field(description="Of that DER: what to compare.", pattern="^[0-9a-f]{64}$")]


class ProofKeys(TypedDict):
    """What checkpoints are signed with."""

    keys: list[ProofKey]
