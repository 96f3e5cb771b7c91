-- As code of before evidence calls it, for one release. It is believed only while an event of that gateway that names the
-- payment is stored and not finished yet; else nobody has told of it, and whoever asks comes back as newer code.
CREATE PROCEDURE settle_payment(
    IN p_transaction_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount_refunded BIGINT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_event_id, v_known_id BINARY(16) DEFAULT NULL;
    DECLARE v_told MEDIUMBLOB DEFAULT NULL;
    DECLARE v_names BOOLEAN DEFAULT FALSE;

    SELECT transaction_id INTO v_known_id
    FROM gateway_payments WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id;
    SELECT id, body INTO v_event_id, v_told FROM gateway_events
    WHERE gateway = p_gateway AND outcome IS NULL AND p_payment_id <> '' AND LOCATE(p_payment_id, body) > 0
    ORDER BY id DESC LIMIT 1;
    CALL check_names_payment(v_told, p_payment_id, v_names);
    IF v_known_id IS NULL AND COALESCE(v_names, FALSE) = FALSE THEN
        SELECT 'try_again' AS outcome, NULL AS result;
    ELSE
        CALL settle_gateway_payment(p_transaction_id, p_gateway, p_payment_id, p_order_id, p_amount, 0, p_currency,
                                    p_amount_refunded, v_event_id, NULL);
    END IF;
END
