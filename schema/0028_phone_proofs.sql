-- Phone proofs: a phone is its owner's, who has shown a code that was sent to it. Nobody registers, gets a forgotten password
-- replaced or undoes a freeze of their own without. And what follows from it: passwords that change, numbers that have
-- passed to somebody else, and a wallet that its owner has frozen.
-- serves code from 0028

-- A code that was sent, as a keyed hash, and the proof that it became, as a SHA-256; neither can be read back. `used_for` is
-- what the proof was used up for: the same request again finds its own.
CREATE TABLE IF NOT EXISTS phone_proofs (
    id               BINARY(16)  NOT NULL,
    phone            VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    purpose          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    code_hash        BINARY(32)  NOT NULL,
    tries            TINYINT UNSIGNED NOT NULL DEFAULT 0,
    created_at       DATETIME(6) NOT NULL,
    expires_at       DATETIME(6) NOT NULL,
    proof_hash       BINARY(32)  NULL,
    proof_expires_at DATETIME(6) NULL,
    used_for         BINARY(16)  NULL,
    CONSTRAINT phone_proofs_pk PRIMARY KEY (id),
    CONSTRAINT phone_proofs_proof_is_unique UNIQUE (proof_hash),
    CONSTRAINT phone_proofs_purpose_is_known
        CHECK (purpose IN ('register', 'sign_in', 'reset_password', 'unfreeze')),
    INDEX phone_proofs_by_end (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How often something was done for a subject (a phone, an address, both together; hashed, for one length of all), in the
-- window that ends then, and when the last time was.
CREATE TABLE IF NOT EXISTS quotas (
    subject_hash   BINARY(32)   NOT NULL,
    uses           INT UNSIGNED NOT NULL,
    last_at        DATETIME(6)  NOT NULL,
    window_ends_at DATETIME(6)  NOT NULL,
    CONSTRAINT quotas_pk PRIMARY KEY (subject_hash),
    INDEX quotas_by_end (window_ends_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Wallets that their owner has frozen, and the moment at which a proof undoes that. What an operator freezes is not in here.
CREATE TABLE IF NOT EXISTS own_freezes (
    wallet_id   BINARY(16)  NOT NULL,
    frozen_at   DATETIME(6) NOT NULL,
    unfreeze_at DATETIME(6) NULL,
    CONSTRAINT own_freezes_pk PRIMARY KEY (wallet_id),
    CONSTRAINT own_freezes_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    INDEX own_freezes_by_end (unfreeze_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Phones that accounts had before an operator or the next owner took them: the old books name them.
CREATE TABLE IF NOT EXISTS former_phones (
    phone    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id  BINARY(16)  NOT NULL,
    ended_at DATETIME(6) NOT NULL,
    CONSTRAINT former_phones_pk PRIMARY KEY (phone, user_id, ended_at),
    CONSTRAINT former_phones_user_exists FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
INSERT IGNORE INTO former_phones (phone, user_id, ended_at)
SELECT u.former_phone, u.id, w.created_at FROM users u JOIN wallets w ON w.user_id = u.id WHERE u.former_phone IS NOT NULL;

-- `signed_in_at`: the last sign-in with the password.
DROP PROCEDURE IF EXISTS add_sign_ins_to_users;
DELIMITER //
CREATE PROCEDURE add_sign_ins_to_users()
MODIFIES SQL DATA
BEGIN
    IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_schema = DATABASE() AND table_name = 'users' AND column_name = 'signed_in_at') THEN
        ALTER TABLE users ADD COLUMN signed_in_at DATETIME(6) NULL;
        UPDATE users SET signed_in_at = UTC_TIMESTAMP(6); -- nobody wrote it down so far
    END IF;
END//
DELIMITER ;
CALL add_sign_ins_to_users();
DROP PROCEDURE IF EXISTS add_sign_ins_to_users;

-- Internal. Counts one use for a subject, or says in `p_wait_seconds` how long it is until the next is allowed: behind
-- `p_free` uses of a window each one doubles the pause before the next, and behind `p_limit` there is none until its end.
-- `p_next_seconds`: the pause behind this one.
DROP PROCEDURE IF EXISTS count_use;
DELIMITER //
CREATE PROCEDURE count_use(
    IN p_subject_hash BINARY(32),
    IN p_limit INT UNSIGNED,
    IN p_window_seconds INT UNSIGNED,
    IN p_free INT UNSIGNED,
    IN p_pause_seconds INT UNSIGNED,
    IN p_now DATETIME(6),
    OUT p_wait_seconds INT UNSIGNED,
    OUT p_next_seconds INT UNSIGNED
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_uses INT UNSIGNED DEFAULT 0;
    DECLARE v_last, v_end, v_free_at DATETIME(6) DEFAULT NULL;

    -- the row is the mutex: a thousand at once are counted one behind the other
    INSERT INTO quotas (subject_hash, uses, last_at, window_ends_at)
    VALUES (p_subject_hash, 0, p_now, p_now + INTERVAL p_window_seconds SECOND)
    ON DUPLICATE KEY UPDATE subject_hash = p_subject_hash;
    SELECT IF(window_ends_at <= p_now, 0, uses), last_at,
           IF(window_ends_at <= p_now, p_now + INTERVAL p_window_seconds SECOND, window_ends_at)
    INTO v_uses, v_last, v_end FROM quotas WHERE subject_hash = p_subject_hash FOR UPDATE;

    SET p_wait_seconds = NULL;
    SET v_free_at = CASE
        WHEN v_uses >= p_limit THEN v_end
        WHEN v_uses >= p_free THEN LEAST(v_end, v_last + INTERVAL p_pause_seconds * (1 << LEAST(v_uses - p_free, 16)) SECOND)
        ELSE p_now END;
    IF v_free_at > p_now THEN
        SET p_wait_seconds = TIMESTAMPDIFF(SECOND, p_now, v_free_at) + 1;
    ELSE
        UPDATE quotas SET uses = v_uses + 1, last_at = p_now, window_ends_at = v_end WHERE subject_hash = p_subject_hash;
        SET p_next_seconds = CASE
            WHEN v_uses + 1 >= p_limit THEN TIMESTAMPDIFF(SECOND, p_now, v_end) + 1
            WHEN v_uses + 1 >= p_free THEN p_pause_seconds * (1 << LEAST(v_uses + 1 - p_free, 16))
            ELSE 0 END;
    END IF;
END//
DELIMITER ;

-- Counts a code before it is sent (for the phone, for where it is asked for: `p_from_hash`, and in all), and keeps its hash.
-- Whether somebody has the phone changes nothing here. Codes that are
-- asked for from where the phone's owner has signed in have a quota of their own (`p_owner_hash`), so that nobody else uses
-- it up. 'too_many_codes' with the seconds to wait.
DROP PROCEDURE IF EXISTS ask_for_code;
DELIMITER //
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
END//
DELIMITER ;

-- Forgets a code that could not be sent, and takes it back from its phone's count.
DROP PROCEDURE IF EXISTS forget_code;
DELIMITER //
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
END//
DELIMITER ;

-- Compares a code with the one that was sent, five times at most, each counted before it is compared. The right one becomes
-- a proof; shown again it becomes another, and the one before is none any more.
DROP PROCEDURE IF EXISTS show_code;
DELIMITER //
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
END//
DELIMITER ;

-- Internal. Uses a proof up for `p_used_for`, inside the caller's atomic block: the phone that it proves, or NULL if there is
-- no such proof, no longer, or for another purpose. Of the same use again it proves the same.
DROP PROCEDURE IF EXISTS use_phone_proof;
DELIMITER //
CREATE PROCEDURE use_phone_proof(
    IN p_proof_hash BINARY(32),
    IN p_purpose VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_used_for BINARY(16),
    OUT p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;

    SELECT id, phone INTO v_id, v_phone FROM phone_proofs
    WHERE proof_hash = p_proof_hash AND purpose = p_purpose
      AND (used_for = p_used_for OR used_for IS NULL AND proof_expires_at > UTC_TIMESTAMP(6)) FOR UPDATE;
    UPDATE phone_proofs SET used_for = p_used_for WHERE id = v_id;
    SET p_phone = v_phone;
END//
DELIMITER ;

-- Internal. Takes the phone from the account that has it: its sessions end, and unless its wallet is closed, that is frozen
-- until an operator has looked. The user is locked.
DROP PROCEDURE IF EXISTS detach_phone;
DELIMITER //
CREATE PROCEDURE detach_phone(IN p_user_id BINARY(16), IN p_at DATETIME(6))
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;

    CALL end_sessions(p_user_id, NULL, NULL, p_at);
    INSERT INTO former_phones (phone, user_id, ended_at) SELECT phone, id, p_at FROM users WHERE id = p_user_id;
    UPDATE users SET former_phone = phone, phone = NULL WHERE id = p_user_id;
    DELETE FROM proved_phones WHERE user_id = p_user_id;
    SELECT id INTO v_wallet_id FROM wallets WHERE user_id = p_user_id AND status <> 'closed';
    DELETE FROM own_freezes WHERE wallet_id = v_wallet_id;
    UPDATE wallets SET status = 'frozen' WHERE id = v_wallet_id AND status = 'active';
    IF ROW_COUNT() > 0 THEN
        CALL note_event(v_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT('reason', 'phone_replaced'), p_at);
    END IF;
END//
DELIMITER ;

-- A user, a wallet and its account, in one commit, for whoever proves the phone. The idempotency key is optional here
-- (p_key NULL); its scope is p_scope_id, derived from the proof, for nobody is signed in yet. The phone of a closed wallet
-- is free; that of another is 'phone_taken' unless `p_replace`: numbers are given to others. Not of an account of the last
-- 30 days, nor of one that operators have frozen or are closing: else a freeze and a month's limits would be new with each
-- account ('operator_needed'). A refusal uses no proof up.
DROP PROCEDURE IF EXISTS register_user;
DELIMITER //
CREATE PROCEDURE register_user(
    IN p_scope_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_proof_hash BINARY(32),
    IN p_user_id BINARY(16),
    IN p_wallet_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_password_hash VARBINARY(60),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_replace BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'claimed';
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_proved VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_former_id BINARY(16) DEFAULT NULL;
    DECLARE v_former_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_taken, v_is_operators BOOLEAN DEFAULT FALSE;
    DECLARE v_created_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    IF p_key IS NOT NULL THEN
        CALL claim_idempotency_key(p_scope_id, p_key, p_request_hash, v_outcome, v_result);
    END IF;
    IF v_outcome = 'claimed' THEN
        CALL use_phone_proof(p_proof_hash, 'register', p_user_id, v_proved);
        -- the wallet is read behind the lock of its owner, for whom two may be waiting who want the phone
        SELECT id, created_at INTO v_former_id, v_created_at FROM users WHERE phone = p_phone FOR UPDATE;
        SELECT w.status, w.status = 'closing' OR (w.status = 'frozen' AND f.wallet_id IS NULL)
        INTO v_former_status, v_is_operators FROM wallets w LEFT JOIN own_freezes f ON f.wallet_id = w.id
        WHERE w.user_id = v_former_id;
        IF COALESCE(v_proved <> p_phone, TRUE) THEN
            SET v_outcome = 'invalid_proof';
        ELSEIF v_former_id = p_user_id THEN
            SET v_outcome = 'done'; -- our own commit, whose answer was lost
        ELSEIF v_former_id IS NOT NULL AND v_former_status <> 'closed' AND NOT p_replace THEN
            SET v_outcome = 'phone_taken';
        ELSEIF v_former_status <> 'closed' AND (v_is_operators OR v_created_at > v_now - INTERVAL 30 DAY) THEN
            SET v_outcome = 'operator_needed';
        ELSE
            IF v_former_id IS NOT NULL THEN
                CALL detach_phone(v_former_id, v_now);
            END IF;
            BEGIN
                DECLARE CONTINUE HANDLER FOR 1062 SET v_taken = TRUE;
                INSERT INTO users (id, phone, name, email, kind, password_hash, created_at)
                VALUES (p_user_id, p_phone, p_name, p_email, p_kind, p_password_hash, v_now);
            END;
            -- by somebody else's commit of this moment, which the next look finds
            SET v_outcome = IF(v_taken, 'try_again', 'done');
            SET v_created_at = v_now;
        END IF;
        IF v_outcome = 'done' AND v_created_at = v_now THEN
            INSERT INTO proved_phones (user_id, phone, proved_at) VALUES (p_user_id, p_phone, v_now);
            INSERT INTO wallets (id, user_id, tier, currency, status, balance, held, entries, last_entry_at, created_at)
            VALUES (p_wallet_id, p_user_id, p_tier, 'INR', 'active', 0, 0, 0, v_now, v_now);
            INSERT INTO accounts (id, code, kind, created_at)
            VALUES (p_wallet_id, CONCAT('wallet:', LOWER(HEX(p_wallet_id))), 'wallet', v_now);
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

-- Another password for whoever proves the phone: every session ends. `not_found` if the
-- phone is nobody's; 'operator_needed' if its owner has not been here for so many days: the number may have another one now.
-- Running it again changes nothing.
DROP PROCEDURE IF EXISTS reset_password;
DELIMITER //
CREATE PROCEDURE reset_password(
    IN p_reset_id BINARY(16),
    IN p_proof_hash BINARY(32),
    IN p_password_hash VARBINARY(60),
    IN p_seen_within_days INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_user_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_password_hash VARBINARY(60) DEFAULT NULL;
    DECLARE v_seen_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL use_phone_proof(p_proof_hash, 'reset_password', p_reset_id, v_phone);
    SELECT id, password_hash, COALESCE(signed_in_at, created_at) INTO v_user_id, v_password_hash, v_seen_at
    FROM users WHERE phone = v_phone FOR UPDATE;
    SELECT GREATEST(v_seen_at, COALESCE(MAX(last_used_at), v_seen_at)) INTO v_seen_at
    FROM sessions WHERE user_id = v_user_id;
    SET v_outcome = CASE
        WHEN v_phone IS NULL THEN 'invalid_proof'
        WHEN v_user_id IS NULL OR EXISTS (SELECT 1 FROM wallets WHERE user_id = v_user_id AND status = 'closed')
            THEN 'not_found'
        WHEN v_seen_at < v_now - INTERVAL p_seen_within_days DAY THEN 'operator_needed'
        ELSE 'done' END;
    IF v_outcome = 'done' AND v_password_hash <> p_password_hash THEN -- else it is our own commit, whose answer was lost
        SELECT id INTO v_wallet_id FROM wallets WHERE user_id = v_user_id;
        CALL end_sessions(v_user_id, NULL, NULL, v_now);
        UPDATE users SET password_hash = p_password_hash WHERE id = v_user_id;
        CALL note_event(v_wallet_id, NULL, 'PasswordReset', JSON_OBJECT(), v_now);
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Another password for somebody who has shown the one that is stored as `p_password_hash`; every other session ends.
DROP PROCEDURE IF EXISTS change_password;
DELIMITER //
CREATE PROCEDURE change_password(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_session_id BINARY(16),
    IN p_password_hash VARBINARY(60),
    IN p_new_password_hash VARBINARY(60)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_password_hash VARBINARY(60) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    SELECT password_hash INTO v_password_hash FROM users WHERE id = p_user_id;
    IF v_password_hash = p_new_password_hash THEN
        SET v_outcome = 'done'; -- our own commit, whose answer was lost
    ELSEIF v_outcome IS NULL AND v_password_hash <> p_password_hash THEN
        SET v_outcome = 'invalid_credentials';
    ELSEIF v_outcome IS NULL THEN
        CALL end_sessions(p_user_id, NULL, p_session_id, UTC_TIMESTAMP(6));
        UPDATE users SET password_hash = p_new_password_hash WHERE id = p_user_id;
        CALL note_event(v_wallet_id, NULL, 'PasswordChanged', JSON_OBJECT(), UTC_TIMESTAMP(6));
        SET v_outcome = 'done';
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- The same password under another cost, if it is still the one that was looked at. No session ends.
DROP PROCEDURE IF EXISTS rehash_password;
DELIMITER //
CREATE PROCEDURE rehash_password(
    IN p_user_id BINARY(16),
    IN p_password_hash VARBINARY(60),
    IN p_new_password_hash VARBINARY(60)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    UPDATE users SET password_hash = p_new_password_hash WHERE id = p_user_id AND password_hash = p_password_hash;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Its owner freezes a wallet: nothing leaves it, and every other session ends. Frozen again, it stays frozen and an end that
-- was asked for is called off. What an operator has frozen stays theirs. Who asked before, and whose answer was lost, comes with
-- a token of before: their session goes on, and they have what they want.
DROP PROCEDURE IF EXISTS freeze_own_wallet;
DELIMITER //
CREATE PROCEDURE freeze_own_wallet(IN p_user_id BINARY(16), IN p_generation INT UNSIGNED, IN p_session_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    IF v_outcome IS NULL THEN
        IF v_status = 'active' THEN
            UPDATE wallets SET status = 'frozen' WHERE id = v_wallet_id;
            INSERT INTO own_freezes (wallet_id, frozen_at) VALUES (v_wallet_id, v_now);
            CALL note_event(v_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT('reason', 'owner'), v_now);
            CALL end_sessions(p_user_id, NULL, p_session_id, v_now);
        ELSE
            UPDATE own_freezes SET unfreeze_at = NULL WHERE wallet_id = v_wallet_id;
        END IF;
        SET v_outcome = 'done';
    ELSEIF EXISTS (SELECT 1 FROM own_freezes WHERE wallet_id = v_wallet_id AND unfreeze_at IS NULL)
        AND EXISTS (SELECT 1 FROM sessions WHERE id = p_session_id AND ended_at IS NULL) THEN
        SET v_outcome = 'done';
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Has a freeze of one's own end in `p_wait_seconds`, for whoever proves the phone. 'not_found' if the wallet is not frozen by
-- its owner; asked again, the first time stands.
DROP PROCEDURE IF EXISTS unfreeze_own_wallet;
DELIMITER //
CREATE PROCEDURE unfreeze_own_wallet(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_request_id BINARY(16),
    IN p_proof_hash BINARY(32),
    IN p_wait_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_unfreeze_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    IF v_outcome IS NULL THEN
        CALL use_phone_proof(p_proof_hash, 'unfreeze', p_request_id, v_phone);
        SET v_outcome = CASE
            WHEN NOT EXISTS (SELECT 1 FROM users WHERE id = p_user_id AND phone = v_phone) THEN 'invalid_proof'
            WHEN NOT EXISTS (SELECT 1 FROM own_freezes WHERE wallet_id = v_wallet_id) THEN 'not_found'
            ELSE 'done' END;
    END IF;
    IF v_outcome = 'done' THEN
        SELECT unfreeze_at INTO v_unfreeze_at FROM own_freezes WHERE wallet_id = v_wallet_id;
        IF v_unfreeze_at IS NULL THEN
            SET v_unfreeze_at = v_now + INTERVAL p_wait_seconds SECOND;
            UPDATE own_freezes SET unfreeze_at = v_unfreeze_at WHERE wallet_id = v_wallet_id;
            CALL note_event(v_wallet_id, NULL, 'UnfreezeRequested', JSON_OBJECT(
                'unfreezes_at', DATE_FORMAT(v_unfreeze_at, '%Y-%m-%dT%H:%i:%s.%f')), v_now);
        END IF;
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome,
           JSON_OBJECT('unfreeze_at', DATE_FORMAT(v_unfreeze_at, '%Y-%m-%dT%H:%i:%s.%f')) AS result;
END//
DELIMITER ;

-- Ends a freeze whose time has come. Whoever freezes the wallet meanwhile holds its lock first.
DROP PROCEDURE IF EXISTS end_own_freeze;
DELIMITER //
CREATE PROCEDURE end_own_freeze(IN p_wallet_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- before the wallet, as everybody locks them; by the index of their wallet, which never changes
    UPDATE withdrawals FORCE INDEX (withdrawals_wallet_exists)
    SET next_check_at = UTC_TIMESTAMP(6)
    WHERE wallet_id = p_wallet_id AND status = 'pending' AND provider_payout_id IS NULL;
    CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
    DELETE FROM own_freezes WHERE wallet_id = p_wallet_id AND unfreeze_at <= UTC_TIMESTAMP(6);
    IF ROW_COUNT() > 0 AND v_status = 'frozen' THEN
        UPDATE wallets SET status = 'active' WHERE id = p_wallet_id;
        CALL note_event(p_wallet_id, NULL, 'WalletUnfrozen', JSON_OBJECT(), UTC_TIMESTAMP(6));
    END IF;
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Freezes a wallet: it neither pays nor is paid, and still takes its owner's own top-ups and refunds of its payments. Its
-- owner's sessions end: they may sign in again and look, and so a thief's tokens are worth nothing.
-- Frozen again it stays frozen; one that is being closed stays that, which is as frozen.
DROP PROCEDURE IF EXISTS freeze_wallet;
DELIMITER //
CREATE PROCEDURE freeze_wallet(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_user_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_is_news BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        SET v_outcome = IF(v_status IS NULL, 'not_found', 'done');
        DELETE FROM own_freezes WHERE wallet_id = p_wallet_id; -- what an operator freezes no proof undoes
        SET v_is_news = ROW_COUNT() > 0;
        IF v_status = 'active' THEN
            SET v_status = 'frozen';
            UPDATE wallets SET status = v_status WHERE id = p_wallet_id;
            SET v_is_news = TRUE;
        END IF;
        IF v_is_news THEN
            -- that of a thief, too, who froze the wallet and was spared then
            SELECT user_id INTO v_user_id FROM wallets WHERE id = p_wallet_id;
            CALL end_sessions(v_user_id, NULL, NULL, UTC_TIMESTAMP(6));
            CALL note_event(
                p_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT('reason', 'operator'), UTC_TIMESTAMP(6));
        END IF;
        SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'freeze', p_wallet_id,
                     NULL);
END//
DELIMITER ;

-- Ends a wallet's freeze, or calls its closing off: what is on its way to its source goes on, and withdrawals that were
-- paused are due at once.
DROP PROCEDURE IF EXISTS unfreeze_wallet;
DELIMITER //
CREATE PROCEDURE unfreeze_wallet(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        -- before the wallet, as everybody locks them; by the index of their wallet, which never changes
        UPDATE withdrawals FORCE INDEX (withdrawals_wallet_exists)
        SET next_check_at = UTC_TIMESTAMP(6)
        WHERE wallet_id = p_wallet_id AND status = 'pending' AND provider_payout_id IS NULL;
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        -- a wallet that was closed once may have lost its phone to somebody: its owner could not come in any more
        SET v_outcome = CASE
            WHEN v_status IS NULL THEN 'not_found'
            WHEN EXISTS (SELECT 1 FROM wallets w JOIN users u ON u.id = w.user_id
                         WHERE w.id = p_wallet_id AND u.phone IS NULL) THEN 'phone_taken'
            ELSE 'done' END;
        IF v_outcome = 'done' AND v_status <> 'active' THEN
            SET v_status = 'active';
            UPDATE wallets SET status = v_status WHERE id = p_wallet_id;
            DELETE FROM own_freezes WHERE wallet_id = p_wallet_id;
            CALL note_event(p_wallet_id, NULL, 'WalletUnfrozen', JSON_OBJECT(), UTC_TIMESTAMP(6));
        END IF;
        SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'unfreeze', p_wallet_id,
                     NULL);
END//
DELIMITER ;

-- Starts a session for whoever has shown the password that is stored as `p_password_hash`: if it has been changed since it
-- was looked at, or the phone has gone to its next owner, there is none. A proof of the phone that let them try is used up.
-- A device that the account has no session on is noted, but for its first sign-in. Running it again changes nothing.
DROP PROCEDURE IF EXISTS start_session;
DELIMITER //
CREATE PROCEDURE start_session(
    IN p_user_id BINARY(16),
    IN p_password_hash VARBINARY(60),
    IN p_proof_hash BINARY(32),
    IN p_session_id BINARY(16),
    IN p_kind VARCHAR(6) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_device VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_address_hash BINARY(32),
    IN p_token_hash BINARY(32),
    IN p_seed BINARY(32),
    IN p_idle_seconds INT UNSIGNED,
    IN p_valid_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_phone, v_proved VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_password_hash VARBINARY(60) DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_signed_in_at, v_last_of_fifty DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    IF p_proof_hash IS NOT NULL THEN
        CALL use_phone_proof(p_proof_hash, 'sign_in', p_session_id, v_proved);
    END IF;
    SELECT phone, password_hash, signed_in_at INTO v_phone, v_password_hash, v_signed_in_at
    FROM users WHERE id = p_user_id FOR UPDATE;
    SELECT id, session_generation INTO v_wallet_id, v_generation FROM wallets WHERE user_id = p_user_id;
    IF v_phone IS NULL OR v_password_hash <> p_password_hash THEN
        SET v_outcome = 'invalid_credentials';
    ELSEIF p_proof_hash IS NOT NULL AND COALESCE(v_proved <> v_phone, TRUE) THEN
        SET v_outcome = 'invalid_proof';
    ELSE
        IF v_signed_in_at IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM sessions WHERE user_id = p_user_id AND device = p_device) THEN
            -- under the wallet's lock, as all its events
            SELECT session_generation INTO v_generation FROM wallets WHERE id = v_wallet_id FOR UPDATE;
            CALL note_event(v_wallet_id, NULL, 'SignedInOnNewDevice', JSON_OBJECT('device', p_device), v_now);
        END IF;
        INSERT INTO sessions
            (id, user_id, kind, device, address_hash, seed, created_at, last_used_at, idle_ends_at, ends_at)
        VALUES (p_session_id, p_user_id, p_kind, p_device, p_address_hash, p_seed, v_now, v_now,
                v_now + INTERVAL p_idle_seconds SECOND, v_now + INTERVAL p_valid_seconds SECOND)
        ON DUPLICATE KEY UPDATE id = p_session_id;
        INSERT INTO session_tokens (token_hash, session_id, created_at) VALUES (p_token_hash, p_session_id, v_now)
        ON DUPLICATE KEY UPDATE token_hash = p_token_hash;
        UPDATE users SET signed_in_at = v_now WHERE id = p_user_id;
        -- fifty are open at most: those that were used last
        SELECT last_used_at INTO v_last_of_fifty FROM sessions
        WHERE user_id = p_user_id AND ended_at IS NULL AND LEAST(idle_ends_at, ends_at) > v_now
        ORDER BY last_used_at DESC LIMIT 1 OFFSET 49;
        UPDATE sessions SET ended_at = v_now
        WHERE user_id = p_user_id AND ended_at IS NULL AND last_used_at < v_last_of_fifty;
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome, JSON_OBJECT('generation', v_generation + 0) AS result;
END//
DELIMITER ;

-- Counts a sign-in before the password is looked at: by phone and address together, with growing pauses; by address; and by
-- phone from wherever its owner has never signed in, so that nobody's guesses keep the owner out. What of it was counted is
-- answered, to be taken back from whoever gets it right. Whoever shows a proof of the
-- phone, ten times at most, is not held up by anybody.
DROP PROCEDURE IF EXISTS count_sign_in;
DELIMITER //
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
END//
DELIMITER ;

-- Counts what costs a hash and is no sign-in: by the proof of the phone, ten times at most, so that nobody who has one is held
-- up; by address without.
DROP PROCEDURE IF EXISTS count_hashing;
DELIMITER //
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
END//
DELIMITER ;

-- A sign-in that succeeded wipes the count of its phone and address together, and takes its own attempt back from the others
-- that had counted it; NULL for one that had not.
DROP PROCEDURE IF EXISTS forgive_sign_in;
DELIMITER //
CREATE PROCEDURE forgive_sign_in(IN p_pair_hash BINARY(32), IN p_phone_hash BINARY(32), IN p_address_hash BINARY(32))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DELETE FROM quotas WHERE subject_hash = p_pair_hash;
    UPDATE quotas SET uses = uses - 1 WHERE subject_hash IN (p_phone_hash, p_address_hash) AND uses > 0;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Counts a sign-in that failed for whoever looks for one password that is tried on many phones: `p_password_hash` is of so few
-- bits that it gives nothing away. Answers on how many phones such a password has failed in the window.
DROP PROCEDURE IF EXISTS note_failed_sign_in;
DELIMITER //
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
END//
DELIMITER ;

-- Forgets what no sign-in needs any more: counts whose time is over, and proofs and sessions a month past their end (kept
-- that long so that an old token that comes back still finds it, and its owner can look).
DROP PROCEDURE IF EXISTS sweep_identity;
DELIMITER //
CREATE PROCEDURE sweep_identity()
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DELETE FROM quotas WHERE window_ends_at < UTC_TIMESTAMP(6) LIMIT 1000;
    DELETE FROM phone_proofs WHERE expires_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY LIMIT 1000;
    DELETE t FROM session_tokens t
    JOIN (SELECT id FROM sessions WHERE ends_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY ORDER BY ends_at LIMIT 100) s
        ON s.id = t.session_id;
    DELETE FROM sessions WHERE ends_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY
        AND NOT EXISTS (SELECT 1 FROM session_tokens t WHERE t.session_id = sessions.id) ORDER BY ends_at LIMIT 100;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- What nothing calls any more.
DROP PROCEDURE IF EXISTS count_login_attempt;
DROP PROCEDURE IF EXISTS forgive_login_attempts;
DROP TABLE IF EXISTS login_attempts;
