-- Internal. Whether a caller may have so many more rows of files to be paid: 5 files at most that run beside this one, and
-- 100,000 rows a day (1,000,000 of a merchant's), taken in or tried again; a retry of none counts as one. The quota's row
-- stays locked until the caller's atomic block ends, so that no two are counted at once. `p_outcome` is one that the code
-- of the release before knows; `code` in the result is what it is called now.
CREATE PROCEDURE check_bulk_quota(
    IN p_user_id BINARY(16),
    IN p_bulk_payment_id BINARY(16),
    IN p_rows INT UNSIGNED,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_allowed, v_running INT UNSIGNED DEFAULT NULL;
    DECLARE v_free_at DATETIME(6) DEFAULT NULL;

    CALL quota_of(p_user_id, 100000, 1000000, v_allowed);
    CALL use_quota(p_user_id, 'bulk_rows', GREATEST(p_rows, 1), v_allowed, 86400, v_free_at);
    SELECT COUNT(*) INTO v_running FROM bulk_payments
    WHERE user_id = p_user_id AND status = 'running' AND id <> p_bulk_payment_id;
    IF v_free_at IS NULL AND v_running >= 5 THEN
        SET v_free_at = UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE;
    END IF;
    IF v_free_at IS NULL THEN
        SET p_outcome = 'claimed';
    ELSE
        SET p_outcome = 'too_many_attempts';
        CALL tell_retry(v_free_at, p_result);
        SET p_result = JSON_SET(p_result, '$.code', 'too_many_bulk_payments');
    END IF;
END
