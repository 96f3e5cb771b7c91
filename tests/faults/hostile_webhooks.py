"""Webhooks that no gateway sends: forged, cut short, about nothing of ours, or of something else than was asked for."""

import hashlib
import hmac
import json
import random
import time

import urllib3

from local.gateway.shapes import Payment, new_id
from tests.faults.history import History, Json, ToldEvent
from tests.faults.world import World

_TRIES = 5
_PAUSE_S = 0.7


def send(world: World, history: History, kind: str, top_up: Json, dice: random.Random) -> None:
    """Sends one about a top-up (its answer), again and again until it is answered, as gateways do, and keeps it."""
    order_id, amount, currency = top_up["gateway_order_id"], top_up["amount"], "INR"
    if kind == "unknown_order":
        order_id = new_id("order_")
    elif kind == "wrong_amount":
        amount += dice.choice((-1, 1, 100_000))
    elif kind == "wrong_currency":
        currency = "USD"
    payment = Payment(
        new_id("pay_"), order_id, amount, currency, int(time.time()), "payer@example.com", "+910000000000"
    )
    payment.status, payment.captured = "captured", True
    body = _body(world.api.stack["account_id"], payment)
    secret: str = world.api.stack["webhook_secret"]
    signature = _sign(body, secret if kind != "forged" else "not the secret")
    if kind in ("truncated", "cut_and_signed"):
        body = body[: dice.randint(1, len(body) - 1)]
    if kind == "cut_and_signed":
        signature = _sign(body, secret)
    status = _deliver(world, body, signature)
    counts = kind in ("unknown_order", "wrong_amount", "wrong_currency")
    history.tell(ToldEvent(kind, payment.id, order_id, amount, currency, counts, status))


def _body(account_id: str, payment: Payment) -> bytes:
    event = {
        "entity": "event",
        "account_id": account_id,
        "event": "payment.captured",
        "contains": ["payment"],
        "payload": {"payment": {"entity": payment.as_json()}},
        "created_at": payment.created_at,
    }
    return json.dumps(event, separators=(",", ":")).encode()


def _sign(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _deliver(world: World, body: bytes, signature: str) -> int | None:
    """The last status; None if there never was one."""
    status: int | None = None
    for _ in range(_TRIES):
        headers = {"X-Razorpay-Signature": signature, "X-Razorpay-Event-Id": new_id()}
        try:
            status = world.api.call("POST", "/webhooks/razorpay", raw=body, headers=headers, patience_s=10).status
        except urllib3.exceptions.HTTPError:
            status = None
        if status is not None and status < 500:
            break
        time.sleep(_PAUSE_S)
    return status
