-- Grants a confirmation for the signature of one of its owner's passkeys, which the caller has verified. Again it changes
-- nothing. A signature that was used already ('invalid_code') shows a count that is not above the last one's.
CREATE PROCEDURE confirm_by_passkey(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_confirmation_id BINARY(16),
    IN p_passkey_id BINARY(16),
    IN p_sign_count INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_is_granted BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_confirmation(p_user_id, p_generation, p_confirmation_id, v_now, v_outcome, v_result);
    IF v_outcome IS NULL THEN
        SELECT granted_at IS NOT NULL INTO v_is_granted FROM confirmations WHERE id = p_confirmation_id;
        SET v_outcome = 'done';
    END IF;
    IF v_outcome = 'done' AND NOT v_is_granted THEN
        UPDATE passkeys SET sign_count = p_sign_count, last_used_at = v_now
        WHERE id = p_passkey_id AND user_id = p_user_id AND usable_from <= v_now
          AND (p_sign_count > sign_count OR p_sign_count = 0 AND sign_count = 0);
        IF ROW_COUNT() = 0 THEN
            SET v_outcome = 'invalid_code';
        ELSE
            UPDATE confirmations
            SET method = 'passkey', granted_at = v_now, granted_until = v_now + INTERVAL 15 MINUTE, granted_in = p_generation
            WHERE id = p_confirmation_id;
        END IF;
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, v_result AS result;
END
