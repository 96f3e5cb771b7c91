-- Removes a passkey after a confirmation; one that is gone is gone. Another's is 'not_found'.
CREATE PROCEDURE remove_passkey(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_request_hash BINARY(32),
    IN p_request_id BINARY(16),
    IN p_passkey_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome, v_refusal VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id, v_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_is_confirmed BOOLEAN DEFAULT FALSE;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    IF v_outcome IS NULL THEN
        SELECT id INTO v_id FROM passkeys WHERE id = p_passkey_id AND user_id = p_user_id;
        SELECT paused_until INTO v_paused_until FROM wallets WHERE id = v_wallet_id;
        IF v_id IS NULL AND EXISTS (SELECT 1 FROM confirmations WHERE used_for = p_request_id) THEN
            SET v_outcome = 'done'; -- our own commit, whose answer was lost
        ELSEIF v_id IS NULL THEN
            SET v_outcome = 'not_found';
        ELSE
            CALL use_confirmation(p_user_id, 'passkeys', p_request_hash, p_generation, 'lost_passkey', v_wallet_id, NULL, NULL,
                                  NULL, 0, v_paused_until, TRUE, p_request_id, v_refusal, v_result, v_is_confirmed);
            SET v_outcome = COALESCE(v_refusal, 'done');
            IF v_is_confirmed THEN
                DELETE FROM passkeys WHERE id = v_id;
                CALL note_event(v_wallet_id, NULL, 'PasskeyRemoved', JSON_OBJECT(), v_now);
            END IF;
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_user_id, 'passkeys', p_request_hash, p_request_id, 'lost_passkey', v_outcome, v_result);
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END
