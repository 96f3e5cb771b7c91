-- Internal. Begins a refund of ours of a top-up or of money in suspense; `p_amount` NULL is all that is left of it.
-- 'done', or the code of a refusal. The operator's procedures call it inside their atomic blocks.
CREATE PROCEDURE open_source_refund(
    IN p_refund_id BINARY(16),
    IN p_transaction_id BINARY(16),
    IN p_amount BIGINT,
    IN p_requested_by VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_owner_id BINARY(16),
    OUT p_opened BIGINT
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_entry, v_left, v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_last DATETIME(6) DEFAULT NULL;
    DECLARE v_locked BINARY(16) DEFAULT NULL;

    SET p_owner_id = NULL;
    SELECT t.type, t.amount, a.wallet_id INTO v_type, v_entry, p_owner_id
    FROM transactions t JOIN gateway_payments g ON g.transaction_id = t.id
    LEFT JOIN payment_attempts a ON a.id = g.attempt_id
    WHERE t.id = p_transaction_id AND t.type IN ('top_up', 'suspense');

    IF v_type IS NULL THEN
        SET p_outcome = 'not_found';
    ELSE
        IF v_type = 'suspense' THEN
            SELECT id INTO v_locked FROM transactions WHERE id = p_transaction_id FOR UPDATE;
        END IF;
        IF p_owner_id IS NOT NULL THEN
            CALL lock_debit(p_owner_id, IF(v_type = 'top_up', COALESCE(p_amount, v_entry), 0), p_refund_id, v_status,
                            v_tier, v_total, v_held, v_last);
        END IF;
        CALL left_to_refund(p_transaction_id, v_left);
        SET p_opened = COALESCE(p_amount, v_left);
        SET p_outcome = CASE
            WHEN v_left <= 0 OR p_opened > v_left THEN 'refund_exceeds_payment'
            WHEN p_opened < 100 THEN 'amount_out_of_range' -- gateways pay nothing below a rupee
            WHEN v_type = 'top_up' AND p_opened > v_total - v_held THEN 'insufficient_funds'
            ELSE 'done' END;
        IF p_outcome = 'done' THEN
            CALL begin_source_refund(
                p_refund_id, 'ours', p_transaction_id, IF(v_type = 'top_up', p_owner_id, NULL), p_owner_id, NULL,
                p_opened, p_requested_by, GREATEST(UTC_TIMESTAMP(6), COALESCE(v_last, UTC_TIMESTAMP(6))));
        END IF;
    END IF;
END
