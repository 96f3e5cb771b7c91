"""Movements between wallets: captures, refunds, fees and files of payments fit what they follow from."""

from wallet.storage.checks.check import Check

CHECKS = (
    Check(
        "capture_fits_its_hold",
        "every capture is from its hold's payer to its payee",
        "transaction",
        """
        SELECT HEX(p.transaction_id) AS id, p.line FROM hold_captures c JOIN holds h ON h.id = c.hold_id
        JOIN postings p ON p.transaction_id = c.transaction_id
        WHERE p.account_id <> IF(p.side = 'debit', h.payer_wallet_id, h.payee_wallet_id)""",
    ),
    Check(
        "refund_goes_back",
        "every refund is from the payee back to the payer, or kept for a payer whose wallet is, or was, closed",
        "transaction",
        """
        SELECT HEX(t.id) AS id, p.line FROM transactions t JOIN transactions c ON c.id = t.cause_id
        JOIN postings p ON p.transaction_id = t.id
        JOIN accounts a ON a.id = p.account_id
        LEFT JOIN postings o ON o.transaction_id = c.id AND o.line = 3 - p.line
        LEFT JOIN wallets w ON w.id = o.account_id
        WHERE t.type = 'refund' AND (c.type NOT IN ('payment', 'hold_capture') OR NOT COALESCE(
            o.account_id = p.account_id
            OR (a.code = 'unclaimed' AND p.side = 'credit' AND (w.status IN ('closing', 'closed') OR EXISTS (
                SELECT 1 FROM operator_actions x WHERE x.wallet_id = w.id AND x.command = 'close'))), FALSE))""",
    ),
    Check(
        "refunds_are_covered",
        "refunds of a payment are no more than the payment",
        "transaction",
        """
        SELECT HEX(c.id) AS id, c.amount, SUM(t.amount) AS refunded
        FROM transactions t JOIN transactions c ON c.id = t.cause_id WHERE t.type = 'refund'
        GROUP BY c.id, c.amount HAVING SUM(t.amount) > c.amount""",
    ),
    Check(
        "fee_follows_its_cause",
        "every fee is of the movement that it follows from",
        "transaction",
        """
        SELECT HEX(t.id) AS id, c.type FROM transactions t JOIN transactions c ON c.id = t.cause_id
        JOIN postings p ON p.transaction_id = t.id JOIN accounts a ON a.id = p.account_id
        LEFT JOIN postings o ON o.transaction_id = c.id AND o.account_id = p.account_id AND o.slot = p.slot
        WHERE t.type = 'fee' AND (c.type NOT IN ('payment', 'hold_capture', 'withdrawal', 'withdrawal_return')
            OR (a.code <> 'fees' AND (o.line IS NULL OR o.created_at >= p.created_at))
            OR (c.type IN ('payment', 'hold_capture') AND t.amount > c.amount))""",
    ),
    Check(
        "one_fee",
        "no movement has two fees",
        "transaction",
        """
        SELECT HEX(cause_id) AS id, COUNT(*) AS fees FROM transactions WHERE type = 'fee'
        GROUP BY cause_id HAVING COUNT(*) > 1""",
    ),
    Check(
        "bulk_row_is_its_payment",
        "every paid row of a bulk payment is paid by its own payment",
        "transaction",
        """
        SELECT HEX(t.id) AS id, HEX(r.bulk_payment_id) AS bulk_payment, r.line FROM bulk_payment_rows r
        JOIN bulk_payments b ON b.id = r.bulk_payment_id
        JOIN transactions t ON t.id = r.transaction_id
        JOIN postings p ON p.transaction_id = t.id AND p.side = 'credit'
        JOIN wallets w ON w.id = p.account_id JOIN users u ON u.id = w.user_id
        WHERE t.type <> 'payment' OR t.amount <> r.amount OR t.actor_id <> b.user_id
            OR COALESCE(r.payee_wallet_id <> w.id, r.payee_phone <> COALESCE(u.phone, u.former_phone) AND NOT EXISTS (
                SELECT 1 FROM former_phones f WHERE f.user_id = u.id AND f.phone = r.payee_phone))""",
    ),
    Check(
        "bulk_payment_is_whole",
        "every bulk payment has the rows it says, and none waits when it is finished",
        "bulk payment",
        """
        SELECT HEX(b.id) AS id FROM bulk_payments b LEFT JOIN bulk_payment_rows r ON r.bulk_payment_id = b.id
        GROUP BY b.id, b.row_count, b.total, b.status
        HAVING COUNT(r.line) <> b.row_count OR SUM(r.amount) <> b.total
            OR (b.status = 'finished' AND SUM(r.status = 'waiting') > 0)""",
    ),
)
