-- Writes down what an audit came to: 'done' also for the same audit again. `p_faults` is a JSON array of texts.
CREATE PROCEDURE note_audit(
    IN p_audit_id BINARY(16),
    IN p_outcome VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_checkpoints BIGINT,
    IN p_verified BIGINT,
    IN p_next_number BIGINT,
    IN p_faults MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    INSERT INTO audits (id, outcome, checkpoints, verified, next_number, faults, ended_at)
    SELECT p_audit_id, p_outcome, p_checkpoints, p_verified, p_next_number, p_faults, UTC_TIMESTAMP(6)
    FROM (SELECT 1) one WHERE NOT EXISTS (SELECT 1 FROM audits WHERE id = p_audit_id);
    SELECT 'done' AS outcome, NULL AS result;
END
