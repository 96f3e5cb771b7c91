-- Internal. Uses a granted confirmation up for `p_used_for`, inside the commit of the money and behind the lock of the wallet
-- that it leaves (`p_wallet_id`). `p_outcome` is NULL if there is one, or if the payee is known and no other rule requires one
-- (`p_is_required` FALSE): then `p_is_confirmed` is FALSE. Else it is the refusal, and `p_result` what `open_confirmation`
-- needs, or the seconds until the pause is over.
CREATE PROCEDURE use_confirmation(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_wallet_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_vpa VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payee_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_amount BIGINT,
    IN p_paused_until DATETIME(6),
    IN p_is_required BOOLEAN,
    IN p_used_for BINARY(16),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_is_confirmed BOOLEAN
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_session_quota BINARY(32) DEFAULT NULL;
    DECLARE v_codes TINYINT UNSIGNED DEFAULT 0;

    SET p_is_confirmed = FALSE;
    IF p_is_required OR NOT EXISTS (
        SELECT 1 FROM known_payees WHERE wallet_id = p_wallet_id AND payee_wallet_id = p_payee_wallet_id) THEN
        IF p_paused_until > UTC_TIMESTAMP(6) THEN
            SET p_outcome = 'confirmation_paused';
            CALL tell_retry(p_paused_until, p_result);
        ELSE
            SELECT id, codes, session_quota INTO v_id, v_codes, v_session_quota FROM confirmations
            WHERE user_id = p_actor_id AND idem_key = p_key AND request_hash = p_request_hash AND kind = p_kind
              AND payee_wallet_id <=> p_payee_wallet_id AND vpa <=> p_vpa AND amount = p_amount
              AND granted_until > UTC_TIMESTAMP(6) AND granted_in = p_generation AND used_for IS NULL FOR UPDATE;
            IF v_id IS NULL THEN
                SET p_outcome = 'confirmation_required';
                SET p_result = JSON_OBJECT(
                    'payee_wallet_id', COALESCE(LOWER(HEX(p_payee_wallet_id)), ''), 'vpa', COALESCE(p_vpa, ''),
                    'payee_name', COALESCE(p_payee_name, ''), 'amount', p_amount + 0);
            ELSE
                UPDATE confirmations SET used_for = p_used_for WHERE id = v_id;
                SET p_is_confirmed = TRUE;
                -- what is confirmed and done was its owner's, whose session may go on
                UPDATE quotas SET uses = uses - v_codes WHERE subject_hash = v_session_quota AND uses >= v_codes;
                IF p_payee_wallet_id IS NOT NULL THEN
                    INSERT INTO known_payees (wallet_id, payee_wallet_id) VALUES (p_wallet_id, p_payee_wallet_id)
                    ON DUPLICATE KEY UPDATE wallet_id = p_wallet_id;
                END IF;
            END IF;
        END IF;
    END IF;
END
