"""Nothing is there that nobody asked for: each transaction follows from a request, an attempt or a movement."""

from wallet.storage.checks.check import Check

# Of a transaction, and of what only some types have: where it stands, under which name, and to which table it refers.
_REFERENCES = (
    ("transactions", "cause_id", "transactions"),
    ("hold_captures", "hold_id", "holds"),
    ("withdrawal_bookings", "withdrawal_id", "withdrawals"),
    ("source_refund_bookings", "source_refund_id", "source_refunds"),
    ("gateway_payments", "attempt_id", "payment_attempts"),
    ("hold_captures", "transaction_id", "transactions"),
    ("withdrawal_bookings", "transaction_id", "transactions"),
    ("source_refund_bookings", "transaction_id", "transactions"),
    ("gateway_payments", "transaction_id", "transactions"),
)

#: What a key may make, the most frequent first, and whose it is then. Who registers is nobody yet, and operators'
#: commands are of anybody's wallet.
_MADE = (
    "transactions m WHERE m.actor_id = k.actor_id",
    "holds m JOIN wallets w ON w.id IN (m.payer_wallet_id, m.payee_wallet_id) WHERE w.user_id = k.actor_id",
    "payment_attempts m JOIN wallets w ON w.id = m.wallet_id WHERE w.user_id = k.actor_id",
    "withdrawals m JOIN wallets w ON w.id = m.wallet_id WHERE w.user_id = k.actor_id",
    "bulk_payments m WHERE m.user_id = k.actor_id",
    "bulk_payment_retries m JOIN bulk_payments b ON b.id = m.bulk_payment_id WHERE b.user_id = k.actor_id",
    "users m WHERE TRUE",
    "operator_actions m WHERE TRUE",
)

# ruff: noqa: S608 - every query is made of constants
CHECKS = (
    Check(
        "key_made_something",
        "whatever an idempotency key has made is there, and is whose key it is",
        "actor",
        "SELECT HEX(k.actor_id) AS id, HEX(k.idem_key) AS idem_key FROM idempotency_records k WHERE "
        + " AND ".join(f"NOT EXISTS (SELECT 1 FROM {made} AND m.id = k.made_id)" for made in _MADE),
    ),
    # (Grouped, or the servers would look through all keys for each transaction.)
    # What people ask for has their key or is a row of their file; an adjustment has an operator's key, or corrects a
    # withdrawal.
    Check(
        "request_explains",
        "every payment, refund, capture and adjustment was asked for",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.type, t.amount FROM transactions t
        LEFT JOIN (SELECT made_id AS id, actor_id FROM idempotency_records GROUP BY 1, 2) k ON k.id = t.id
        LEFT JOIN withdrawal_bookings d ON d.transaction_id = t.id
        LEFT JOIN bulk_payment_rows b ON b.transaction_id = t.id
        LEFT JOIN bulk_payments f ON f.id = b.bulk_payment_id AND f.user_id = t.actor_id
        WHERE t.type IN ('payment', 'refund', 'hold_capture', 'adjustment') AND f.id IS NULL
            AND d.transaction_id IS NULL AND (k.id IS NULL OR k.actor_id <> t.actor_id)""",
    ),
    # The attempt tells of that payment, too, and asked for as much into that wallet.
    Check(
        "arrival_explains",
        "every top-up is of an attempt that its gateway's payment settled",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.type, t.amount FROM transactions t
        LEFT JOIN gateway_payments g ON g.transaction_id = t.id
        LEFT JOIN postings p ON p.transaction_id = t.id AND p.side = 'credit'
        LEFT JOIN payment_attempts a ON a.id = g.attempt_id AND a.gateway = g.gateway AND a.amount = t.amount
            AND a.currency = t.currency AND a.wallet_id = p.account_id
        LEFT JOIN payment_attempt_events e ON e.attempt_id = a.id AND e.status = 'succeeded'
            AND e.gateway_payment_id = g.gateway_payment_id
        WHERE t.type = 'top_up' AND e.attempt_id IS NULL""",
    ),
    Check(
        "arrival_has_evidence",
        "every payment of a gateway in the ledger names the stored event or the recorded answer that told of it",
        "transaction",
        """
        SELECT HEX(g.transaction_id) AS id, g.gateway, g.gateway_payment_id FROM gateway_payments g
        LEFT JOIN gateway_events e ON e.id = g.event_id AND e.gateway = g.gateway
        WHERE g.answer_digest IS NULL AND e.id IS NULL""",
    ),
    # The kernel takes ids of a quarter of an hour; a wallet's entries may be later than that, never by much.
    Check(
        "arrival_is_of_its_time",
        "the id of every payment of a gateway in the ledger was made when it was booked",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.created_at FROM gateway_payments g JOIN transactions t ON t.id = g.transaction_id
        WHERE ABS(CAST(CONV(LEFT(HEX(t.id), 12), 16, 10) AS SIGNED) DIV 1000
                  - TIMESTAMPDIFF(SECOND, '1970-01-01', t.created_at)) > 3600""",
    ),
    Check(
        "movement_explains",
        "every transaction has the records that one of its type follows from, and no other's",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.type FROM transactions t
        LEFT JOIN gateway_payments g ON g.transaction_id = t.id
        LEFT JOIN hold_captures h ON h.transaction_id = t.id
        LEFT JOIN withdrawal_bookings d ON d.transaction_id = t.id
        LEFT JOIN source_refund_bookings r ON r.transaction_id = t.id
        WHERE (t.type IN ('top_up', 'suspense')) <> (g.transaction_id IS NOT NULL)
            OR (t.type = 'suspense') <> (g.suspense_reason IS NOT NULL) OR g.created_at <> t.created_at
            OR (t.type = 'hold_capture') <> (h.transaction_id IS NOT NULL)
            OR (t.type = 'refund_to_source') <> (r.transaction_id IS NOT NULL)
            OR t.type IN ('withdrawal', 'withdrawal_return') AND d.transaction_id IS NULL OR d.type <> t.type
            OR t.type = 'fee' AND t.cause_id IS NULL""",
    ),
    # The servers keep these references, but not from whoever switches that off.
    Check(
        "reference_is_there",
        "whatever a transaction or its posting refers to is there",
        "transaction",
        " UNION ALL ".join(
            f"""
        SELECT HEX(t.{"id" if table == "transactions" else "transaction_id"}) AS id, '{column}' AS refers_by
        FROM {table} t LEFT JOIN {referred} r ON r.id = t.{column} WHERE t.{column} IS NOT NULL AND r.id IS NULL"""
            for table, column, referred in _REFERENCES
        )
        + """
        UNION ALL SELECT HEX(p.transaction_id), 'account_id' FROM postings p
        LEFT JOIN accounts a ON a.id = p.account_id WHERE a.id IS NULL""",
    ),
    # Who pays asks for it, and so does who gives back; a capture is its payee's to ask for.
    Check(
        "owner_asked",
        "every payment, refund and capture was asked for by whose wallet it is",
        "transaction",
        """
        SELECT HEX(t.id) AS id, HEX(p.account_id) AS wallet FROM transactions t
        JOIN postings p ON p.transaction_id = t.id AND p.side = IF(t.type = 'hold_capture', 'credit', 'debit')
        LEFT JOIN wallets w ON w.id = p.account_id
        WHERE t.type IN ('payment', 'refund', 'hold_capture') AND w.user_id <> t.actor_id""",
    ),
)
