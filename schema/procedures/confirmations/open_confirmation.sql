-- Internal. After a refusal with 'confirmation_required', and the rollback of what had been begun: writes down what is to be
-- confirmed, unless that is there and open, and puts its id into `p_result`. After any other outcome it does nothing. What
-- is there for the same request and is no longer open, or came to somebody else, is replaced: its id confirms nothing then.
-- Its message will name the payee, so it counts as a debit among those that name people by phone (see `make_payment`). Of a
-- request there is one that was not used, as whoever opens another holds the wallet's lock.
CREATE PROCEDURE open_confirmation(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_movement_id BINARY(16),
    IN p_kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    INOUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    INOUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_id, v_user_id, v_wallet_id, v_payee_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_vpa VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_amount BIGINT DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_is_same, v_is_open, v_is_granted BOOLEAN DEFAULT FALSE;
    DECLARE v_expires_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);

    IF p_outcome = 'confirmation_required' THEN
        SET v_payee_wallet_id = UNHEX(NULLIF(JSON_UNQUOTE(JSON_EXTRACT(p_result, '$.payee_wallet_id')), ''));
        SET v_vpa = NULLIF(JSON_UNQUOTE(JSON_EXTRACT(p_result, '$.vpa')), '');
        SET v_name = NULLIF(JSON_UNQUOTE(JSON_EXTRACT(p_result, '$.payee_name')), '');
        SET v_amount = JSON_UNQUOTE(JSON_EXTRACT(p_result, '$.amount'));
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        START TRANSACTION;
        -- first people and wallet, as whoever uses a confirmation locks them
        SELECT id INTO v_user_id FROM users WHERE id = p_actor_id FOR UPDATE;
        SELECT id, session_generation INTO v_wallet_id, v_generation FROM wallets WHERE user_id = p_actor_id FOR UPDATE;
        SELECT id, expires_at,
               kind = p_kind AND payee_wallet_id <=> v_payee_wallet_id AND vpa <=> v_vpa AND amount = v_amount,
               granted_at IS NULL AND expires_at > v_now AND tries < 5,
               COALESCE(granted_until > v_now AND granted_in = v_generation, FALSE)
        INTO v_id, v_expires_at, v_is_same, v_is_open, v_is_granted
        FROM confirmations
        WHERE user_id = p_actor_id AND idem_key = p_key AND request_hash = p_request_hash AND used_for IS NULL FOR UPDATE;
        IF v_is_same AND v_is_granted THEN
            SET p_outcome = 'try_again'; -- granted after we looked
        ELSEIF NOT (v_is_same AND v_is_open) THEN
            DELETE FROM confirmations WHERE id = v_id;
            CALL derive_id(p_movement_id, 'confirmation', v_id);
            SET v_expires_at = v_now + INTERVAL 15 MINUTE;
            INSERT INTO confirmations (id, user_id, idem_key, request_hash, kind, payee_wallet_id, vpa, payee_name, amount,
                                       currency, created_at, expires_at)
            VALUES (v_id, p_actor_id, p_key, p_request_hash, p_kind, v_payee_wallet_id, v_vpa, v_name, v_amount, 'INR',
                    v_now, v_expires_at);
            UPDATE wallets
            SET debits = IF(debits_until > v_now, debits, 0) + 1,
                debits_until = IF(debits_until > v_now, debits_until, v_now + INTERVAL 1 HOUR)
            WHERE id = v_wallet_id;
        END IF;
        COMMIT;
        SET p_result = JSON_OBJECT(
            'confirmation_id', LOWER(HEX(v_id)),
            'methods', IF(EXISTS (SELECT 1 FROM passkeys WHERE user_id = p_actor_id AND usable_from <= v_now),
                          'passkey,sms', 'sms'),
            'expires_at', DATE_FORMAT(v_expires_at, '%Y-%m-%dT%H:%i:%s.%f'));
    END IF;
END
