-- Counts a sign-in that failed for whoever looks for one password that is tried on many phones: `p_password_hash` is of so few
-- bits that it gives nothing away. Answers on how many phones such a password has failed in the window.
CREATE PROCEDURE note_failed_sign_in(
    IN p_password_hash BINARY(32),
    IN p_password_and_phone_hash BINARY(32),
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
    CALL count_use(p_password_and_phone_hash, 1, p_window_seconds, 1, 0, v_now, v_wait, v_unused);
    IF v_wait IS NULL THEN
        CALL count_use(p_password_hash, 1000000, p_window_seconds, 1000000, 0, v_now, v_wait, v_unused);
    END IF;
    COMMIT;
    SELECT 'done' AS outcome,
           JSON_OBJECT('phones', COALESCE((SELECT uses FROM quotas WHERE subject_hash = p_password_hash), 0) + 0) AS result;
END
