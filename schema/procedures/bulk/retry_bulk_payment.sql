-- Puts every row that has been refused back among the waiting ones, once per key.
CREATE PROCEDURE retry_bulk_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_bulk_payment_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_refusal VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_made_id, v_wallet_id, v_retry_id BINARY(16) DEFAULT NULL;
    DECLARE v_is_same BOOLEAN DEFAULT FALSE;
    DECLARE v_total BIGINT DEFAULT 0;
    DECLARE v_unconfirmed, v_confirm_above, v_confirm_day_above, v_confirm_new_payee_above BIGINT DEFAULT NULL;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_today, v_unconfirmed_on DATE DEFAULT NULL;
    DECLARE v_is_confirmed BOOLEAN DEFAULT FALSE;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_retried BIGINT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL derive_id(p_bulk_payment_id, LEFT(SHA2(p_key, 256), 32), v_retry_id);
    CALL claim_key(p_actor_id, p_key, p_request_hash, v_retry_id, v_outcome, v_made_id);
    IF v_outcome = 'claimed' THEN
        SELECT status INTO v_status FROM bulk_payments
        WHERE id = p_bulk_payment_id AND user_id = p_actor_id FOR UPDATE;
        IF v_status IS NULL THEN
            SET v_outcome = 'not_found';
        END IF;
    END IF;
    IF v_outcome = 'claimed' THEN
        SELECT COUNT(*), COALESCE(SUM(amount), 0) INTO v_retried, v_total FROM bulk_payment_rows
        WHERE bulk_payment_id = p_bulk_payment_id AND status = 'refused';
        CALL check_bulk_quota(p_actor_id, p_bulk_payment_id, v_retried, v_outcome, v_result);
    END IF;
    -- as much of it as is tried again is confirmed again: somebody else may try than sent the file, and have another reason
    IF v_outcome = 'claimed' AND v_total > 0 THEN
        SELECT w.id, w.paused_until,
               IF(w.unconfirmed_on = DATE(UTC_TIMESTAMP(6) + INTERVAL 330 MINUTE), w.unconfirmed_day, 0), c.above,
               c.day_above, c.new_payee_above
        INTO v_wallet_id, v_paused_until, v_unconfirmed, v_confirm_above, v_confirm_day_above, v_confirm_new_payee_above
        FROM wallets w
        LEFT JOIN confirmation_rules c ON c.tier = w.tier AND c.valid_from <= UTC_TIMESTAMP(6)
        WHERE w.user_id = p_actor_id ORDER BY c.valid_from DESC LIMIT 1;
        IF v_total > v_confirm_above OR v_unconfirmed + v_total > v_confirm_day_above
                OR v_total > v_confirm_new_payee_above THEN
            CALL use_confirmation(p_actor_id, p_key, p_request_hash, p_generation, 'bulk_payment', v_wallet_id, NULL, NULL,
                                  NULL, v_total, v_paused_until, TRUE, v_retry_id, v_refusal, v_result, v_is_confirmed);
            SET v_outcome = COALESCE(v_refusal, v_outcome);
        END IF;
    END IF;

    IF v_outcome = 'claimed' THEN
        UPDATE bulk_payment_rows SET status = 'waiting', refusal = NULL, ended_at = NULL
        WHERE bulk_payment_id = p_bulk_payment_id AND status = 'refused';
        SET v_is_same = ROW_COUNT() = v_retried;
        IF v_retried > 0 AND v_status = 'finished' THEN
            SET v_status = 'running';
            UPDATE bulk_payments SET status = v_status, finished_at = NULL WHERE id = p_bulk_payment_id;
        END IF;
        INSERT INTO bulk_payment_retries (id, bulk_payment_id, status, retried, created_at)
        VALUES (v_retry_id, p_bulk_payment_id, v_status, v_retried, UTC_TIMESTAMP(6));
        -- last, as the rows of a large file take their time, and nobody who is paid meanwhile should wait
        SELECT session_generation, DATE(GREATEST(UTC_TIMESTAMP(6), last_entry_at) + INTERVAL 330 MINUTE), unconfirmed_on,
               unconfirmed_day
        INTO v_generation, v_today, v_unconfirmed_on, v_unconfirmed FROM wallets WHERE user_id = p_actor_id FOR UPDATE;
        SET v_unconfirmed = IF(v_unconfirmed_on = v_today, v_unconfirmed, 0);
        SET v_outcome = CASE
            WHEN v_generation <> p_generation THEN 'invalid_token'
            -- a row was refused meanwhile, which nobody has confirmed
            WHEN NOT v_is_same THEN 'try_again'
            WHEN NOT v_is_confirmed AND v_unconfirmed + v_total > v_confirm_day_above THEN 'try_again'
            ELSE 'done' END;
    END IF;
    IF v_outcome = 'done' AND NOT v_is_confirmed AND v_total > 0 THEN
        UPDATE wallets
        SET unconfirmed_day = LEAST(v_unconfirmed + v_total, 9007199254740991), unconfirmed_on = v_today
        WHERE user_id = p_actor_id;
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_actor_id, p_key, p_request_hash, v_retry_id, 'bulk_payment', v_outcome, v_result);
    END IF;
    IF v_outcome IN ('done', 'replayed') THEN
        SELECT v_outcome AS outcome, y.bulk_payment_id, y.status, y.retried
        FROM bulk_payment_retries y JOIN bulk_payments b ON b.id = y.bulk_payment_id
        WHERE y.id = COALESCE(v_made_id, v_retry_id) AND b.user_id = p_actor_id;
    ELSE
        SELECT v_outcome AS outcome, v_result AS result;
    END IF;
END
