-- Internal. Uses so many units of a quota. If that is more than there is, `p_free_at` becomes the moment from which on there
-- is some again, of several quotas the latest; else it stays as it was, NULL to begin with. What was not given counts unless
-- the caller rolls it back. The row stays locked until their atomic block ends, so of many at once no more get through than
-- may.
CREATE PROCEDURE use_quota(
    IN p_subject BINARY(16),
    IN p_quota VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_units INT UNSIGNED,
    IN p_allowed INT UNSIGNED,
    IN p_window_seconds INT UNSIGNED,
    INOUT p_free_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);

    -- assigned from left to right: the window's end comes last
    INSERT INTO quota_usage (subject, quota, used, allowed, window_ends_at)
    VALUES (p_subject, p_quota, p_units, p_allowed, v_now + INTERVAL p_window_seconds SECOND)
    ON DUPLICATE KEY UPDATE
        used = IF(window_ends_at <= v_now, p_units, used + p_units),
        allowed = p_allowed,
        window_ends_at = IF(window_ends_at <= v_now, v_now + INTERVAL p_window_seconds SECOND, window_ends_at);
    SELECT IF(used > allowed, GREATEST(window_ends_at, COALESCE(p_free_at, window_ends_at)), p_free_at) INTO p_free_at
    FROM quota_usage WHERE subject = p_subject AND quota = p_quota;
END
