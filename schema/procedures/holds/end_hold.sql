-- Ends a placed hold: what is left of it is free again. The caller holds the locks of the payer's wallet and the hold.
CREATE PROCEDURE end_hold(
    IN p_hold_id BINARY(16),
    IN p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_amount, v_captured BIGINT DEFAULT NULL;
    DECLARE v_created_at DATETIME(6) DEFAULT NULL;

    SELECT payer_wallet_id, payee_wallet_id, amount, captured, created_at
    INTO v_payer_id, v_payee_id, v_amount, v_captured, v_created_at FROM holds WHERE id = p_hold_id;
    UPDATE holds SET status = p_status, ended_at = p_at WHERE id = p_hold_id;
    IF v_amount > v_captured THEN
        CALL set_aside(v_payer_id, v_captured - v_amount, 'hold', p_hold_id, p_at);
        CALL count_debit(v_payer_id, v_captured - v_amount, v_created_at);
    END IF;
    IF p_status IN ('released', 'expired') THEN
        INSERT INTO outbox (wallet_id, other_wallet_id, type, hold_id, created_at)
        VALUES (v_payer_id, v_payee_id, IF(p_status = 'expired', 'HoldExpired', 'HoldReleased'), p_hold_id, p_at);
    END IF;
END
