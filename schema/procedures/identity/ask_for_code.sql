-- Counts a code before it is sent (for the phone, for where it is asked for: `p_from_hash`, and in all), and keeps its hash.
-- Whether somebody has the phone changes nothing here. Codes that are asked for from where the phone's owner has signed in have
-- a quota of their own (`p_owner_hash`), so that nobody else uses it up. 'too_many_codes' with the seconds to wait.
CREATE PROCEDURE ask_for_code(
    IN p_proof_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_purpose VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_code_hash BINARY(32),
    IN p_phone_hash BINARY(32),
    IN p_owner_hash BINARY(32),
    IN p_address_hash BINARY(32),
    IN p_from_hash BINARY(32),
    IN p_everybody_hash BINARY(32),
    IN p_codes_per_phone INT UNSIGNED,
    IN p_codes_per_address INT UNSIGNED,
    IN p_codes_in_all INT UNSIGNED,
    IN p_pause_seconds INT UNSIGNED,
    IN p_valid_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_is_owners BOOLEAN DEFAULT FALSE;
    DECLARE v_from_hash BINARY(32) DEFAULT p_from_hash;
    DECLARE v_everybody_hash BINARY(32) DEFAULT p_everybody_hash;
    DECLARE v_times INT UNSIGNED DEFAULT 1;
    DECLARE v_wait, v_next, v_unused INT UNSIGNED DEFAULT NULL;
    DECLARE v_now, v_expires_at DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    IF EXISTS (SELECT 1 FROM phone_proofs WHERE id = p_proof_id) THEN
        -- our own commit, whose answer was lost
        SELECT expires_at INTO v_expires_at FROM phone_proofs WHERE id = p_proof_id;
        SET v_next = p_pause_seconds;
    ELSE
        SET v_is_owners = EXISTS (
            SELECT 1 FROM users u JOIN sessions s ON s.user_id = u.id
            WHERE u.phone = p_phone AND s.address_hash = p_address_hash);
        IF v_is_owners THEN
            -- others' counts and ten times as much, so that nobody uses these up and registered numbers cost us no fortune
            SET v_from_hash = UNHEX(SHA2(CONCAT('owners', HEX(p_from_hash)), 256));
            SET v_everybody_hash = UNHEX(SHA2(CONCAT('owners', HEX(p_everybody_hash)), 256));
        END IF;
        -- in one order for everybody
        SET v_times = IF(v_is_owners, 10, 1);
        CALL count_use(v_everybody_hash, p_codes_in_all * v_times, 86400, p_codes_in_all * v_times, 0, v_now, v_wait, v_unused);
        IF v_wait IS NULL THEN
            CALL count_use(v_from_hash, p_codes_per_address * v_times, 3600, p_codes_per_address * v_times, 0, v_now, v_wait,
                           v_unused);
        END IF;
        IF v_wait IS NULL THEN
            CALL count_use(IF(v_is_owners, p_owner_hash, p_phone_hash), p_codes_per_phone, 86400, 1, p_pause_seconds, v_now,
                           v_wait, v_next);
        END IF;
        IF v_wait IS NULL THEN
            SET v_expires_at = v_now + INTERVAL p_valid_seconds SECOND;
            INSERT INTO phone_proofs (id, phone, purpose, code_hash, created_at, expires_at)
            VALUES (p_proof_id, p_phone, p_purpose, p_code_hash, v_now, v_expires_at);
        ELSE
            SET v_outcome = 'too_many_codes';
        END IF;
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome,
           JSON_OBJECT('retry_after_s', v_wait + 0, 'resend_after_s', v_next + 0,
                       'expires_at', DATE_FORMAT(v_expires_at, '%Y-%m-%dT%H:%i:%s.%f')) AS result;
END
