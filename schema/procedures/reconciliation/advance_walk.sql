-- Writes down how far a walk has come. It never goes back.
CREATE PROCEDURE advance_walk(
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_walk VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_done_until DATETIME(6)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    INSERT INTO reconciliation_walks (gateway, walk, done_until) VALUES (p_gateway, p_walk, p_done_until)
    ON DUPLICATE KEY UPDATE done_until = GREATEST(done_until, p_done_until);
    SELECT 'done' AS outcome, NULL AS result;
END
