-- Moves `p_amount` from one account to another under a transaction that the caller has just inserted: each balance, and
-- a posting with the balance behind it. The debit is of a slot, 0 but where a hot wallet's are gathered or a fee is taken out of
-- the one that was paid; the credit is of the account's own row. The caller holds the locks of the wallets (or of the
-- slot); a posting that would overdraw breaks a CHECK and everything.
CREATE PROCEDURE post_entry(
    IN p_transaction_id BINARY(16),
    IN p_debit_account_id BINARY(16),
    IN p_debit_slot TINYINT UNSIGNED,
    IN p_credit_account_id BINARY(16),
    IN p_amount BIGINT,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    IF p_debit_slot > 0 THEN
        UPDATE wallet_slots SET balance = balance - p_amount, entries = entries + 1, last_entry_at = p_at
        WHERE wallet_id = p_debit_account_id AND slot = p_debit_slot;
    END IF;
    UPDATE wallets
    SET balance = balance + IF(id = p_credit_account_id, p_amount, -p_amount), entries = entries + 1, last_entry_at = p_at
    WHERE id IN (p_credit_account_id, IF(p_debit_slot = 0, p_debit_account_id, p_credit_account_id));
    INSERT INTO postings
        (transaction_id, line, account_id, slot, type, side, amount, entry_no, balance_after, created_at)
    SELECT t.id, 1, a.id, p_debit_slot, t.type, 'debit', p_amount, IF(p_debit_slot = 0, w.entries, s.entries),
           IF(p_debit_slot = 0, w.balance, s.balance), p_at
    FROM transactions t JOIN accounts a LEFT JOIN wallets w ON w.id = a.id
    LEFT JOIN wallet_slots s ON s.wallet_id = a.id AND s.slot = p_debit_slot
    WHERE t.id = p_transaction_id AND a.id = p_debit_account_id AND (p_debit_slot = 0 OR s.slot = p_debit_slot)
    UNION ALL
    SELECT t.id, 2, a.id, 0, t.type, 'credit', p_amount, w.entries, w.balance, p_at
    FROM transactions t JOIN accounts a LEFT JOIN wallets w ON w.id = a.id
    WHERE t.id = p_transaction_id AND a.id = p_credit_account_id;
    IF ROW_COUNT() <> 2 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an entry needs two accounts that exist';
    END IF;
END
