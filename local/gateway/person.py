"""The person with the UPI app: pays, fails, pays twice, pays something else."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from local.gateway.events import happened
from local.gateway.refunds import auto_refund
from local.gateway.shapes import Json, Order, Payment, new_payment
from local.gateway.store import Store
from local.gateway.webhooks import Event, Outbox

_DUPLICATES_MAX = 100
_DELAY_MAX = 3_600
_EXTRA = 100

#: What a bank says most often.
_FAILURE = {
    "code": "BAD_REQUEST_ERROR",
    "description": "The payment did not go through: there is not enough money in the account",
    "source": "customer",
    "step": "payment_debit_request",
    "reason": "insufficient_funds",
}


class NoSuchOrderError(Exception):
    """404."""


class UnplayableError(Exception):
    """422: the request has a field or a value that isn't known here."""


class NotPayableError(Exception):
    """409: a paid order takes no further payment."""


@dataclass(frozen=True)
class Play:
    """What the person is to do, and how the events about it travel."""

    outcome: str
    duplicates: int = 0
    delay_s: float = 0.0
    out_of_order: bool = False

    @classmethod
    def read(cls, body: Json) -> "Play":
        """Read a request's body; UnplayableError names the first field that is wrong."""
        for name in body:
            if name not in ("outcome", "duplicates", "delay_s", "out_of_order"):
                raise UnplayableError(f"unknown field: {name}")
        outcome, duplicates = body.get("outcome"), body.get("duplicates", 0)
        delay, out_of_order = body.get("delay_s", 0), body.get("out_of_order", False)
        if not isinstance(outcome, str) or outcome not in _OUTCOMES:
            raise UnplayableError(f"outcome must be one of {', '.join(_OUTCOMES)}")
        if type(duplicates) is not int or not 0 <= duplicates <= _DUPLICATES_MAX:
            raise UnplayableError(f"duplicates must be a whole number from 0 to {_DUPLICATES_MAX}")
        if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= _DELAY_MAX:
            raise UnplayableError(f"delay_s must be a number of seconds from 0 to {_DELAY_MAX}")
        if not isinstance(out_of_order, bool):
            raise UnplayableError("out_of_order must be true or false")
        return cls(outcome, duplicates, float(delay), out_of_order)


class Person:
    """Plays on orders."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        """Take the memory and where events go."""
        self._store = store
        self._outbox = outbox

    def play(self, order_id: str, play: Play) -> Json:
        """Do it, and tell which payments there were (ids and statuses) and which events were sent (ids)."""
        with self._store.block():
            order = self._store.order(order_id)
            if order is None:
                raise NoSuchOrderError(order_id)
            if order.status == "paid" or order.is_over:
                raise NotPayableError(order_id)
            scene = _Scene(self._store, order)
            _OUTCOMES[play.outcome](scene)
            events = [] if play.outcome == "captured_without_webhook" else scene.events
            self._outbox.add(events, duplicates=play.duplicates, delay_s=play.delay_s, out_of_order=play.out_of_order)
        self._outbox.wake()
        return {
            "order_id": order.id,
            "payments": [{"id": payment.id, "status": payment.status} for payment in scene.payments],
            "events": [event.id for event in events],
        }


class _Scene:
    """One order, the payments made on it now, and the events about them."""

    def __init__(self, store: Store, order: Order) -> None:
        self._store = store
        self._order = order
        self.payments: list[Payment] = []
        self.events: list[Event] = []

    def pay(self) -> Payment:
        """Open the app: the intent that waits for it, or else (as through a checkout) a new payment."""
        waiting = [p for p in self._store.payments_of(self._order.id) if p.status == "created"]
        fresh = [payment for payment in waiting if payment not in self.payments]
        payment = fresh[-1] if fresh else self._new_payment()
        payment.vpa = "payer.simulator@upi"
        self.payments.append(payment)
        return payment

    def fail(self, payment: Payment) -> None:
        """Let the bank say no."""
        payment.status, payment.failure = "failed", dict(_FAILURE)
        self._keep(payment)
        self.events += happened("payment.failed", payment)

    def capture(self, payment: Payment) -> None:
        """Let the money arrive; the order is paid, and stays so."""
        payment.status, payment.failure = "authorized", {}
        payment.rrn = f"{secrets.randbelow(10**12):012d}"
        payment.upi_transaction_id = secrets.token_hex(16).upper()
        self.events += happened("payment.authorized", payment)
        payment.status, payment.captured = "captured", True
        first = self._order.status != "paid"
        if first:
            self._order.status, self._order.amount_paid = "paid", payment.amount - payment.surcharge
        self._keep(payment)
        self.events += happened("payment.captured", payment)
        if first:
            self.events += happened("order.paid", payment, order=self._order)

    def drop(self, payment: Payment) -> None:
        """Let the payer close the app."""
        payment.status, payment.failure = "failed", {}
        self._keep(payment)
        self.events += happened("payment.dropped", payment)

    def leave_pending(self, payment: Payment) -> None:
        """Let nobody know yet: the bank has not answered."""
        payment.status, payment.failure = "authorized", {}
        self._keep(payment)
        self.events += happened("payment.pending", payment)

    def refund_uncaptured(self, payment: Payment) -> None:
        """Let the money arrive too late to be captured: it is only authorised, and the gateway gives it back."""
        payment.status, payment.failure = "authorized", {}
        self.events += happened("payment.authorized", payment)
        self._keep(payment)
        self.events += auto_refund(self._store, payment)

    def _new_payment(self) -> Payment:
        order = self._order
        order.attempts += 1
        order.status = "attempted" if order.status == "created" else order.status
        return new_payment(order)

    def _keep(self, payment: Payment) -> None:
        self._store.keep_payment(payment)
        self._store.keep_order(self._order)


def _captured(scene: _Scene) -> None:
    scene.capture(scene.pay())


def _failed(scene: _Scene) -> None:
    scene.fail(scene.pay())


def _failed_then_captured(scene: _Scene) -> None:
    """Let one payment fail and succeed after all, as a retry inside the app or a late authorisation does."""
    payment = scene.pay()
    scene.fail(payment)
    scene.capture(payment)


def _captured_twice(scene: _Scene) -> None:
    scene.capture(scene.pay())
    scene.capture(scene.pay())


def _auto_refunded(scene: _Scene) -> None:
    scene.refund_uncaptured(scene.pay())


def _dropped(scene: _Scene) -> None:
    scene.drop(scene.pay())


def _pending(scene: _Scene) -> None:
    scene.leave_pending(scene.pay())


def _captured_with_surcharge(scene: _Scene) -> None:
    """Let the payer bear the gateway's fee: it comes on top of what the order asks for."""
    payment = scene.pay()
    payment.surcharge = payment.fee
    payment.amount += payment.surcharge
    scene.capture(payment)


def _amount_mismatch(scene: _Scene) -> None:
    """Let more arrive than was asked for, and nothing explain it."""
    payment = scene.pay()
    payment.amount += _EXTRA
    scene.capture(payment)


_OUTCOMES: dict[str, Callable[[_Scene], None]] = {
    "captured": _captured,
    "failed": _failed,
    "failed_then_captured": _failed_then_captured,
    "captured_without_webhook": _captured,
    "captured_twice": _captured_twice,
    "auto_refunded": _auto_refunded,
    "dropped": _dropped,
    "pending": _pending,
    "amount_mismatch": _amount_mismatch,
    "captured_with_surcharge": _captured_with_surcharge,
}

#: What the person can do.
OUTCOMES = tuple(_OUTCOMES)
