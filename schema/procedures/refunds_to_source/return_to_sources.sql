-- Internal. Begins refunds to source of what is available of a wallet, at most `p_most`. The caller holds the wallet's lock.
CREATE PROCEDURE return_to_sources(
    IN p_wallet_id BINARY(16),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_most INT,
    INOUT p_available BIGINT,
    OUT p_opened INT
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_top_up_id, v_refund_id, v_owner_id BINARY(16) DEFAULT NULL;
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_left BIGINT DEFAULT NULL;
    DECLARE v_ended BOOLEAN DEFAULT FALSE;
    DECLARE top_ups CURSOR FOR
        SELECT t.id
        FROM payment_attempts a
        JOIN gateway_payments g ON g.attempt_id = a.id
        JOIN transactions t ON t.id = g.transaction_id AND t.type = 'top_up'
        LEFT JOIN source_refunds r ON r.transaction_id = t.id
        WHERE a.wallet_id = p_wallet_id
        GROUP BY t.id, t.created_at
        ORDER BY COALESCE(SUM(r.status = 'failed'), 0), t.created_at DESC, t.id;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_ended = TRUE;

    SET p_opened = 0;
    OPEN top_ups;
    refunding: WHILE p_available >= 100 AND p_opened < p_most DO
        SET v_ended = FALSE; -- what is called below may have found nothing, too
        FETCH top_ups INTO v_top_up_id;
        IF v_ended THEN
            LEAVE refunding;
        END IF;
        CALL left_to_refund(v_top_up_id, v_left);
        IF v_left >= 100 THEN
            SET p_opened = p_opened + 1;
            SET v_left = LEAST(v_left, p_available);
            CALL derive_id(p_action_id, CONCAT('refund', p_opened), v_refund_id);
            CALL open_source_refund(v_refund_id, v_top_up_id, v_left, p_operator, v_outcome, v_owner_id, v_left);
            IF v_outcome <> 'done' THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a refund of what is available is not refused';
            END IF;
            SET p_available = p_available - v_left;
        END IF;
    END WHILE;
    CLOSE top_ups;
END
