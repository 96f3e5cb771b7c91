-- Takes what was promised, or a part (`p_amount` NULL: all that is left). `p_final` frees what is left behind it, and is
-- what a capture of everything always is. A hold whose time has passed is none, whether or not the sweep has been; and
-- whatever keeps its payer's wallet from paying has the same answer: it is the payer's, and no business of the payee's.
CREATE PROCEDURE capture_hold(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_transaction_id BINARY(16),
    IN p_hold_id BINARY(16),
    IN p_amount BIGINT,
    IN p_final BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_kind, v_payer_status, v_payee_status, v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_payer_tier, v_payee_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount, v_left, v_balance, v_held, v_payee_balance, v_fee BIGINT DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_is_paused BOOLEAN DEFAULT FALSE;
    DECLARE v_payer_last, v_payee_last, v_expires_at, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SELECT NULL, h.payer_wallet_id, h.payee_wallet_id, IF(t.for_merchants, u.kind, 'personal')
        INTO v_outcome, v_payer_id, v_payee_id, v_kind
        FROM holds h
        JOIN wallets payee ON payee.id = h.payee_wallet_id
        JOIN users u ON u.id = payee.user_id
        JOIN tiers t ON t.code = payee.tier
        WHERE h.id = p_hold_id AND payee.user_id = p_actor_id;
        IF v_payer_id IS NULL THEN
            SET v_outcome = 'not_found';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        -- what is held is in the payer's own row already: nothing is needed beyond it
        IF v_payer_id < v_payee_id THEN
            CALL lock_debit(v_payer_id, 0, p_transaction_id, v_payer_status, v_payer_tier, v_balance, v_held,
                            v_payer_last);
        END IF;
        CALL lock_credit(v_payee_id, v_kind = 'merchant', v_slot, v_payee_status, v_payee_tier, v_payee_balance,
                         v_payee_last);
        IF v_payer_id > v_payee_id THEN
            CALL lock_debit(v_payer_id, 0, p_transaction_id, v_payer_status, v_payer_tier, v_balance, v_held,
                            v_payer_last);
        END IF;
        SELECT status, amount - captured, expires_at INTO v_status, v_left, v_expires_at
        FROM holds WHERE id = p_hold_id FOR UPDATE;
        -- behind the lock of the payee's wallet, or of one of its slots: who ends sessions takes them all
        SELECT payee.session_generation, COALESCE(payer.paused_until > UTC_TIMESTAMP(6), FALSE)
        INTO v_generation, v_is_paused
        FROM wallets payee JOIN wallets payer ON payer.id = v_payer_id WHERE payee.id = v_payee_id;
        SET v_amount = COALESCE(p_amount, v_left);
        SET v_now = GREATEST(
            UTC_TIMESTAMP(6), v_payer_last + INTERVAL 1 MICROSECOND, v_payee_last + INTERVAL 1 MICROSECOND);
        CALL refuse_credit(v_payee_id, v_payee_tier, v_payee_balance, v_amount, v_kind = 'personal', v_now, v_reason);
        IF v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_status <> 'placed' OR v_expires_at <= UTC_TIMESTAMP(6) OR v_payer_status <> 'active'
            OR v_is_paused THEN
            SET v_outcome = 'hold_not_placed';
        ELSEIF v_amount > v_left THEN
            SET v_outcome = 'capture_exceeds_hold';
        ELSEIF v_payee_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF v_reason IS NOT NULL THEN
            SET v_outcome = 'wallet_limit_exceeded';
            CALL tell_credit_limit(v_payee_id, v_payee_tier, v_payee_balance, v_amount, v_kind = 'personal', v_now,
                                   v_result);
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        CALL set_aside(v_payer_id, -v_amount, 'hold', p_hold_id, v_now);
        UPDATE holds SET captured = captured + v_amount WHERE id = p_hold_id;
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, hold_id, created_at)
        SELECT p_transaction_id, 'hold_capture', v_amount, 'INR', p_actor_id, description, p_hold_id, v_now
        FROM holds WHERE id = p_hold_id;
        CALL post_entry(p_transaction_id, v_payer_id, 0, v_payee_id, v_slot, v_amount, v_now);
        IF v_kind = 'merchant' THEN
            CALL charge_payee(p_transaction_id, v_payee_id, v_slot, v_amount, v_now, v_fee);
        ELSE
            CALL count_load(v_payee_id, v_amount, v_now);
        END IF;
        IF p_final OR v_amount = v_left THEN
            CALL end_hold(p_hold_id, 'captured', v_now);
        END IF;
        CALL note_event(v_payer_id, v_payee_id, 'HoldCaptured', JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'hold_id', LOWER(HEX(p_hold_id)),
            'payer_wallet_id', LOWER(HEX(v_payer_id)), 'payee_wallet_id', LOWER(HEX(v_payee_id)),
            'amount', v_amount + 0, 'currency', 'INR', 'fee', COALESCE(v_fee, 0)), v_now);
        CALL tell_hold(p_hold_id, p_transaction_id, v_result);
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SET v_outcome = 'done';
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END
