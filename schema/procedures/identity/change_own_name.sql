-- Another name, behind a confirmation and once in 30 days ('name_changed_lately' with the seconds to wait), and another e-mail
-- address, which is nobody's proof of anything ('' is none); NULL leaves what there is. A merchant's name is an operator's to
-- change ('operator_needed'), who has looked at it or is about to: people pay by it.
CREATE PROCEDURE change_own_name(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_request_hash BINARY(32),
    IN p_change_id BINARY(16),
    IN p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome, v_refusal VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status, v_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_is_confirmed BOOLEAN DEFAULT FALSE;
    DECLARE v_free_at, v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    IF v_outcome IS NULL THEN
        SELECT name, kind INTO v_name, v_kind FROM users WHERE id = p_user_id;
        SELECT MAX(ended_at) + INTERVAL 30 DAY INTO v_free_at FROM former_names WHERE user_id = p_user_id;
        SELECT paused_until INTO v_paused_until FROM wallets WHERE id = v_wallet_id;
        IF COALESCE(p_name = v_name, TRUE) THEN
            SET v_outcome = 'done';
        ELSEIF v_kind = 'merchant' THEN
            SET v_outcome = 'operator_needed';
        ELSEIF v_free_at > v_now THEN
            SET v_outcome = 'name_changed_lately';
            CALL tell_retry(v_free_at, v_result);
        ELSE
            CALL use_confirmation(p_user_id, 'me', p_request_hash, p_generation, 'new_name', v_wallet_id, NULL, NULL, p_name, 0,
                                  v_paused_until, TRUE, p_change_id, v_refusal, v_result, v_is_confirmed);
            SET v_outcome = COALESCE(v_refusal, 'done');
        END IF;
    END IF;
    IF v_outcome = 'done' AND v_is_confirmed THEN
        INSERT INTO former_names (user_id, name, ended_at) VALUES (p_user_id, v_name, v_now);
        UPDATE users SET name = p_name WHERE id = p_user_id;
        CALL note_event(v_wallet_id, NULL, 'NameChanged', JSON_OBJECT(), v_now);
    END IF;
    IF v_outcome = 'done' THEN
        UPDATE users SET email = IF(p_email = '', NULL, COALESCE(p_email, email)) WHERE id = p_user_id;
        COMMIT;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_user_id, 'me', p_request_hash, p_change_id, 'new_name', v_outcome, v_result);
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END
