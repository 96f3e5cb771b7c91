-- Internal. Claims a key for an operator's command, which makes a line of the journal: 'claimed', or 'replayed' and the result that
-- the line has, or why there is none.
CREATE PROCEDURE claim_command(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_made_id BINARY(16) DEFAULT NULL;

    CALL claim_key(p_actor_id, p_key, p_request_hash, p_action_id, p_outcome, v_made_id);
    IF p_outcome = 'replayed' THEN
        SELECT detail INTO p_result FROM operator_actions WHERE id = v_made_id;
    END IF;
END
