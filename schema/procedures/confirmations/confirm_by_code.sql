-- Grants a confirmation to whoever shows the code that was sent for it, five tries at most, each counted before it is
-- compared; after the last its owner is told. Shown again, the right one has granted it already.
CREATE PROCEDURE confirm_by_code(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_confirmation_id BINARY(16),
    IN p_code_hash BINARY(32)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_code_hash BINARY(32) DEFAULT NULL;
    DECLARE v_tries TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_is_granted BOOLEAN DEFAULT FALSE;
    DECLARE v_kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount BIGINT DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_confirmation(p_user_id, p_generation, p_confirmation_id, v_now, v_outcome, v_result);
    IF v_outcome IS NULL THEN
        SELECT code_hash, tries, granted_at IS NOT NULL, kind, amount
        INTO v_code_hash, v_tries, v_is_granted, v_kind, v_amount FROM confirmations WHERE id = p_confirmation_id;
        IF v_code_hash IS NULL THEN
            SET v_outcome = 'invalid_code'; -- none was sent, so nobody guesses
        ELSEIF v_code_hash <> p_code_hash THEN
            SET v_outcome = 'invalid_code';
            SET v_tries = v_tries + IF(v_is_granted, 0, 1);
            UPDATE confirmations SET tries = v_tries WHERE id = p_confirmation_id;
            IF v_tries = 5 AND NOT v_is_granted THEN
                SELECT id INTO v_wallet_id FROM wallets WHERE user_id = p_user_id;
                CALL note_event(v_wallet_id, NULL, 'ConfirmationFailed', JSON_OBJECT(
                    'kind', v_kind, 'amount', v_amount + 0, 'currency', 'INR'), v_now);
            END IF;
        ELSE
            SET v_outcome = 'done';
            IF NOT v_is_granted THEN
                UPDATE confirmations
                SET method = 'sms', granted_at = v_now, granted_until = v_now + INTERVAL 15 MINUTE, granted_in = p_generation
                WHERE id = p_confirmation_id;
            END IF;
        END IF;
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, v_result AS result;
END
