-- Gives a taken refund back: the gateway could not be asked.
CREATE PROCEDURE release_refund_check(
    IN p_refund_id BINARY(16),
    IN p_checks INT UNSIGNED,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    UPDATE source_refunds
    SET checks = checks - 1,
        next_check_at = LEAST(next_check_at, UTC_TIMESTAMP(6) + INTERVAL p_first_check_seconds SECOND)
    WHERE id = p_refund_id AND checks = p_checks + 1 AND next_check_at IS NOT NULL;
    SELECT 'done' AS outcome, NULL AS result;
END
