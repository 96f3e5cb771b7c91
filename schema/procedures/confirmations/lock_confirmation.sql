-- Internal. Locks a confirmation of somebody's who asks in a session. `p_outcome` is NULL if it is open, or granted and not
-- used yet; 'invalid_token' if the session has ended, 'not_found' for another's, 'confirmation_ended', or
-- 'confirmation_paused' with the seconds to wait.
CREATE PROCEDURE lock_confirmation(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_confirmation_id BINARY(16),
    IN p_now DATETIME(6),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
READS SQL DATA
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_is_open BOOLEAN DEFAULT FALSE;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;

    -- first the wallet, as whoever uses a confirmation locks them
    SELECT session_generation, paused_until INTO v_generation, v_paused_until
    FROM wallets WHERE user_id = p_user_id FOR UPDATE;
    SELECT id, used_for IS NULL AND (expires_at > p_now AND tries < 5
                                     OR COALESCE(granted_until > p_now AND granted_in = v_generation, FALSE))
    INTO v_id, v_is_open FROM confirmations WHERE id = p_confirmation_id AND user_id = p_user_id FOR UPDATE;
    IF v_generation IS NULL OR v_generation <> p_generation THEN
        SET p_outcome = 'invalid_token';
    ELSEIF v_id IS NULL THEN
        SET p_outcome = 'not_found';
    ELSEIF NOT v_is_open THEN
        SET p_outcome = 'confirmation_ended';
    ELSEIF v_paused_until > p_now THEN
        SET p_outcome = 'confirmation_paused';
        CALL tell_retry(v_paused_until, p_result);
    END IF;
END
