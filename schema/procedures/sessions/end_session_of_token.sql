-- Ends the session of a refresh token or a cookie: a logout. An unknown one is logged out already.
CREATE PROCEDURE end_session_of_token(IN p_token_hash BINARY(32))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_session_id, v_user_id BINARY(16) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT s.id, s.user_id INTO v_session_id, v_user_id
    FROM session_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.token_hash = p_token_hash AND s.ended_at IS NULL;
    IF v_session_id IS NOT NULL THEN
        CALL end_sessions(v_user_id, v_session_id, NULL, UTC_TIMESTAMP(6));
    END IF;
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END
