-- Operators are who IAM says they are, and what moves money, sets a tier or gives an account another phone takes two of
-- them: one asks, another approves within a day. Code from before knows no requests: it can order none of that any more.

-- What was asked for. A row moves forward once, from waiting to approved or cancelled; a day after it was asked it is over.
-- `arguments` is the command as it was sent, JSON; `actor_id`, `idem_key` and `request_hash` are what it is carried out
-- under. `action_id` is the line of `operator_actions`, whose operator is who approved.
CREATE TABLE IF NOT EXISTS operator_requests (
    id           BINARY(16)    NOT NULL,
    actor_id     BINARY(16)    NOT NULL,
    idem_key     VARBINARY(64) NOT NULL,
    request_hash BINARY(32)    NOT NULL,
    asked_by     VARCHAR(64)   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    command      VARCHAR(32)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    arguments    TEXT          CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    reason       VARCHAR(200)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    asked_at     DATETIME(6)   NOT NULL,
    expires_at   DATETIME(6)   NOT NULL,
    cancelled_at DATETIME(6)   NULL,
    approved_by  VARCHAR(64)   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    approved_at  DATETIME(6)   NULL,
    action_id    BINARY(16)    NULL,
    CONSTRAINT operator_requests_pk PRIMARY KEY (id),
    CONSTRAINT operator_requests_key_is_once UNIQUE (actor_id, idem_key),
    CONSTRAINT operator_requests_take_two_people CHECK (LOWER(approved_by) <> LOWER(asked_by)),
    CONSTRAINT operator_requests_are_approved_in_time CHECK (approved_at < expires_at),
    CONSTRAINT operator_requests_are_approved_whole
        CHECK ((approved_by IS NULL) = (approved_at IS NULL) AND (approved_by IS NULL) = (action_id IS NULL)),
    CONSTRAINT operator_requests_end_once CHECK (approved_at IS NULL OR cancelled_at IS NULL),
    INDEX operator_requests_by_end (expires_at, id),
    INDEX operator_requests_by_action (action_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS operator_requests_move_forward;
DELIMITER //
CREATE TRIGGER operator_requests_move_forward BEFORE UPDATE ON operator_requests FOR EACH ROW
BEGIN
    IF OLD.approved_at IS NOT NULL OR OLD.cancelled_at IS NOT NULL
            OR NOT (NEW.id = OLD.id AND NEW.actor_id = OLD.actor_id AND NEW.idem_key = OLD.idem_key
                    AND NEW.request_hash = OLD.request_hash AND NEW.asked_by = OLD.asked_by
                    AND NEW.command = OLD.command AND NEW.arguments = OLD.arguments AND NEW.reason = OLD.reason
                    AND NEW.asked_at = OLD.asked_at AND NEW.expires_at = OLD.expires_at) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a request of an operator stays what was asked, and ends once';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS operator_requests_are_kept;
CREATE TRIGGER operator_requests_are_kept BEFORE DELETE ON operator_requests FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the requests of operators are kept';

-- Asks for a command that another person has to approve. A key is one request's, whatever becomes of it.
DROP PROCEDURE IF EXISTS ask_operator;
DELIMITER //
CREATE PROCEDURE ask_operator(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_request_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_command VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_arguments TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_request_id BINARY(16) DEFAULT NULL;
    DECLARE v_request_hash BINARY(32) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_outcome = 'replayed';
        INSERT INTO operator_requests
            (id, actor_id, idem_key, request_hash, asked_by, command, arguments, reason, asked_at, expires_at)
        VALUES (p_request_id, p_actor_id, p_key, p_request_hash, p_operator, p_command, p_arguments, p_reason, v_now,
                v_now + INTERVAL 1 DAY);
    END;
    SELECT id, request_hash INTO v_request_id, v_request_hash
    FROM operator_requests WHERE actor_id = p_actor_id AND idem_key = p_key;
    SET v_outcome = CASE
        WHEN v_request_hash <> p_request_hash THEN 'idempotency_key_reused'
        -- a key of a command that needed nobody else
        WHEN v_outcome = 'done' AND EXISTS (SELECT 1 FROM idempotency_records
                                            WHERE actor_id = p_actor_id AND idem_key = p_key)
            THEN 'idempotency_key_reused'
        ELSE v_outcome END;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome, JSON_OBJECT('request_id', LOWER(HEX(v_request_id))) AS result;
END//
DELIMITER ;

-- Cancels a request that waits, by who asked; to anybody else it is not there to be cancelled.
DROP PROCEDURE IF EXISTS cancel_operator_request;
DELIMITER //
CREATE PROCEDURE cancel_operator_request(
    IN p_request_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_asked_by VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_expires_at, v_cancelled_at, v_approved_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT asked_by, expires_at, cancelled_at, approved_at INTO v_asked_by, v_expires_at, v_cancelled_at, v_approved_at
    FROM operator_requests WHERE id = p_request_id FOR UPDATE;
    SET v_outcome = CASE
        WHEN v_asked_by IS NULL OR LOWER(v_asked_by) <> LOWER(p_operator) THEN 'not_found'
        WHEN v_cancelled_at IS NOT NULL THEN 'replayed'
        WHEN v_approved_at IS NOT NULL OR v_expires_at <= UTC_TIMESTAMP(6) THEN 'request_ended'
        ELSE 'done' END;
    IF v_outcome = 'done' THEN
        UPDATE operator_requests SET cancelled_at = UTC_TIMESTAMP(6) WHERE id = p_request_id;
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Internal. Records that `p_operator` approves the request that a command was carried out under, in the commit of the
-- command; it is the last lock that is taken. A command of two people that nobody asked for is a fault of ours, and so is
-- one that is not what was asked for. `p_refusal` is why it is refused (as JSON with its `code`, which released code need
-- not know), of a command that was done before as well: only who approved it gets that answer again.
DROP PROCEDURE IF EXISTS record_approval;
DELIMITER //
CREATE PROCEDURE record_approval(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_command VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_refusal VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_asked_hash, v_done_hash BINARY(32) DEFAULT NULL;
    DECLARE v_command VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_asked_by, v_approved_by VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_expires_at, v_cancelled_at, v_now DATETIME(6) DEFAULT NULL;

    SELECT id, request_hash, command, asked_by, approved_by, expires_at, cancelled_at
    INTO v_id, v_asked_hash, v_command, v_asked_by, v_approved_by, v_expires_at, v_cancelled_at
    FROM operator_requests WHERE actor_id = p_actor_id AND idem_key = p_key FOR UPDATE;
    SELECT request_hash INTO v_done_hash FROM idempotency_records WHERE actor_id = p_actor_id AND idem_key = p_key;
    SET v_now = UTC_TIMESTAMP(6);
    IF v_id IS NULL OR v_command <> p_command OR NOT v_asked_hash <=> v_done_hash THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'nobody has asked for this command, which takes two people';
    END IF;
    SET p_refusal = CASE
        WHEN LOWER(v_asked_by) = LOWER(p_operator) THEN '{"code": "same_person"}'
        WHEN p_outcome = 'replayed' THEN IF(LOWER(v_approved_by) = LOWER(p_operator), NULL, '{"code": "request_ended"}')
        WHEN v_approved_by IS NOT NULL OR v_cancelled_at IS NOT NULL OR v_expires_at <= v_now
            THEN '{"code": "request_ended"}'
        END;
    IF p_refusal IS NULL AND p_outcome = 'done' THEN
        UPDATE operator_requests SET approved_by = p_operator, approved_at = v_now, action_id = p_action_id
        WHERE id = v_id;
    END IF;
END//
DELIMITER ;

-- Internal. Ends an operator's command: the approval if it takes two people, the journal and the key's result, then the
-- commit; or nothing at all. Every command ends with it, so that none can forget either.
DROP PROCEDURE IF EXISTS end_command;
DELIMITER //
CREATE PROCEDURE end_command(
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_command VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_wallet_id BINARY(16),
    IN p_subject_id BINARY(16)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT p_outcome;
    DECLARE v_refusal VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;

    IF v_outcome IN ('done', 'replayed') AND p_command IN (
            'refund_to_source', 'credit_from_suspense', 'credit_from_unclaimed', 'write_off', 'resolve_break',
            'resolve_payment_dispute', 'end_dispute', 'set_tier', 'free_phone', 'change_phone') THEN
        CALL record_approval(p_actor_id, p_key, p_action_id, p_operator, p_command, p_outcome, v_refusal);
        SET v_outcome = IF(v_refusal IS NULL, p_outcome, 'not_found');
    END IF;
    IF v_outcome = 'done' THEN
        INSERT INTO operator_actions (id, operator, command, wallet_id, subject_id, reason, detail, created_at)
        VALUES (p_action_id, p_operator, p_command, p_wallet_id, p_subject_id, p_reason, p_result, UTC_TIMESTAMP(6));
        UPDATE idempotency_records SET result = p_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, IF(v_outcome IN ('done', 'replayed'), p_result, v_refusal) AS result;
END//
DELIMITER ;

-- Takes the phone from an account whose owner has lost it (`p_phone` NULL), or gives it another one; either ends its
-- sessions, and messages wait until the new phone is proved. An account without a phone is frozen: nobody can sign in to
-- it. A phone that somebody else has is refused, unless their wallet is closed: then it is free, as for who registers. The
-- same phone again says that it is still theirs: who has not been here for long can have a code reset the password then.
DROP PROCEDURE IF EXISTS move_phone;
DELIMITER //
CREATE PROCEDURE move_phone(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_user_id, v_former_id BINARY(16) DEFAULT NULL;
    DECLARE v_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_before VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        -- people before wallets, as whoever registers locks them
        CALL lock_owner(p_wallet_id, v_user_id, v_kind, v_name, v_before);
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        SET v_outcome = IF(v_user_id IS NULL OR v_status IS NULL, 'not_found', 'done');
    END IF;
    IF v_outcome = 'done' AND NOT p_phone <=> v_before THEN
        SELECT u.id INTO v_former_id FROM users u JOIN wallets w ON w.user_id = u.id
        WHERE u.phone = p_phone AND w.status = 'closed';
        IF v_former_id IS NOT NULL THEN
            CALL detach_phone(v_former_id, v_now);
        END IF;
        CALL end_sessions(v_user_id, NULL, NULL, v_now);
        -- the end of a freeze of their own that was asked for by the phone before is called off
        UPDATE own_freezes SET unfreeze_at = NULL WHERE wallet_id = p_wallet_id;
        DELETE FROM proved_phones WHERE user_id = v_user_id;
        INSERT INTO former_phones (phone, user_id, ended_at)
        SELECT phone, id, v_now FROM users WHERE id = v_user_id AND phone IS NOT NULL;
        BEGIN
            DECLARE CONTINUE HANDLER FOR 1062 SET v_outcome = 'phone_taken';
            UPDATE users SET phone = p_phone, former_phone = IF(p_phone IS NULL, v_before, NULL) WHERE id = v_user_id;
        END;
        IF p_phone IS NULL THEN
            DELETE FROM own_freezes WHERE wallet_id = p_wallet_id; -- it is operators' to end now
        END IF;
        IF p_phone IS NULL AND v_status = 'active' THEN
            SET v_status = 'frozen';
            UPDATE wallets SET status = v_status WHERE id = p_wallet_id;
            CALL note_event(p_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT(), v_now);
        END IF;
    END IF;
    IF v_outcome = 'done' AND p_phone IS NOT NULL THEN
        -- two people know whose it is: a code to this phone resets the password again
        UPDATE users SET signed_in_at = v_now WHERE id = v_user_id;
    END IF;
    IF v_outcome = 'done' THEN
        SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status, 'phone', p_phone,
                                   'phone_before', v_before);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason,
                     IF(p_phone IS NULL, 'free_phone', 'change_phone'), p_wallet_id, NULL);
END//
DELIMITER ;

-- Ends every session of a wallet's owner: they sign in again, and who has one of theirs does not.
DROP PROCEDURE IF EXISTS end_sessions_of_owner;
DELIMITER //
CREATE PROCEDURE end_sessions_of_owner(
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
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT user_id, status INTO v_user_id, v_status FROM wallets WHERE id = p_wallet_id AND status <> 'closed';
        SET v_outcome = IF(v_user_id IS NULL, 'not_found', 'done');
        CALL end_sessions(v_user_id, NULL, NULL, UTC_TIMESTAMP(6));
        SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'end_sessions', p_wallet_id,
                     NULL);
END//
DELIMITER ;
