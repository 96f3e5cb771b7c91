-- Internal. Locks a wallet whole, its own row and then its slots: who is about to be paid into a slot has read the
-- wallet's status behind that slot's lock. NULL if there is no such wallet, or none any more.
CREATE PROCEDURE lock_whole_wallet(
    IN p_wallet_id BINARY(16),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
READS SQL DATA
BEGIN
    DECLARE v_slots INT DEFAULT 0;

    SET p_status = NULL;
    SELECT status, tier INTO p_status, p_tier FROM wallets WHERE id = p_wallet_id FOR UPDATE;
    SELECT COUNT(*) INTO v_slots FROM wallet_slots WHERE wallet_id = p_wallet_id FOR UPDATE;
    SET p_status = NULLIF(p_status, 'closed');
END
