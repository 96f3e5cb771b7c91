"""What each problem's `type` leads to: a page that says what happened and what to do next, for each code.

`docs/problems.md` is the same in one document; a test compares the two, and both with the codes that there are.
"""

import re
from dataclasses import dataclass
from html import escape
from typing import Any

_LOCATION = "problems/"


@dataclass(frozen=True, slots=True)
class Page:
    """One code's page, in sentences of plain text."""

    title: str
    happened: str
    then: str


PAGES: dict[str, Page] = {
    "not_found": Page(
        "Not found",
        "There is no such route, or no such thing of yours. What belongs to others looks the same.",
        "Compare path and id with what created it, and check whose token you sent.",
    ),
    "missing_token": Page(
        "Missing token",
        "The route needs an access token and none came.",
        "Send `Authorization: Bearer …` with the `access_token` of POST /login or POST /token.",
    ),
    "invalid_token": Page(
        "Invalid token",
        "The token is forged, has expired, was used up, or its session has ended.",
        "Ask POST /token for a new access token. If that is refused too, sign in again.",
    ),
    "cross_site": Page(
        "Cross site",
        "A browser's session was asked for without the header X-Wallet: 1, or by a page of another site.",
        "Send `X-Wallet: 1`, from a page of the wallet's own site. An app asks POST /login instead.",
    ),
    "not_an_operator": Page(
        "Not an operator",
        "The request is signed by nobody who can be an operator: people are IAM users, and sessions of Identity Center "
        "or of the roles that the deployment names. Nothing has been done.",
        "Sign with the credentials of such a one, of the API's own account and with a name of at most 64 characters.",
    ),
    "idempotency_key_required": Page(
        "Idempotency key required",
        "The route moves money and the request had no Idempotency-Key. Nothing has moved.",
        "Make one key for each new intention, such as a UUID, and send the same key with each repetition of it.",
    ),
    "idempotency_key_invalid": Page(
        "Idempotency key invalid",
        "The Idempotency-Key has another form than 1 to 64 visible ASCII characters without blanks. Nothing has moved.",
        "Send a key of that form, once.",
    ),
    "request_too_large": Page(
        "Request too large",
        "The body is larger than its route takes: 16 KB, 2 MB for a file of payments, 256 KB for a gateway's event.",
        "Send less, or a file in several parts.",
    ),
    "unsupported_media_type": Page(
        "Unsupported media type",
        "The body is of a type that the route doesn't read.",
        "Send `Content-Type: application/json`; for a file of payments `text/csv`.",
    ),
    "malformed_body": Page(
        "Malformed body",
        "The body is no JSON in UTF-8, or could be read in two ways; a file is no text in UTF-8. `detail` says where.",
        "Send one JSON object, each field once.",
    ),
    "invalid_request": Page(
        "Invalid request",
        "The request can be read, but not all of it is as it must be. Nothing has moved.",
        "`errors` names each field or parameter at fault with what is wanted there.",
    ),
    "unknown_gateway": Page(
        "Unknown gateway",
        "A webhook came for a gateway that is not connected here.",
        "Register the webhook under the gateway's name as docs/gateways.md has it.",
    ),
    "invalid_signature": Page(
        "Invalid signature",
        "A webhook's signature doesn't fit its body.",
        "Compare the webhook's secret at the gateway with the stack's. Sign the bytes that are sent.",
    ),
    "malformed_event": Page(
        "Malformed event",
        "A gateway's event can't be read.",
        "Look at the event at the gateway. What it tells of is found by reconciliation all the same.",
    ),
    "too_many_attempts": Page(
        "Too many attempts",
        "There were too many sign-ins to this phone or from this address.",
        "Wait as long as `Retry-After` says, or sign in with a proof of the phone beside the password.",
    ),
    "too_many_codes": Page(
        "Too many codes",
        "A code was sent to this phone a moment ago, and each doubles the pause before the next; or too many are asked "
        "for, from this address or in all.",
        "Take the code that has come, if it is for the same purpose, or wait as long as `Retry-After` says.",
    ),
    "invalid_code": Page(
        "Invalid code",
        "That is not the code that was sent. It may have expired, or have been tried five times. Or a passkey answered"
        " what it was not asked, or once more.",
        "Look at the newest message and try again; if that is refused too, ask for another code where this one came"
        " from (POST /phone-proofs, or POST /confirmations/{id}/code), or for other options.",
    ),
    "invalid_proof": Page(
        "Invalid proof",
        "The `phone_proof` was used, has expired, or is for another phone or another purpose.",
        "Ask POST /phone-proofs for a code with the purpose that you need, and send its proof within fifteen minutes.",
    ),
    "invalid_credentials": Page(
        "Invalid credentials",
        "Phone and password don't fit together, or nobody has this phone.",
        "Check both and try again. A forgotten password is replaced by POST /password-resets.",
    ),
    "idempotency_key_reused": Page(
        "Idempotency key reused",
        "The key belongs to another request of yours. Nothing has moved.",
        "Take a new key for a new intention; repeat the old request unchanged to see its answer.",
    ),
    "idempotency_key_in_use": Page(
        "Idempotency key in use",
        "The first request with this key is still running. Nothing has moved twice.",
        "Repeat the same request with the same key after `Retry-After`.",
    ),
    "same_person": Page(
        "Same person",
        "Whoever asked for it wants to approve it; it takes another person, whatever roles they come by. "
        "Nothing has been done.",
        "Have somebody else approve it, within a day.",
    ),
    "request_ended": Page(
        "Request ended",
        "An operator's request was approved by somebody, or cancelled, or is older than a day. Nothing has been done.",
        "Look at what came of it, and ask anew, under a new key, if it is still wanted.",
    ),
    "phone_taken": Page(
        "Phone taken",
        "There is an account with this phone already. Nobody is told so but who has proved the phone.",
        "Sign in if it is yours. If the number was somebody else's before, register with `replace`: they lose it.",
    ),
    "operator_needed": Page(
        "Operator needed",
        "A code to the phone is not enough: nobody has signed in to its account for so long that the number may have"
        " another owner by now; or the account that you would replace is younger than 30 days, or frozen by operators.",
        "Send the proof of a passkey of the account as `passkey` with a reset, or ask the operator of the wallet, who"
        " looks at who you are.",
    ),
    "proof_not_ready": Page(
        "Proof not ready",
        "The transaction is under no published checkpoint yet.",
        "Ask again after `Retry-After`: a minute or two behind the payment it will be.",
    ),
    "invalid_vpa": Page(
        "Invalid VPA",
        "That is no UPI address. Nothing has moved.",
        "Send one like asha@okbank.",
    ),
    "self_payment": Page(
        "Self payment",
        "Payer and payee are the same wallet. Nothing has moved.",
        "Name another payee.",
    ),
    "payee_not_found": Page(
        "Payee not found",
        "There is no wallet there to be paid. Nothing has moved.",
        "Check the phone, the wallet's id or the code.",
    ),
    "hold_not_placed": Page(
        "Hold not placed",
        "Nothing can be taken of the hold now: it has ended, or can be asked for again later.",
        "GET /holds/{id} says how it stands. While it is `placed`, try later; else ask for a new one.",
    ),
    "payment_request_ended": Page(
        "Payment request ended",
        "It has been paid, its time is over, or whoever asked has cancelled it. This request has moved nothing; "
        "an earlier one of yours may have, if its answer was lost.",
        "GET /payment-requests/{id} says how it stands, and shows your own payment of it. Only if there is none, "
        "ask whoever sent it for a new one.",
    ),
    "amount_differs": Page(
        "Amount differs",
        "The payment request is for another amount than the payment. Nothing has moved, and the key is not used up.",
        "Pay the `amount` of GET /payment-requests/{id}.",
    ),
    "too_many_payment_requests": Page(
        "Too many payment requests",
        "100 requests for money were made within a day (50,000 of an approved merchant's).",
        "Wait for `Retry-After`. One without an amount may be paid often: a shop needs one, not one for each payer.",
    ),
    "hold_not_due": Page(
        "Hold not due",
        "The payer can't release a hold before it expires.",
        "Wait until `expires_at`, or ask the payee to release it.",
    ),
    "capture_exceeds_hold": Page(
        "Capture exceeds hold",
        "The hold has less left than what was to be captured. Nothing has moved.",
        "Capture what is left: `amount` less `captured`.",
    ),
    "withdrawal_sent": Page(
        "Withdrawal sent",
        "Somebody may have been asked to pay the withdrawal, or it has ended otherwise, so it can't be cancelled. "
        "Nothing has changed.",
        "Look at it with GET /withdrawals/{id}. If it fails, the money comes back to the wallet by itself.",
    ),
    "wallet_frozen": Page(
        "Wallet frozen",
        "The wallet can't move money now. Nothing has moved.",
        "Its owner asks the operator why, and until when.",
    ),
    "nothing_to_write_off": Page(
        "Nothing to write off",
        "The wallet is not being closed, or what is available of it can still go back to its source. Said to operators "
        "alone. Nothing has moved.",
        "Order `close` first, and again until nothing of it is `returnable`.",
    ),
    "too_many_open_top_ups": Page(
        "Too many open top-ups",
        "The wallet has as many top-ups that wait to be paid as it may have.",
        "Pay one, or wait as long as `Retry-After` says until one is over.",
    ),
    "too_many_bulk_payments": Page(
        "Too many bulk payments",
        "Five files of yours are being paid, or a day's rows are used up: 100,000 that are taken in or tried again "
        "(1,000,000 of an approved merchant's). Nothing has moved.",
        "Wait as long as `Retry-After` says, or until a file is finished, then repeat with the same key.",
    ),
    "too_many_passkeys": Page(
        "Too many passkeys",
        "An account has ten passkeys at most.",
        "Remove one that is no longer used with DELETE /passkeys/{id}, then add the new one.",
    ),
    "name_changed_lately": Page(
        "Name changed lately",
        "A name is changed once in 30 days: whoever is paid knows their payers by it.",
        "Wait as long as `Retry-After` says.",
    ),
    "amount_out_of_range": Page(
        "Amount out of range",
        "The amount is below 100 paise, or a top-up above what the wallet's tier allows. Nothing has moved.",
        "GET /wallet has the most that a top-up may be as `limits.max_top_up`.",
    ),
    "refund_exceeds_payment": Page(
        "Refund exceeds payment",
        "The payment's refunds would add up to more than the payment. Nothing has moved.",
        "GET /payments/{id} says what was `refunded`; refund at most the rest.",
    ),
    "insufficient_funds": Page(
        "Insufficient funds",
        "The wallet's available balance is too small. Nothing has moved.",
        "Top up, then repeat the same request with the same key.",
    ),
    "wallet_limit_exceeded": Page(
        "Wallet limit exceeded",
        "A limit of the wallet's tier forbids it. Nothing has moved.",
        "GET /wallet lists the limits and what of them is used. Send less, or wait for the next day or month.",
    ),
    "confirmation_required": Page(
        "Confirmation required",
        "It would go through, and is too much, or goes somewhere too new, to be believed without a second factor. "
        "Nothing has moved, and the key is not used up.",
        "Ask POST /confirmations/{id}/code for a code with the id in `confirmation`, compare amount and payee in the "
        "message, show the code to POST /confirmations/{id}, and send the same request, under its key if it has one.",
    ),
    "confirmation_paused": Page(
        "Confirmation paused",
        "The password was reset, or the phone changed, a short while ago, perhaps by somebody else: what needs a "
        "confirmation waits. Nothing has moved.",
        "Wait as long as `Retry-After` says, then send the same request with the same key. If it wasn't you, freeze "
        "the wallet with POST /me/freeze.",
    ),
    "confirmation_ended": Page(
        "Confirmation ended",
        "The confirmation was used, is over after fifteen minutes, or five codes for it were wrong.",
        "Send the request again with the same key: it says what to confirm now, or what it has come to.",
    ),
    "too_many_lookups": Page(
        "Too many lookups",
        "One caller, or one address, has asked after as many people as it may for now: by looking them up, by payees "
        "who could not be paid, or by paying many by phone. So nobody else is looked for. Nothing has moved.",
        "Wait as long as `Retry-After` says, check who is to be paid, then repeat with the same key.",
    ),
    "payee_unavailable": Page(
        "Payee unavailable",
        "This payee can't be paid this: nobody is there, or their wallet can't take it. Which of these it is, is "
        "theirs to say. Nothing has moved.",
        "Check phone, wallet or code with the payee. If they are right, the payee has to look at their own wallet.",
    ),
    "gateway_refused": Page(
        "Gateway refused",
        "The payment gateway refuses the top-up and will refuse it again; `detail` has its reason. No money was asked "
        "for, and the top-up has failed.",
        "Mend what the reason names, then ask with a new key.",
    ),
    "forbidden": Page(
        "Forbidden",
        "API Gateway or its firewall has turned the request away.",
        "Send less at once, and nothing that looks like an attack; else ask the operator, with `request_id`.",
    ),
    "too_many_requests": Page(
        "Too many requests",
        "The route gets more requests than it takes. Nothing was done.",
        "Repeat the same request with the same key after `Retry-After`.",
    ),
    "internal_error": Page(
        "Internal error",
        "Something is broken here.",
        "Repeat the same request with the same key, which moves money once; else tell the operator the `request_id`.",
    ),
    "gateway_unavailable": Page(
        "Gateway unavailable",
        "The payment gateway did not do its part. No money was asked for.",
        "Repeat the same request with the same key after `Retry-After`.",
    ),
    "try_again": Page(
        "Try again",
        "A part of the service can't be reached, or not in time.",
        "Repeat the same request with the same key after `Retry-After`: whatever has happened, it happens once.",
    ),
}


def page_of(code: str) -> str | None:
    """The page of a code as HTML, None if there is no such code."""
    page = PAGES.get(code)
    if page is None:
        return None
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(code)}</title></head><body>'
        f"<h1>{escape(page.title)}</h1><p><code>{escape(code)}</code></p>"
        f"<h2>What happened</h2><p>{_html(page.happened)}</p><h2>What to do next</h2><p>{_html(page.then)}</p>"
        "</body></html>\n"
    )


def _html(text: str) -> str:
    return re.sub("`([^`]*)`", r"<code>\1</code>", escape(text))


def document() -> str:
    """All pages as `docs/problems.md`."""
    sections = [f"## {code}\n\n{page.title}. {page.happened}\n\nNext: {page.then}\n" for code, page in PAGES.items()]
    return "\n".join([_HEAD, *sections])


_HEAD = """# Problems

Every "no" of the API is a problem document (RFC 9457). `code` is stable and what programs look at; `type` is an
address that explains it. The API itself answers there, under `GET /problems/{code}` without a token, unless the
deployment names another place (`ProblemBaseUrl`): [decision 37](decisions/0037-what-people-are-told.md).
Which status goes with which code: [the API](api.md#problems).
"""


def own_address(event: dict[str, Any]) -> str:
    """Where the API that this event came by explains its problems: an address for a code to be put behind.

    API Gateway names its domain and the whole path, of which the last parts are the route's: what is before them is the
    stage, or the path that a domain of one's own maps to it. Who names no domain (an emulator) is answered an address
    relative to the request's own.
    """
    told = event.get("requestContext") or {}
    parts = str(event.get("resource") or "/").count("/")
    domain, path = told.get("domainName"), told.get("path")
    if not domain or not path:
        return "./" + "../" * (parts - 1) + _LOCATION
    before = "/".join(str(path).rstrip("/").split("/")[:-parts])
    return f"https://{domain}{before}/{_LOCATION}"
