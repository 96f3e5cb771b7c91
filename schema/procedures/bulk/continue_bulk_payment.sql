-- For a worker, behind some rows: finishes the bulk payment if none waits any more, else extends the lease, by 0
-- seconds to give it back.
CREATE PROCEDURE continue_bulk_payment(IN p_bulk_payment_id BINARY(16), IN p_lease_seconds INT)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT status INTO v_status FROM bulk_payments WHERE id = p_bulk_payment_id FOR UPDATE;
    IF v_status = 'running' THEN
        -- behind the lock: a retry takes it too, so no row begins to wait between this look and the commit
        SET v_status = IF(EXISTS (
            SELECT 1 FROM bulk_payment_rows
            WHERE bulk_payment_id = p_bulk_payment_id AND status = 'waiting'), 'running', 'finished');
        UPDATE bulk_payments
        SET status = v_status, finished_at = IF(v_status = 'finished', v_now, NULL),
            leased_until = v_now + INTERVAL IF(v_status = 'finished', 0, p_lease_seconds) SECOND
        WHERE id = p_bulk_payment_id;
    END IF;
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END
