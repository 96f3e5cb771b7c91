"""What is held is what is promised: to payees by holds, to banks by withdrawals, to sources by refunds and disputes."""

from wallet.storage.checks.check import Check

# What is promised, and why.
_PROMISES = """(
    SELECT payer_wallet_id AS wallet_id, id, amount - captured AS amount FROM holds WHERE status = 'placed'
    UNION ALL SELECT wallet_id, id, amount + fee FROM withdrawals WHERE status = 'pending'
    UNION ALL SELECT wallet_id, id, amount FROM source_refunds WHERE status = 'pending' AND wallet_id IS NOT NULL
    UNION ALL SELECT wallet_id, id, reserved FROM payment_disputes WHERE reserved > 0)"""

# ruff: noqa: S608 - every query is made of constants
CHECKS = (
    Check(
        "held_is_promised",
        "what is held is what is promised",
        "wallet",
        f"""
        SELECT HEX(w.id) AS id, w.held FROM wallets w LEFT JOIN {_PROMISES} x ON x.wallet_id = w.id
        GROUP BY w.id, w.held HAVING w.held <> COALESCE(SUM(x.amount), 0)""",
    ),
    Check(
        "promise_is_its_changes",
        "every promise is what its changes add up to",
        "hold, withdrawal, refund or dispute",
        f"""
        SELECT HEX(c.cause_id) AS id, c.amount, x.amount AS promised
        FROM (SELECT wallet_id, cause_id, SUM(amount) AS amount FROM held_changes GROUP BY wallet_id, cause_id) c
        LEFT JOIN {_PROMISES} x ON x.id = c.cause_id AND x.wallet_id = c.wallet_id
        WHERE c.amount <> COALESCE(x.amount, 0)""",
    ),
    Check(
        "held_changes_without_gap",
        "the changes of what is held are numbered without a gap, and add up to it",
        "wallet",
        """
        SELECT HEX(w.id) AS id, w.held_changes FROM wallets w LEFT JOIN held_changes c ON c.wallet_id = w.id
        GROUP BY w.id, w.held, w.held_changes HAVING w.held_changes <> COUNT(c.change_no)
            OR COALESCE(MAX(c.change_no), 0) <> w.held_changes OR w.held <> COALESCE(SUM(c.amount), 0)""",
    ),
    Check(
        "held_after_follows",
        "what is held behind every change follows from the one before",
        "wallet",
        """
        SELECT HEX(c.wallet_id) AS id, c.change_no FROM held_changes c
        LEFT JOIN held_changes b ON b.wallet_id = c.wallet_id AND b.change_no = c.change_no - 1
        WHERE c.held_after <> COALESCE(b.held_after, 0) + c.amount OR c.created_at < b.created_at""",
    ),
    Check(
        "hold_is_its_captures",
        "what was captured of every hold is its captures, and no more than was held",
        "hold",
        """
        SELECT HEX(h.id) AS id, h.captured FROM holds h
        LEFT JOIN hold_captures c ON c.hold_id = h.id LEFT JOIN transactions t ON t.id = c.transaction_id
        GROUP BY h.id, h.captured, h.amount
        HAVING h.captured <> COALESCE(SUM(t.amount), 0) OR h.captured > h.amount""",
    ),
)
