-- Gives a taken attempt back: the gateway could not be asked, so the question is due again soon.
CREATE PROCEDURE release_check(
    IN p_attempt_id BINARY(16),
    IN p_checks INT UNSIGNED,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    UPDATE payment_attempts
    SET checks = checks - 1,
        next_check_at = LEAST(next_check_at, UTC_TIMESTAMP(6) + INTERVAL p_first_check_seconds SECOND)
    WHERE id = p_attempt_id AND checks = p_checks + 1 AND next_check_at IS NOT NULL;
    SELECT 'done' AS outcome, NULL AS result;
END
