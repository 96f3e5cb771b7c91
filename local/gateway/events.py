"""What has happened, told in the words of the gateway that the order was made with."""

from local.gateway.cashfree.events import told
from local.gateway.shapes import CASHFREE, Order, Payment, Refund
from local.gateway.webhooks import Event

#: Words of ours that Razorpay has another for, or none.
_RAZORPAYS_WORDS = {"payment.pending": "payment.authorized", "payment.dropped": None}


def happened(name: str, payment: Payment, *, order: Order | None = None, refund: Refund | None = None) -> list[Event]:
    """Return the events to send, none where the gateway tells nobody. Each is a snapshot of this moment."""
    if payment.gateway == CASHFREE:
        event = told(name, payment, refund)
        return [] if event is None else [event]
    word = _RAZORPAYS_WORDS.get(name, name)
    return [] if word is None else [Event(word, payment, order=order, refund=refund)]
