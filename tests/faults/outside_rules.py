"""Rules about money that comes and goes: our books against the gateway's."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.faults.books_of_world import Row, shown
from tests.faults.evidence import Evidence, Rule, Violation

_INR = "INR"
#: How a withdrawal stands when its payout does.
_PAYOUTS = {
    "processed": "succeeded",
    "reversed": "reversed",
    "failed": "failed",
    "rejected": "failed",
    "cancelled": "failed",
}
_REFUNDS = {"processed": "succeeded", "failed": "failed", "pending": "pending"}


@dataclass(frozen=True, slots=True)
class _Arrival:
    """Money that came, or that a webhook with the right signature says came. `must`: whether it has to be booked."""

    payment_id: str
    order_id: str
    amount: int
    currency: str
    refunded: bool
    must: bool


def what_came_is_booked_once(evidence: Evidence) -> Iterator[Violation]:
    """Every captured payment was credited once, or sits in suspense for a reason that is true."""
    booked: defaultdict[str, list[Row]] = defaultdict(list)
    for row in evidence.ledger.transactions:
        if row["type"] in ("top_up", "suspense"):
            booked[row["gateway_payment_id"]].append(row)
    attempts = {row["gateway_order_id"]: row for row in evidence.ledger.attempts}
    credited = _credited(evidence)
    for came in _arrivals(evidence).values():
        own = booked.pop(came.payment_id, [])
        if not own and came.must:
            yield Violation("captured, not booked", came.payment_id, str(came))
        if len(own) > 1:
            yield Violation("booked twice", came.payment_id)
        for row in own:
            yield from _fits(came, row, attempts.get(came.order_id), credited)
    for payment_id, rows in booked.items():
        yield Violation("booked, never captured", payment_id, str(rows))


def _arrivals(evidence: Evidence) -> dict[str, _Arrival]:
    known = {
        event.payment_id: _Arrival(
            event.payment_id,
            event.order_id,
            event.amount,
            event.currency,
            refunded=False,
            must=event.status == 200,
        )
        for event in evidence.history.told_events
        if event.counts
    }
    for row in evidence.gateway.payments:
        if row["captured"]:
            known[row["id"]] = _Arrival(
                row["id"],
                row["order_id"],
                row["amount"],
                row["currency"],
                refunded=row["amount_refunded"] > 0,
                must=True,
            )
    return known


def _credited(evidence: Evidence) -> set[str]:
    """The attempts whose money is in a wallet, at once or by an operator out of suspense."""
    out_of_suspense = {row["cause_id"] for row in evidence.ledger.transactions if row["type"] == "adjustment"}
    return {
        row["attempt_id"]
        for row in evidence.ledger.transactions
        if row["type"] == "top_up" or row["id"] in out_of_suspense
    }


def _fits(came: _Arrival, row: Row, attempt: Row | None, credited: set[str]) -> Iterator[Violation]:
    if row["amount"] != came.amount or row["currency"] != came.currency:
        yield Violation("booked with another amount", came.payment_id, str(row))
    if row["type"] == "suspense":
        if not _is_true(row["suspense_reason"], came, attempt, credited):
            yield Violation("in suspense for no reason", came.payment_id, f"{row['suspense_reason']} {came}")
        return
    agrees = attempt is not None and (
        (row["attempt_id"], row["credited"], came.amount, came.currency)
        == (attempt["id"], attempt["wallet_id"], attempt["amount"], _INR)
    )
    if not agrees:
        yield Violation("credited, though it does not agree", came.payment_id, f"{row} {attempt}")


def _is_true(reason: str, came: _Arrival, attempt: Row | None, credited: set[str]) -> bool:
    if attempt is None:
        return reason == "unknown_order"
    truths: dict[str, bool] = {
        "currency_mismatch": came.currency != _INR,
        "amount_mismatch": came.amount != attempt["amount"],
        "order_already_paid": attempt["id"] in credited,
        "already_refunded": came.refunded,
    }
    return truths.get(reason, False)


def what_was_in_suspense_leaves_it_once(evidence: Evidence) -> Iterator[Violation]:
    """What operators credit, and what they send back, is never more than came; what a gateway gives back is its own."""
    left: Counter[str] = Counter()
    for row in evidence.ledger.transactions:
        if row["type"] == "adjustment":
            left[row["cause_id"]] += row["amount"]
    for row in evidence.ledger.source_refunds:
        if row["origin"] == "ours" and row["status"] != "failed":
            left[row["transaction_id"]] += row["amount"]
    came = {row["id"]: row["amount"] for row in evidence.ledger.transactions if row["type"] in ("suspense", "top_up")}
    for transaction_id, amount in left.items():
        if amount > came.get(transaction_id, 0):
            yield Violation("more left than came", transaction_id, f"{amount} {came.get(transaction_id)}")


def only_the_gateway_is_believed(evidence: Evidence) -> Iterator[Violation]:
    """A webhook whose signature is wrong, or that can't be read, is never told that it was taken."""
    for event in evidence.history.told_events:
        if not event.counts and event.status is not None and 200 <= event.status < 300:
            yield Violation("a false webhook was believed", event.payment_id, event.kind)


def payouts_agree(evidence: Evidence) -> Iterator[Violation]:
    """Each withdrawal has one payout at the most, of its amount, and stands as that does."""
    payouts: defaultdict[str, list[Row]] = defaultdict(list)
    for row in evidence.gateway.payouts:
        payouts[row["reference_id"]].append(row)
    for row in evidence.ledger.withdrawals:
        own = payouts.pop(shown("wdr", row["id"]), [])
        if len(own) > 1:
            yield Violation("paid out twice", row["id"], str(own))
        expected = _PAYOUTS.get(own[0]["status"], "pending") if own else "failed"
        if row["status"] != expected or any(payout["amount"] != row["amount"] for payout in own):
            yield Violation("a withdrawal disagrees with its payout", row["id"], f"{row} {own}")
    for reference in payouts:
        yield Violation("paid out, asked for by nobody", reference)


def withdrawals_are_booked_as_they_stand(evidence: Evidence) -> Iterator[Violation]:
    """The ledger has a withdrawal once if it was paid, and its return once if it came back; and no other."""
    wanted: Counter[tuple[str, str]] = Counter()
    for row in evidence.ledger.withdrawals:
        if row["status"] in ("succeeded", "reversed"):
            wanted[row["id"], "withdrawal"] += 1
        if row["status"] == "reversed":
            wanted[row["id"], "withdrawal_return"] += 1
    found = Counter(
        (row["withdrawal_id"], row["type"])
        for row in evidence.ledger.transactions
        if row["type"] in ("withdrawal", "withdrawal_return")
    )
    for difference in (wanted - found) + (found - wanted):
        yield Violation("a withdrawal is not booked as it stands", str(difference))


def refunds_agree(evidence: Evidence) -> Iterator[Violation]:
    """What went back from captured payments went back in our books, each refund once, and the other way round."""
    captured = {row["id"] for row in evidence.gateway.payments if row["captured"]}
    there = {row["id"]: row for row in evidence.gateway.refunds if row["payment_id"] in captured}
    here = {row["gateway_refund_id"]: row for row in evidence.ledger.source_refunds if row["gateway_refund_id"]}
    for refund_id, row in there.items():
        own = here.get(refund_id)
        if own is None:
            yield Violation("sent back, not in the books", refund_id, str(row))
        elif (own["amount"], own["gateway_payment_id"], own["status"]) != _as_ours(row):
            yield Violation("a refund disagrees with the gateway", refund_id, f"{own} {row}")
    for refund_id, row in here.items():
        if refund_id not in there:
            yield Violation("a refund that the gateway does not know", refund_id, str(row))
    for row in evidence.ledger.source_refunds:
        if row["status"] == "succeeded" and row["gateway_refund_id"] is None:
            yield Violation("a refund that the gateway does not know", row["id"])
    ours = Counter(row["receipt"] for row in there.values() if row["receipt"])
    for receipt, times in ours.items():
        if times > 1:
            yield Violation("sent back twice", receipt)


def _as_ours(refund: Mapping[str, object]) -> tuple[object, object, object]:
    return refund["amount"], refund["payment_id"], _REFUNDS[str(refund["status"])]


RULES: tuple[Rule, ...] = (
    what_came_is_booked_once,
    what_was_in_suspense_leaves_it_once,
    only_the_gateway_is_believed,
    payouts_agree,
    withdrawals_are_booked_as_they_stand,
    refunds_agree,
)
