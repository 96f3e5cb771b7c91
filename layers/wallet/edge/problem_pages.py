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
        "There were too many logins for this phone or from this address.",
        "Wait as long as `Retry-After` says.",
    ),
    "invalid_credentials": Page(
        "Invalid credentials",
        "Phone and password don't fit together, or nobody has this phone.",
        "Check both and try again.",
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
    "phone_taken": Page(
        "Phone taken",
        "Somebody has registered with this phone.",
        "Sign in, or register another phone.",
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
        "Somebody may have been asked to pay the withdrawal, or it has ended, so it can't be cancelled. "
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
    "too_many_lookups": Page(
        "Too many lookups",
        "Too many payees of one caller could not be paid within an hour, so no other payee is looked for. "
        "Nothing has moved.",
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
