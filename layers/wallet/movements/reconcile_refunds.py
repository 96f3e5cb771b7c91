"""Refunds to source that are not at their end: asked for if the gateway does not have them yet, then asked about."""

from collections.abc import Callable, Iterator
from uuid import UUID

from wallet.gateways.port import Gateway, GatewayRejectedError, GatewayUnavailableError
from wallet.ledger import ids
from wallet.ledger.refunds import ObservedRefund, RefundNews, RefundStatus
from wallet.movements.reconcile import Findings
from wallet.movements.refund_to_source import book_refund
from wallet.storage import source_refunds
from wallet.storage.database import Database, DatabaseBrokenError
from wallet.storage.source_refunds import Claimed, OpenRefund

_BATCH = 100
_GIVE_UP_AFTER = 3

#: It is us that the gateway doesn't want, and not one refund.
_NOTHING_THERE = 404

#: So often a word that we don't know is waited out: a day and a half, if the first question came after five minutes.
_LONG_UNKNOWN = 12

_FOR_PEOPLE = (RefundNews.MISMATCH, RefundNews.CONTRADICTED, RefundNews.UNKNOWN_PAYMENT)


def reconcile_refunds(
    database: Database,
    gateway: Gateway,
    new_id: Callable[[], UUID],
    findings: Findings,
    *,
    first_check_s: int,
    time_left_s: Callable[[], float],
) -> None:
    """Sends what was set aside and not sent yet, and asks about the rest, as `reconcile` does for top-ups.

    Here alone a refund is asked for: whatever dies on the way, the next run finds its row and asks again, under the
    same reference.
    """
    unreachable = 0
    for refund, claimed in _due(database, gateway.name, first_check_s, time_left_s):
        findings.asked += 1
        try:
            if claimed is not Claimed.DISPUTED or not _give_up_disputed(database, gateway, refund):
                _ask(database, gateway, new_id, refund, findings)
        except GatewayUnavailableError:
            unreachable += 1
            findings.unreachable += 1
            source_refunds.release_check(database, refund, first_check_s=first_check_s)
            if unreachable >= _GIVE_UP_AFTER:
                return
        except GatewayRejectedError as error:
            if error.is_about_us:
                findings.count_refused_keys(error)
                findings.broken.append(f"{reference_of(refund)}: {error}")
                source_refunds.release_check(database, refund, first_check_s=first_check_s)
                return
            _rejected(database, gateway, new_id, refund, error, findings)
        except DatabaseBrokenError as error:
            findings.broken.append(f"{reference_of(refund)}: {error}")


def reference_of(refund: OpenRefund) -> str:
    """What the gateway knows a refund by: our public id, or its own id for one that we did not begin."""
    return ids.show(ids.REFUND, refund.id) if refund.ours else refund.gateway_refund_id or ""


def _due(
    database: Database, gateway: str, first_check_s: int, time_left_s: Callable[[], float]
) -> Iterator[tuple[OpenRefund, Claimed]]:
    while refunds := source_refunds.due_refunds(database, gateway=gateway, limit=_BATCH):
        for refund in refunds:
            if time_left_s() <= 0:
                return
            claimed = source_refunds.claim_check(database, refund, first_check_s=first_check_s)
            if claimed is not Claimed.TAKEN:
                yield refund, claimed


def _give_up_disputed(database: Database, gateway: Gateway, refund: OpenRefund) -> bool:
    """Ends a refund of a payment whose payer has its money back by a dispute, unless the gateway has made it already.

    It may have been asked for before the dispute was heard of, so it is looked for, and never asked for.
    """
    reference = reference_of(refund)
    found = gateway.find_refund(payment_id=refund.payment_id, order_id=refund.gateway_order_id, reference=reference)
    if found is None:
        source_refunds.reject_refund(database, refund, gateway=gateway.name, reason="payment_disputed")
    return found is None


def _ask(
    database: Database, gateway: Gateway, new_id: Callable[[], UUID], refund: OpenRefund, findings: Findings
) -> None:
    seen = _seen(gateway, refund)
    if seen is None:
        findings.broken.append(f"{reference_of(refund)}: the gateway has forgotten it")
    elif seen.status is RefundStatus.UNKNOWN:
        if refund.checks >= _LONG_UNKNOWN:  # its money stays held: somebody has to ask what the word means
            findings.broken.append(f"{reference_of(refund)}: the gateway's word for it is unknown")
    else:
        news = source_refunds.settle_refund(database, refund.id, seen, transaction_id=new_id())
        if news is RefundNews.MADE_AFTER_ALL:
            news = book_refund(database, new_id, seen)
        findings.booked += news is RefundNews.NEW
        if news in _FOR_PEOPLE:
            findings.broken.append(f"{reference_of(refund)}: {news}")


def _seen(gateway: Gateway, refund: OpenRefund) -> ObservedRefund | None:
    reference = reference_of(refund)
    if refund.gateway_refund_id is not None:
        return gateway.find_refund(payment_id=refund.payment_id, order_id=refund.gateway_order_id, reference=reference)
    return gateway.refund(
        payment_id=refund.payment_id,
        order_id=refund.gateway_order_id,
        reference=reference,
        amount_minor=refund.amount,
        currency=refund.currency,
    )


def _rejected(  # noqa: PLR0917 - one call, beside the loop that makes it
    database: Database,
    gateway: Gateway,
    new_id: Callable[[], UUID],
    refund: OpenRefund,
    error: GatewayRejectedError,
    findings: Findings,
) -> None:
    """A refusal ends a refund that the gateway never had; whatever else it refuses is a riddle for people.

    It may refuse because somebody has refunded the payment there before us, so it is asked who has.
    """
    if refund.gateway_refund_id is not None or error.http_status == _NOTHING_THERE:
        findings.broken.append(f"{reference_of(refund)}: {error}")
        return
    source_refunds.reject_refund(database, refund, gateway=gateway.name, reason=error.word)
    try:
        others = gateway.refunds_of(payment_id=refund.payment_id, order_id=refund.gateway_order_id)
    except (GatewayRejectedError, GatewayUnavailableError):
        return  # the webhooks tell it too
    for other in others:
        findings.booked += book_refund(database, new_id, other) is RefundNews.NEW
