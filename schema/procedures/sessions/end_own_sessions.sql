-- Ends a session of one's own, or all but the one that asks (`p_session_id` NULL). 'not_found' for another's. Where nothing is
-- left to end the caller has what they want, though their token be of before: it was they, and the answer was lost.
CREATE PROCEDURE end_own_sessions(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_asking_id BINARY(16),
    IN p_session_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_id, v_spared_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_open INT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    SET v_spared_id = IF(p_session_id IS NULL, p_asking_id, NULL);
    SELECT COUNT(*) INTO v_open FROM sessions
    WHERE user_id = p_user_id AND ended_at IS NULL AND id = COALESCE(p_session_id, id) AND NOT id <=> v_spared_id;
    IF p_session_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM sessions WHERE id = p_session_id AND user_id = p_user_id) THEN
        SET v_outcome = COALESCE(v_outcome, 'not_found');
    ELSEIF v_open = 0 AND EXISTS (SELECT 1 FROM sessions WHERE id = p_asking_id AND ended_at IS NULL) THEN
        SET v_outcome = 'done';
    ELSEIF v_outcome IS NULL THEN
        CALL end_sessions(p_user_id, p_session_id, v_spared_id, UTC_TIMESTAMP(6));
        SET v_outcome = 'done';
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END
