"""What Cashfree says, for the scripted transport. Amounts are written as rupees, digit for digit."""

import json
import re

from tests.unit.gateways.scripted import Fields, Script
from wallet.gateways.cashfree.client import CashfreeGateway
from wallet.gateways.http import Answer

RECEIPT = "top_1"
SESSION = "session_Umbrella-000_1"


class Number(str):
    """A number as it is to be written, such as `250.00` or `1e2`."""

    __slots__ = ()


def written(value: object) -> bytes:
    """Write JSON in which a Number stands as it is."""
    numbers: list[str] = []

    def marked(part: object) -> object:
        if isinstance(part, Number):
            numbers.append(str(part))
            return f"\0{len(numbers) - 1}"
        if isinstance(part, dict):
            return {name: marked(inner) for name, inner in part.items()}
        return [marked(inner) for inner in part] if isinstance(part, list) else part

    text = json.dumps(marked(value), separators=(",", ":"))
    return re.sub(r'"\\u0000([0-9]+)"', lambda found: numbers[int(found[1])], text).encode()


def answer(body: object, status: int = 200, retry_after_s: int | None = None) -> Answer:
    return Answer(status, body if isinstance(body, bytes) else written(body), retry_after_s)


def refused(code: str, status: int = 400, kind: str = "invalid_request_error") -> Answer:
    return answer({"message": "no, said +919876543210", "code": code, "type": kind}, status)


def gateway(script: Script) -> CashfreeGateway:
    """Make an adapter that talks to this script, with the longest pauses."""
    return CashfreeGateway(script, clock=script.time.clock, sleep=script.time.sleep, uniform=lambda _, longest: longest)


def order(**changes: object) -> Fields:
    known: Fields = {
        "cf_order_id": "2149460581",
        "order_id": RECEIPT,
        "entity": "order",
        "order_amount": Number("250.00"),
        "order_currency": "INR",
        "order_status": "ACTIVE",
        "payment_session_id": SESSION,
        "order_tags": None,
    }
    return known | changes


def payment(**changes: object) -> Fields:
    known: Fields = {
        "cf_payment_id": "1453002795",
        "order_id": RECEIPT,
        "entity": "payment",
        "is_captured": True,
        "order_amount": Number("250.00"),
        "order_currency": "INR",
        "payment_amount": Number("250.00"),
        "payment_currency": "INR",
        "payment_status": "SUCCESS",
        "payment_message": "00::Transaction success",
        "error_details": None,
        "bank_reference": "234928698581",
        "payment_group": "upi",
    }
    return known | changes


def refund(**changes: object) -> Fields:
    known: Fields = {
        "cf_payment_id": "1453002795",
        "cf_refund_id": "11325632",
        "refund_id": "rfd_" + "0" * 25 + "7",
        "order_id": RECEIPT,
        "entity": "refund",
        "refund_amount": Number("50.00"),
        "refund_currency": "INR",
        "refund_status": "PENDING",
        "refund_type": "MERCHANT_INITIATED",
    }
    return known | changes
