-- Internal. One booking of a dispute's end: from its part to the gateway, or (`p_back`) back. A wallet that was closed
-- meanwhile is closing again when something comes back to it, which shows it to the operator. The caller holds all locks.
CREATE PROCEDURE post_chargeback(
    IN p_dispute_id BINARY(16),
    IN p_action_id BINARY(16),
    IN p_part VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_back BOOLEAN,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_posting_id, v_account_id, v_gateway_account_id BINARY(16) DEFAULT NULL;

    IF p_amount > 0 THEN
        CALL derive_id(p_action_id, CONCAT('chargeback:', p_part), v_posting_id);
        SELECT a.id INTO v_gateway_account_id
        FROM payment_disputes d JOIN accounts a ON a.code = CONCAT('gateway:', d.gateway) WHERE d.id = p_dispute_id;
        IF p_part = 'wallet' THEN
            SELECT wallet_id INTO v_account_id FROM payment_disputes WHERE id = p_dispute_id;
        ELSE
            SELECT id INTO v_account_id FROM accounts WHERE code = p_part;
        END IF;
        INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)
        SELECT v_posting_id, IF(p_back, 'chargeback_reversal', 'chargeback'), p_amount, currency, transaction_id, p_at
        FROM payment_disputes WHERE id = p_dispute_id;
        IF p_back THEN
            CALL post_entry(v_posting_id, v_gateway_account_id, 0, v_account_id, p_amount, p_at);
            UPDATE wallets SET status = 'closing' WHERE id = v_account_id AND status = 'closed';
        ELSE
            CALL post_entry(v_posting_id, v_account_id, 0, v_gateway_account_id, p_amount, p_at);
        END IF;
        INSERT INTO payment_dispute_bookings (transaction_id, dispute_id, end_no, part)
        SELECT v_posting_id, id, ends, p_part FROM payment_disputes WHERE id = p_dispute_id;
    END IF;
END
