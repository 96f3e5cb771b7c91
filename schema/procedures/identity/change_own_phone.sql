-- Another phone for an account, for who proves it, has shown the password that is stored as `p_password_hash`, and confirms
-- it by the phone of before or a passkey. As when operators do it, a closed wallet's phone is free, every other session ends,
-- and nothing is confirmed for as long as the tier says. The number of before is told. Asked again it changes nothing:
-- `p_change_id` is made of the proof.
CREATE PROCEDURE change_own_phone(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_session_id BINARY(16),
    IN p_request_hash BINARY(32),
    IN p_request_id BINARY(16),
    IN p_change_id BINARY(16),
    IN p_proof_hash BINARY(32),
    IN p_password_hash VARBINARY(60)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome, v_refusal VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id, v_former_id BINARY(16) DEFAULT NULL;
    DECLARE v_status, v_former_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_phone, v_before VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_password_hash VARBINARY(60) DEFAULT NULL;
    DECLARE v_is_confirmed BOOLEAN DEFAULT FALSE;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL use_phone_proof(p_proof_hash, 'change_phone', p_change_id, v_phone);
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    SELECT phone, password_hash INTO v_before, v_password_hash FROM users WHERE id = p_user_id;
    IF v_phone = v_before THEN
        SET v_outcome = 'done'; -- our own commit, whose answer was lost
    ELSEIF v_outcome IS NULL THEN
        SELECT u.id, w.status INTO v_former_id, v_former_status
        FROM users u JOIN wallets w ON w.user_id = u.id WHERE u.phone = v_phone;
        SELECT paused_until INTO v_paused_until FROM wallets WHERE id = v_wallet_id;
        IF v_phone IS NULL OR EXISTS (SELECT 1 FROM confirmations WHERE used_for = p_change_id) THEN
            SET v_outcome = 'invalid_proof'; -- or it was used for a change before the last one
        ELSEIF v_password_hash <> p_password_hash THEN
            SET v_outcome = 'invalid_credentials';
        ELSEIF v_former_status <> 'closed' THEN
            SET v_outcome = 'phone_taken';
        ELSEIF v_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSE
            CALL use_confirmation(p_user_id, 'me', p_request_hash, p_generation, 'new_phone', v_wallet_id, NULL, NULL,
                                  RIGHT(v_phone, 4), 0, v_paused_until, TRUE, p_change_id, v_refusal, v_result,
                                  v_is_confirmed);
            SET v_outcome = COALESCE(v_refusal, 'done');
        END IF;
    END IF;
    IF v_outcome = 'done' AND v_is_confirmed THEN
        IF v_former_id IS NOT NULL THEN
            CALL detach_phone(v_former_id, v_now);
        END IF;
        CALL end_sessions(p_user_id, NULL, p_session_id, v_now);
        CALL pause_wallet(v_wallet_id, v_now);
        INSERT INTO former_phones (phone, user_id, ended_at) VALUES (v_before, p_user_id, v_now);
        BEGIN
            -- by somebody else's commit of this moment, which the next look finds
            DECLARE CONTINUE HANDLER FOR 1062 SET v_outcome = 'try_again';
            UPDATE users SET phone = v_phone WHERE id = p_user_id;
        END;
        DELETE FROM proved_phones WHERE user_id = p_user_id;
        INSERT INTO proved_phones (user_id, phone, proved_at) VALUES (p_user_id, v_phone, v_now);
        CALL note_event(v_wallet_id, NULL, 'PhoneChanged', JSON_OBJECT(), v_now);
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_user_id, 'me', p_request_hash, p_request_id, 'new_phone', v_outcome, v_result);
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END
