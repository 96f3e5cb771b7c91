-- Internal. Counts that the caller is about to be told of a payee who can't be paid: 'payee_unavailable', or, once that
-- was told often enough, 'too_many_lookups'. Two counts may be one too many if the answer is lost: no money hangs on it.
CREATE PROCEDURE count_failed_lookup(
    IN p_user_id BINARY(16),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_allowed INT UNSIGNED DEFAULT NULL;
    DECLARE v_free_at DATETIME(6) DEFAULT NULL;

    CALL quota_of(p_user_id, 100, 10000, v_allowed);
    CALL use_quota(p_user_id, 'unavailable_payees', 1, v_allowed, 3600, v_free_at);
    SET p_outcome = IF(v_free_at IS NULL, 'payee_unavailable', 'too_many_lookups');
    IF v_free_at IS NOT NULL THEN
        CALL tell_retry(v_free_at, p_result);
    END IF;
END
