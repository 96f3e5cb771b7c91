-- Adds a passkey after a confirmation, by a code or by another passkey: ten at most ('too_many_passkeys'). The same one
-- again is there. It confirms as late as somebody who has reset the password: a code for it that was lured out of
-- its owner is as good.
CREATE PROCEDURE add_passkey(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_request_hash BINARY(32),
    IN p_passkey_id BINARY(16),
    IN p_credential_id VARBINARY(1023),
    IN p_public_key VARBINARY(1024),
    IN p_sign_count INT UNSIGNED,
    IN p_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome, v_refusal VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id, v_id, v_owner_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_is_confirmed BOOLEAN DEFAULT FALSE;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    IF v_outcome IS NULL THEN
        SELECT id, user_id INTO v_id, v_owner_id FROM passkeys WHERE credential_id = p_credential_id;
        SELECT paused_until INTO v_paused_until FROM wallets WHERE id = v_wallet_id;
        IF v_owner_id = p_user_id THEN
            SET v_outcome = 'done'; -- our own commit, whose answer was lost
        ELSEIF v_id IS NOT NULL THEN
            SET v_outcome = 'invalid_code'; -- somebody else's: nobody's authenticator makes that
        ELSEIF (SELECT COUNT(*) FROM passkeys WHERE user_id = p_user_id) >= 10 THEN
            SET v_outcome = 'too_many_passkeys';
        ELSE
            CALL use_confirmation(p_user_id, 'passkeys', p_request_hash, p_generation, 'new_passkey', v_wallet_id, NULL, NULL,
                                  NULL, 0, v_paused_until, TRUE, p_passkey_id, v_refusal, v_result, v_is_confirmed);
            SET v_outcome = COALESCE(v_refusal, 'done');
            IF v_is_confirmed THEN
                SET v_id = p_passkey_id;
                INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, name, created_at, usable_from)
                SELECT p_passkey_id, p_user_id, p_credential_id, p_public_key, p_sign_count, p_name, v_now,
                       v_now + INTERVAL COALESCE((
                           SELECT c.reset_wait_s FROM wallets w JOIN confirmation_rules c ON c.tier = w.tier
                           WHERE w.id = v_wallet_id AND c.valid_from <= v_now ORDER BY c.valid_from DESC LIMIT 1), 0) SECOND;
                CALL note_event(v_wallet_id, NULL, 'PasskeyAdded', JSON_OBJECT(), v_now);
            END IF;
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        SELECT JSON_OBJECT('passkey_id', LOWER(HEX(id)), 'name', name,
                           'created_at', DATE_FORMAT(created_at, '%Y-%m-%dT%H:%i:%s.%f'))
        INTO v_result FROM passkeys WHERE id = v_id;
        COMMIT;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_user_id, 'passkeys', p_request_hash, p_passkey_id, 'new_passkey', v_outcome, v_result);
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END
