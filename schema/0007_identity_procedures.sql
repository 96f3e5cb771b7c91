-- Who: registering, tokens that are used once, and the brake on guessing.

-- A user, a wallet and its account, in one commit. The idempotency key is optional here (p_key NULL); its scope is
-- p_scope_id, derived from the phone, for nobody is signed in yet.
DROP PROCEDURE IF EXISTS register_user;
DELIMITER //
CREATE PROCEDURE register_user(
    IN p_scope_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_user_id BINARY(16),
    IN p_wallet_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_password_hash VARBINARY(60),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'claimed';
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_taken BOOLEAN DEFAULT FALSE;
    DECLARE v_created_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    IF p_key IS NOT NULL THEN
        CALL claim_idempotency_key(p_scope_id, p_key, p_request_hash, v_outcome, v_result);
    END IF;
    IF v_outcome = 'claimed' THEN
        BEGIN
            DECLARE CONTINUE HANDLER FOR 1062 SET v_taken = TRUE;
            INSERT INTO users (id, phone, name, email, kind, password_hash, created_at)
            VALUES (p_user_id, p_phone, p_name, p_email, p_kind, p_password_hash, v_now);
        END;
        IF v_taken THEN
            -- the same id: our own commit, whose answer was lost
            SELECT created_at INTO v_created_at FROM users WHERE id = p_user_id AND phone = p_phone;
            SET v_outcome = IF(v_created_at IS NULL, 'phone_taken', 'done');
        ELSE
            SET v_created_at = v_now;
            INSERT INTO wallets (id, user_id, tier, currency, status, balance, held, entries, last_entry_at, created_at)
            VALUES (p_wallet_id, p_user_id, p_tier, 'INR', 'active', 0, 0, 0, v_now, v_now);
            INSERT INTO accounts (id, code, kind, created_at)
            VALUES (p_wallet_id, CONCAT('wallet:', LOWER(HEX(p_wallet_id))), 'wallet', v_now);
            SET v_outcome = 'done';
        END IF;
        IF v_outcome = 'done' THEN
            SET v_result = JSON_OBJECT(
                'user_id', LOWER(HEX(p_user_id)), 'wallet_id', LOWER(HEX(p_wallet_id)), 'phone', p_phone,
                'name', p_name, 'kind', p_kind, 'currency', 'INR',
                'created_at', DATE_FORMAT(v_created_at, '%Y-%m-%dT%H:%i:%s.%f'));
            UPDATE idempotency_records SET result = v_result WHERE actor_id = p_scope_id AND idem_key = p_key;
        END IF;
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Counts an attempt to log in against the phone and against the address, before the password is looked at, so that
-- many at once can't slip through. `outcome` is 'done' or 'too_many_attempts'; `retry_after_s` in seconds.
DROP PROCEDURE IF EXISTS count_login_attempt;
DELIMITER //
CREATE PROCEDURE count_login_attempt(
    IN p_phone_hash BINARY(32),
    IN p_address_hash BINARY(32),
    IN p_phone_limit INT UNSIGNED,
    IN p_address_limit INT UNSIGNED,
    IN p_window_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE v_phone_attempts, v_address_attempts INT UNSIGNED DEFAULT 0;
    DECLARE v_phone_end, v_address_end, v_free_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    -- Each count is read under the lock that raised it, or a later attempt's would be taken for this one's.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    INSERT INTO login_attempts (subject_hash, attempts, window_ends_at)
    VALUES (p_phone_hash, 1, v_now + INTERVAL p_window_seconds SECOND)
    ON DUPLICATE KEY UPDATE
        attempts = IF(window_ends_at <= v_now, 1, LEAST(attempts + 1, 1000000)),
        window_ends_at = IF(window_ends_at <= v_now, VALUES(window_ends_at), window_ends_at);
    SELECT attempts, window_ends_at INTO v_phone_attempts, v_phone_end
    FROM login_attempts WHERE subject_hash = p_phone_hash;
    INSERT INTO login_attempts (subject_hash, attempts, window_ends_at)
    VALUES (p_address_hash, 1, v_now + INTERVAL p_window_seconds SECOND)
    ON DUPLICATE KEY UPDATE
        attempts = IF(window_ends_at <= v_now, 1, LEAST(attempts + 1, 1000000)),
        window_ends_at = IF(window_ends_at <= v_now, VALUES(window_ends_at), window_ends_at);
    SELECT attempts, window_ends_at INTO v_address_attempts, v_address_end
    FROM login_attempts WHERE subject_hash = p_address_hash;
    COMMIT;
    SET v_free_at = GREATEST(
        IF(v_phone_attempts > p_phone_limit, v_phone_end, v_now),
        IF(v_address_attempts > p_address_limit, v_address_end, v_now));
    SELECT IF(v_phone_attempts > p_phone_limit OR v_address_attempts > p_address_limit, 'too_many_attempts', 'done')
               AS outcome,
           JSON_OBJECT('retry_after_s', GREATEST(1, TIMESTAMPDIFF(SECOND, v_now, v_free_at))) AS result;
END//
DELIMITER ;

-- A login that succeeded wipes its phone's count, and takes its own attempt back from its address.
DROP PROCEDURE IF EXISTS forgive_login_attempts;
DELIMITER //
CREATE PROCEDURE forgive_login_attempts(IN p_phone_hash BINARY(32), IN p_address_hash BINARY(32))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DELETE FROM login_attempts WHERE subject_hash = p_phone_hash;
    UPDATE login_attempts SET attempts = attempts - 1 WHERE subject_hash = p_address_hash AND attempts > 0;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Starts a family of refresh tokens: one login. Running it again changes nothing.
DROP PROCEDURE IF EXISTS start_refresh_family;
DELIMITER //
CREATE PROCEDURE start_refresh_family(
    IN p_user_id BINARY(16),
    IN p_family_id BINARY(16),
    IN p_token_hash BINARY(32),
    IN p_valid_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    START TRANSACTION;
    INSERT INTO refresh_families (id, user_id, created_at) VALUES (p_family_id, p_user_id, v_now)
    ON DUPLICATE KEY UPDATE id = p_family_id;
    INSERT INTO refresh_tokens (token_hash, family_id, created_at, expires_at)
    VALUES (p_token_hash, p_family_id, v_now, v_now + INTERVAL p_valid_seconds SECOND)
    ON DUPLICATE KEY UPDATE token_hash = p_token_hash;
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Uses a refresh token and puts its successor in its place. A token that comes back after its use was copied by
-- somebody: nobody can tell the thief from the owner, so the whole family ends and both must log in again.
-- The successor's hash tells our own repetition (a lost answer) from somebody else's.
DROP PROCEDURE IF EXISTS rotate_refresh_token;
DELIMITER //
CREATE PROCEDURE rotate_refresh_token(
    IN p_token_hash BINARY(32),
    IN p_next_token_hash BINARY(32),
    IN p_valid_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'invalid_token';
    DECLARE v_family_id, v_user_id BINARY(16) DEFAULT NULL;
    DECLARE v_expires_at, v_used_at, v_revoked_at DATETIME(6) DEFAULT NULL;
    DECLARE v_rotated INT DEFAULT 0;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT family_id INTO v_family_id FROM refresh_tokens WHERE token_hash = p_token_hash;
    SELECT user_id, revoked_at INTO v_user_id, v_revoked_at
    FROM refresh_families WHERE id = v_family_id FOR UPDATE;
    SELECT expires_at, used_at INTO v_expires_at, v_used_at FROM refresh_tokens WHERE token_hash = p_token_hash;
    SELECT COUNT(*) INTO v_rotated
    FROM refresh_tokens WHERE token_hash = p_next_token_hash AND family_id = v_family_id;

    IF v_family_id IS NULL OR v_revoked_at IS NOT NULL THEN
        SET v_outcome = 'invalid_token';
    ELSEIF v_rotated > 0 THEN
        SET v_outcome = 'done';
    ELSEIF v_used_at IS NOT NULL THEN
        UPDATE refresh_families SET revoked_at = v_now WHERE id = v_family_id;
    ELSEIF v_expires_at > v_now THEN
        UPDATE refresh_tokens SET used_at = v_now WHERE token_hash = p_token_hash;
        INSERT INTO refresh_tokens (token_hash, family_id, created_at, expires_at)
        VALUES (p_next_token_hash, v_family_id, v_now, v_now + INTERVAL p_valid_seconds SECOND);
        SET v_outcome = 'done';
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, JSON_OBJECT('user_id', LOWER(HEX(v_user_id))) AS result;
END//
DELIMITER ;

-- Ends the family of a refresh token: a logout. An unknown token is logged out already.
DROP PROCEDURE IF EXISTS revoke_refresh_family;
DELIMITER //
CREATE PROCEDURE revoke_refresh_family(IN p_token_hash BINARY(32))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_family_id BINARY(16) DEFAULT NULL;
    SELECT family_id INTO v_family_id FROM refresh_tokens WHERE token_hash = p_token_hash;
    UPDATE refresh_families SET revoked_at = UTC_TIMESTAMP(6) WHERE id = v_family_id AND revoked_at IS NULL;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Forgets what no login needs any more: counts whose time is over, and tokens a month past theirs (kept that long so
-- that an old one that comes back still ends its family).
DROP PROCEDURE IF EXISTS sweep_identity;
DELIMITER //
CREATE PROCEDURE sweep_identity()
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DELETE FROM login_attempts WHERE window_ends_at < UTC_TIMESTAMP(6) LIMIT 1000;
    DELETE FROM refresh_tokens WHERE expires_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY LIMIT 1000;
    DELETE FROM refresh_families WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY
        AND NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.family_id = refresh_families.id) LIMIT 1000;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;
