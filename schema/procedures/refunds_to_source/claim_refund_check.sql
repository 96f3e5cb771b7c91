-- Takes one due refund for a question to the gateway; as claim_check does for attempts. A refund is asked about until
-- the gateway has said its last word. 'disputed': it is one of ours that the gateway is not known to have, and disputes of its
-- payment leave nothing for it: it is not to be asked for any more, or the same money would go back twice.
CREATE PROCEDURE claim_refund_check(
    IN p_refund_id BINARY(16),
    IN p_checks INT UNSIGNED,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_checks INT UNSIGNED DEFAULT NULL;
    DECLARE v_due, v_is_unsent BOOLEAN DEFAULT FALSE;
    DECLARE v_transaction_id BINARY(16) DEFAULT NULL;
    DECLARE v_left BIGINT DEFAULT 0;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT checks, next_check_at <= v_now, origin = 'ours' AND gateway_refund_id IS NULL, transaction_id
    INTO v_checks, v_due, v_is_unsent, v_transaction_id FROM source_refunds WHERE id = p_refund_id FOR UPDATE;
    SET v_due = v_due AND v_checks = p_checks;
    IF v_due THEN
        UPDATE source_refunds
        SET checks = checks + 1,
            next_check_at = v_now + INTERVAL LEAST(21600, p_first_check_seconds * POW(2, LEAST(v_checks, 16))) SECOND
        WHERE id = p_refund_id;
    END IF;
    IF v_due AND v_is_unsent THEN
        CALL left_to_refund(v_transaction_id, v_left);
    END IF;
    COMMIT;
    SELECT CASE WHEN NOT v_due THEN 'taken' WHEN v_left < 0 THEN 'disputed' ELSE 'done' END AS outcome, NULL AS result;
END
