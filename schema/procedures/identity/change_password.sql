-- Another password for somebody who has shown the one that is stored as `p_password_hash`; every other session ends.
CREATE PROCEDURE change_password(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_session_id BINARY(16),
    IN p_password_hash VARBINARY(60),
    IN p_new_password_hash VARBINARY(60)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_password_hash VARBINARY(60) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    SELECT password_hash INTO v_password_hash FROM users WHERE id = p_user_id;
    IF v_password_hash = p_new_password_hash THEN
        SET v_outcome = 'done'; -- our own commit, whose answer was lost
    ELSEIF v_outcome IS NULL AND v_password_hash <> p_password_hash THEN
        SET v_outcome = 'invalid_credentials';
    ELSEIF v_outcome IS NULL THEN
        CALL end_sessions(p_user_id, NULL, p_session_id, UTC_TIMESTAMP(6));
        UPDATE users SET password_hash = p_new_password_hash WHERE id = p_user_id;
        CALL note_event(v_wallet_id, NULL, 'PasswordChanged', JSON_OBJECT(), UTC_TIMESTAMP(6));
        SET v_outcome = 'done';
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END
