-- Starts a session for whoever has shown the password that is stored as `p_password_hash`: if it has been changed since it
-- was looked at, or the phone has gone to its next owner, there is none. A proof of the phone that let them try is used up.
-- A device that the account has no session on is noted, but for its first sign-in. Running it again changes nothing.
CREATE PROCEDURE start_session(
    IN p_user_id BINARY(16),
    IN p_password_hash VARBINARY(60),
    IN p_proof_hash BINARY(32),
    IN p_session_id BINARY(16),
    IN p_kind VARCHAR(6) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_device VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_address_hash BINARY(32),
    IN p_token_hash BINARY(32),
    IN p_seed BINARY(32),
    IN p_idle_seconds INT UNSIGNED,
    IN p_valid_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_phone, v_proved VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_password_hash VARBINARY(60) DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_signed_in_at, v_last_of_fifty DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    IF p_proof_hash IS NOT NULL THEN
        CALL use_phone_proof(p_proof_hash, 'sign_in', p_session_id, v_proved);
    END IF;
    SELECT phone, password_hash, signed_in_at INTO v_phone, v_password_hash, v_signed_in_at
    FROM users WHERE id = p_user_id FOR UPDATE;
    SELECT id, session_generation INTO v_wallet_id, v_generation FROM wallets WHERE user_id = p_user_id;
    IF v_phone IS NULL OR v_password_hash <> p_password_hash THEN
        SET v_outcome = 'invalid_credentials';
    ELSEIF p_proof_hash IS NOT NULL AND COALESCE(v_proved <> v_phone, TRUE) THEN
        SET v_outcome = 'invalid_proof';
    ELSE
        IF v_signed_in_at IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM sessions WHERE user_id = p_user_id AND device = p_device) THEN
            -- under the wallet's lock, as all its events
            SELECT session_generation INTO v_generation FROM wallets WHERE id = v_wallet_id FOR UPDATE;
            CALL note_event(v_wallet_id, NULL, 'SignedInOnNewDevice', JSON_OBJECT('device', p_device), v_now);
        END IF;
        INSERT INTO sessions
            (id, user_id, kind, device, address_hash, seed, created_at, last_used_at, idle_ends_at, ends_at)
        VALUES (p_session_id, p_user_id, p_kind, p_device, p_address_hash, p_seed, v_now, v_now,
                v_now + INTERVAL p_idle_seconds SECOND, v_now + INTERVAL p_valid_seconds SECOND)
        ON DUPLICATE KEY UPDATE id = p_session_id;
        INSERT INTO session_tokens (token_hash, session_id, created_at) VALUES (p_token_hash, p_session_id, v_now)
        ON DUPLICATE KEY UPDATE token_hash = p_token_hash;
        UPDATE users SET signed_in_at = v_now WHERE id = p_user_id;
        -- fifty are open at most: those that were used last
        SELECT last_used_at INTO v_last_of_fifty FROM sessions
        WHERE user_id = p_user_id AND ended_at IS NULL AND LEAST(idle_ends_at, ends_at) > v_now
        ORDER BY last_used_at DESC LIMIT 1 OFFSET 49;
        UPDATE sessions SET ended_at = v_now
        WHERE user_id = p_user_id AND ended_at IS NULL AND last_used_at < v_last_of_fifty;
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome, JSON_OBJECT('generation', v_generation + 0) AS result;
END
