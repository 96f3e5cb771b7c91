"""Every expected "no", by name.

A refusal is an answer, not an accident: nothing has moved, and the caller can do something about it.
The value is the stable `code` of the public contract, and what the kernel in `schema/` returns as its
outcome. The order of the members is the order of precedence: where several apply, the first is given.
Accidents (a broken promise, a broken machine) are exceptions that end in `Error` instead.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wallet.ledger.limits import BrokenLimit


class Refusal(StrEnum):
    """The codes of the public contract, in order of precedence."""

    # whether there is such a thing, and who is asking
    NOT_FOUND = "not_found"
    MISSING_TOKEN = "missing_token"  # noqa: S105 - a code
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - a code
    CROSS_SITE = "cross_site"
    NOT_AN_OPERATOR = "not_an_operator"

    # the request, read from the outside in
    IDEMPOTENCY_KEY_REQUIRED = "idempotency_key_required"
    IDEMPOTENCY_KEY_INVALID = "idempotency_key_invalid"
    REQUEST_TOO_LARGE = "request_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    MALFORMED_BODY = "malformed_body"
    INVALID_REQUEST = "invalid_request"

    # an event of a gateway
    UNKNOWN_GATEWAY = "unknown_gateway"
    INVALID_SIGNATURE = "invalid_signature"
    MALFORMED_EVENT = "malformed_event"

    # whether they are who they say, and whether they have asked before
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    TOO_MANY_CODES = "too_many_codes"
    INVALID_CODE = "invalid_code"
    INVALID_PROOF = "invalid_proof"
    INVALID_CREDENTIALS = "invalid_credentials"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    IDEMPOTENCY_KEY_IN_USE = "idempotency_key_in_use"

    # what operators say to each other
    SAME_PERSON = "same_person"
    REQUEST_ENDED = "request_ended"

    # what the books say
    PHONE_TAKEN = "phone_taken"
    OPERATOR_NEEDED = "operator_needed"
    PROOF_NOT_READY = "proof_not_ready"
    INVALID_VPA = "invalid_vpa"
    SELF_PAYMENT = "self_payment"
    PAYMENT_REQUEST_ENDED = "payment_request_ended"
    AMOUNT_DIFFERS = "amount_differs"
    HOLD_NOT_PLACED = "hold_not_placed"
    HOLD_NOT_DUE = "hold_not_due"
    CAPTURE_EXCEEDS_HOLD = "capture_exceeds_hold"
    WITHDRAWAL_SENT = "withdrawal_sent"
    WALLET_FROZEN = "wallet_frozen"
    NOTHING_TO_WRITE_OFF = "nothing_to_write_off"
    TOO_MANY_OPEN_TOP_UPS = "too_many_open_top_ups"
    TOO_MANY_BULK_PAYMENTS = "too_many_bulk_payments"
    TOO_MANY_PAYMENT_REQUESTS = "too_many_payment_requests"
    TOO_MANY_PASSKEYS = "too_many_passkeys"
    NAME_CHANGED_LATELY = "name_changed_lately"
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
    REFUND_EXCEEDS_PAYMENT = "refund_exceeds_payment"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    WALLET_LIMIT_EXCEEDED = "wallet_limit_exceeded"

    # what others' wallets say, behind all that the caller's own says
    TOO_MANY_LOOKUPS = "too_many_lookups"
    PAYEE_NOT_FOUND = "payee_not_found"
    PAYEE_UNAVAILABLE = "payee_unavailable"
    # whether it is really its owner who asks: nobody is asked to confirm what would be refused
    CONFIRMATION_ENDED = "confirmation_ended"
    CONFIRMATION_PAUSED = "confirmation_paused"
    CONFIRMATION_REQUIRED = "confirmation_required"
    # what the gateway says, which is asked last
    GATEWAY_REFUSED = "gateway_refused"


@dataclass(frozen=True, slots=True)
class RequiredConfirmation:
    """What has to be confirmed before the same request goes through, by one of these methods, and until when."""

    id: UUID
    methods: tuple[str, ...]
    expires_at: datetime


class Refused(Exception):  # noqa: N818 - a refusal is not an error; see the module's text
    """Raised by a movement that says no; the atomic block, if one is open, is rolled back.

    `detail` is for the caller and holds nothing internal; `retry_after_s` is in seconds;
    `fields` names the offending fields of a request body with a message each; `limit` is the one of the caller's own
    that `wallet_limit_exceeded` is about, and `confirmation` what `confirmation_required` asks for.
    """

    def __init__(
        self,
        refusal: Refusal,
        detail: str | None = None,
        *,
        retry_after_s: int | None = None,
        fields: tuple[tuple[str, str], ...] = (),
        limit: BrokenLimit | None = None,
        confirmation: RequiredConfirmation | None = None,
    ) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.fields = fields
        self.limit = limit
        self.confirmation = confirmation
