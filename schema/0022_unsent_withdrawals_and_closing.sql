-- Withdrawals that nobody was asked to pay yet: freezing the wallet pauses them, and their owner may cancel them.

-- `asked`: somebody may have been asked to pay it, from `asked_at` on (NULL: since it was created). It is committed before
-- the provider is called, and never taken back. TRUE unless said otherwise: whoever opens a withdrawal without knowing of
-- this column asks at once.
DROP PROCEDURE IF EXISTS add_asked_to_withdrawals;
DELIMITER //
CREATE PROCEDURE add_asked_to_withdrawals()
MODIFIES SQL DATA
BEGIN
    IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_schema = DATABASE() AND table_name = 'withdrawals' AND column_name = 'asked') THEN
        ALTER TABLE withdrawals ADD COLUMN asked BOOLEAN NOT NULL DEFAULT TRUE, ADD COLUMN asked_at DATETIME(6) NULL;
    END IF;
END//
DELIMITER ;
CALL add_asked_to_withdrawals();
DROP PROCEDURE IF EXISTS add_asked_to_withdrawals;

DROP TRIGGER IF EXISTS withdrawals_stay_asked;
DELIMITER //
CREATE TRIGGER withdrawals_stay_asked BEFORE UPDATE ON withdrawals FOR EACH ROW
BEGIN
    IF OLD.asked AND NOT NEW.asked THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'who may have been asked to pay a withdrawal stays asked';
    END IF;
END//
DELIMITER ;

-- Internal. Sets the money of a withdrawal aside, and its fee, before anybody is asked to pay it out: it is no longer
-- available, and still in the wallet. A replay answers what was answered first. `p_asked`: the caller asks at once,
-- without claiming the withdrawal for that.
DROP PROCEDURE IF EXISTS begin_withdrawal;
DELIMITER //
CREATE PROCEDURE begin_withdrawal(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_withdrawal_id BINARY(16),
    IN p_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_vpa VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_first_check_seconds INT,
    IN p_asked BOOLEAN
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_total, v_held, v_fee BIGINT DEFAULT NULL;
    DECLARE v_allowed, v_flag, v_exceeded BOOLEAN DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SET v_outcome = NULL;
        SELECT w.id, u.name INTO v_wallet_id, v_name
        FROM wallets w JOIN users u ON u.id = w.user_id WHERE w.user_id = p_actor_id;
        IF v_wallet_id IS NULL THEN
            SET v_outcome = 'invalid_token';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        CALL fee_of('withdrawal', p_amount, UTC_TIMESTAMP(6), v_fee);
        CALL lock_debit(v_wallet_id, p_amount + v_fee, p_withdrawal_id, v_status, v_tier, v_total, v_held, v_last);
        SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
        CALL refuse_debit(v_wallet_id, v_tier, p_amount, v_now, v_exceeded, v_flag, v_allowed);
        SET v_outcome = CASE
            WHEN v_status <> 'active' THEN 'wallet_frozen'
            WHEN p_amount < 100 THEN 'amount_out_of_range'
            WHEN p_amount + v_fee > v_total - v_held THEN 'insufficient_funds'
            WHEN v_exceeded OR NOT v_allowed THEN 'wallet_limit_exceeded'
            ELSE NULL END;
    END IF;

    IF v_outcome IS NULL THEN
        CALL set_aside(v_wallet_id, p_amount + v_fee, 'withdrawal', p_withdrawal_id, v_now);
        CALL count_debit(v_wallet_id, p_amount, v_now);
        INSERT INTO withdrawals
            (id, wallet_id, provider, vpa, amount, fee, currency, status, created_at, next_check_at, checks, asked)
        VALUES (p_withdrawal_id, v_wallet_id, p_provider, p_vpa, p_amount, v_fee, 'INR', 'pending', v_now,
                v_now + INTERVAL p_first_check_seconds SECOND, 0, p_asked);
        CALL note_withdrawal(p_withdrawal_id, 'WithdrawalRequested', v_now);
        -- "+ 0": MariaDB's JSON_OBJECT shows a bare integer variable as a string
        SET v_result = JSON_OBJECT(
            'withdrawal_id', LOWER(HEX(p_withdrawal_id)), 'amount', p_amount + 0, 'fee', v_fee + 0, 'currency', 'INR',
            'vpa', p_vpa, 'payee_name', v_name, 'balance', v_total + 0, 'held', v_held + p_amount + v_fee,
            'created_at', DATE_FORMAT(v_now, '%Y-%m-%dT%H:%i:%s.%f'));
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SET v_outcome = 'done';
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- A withdrawal whose caller asks the provider right behind this commit: the form before `request_withdrawal`.
DROP PROCEDURE IF EXISTS open_withdrawal;
DELIMITER //
CREATE PROCEDURE open_withdrawal(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_withdrawal_id BINARY(16),
    IN p_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_vpa VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    CALL begin_withdrawal(p_actor_id, p_key, p_request_hash, p_withdrawal_id, p_provider, p_vpa, p_amount,
                          p_first_check_seconds, TRUE);
END//
DELIMITER ;

-- A withdrawal that nobody is asked to pay before `claim_payout`, or the reconciler's `claim_withdrawal_check`, allows it.
DROP PROCEDURE IF EXISTS request_withdrawal;
DELIMITER //
CREATE PROCEDURE request_withdrawal(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_withdrawal_id BINARY(16),
    IN p_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_vpa VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    CALL begin_withdrawal(p_actor_id, p_key, p_request_hash, p_withdrawal_id, p_provider, p_vpa, p_amount,
                          p_first_check_seconds, FALSE);
END//
DELIMITER ;

-- Allows the provider to be asked for the first time: 'done' to one caller, once. 'paused' while the wallet is not active:
-- who freezes it takes the same lock. 'taken' if it was allowed before, or the withdrawal has ended.
DROP PROCEDURE IF EXISTS claim_payout;
DELIMITER //
CREATE PROCEDURE claim_payout(IN p_withdrawal_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'taken';
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_open BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT wallet_id, status = 'pending' AND NOT asked INTO v_wallet_id, v_open
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    IF v_open THEN
        SELECT status INTO v_status FROM wallets WHERE id = v_wallet_id FOR UPDATE;
        SET v_outcome = IF(v_status = 'active', 'done', 'paused');
    END IF;
    IF v_outcome = 'done' THEN
        UPDATE withdrawals SET asked = TRUE, asked_at = UTC_TIMESTAMP(6) WHERE id = p_withdrawal_id;
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Takes one due withdrawal for a question to the provider, tells what is to be asked, and says when the next question
-- is due: while it is pending each waits twice as long, to six hours at most; one that has ended is asked about daily
-- until a week after its end, and the end of a dispute is one. Of two that want the same withdrawal, one gets 'done'.
-- While its wallet is not active nobody is asked to pay: one that nobody was asked to pay yet is 'paused' (who unfreezes
-- the wallet makes it due); one that somebody may have been asked to pay is asked about, and not sent (`may_send`).
DROP PROCEDURE IF EXISTS claim_withdrawal_check;
DELIMITER //
CREATE PROCEDURE claim_withdrawal_check(
    IN p_withdrawal_id BINARY(16),
    IN p_checks INT UNSIGNED,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'taken';
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_wallet_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_due, v_unpaid, v_asked, v_may_send BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- the row first and by its key, as everybody locks it; by the index of due times two could meet crosswise
    SELECT next_check_at <= v_now AND checks = p_checks, status = 'pending' AND provider_payout_id IS NULL, asked, wallet_id
    INTO v_due, v_unpaid, v_asked, v_wallet_id
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    IF v_due AND v_unpaid THEN
        SELECT status INTO v_wallet_status FROM wallets WHERE id = v_wallet_id FOR UPDATE;
        SET v_may_send = v_wallet_status = 'active';
    END IF;
    IF v_due AND v_unpaid AND NOT v_asked AND NOT v_may_send THEN
        SET v_outcome = 'paused';
        UPDATE withdrawals SET next_check_at = v_now + INTERVAL 1 HOUR WHERE id = p_withdrawal_id;
    ELSEIF v_due THEN
        SET v_outcome = 'done';
        UPDATE withdrawals
        SET checks = checks + 1,
            asked = asked OR v_unpaid,
            asked_at = IF(v_unpaid AND NOT v_asked, v_now, asked_at),
            next_check_at = CASE
                WHEN status = 'pending' THEN v_now
                    + INTERVAL LEAST(21600, p_first_check_seconds * POW(2, LEAST(p_checks, 16))) SECOND
                WHEN GREATEST(created_at, COALESCE(ended_at, created_at)) + INTERVAL 6 DAY > v_now THEN v_now + INTERVAL 1 DAY
                ELSE NULL END
        WHERE id = p_withdrawal_id;
        SELECT JSON_OBJECT(
            'withdrawal_id', LOWER(HEX(d.id)), 'status', d.status, 'vpa', d.vpa, 'payee_name', u.name,
            'amount', d.amount, 'currency', d.currency, 'payout_id', d.provider_payout_id, 'may_send', v_may_send + 0,
            'age_s', TIMESTAMPDIFF(SECOND, COALESCE(d.asked_at, d.created_at), v_now)) INTO v_result
        FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id JOIN users u ON u.id = w.user_id
        WHERE d.id = p_withdrawal_id;
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Its owner cancels a withdrawal that nobody was asked to pay: what was set aside is available again. Cancelled again it
-- stays cancelled. 'withdrawal_sent' once somebody may have been asked, whatever the provider says of it. A wallet that is
-- frozen or being closed stops nobody: nothing leaves it.
DROP PROCEDURE IF EXISTS cancel_withdrawal;
DELIMITER //
CREATE PROCEDURE cancel_withdrawal(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_withdrawal_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_known_id BINARY(16) DEFAULT NULL;
    DECLARE v_unsent, v_cancelled BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT d.id INTO v_known_id
        FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id WHERE d.id = p_withdrawal_id AND w.user_id = p_actor_id;
        SELECT status = 'pending' AND NOT asked AND provider_payout_id IS NULL,
               status = 'failed' AND COALESCE(reason = 'cancelled' AND NOT asked, FALSE)
        INTO v_unsent, v_cancelled
        FROM withdrawals WHERE id = v_known_id FOR UPDATE;
        SET v_outcome = CASE
            WHEN v_known_id IS NULL THEN 'not_found'
            WHEN v_unsent OR v_cancelled THEN 'done'
            ELSE 'withdrawal_sent' END;
        IF v_outcome = 'done' THEN
            IF v_unsent THEN
                CALL free_withdrawal(p_withdrawal_id, 'cancelled');
            END IF;
            SELECT JSON_OBJECT(
                'withdrawal_id', LOWER(HEX(id)), 'status', status, 'amount', amount, 'fee', fee, 'currency', currency,
                'vpa', vpa, 'reason', reason, 'created_at', DATE_FORMAT(created_at, '%Y-%m-%dT%H:%i:%s.%f'))
            INTO v_result FROM withdrawals WHERE id = p_withdrawal_id;
            UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
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

-- Closes a wallet, a step at a time: it is frozen as `closing`; what is available goes back to where it came from, over
-- its top-ups, newest first (those whose refund has failed before come last), at most `p_most` of them in one step; and
-- it is `closed` when nothing is left, here or when the last of these refunds succeeds. Run again, it goes on. What is
-- held for others is left to them. The result says what is on its way, what is held for others, and what is available
-- and has no source to go to: that is for the operator. Withdrawals that nobody was asked to pay are ended first.
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
    DECLARE v_opened, v_found INT DEFAULT 0;
    DECLARE v_unsent TEXT CHARACTER SET ascii COLLATE ascii_bin DEFAULT '';
    DECLARE v_withdrawal_id BINARY(16) DEFAULT UNHEX('00000000000000000000000000000000');
    DECLARE v_is_unsent BOOLEAN DEFAULT FALSE;
    DECLARE v_last DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        -- before the wallet, each by its key, as everybody locks them
        waiting: WHILE v_found < p_most DO
            SELECT MIN(id) INTO v_withdrawal_id FROM withdrawals
            WHERE wallet_id = p_wallet_id AND status = 'pending' AND NOT asked AND id > v_withdrawal_id;
            IF v_withdrawal_id IS NULL THEN
                LEAVE waiting;
            END IF;
            SET v_found = v_found + 1;
            SELECT status = 'pending' AND NOT asked AND provider_payout_id IS NULL INTO v_is_unsent
            FROM withdrawals WHERE id = v_withdrawal_id FOR UPDATE;
            SET v_unsent = CONCAT(v_unsent, IF(v_is_unsent, HEX(v_withdrawal_id), ''));
        END WHILE;
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
        WHILE v_unsent <> '' DO
            CALL free_withdrawal(UNHEX(LEFT(v_unsent, 32)), 'wallet_closing');
            SET v_unsent = SUBSTRING(v_unsent, 33);
        END WHILE;
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
