"""The outside money: withdrawals and refunds to source are booked as they stand, attempts are credited once."""

from wallet.storage.checks.check import Check

CHECKS = (
    Check(
        "attempt_is_credited_once",
        "no attempt is credited twice, and each that succeeded is credited",
        "attempt",
        """
        SELECT HEX(a.id) AS id, a.status, COUNT(t.id) AS credited FROM payment_attempts a
        LEFT JOIN gateway_payments g ON g.attempt_id = a.id
        LEFT JOIN transactions t ON t.id = g.transaction_id AND t.type = 'top_up'
        GROUP BY a.id, a.amount, a.status HAVING COUNT(t.id) > 1 OR (a.status = 'succeeded' AND COUNT(t.id) <> 1
            AND NOT EXISTS (SELECT 1 FROM gateway_payments s JOIN transactions c ON c.cause_id = s.transaction_id
                            WHERE s.attempt_id = a.id AND s.suspense_reason IS NOT NULL AND c.type = 'adjustment'
                                AND c.amount = a.amount))""",
    ),
    Check(
        "correction_fits",
        "every correction is out of suspense or unclaimed money into a wallet, from a wallet into unclaimed money, or"
        " of a withdrawal that had failed or come back",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.amount FROM transactions t
        LEFT JOIN transactions c ON c.id = t.cause_id
        LEFT JOIN withdrawal_bookings o ON o.transaction_id = t.id LEFT JOIN withdrawals d ON d.id = o.withdrawal_id
        LEFT JOIN withdrawal_bookings r ON r.withdrawal_id = d.id AND r.type = 'withdrawal_return'
        LEFT JOIN transactions b ON b.id = r.transaction_id
        LEFT JOIN postings f ON f.transaction_id = t.id AND f.side = 'debit'
        LEFT JOIN accounts a ON a.id = f.account_id
        LEFT JOIN postings i ON i.transaction_id = t.id AND i.side = 'credit'
        LEFT JOIN accounts b2 ON b2.id = i.account_id LEFT JOIN wallets w ON w.id = i.account_id
        LEFT JOIN postings k ON k.transaction_id = c.id AND k.side = 'credit' AND k.account_id = f.account_id
        WHERE t.type = 'adjustment' AND NOT COALESCE(IF(o.transaction_id IS NULL,
            (w.id IS NOT NULL AND (c.type = 'suspense' AND a.code = 'suspense'
                                   OR k.line IS NOT NULL AND a.code = 'unclaimed'))
            OR (t.cause_id IS NULL AND a.kind = 'wallet' AND b2.code = 'unclaimed'),
            (d.status = 'failed' OR d.status = 'reversed' AND b.created_at < t.created_at)
            AND d.amount = t.amount AND d.currency = t.currency AND t.cause_id IS NULL), FALSE)""",
    ),
    Check(
        "return_fits",
        "every return gives back what had left for its withdrawal, by the withdrawal or by its correction",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.amount FROM transactions t
        LEFT JOIN withdrawal_bookings o ON o.transaction_id = t.id LEFT JOIN withdrawals d ON d.id = o.withdrawal_id
        LEFT JOIN transactions c ON c.id = t.cause_id LEFT JOIN withdrawal_bookings e ON e.transaction_id = c.id
        WHERE t.type = 'withdrawal_return' AND NOT COALESCE(
            e.withdrawal_id = d.id AND c.type = IF(d.status = 'failed', 'adjustment', 'withdrawal')
            AND c.amount = t.amount AND c.created_at < t.created_at, FALSE)""",
    ),
    Check(
        "suspense_is_left_once",
        "no more was credited out of suspense, taken back by a dispute, or is on its way back by us, than came",
        "transaction",
        """
        SELECT HEX(s.id) AS id, s.amount FROM transactions s
        WHERE s.type = 'suspense' AND s.amount
            < COALESCE((SELECT SUM(c.amount) FROM transactions c WHERE c.cause_id = s.id AND c.type = 'adjustment'), 0)
            + COALESCE((SELECT SUM(d.from_suspense) FROM payment_disputes d WHERE d.transaction_id = s.id), 0)
            + COALESCE((SELECT SUM(r.amount) FROM source_refunds r
                        WHERE r.transaction_id = s.id AND r.status <> 'failed' AND r.origin = 'ours'), 0)""",
    ),
    Check(
        "unclaimed_is_left_once",
        "no more was given out of unclaimed money than was kept",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.amount, SUM(c.amount) AS given FROM accounts a
        JOIN postings p ON p.account_id = a.id AND p.side = 'credit' JOIN transactions t ON t.id = p.transaction_id
        JOIN transactions c ON c.cause_id = t.id AND c.type = 'adjustment'
        WHERE a.code = 'unclaimed' GROUP BY t.id, t.amount HAVING SUM(c.amount) > t.amount""",
    ),
    Check(
        "withdrawal_is_booked",
        "every withdrawal is booked as it stands",
        "withdrawal",
        """
        SELECT HEX(d.id) AS id, d.status, COUNT(t.id) AS booked FROM withdrawals d
        LEFT JOIN withdrawal_bookings o ON o.withdrawal_id = d.id
        LEFT JOIN transactions t ON t.id = o.transaction_id AND t.amount = d.amount
        GROUP BY d.id, d.status
        HAVING COALESCE(SUM(t.type = 'withdrawal'), 0) <> (d.status IN ('succeeded', 'reversed'))
            OR d.status <> 'failed' AND COALESCE(SUM(t.type = 'withdrawal_return'), 0) <> (d.status = 'reversed')""",
    ),
    Check(
        "withdrawal_goes_out",
        "every withdrawal is from its wallet to its provider, or back",
        "transaction",
        """
        SELECT HEX(o.transaction_id) AS id, p.line
        FROM withdrawal_bookings o JOIN withdrawals d ON d.id = o.withdrawal_id
        JOIN postings p ON p.transaction_id = o.transaction_id JOIN accounts a ON a.id = p.account_id
        WHERE p.account_id <> d.wallet_id AND a.code <> CONCAT('payout:', d.provider)
            OR (p.account_id = d.wallet_id) <> ((o.type IN ('withdrawal', 'adjustment')) = (p.side = 'debit'))""",
    ),
    Check(
        "withdrawal_has_its_fee",
        "every withdrawal's fee is its own",
        "transaction",
        """
        SELECT HEX(t.id) AS id, d.fee, f.amount FROM withdrawal_bookings o
        JOIN withdrawals d ON d.id = o.withdrawal_id JOIN transactions t ON t.id = o.transaction_id
        LEFT JOIN transactions f ON f.cause_id = t.id AND f.type = 'fee' LEFT JOIN transactions c ON c.id = t.cause_id
        WHERE COALESCE(f.amount, 0) <> IF(t.type = 'adjustment' OR COALESCE(c.type, '') = 'adjustment', 0, d.fee)""",
    ),
    Check(
        "source_gets_back_its_own",
        "no more went back to a source than came from it",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.amount, SUM(r.amount) AS returned
        FROM transactions t JOIN source_refunds r ON r.transaction_id = t.id
        WHERE r.status = 'succeeded' GROUP BY t.id, t.amount HAVING SUM(r.amount) > t.amount""",
    ),
    Check(
        "source_is_promised_its_own",
        "no more of ours is on its way to a source than came from it",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.amount, SUM(r.amount) AS returning_
        FROM transactions t JOIN source_refunds r ON r.transaction_id = t.id
        WHERE r.status <> 'failed' AND r.origin = 'ours' GROUP BY t.id, t.amount HAVING SUM(r.amount) > t.amount""",
    ),
    Check(
        "source_refund_is_booked",
        "every refund to source is booked as it ended",
        "refund to source",
        """
        SELECT HEX(r.id) AS id, r.status FROM source_refunds r
        LEFT JOIN source_refund_bookings o ON o.source_refund_id = r.id
        LEFT JOIN transactions t ON t.id = o.transaction_id AND t.type = 'refund_to_source'
        LEFT JOIN postings p ON p.transaction_id = t.id AND p.side = 'debit'
        LEFT JOIN accounts a ON a.id = p.account_id
        WHERE (r.status = 'succeeded') <> (t.id IS NOT NULL) OR t.amount <> r.amount OR t.cause_id <> r.transaction_id
            OR p.account_id <> r.wallet_id OR (t.id IS NOT NULL AND r.wallet_id IS NULL AND a.code <> 'suspense')""",
    ),
)
