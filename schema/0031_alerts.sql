-- What people must know of their account is noted in the commit of what it tells of, as debits are: a device that is new,
-- another password, a freeze and the end of one that was asked for. A freeze says whose it is.

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
    DECLARE v_signed_in_at DATETIME(6) DEFAULT NULL;
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
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome, JSON_OBJECT('generation', v_generation + 0) AS result;
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

-- Another password for whoever proves the phone: every session ends, and what needs a confirmation waits. `not_found` if the
-- phone is nobody's; 'operator_needed' if its owner has not been here for so many days: the number may have another one now.
-- Running it again changes nothing.
DROP PROCEDURE IF EXISTS reset_password;
DELIMITER //
CREATE PROCEDURE reset_password(
    IN p_reset_id BINARY(16),
    IN p_proof_hash BINARY(32),
    IN p_password_hash VARBINARY(60),
    IN p_seen_within_days INT UNSIGNED,
    IN p_wait_seconds INT UNSIGNED
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
        UPDATE users SET password_hash = p_password_hash, confirms_from = v_now + INTERVAL p_wait_seconds SECOND
        WHERE id = v_user_id;
        CALL note_event(v_wallet_id, NULL, 'PasswordReset', JSON_OBJECT(), v_now);
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome, NULL AS result;
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
            SELECT user_id INTO v_user_id FROM wallets WHERE id = p_wallet_id;
            CALL end_sessions(v_user_id, NULL, NULL, UTC_TIMESTAMP(6));
            SET v_is_news = TRUE;
        END IF;
        IF v_is_news THEN
            CALL note_event(
                p_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT('reason', 'operator'), UTC_TIMESTAMP(6));
        END IF;
        SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'freeze', p_wallet_id,
                     NULL);
END//
DELIMITER ;
