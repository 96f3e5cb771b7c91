-- Cancels a request that waits, by who asked; to anybody else it is not there to be cancelled.
CREATE PROCEDURE cancel_operator_request(
    IN p_request_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_asked_by VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_expires_at, v_cancelled_at, v_approved_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT asked_by, expires_at, cancelled_at, approved_at INTO v_asked_by, v_expires_at, v_cancelled_at, v_approved_at
    FROM operator_requests WHERE id = p_request_id FOR UPDATE;
    SET v_outcome = CASE
        WHEN v_asked_by IS NULL OR LOWER(v_asked_by) <> LOWER(p_operator) THEN 'not_found'
        WHEN v_cancelled_at IS NOT NULL THEN 'replayed'
        WHEN v_approved_at IS NOT NULL OR v_expires_at <= UTC_TIMESTAMP(6) THEN 'request_ended'
        ELSE 'done' END;
    IF v_outcome = 'done' THEN
        UPDATE operator_requests SET cancelled_at = UTC_TIMESTAMP(6) WHERE id = p_request_id;
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, NULL AS result;
END
