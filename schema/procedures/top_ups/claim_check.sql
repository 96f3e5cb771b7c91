-- Takes one due attempt for a question to the gateway, and says when the next question is due: each waits twice as
-- long, to six hours at most. Of two that want the same attempt, one gets 'done'.
CREATE PROCEDURE claim_check(
    IN p_attempt_id BINARY(16),
    IN p_checks INT UNSIGNED,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_checks INT UNSIGNED DEFAULT NULL;
    DECLARE v_due BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- the row first and by its key, as everybody locks it; by the index of due times two could meet crosswise
    SELECT checks, next_check_at <= v_now INTO v_checks, v_due
    FROM payment_attempts WHERE id = p_attempt_id FOR UPDATE;
    SET v_due = v_due AND v_checks = p_checks;
    IF v_due THEN
        UPDATE payment_attempts
        SET checks = checks + 1,
            next_check_at = v_now + INTERVAL LEAST(21600, p_first_check_seconds * POW(2, LEAST(v_checks, 16))) SECOND
        WHERE id = p_attempt_id;
    END IF;
    COMMIT;
    SELECT IF(v_due, 'done', 'taken') AS outcome, NULL AS result;
END
