-- Claims a key for what is about to be made under it. The unique key is the mutex: a second caller waits here until the first has
-- committed or rolled back. 'claimed', or as `find_what_a_key_made`.
CREATE PROCEDURE claim_key(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_makes_id BINARY(16),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_made_id BINARY(16)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_is_taken BOOLEAN DEFAULT FALSE;

    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_is_taken = TRUE;
        INSERT INTO idempotency_records (actor_id, idem_key, request_hash, made_id, created_at)
        VALUES (p_actor_id, p_key, p_request_hash, p_makes_id, UTC_TIMESTAMP(6));
    END;
    SET p_outcome = 'claimed';
    IF v_is_taken THEN
        CALL find_what_a_key_made(p_actor_id, p_key, p_request_hash, p_outcome, p_made_id);
    END IF;
END
