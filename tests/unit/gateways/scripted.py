"""A transport that answers from a script, and time that passes only when somebody waits."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from wallet.gateways.http import Answer, Deadline
from wallet.gateways.port import GatewayUnavailableError
from wallet.gateways.razorpay.client import RazorpayGateway

Fields = dict[str, object]


class Time:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass(frozen=True)
class Sent:
    method: str
    path: str
    body: Fields | None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Script:
    """Answers requests in turn. A lost answer takes `seconds_lost` of the caller's time."""

    replies: list[Answer | GatewayUnavailableError]
    time: Time = field(default_factory=Time)
    seconds_lost: float = 0.0
    sent: list[Sent] = field(default_factory=list)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        deadline: Deadline,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        if deadline.seconds_left() <= 0:
            raise GatewayUnavailableError("no time left")
        self.sent.append(Sent(method, path, None if body is None else json.loads(body), dict(headers or {})))
        reply = self.replies.pop(0)
        if isinstance(reply, GatewayUnavailableError):
            self.time.now += min(self.seconds_lost, deadline.seconds_left())
            raise reply
        return reply

    def gateway(self, *, uniform: Callable[[float, float], float] | None = None) -> RazorpayGateway:
        """Make an adapter that talks to this script, with the longest pauses unless told otherwise."""
        return RazorpayGateway(
            self,
            public_key_id="rzp_test_script",
            clock=self.time.clock,
            sleep=self.time.sleep,
            uniform=uniform or (lambda _, longest: longest),
        )


def script(*replies: Answer | GatewayUnavailableError, seconds_lost: float = 0.0) -> Script:
    return Script(list(replies), seconds_lost=seconds_lost)


def answer(body: object, status: int = 200, retry_after_s: int | None = None) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, raw, retry_after_s)


def lost() -> GatewayUnavailableError:
    """Stand for an answer that never came: nobody knows whether the work was done."""
    return GatewayUnavailableError("no answer")


def refused(description: str, **more: object) -> Answer:
    return answer({"error": {"code": "BAD_REQUEST_ERROR", "description": description, **more}}, 400)


def order(**changes: object) -> Fields:
    known: Fields = {
        "id": "order_Umbrella000001",
        "entity": "order",
        "amount": 25_000,
        "amount_paid": 0,
        "amount_due": 25_000,
        "currency": "INR",
        "receipt": "top_1",
        "status": "created",
        "attempts": 0,
        "notes": [],
        "created_at": 1_795_000_000,
    }
    return known | changes


def payment(**changes: object) -> Fields:
    known: Fields = {
        "id": "pay_Umbrella000001",
        "entity": "payment",
        "amount": 25_000,
        "currency": "INR",
        "status": "captured",
        "order_id": "order_Umbrella000001",
        "method": "upi",
        "amount_refunded": 0,
        "refund_status": None,
        "captured": True,
        "vpa": None,
        "email": None,
        "notes": [],
        "error_code": None,
        "error_reason": None,
        "acquirer_data": {"rrn": "006516367819"},
        "created_at": 1_795_000_100,
    }
    return known | changes


def refund(**changes: object) -> Fields:
    known: Fields = {
        "id": "rfnd_Umbrella00001",
        "entity": "refund",
        "amount": 25_000,
        "currency": "INR",
        "payment_id": "pay_Umbrella000001",
        "notes": [],
        "receipt": None,
        "acquirer_data": {"arn": None},
        "created_at": 1_795_000_300,
        "batch_id": None,
        "status": "pending",
        "speed_processed": "normal",
        "speed_requested": "normal",
    }
    return known | changes


def listed(*items: Fields) -> Answer:
    return answer({"entity": "collection", "count": len(items), "items": list(items)})
