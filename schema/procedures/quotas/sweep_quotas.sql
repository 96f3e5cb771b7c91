-- Forgets windows that have ended: of addresses there is no end.
CREATE PROCEDURE sweep_quotas()
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DELETE FROM quota_usage WHERE window_ends_at < UTC_TIMESTAMP(6) LIMIT 1000;
    SELECT 'done' AS outcome, NULL AS result;
END
