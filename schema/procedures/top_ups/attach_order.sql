-- Writes down the order that the gateway made for an attempt, and how it is paid once that is known. The first
-- order stays: a second one, made by a caller that ran beside, is never shown to anybody. An order is always asked
-- about at least once more. 'order_taken': a gateway that gives the order of another attempt is not believed.
CREATE PROCEDURE attach_order(
    IN p_attempt_id BINARY(16),
    IN p_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_checkout_session VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_intent_url VARCHAR(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE CONTINUE HANDLER FOR 1062 SET v_outcome = 'order_taken';

    UPDATE payment_attempts
    SET next_check_at = IF(gateway_order_id IS NULL, COALESCE(next_check_at, UTC_TIMESTAMP(6)), next_check_at),
        checkout_session = IF(COALESCE(gateway_order_id, p_order_id) = p_order_id,
                              COALESCE(checkout_session, p_checkout_session), checkout_session),
        intent_url = IF(COALESCE(gateway_order_id, p_order_id) = p_order_id, COALESCE(intent_url, p_intent_url), intent_url),
        gateway_order_id = COALESCE(gateway_order_id, p_order_id),
        status = IF(status = 'created', 'pending', status)
    WHERE id = p_attempt_id;
    CALL answer_top_up(v_outcome, p_attempt_id);
END
