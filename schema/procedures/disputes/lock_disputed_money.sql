-- Internal. Locks what a dispute is about, and says what of it can be had. The caller holds the dispute's lock.
--   p_suspended: what of the payment lies in suspense, is neither credited nor on its way back, and was not taken yet;
--   p_takeable: the most that this dispute may still take from the wallet, in all of its life: what the payment brought it,
--   less its refunds, less what other disputes of it hold or took, less what this one took;
--   p_available: what of the wallet nothing holds, but for this dispute.
-- `p_seed_id` is new to this commit: what a hot wallet gathers is known by ids made of it.
CREATE PROCEDURE lock_disputed_money(
    IN p_dispute_id BINARY(16),
    IN p_seed_id BINARY(16),
    OUT p_transaction_id BINARY(16),
    OUT p_wallet_id BINARY(16),
    OUT p_suspended BIGINT,
    OUT p_takeable BIGINT,
    OUT p_available BIGINT,
    OUT p_now DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_amount, v_brought, v_returned, v_credited, v_taken, v_total, v_held, v_asked, v_reserved BIGINT DEFAULT 0;
    DECLARE v_last DATETIME(6) DEFAULT NULL;

    SET p_transaction_id = NULL, p_suspended = 0, p_takeable = 0, p_available = 0, p_now = UTC_TIMESTAMP(6);
    SELECT d.gateway, d.gateway_payment_id, d.amount, d.reserved, d.wallet_id, t.id, t.type, t.amount,
           IF(t.type = 'top_up', a.wallet_id, NULL)
    INTO v_gateway, v_payment_id, v_asked, v_reserved, p_wallet_id, p_transaction_id, v_type, v_amount, v_locked
    FROM payment_disputes d
    LEFT JOIN gateway_payments g ON g.gateway = d.gateway AND g.gateway_payment_id = d.gateway_payment_id
    LEFT JOIN transactions t ON t.id = g.transaction_id
    LEFT JOIN payment_attempts a ON a.id = g.attempt_id
    WHERE d.id = p_dispute_id;
    SET p_wallet_id = COALESCE(p_wallet_id, v_locked);

    IF v_type = 'suspense' THEN
        SELECT id INTO v_locked FROM transactions WHERE id = p_transaction_id FOR UPDATE;
        IF p_wallet_id IS NULL THEN
            SELECT MIN(p.account_id) INTO p_wallet_id
            FROM transactions c JOIN postings p ON p.transaction_id = c.id AND p.side = 'credit'
            WHERE c.id = (SELECT MIN(f.id) FROM transactions f WHERE f.cause_id = p_transaction_id AND f.type = 'adjustment');
        END IF;
    END IF;
    IF p_wallet_id IS NOT NULL THEN
        CALL lock_debit(p_wallet_id, v_asked, p_seed_id, v_status, v_tier, v_total, v_held, v_last);
        SET p_available = v_total - v_held + v_reserved;
        SET p_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
    END IF;

    -- behind the locks, which all that follows is counted under
    SELECT COALESCE(SUM(amount), 0) INTO v_returned
    FROM source_refunds WHERE transaction_id = p_transaction_id AND status <> 'failed';
    SELECT COALESCE(SUM(c.amount), 0), COALESCE(SUM(IF(p.account_id = p_wallet_id, c.amount, 0)), 0)
    INTO v_credited, v_brought
    FROM transactions c JOIN postings p ON p.transaction_id = c.id AND p.side = 'credit'
    WHERE c.cause_id = p_transaction_id AND c.type = 'adjustment';
    SELECT COALESCE(SUM(from_suspense), 0), COALESCE(SUM(from_wallet + IF(id = p_dispute_id, 0, reserved)), 0)
    INTO v_total, v_taken
    FROM payment_disputes WHERE gateway = v_gateway AND gateway_payment_id = v_payment_id;
    IF v_type = 'suspense' THEN
        SET p_suspended = GREATEST(0, v_amount - v_returned - v_credited - v_total);
        SET v_returned = GREATEST(0, v_returned + v_credited - v_amount); -- of what was credited
    ELSE
        SET v_brought = COALESCE(v_amount, 0);
    END IF;
    SET p_takeable = GREATEST(0, v_brought - v_returned - v_taken);
END
