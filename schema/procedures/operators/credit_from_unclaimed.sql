-- Gives unclaimed money back to its owner, into a wallet that they have now: what is left of that money, less what a payer's
-- bank took back of the owner's top-ups, or asks for, and no wallet or suspense has borne. Who would have it twice gets it
-- once; an operator who knows better books a payment of our own.
CREATE PROCEDURE credit_from_unclaimed(
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
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_unclaimed_id, v_known_id, v_owner_id, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_left, v_amount, v_total, v_kept, v_lost BIGINT DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_credit_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT id INTO v_unclaimed_id FROM accounts WHERE code = 'unclaimed';
        SELECT transaction_id INTO v_known_id FROM postings
        WHERE transaction_id = p_transaction_id AND account_id = v_unclaimed_id AND side = 'credit';
        SELECT id INTO v_locked FROM transactions WHERE id = v_known_id FOR UPDATE;
        SELECT wallet_id INTO v_owner_id FROM unclaimed_money WHERE id = v_known_id;
        -- the owner's wallet as well, which its disputes are ended under; in the order of all locks of wallets
        IF v_owner_id < p_wallet_id THEN
            SELECT id INTO v_locked FROM wallets WHERE id = v_owner_id FOR UPDATE;
        END IF;
        CALL lock_credit(p_wallet_id, v_status, v_tier, v_total, v_last);
        IF v_owner_id > p_wallet_id THEN
            SELECT id INTO v_locked FROM wallets WHERE id = v_owner_id FOR UPDATE;
        END IF;
        SELECT COALESCE(SUM(rest), 0) INTO v_kept FROM unclaimed_money WHERE wallet_id = v_owner_id;
        SELECT COALESCE(SUM(d.amount - p.from_wallet - p.from_suspense - p.reserved), 0) INTO v_lost
        FROM payment_disputes p JOIN disputed_money d ON d.id = p.id
        WHERE p.wallet_id = v_owner_id AND d.amount > p.from_wallet + p.from_suspense + p.reserved;
        SELECT LEAST(rest, v_kept - v_lost) INTO v_left FROM unclaimed_money WHERE id = v_known_id;
        SET v_amount = COALESCE(p_amount, v_left);
        SET v_now = GREATEST(UTC_TIMESTAMP(6), COALESCE(v_last, UTC_TIMESTAMP(6)) + INTERVAL 1 MICROSECOND);
        IF v_known_id IS NOT NULL AND v_status IS NOT NULL AND NOT p_over_limits THEN
            CALL refuse_credit(p_wallet_id, v_tier, v_total, v_amount, TRUE, v_now, v_limit);
        END IF;
        SET v_outcome = CASE
            WHEN v_known_id IS NULL THEN 'not_found'
            WHEN v_status IS NULL THEN 'payee_not_found'
            WHEN v_status IN ('closing', 'closed') THEN 'wallet_frozen'
            WHEN v_left <= 0 OR v_amount > v_left OR v_amount <= 0 THEN 'refund_exceeds_payment'
            WHEN v_limit IS NOT NULL THEN 'wallet_limit_exceeded'
            ELSE 'done' END;
    END IF;
    IF v_outcome = 'done' THEN
        INSERT INTO transactions (id, type, amount, currency, actor_id, cause_id, created_at)
        VALUES (p_credit_id, 'adjustment', v_amount, 'INR', p_actor_id, p_transaction_id, v_now);
        CALL post_entry(p_credit_id, v_unclaimed_id, 0, p_wallet_id, v_amount, v_now);
        CALL count_load(p_wallet_id, v_amount, v_now);
        CALL note_event(p_wallet_id, NULL, 'UnclaimedCredited', JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_credit_id)), 'amount', v_amount + 0, 'currency', 'INR'), v_now);
        SET v_result = JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_credit_id)), 'unclaimed_id', LOWER(HEX(p_transaction_id)),
            'wallet_id', LOWER(HEX(p_wallet_id)), 'amount', v_amount + 0, 'left', v_left - v_amount);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_credit_id, p_operator, p_reason, 'credit_from_unclaimed',
                     p_wallet_id, p_transaction_id);
END
