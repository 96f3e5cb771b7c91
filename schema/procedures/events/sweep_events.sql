-- Forgets events that were delivered more than so many days ago, at most `p_limit` of them. What they tell of stays in
-- the ledger.
CREATE PROCEDURE sweep_events(
    IN p_kept_days INT,
    IN p_limit INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DELETE FROM outbox WHERE delivered_at < UTC_TIMESTAMP(6) - INTERVAL p_kept_days DAY
    ORDER BY delivered_at, position LIMIT p_limit;
    SELECT 'done' AS outcome, NULL AS result;
END
