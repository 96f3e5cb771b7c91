-- Promises a part of the actor's wallet to another: it stays there and is no longer available. The payer's limits are
-- checked and counted now, for the capture is the payee's to ask for; of the payee nothing matters but that there is such a
-- wallet: whether it may take the money is the capture's to say, and the payee's to hear. A payer has 1,000 holds at most:
-- whoever debits a wallet ends all that have lapsed, and may be holding the lock of a shop that everybody pays meanwhile.
CREATE PROCEDURE place_hold(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_hold_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_valid_seconds INT UNSIGNED,
    IN p_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_payer_name, v_payee_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payee_kind, v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_asked_tier, v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_balance, v_held, v_placed, v_unconfirmed BIGINT DEFAULT NULL;
    DECLARE v_confirm_above, v_confirm_day_above, v_confirm_new_payee_above BIGINT DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_person_to_person, v_has_sums, v_is_required, v_is_confirmed BOOLEAN DEFAULT FALSE;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_last, v_now, v_expires_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SET v_outcome = NULL;
        CALL check_payer(p_actor_id, p_generation, p_payee_wallet_id, p_payee_phone, p_amount, v_outcome, v_result,
                         v_payer_id, v_payer_name, v_asked_tier, v_person_to_person, v_has_sums, v_confirm_above,
                         v_confirm_day_above, v_confirm_new_payee_above);
    END IF;
    IF v_outcome IS NULL THEN
        CALL refuse_payee(p_payee_wallet_id, p_payee_phone, v_person_to_person, v_outcome, v_result, v_payee_id,
                          v_payee_name, v_payee_kind);
    END IF;

    IF v_outcome IS NULL THEN
        CALL lock_payer_with_usage(v_payer_id, p_amount, p_hold_id, v_status, v_tier, v_balance, v_held, v_last,
                                   v_generation, v_unconfirmed, v_paused_until);
        SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last);
        -- of the clock that will end it, which may be behind the wallet's own time
        SET v_expires_at = UTC_TIMESTAMP(6) + INTERVAL p_valid_seconds SECOND;
        SELECT COUNT(*) INTO v_placed FROM holds WHERE payer_wallet_id = v_payer_id AND status = 'placed';
        IF v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF p_amount > v_balance - v_held THEN
            SET v_outcome = 'insufficient_funds';
        ELSE
            IF v_has_sums OR v_tier <> v_asked_tier THEN
                CALL check_debit_limits(v_payer_id, v_tier, p_amount, v_payee_kind = 'personal', v_now, v_limit,
                                        v_result);
            END IF;
            IF v_limit IS NOT NULL THEN
                SET v_outcome = 'wallet_limit_exceeded';
            ELSEIF v_placed >= 1000 THEN
                CALL tell_limit('max_placed_holds', v_outcome, v_result);
            END IF;
        END IF;
    END IF;

    -- last: nobody is asked to confirm what would be refused
    IF v_outcome IS NULL THEN
        SET v_is_required = COALESCE(p_amount > v_confirm_above, FALSE)
            OR COALESCE(v_unconfirmed + p_amount > v_confirm_day_above, FALSE);
        IF v_tier <> v_asked_tier THEN
            SET v_outcome = 'try_again'; -- the rules are another tier's
        ELSEIF v_is_required OR p_amount > v_confirm_new_payee_above THEN
            CALL use_confirmation(p_actor_id, p_key, p_request_hash, p_generation, 'hold', v_payer_id, v_payee_id, NULL,
                                  v_payee_name, p_amount, v_paused_until, v_is_required, p_hold_id, v_outcome, v_result,
                                  v_is_confirmed);
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        INSERT INTO holds (id, payer_wallet_id, payee_wallet_id, amount, captured, currency, status, description,
                           created_at, expires_at, ended_at)
        VALUES (p_hold_id, v_payer_id, v_payee_id, p_amount, 0, 'INR', 'placed', p_description, v_now,
                v_expires_at, NULL);
        CALL set_aside(v_payer_id, p_amount, 'hold', p_hold_id, v_now);
        CALL record_debit_usage(v_payer_id, p_amount, v_now, v_is_confirmed);
        CALL note_event(v_payer_id, v_payee_id, 'HoldPlaced', JSON_OBJECT(
            'hold_id', LOWER(HEX(p_hold_id)), 'payer_wallet_id', LOWER(HEX(v_payer_id)),
            'payee_wallet_id', LOWER(HEX(v_payee_id)), 'amount', p_amount + 0, 'currency', 'INR',
            'description', p_description,
            'expires_at', DATE_FORMAT(v_expires_at, '%Y-%m-%dT%H:%i:%s.%f')), v_now);
        CALL tell_hold(p_hold_id, NULL, v_result);
        SET v_result = JSON_SET(v_result, '$.balance', v_balance + 0, '$.held', v_held + p_amount);
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SELECT 'done' AS outcome, v_result AS result;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_actor_id, p_key, p_request_hash, p_hold_id, 'hold', v_outcome, v_result);
        CALL answer_payer(p_actor_id, v_outcome, v_result);
    END IF;
END
