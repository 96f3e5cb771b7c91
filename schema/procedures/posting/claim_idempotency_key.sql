-- Claims a key. The unique key is the mutex: a second caller waits here until the first has committed or rolled back.
CREATE PROCEDURE claim_idempotency_key(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_taken BOOLEAN DEFAULT FALSE;
    DECLARE v_request_hash BINARY(32) DEFAULT NULL;

    SET p_outcome = 'claimed';
    SET p_result = NULL;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_taken = TRUE;
        INSERT INTO idempotency_records (actor_id, idem_key, request_hash, result, created_at)
        VALUES (p_actor_id, p_key, p_request_hash, NULL, UTC_TIMESTAMP(6));
    END;
    IF v_taken THEN
        SELECT request_hash, result INTO v_request_hash, p_result
        FROM idempotency_records WHERE actor_id = p_actor_id AND idem_key = p_key;
        IF v_request_hash IS NULL THEN
            SET p_outcome = 'try_again'; -- the one that had claimed it has just rolled back
        ELSEIF v_request_hash <> p_request_hash THEN
            SET p_outcome = 'idempotency_key_reused';
            SET p_result = NULL;
        ELSE
            SET p_outcome = 'replayed';
        END IF;
    END IF;
END
