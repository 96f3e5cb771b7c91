"""What operations leave in the books: found by the mark that each operation carries, not by the product's own keys.

Where the product keeps nothing of a caller's words (a capture), the key's record says whose it is.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.faults.books_of_world import Ledger, Row
from tests.faults.history import Json


@dataclass(frozen=True, slots=True)
class Effect:
    """A row that an operation made: whose mark it has, its id, and what of `Operation.asked` it says."""

    kind: str
    mark: str
    row_id: str
    facts: Json


def operators_scope(operator: str) -> str:
    """Whose an operator's keys are."""
    return hashlib.sha256(f"operator:{operator}".encode()).hexdigest()[:32]


def effects(ledger: Ledger) -> Iterator[Effect]:
    """Every row that somebody must have asked for."""
    for find in _FINDERS:
        yield from find(ledger)


def _registered(ledger: Ledger) -> Iterator[Effect]:
    for row in ledger.users:
        yield Effect("register", row["phone"], row["id"], {})


def _paid(ledger: Ledger) -> Iterator[Effect]:
    of_files = {row["transaction_id"] for row in ledger.bulk_rows}
    for row in ledger.transactions:
        if row["type"] == "payment" and row["id"] not in of_files:
            facts = {"payer": row["debited"], "payee": row["credited"], "amount": row["amount"]}
            yield Effect("pay", row["reference"] or "", row["id"], facts)


def _refunded(ledger: Ledger) -> Iterator[Effect]:
    for row in ledger.transactions:
        if row["type"] == "refund":
            facts = {"payment": row["cause_id"], "payee": row["debited"], "amount": row["amount"]}
            yield Effect("refund", row["description"] or "", row["id"], facts)


def _held(ledger: Ledger) -> Iterator[Effect]:
    for row in ledger.holds:
        facts = {"payer": row["payer_wallet_id"], "payee": row["payee_wallet_id"], "amount": row["amount"]}
        yield Effect("hold", row["description"] or "", row["id"], facts)


def _captured(ledger: Ledger) -> Iterator[Effect]:
    marks = {key["made_id"]: mark_of_key(key["actor_id"], key["idem_key"]) for key in ledger.keys}
    for row in ledger.transactions:
        if row["type"] == "hold_capture":
            facts = {"hold": row["hold_id"], "amount": row["amount"]}
            yield Effect("capture", marks.get(row["id"], ""), row["id"], facts)


def mark_of_key(actor: str, key: str) -> str:
    """The mark of an operation that leaves no words in the books."""
    return f"{actor}:{key}"


def _topped_up(ledger: Ledger) -> Iterator[Effect]:
    for row in ledger.attempts:
        yield Effect("top_up", str(row["amount"]), row["id"], {"wallet": row["wallet_id"], "amount": row["amount"]})


def _withdrawn(ledger: Ledger) -> Iterator[Effect]:
    for row in ledger.withdrawals:
        yield Effect("withdraw", row["vpa"], row["id"], {"wallet": row["wallet_id"], "amount": row["amount"]})


def _files(ledger: Ledger) -> Iterator[Effect]:
    rows: dict[str, list[Row]] = {}
    for row in ledger.bulk_rows:
        rows.setdefault(row["bulk_payment_id"], []).append(row)
    for file in ledger.bulk_payments:
        own = sorted(rows.get(file["id"], []), key=lambda row: int(row["line"]))
        mark = str(own[0]["reference"]).partition(".")[0] if own else ""
        facts = {"payer": file["user_id"], "rows": [[row["amount"], row["reference"]] for row in own]}
        yield Effect("bulk", mark, file["id"], facts)


def _sent_back(ledger: Ledger) -> Iterator[Effect]:
    orders = {row["id"]: row["reason"] for row in ledger.actions if row["command"] == "refund_to_source"}
    for row in ledger.source_refunds:
        if row["origin"] == "ours":
            facts = {"transaction": row["transaction_id"], "amount": row["amount"]}
            yield Effect("refund_to_source", orders.get(row["id"], ""), row["id"], facts)


def _credited_from_suspense(ledger: Ledger) -> Iterator[Effect]:
    orders = {row["id"]: row["reason"] for row in ledger.actions if row["command"] == "credit_from_suspense"}
    for row in ledger.transactions:
        if row["type"] == "adjustment":
            facts = {"transaction": row["cause_id"], "wallet": row["credited"], "amount": row["amount"]}
            yield Effect("credit_from_suspense", orders.get(row["id"], ""), row["id"], facts)


def _ordered(ledger: Ledger) -> Iterator[Effect]:
    for row in ledger.actions:
        if row["command"] not in ("refund_to_source", "credit_from_suspense"):
            facts = {"wallet": row["wallet_id"], "command": row["command"]}
            yield Effect("operator", row["reason"], row["id"], facts)


_FINDERS: tuple[Callable[[Ledger], Iterator[Effect]], ...] = (
    _registered,
    _paid,
    _refunded,
    _held,
    _captured,
    _topped_up,
    _withdrawn,
    _files,
    _sent_back,
    _credited_from_suspense,
    _ordered,
)
