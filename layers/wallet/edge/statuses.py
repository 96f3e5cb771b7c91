"""Every refusal and every accident, as HTTP: the one place that knows status codes."""

from dataclasses import dataclass, replace

from wallet.aws import FilesUnavailableError, SecretUnavailableError
from wallet.channels.evidence import EvidenceUnavailableError
from wallet.channels.port import ChannelUnavailableError
from wallet.gateways.port import GatewayRejectedError, GatewayUnavailableError
from wallet.ledger.refusals import Refusal
from wallet.storage.database import DatabaseUnavailableError


@dataclass(frozen=True, slots=True)
class Problem:
    """What a caller is told: a stable code, a status, and words for people. `retry_after_s` in seconds."""

    status: int
    code: str
    title: str
    detail: str
    retry_after_s: int | None = None


class TryAgainError(Exception):
    """Something that we need can't be reached. The same request is safe to repeat."""


_TOLD: dict[Refusal, tuple[int, str, str]] = {
    Refusal.NOT_FOUND: (404, "Not found", "There is nothing here for you."),
    Refusal.REQUEST_TOO_LARGE: (413, "Request too large", "The request is larger than this route takes."),
    Refusal.UNSUPPORTED_MEDIA_TYPE: (415, "Unsupported media type", "Send application/json."),
    Refusal.MALFORMED_BODY: (400, "Malformed body", "The body is not JSON that can be read."),
    Refusal.MISSING_TOKEN: (401, "Missing token", "This route needs a bearer token."),
    Refusal.INVALID_TOKEN: (401, "Invalid token", "The token is not valid, or no longer."),
    Refusal.CROSS_SITE: (
        403,
        "Cross site",
        "Sessions of browsers are for the pages of this site, which send the header X-Wallet: 1.",
    ),
    Refusal.NOT_AN_OPERATOR: (403, "Not an operator", "The signature is of nobody who operators are known as."),
    Refusal.SAME_PERSON: (403, "Same person", "Whoever asks can't approve: it takes another person."),
    Refusal.REQUEST_ENDED: (409, "Request ended", "The request was approved or cancelled, or is over after a day."),
    Refusal.TOO_MANY_ATTEMPTS: (429, "Too many attempts", "Wait before you try again."),
    Refusal.INVALID_CREDENTIALS: (401, "Invalid credentials", "Phone and password don't fit together."),
    Refusal.TOO_MANY_CODES: (429, "Too many codes", "Wait before you ask for another code."),
    Refusal.INVALID_CODE: (
        401,
        "Invalid code",
        "That is not the code that was sent last, or the passkey's answer doesn't fit. Five times wrong, begin anew.",
    ),
    Refusal.INVALID_PROOF: (
        401,
        "Invalid proof",
        "The proof of the phone is not valid any more, or for another phone or purpose: ask for another code.",
    ),
    Refusal.UNKNOWN_GATEWAY: (404, "Unknown gateway", "No such gateway is connected here."),
    Refusal.INVALID_SIGNATURE: (401, "Invalid signature", "The signature doesn't fit the body."),
    Refusal.MALFORMED_EVENT: (400, "Malformed event", "The body is no event that can be read."),
    Refusal.IDEMPOTENCY_KEY_REQUIRED: (
        400,
        "Idempotency key required",
        "This route moves money: send an Idempotency-Key header, a new one for each new intention.",
    ),
    Refusal.IDEMPOTENCY_KEY_INVALID: (
        400,
        "Idempotency key invalid",
        "An Idempotency-Key has 1 to 64 visible ASCII characters, and no blanks.",
    ),
    Refusal.INVALID_REQUEST: (
        422,
        "Invalid request",
        "The request can be read, but not all of it is as it must be: `errors` says where, and what is wanted.",
    ),
    Refusal.IDEMPOTENCY_KEY_IN_USE: (
        409,
        "Idempotency key in use",
        "The first request with this key is still running. Nothing has moved twice; ask again.",
    ),
    Refusal.IDEMPOTENCY_KEY_REUSED: (
        422,
        "Idempotency key reused",
        "This key belongs to another request of yours. Nothing has moved.",
    ),
    Refusal.PHONE_TAKEN: (
        409,
        "Phone taken",
        "There is an account with this phone. If it is not yours, `replace` takes the phone from it.",
    ),
    Refusal.OPERATOR_NEEDED: (
        403,
        "Operator needed",
        "A code to the phone is not enough for this account: somebody of ours must look at who you are.",
    ),
    Refusal.PROOF_NOT_READY: (
        409,
        "Proof not ready",
        "The transaction is under no published checkpoint yet; it will be in a minute or two.",
    ),
    Refusal.INVALID_VPA: (422, "Invalid VPA", "A UPI address looks like asha@okbank."),
    Refusal.PAYMENT_REQUEST_ENDED: (
        409,
        "Payment request ended",
        "It has been paid (perhaps by you, if an answer was lost), is over, or was cancelled.",
    ),
    Refusal.AMOUNT_DIFFERS: (422, "Amount differs", "The payment request is for another amount: pay that."),
    Refusal.HOLD_NOT_PLACED: (
        409,
        "Hold not placed",
        "Nothing can be captured of the hold now. It is captured, released or expired unless it is shown as placed.",
    ),
    Refusal.HOLD_NOT_DUE: (409, "Hold not due", "Only its payee may release a hold before it expires."),
    Refusal.CAPTURE_EXCEEDS_HOLD: (409, "Capture exceeds hold", "The hold has less left than that."),
    Refusal.WITHDRAWAL_SENT: (
        409,
        "Withdrawal sent",
        "Somebody may have been asked to pay it: it can't be cancelled any more.",
    ),
    Refusal.REFUND_EXCEEDS_PAYMENT: (
        409,
        "Refund exceeds payment",
        "The payment's refunds would add up to more than the payment.",
    ),
    Refusal.PAYEE_NOT_FOUND: (404, "Payee not found", "There is no wallet there to be paid."),
    Refusal.SELF_PAYMENT: (422, "Self payment", "Payer and payee are the same wallet."),
    Refusal.WALLET_FROZEN: (409, "Wallet frozen", "The wallet can't move money now."),
    Refusal.NOTHING_TO_WRITE_OFF: (
        409,
        "Nothing to write off",
        "The wallet is not being closed, or what is available of it can still go back to its source.",
    ),
    Refusal.TOO_MANY_OPEN_TOP_UPS: (
        429,
        "Too many open top-ups",
        "The wallet has as many top-ups that wait to be paid as it may have: pay one, or wait until one is over.",
    ),
    Refusal.TOO_MANY_BULK_PAYMENTS: (
        429,
        "Too many bulk payments",
        "As many files of yours are being paid as may be, or a day's rows are used up: wait until a file is finished.",
    ),
    Refusal.TOO_MANY_PAYMENT_REQUESTS: (
        429,
        "Too many payment requests",
        "As many as may be within a day were made: wait, or make one without an amount, which may be paid often.",
    ),
    Refusal.TOO_MANY_PASSKEYS: (409, "Too many passkeys", "You have ten passkeys: remove one first."),
    Refusal.NAME_CHANGED_LATELY: (409, "Name changed lately", "A name is changed once in 30 days."),
    Refusal.AMOUNT_OUT_OF_RANGE: (
        422,
        "Amount out of range",
        "The least is 100 paise. The most that a top-up may be is in GET /wallet, `limits.max_top_up`.",
    ),
    Refusal.INSUFFICIENT_FUNDS: (402, "Insufficient funds", "The wallet's available balance is too small."),
    Refusal.WALLET_LIMIT_EXCEEDED: (409, "Wallet limit exceeded", "A limit of the wallet forbids it."),
    Refusal.CONFIRMATION_REQUIRED: (
        403,
        "Confirmation required",
        "Confirm it as `confirmation` says, then send the same request, under its key if there is one. Nothing moved.",
    ),
    Refusal.CONFIRMATION_PAUSED: (
        403,
        "Confirmation paused",
        "Password or phone changed a short while ago: what needs a confirmation waits. Nothing has moved.",
    ),
    Refusal.CONFIRMATION_ENDED: (
        409,
        "Confirmation ended",
        "It was used, is over, or five codes were wrong: send the request again, and confirm that.",
    ),
    Refusal.TOO_MANY_LOOKUPS: (
        429,
        "Too many lookups",
        "You have asked after as many people as you may for now: nobody else is looked for until that is over.",
    ),
    Refusal.PAYEE_UNAVAILABLE: (
        409,
        "Payee unavailable",
        "This payee can't be paid this. Check who it is, and ask them; why is theirs to say.",
    ),
    Refusal.GATEWAY_REFUSED: (422, "Gateway refused", "The payment gateway refuses this, and will again."),
}

_RETRY_AFTER_S = {Refusal.IDEMPOTENCY_KEY_IN_USE: 1, Refusal.PROOF_NOT_READY: 60}

REFUSALS = {
    refusal: Problem(status, refusal.value, title, detail, _RETRY_AFTER_S.get(refusal))
    for refusal, (status, title, detail) in _TOLD.items()
}

TRY_AGAIN = Problem(
    503, "try_again", "Try again", "The service can't answer now; the same request is safe to repeat.", 2
)
GATEWAY_UNAVAILABLE = Problem(
    502, "gateway_unavailable", "Gateway unavailable", "No money was asked for; repeat with the same key.", 5
)
INTERNAL_ERROR = Problem(
    500, "internal_error", "Internal error", "Something is broken here; the same request is safe to repeat."
)

_ACCIDENTS: tuple[tuple[type[Exception], Problem], ...] = (
    (DatabaseUnavailableError, TRY_AGAIN),
    (SecretUnavailableError, TRY_AGAIN),
    (FilesUnavailableError, TRY_AGAIN),
    (EvidenceUnavailableError, TRY_AGAIN),
    (TryAgainError, TRY_AGAIN),
    (ChannelUnavailableError, TRY_AGAIN),
    (GatewayUnavailableError, GATEWAY_UNAVAILABLE),
    (GatewayRejectedError, GATEWAY_UNAVAILABLE),
)


def problem_of(accident: Exception) -> Problem:
    """What an accident looks like from outside: nothing of its inside."""
    for kind, problem in _ACCIDENTS:
        if isinstance(accident, kind):
            wished = accident.retry_after_s if isinstance(accident, GatewayUnavailableError) else None
            return replace(problem, retry_after_s=wished) if wished is not None else problem
    return INTERNAL_ERROR
