-- Resolves a break that is no longer there.
CREATE PROCEDURE clear_break(
    IN p_kind VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    UPDATE reconciliation_breaks SET resolved_at = UTC_TIMESTAMP(6), resolution = 'gone'
    WHERE kind = p_kind AND gateway = p_gateway AND subject = p_subject AND resolved_at IS NULL;
    SELECT IF(ROW_COUNT() > 0, 'done', 'duplicate') AS outcome, NULL AS result;
END
