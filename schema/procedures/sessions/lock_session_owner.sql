-- Internal. Locks the whole wallet of somebody who asks in a session: NULL, or 'invalid_token' if it has ended.
CREATE PROCEDURE lock_session_owner(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_wallet_id BINARY(16),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
)
READS SQL DATA
BEGIN
    DECLARE v_locked_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;

    -- the user before the wallet: who registers with their phone, or resets their password, locks them so
    SELECT id INTO v_locked_id FROM users WHERE id = p_user_id FOR UPDATE;
    SELECT id INTO v_wallet_id FROM wallets WHERE user_id = v_locked_id;
    CALL lock_whole_wallet(v_wallet_id, p_status, v_tier);
    SELECT session_generation INTO v_generation FROM wallets WHERE id = v_wallet_id;
    SET p_wallet_id = v_wallet_id;
    SET p_outcome = IF(COALESCE(v_generation <> p_generation, TRUE), 'invalid_token', NULL);
END
