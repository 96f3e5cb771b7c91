-- Locks a wallet, or one slot of it, that money is to come into. `p_spread` says that the movement may go to any slot of
-- a hot wallet; where the tier caps the balance none does, for no slot knows the others'. The status of a wallet whose
-- slot is locked is read behind that lock: who freezes a wallet takes the locks of all its slots.
CREATE PROCEDURE lock_credit(
    IN p_wallet_id BINARY(16),
    IN p_spread BOOLEAN,
    OUT p_slot TINYINT UNSIGNED,
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_total BIGINT,
    OUT p_last DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_slots, v_over TINYINT UNSIGNED DEFAULT 1;
    DECLARE v_max_balance, v_unused BIGINT DEFAULT NULL;
    DECLARE v_flag BOOLEAN DEFAULT NULL;

    SET p_slot = 0;
    IF p_spread THEN
        SELECT spread, tier INTO v_over, p_tier FROM wallets WHERE id = p_wallet_id;
        IF v_over > 1 THEN
            CALL limits_of(p_tier, UTC_TIMESTAMP(6), v_max_balance, v_unused, v_unused, v_unused, v_unused, v_unused,
                           v_unused, v_flag, v_flag);
            SET p_slot = IF(v_max_balance IS NULL, FLOOR(RAND() * v_over), 0);
        END IF;
    END IF;
    IF p_slot > 0 THEN
        SELECT last_entry_at INTO p_last
        FROM wallet_slots WHERE wallet_id = p_wallet_id AND slot = p_slot FOR UPDATE;
        SELECT status, tier, balance, slots INTO p_status, p_tier, p_total, v_slots
        FROM wallets WHERE id = p_wallet_id;
    ELSE
        SELECT status, tier, balance, last_entry_at, slots INTO p_status, p_tier, p_total, p_last, v_slots
        FROM wallets WHERE id = p_wallet_id FOR UPDATE;
    END IF;
    IF v_slots > 1 THEN
        SELECT p_total + COALESCE(SUM(balance), 0) INTO p_total FROM wallet_slots WHERE wallet_id = p_wallet_id;
    END IF;
END
