-- Forgets a code that could not be sent, and takes it back from the counts.
CREATE PROCEDURE forget_confirmation_code(
    IN p_confirmation_id BINARY(16),
    IN p_code_hash BINARY(32),
    IN p_session_quota BINARY(32),
    IN p_user_quota BINARY(32)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    UPDATE confirmations SET code_hash = NULL, codes = codes - 1, code_sent_at = NULL
    WHERE id = p_confirmation_id AND code_hash = p_code_hash AND granted_at IS NULL;
    IF ROW_COUNT() > 0 THEN
        UPDATE quotas SET uses = uses - 1 WHERE subject_hash IN (p_session_quota, p_user_quota) AND uses > 0;
    END IF;
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END
