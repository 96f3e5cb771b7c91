-- Ends an attempt whose time is over, after the gateway has said that no money came. Cashfree gives no list of payments
-- that would show a later one, and its FAILED is not the end: so there the order is asked about once more, a day later.
CREATE PROCEDURE expire_attempt(IN p_attempt_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_expires_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT status, gateway, expires_at INTO v_status, v_gateway, v_expires_at
    FROM payment_attempts WHERE id = p_attempt_id AND expires_at <= v_now FOR UPDATE;
    IF v_status IS NOT NULL THEN
        UPDATE payment_attempts
        SET next_check_at = IF(v_gateway = 'cashfree' AND v_status <> 'refunded' AND v_now < v_expires_at + INTERVAL 1 DAY,
                               v_expires_at + INTERVAL 1 DAY, NULL)
        WHERE id = p_attempt_id;
    END IF;
    IF v_status IN ('created', 'pending') THEN
        UPDATE payment_attempts SET status = 'expired' WHERE id = p_attempt_id;
        CALL note_attempt(p_attempt_id, 'expired', NULL, '', v_now);
    END IF;
    COMMIT;
    SELECT IF(v_status IN ('created', 'pending'), 'done', 'ended_before') AS outcome, NULL AS result;
END
