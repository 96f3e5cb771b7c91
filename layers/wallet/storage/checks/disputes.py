"""Disputes of payments (chargebacks): booked as they stand, and no top-up goes back twice by us."""

from wallet.storage.checks.check import Check

#: What a wallet, suspense or our losses bore of a dispute by its bookings.
_BOOKED = """(
    SELECT k.dispute_id, k.part, SUM(IF(t.type = 'chargeback', t.amount, -t.amount)) AS amount
    FROM payment_dispute_bookings k JOIN transactions t ON t.id = k.transaction_id GROUP BY k.dispute_id, k.part)"""

# ruff: noqa: S608 - every query is made of constants
CHECKS = (
    Check(
        "dispute_is_booked",
        "every dispute is booked as it stands: nothing of one that was won, no more than was disputed of another",
        "dispute",
        f"""
        SELECT HEX(d.id) AS id, d.status, w.amount AS from_wallet, s.amount AS from_suspense, l.amount AS from_losses
        FROM payment_disputes d
        LEFT JOIN {_BOOKED} w ON w.dispute_id = d.id AND w.part = 'wallet'
        LEFT JOIN {_BOOKED} s ON s.dispute_id = d.id AND s.part = 'suspense'
        LEFT JOIN {_BOOKED} l ON l.dispute_id = d.id AND l.part = 'losses'
        WHERE d.from_wallet <> COALESCE(w.amount, 0) OR d.from_suspense <> COALESCE(s.amount, 0)
            OR d.from_losses <> COALESCE(l.amount, 0)
            OR d.ended_at IS NOT NULL AND (d.reserved > 0 OR d.from_wallet + d.from_suspense + d.from_losses
                                           <> IF(d.status = 'lost', d.amount, 0))""",
    ),
    Check(
        "chargeback_explains",
        "every chargeback, and every reversal of one, is of a dispute that an operator ended",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.type, t.amount FROM transactions t
        LEFT JOIN payment_dispute_bookings k ON k.transaction_id = t.id
        LEFT JOIN payment_disputes d ON d.id = k.dispute_id
        LEFT JOIN operator_actions o ON o.subject_id = d.id AND o.command = 'resolve_payment_dispute'
        WHERE (t.type IN ('chargeback', 'chargeback_reversal')) <> (k.transaction_id IS NOT NULL)
            OR k.transaction_id IS NOT NULL AND (d.id IS NULL OR d.currency <> t.currency
                                                 OR NOT d.transaction_id <=> t.cause_id OR o.id IS NULL)
        GROUP BY t.id, t.type, t.amount""",
    ),
    Check(
        "chargeback_goes_out",
        "every chargeback is from its wallet, suspense or our losses to its gateway, and its reversal back",
        "transaction",
        """
        SELECT HEX(t.id) AS id, p.line FROM transactions t
        JOIN payment_dispute_bookings k ON k.transaction_id = t.id
        JOIN payment_disputes d ON d.id = k.dispute_id
        JOIN postings p ON p.transaction_id = t.id JOIN accounts a ON a.id = p.account_id
        WHERE IF((p.side = 'credit') = (t.type = 'chargeback'), a.code <> CONCAT('gateway:', d.gateway),
                 IF(k.part = 'wallet', NOT p.account_id <=> d.wallet_id, a.code <> k.part))""",
    ),
    Check(
        "dispute_takes_its_own",
        "no more is reserved, taken or given back of a wallet's top-up than it brought",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.amount FROM transactions t
        JOIN payment_disputes d ON d.transaction_id = t.id
        WHERE t.type = 'top_up' GROUP BY t.id, t.amount
        HAVING SUM(d.reserved + d.from_wallet) > 0 AND SUM(d.reserved + d.from_wallet) > t.amount
            - COALESCE((SELECT SUM(r.amount) FROM source_refunds r
                        WHERE r.transaction_id = t.id AND r.status <> 'failed' AND r.wallet_id IS NOT NULL
                            AND r.origin = 'ours'), 0)""",
    ),
    # By the history: what was open or lost right before a refund of ours was begun counted against it.
    Check(
        "disputed_money_is_not_refunded",
        "no refund of ours was begun of what was disputed at that moment",
        "refund to source",
        """
        SELECT HEX(r.id) AS id, r.amount, t.amount AS came
        FROM source_refunds r JOIN transactions t ON t.id = r.transaction_id
        JOIN gateway_payments g ON g.transaction_id = t.id
        JOIN payment_disputes d ON d.gateway = g.gateway AND d.gateway_payment_id = g.gateway_payment_id
        JOIN payment_dispute_events e ON e.dispute_id = d.id AND e.position = (
            SELECT MAX(b.position) FROM payment_dispute_events b
            WHERE b.dispute_id = d.id AND b.created_at < r.created_at)
        WHERE r.origin = 'ours' AND r.status <> 'failed'
        GROUP BY r.id, r.amount, t.amount
        HAVING r.amount + SUM(GREATEST(IF(e.status IN ('won', 'closed'), 0, e.amount),
                                       e.from_wallet + e.from_suspense + e.from_losses)) > t.amount""",
    ),
    Check(
        "dispute_is_its_history",
        "every dispute stands as the last line of its history says",
        "dispute",
        """
        SELECT HEX(d.id) AS id, d.changes FROM payment_disputes d
        LEFT JOIN payment_dispute_events e ON e.dispute_id = d.id AND e.position = d.changes
        WHERE NOT COALESCE(e.status = d.status AND e.phase = d.phase AND e.amount = d.amount AND e.told_at = d.told_at
                           AND e.from_wallet = d.from_wallet AND e.from_suspense = d.from_suspense
                           AND e.from_losses = d.from_losses AND e.reserved = d.reserved
                           AND e.is_open = (d.ended_at IS NULL), FALSE)
            OR d.changes <> (SELECT COUNT(*) FROM payment_dispute_events x WHERE x.dispute_id = d.id)""",
    ),
)
