-- Asks for a command that another person has to approve. A key is one request's, whatever becomes of it.
CREATE PROCEDURE ask_operator(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_request_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_command VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_arguments TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_request_id BINARY(16) DEFAULT NULL;
    DECLARE v_request_hash BINARY(32) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_outcome = 'replayed';
        INSERT INTO operator_requests
            (id, actor_id, idem_key, request_hash, asked_by, command, arguments, reason, asked_at, expires_at)
        VALUES (p_request_id, p_actor_id, p_key, p_request_hash, p_operator, p_command, p_arguments, p_reason, v_now,
                v_now + INTERVAL 1 DAY);
    END;
    SELECT id, request_hash INTO v_request_id, v_request_hash
    FROM operator_requests WHERE actor_id = p_actor_id AND idem_key = p_key;
    SET v_outcome = CASE
        WHEN v_request_hash <> p_request_hash THEN 'idempotency_key_reused'
        -- a key of a command that needed nobody else
        WHEN v_outcome = 'done' AND EXISTS (SELECT 1 FROM idempotency_records
                                            WHERE actor_id = p_actor_id AND idem_key = p_key)
            THEN 'idempotency_key_reused'
        ELSE v_outcome END;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome, JSON_OBJECT('request_id', LOWER(HEX(v_request_id))) AS result;
END
