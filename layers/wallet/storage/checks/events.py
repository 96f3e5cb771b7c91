"""What happened was told, once. Events are kept for a while only, so what is older has none to look at."""

from wallet.storage.checks.check import Check
from wallet.storage.checks.parts import hex_in


def _told(name: str, *types: str) -> str:
    """How often each thing is told of; `name` is what an event calls it."""
    listed = ", ".join(f"'{kind}'" for kind in types)
    thing = hex_in("detail", name)
    if name == "transaction_id":
        thing = f"COALESCE(transaction_id, {thing})"
    elif name == "hold_id":
        thing = "hold_id"
    return f"(SELECT {thing} AS id, COUNT(*) AS times FROM outbox WHERE type IN ({listed}) GROUP BY 1)"


_MOVEMENT = _told(
    "transaction_id", "TopUpSucceeded", "TopUpSuspended", "PaymentCompleted", "PaymentRefunded", "HoldCaptured"
)


# ruff: noqa: S608 - every query is made of constants and a number
def checks(*, kept_days: int) -> tuple[Check, ...]:
    """The checks of what is younger than `kept_days`, for which events that were delivered are kept."""
    since = f"UTC_TIMESTAMP(6) - INTERVAL {kept_days:d} DAY"
    return (
        Check(
            "movement_is_told",
            "every movement is told of once",
            "transaction",
            f"""
            SELECT HEX(t.id) AS id, t.type, o.times FROM transactions t LEFT JOIN {_MOVEMENT} o ON o.id = t.id
            LEFT JOIN gateway_payments g ON g.transaction_id = t.id
            WHERE (t.type IN ('top_up', 'payment', 'refund', 'hold_capture')
                OR (t.type = 'suspense' AND g.attempt_id IS NOT NULL)) AND COALESCE(o.times, 0) <> 1
                AND t.created_at > {since}""",
        ),
        Check(
            "hold_is_told",
            "every hold is told of as it stands",
            "hold",
            f"""
            SELECT HEX(h.id) AS id, h.status, placed.times AS placed, ended.times AS ended FROM holds h
            LEFT JOIN {_told("hold_id", "HoldPlaced")} placed ON placed.id = h.id
            LEFT JOIN {_told("hold_id", "HoldReleased", "HoldExpired")} ended ON ended.id = h.id
            WHERE (COALESCE(placed.times, 0) <> 1 OR COALESCE(ended.times, 0) <> (h.status IN ('released', 'expired')))
                AND h.created_at > {since}""",
        ),
        Check(
            "withdrawal_is_told",
            "every withdrawal is told of as it stands",
            "withdrawal",
            f"""
            SELECT HEX(d.id) AS id, d.status FROM withdrawals d
            LEFT JOIN {_told("withdrawal_id", "WithdrawalRequested")} asked ON asked.id = d.id
            LEFT JOIN {_told("withdrawal_id", "WithdrawalSucceeded")} paid ON paid.id = d.id
            LEFT JOIN {_told("withdrawal_id", "WithdrawalFailed")} failed ON failed.id = d.id
            LEFT JOIN {_told("withdrawal_id", "WithdrawalReversed")} back ON back.id = d.id
            LEFT JOIN withdrawal_bookings r ON r.withdrawal_id = d.id AND r.type = 'withdrawal_return'
            WHERE (COALESCE(asked.times, 0) <> 1 OR COALESCE(paid.times, 0) <> (d.status IN ('succeeded', 'reversed'))
                OR COALESCE(failed.times, 0) <> (d.status = 'failed')
                OR COALESCE(back.times, 0) <> (r.transaction_id IS NOT NULL)) AND d.created_at > {since}""",
        ),
        Check(
            "correction_is_told",
            "every correction is told of once",
            "transaction",
            f"""
            SELECT HEX(t.id) AS id, credited.times AS credited, corrected.times AS corrected FROM transactions t
            LEFT JOIN withdrawal_bookings d ON d.transaction_id = t.id
            LEFT JOIN {_told("transaction_id", "SuspenseCredited", "UnclaimedCredited", "MoneyUnclaimed")} credited
                ON credited.id = t.id
            LEFT JOIN {_told("withdrawal_id", "WithdrawalCorrected")} corrected ON corrected.id = d.withdrawal_id
            WHERE t.type = 'adjustment' AND t.created_at > {since}
                AND (COALESCE(credited.times, 0) <> (d.withdrawal_id IS NULL)
                    OR COALESCE(corrected.times, 0) <> (d.withdrawal_id IS NOT NULL))""",
        ),
        Check(
            "unclaimed_is_told",
            "whatever is kept as unclaimed money is told of once",
            "transaction",
            f"""
            SELECT HEX(p.transaction_id) AS id, kept.times FROM accounts a
            JOIN postings p ON p.account_id = a.id AND p.side = 'credit'
            LEFT JOIN {_told("transaction_id", "MoneyUnclaimed")} kept ON kept.id = p.transaction_id
            WHERE a.code = 'unclaimed' AND COALESCE(kept.times, 0) <> 1 AND p.created_at > {since}""",
        ),
        Check(
            "source_refund_is_told",
            "every refund to source is told of as it stands",
            "refund to source",
            f"""
            SELECT HEX(r.id) AS id, r.status FROM source_refunds r
            JOIN gateway_payments g ON g.transaction_id = r.transaction_id AND g.attempt_id IS NOT NULL
            LEFT JOIN {_told("refund_id", "RefundToSourceRequested")} asked ON asked.id = r.id
            LEFT JOIN {_told("refund_id", "RefundToSourceSucceeded")} paid ON paid.id = r.id
            LEFT JOIN {_told("refund_id", "RefundToSourceFailed")} failed ON failed.id = r.id
            WHERE (COALESCE(asked.times, 0) <> 1 OR COALESCE(paid.times, 0) <> (r.status = 'succeeded')
                OR COALESCE(failed.times, 0) <> (r.status = 'failed')) AND r.created_at > {since}""",
        ),
        Check(
            "dispute_is_told",
            "every dispute of a wallet's top-up is told of as it stands",
            "dispute",
            f"""
            SELECT HEX(d.id) AS id, d.status, opened.times AS opened, ended.times AS ended FROM payment_disputes d
            LEFT JOIN {_told("dispute_id", "TopUpDisputed")} opened ON opened.id = d.id
            LEFT JOIN {_told("dispute_id", "TopUpDisputeEnded")} ended ON ended.id = d.id
            WHERE COALESCE(opened.times, 0) - COALESCE(ended.times, 0)
                <> (d.ended_at IS NULL AND d.wallet_id IS NOT NULL) AND d.created_at > {since}""",
        ),
    )
