-- What operators do to wallets: by name, for a reason, under a key, and written down in the commit that does it.

-- The operators' journal. `subject_id` is what was acted on beside the wallet (a refund to source), `detail` is JSON.
CREATE TABLE IF NOT EXISTS operator_actions (
    id         BINARY(16)   NOT NULL,
    operator   VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    command    VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    wallet_id  BINARY(16)   NULL,
    subject_id BINARY(16)   NULL,
    reason     VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    detail     TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    created_at DATETIME(6)  NOT NULL,
    CONSTRAINT operator_actions_pk PRIMARY KEY (id),
    CONSTRAINT operator_actions_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    INDEX operator_actions_by_time (created_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS operator_actions_are_not_changed;
CREATE TRIGGER operator_actions_are_not_changed BEFORE UPDATE ON operator_actions FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the journal of operators only grows';

DROP TRIGGER IF EXISTS operator_actions_are_kept;
CREATE TRIGGER operator_actions_are_kept BEFORE DELETE ON operator_actions FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the journal of operators only grows';

-- Internal. Locks a wallet whole, its own row and then its slots: who is about to be paid into a slot has read the
-- wallet's status behind that slot's lock. NULL if there is no such wallet, or none any more.
DROP PROCEDURE IF EXISTS lock_whole_wallet;
DELIMITER //
CREATE PROCEDURE lock_whole_wallet(
    IN p_wallet_id BINARY(16),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
READS SQL DATA
BEGIN
    DECLARE v_slots INT DEFAULT 0;

    SET p_status = NULL;
    SELECT status, tier INTO p_status, p_tier FROM wallets WHERE id = p_wallet_id FOR UPDATE;
    SELECT COUNT(*) INTO v_slots FROM wallet_slots WHERE wallet_id = p_wallet_id FOR UPDATE;
    SET p_status = NULLIF(p_status, 'closed');
END//
DELIMITER ;

-- Internal. Ends an operator's command: the journal and the key's result, then the commit; or nothing at all. Every
-- command ends with it, so that none can forget the journal.
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
    IF p_outcome = 'done' THEN
        INSERT INTO operator_actions (id, operator, command, wallet_id, subject_id, reason, detail, created_at)
        VALUES (p_action_id, p_operator, p_command, p_wallet_id, p_subject_id, p_reason, p_result, UTC_TIMESTAMP(6));
        UPDATE idempotency_records SET result = p_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT p_outcome AS outcome, IF(p_outcome IN ('done', 'replayed'), p_result, NULL) AS result;
END//
DELIMITER ;

-- Gives a wallet another tier, and with it other limits. What it has already is not touched.
DROP PROCEDURE IF EXISTS set_tier;
DELIMITER //
CREATE PROCEDURE set_tier(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_before VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL lock_whole_wallet(p_wallet_id, v_status, v_before);
        SET v_outcome = CASE
            WHEN v_status IS NULL THEN 'not_found'
            WHEN NOT EXISTS (SELECT 1 FROM tiers WHERE code = p_tier) THEN 'invalid_request'
            ELSE 'done' END;
        IF v_outcome = 'done' THEN
            UPDATE wallets SET tier = p_tier WHERE id = p_wallet_id;
            IF p_tier <> v_before THEN
                CALL note_event(p_wallet_id, NULL, 'TierChanged', JSON_OBJECT('tier', p_tier), UTC_TIMESTAMP(6));
            END IF;
            SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status, 'tier', p_tier,
                                       'tier_before', v_before);
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'set_tier',
                     p_wallet_id, NULL);
END//
DELIMITER ;

-- Freezes a wallet: it neither pays nor is paid, and still takes its owner's own top-ups and refunds of its payments.
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
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        SET v_outcome = IF(v_status IS NULL, 'not_found', 'done');
        IF v_status = 'active' THEN
            SET v_status = 'frozen';
            UPDATE wallets SET status = v_status WHERE id = p_wallet_id;
            CALL note_event(p_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT(), UTC_TIMESTAMP(6));
        END IF;
        SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'freeze', p_wallet_id,
                     NULL);
END//
DELIMITER ;

-- Ends a wallet's freeze, or calls its closing off: what is on its way to its source goes on.
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
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        SET v_outcome = IF(v_status IS NULL, 'not_found', 'done');
        IF v_status <> 'active' THEN
            SET v_status = 'active';
            UPDATE wallets SET status = v_status WHERE id = p_wallet_id;
            CALL note_event(p_wallet_id, NULL, 'WalletUnfrozen', JSON_OBJECT(), UTC_TIMESTAMP(6));
        END IF;
        SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'unfreeze', p_wallet_id,
                     NULL);
END//
DELIMITER ;

-- Makes a wallet hot (credits of payments are spread over `p_spread` rows, 2 to 16) or ends that (1).
DROP PROCEDURE IF EXISTS set_slots;
DELIMITER //
CREATE PROCEDURE set_slots(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_spread TINYINT UNSIGNED
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
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        SET v_outcome = IF(v_status IS NULL, 'not_found', 'done');
        IF v_outcome = 'done' THEN
            CALL spread_credits(p_wallet_id, p_spread);
            SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status, 'slots', p_spread + 0);
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'set_slots',
                     p_wallet_id, NULL);
END//
DELIMITER ;

-- Gives a top-up, or money that is in suspense, back to where it came from; `p_amount` NULL is all that is left of it.
DROP PROCEDURE IF EXISTS refund_to_source;
DELIMITER //
CREATE PROCEDURE refund_to_source(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_refund_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_transaction_id BINARY(16),
    IN p_amount BIGINT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_owner_id BINARY(16) DEFAULT NULL;
    DECLARE v_amount BIGINT DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL open_source_refund(p_refund_id, p_transaction_id, p_amount, p_operator, v_outcome, v_owner_id, v_amount);
        IF v_outcome = 'done' THEN
            SET v_result = JSON_OBJECT(
                'refund_id', LOWER(HEX(p_refund_id)), 'transaction_id', LOWER(HEX(p_transaction_id)),
                'wallet_id', LOWER(HEX(v_owner_id)), 'amount', v_amount + 0, 'status', 'pending');
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_refund_id, p_operator, p_reason, 'refund_to_source',
                     v_owner_id, p_refund_id);
END//
DELIMITER ;

-- Closes a wallet, a step at a time: it is frozen as `closing`; what is available goes back to where it came from, over
-- its top-ups, newest first (those whose refund has failed before come last), at most `p_most` of them in one step; and
-- it is `closed` when nothing is left, here or when the last of these refunds succeeds. Run again, it goes on. What is
-- held for others is left to them. The result says what is on its way, what is held for others, and what is available
-- and has no source to go to: that is for the operator.
DROP PROCEDURE IF EXISTS close_wallet;
DELIMITER //
CREATE PROCEDURE close_wallet(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_most INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_top_up_id, v_refund_id, v_owner_id BINARY(16) DEFAULT NULL;
    DECLARE v_total, v_held, v_available, v_left, v_on_its_way BIGINT DEFAULT NULL;
    DECLARE v_opened INT DEFAULT 0;
    DECLARE v_last DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        SET v_outcome = IF(v_tier IS NULL, 'not_found', 'done');
        SET v_result = JSON_OBJECT( -- of a wallet that is closed already
            'wallet_id', LOWER(HEX(p_wallet_id)), 'status', 'closed', 'opened', 0, 'on_its_way', 0,
            'held_for_others', 0, 'without_a_source', 0);
    END IF;
    IF v_outcome = 'done' AND v_status IS NOT NULL THEN
        IF v_status = 'active' THEN
            CALL note_event(p_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT(), UTC_TIMESTAMP(6));
        END IF;
        UPDATE wallets SET status = 'closing' WHERE id = p_wallet_id;
        -- more than any wallet has: every slot is gathered, and every hold that is due ended
        CALL lock_debit(p_wallet_id, 9007199254740991, p_action_id, v_status, v_tier, v_total, v_held, v_last);
        SET v_available = v_total - v_held;

        refunding: WHILE v_available >= 100 AND v_opened < p_most DO
            SET v_top_up_id = NULL;
            SELECT t.id, t.amount - COALESCE(SUM(IF(r.status <> 'failed', r.amount, 0)), 0) AS rest
            INTO v_top_up_id, v_left
            FROM payment_attempts a
            JOIN transactions t ON t.attempt_id = a.id AND t.type = 'top_up'
            LEFT JOIN source_refunds r ON r.transaction_id = t.id
            WHERE a.wallet_id = p_wallet_id
            GROUP BY t.id, t.amount, t.created_at
            HAVING rest >= 100
            ORDER BY COALESCE(SUM(r.status = 'failed'), 0), t.created_at DESC, t.id LIMIT 1;
            IF v_top_up_id IS NULL THEN
                LEAVE refunding;
            END IF;
            SET v_opened = v_opened + 1;
            SET v_left = LEAST(v_left, v_available);
            CALL derive_id(p_action_id, CONCAT('refund', v_opened), v_refund_id);
            CALL open_source_refund(v_refund_id, v_top_up_id, v_left, p_operator, v_outcome, v_owner_id, v_left);
            IF v_outcome <> 'done' THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a refund of what is available is not refused';
            END IF;
            SET v_available = v_available - v_left;
        END WHILE;

        CALL close_if_empty(p_wallet_id, GREATEST(UTC_TIMESTAMP(6), v_last), v_status);
        SELECT COALESCE(SUM(amount), 0) INTO v_on_its_way
        FROM source_refunds WHERE wallet_id = p_wallet_id AND status = 'pending';
        SELECT held - v_on_its_way INTO v_held FROM wallets WHERE id = p_wallet_id;
        SET v_result = JSON_OBJECT(
            'wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status, 'opened', v_opened + 0,
            'on_its_way', v_on_its_way + 0, 'held_for_others', v_held + 0, 'without_a_source', v_available + 0);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'close', p_wallet_id,
                     NULL);
END//
DELIMITER ;
