-- Internal. What of a wallet's top-ups may still go back to its source: all of it, what is enough for a refund (gateways
-- pay nothing below a rupee), and that of top-ups of which no refund has failed yet. The caller holds the wallet's lock.
CREATE PROCEDURE sum_returnable(
    IN p_wallet_id BINARY(16),
    OUT p_any BIGINT,
    OUT p_enough BIGINT,
    OUT p_untried BIGINT
)
READS SQL DATA
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_left BIGINT DEFAULT NULL;
    DECLARE v_failed, v_ended BOOLEAN DEFAULT FALSE;
    DECLARE top_ups CURSOR FOR
        SELECT t.id, EXISTS (SELECT 1 FROM source_refunds r WHERE r.transaction_id = t.id AND r.status = 'failed')
        FROM payment_attempts a JOIN gateway_payments g ON g.attempt_id = a.id
        JOIN transactions t ON t.id = g.transaction_id AND t.type = 'top_up'
        WHERE a.wallet_id = p_wallet_id;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_ended = TRUE;

    SET p_any = 0, p_enough = 0, p_untried = 0;
    OPEN top_ups;
    summing: LOOP
        SET v_ended = FALSE; -- what is called below may have found nothing, too
        FETCH top_ups INTO v_id, v_failed;
        IF v_ended THEN
            LEAVE summing;
        END IF;
        CALL left_to_refund(v_id, v_left);
        SET v_left = GREATEST(v_left, 0);
        SET p_any = p_any + v_left;
        IF v_left >= 100 THEN
            SET p_enough = p_enough + v_left, p_untried = p_untried + IF(v_failed, 0, v_left);
        END IF;
    END LOOP;
    CLOSE top_ups;
END
