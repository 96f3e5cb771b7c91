"""What the page of the phone shows: messages, and orders with what came of them."""

from typing import Final

from local.gateway import fields
from local.gateway.failures import ApiError
from local.gateway.messages import Messages, shown
from local.gateway.person import NoSuchOrderError
from local.gateway.shapes import PAYEE_NAME, PAYEE_VPA, Json, Order, Payment, payment_ids_of
from local.gateway.store import Store

#: Older ones are opened by their id: a list is asked for every two seconds.
_LOOKED_THROUGH: Final = 1_000
_COUNT, _COUNT_MAX = 50, 500
_STATES: Final = ("open", "ended")
_UNKNOWN_PAYER: Final = "+910000000000"


class UnlistableError(Exception):
    """422: the query has a value that isn't known here."""


class Screen:
    """Looks, and changes nothing."""

    def __init__(self, store: Store, messages: Messages) -> None:
        """Take the memory and the messages."""
        self._store = store
        self._messages = messages

    def inbox(self, query: dict[str, str]) -> Json:
        """`count` messages (50), to one `phone` or to all, the newest first; whether there are more; the phones."""
        count = _count(query)
        found = self._messages.latest(query.get("phone"), count + 1)
        return {"data": found[:count], "more": len(found) > count, "phones": self._messages.phones(_COUNT_MAX)}

    def orders(self, query: dict[str, str]) -> Json:
        """`count` orders (50), the newest first, and whether there are more, among the newest 1,000.

        `state` is `open` (they wait for payment; the default) or `ended`; `phone` is whose. `reference` is what a UPI
        link has as `tr`, and finds the one order that it is a link of, whatever its state.
        """
        if "reference" in query:
            found = self._of_reference(query["reference"])
            return {"data": [] if found is None else [self._json(found)], "more": False}
        count, state, phone = _count(query), query.get("state", "open"), query.get("phone")
        if state not in _STATES:
            raise UnlistableError(f"state must be one of {', '.join(_STATES)}")
        listed: list[Json] = []
        for order in self._store.latest_orders(_LOOKED_THROUGH):
            if _is_open(order) != (state == "open"):
                continue
            told = self._json(order)
            if phone in (None, told["phone"]):
                listed.append(told)
            if len(listed) > count:
                break
        return {"data": listed[:count], "more": len(listed) > count}

    def order(self, order_id: str) -> Json:
        """Return one order, whatever its state."""
        order = self._store.order(order_id)
        if order is None:
            raise NoSuchOrderError(order_id)
        return self._json(order)

    def _of_reference(self, reference: str) -> Order | None:
        payments = (self._store.payment(payment_id) for payment_id in payment_ids_of(reference))
        payment = next((payment for payment in payments if payment is not None), None)
        return None if payment is None else self._store.order(payment.order_id)

    def _json(self, order: Order) -> Json:
        payments = self._store.payments_of(order.id)
        return {
            "id": order.id,
            "gateway": order.gateway,
            "amount": order.amount,
            "currency": order.currency,
            "payee": {"name": PAYEE_NAME, "vpa": PAYEE_VPA},
            "phone": _phone(order, payments),
            "status": order.status,
            "is_open": _is_open(order),
            "created_at": shown(order.created_at),
            "expires_at": shown(order.expires_at) if order.expires_at else None,
            "payments": [self._payment(payment) for payment in payments],
        }

    def _payment(self, payment: Payment) -> Json:
        return {
            "id": payment.id,
            "amount": payment.amount,
            "amount_refunded": payment.amount_refunded,
            "status": payment.status,
            "captured": payment.captured,
            "rrn": payment.rrn,
            "refunds": [
                {"id": refund.id, "amount": refund.amount, "status": refund.status}
                for refund in self._store.refunds_of(payment.id)
            ],
            "disputes": [
                {"id": dispute.id, "amount": dispute.amount, "status": dispute.status}
                for dispute in self._store.disputes_of(payment.id)
            ],
        }


def _is_open(order: Order) -> bool:
    return order.status != "paid" and not order.is_over


def _phone(order: Order, payments: list[Payment]) -> str | None:
    """Whose order it is: as the order says, or the payment that was begun with it. Cashfree's have ten digits."""
    contacts = [order.contact, *(payment.contact for payment in payments)]
    known = next((contact for contact in contacts if contact and contact != _UNKNOWN_PAYER), None)
    return known if known is None or known.startswith("+") else f"+91{known}"


def _count(query: dict[str, str]) -> int:
    try:
        count = fields.number(query, "count", default=_COUNT, most=_COUNT_MAX)
    except ApiError as error:
        raise UnlistableError(str(error)) from None
    if count == 0:
        raise UnlistableError("The count must be at least 1")
    return count
