"""Rules about how everything stands at the end: balances, and nothing that waits for what will not come."""

from collections import Counter
from collections.abc import Iterator

from tests.faults.evidence import Evidence, Rule, Violation

#: Kinds of transactions that need no request: other rules say what they follow from.
_KNOWN_TYPES = frozenset(
    {
        "top_up",
        "suspense",
        "payment",
        "refund",
        "hold_capture",
        "withdrawal",
        "withdrawal_return",
        "refund_to_source",
        "adjustment",
        "chargeback",
        "chargeback_reversal",
        "fee",
        "gather",
    }
)


def balances_are_their_postings(evidence: Evidence) -> Iterator[Violation]:
    """Reckoned here, and not with the product's own queries: each wallet has what came in less what went out."""
    sums: Counter[str] = Counter()
    for row in evidence.ledger.transactions:
        if row["debited"] is None or row["credited"] is None:
            yield Violation("a transaction has one side", row["id"])
        sums[row["debited"]] -= row["amount"]
        sums[row["credited"]] += row["amount"]
    for row in evidence.ledger.wallets:
        if row["balance"] != sums[row["id"]]:
            yield Violation("a balance is not its postings", row["id"], f"{row['balance']} {sums[row['id']]}")
        if not 0 <= row["held"] <= row["balance"]:
            yield Violation("a balance is negative", row["id"], str(row))


def everybody_sees_what_they_have(evidence: Evidence) -> Iterator[Violation]:
    """The API tells at the end what the books say."""
    balances = {row["id"]: row["balance"] for row in evidence.ledger.wallets}
    for operation in evidence.history.of("last_look"):
        told = operation.done.body["balance"]["total"] if operation.done else None
        if told != balances.get(operation.asked["wallet"]):
            yield Violation("a balance told is not in the books", operation.asked["wallet"], str(told))


def every_transaction_is_of_a_known_type(evidence: Evidence) -> Iterator[Violation]:
    """Or no rule here would look at it."""
    for row in evidence.ledger.transactions:
        if row["type"] not in _KNOWN_TYPES:
            yield Violation("a transaction of an unknown type", row["id"], row["type"])


def source_refunds_are_booked_as_they_stand(evidence: Evidence) -> Iterator[Violation]:
    """Money left for its source where the refund succeeded, and nowhere else."""
    booked = Counter(
        row["source_refund_id"] for row in evidence.ledger.transactions if row["type"] == "refund_to_source"
    )
    for row in evidence.ledger.source_refunds:
        if booked.pop(row["id"], 0) != (row["status"] == "succeeded"):
            yield Violation("a refund to source is not booked as it stands", row["id"], str(row))
    for refund_id in booked:
        yield Violation("a refund to source is not booked as it stands", str(refund_id))


def the_products_own_rules_hold(evidence: Evidence) -> Iterator[Violation]:
    """Everything that `Books.faults` finds in any database."""
    for fault in evidence.ledger.faults:
        yield Violation("the books are wrong", fault[:80], fault)


def nothing_is_stuck(evidence: Evidence) -> Iterator[Violation]:
    """The harm is over and the clock has run on: everything has come to an end, or is within its time."""
    ledger = evidence.ledger
    stuck = [("top-up", row["id"], row["status"]) for row in ledger.attempts if row["status"] in ("created", "pending")]
    stuck += [("hold", row["id"], "late") for row in ledger.holds if row["status"] == "placed" and row["late"]]
    stuck += [("withdrawal", row["id"], "") for row in ledger.withdrawals if row["status"] == "pending"]
    stuck += [("refund to source", row["id"], "") for row in ledger.source_refunds if row["status"] == "pending"]
    stuck += [("bulk payment", row["id"], "") for row in ledger.bulk_payments if row["status"] != "finished"]
    stuck += [("row of a bulk payment", str(row), "") for row in ledger.bulk_rows if row["status"] == "waiting"]
    stuck += [("webhook", row["id"], f"{row['outcome']} {row['body']}") for row in ledger.events]
    stuck += [("event in the outbox", str(row["position"]), row["type"]) for row in ledger.undelivered]
    for what, which, how in stuck:
        yield Violation("stuck", f"{what} {which}", how)


RULES: tuple[Rule, ...] = (
    balances_are_their_postings,
    everybody_sees_what_they_have,
    every_transaction_is_of_a_known_type,
    source_refunds_are_booked_as_they_stand,
    the_products_own_rules_hold,
    nothing_is_stuck,
)
