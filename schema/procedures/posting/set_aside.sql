-- Changes what a wallet holds (`p_amount` negative: gives free), and writes that down. Give free before you debit: what
-- is held is always covered. The caller holds the wallet's lock.
CREATE PROCEDURE set_aside(
    IN p_wallet_id BINARY(16),
    IN p_amount BIGINT,
    IN p_cause VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_cause_id BINARY(16),
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    -- a wallet's time never runs backwards, here neither, or a clock that is set back could begin a day a second time
    UPDATE wallets
    SET held = held + p_amount, held_changes = held_changes + 1, last_entry_at = GREATEST(last_entry_at, p_at)
    WHERE id = p_wallet_id;
    INSERT INTO held_changes (wallet_id, change_no, amount, held_after, cause, cause_id, created_at)
    SELECT id, held_changes, p_amount, held, p_cause, p_cause_id, last_entry_at FROM wallets WHERE id = p_wallet_id;
END
