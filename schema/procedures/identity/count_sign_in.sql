-- Counts a sign-in before the password is looked at: by phone and address together, with growing pauses; by address; and by
-- phone from wherever its owner has never signed in, so that nobody's guesses keep the owner out. What of it was counted is
-- answered, to be taken back from whoever gets it right. Whoever shows a proof of the
-- phone, ten times at most, is not held up by anybody.
CREATE PROCEDURE count_sign_in(
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_proof_hash BINARY(32),
    IN p_pair_hash BINARY(32),
    IN p_phone_hash BINARY(32),
    IN p_address_hash BINARY(32),
    IN p_per_pair INT UNSIGNED,
    IN p_per_phone INT UNSIGNED,
    IN p_per_address INT UNSIGNED,
    IN p_window_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_wait, v_unused INT UNSIGNED DEFAULT NULL;
    DECLARE v_is_strangers BOOLEAN DEFAULT FALSE;
    DECLARE v_proved INT DEFAULT 0;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    IF p_proof_hash IS NOT NULL THEN
        UPDATE phone_proofs SET tries = tries + 1
        WHERE proof_hash = p_proof_hash AND phone = p_phone AND purpose = 'sign_in' AND used_for IS NULL
          AND proof_expires_at > v_now AND tries < 10;
        SET v_proved = ROW_COUNT();
        SET v_outcome = IF(v_proved = 0, 'invalid_proof', 'done');
    ELSE
        CALL count_use(p_address_hash, p_per_address, p_window_seconds, p_per_address, 0, v_now, v_wait, v_unused);
        SET v_is_strangers = NOT EXISTS (
            SELECT 1 FROM users u JOIN sessions s ON s.user_id = u.id
            WHERE u.phone = p_phone AND s.address_hash = p_address_hash);
        IF v_wait IS NULL AND v_is_strangers THEN
            CALL count_use(p_phone_hash, p_per_phone, p_window_seconds, p_per_phone, 0, v_now, v_wait, v_unused);
        END IF;
        IF v_wait IS NULL THEN
            CALL count_use(p_pair_hash, p_per_pair, p_window_seconds, GREATEST(1, p_per_pair DIV 2), 1, v_now, v_wait,
                           v_unused);
        END IF;
        SET v_outcome = IF(v_wait IS NULL, 'done', 'too_many_attempts');
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome,
           JSON_OBJECT('retry_after_s', v_wait + 0, 'address', (p_proof_hash IS NULL) + 0, 'phone', v_is_strangers + 0) AS result;
END
