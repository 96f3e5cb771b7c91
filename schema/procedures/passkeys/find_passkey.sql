-- The passkey of a credential, and whose it is, for somebody who has not signed in: counted by where they are
-- ('too_many_attempts' with the seconds to wait). What is unknown, or doesn't sign yet, is 'invalid_code'.
CREATE PROCEDURE find_passkey(
    IN p_credential_id VARBINARY(1023),
    IN p_from_hash BINARY(32),
    IN p_per_address INT UNSIGNED,
    IN p_window_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wait, v_unused INT UNSIGNED DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL count_use(p_from_hash, p_per_address, p_window_seconds, p_per_address, 0, v_now, v_wait, v_unused);
    COMMIT;
    IF v_wait IS NULL THEN
        SELECT JSON_OBJECT('id', HEX(id), 'user_id', HEX(user_id), 'public_key', HEX(public_key)) INTO v_result
        FROM passkeys WHERE credential_id = p_credential_id AND usable_from <= v_now;
        SELECT IF(v_result IS NULL, 'invalid_code', 'done') AS outcome, v_result AS result;
    ELSE
        SELECT 'too_many_attempts' AS outcome, JSON_OBJECT('retry_after_s', v_wait + 0) AS result;
    END IF;
END
