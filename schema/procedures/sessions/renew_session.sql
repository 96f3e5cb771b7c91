-- Uses a refresh token and puts its successor in its place; a cookie's secret (`p_next_token_hash` NULL) stays. One that
-- comes back within 30 seconds of its use, its successor unused, is a repetition: the answer was lost, or two tabs asked.
-- Later it was copied by somebody: nobody can tell the thief from the owner, so the session ends and both must sign in.
CREATE PROCEDURE renew_session(
    IN p_token_hash BINARY(32),
    IN p_next_token_hash BINARY(32),
    IN p_kind VARCHAR(6) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_idle_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'invalid_token';
    DECLARE v_session_id, v_user_id BINARY(16) DEFAULT NULL;
    DECLARE v_is_open, v_is_next_unused BOOLEAN DEFAULT FALSE;
    DECLARE v_used_at DATETIME(6) DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT session_id INTO v_session_id FROM session_tokens WHERE token_hash = p_token_hash;
    SELECT user_id, kind = p_kind AND ended_at IS NULL AND LEAST(idle_ends_at, ends_at) > v_now
    INTO v_user_id, v_is_open FROM sessions WHERE id = v_session_id FOR UPDATE;
    SELECT used_at INTO v_used_at FROM session_tokens WHERE token_hash = p_token_hash;
    SELECT used_at IS NULL INTO v_is_next_unused
    FROM session_tokens WHERE token_hash = p_next_token_hash AND session_id = v_session_id;

    IF v_is_open AND v_used_at IS NULL THEN
        IF p_next_token_hash IS NOT NULL THEN
            UPDATE session_tokens SET used_at = v_now WHERE token_hash = p_token_hash;
            INSERT INTO session_tokens (token_hash, session_id, created_at) VALUES (p_next_token_hash, v_session_id, v_now);
        END IF;
        UPDATE sessions SET last_used_at = v_now, idle_ends_at = v_now + INTERVAL p_idle_seconds SECOND
        WHERE id = v_session_id;
        SET v_outcome = 'done';
    ELSEIF v_is_open AND v_is_next_unused AND v_used_at > v_now - INTERVAL 30 SECOND THEN
        SET v_outcome = 'done';
    END IF;
    SELECT session_generation INTO v_generation FROM wallets WHERE user_id = v_user_id;
    COMMIT;

    IF v_outcome <> 'done' AND v_is_open THEN
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        START TRANSACTION;
        CALL end_sessions(v_user_id, v_session_id, NULL, v_now);
        COMMIT;
    END IF;
    SELECT v_outcome AS outcome,
           JSON_OBJECT('user_id', LOWER(HEX(v_user_id)), 'session_id', LOWER(HEX(v_session_id)),
                       'generation', v_generation + 0) AS result;
END
