-- Internal. Writes a refund down and sets its money aside: in `p_wallet_id`, or (NULL) in suspense, where nobody can
-- spend it. The caller has locked what it is counted under, and has found it covered.
CREATE PROCEDURE begin_source_refund(
    IN p_refund_id BINARY(16),
    IN p_origin VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_transaction_id BINARY(16),
    IN p_wallet_id BINARY(16),
    IN p_owner_id BINARY(16),
    IN p_gateway_refund_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_requested_by VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    INSERT INTO source_refunds
        (id, origin, transaction_id, wallet_id, gateway, gateway_payment_id, gateway_refund_id, amount, currency, status,
         requested_by, created_at, next_check_at, checks)
    SELECT p_refund_id, p_origin, t.id, p_wallet_id, g.gateway, g.gateway_payment_id, p_gateway_refund_id, p_amount,
           t.currency, 'pending', p_requested_by, p_at, p_at, 0
    FROM transactions t JOIN gateway_payments g ON g.transaction_id = t.id WHERE t.id = p_transaction_id;
    IF p_wallet_id IS NOT NULL THEN
        CALL set_aside(p_wallet_id, p_amount, 'refund_to_source', p_refund_id, p_at);
    END IF;
    CALL tell_source_refund(p_refund_id, p_owner_id, 'RefundToSourceRequested', p_at);
END
