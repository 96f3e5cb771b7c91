-- Locks a wallet that money is to come into, in its own row: what goes to any slot of a hot wallet, payments and captures, locks
-- that slot itself. `p_total` is what the wallet has in all of its slots.
CREATE PROCEDURE lock_credit(
    IN p_wallet_id BINARY(16),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_total BIGINT,
    OUT p_last DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_slots TINYINT UNSIGNED DEFAULT 1;

    SELECT status, tier, balance, last_entry_at, slots INTO p_status, p_tier, p_total, p_last, v_slots
    FROM wallets WHERE id = p_wallet_id FOR UPDATE;
    IF v_slots > 1 THEN
        SELECT p_total + COALESCE(SUM(balance), 0) INTO p_total FROM wallet_slots WHERE wallet_id = p_wallet_id;
    END IF;
END
