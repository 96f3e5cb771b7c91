-- Writes down what a stored event came to. The first word stays.
CREATE PROCEDURE finish_gateway_event(
    IN p_id BINARY(16),
    IN p_outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    UPDATE gateway_events SET outcome = p_outcome, processed_at = UTC_TIMESTAMP(6)
    WHERE id = p_id AND outcome IS NULL;
    SELECT 'done' AS outcome, NULL AS result;
END
