-- Takes the fee on a payment or a capture from the merchant who has just been paid, out of the very row that took the
-- credit, and never more than that. Its time is right behind the credit's.
CREATE PROCEDURE charge_payee(
    IN p_cause_id BINARY(16),
    IN p_payee_id BINARY(16),
    IN p_slot TINYINT UNSIGNED,
    IN p_amount BIGINT,
    IN p_at DATETIME(6),
    OUT p_fee BIGINT
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_fee_id, v_fees_id BINARY(16) DEFAULT NULL;

    CALL fee_of('payment', p_amount, p_at, p_fee);
    SET p_fee = LEAST(p_fee, p_amount);
    IF p_fee > 0 THEN
        CALL derive_id(p_cause_id, 'fee', v_fee_id);
        SELECT id INTO v_fees_id FROM accounts WHERE code = 'fees';
        INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)
        VALUES (v_fee_id, 'fee', p_fee, 'INR', p_cause_id, p_at + INTERVAL 1 MICROSECOND);
        CALL post_entry(v_fee_id, p_payee_id, p_slot, v_fees_id, p_fee, p_at + INTERVAL 1 MICROSECOND);
    END IF;
END
