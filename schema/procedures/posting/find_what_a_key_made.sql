-- Internal. What was done under a key that is taken: 'replayed' and the id of what it made, or why there is no answer. Who
-- claims a key waits at its record until the first has committed or rolled back.
CREATE PROCEDURE find_what_a_key_made(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_made_id BINARY(16)
)
READS SQL DATA
BEGIN
    DECLARE v_request_hash BINARY(32) DEFAULT NULL;

    SELECT request_hash, made_id INTO v_request_hash, p_made_id
    FROM idempotency_records WHERE actor_id = p_actor_id AND idem_key = p_key;
    SET p_outcome = CASE
        WHEN v_request_hash IS NULL THEN 'try_again' -- the one that had claimed it has just rolled back
        WHEN v_request_hash <> p_request_hash THEN 'idempotency_key_reused'
        ELSE 'replayed' END;
END
