"""What has happened, told in the words of the gateway that the order was made with."""

from local.gateway.cashfree.events import told, told_of_dispute
from local.gateway.shapes import CASHFREE, Dispute, Order, Payment, Refund
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


def disputed(dispute: Dispute, payment: Payment, *, is_new: bool) -> list[Event]:
    """Return the events to send of a dispute's new state."""
    if payment.gateway == CASHFREE:
        return [told_of_dispute(dispute, payment, is_new=is_new)]
    word = "created" if dispute.status == "open" else dispute.status
    return [Event(f"payment.dispute.{word}", payment, dispute=dispute, at=dispute.told_at)]
