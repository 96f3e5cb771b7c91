-- Internal. Records that `p_operator` approves the request that a command was carried out under, in the commit of the
-- command; it is the last lock that is taken. A command of two people that nobody asked for is a fault of ours, and so is
-- one that is not what was asked for. `p_refusal` is why it is refused (as JSON with its `code`, which released code need
-- not know), of a command that was done before as well: only who approved it gets that answer again.
CREATE PROCEDURE record_approval(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_command VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_refusal VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_asked_hash, v_done_hash BINARY(32) DEFAULT NULL;
    DECLARE v_command VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_asked_by, v_approved_by VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_expires_at, v_cancelled_at, v_now DATETIME(6) DEFAULT NULL;

    SELECT id, request_hash, command, asked_by, approved_by, expires_at, cancelled_at
    INTO v_id, v_asked_hash, v_command, v_asked_by, v_approved_by, v_expires_at, v_cancelled_at
    FROM operator_requests WHERE actor_id = p_actor_id AND idem_key = p_key FOR UPDATE;
    SELECT request_hash INTO v_done_hash FROM idempotency_records WHERE actor_id = p_actor_id AND idem_key = p_key;
    SET v_now = UTC_TIMESTAMP(6);
    IF v_id IS NULL OR v_command <> p_command OR NOT v_asked_hash <=> v_done_hash THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'nobody has asked for this command, which takes two people';
    END IF;
    SET p_refusal = CASE
        WHEN LOWER(v_asked_by) = LOWER(p_operator) THEN '{"code": "same_person"}'
        WHEN p_outcome = 'replayed' THEN IF(LOWER(v_approved_by) = LOWER(p_operator), NULL, '{"code": "request_ended"}')
        WHEN v_approved_by IS NOT NULL OR v_cancelled_at IS NOT NULL OR v_expires_at <= v_now
            THEN '{"code": "request_ended"}'
        END;
    IF p_refusal IS NULL AND p_outcome = 'done' THEN
        UPDATE operator_requests SET approved_by = p_operator, approved_at = v_now, action_id = p_action_id
        WHERE id = v_id;
    END IF;
END
