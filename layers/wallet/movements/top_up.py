"""Asking for money: an attempt to top up, and the gateway's order for it. Nothing is credited here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from wallet.gateways.port import Gateway, GatewayRejectedError, GatewayUnavailableError
from wallet.ledger import ids
from wallet.ledger.receipts import Payer, TopUp, TopUpState
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import top_ups
from wallet.storage.claims import Claim
from wallet.storage.database import Database

#: What Razorpay itself writes where a payer has no address; its API wants one.
_NO_EMAIL = "void@razorpay.com"


@dataclass(frozen=True, slots=True)
class TopUpRules:
    """How top-ups are handled here.

    `valid_s`: how long an attempt stays open; `first_check_s`: how old it is when the gateway is first asked about it;
    `upi_intent`: whether the gateway lets us make UPI intent links ourselves.
    """

    valid_s: int
    first_check_s: int
    upi_intent: bool


def open_top_up(
    database: Database,
    gateway: Gateway,
    new_id: Callable[[], UUID],
    rules: TopUpRules,
    *,
    claim: Claim,
    amount: int,
) -> tuple[TopUp, bool]:
    """Opens an attempt and has the gateway make its order; True if this key had done all of it before.

    Our row comes first, then the order under our row's id as its receipt, then the order's id in our row. Whatever is
    lost in between, the same key goes on from there: the gateway knows the receipt and gives the same order again.
    Raises `Refused`, or the gateway's errors: no money was asked for then. What the gateway refuses for good ends the
    attempt, and the same key is told so again without asking.
    """
    top_up, payer, replayed = top_ups.open_top_up(
        database,
        claim,
        attempt_id=new_id(),
        gateway=gateway.name,
        amount=amount,
        valid_s=rules.valid_s,
        first_check_s=rules.first_check_s,
    )
    if top_up.gateway != gateway.name:
        return top_up, replayed  # asked for before the gateway was changed: nothing is made of it any more
    if top_up.refused is not None:
        raise _refused(top_up.refused)
    try:
        if top_up.gateway_order_id is None:
            if top_up.is_over:
                raise Refused(
                    Refusal.IDEMPOTENCY_KEY_REUSED, "The top-up of this key is over: ask anew, with a new key."
                )
            top_up, replayed = _with_order(database, gateway, top_up, payer), False
        if rules.upi_intent and top_up.intent_url is None:
            top_up, replayed = _with_intent(database, gateway, top_up, payer), False
    except GatewayRejectedError as error:
        if not error.is_for_good:
            raise
        if not top_ups.refuse_attempt(database, top_up.id, order_id=top_up.gateway_order_id, reason=error.word):
            raise GatewayUnavailableError("the gateway refused what it took from another caller") from error
        raise _refused(error.word) from error
    return top_up, replayed


def show_top_up(database: Database, *, attempt_id: UUID, actor_id: UUID) -> TopUpState:
    """An attempt of the actor's own; to everybody else it is `not_found`."""
    state = top_ups.find_top_up(database, attempt_id=attempt_id, actor_id=actor_id)
    if state is None:
        raise Refused(Refusal.NOT_FOUND, "There is no such top-up of yours.")
    return state


def checkout_of(gateway: Gateway, top_up: TopUp) -> Mapping[str, str | None]:
    """What the gateway's own checkout needs; nothing for a top-up at a gateway that is not ours any more."""
    if top_up.gateway != gateway.name:
        return {}
    return gateway.checkout(order_id=top_up.gateway_order_id, session=top_up.checkout_session)


def receipt_of(attempt_id: UUID) -> str:
    """What the gateway knows an attempt by: its public id, 30 characters."""
    return ids.show(ids.TOP_UP, attempt_id)


def _refused(word: str) -> Refused:
    told = f"The payment gateway refuses this top-up: {word}. When that is mended, ask anew, with a new key."
    return Refused(Refusal.GATEWAY_REFUSED, told)


def _with_order(database: Database, gateway: Gateway, top_up: TopUp, payer: Payer) -> TopUp:
    order = gateway.create_order(
        receipt=receipt_of(top_up.id),
        amount_minor=top_up.amount,
        currency=top_up.currency,
        contact=payer.phone,
        expires_at=top_up.expires_at,
    )
    return _attached(database, top_up, order_id=order.order_id, checkout_session=order.checkout_session)


def _with_intent(database: Database, gateway: Gateway, top_up: TopUp, payer: Payer) -> TopUp:
    order_id = top_up.gateway_order_id or ""
    intent = gateway.upi_intent(
        order_id=order_id,
        amount_minor=top_up.amount,
        currency=top_up.currency,
        contact=payer.phone,
        email=payer.email or _NO_EMAIL,
    )
    return _attached(database, top_up, order_id=order_id, intent_url=intent.link)


def _attached(
    database: Database,
    top_up: TopUp,
    *,
    order_id: str,
    checkout_session: str | None = None,
    intent_url: str | None = None,
) -> TopUp:
    attached = top_ups.attach_order(
        database, top_up.id, order_id=order_id, checkout_session=checkout_session, intent_url=intent_url
    )
    if attached is None:
        raise GatewayUnavailableError("the gateway gave the order of another attempt")
    return attached
