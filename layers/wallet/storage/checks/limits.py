"""What counts towards the limits is what moved, and the limits are those in force."""

from wallet.storage.checks.check import Check

_DEBITS = """(
    SELECT p.account_id AS wallet_id, t.amount, DATE(t.created_at + INTERVAL 330 MINUTE) AS day
    FROM transactions t JOIN postings p ON p.transaction_id = t.id AND p.side = 'debit' WHERE t.type = 'payment'
    UNION ALL SELECT payer_wallet_id, IF(status = 'placed', amount, captured),
        DATE(created_at + INTERVAL 330 MINUTE) FROM holds
    UNION ALL SELECT wallet_id, amount, DATE(created_at + INTERVAL 330 MINUTE)
        FROM withdrawals WHERE status IN ('pending', 'succeeded'))"""
_LOADS = """(
    SELECT w.id AS wallet_id, t.amount, DATE(t.created_at + INTERVAL 330 MINUTE) AS day
    FROM transactions t JOIN postings p ON p.transaction_id = t.id AND p.side = 'credit'
    JOIN wallets w ON w.id = p.account_id JOIN users u ON u.id = w.user_id JOIN tiers r ON r.code = w.tier
    WHERE t.type IN ('top_up', 'adjustment')
        OR (t.type IN ('payment', 'hold_capture') AND NOT (u.kind = 'merchant' AND r.for_merchants)))"""
_IN_MONTH = "x.day >= w.usage_month AND x.day < w.usage_month + INTERVAL 1 MONTH"
_IN_YEAR = "x.day >= w.usage_year AND x.day < w.usage_year + INTERVAL 1 YEAR"

# What a merchant is paid is a load or not by the tier of that moment. Where an operator has changed that tier since the
# year began, this can't be counted again from the tier of now.
_TIER_CHANGED = """EXISTS (
    SELECT 1 FROM operator_actions a JOIN users u ON u.id = w.user_id
    WHERE a.wallet_id = w.id AND a.command = 'set_tier' AND u.kind = 'merchant' AND a.created_at >= w.usage_year)"""

# what payments, holds and captures are judged by
_RULES = (
    *("tier", "valid_from", "valid_until", "for_merchants", "person_to_person", "payees_are_charged"),
    *("max_balance", "max_payment", "max_load_month", "max_load_year", "max_debit_day", "max_debit_month"),
    *("confirm_above", "confirm_day_above", "confirm_new_payee_above"),
)
_SAME_RULES = " AND ".join(f"r.{column} <=> c.{column}" for column in _RULES)

# ruff: noqa: S608 - every query is made of constants
CHECKS = (
    Check(
        "debits_count_once",
        "every debit counts once towards its limits",
        "wallet",
        f"""
        SELECT HEX(w.id) AS id, w.usage_day, w.debited_day, w.usage_month, w.debited_month
        FROM wallets w LEFT JOIN {_DEBITS} x ON x.wallet_id = w.id
        GROUP BY w.id, w.usage_day, w.debited_day, w.usage_month, w.debited_month
        HAVING w.debited_day <> SUM(IF(x.day = w.usage_day, x.amount, 0))
            OR w.debited_month <> SUM(IF({_IN_MONTH}, x.amount, 0))""",
    ),
    Check(
        "loads_count_once",
        "every load counts once towards its limits",
        "wallet",
        f"""
        SELECT HEX(w.id) AS id, w.usage_month, w.loaded_month, w.usage_year, w.loaded_year
        FROM wallets w LEFT JOIN {_LOADS} x ON x.wallet_id = w.id
        WHERE NOT {_TIER_CHANGED}
        GROUP BY w.id, w.usage_month, w.loaded_month, w.usage_year, w.loaded_year
        HAVING w.loaded_month <> SUM(IF({_IN_MONTH}, x.amount, 0))
            OR w.loaded_year <> SUM(IF({_IN_YEAR}, x.amount, 0))""",
    ),
    Check(
        "rules_are_in_force",
        "what payments are judged by is what the dated rules come to",
        "tier",
        f"""
        SELECT r.tier AS id, r.valid_from, r.valid_until
        FROM rules_in_force r LEFT JOIN current_rules c ON c.tier = r.tier
        WHERE r.valid_from <= UTC_TIMESTAMP(6) AND r.valid_until > UTC_TIMESTAMP(6) AND NOT ({_SAME_RULES})""",
    ),
)
