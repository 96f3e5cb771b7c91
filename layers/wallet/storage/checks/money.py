"""Double entry, and balances that follow from it."""

from wallet.storage.checks.check import Check
from wallet.storage.checks.parts import ROWS, SIGNED

# ruff: noqa: S608 - every query is made of constants
CHECKS = (
    Check(
        "trial_balance",
        "debits equal credits",
        "currency",
        f"""
        SELECT COALESCE(t.currency, 'none') AS id, SUM({SIGNED}) AS off
        FROM postings p LEFT JOIN transactions t ON t.id = p.transaction_id
        GROUP BY COALESCE(t.currency, 'none') HAVING off <> 0""",
    ),
    Check(
        "posting_has_its_transaction",
        "every posting is of a transaction that there is",
        "transaction",
        """
        SELECT HEX(p.transaction_id) AS id, p.line, HEX(p.account_id) AS account FROM postings p
        LEFT JOIN transactions t ON t.id = p.transaction_id WHERE t.id IS NULL""",
    ),
    Check(
        "transaction_balances",
        "every transaction has two postings that balance, of its own amount",
        "transaction",
        f"""
        SELECT HEX(t.id) AS id, COUNT(p.line) AS postings FROM transactions t
        LEFT JOIN postings p ON p.transaction_id = t.id
        GROUP BY t.id HAVING COUNT(p.line) <> 2 OR SUM({SIGNED}) <> 0
            OR SUM(CASE WHEN p.side = 'debit' THEN p.amount ELSE 0 END) <> MAX(t.amount)""",
    ),
    Check(
        "balance_is_its_postings",
        "every balance is the sum of its postings",
        "wallet",
        f"""
        SELECT HEX(r.id) AS id, r.slot, r.balance, CAST(COALESCE(SUM({SIGNED}), 0) AS SIGNED) AS posted FROM {ROWS} r
        LEFT JOIN postings p ON p.account_id = r.id AND p.slot = r.slot
        GROUP BY r.id, r.slot, r.balance HAVING r.balance <> posted""",
    ),
    Check(
        "entries_without_gap",
        "the entries of every row are numbered without a gap",
        "wallet",
        f"""
        SELECT HEX(r.id) AS id, r.slot, r.entries, COUNT(p.line) AS found FROM {ROWS} r
        LEFT JOIN postings p ON p.account_id = r.id AND p.slot = r.slot
        GROUP BY r.id, r.slot, r.entries
        HAVING r.entries <> COUNT(p.line) OR COALESCE(MAX(p.entry_no), 0) <> r.entries""",
    ),
    Check(
        "posting_has_its_row",
        "every posting of a wallet is of a row that there is",
        "transaction",
        f"""
        SELECT HEX(p.transaction_id) AS id, HEX(p.account_id) AS account, p.slot FROM postings p LEFT JOIN {ROWS} r
        ON r.id = p.account_id AND r.slot = p.slot WHERE r.id IS NULL AND (p.slot <> 0 OR p.entry_no IS NOT NULL)""",
    ),
    Check(
        "balance_after_follows",
        "every balance behind an entry follows from the one before",
        "transaction",
        f"""
        SELECT HEX(p.transaction_id) AS id, HEX(p.account_id) AS wallet, p.slot, p.entry_no FROM postings p
        LEFT JOIN postings b ON b.account_id = p.account_id AND b.slot = p.slot AND b.entry_no = p.entry_no - 1
        WHERE p.entry_no IS NOT NULL AND p.balance_after <> COALESCE(b.balance_after, 0) + {SIGNED}""",
    ),
    Check(
        "time_runs_forward",
        "the time of every row runs forward",
        "transaction",
        """
        SELECT HEX(p.transaction_id) AS id, HEX(p.account_id) AS wallet, p.slot, p.entry_no FROM postings p
        JOIN postings b ON b.account_id = p.account_id AND b.slot = p.slot AND b.entry_no = p.entry_no - 1
        WHERE p.created_at <= b.created_at""",
    ),
    Check(
        "last_time_is_last",
        "no entry is later than its row's last time",
        "wallet",
        f"""
        SELECT HEX(r.id) AS id, r.slot FROM {ROWS} r
        JOIN postings p ON p.account_id = r.id AND p.slot = r.slot AND p.entry_no = r.entries
        WHERE r.last_entry_at < p.created_at""",
    ),
    Check(
        "posting_is_of_its_transaction",
        "every posting has its transaction's type and time",
        "transaction",
        """
        SELECT HEX(t.id) AS id, p.line, p.type FROM postings p JOIN transactions t ON t.id = p.transaction_id
        WHERE p.type <> t.type OR p.created_at <> t.created_at""",
    ),
    Check(
        "never_negative",
        "no balance is negative, and what is held is covered",
        "wallet",
        "SELECT HEX(id) AS id, balance, held FROM wallets WHERE balance < 0 OR held < 0 OR held > balance",
    ),
    Check(
        "slots_are_numbered",
        "the slots of every wallet are numbered from 1",
        "wallet",
        """
        SELECT HEX(w.id) AS id, w.slots FROM wallets w LEFT JOIN wallet_slots s ON s.wallet_id = w.id
        GROUP BY w.id, w.slots HAVING COUNT(s.slot) <> w.slots - 1 OR COALESCE(MAX(s.slot), 0) <> w.slots - 1""",
    ),
    Check(
        "gather_stays_within",
        "what is gathered stays within its wallet",
        "transaction",
        """
        SELECT HEX(t.id) AS id FROM transactions t JOIN postings p ON p.transaction_id = t.id WHERE t.type = 'gather'
        GROUP BY t.id HAVING COUNT(DISTINCT p.account_id) <> 1
            OR SUM(p.side = 'debit' AND p.slot > 0) <> 1 OR SUM(p.side = 'credit' AND p.slot = 0) <> 1""",
    ),
    Check(
        "who_lost_their_phone_pays_nothing",
        "a wallet whose owner has lost their phone is not active; a phone is lost to its next owner, or to operators",
        "wallet",
        """
        SELECT HEX(w.id) AS id, w.status FROM wallets w JOIN users u ON u.id = w.user_id
        LEFT JOIN users n ON n.phone = u.former_phone
        LEFT JOIN former_phones f ON f.user_id = u.id AND f.phone = u.former_phone
        WHERE (u.phone IS NULL) <> (u.former_phone IS NOT NULL)
            OR (u.phone IS NULL AND (w.status = 'active' OR (f.user_id IS NULL AND n.id IS NULL)))""",
    ),
    Check(
        "closed_is_empty",
        "a closed wallet has nothing in it",
        "wallet",
        """
        SELECT HEX(w.id) AS id FROM wallets w LEFT JOIN wallet_slots s ON s.wallet_id = w.id
        WHERE w.status = 'closed' GROUP BY w.id, w.balance HAVING w.balance + COALESCE(SUM(s.balance), 0) <> 0""",
    ),
)
