-- Internal. Closes a wallet that an operator is closing once there is nothing in it; the caller holds its lock.
CREATE PROCEDURE close_if_empty(
    IN p_wallet_id BINARY(16),
    IN p_at DATETIME(6),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_slots INT DEFAULT 0;
    DECLARE v_total BIGINT DEFAULT NULL;

    SELECT COUNT(*), COALESCE(SUM(balance), 0) INTO v_slots, v_total
    FROM wallet_slots WHERE wallet_id = p_wallet_id FOR UPDATE;
    SELECT status, v_total + balance INTO p_status, v_total FROM wallets WHERE id = p_wallet_id;
    IF p_status = 'closing' AND v_total = 0 THEN
        SET p_status = 'closed';
        UPDATE wallets SET status = p_status WHERE id = p_wallet_id;
        CALL note_event(p_wallet_id, NULL, 'WalletClosed', JSON_OBJECT(), p_at);
    END IF;
END
