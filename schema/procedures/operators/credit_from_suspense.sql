-- Credits money that is in suspense to a wallet: the one whose attempt it came for, or the one that is named. `p_amount`
-- NULL is all that is left of it. The limits of the wallet's tier apply unless `p_over_limits`; it counts as a load all
-- the same. Never more than is left, whoever refunds or credits it at the same time: all of them hold the lock of the
-- suspended transaction. Locks: attempt, suspended transaction, wallet. An attempt that is credited whole has succeeded.
CREATE PROCEDURE credit_from_suspense(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_credit_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_transaction_id BINARY(16),
    IN p_wallet_id BINARY(16),
    IN p_amount BIGINT,
    IN p_over_limits BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_attempt_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_attempt_id, v_owner_id, v_wallet_id, v_suspense_id, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_asked, v_left, v_amount, v_total BIGINT DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_credit_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        -- none of this ever changes, so it needs no lock: it says which locks are to be taken
        SELECT t.type, t.currency, g.gateway, g.gateway_payment_id, g.attempt_id, a.wallet_id, a.amount
        INTO v_type, v_currency, v_gateway, v_payment_id, v_attempt_id, v_owner_id, v_asked
        FROM transactions t JOIN gateway_payments g ON g.transaction_id = t.id
        LEFT JOIN payment_attempts a ON a.id = g.attempt_id
        WHERE t.id = p_transaction_id AND t.type = 'suspense';
        SET v_wallet_id = COALESCE(p_wallet_id, v_owner_id);
        IF v_type IS NULL OR v_wallet_id IS NULL THEN
            SET v_outcome = IF(v_type IS NULL, 'not_found', 'payee_not_found');
        ELSE
            IF v_attempt_id IS NOT NULL THEN
                SELECT status INTO v_attempt_status FROM payment_attempts WHERE id = v_attempt_id FOR UPDATE;
            END IF;
            SELECT id INTO v_locked FROM transactions WHERE id = p_transaction_id FOR UPDATE;
            CALL lock_credit(v_wallet_id, v_status, v_tier, v_total, v_last);
            CALL left_to_refund(p_transaction_id, v_left);
            SET v_amount = COALESCE(p_amount, v_left);
            SET v_now = GREATEST(UTC_TIMESTAMP(6), COALESCE(v_last, UTC_TIMESTAMP(6)) + INTERVAL 1 MICROSECOND);
            IF v_status IS NOT NULL AND NOT p_over_limits THEN
                CALL refuse_credit(v_wallet_id, v_tier, v_total, v_amount, TRUE, v_now, v_limit);
            END IF;
            SET v_outcome = CASE
                WHEN v_status IS NULL THEN 'payee_not_found'
                WHEN v_currency <> 'INR' THEN 'invalid_request' -- wallets hold rupees
                WHEN v_status = 'closed' THEN 'wallet_frozen'
                WHEN v_left <= 0 OR v_amount > v_left THEN 'refund_exceeds_payment'
                WHEN v_limit IS NOT NULL THEN 'wallet_limit_exceeded'
                ELSE 'done' END;
        END IF;
        IF v_outcome = 'done' THEN
            SELECT id INTO v_suspense_id FROM accounts WHERE code = 'suspense';
            INSERT INTO transactions (id, type, amount, currency, actor_id, cause_id, created_at)
            VALUES (p_credit_id, 'adjustment', v_amount, v_currency, p_actor_id, p_transaction_id, v_now);
            CALL post_entry(p_credit_id, v_suspense_id, 0, v_wallet_id, v_amount, v_now);
            CALL count_load(v_wallet_id, v_amount, v_now);
            CALL note_event(v_wallet_id, NULL, 'SuspenseCredited', JSON_OBJECT(
                'transaction_id', LOWER(HEX(p_credit_id)), 'amount', v_amount + 0, 'currency', v_currency,
                'gateway', v_gateway,
                'top_up_id', IF(v_wallet_id = v_owner_id, LOWER(HEX(v_attempt_id)), NULL)), v_now);
            IF v_wallet_id = v_owner_id AND v_amount = v_asked
                AND v_attempt_status IN ('created', 'pending', 'failed', 'expired') THEN
                -- asked about once more later, as any that has succeeded: it may be refunded at the gateway
                UPDATE payment_attempts
                SET status = 'succeeded', next_check_at = GREATEST(expires_at, v_now + INTERVAL 1 DAY)
                WHERE id = v_attempt_id;
                CALL note_attempt(v_attempt_id, 'succeeded', 'credited_from_suspense', v_payment_id, v_now);
            END IF;
            SET v_result = JSON_OBJECT(
                'transaction_id', LOWER(HEX(p_credit_id)), 'suspended_id', LOWER(HEX(p_transaction_id)),
                'wallet_id', LOWER(HEX(v_wallet_id)), 'amount', v_amount + 0, 'left', v_left - v_amount);
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_credit_id, p_operator, p_reason, 'credit_from_suspense',
                     v_wallet_id, p_transaction_id);
END
