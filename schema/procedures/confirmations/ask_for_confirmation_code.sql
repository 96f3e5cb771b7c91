-- Writes a code down that is to be sent for a confirmation: three at most for one, in a day so many of a session that come to
-- nothing, and ten times as many of a user, whatever comes of them ('too_many_codes' with the seconds to wait). What it is for,
-- and the phone, are in the result. It is good for as long as the confirmation is, which a late code prolongs to ten minutes.
CREATE PROCEDURE ask_for_confirmation_code(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_confirmation_id BINARY(16),
    IN p_code_hash BINARY(32),
    IN p_session_quota BINARY(32),
    IN p_user_quota BINARY(32),
    IN p_codes_per_day INT UNSIGNED,
    IN p_pause_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_code_hash BINARY(32) DEFAULT NULL;
    DECLARE v_codes TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_wait, v_unused INT UNSIGNED DEFAULT NULL;
    DECLARE v_is_granted BOOLEAN DEFAULT FALSE;
    DECLARE v_sent_at, v_expires_at, v_free_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_confirmation(p_user_id, p_generation, p_confirmation_id, v_now, v_outcome, v_result);
    IF v_outcome IS NULL THEN
        SELECT code_hash, codes, code_sent_at, expires_at, granted_at IS NOT NULL
        INTO v_code_hash, v_codes, v_sent_at, v_expires_at, v_is_granted FROM confirmations WHERE id = p_confirmation_id;
        SET v_free_at = CASE
            WHEN v_codes >= 3 THEN v_expires_at
            WHEN v_codes > 0 THEN v_sent_at + INTERVAL p_pause_seconds * (1 << (v_codes - 1)) SECOND
            ELSE v_now END;
        IF v_is_granted THEN
            SET v_outcome = 'confirmation_ended';
        ELSEIF COALESCE(v_code_hash = p_code_hash, FALSE) THEN
            SET v_outcome = 'done'; -- our own commit, whose answer was lost
        ELSEIF v_free_at > v_now THEN
            SET v_outcome = 'too_many_codes';
            CALL tell_retry(v_free_at, v_result);
        ELSE
            -- a thief in another session uses up their own; and for nobody there are messages without end
            CALL count_use(p_user_quota, 10 * p_codes_per_day, 86400, 10 * p_codes_per_day, 0, v_now, v_wait, v_unused);
            IF v_wait IS NULL THEN
                CALL count_use(p_session_quota, p_codes_per_day, 86400, p_codes_per_day, 0, v_now, v_wait, v_unused);
            END IF;
            IF v_wait IS NULL THEN
                SET v_codes = v_codes + 1;
                SET v_sent_at = v_now;
                SET v_expires_at = GREATEST(v_expires_at, v_now + INTERVAL 10 MINUTE);
                UPDATE confirmations
                SET code_hash = p_code_hash, codes = v_codes, code_sent_at = v_now, expires_at = v_expires_at,
                    session_quota = p_session_quota
                WHERE id = p_confirmation_id;
                SET v_outcome = 'done';
            ELSE
                SET v_outcome = 'too_many_codes';
                SET v_result = JSON_OBJECT('retry_after_s', v_wait + 0);
            END IF;
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        SELECT JSON_OBJECT(
            'phone', u.phone, 'kind', c.kind, 'amount', c.amount, 'payee_name', c.payee_name, 'vpa', c.vpa,
            'resend_after_s', IF(v_codes >= 3, TIMESTAMPDIFF(SECOND, v_now, v_expires_at) + 1,
                                 p_pause_seconds * (1 << (v_codes - 1))),
            'expires_at', DATE_FORMAT(v_expires_at, '%Y-%m-%dT%H:%i:%s.%f'))
        INTO v_result FROM confirmations c JOIN users u ON u.id = c.user_id WHERE c.id = p_confirmation_id;
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END
