-- Counts what costs a hash and is no sign-in: by the proof of the phone, ten times at most, so that nobody who has one is held
-- up; by address without.
CREATE PROCEDURE count_hashing(
    IN p_proof_hash BINARY(32),
    IN p_address_hash BINARY(32),
    IN p_per_address INT UNSIGNED,
    IN p_window_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_wait, v_unused INT UNSIGNED DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    UPDATE phone_proofs SET tries = tries + 1
    WHERE proof_hash = p_proof_hash AND used_for IS NULL AND proof_expires_at > v_now AND tries < 10;
    IF ROW_COUNT() = 0 THEN
        CALL count_use(p_address_hash, p_per_address, p_window_seconds, p_per_address, 0, v_now, v_wait, v_unused);
    END IF;
    COMMIT;
    SELECT IF(v_wait IS NULL, 'done', 'too_many_attempts') AS outcome, JSON_OBJECT('retry_after_s', v_wait + 0) AS result;
END
