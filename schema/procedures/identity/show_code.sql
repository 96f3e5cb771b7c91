-- Compares a code with the one that was sent, five times at most, each counted before it is compared. The right one becomes
-- a proof; shown again it becomes another, and the one before is none any more.
CREATE PROCEDURE show_code(
    IN p_proof_id BINARY(16),
    IN p_code_hash BINARY(32),
    IN p_proof_hash BINARY(32),
    IN p_valid_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_code_hash BINARY(32) DEFAULT NULL;
    DECLARE v_tries TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE v_proof_expires_at DATETIME(6) DEFAULT v_now + INTERVAL p_valid_seconds SECOND;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT code_hash, tries INTO v_code_hash, v_tries
    FROM phone_proofs WHERE id = p_proof_id AND expires_at > v_now AND used_for IS NULL FOR UPDATE;
    IF v_code_hash IS NULL THEN
        SET v_outcome = 'not_found';
    ELSEIF v_tries >= 5 OR v_code_hash <> p_code_hash THEN
        SET v_outcome = 'invalid_code';
        UPDATE phone_proofs SET tries = LEAST(v_tries + 1, 5) WHERE id = p_proof_id;
    ELSE
        UPDATE phone_proofs SET proof_hash = p_proof_hash, proof_expires_at = v_proof_expires_at WHERE id = p_proof_id;
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome,
           JSON_OBJECT('expires_at', DATE_FORMAT(v_proof_expires_at, '%Y-%m-%dT%H:%i:%s.%f')) AS result;
END
