-- The signature of a passkey, which the caller has verified, becomes a proof of its owner's phone: for signing in, or to stand
-- beside a code ('passkey_reset', which is never taken for one) where a password is reset. `p_proof_id` is of the challenge:
-- one signature becomes one proof ('invalid_code'), and again it is the same. A passkey has `p_per_day` a day
-- ('too_many_attempts'), as each is good for a few guesses of the password.
CREATE PROCEDURE prove_by_passkey(
    IN p_passkey_id BINARY(16),
    IN p_sign_count INT UNSIGNED,
    IN p_purpose VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_proof_id BINARY(16),
    IN p_proof_hash BINARY(32),
    IN p_valid_seconds INT UNSIGNED,
    IN p_per_day INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_known_hash BINARY(32) DEFAULT NULL;
    DECLARE v_wait, v_unused INT UNSIGNED DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE v_expires_at DATETIME(6) DEFAULT v_now + INTERVAL p_valid_seconds SECOND;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- its count is the mutex of the passkey
    CALL count_use(UNHEX(SHA2(CONCAT('proofs by the passkey ', HEX(p_passkey_id)), 256)), p_per_day, 86400, p_per_day, 0,
                   v_now, v_wait, v_unused);
    SELECT proof_hash, proof_expires_at INTO v_known_hash, v_expires_at FROM phone_proofs WHERE id = p_proof_id;
    IF v_known_hash IS NOT NULL THEN
        -- our own commit, whose answer was lost, or a signature that somebody shows again
        SET v_outcome = IF(v_known_hash = p_proof_hash, 'done', 'invalid_code'), v_wait = NULL;
    ELSEIF v_wait IS NOT NULL THEN
        SET v_outcome = 'too_many_attempts';
    ELSE
        SELECT u.phone INTO v_phone FROM passkeys p JOIN users u ON u.id = p.user_id WHERE p.id = p_passkey_id;
        UPDATE passkeys SET sign_count = p_sign_count, last_used_at = v_now
        WHERE id = p_passkey_id AND v_phone IS NOT NULL AND usable_from <= v_now
          AND (p_sign_count > sign_count OR p_sign_count = 0 AND sign_count = 0);
        IF ROW_COUNT() = 0 THEN
            SET v_outcome = 'invalid_code';
        ELSE
            -- no code becomes it: that has ended as it began
            INSERT INTO phone_proofs (
                id, phone, purpose, code_hash, created_at, expires_at, proof_hash, proof_expires_at)
            VALUES (
                p_proof_id, v_phone, IF(p_purpose = 'reset_password', 'passkey_reset', p_purpose), p_proof_hash, v_now, v_now,
                p_proof_hash, v_expires_at);
        END IF;
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome,
           JSON_OBJECT('retry_after_s', v_wait + 0,
                       'expires_at', DATE_FORMAT(v_expires_at, '%Y-%m-%dT%H:%i:%s.%f')) AS result;
END
