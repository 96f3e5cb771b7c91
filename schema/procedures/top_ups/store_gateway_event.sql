-- Stores a verified event before it is acted on, or finds it stored.
CREATE PROCEDURE store_gateway_event(
    IN p_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_digest BINARY(32),
    IN p_event_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_body MEDIUMBLOB
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 BEGIN END;
        INSERT INTO gateway_events (id, gateway, digest, event_id, name, body, received_at)
        VALUES (p_id, p_gateway, p_digest, p_event_id, p_name, p_body, UTC_TIMESTAMP(6));
    END;
    SELECT 'done' AS outcome, JSON_OBJECT('event_id', LOWER(HEX(id)), 'outcome', outcome) AS result
    FROM gateway_events WHERE gateway = p_gateway AND digest = p_digest;
END
