"""Nothing is there that nobody asked for: each transaction follows from a request, an attempt or a movement."""

from wallet.storage.checks.check import Check
from wallet.storage.checks.parts import hex_in

_REFERENCES = {
    "cause_id": "transactions",
    "hold_id": "holds",
    "withdrawal_id": "withdrawals",
    "source_refund_id": "source_refunds",
    "attempt_id": "payment_attempts",
}

# ruff: noqa: S608 - every query is made of constants
CHECKS = (
    Check(
        "key_has_a_result",
        "every idempotency key has a result",
        "actor",
        """
        SELECT HEX(k.actor_id) AS id, HEX(k.idem_key) AS idem_key FROM idempotency_records k
        LEFT JOIN transactions t ON t.id = k.made_id
        WHERE IF(k.made_id IS NULL, k.result IS NULL OR NOT JSON_VALID(k.result), t.id IS NULL)""",
    ),
    # (Grouped, or the servers would look through all keys for each transaction.)
    # What people ask for has their key or is a row of their file; an adjustment has an operator's key, or corrects a
    # withdrawal.
    Check(
        "request_explains",
        "every payment, refund, capture and adjustment was asked for",
        "transaction",
        f"""
        SELECT HEX(t.id) AS id, t.type, t.amount FROM transactions t
        LEFT JOIN (SELECT COALESCE(made_id, {hex_in("result", "transaction_id")}) AS id, actor_id
                   FROM idempotency_records GROUP BY 1, 2) k ON k.id = t.id
        LEFT JOIN bulk_payment_rows b ON b.transaction_id = t.id
        LEFT JOIN bulk_payments f ON f.id = b.bulk_payment_id AND f.user_id = t.actor_id
        WHERE t.type IN ('payment', 'refund', 'hold_capture', 'adjustment') AND f.id IS NULL AND t.withdrawal_id IS NULL
            AND (k.id IS NULL OR k.actor_id <> t.actor_id)""",
    ),
    # What came by a gateway has its payment's id. Of a top-up the attempt also tells of that payment, and asked for as
    # much into that wallet.
    Check(
        "arrival_explains",
        "every top-up is of an attempt that its gateway's payment settled",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.type, t.amount FROM transactions t
        LEFT JOIN postings p ON p.transaction_id = t.id AND p.side = 'credit'
        LEFT JOIN payment_attempts a ON a.id = t.attempt_id AND a.gateway = t.gateway AND a.amount = t.amount
            AND a.currency = t.currency AND a.wallet_id = p.account_id
        LEFT JOIN payment_attempt_events e ON e.attempt_id = a.id AND e.status = 'succeeded'
            AND e.gateway_payment_id = t.gateway_payment_id
        WHERE (t.type = 'top_up' AND e.attempt_id IS NULL)
            OR (t.type = 'suspense' AND t.gateway_payment_id IS NULL)""",
    ),
    # (Of what was booked before there was evidence, nobody has kept any.)
    Check(
        "arrival_has_evidence",
        "every payment of a gateway in the ledger names the stored event or the recorded answer that told of it",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.gateway, t.gateway_payment_id FROM transactions t
        LEFT JOIN payment_evidence e ON e.transaction_id = t.id
        LEFT JOIN gateway_events g ON g.id = e.event_id AND g.gateway = t.gateway
        WHERE t.gateway_payment_id IS NOT NULL AND e.answer_digest IS NULL AND g.id IS NULL
            AND t.created_at >= (SELECT MIN(created_at) FROM payment_evidence)""",
    ),
    # The kernel takes ids of a quarter of an hour; a wallet's entries may be later than that, never by much.
    Check(
        "arrival_is_of_its_time",
        "the id of every payment of a gateway in the ledger was made when it was booked",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.created_at FROM transactions t
        WHERE t.gateway_payment_id IS NOT NULL AND t.created_at >= (SELECT MIN(created_at) FROM payment_evidence)
            AND ABS(CAST(CONV(LEFT(HEX(t.id), 12), 16, 10) AS SIGNED) DIV 1000
                    - TIMESTAMPDIFF(SECOND, '1970-01-01', t.created_at)) > 3600""",
    ),
    Check(
        "movement_explains",
        "every withdrawal, refund to source and fee follows from another record",
        "transaction",
        """
        SELECT HEX(id) AS id, type FROM transactions
        WHERE (type IN ('withdrawal', 'withdrawal_return') AND withdrawal_id IS NULL)
            OR (type = 'refund_to_source' AND source_refund_id IS NULL) OR (type = 'fee' AND cause_id IS NULL)""",
    ),
    # The servers keep these references, but not from whoever switches that off.
    Check(
        "reference_is_there",
        "whatever a transaction or its posting refers to is there",
        "transaction",
        " UNION ALL ".join(
            f"""
        SELECT HEX(t.id) AS id, '{column}' AS refers_by FROM transactions t
        LEFT JOIN {table} r ON r.id = t.{column} WHERE t.{column} IS NOT NULL AND r.id IS NULL"""
            for column, table in _REFERENCES.items()
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
