-- Gives a taken withdrawal back: the provider could not be asked, so the question is due again soon. Also one that has
-- ended: an operator wants to know.
CREATE PROCEDURE release_withdrawal_check(
    IN p_withdrawal_id BINARY(16),
    IN p_checks INT UNSIGNED,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_soon DATETIME(6) DEFAULT UTC_TIMESTAMP(6) + INTERVAL p_first_check_seconds SECOND;

    UPDATE withdrawals SET checks = checks - 1, next_check_at = LEAST(COALESCE(next_check_at, v_soon), v_soon)
    WHERE id = p_withdrawal_id AND checks = p_checks + 1;
    SELECT 'done' AS outcome, NULL AS result;
END
