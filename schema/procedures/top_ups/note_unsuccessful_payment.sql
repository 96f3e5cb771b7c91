-- Writes down that a payment of an attempt failed, or that its outcome is unknown (`p_failed` false: the attempt
-- stays as it is). Nothing moves, and the attempt stays open: the same payment may still be captured.
CREATE PROCEDURE note_unsuccessful_payment(
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_failed BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_attempt_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT id, status INTO v_attempt_id, v_status
    FROM payment_attempts WHERE gateway = p_gateway AND gateway_order_id = p_order_id FOR UPDATE;
    IF v_attempt_id IS NULL THEN
        SET v_outcome = 'unknown_order';
    ELSEIF v_status NOT IN ('created', 'pending', 'failed') THEN
        SET v_outcome = 'duplicate'; -- late news: the attempt is further on
    ELSE
        IF p_failed THEN
            SET v_status = 'failed';
            UPDATE payment_attempts SET status = v_status WHERE id = v_attempt_id;
        END IF;
        CALL note_attempt(v_attempt_id, v_status, p_reason, p_payment_id, UTC_TIMESTAMP(6));
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END
