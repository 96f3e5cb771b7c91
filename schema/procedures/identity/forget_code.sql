-- Forgets a code that could not be sent, and takes it back from its phone's count.
CREATE PROCEDURE forget_code(IN p_proof_id BINARY(16), IN p_phone_hash BINARY(32), IN p_owner_hash BINARY(32))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_created_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT created_at INTO v_created_at FROM phone_proofs WHERE id = p_proof_id AND proof_hash IS NULL FOR UPDATE;
    DELETE FROM phone_proofs WHERE id = p_proof_id AND proof_hash IS NULL;
    UPDATE quotas SET uses = uses - 1
    WHERE subject_hash IN (p_phone_hash, p_owner_hash) AND last_at = v_created_at AND uses > 0;
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END
