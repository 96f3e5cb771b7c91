-- For a worker: the bulk payment that has waited longest, since it came in or since somebody worked on it; that nobody
-- works on, and of whose payer nobody works on another one (all payments of a payer queue on one wallet), leased for so
-- many seconds; 'done' without a result if there is none. One with rows that can't be paid goes behind all others.
CREATE PROCEDURE claim_bulk_payment(IN p_lease_seconds INT)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_claimed BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    REPEAT
        SET v_id = NULL;
        SELECT b.id INTO v_id FROM bulk_payments b
        WHERE b.status = 'running' AND NOT EXISTS (
            SELECT 1 FROM bulk_payments other
            WHERE other.user_id = b.user_id AND other.status = 'running' AND other.leased_until > v_now)
        ORDER BY b.leased_until, b.created_at LIMIT 1;
        IF v_id IS NOT NULL THEN
            UPDATE bulk_payments SET leased_until = v_now + INTERVAL p_lease_seconds SECOND
            WHERE id = v_id AND status = 'running' AND leased_until <= v_now;
            SET v_claimed = ROW_COUNT() = 1; -- or another worker was faster, and there may be a next one
        END IF;
    UNTIL v_claimed OR v_id IS NULL END REPEAT;
    COMMIT;
    SELECT 'done' AS outcome, IF(v_id IS NULL, NULL, JSON_OBJECT('bulk_payment_id', LOWER(HEX(v_id)))) AS result;
END
