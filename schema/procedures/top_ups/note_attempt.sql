-- Internal. Adds to an attempt's history, unless it already says so. The caller holds the attempt's lock.
CREATE PROCEDURE note_attempt(
    IN p_attempt_id BINARY(16),
    IN p_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    INSERT INTO payment_attempt_events (attempt_id, position, status, reason, gateway_payment_id, created_at)
    SELECT p_attempt_id, COALESCE(MAX(position), 0) + 1, p_status, p_reason, p_payment_id, p_at
    FROM payment_attempt_events WHERE attempt_id = p_attempt_id
    HAVING NOT COALESCE(MAX(status = p_status AND gateway_payment_id = p_payment_id), FALSE);
END
