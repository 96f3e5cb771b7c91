-- Forgets what no sign-in needs any more: counts whose time is over, and proofs and sessions a month past their end (kept
-- that long so that an old token that comes back still finds it, and its owner can look).
CREATE PROCEDURE sweep_identity()
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DELETE FROM quotas WHERE window_ends_at < UTC_TIMESTAMP(6) LIMIT 1000;
    DELETE FROM phone_proofs WHERE expires_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY LIMIT 1000;
    DELETE t FROM session_tokens t
    JOIN (SELECT id FROM sessions WHERE ends_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY ORDER BY ends_at LIMIT 100) s
        ON s.id = t.session_id;
    DELETE FROM sessions WHERE ends_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY
        AND NOT EXISTS (SELECT 1 FROM session_tokens t WHERE t.session_id = sessions.id) ORDER BY ends_at LIMIT 100;
    -- one that was used stays: it is the evidence of who confirmed what
    DELETE FROM confirmations WHERE used_for IS NULL AND expires_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY
    ORDER BY expires_at LIMIT 1000;
    SELECT 'done' AS outcome, NULL AS result;
END
