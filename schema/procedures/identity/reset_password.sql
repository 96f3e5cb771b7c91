-- Another password for whoever proves the phone: every session ends. `not_found` if the
-- phone is nobody's; 'operator_needed' if its owner has not been here for so many days: the number may have another one now.
-- Running it again changes nothing.
CREATE PROCEDURE reset_password(
    IN p_reset_id BINARY(16),
    IN p_proof_hash BINARY(32),
    IN p_passkey_proof_hash BINARY(32),
    IN p_password_hash VARBINARY(60),
    IN p_seen_within_days INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_phone, v_passkeys_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_user_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_password_hash VARBINARY(60) DEFAULT NULL;
    DECLARE v_seen_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL use_phone_proof(p_proof_hash, 'reset_password', p_reset_id, v_phone);
    IF p_passkey_proof_hash IS NOT NULL THEN
        CALL use_phone_proof(p_passkey_proof_hash, 'passkey_reset', p_reset_id, v_passkeys_phone);
        SET v_phone = IF(v_passkeys_phone = v_phone, v_phone, NULL);
    END IF;
    SELECT id, password_hash, COALESCE(signed_in_at, created_at) INTO v_user_id, v_password_hash, v_seen_at
    FROM users WHERE phone = v_phone FOR UPDATE;
    SELECT GREATEST(v_seen_at, COALESCE(MAX(last_used_at), v_seen_at)) INTO v_seen_at
    FROM sessions WHERE user_id = v_user_id;
    SET v_outcome = CASE
        WHEN v_phone IS NULL THEN 'invalid_proof'
        WHEN v_user_id IS NULL OR EXISTS (SELECT 1 FROM wallets WHERE user_id = v_user_id AND status = 'closed')
            THEN 'not_found'
        WHEN v_seen_at < v_now - INTERVAL p_seen_within_days DAY AND v_passkeys_phone IS NULL THEN 'operator_needed'
        ELSE 'done' END;
    IF v_outcome = 'done' AND v_password_hash <> p_password_hash THEN -- else it is our own commit, whose answer was lost
        SELECT id INTO v_wallet_id FROM wallets WHERE user_id = v_user_id;
        CALL end_sessions(v_user_id, NULL, NULL, v_now);
        UPDATE users SET password_hash = p_password_hash WHERE id = v_user_id;
        CALL pause_wallet(v_wallet_id, v_now);
        CALL note_event(v_wallet_id, NULL, 'PasswordReset', JSON_OBJECT(), v_now);
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome, NULL AS result;
END
