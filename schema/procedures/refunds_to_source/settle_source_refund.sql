-- Books what the gateway says of a refund, in whatever order it is told and however often. It is believed only as far as
-- it agrees with what was asked for. 'done'; 'duplicate' if it was known; 'unknown_refund'; 'failed_before' if we had
-- concluded by ourselves that it failed, and it was made after all; and what is for people: 'mismatch', 'contradicted'.
-- What is free again because it failed is reserved by the disputes of its payment first, in the same commit.
-- `wallet.ledger.refunds.weigh` is the same rule in Python. Locks: attempt, refund, disputes, suspended transaction, wallet.
CREATE PROCEDURE settle_source_refund(
    IN p_refund_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway_refund_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_transaction_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status, v_attempt_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_entry_id, v_attempt_id, v_owner_id, v_wallet_id, v_other_id, v_posted_id BINARY(16) DEFAULT NULL;
    DECLARE v_account_id, v_gateway_account_id, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_gateway_refund_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_agrees BOOLEAN DEFAULT FALSE;
    DECLARE v_disputes INT DEFAULT 0;
    DECLARE v_entry, v_back, v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- none of this ever changes, so it needs no lock: it says which locks are to be taken
    SELECT r.transaction_id, r.wallet_id, t.type, t.amount, g.attempt_id, a.wallet_id
    INTO v_entry_id, v_wallet_id, v_type, v_entry, v_attempt_id, v_owner_id
    FROM source_refunds r
    JOIN transactions t ON t.id = r.transaction_id
    JOIN gateway_payments g ON g.transaction_id = r.transaction_id
    LEFT JOIN payment_attempts a ON a.id = g.attempt_id
    WHERE r.id = p_refund_id;

    IF v_entry_id IS NULL THEN
        SET v_outcome = 'unknown_refund';
    ELSE
        IF v_attempt_id IS NOT NULL THEN
            SELECT status INTO v_attempt_status FROM payment_attempts WHERE id = v_attempt_id FOR UPDATE;
        END IF;
        SELECT status, gateway_refund_id,
               gateway = p_gateway AND gateway_payment_id = p_payment_id AND amount = p_amount
               AND currency = p_currency AND COALESCE(gateway_refund_id = p_gateway_refund_id, TRUE)
        INTO v_status, v_gateway_refund_id, v_agrees
        FROM source_refunds WHERE id = p_refund_id FOR UPDATE;
        IF p_status = 'failed' THEN
            SELECT COUNT(*) INTO v_disputes FROM payment_disputes
            WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id FOR UPDATE;
        END IF;
        IF v_type = 'suspense' THEN
            -- before the wallet, as everybody who takes from suspense does
            SELECT id INTO v_locked FROM transactions WHERE id = v_entry_id FOR UPDATE;
        END IF;
        SELECT id INTO v_other_id FROM source_refunds
        WHERE gateway = p_gateway AND gateway_refund_id = p_gateway_refund_id AND id <> p_refund_id;
        SELECT transaction_id INTO v_posted_id FROM source_refund_bookings WHERE source_refund_id = p_refund_id;
        SET v_outcome = CASE
            WHEN v_posted_id = p_transaction_id AND v_agrees THEN 'known' -- our own commit, whose answer was lost
            WHEN v_agrees AND v_status = 'failed' AND v_gateway_refund_id IS NULL
                AND (p_status = 'succeeded' OR v_other_id IS NOT NULL) THEN 'failed_before'
            WHEN NOT v_agrees OR v_other_id IS NOT NULL THEN 'mismatch'
            -- a refusal that somebody heard before the refund was made after all
            WHEN p_gateway_refund_id IS NULL AND v_gateway_refund_id IS NOT NULL THEN 'duplicate'
            WHEN v_status = 'pending' THEN NULL
            WHEN v_status = p_status OR p_status = 'pending' THEN 'duplicate'
            ELSE 'contradicted' END;
    END IF;

    IF v_outcome IS NULL THEN
        SET v_outcome = IF(p_status = 'pending' AND v_gateway_refund_id IS NOT NULL, 'duplicate', 'done');
        SET v_now = UTC_TIMESTAMP(6);
        IF v_owner_id IS NOT NULL THEN
            CALL lock_debit(v_owner_id, 0, p_refund_id, v_wallet_status, v_tier, v_total, v_held, v_last);
            SET v_now = GREATEST(v_now, v_last + INTERVAL 1 MICROSECOND);
        END IF;
        UPDATE source_refunds
        SET status = p_status,
            gateway_refund_id = COALESCE(gateway_refund_id, p_gateway_refund_id),
            reason = IF(p_status = 'failed', p_reason, NULL),
            ended_at = IF(p_status = 'pending', NULL, v_now),
            next_check_at = IF(p_status = 'pending', next_check_at, NULL)
        WHERE id = p_refund_id;
        IF p_status <> 'pending' AND v_wallet_id IS NOT NULL THEN
            CALL set_aside(v_wallet_id, -p_amount, 'refund_to_source', p_refund_id, v_now);
        END IF;
        IF p_status = 'failed' THEN
            CALL tell_source_refund(p_refund_id, v_owner_id, 'RefundToSourceFailed', v_now);
            IF v_disputes > 0 THEN
                CALL derive_id(p_refund_id, 'failed', v_locked);
                CALL apply_payment_disputes(p_gateway, p_payment_id, v_locked);
            END IF;
        ELSEIF p_status = 'succeeded' THEN
            SELECT id INTO v_gateway_account_id FROM accounts WHERE code = CONCAT('gateway:', p_gateway);
            SELECT COALESCE(v_wallet_id, id) INTO v_account_id FROM accounts WHERE code = 'suspense';
            INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)
            VALUES (p_transaction_id, 'refund_to_source', p_amount, p_currency, v_entry_id, v_now);
            INSERT INTO source_refund_bookings (source_refund_id, transaction_id) VALUES (p_refund_id, p_transaction_id);
            CALL post_entry(p_transaction_id, v_account_id, 0, v_gateway_account_id, p_amount, v_now);
            CALL tell_source_refund(p_refund_id, v_owner_id, 'RefundToSourceSucceeded', v_now);
            SELECT SUM(amount) INTO v_back FROM source_refunds
            WHERE transaction_id = v_entry_id AND status = 'succeeded';
            -- money in suspense that came for an attempt which another payment has settled leaves that alone
            IF v_back = v_entry AND (v_type = 'top_up' OR v_attempt_status <> 'succeeded') THEN
                UPDATE payment_attempts SET status = 'refunded', next_check_at = NULL WHERE id = v_attempt_id;
                CALL note_attempt(v_attempt_id, 'refunded', NULL, p_payment_id, v_now);
            END IF;
            IF v_wallet_id IS NOT NULL THEN
                CALL close_if_empty(v_wallet_id, v_now, v_wallet_status);
            END IF;
        END IF;
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT IF(v_outcome = 'known', 'done', v_outcome) AS outcome, NULL AS result;
END
