-- Money that goes back the way it came: a top-up, or money that is in suspense. It is held first, leaves when the
-- gateway says that it has, and is free again when the gateway says that it never will.
--
-- A top-up's refunds are counted under its wallet's lock, those of money in suspense under the lock of its transaction.

-- Internal. What of an entry may still go back: what came, less every refund that has not failed.
DROP PROCEDURE IF EXISTS left_to_refund;
DELIMITER //
CREATE PROCEDURE left_to_refund(IN p_transaction_id BINARY(16), OUT p_left BIGINT)
READS SQL DATA
BEGIN
    SELECT t.amount - COALESCE((SELECT SUM(r.amount) FROM source_refunds r
                                WHERE r.transaction_id = t.id AND r.status <> 'failed'), 0)
    INTO p_left FROM transactions t WHERE t.id = p_transaction_id;
END//
DELIMITER ;

-- Internal. Tells of a refund in an event of the wallet that the money came for, if it came for one. The caller holds
-- that wallet's lock.
DROP PROCEDURE IF EXISTS tell_source_refund;
DELIMITER //
CREATE PROCEDURE tell_source_refund(
    IN p_refund_id BINARY(16),
    IN p_owner_id BINARY(16),
    IN p_type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_detail TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;

    IF p_owner_id IS NOT NULL THEN
        SELECT JSON_OBJECT(
            'refund_id', LOWER(HEX(id)), 'transaction_id', LOWER(HEX(transaction_id)), 'amount', amount,
            'currency', currency, 'gateway', gateway, 'reason', reason)
        INTO v_detail FROM source_refunds WHERE id = p_refund_id;
        CALL note_event(p_owner_id, NULL, p_type, v_detail, p_at);
    END IF;
END//
DELIMITER ;

-- Internal. Writes a refund down and sets its money aside: in `p_wallet_id`, or (NULL) in suspense, where nobody can
-- spend it. The caller has locked what it is counted under, and has found it covered.
DROP PROCEDURE IF EXISTS begin_source_refund;
DELIMITER //
CREATE PROCEDURE begin_source_refund(
    IN p_refund_id BINARY(16),
    IN p_origin VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_transaction_id BINARY(16),
    IN p_wallet_id BINARY(16),
    IN p_owner_id BINARY(16),
    IN p_gateway_refund_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_requested_by VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    INSERT INTO source_refunds
        (id, origin, transaction_id, wallet_id, gateway, gateway_payment_id, gateway_refund_id, amount, currency, status,
         requested_by, created_at, next_check_at, checks)
    SELECT p_refund_id, p_origin, t.id, p_wallet_id, t.gateway, t.gateway_payment_id, p_gateway_refund_id, p_amount,
           t.currency, 'pending', p_requested_by, p_at, p_at, 0
    FROM transactions t WHERE t.id = p_transaction_id;
    IF p_wallet_id IS NOT NULL THEN
        CALL set_aside(p_wallet_id, p_amount, 'refund_to_source', p_refund_id, p_at);
    END IF;
    CALL tell_source_refund(p_refund_id, p_owner_id, 'RefundToSourceRequested', p_at);
END//
DELIMITER ;

-- Internal. Begins a refund of ours of a top-up or of money in suspense; `p_amount` NULL is all that is left of it.
-- 'done', or the code of a refusal. The operator's procedures call it inside their atomic blocks.
DROP PROCEDURE IF EXISTS open_source_refund;
DELIMITER //
CREATE PROCEDURE open_source_refund(
    IN p_refund_id BINARY(16),
    IN p_transaction_id BINARY(16),
    IN p_amount BIGINT,
    IN p_requested_by VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_owner_id BINARY(16),
    OUT p_opened BIGINT
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_entry, v_left, v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_last DATETIME(6) DEFAULT NULL;
    DECLARE v_locked BINARY(16) DEFAULT NULL;

    SET p_owner_id = NULL;
    SELECT t.type, t.amount, a.wallet_id INTO v_type, v_entry, p_owner_id
    FROM transactions t LEFT JOIN payment_attempts a ON a.id = t.attempt_id
    WHERE t.id = p_transaction_id AND t.type IN ('top_up', 'suspense');

    IF v_type IS NULL THEN
        SET p_outcome = 'not_found';
    ELSE
        IF v_type = 'suspense' THEN
            SELECT id INTO v_locked FROM transactions WHERE id = p_transaction_id FOR UPDATE;
        END IF;
        IF p_owner_id IS NOT NULL THEN
            CALL lock_debit(p_owner_id, IF(v_type = 'top_up', COALESCE(p_amount, v_entry), 0), p_refund_id, v_status,
                            v_tier, v_total, v_held, v_last);
        END IF;
        CALL left_to_refund(p_transaction_id, v_left);
        SET p_opened = COALESCE(p_amount, v_left);
        SET p_outcome = CASE
            WHEN v_left <= 0 OR p_opened > v_left THEN 'refund_exceeds_payment'
            WHEN p_opened < 100 THEN 'amount_out_of_range' -- gateways pay nothing below a rupee
            WHEN v_type = 'top_up' AND p_opened > v_total - v_held THEN 'insufficient_funds'
            ELSE 'done' END;
        IF p_outcome = 'done' THEN
            CALL begin_source_refund(
                p_refund_id, 'ours', p_transaction_id, IF(v_type = 'top_up', p_owner_id, NULL), p_owner_id, NULL,
                p_opened, p_requested_by, GREATEST(UTC_TIMESTAMP(6), COALESCE(v_last, UTC_TIMESTAMP(6))));
        END IF;
    END IF;
END//
DELIMITER ;

-- Writes down a refund that the gateway, or a person at its dashboard, began without us: it has left our account there,
-- or will. It debits the wallet that the payment was credited to if what is available covers it, else suspense, where
-- the gap is an operator's to see. 'done' (the id of its row, whoever wrote it), 'unknown_payment' if the payment is not
-- in the books, 'mismatch' if it can't be this payment's.
DROP PROCEDURE IF EXISTS note_foreign_refund;
DELIMITER //
CREATE PROCEDURE note_foreign_refund(
    IN p_refund_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway_refund_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_transaction_id, v_owner_id, v_wallet_id, v_known_id, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_entry, v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_last DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT t.id, t.type, t.amount, t.currency, a.wallet_id
    INTO v_transaction_id, v_type, v_entry, v_currency, v_owner_id
    FROM transactions t LEFT JOIN payment_attempts a ON a.id = t.attempt_id
    WHERE t.gateway = p_gateway AND t.gateway_payment_id = p_payment_id;

    IF v_transaction_id IS NULL THEN
        SET v_outcome = 'unknown_payment';
    ELSEIF p_currency <> v_currency OR p_amount > v_entry OR p_amount <= 0 THEN
        SET v_outcome = 'mismatch';
    ELSE
        IF v_type = 'suspense' THEN
            SELECT id INTO v_locked FROM transactions WHERE id = v_transaction_id FOR UPDATE;
        END IF;
        IF v_owner_id IS NOT NULL THEN
            CALL lock_debit(v_owner_id, IF(v_type = 'top_up', p_amount, 0), p_refund_id, v_status, v_tier, v_total,
                            v_held, v_last);
        END IF;
        -- behind the lock: of two that tell of it at once, the second finds the row of the first
        SELECT id INTO v_known_id
        FROM source_refunds WHERE gateway = p_gateway AND gateway_refund_id = p_gateway_refund_id;
        IF v_known_id IS NULL THEN
            SET v_known_id = p_refund_id;
            SET v_wallet_id = IF(v_type = 'top_up' AND p_amount <= v_total - v_held, v_owner_id, NULL);
            CALL begin_source_refund(
                p_refund_id, 'gateway', v_transaction_id, v_wallet_id, v_owner_id, p_gateway_refund_id, p_amount, NULL,
                GREATEST(UTC_TIMESTAMP(6), COALESCE(v_last, UTC_TIMESTAMP(6))));
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, JSON_OBJECT('refund_id', LOWER(HEX(v_known_id))) AS result;
END//
DELIMITER ;

-- Internal. Closes a wallet that an operator is closing once there is nothing in it; the caller holds its lock.
DROP PROCEDURE IF EXISTS close_if_empty;
DELIMITER //
CREATE PROCEDURE close_if_empty(
    IN p_wallet_id BINARY(16),
    IN p_at DATETIME(6),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_slots INT DEFAULT 0;
    DECLARE v_total BIGINT DEFAULT NULL;

    SELECT COUNT(*), COALESCE(SUM(balance), 0) INTO v_slots, v_total
    FROM wallet_slots WHERE wallet_id = p_wallet_id FOR UPDATE;
    SELECT status, v_total + balance INTO p_status, v_total FROM wallets WHERE id = p_wallet_id;
    IF p_status = 'closing' AND v_total = 0 THEN
        SET p_status = 'closed';
        UPDATE wallets SET status = p_status WHERE id = p_wallet_id;
        CALL note_event(p_wallet_id, NULL, 'WalletClosed', JSON_OBJECT(), p_at);
    END IF;
END//
DELIMITER ;

-- Books what the gateway says of a refund, in whatever order it is told and however often. It is believed only as far as
-- it agrees with what was asked for. 'done'; 'duplicate' if it was known; 'unknown_refund'; 'failed_before' if we had
-- concluded by ourselves that it failed, and it was made after all; and what is for people: 'mismatch', 'contradicted'.
-- `wallet.ledger.refunds.weigh` is the same rule in Python.
DROP PROCEDURE IF EXISTS settle_source_refund;
DELIMITER //
CREATE PROCEDURE settle_source_refund(
    IN p_refund_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway_refund_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_transaction_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status, v_attempt_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_entry_id, v_attempt_id, v_owner_id, v_wallet_id, v_other_id, v_posted_id BINARY(16) DEFAULT NULL;
    DECLARE v_account_id, v_gateway_account_id, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_gateway_refund_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_agrees BOOLEAN DEFAULT FALSE;
    DECLARE v_entry, v_back, v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- none of this ever changes, so it needs no lock: it says which locks are to be taken
    SELECT r.transaction_id, r.wallet_id, t.type, t.amount, t.attempt_id, a.wallet_id
    INTO v_entry_id, v_wallet_id, v_type, v_entry, v_attempt_id, v_owner_id
    FROM source_refunds r
    JOIN transactions t ON t.id = r.transaction_id
    LEFT JOIN payment_attempts a ON a.id = t.attempt_id
    WHERE r.id = p_refund_id;

    IF v_entry_id IS NULL THEN
        SET v_outcome = 'unknown_refund';
    ELSE
        IF v_attempt_id IS NOT NULL THEN
            SELECT status INTO v_attempt_status FROM payment_attempts WHERE id = v_attempt_id FOR UPDATE;
        END IF;
        SELECT status, gateway_refund_id,
               gateway = p_gateway AND gateway_payment_id = p_payment_id AND amount = p_amount
               AND currency = p_currency AND COALESCE(gateway_refund_id = p_gateway_refund_id, TRUE)
        INTO v_status, v_gateway_refund_id, v_agrees
        FROM source_refunds WHERE id = p_refund_id FOR UPDATE;
        IF v_type = 'suspense' THEN
            -- before the wallet, as who begins a refund does: the entry that we post points at it
            SELECT id INTO v_locked FROM transactions WHERE id = v_entry_id FOR UPDATE;
        END IF;
        SELECT id INTO v_other_id FROM source_refunds
        WHERE gateway = p_gateway AND gateway_refund_id = p_gateway_refund_id AND id <> p_refund_id;
        SELECT id INTO v_posted_id FROM transactions WHERE source_refund_id = p_refund_id AND type = 'refund_to_source';
        SET v_outcome = CASE
            WHEN v_posted_id = p_transaction_id AND v_agrees THEN 'known' -- our own commit, whose answer was lost
            WHEN v_agrees AND v_status = 'failed' AND v_gateway_refund_id IS NULL
                AND (p_status = 'succeeded' OR v_other_id IS NOT NULL) THEN 'failed_before'
            WHEN NOT v_agrees OR v_other_id IS NOT NULL THEN 'mismatch'
            -- a refusal that somebody heard before the refund was made after all
            WHEN p_gateway_refund_id IS NULL AND v_gateway_refund_id IS NOT NULL THEN 'duplicate'
            WHEN v_status = 'pending' THEN NULL
            WHEN v_status = p_status OR p_status = 'pending' THEN 'duplicate'
            ELSE 'contradicted' END;
    END IF;

    IF v_outcome IS NULL THEN
        SET v_outcome = IF(p_status = 'pending' AND v_gateway_refund_id IS NOT NULL, 'duplicate', 'done');
        SET v_now = UTC_TIMESTAMP(6);
        IF v_owner_id IS NOT NULL THEN
            CALL lock_debit(v_owner_id, 0, p_refund_id, v_wallet_status, v_tier, v_total, v_held, v_last);
            SET v_now = GREATEST(v_now, v_last + INTERVAL 1 MICROSECOND);
        END IF;
        UPDATE source_refunds
        SET status = p_status,
            gateway_refund_id = COALESCE(gateway_refund_id, p_gateway_refund_id),
            reason = IF(p_status = 'failed', p_reason, NULL),
            ended_at = IF(p_status = 'pending', NULL, v_now),
            next_check_at = IF(p_status = 'pending', next_check_at, NULL)
        WHERE id = p_refund_id;
        IF p_status <> 'pending' AND v_wallet_id IS NOT NULL THEN
            CALL set_aside(v_wallet_id, -p_amount, 'refund_to_source', p_refund_id, v_now);
        END IF;
        IF p_status = 'failed' THEN
            CALL tell_source_refund(p_refund_id, v_owner_id, 'RefundToSourceFailed', v_now);
        ELSEIF p_status = 'succeeded' THEN
            SELECT id INTO v_gateway_account_id FROM accounts WHERE code = CONCAT('gateway:', p_gateway);
            SELECT COALESCE(v_wallet_id, id) INTO v_account_id FROM accounts WHERE code = 'suspense';
            INSERT INTO transactions (id, type, amount, currency, cause_id, source_refund_id, created_at)
            VALUES (p_transaction_id, 'refund_to_source', p_amount, p_currency, v_entry_id, p_refund_id, v_now);
            CALL post_entry(p_transaction_id, v_account_id, 0, v_gateway_account_id, 0, p_amount, v_now);
            CALL tell_source_refund(p_refund_id, v_owner_id, 'RefundToSourceSucceeded', v_now);
            SELECT SUM(amount) INTO v_back FROM source_refunds
            WHERE transaction_id = v_entry_id AND status = 'succeeded';
            -- money in suspense that came for an attempt which another payment has settled leaves that alone
            IF v_back = v_entry AND (v_type = 'top_up' OR v_attempt_status <> 'succeeded') THEN
                UPDATE payment_attempts SET status = 'refunded', next_check_at = NULL WHERE id = v_attempt_id;
                CALL note_attempt(v_attempt_id, 'refunded', NULL, p_payment_id, v_now);
            END IF;
            IF v_wallet_id IS NOT NULL THEN
                CALL close_if_empty(v_wallet_id, v_now, v_wallet_status);
            END IF;
        END IF;
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT IF(v_outcome = 'known', 'done', v_outcome) AS outcome, NULL AS result;
END//
DELIMITER ;

-- Takes one due refund for a question to the gateway; as claim_check does for attempts. A refund is asked about until
-- the gateway has said its last word.
DROP PROCEDURE IF EXISTS claim_refund_check;
DELIMITER //
CREATE PROCEDURE claim_refund_check(
    IN p_refund_id BINARY(16),
    IN p_checks INT UNSIGNED,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_checks INT UNSIGNED DEFAULT NULL;
    DECLARE v_due BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT checks, next_check_at <= v_now INTO v_checks, v_due FROM source_refunds WHERE id = p_refund_id FOR UPDATE;
    SET v_due = v_due AND v_checks = p_checks;
    IF v_due THEN
        UPDATE source_refunds
        SET checks = checks + 1,
            next_check_at = v_now + INTERVAL LEAST(21600, p_first_check_seconds * POW(2, LEAST(v_checks, 16))) SECOND
        WHERE id = p_refund_id;
    END IF;
    COMMIT;
    SELECT IF(v_due, 'done', 'taken') AS outcome, NULL AS result;
END//
DELIMITER ;

-- Gives a taken refund back: the gateway could not be asked.
DROP PROCEDURE IF EXISTS release_refund_check;
DELIMITER //
CREATE PROCEDURE release_refund_check(
    IN p_refund_id BINARY(16),
    IN p_checks INT UNSIGNED,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    UPDATE source_refunds
    SET checks = checks - 1,
        next_check_at = LEAST(next_check_at, UTC_TIMESTAMP(6) + INTERVAL p_first_check_seconds SECOND)
    WHERE id = p_refund_id AND checks = p_checks + 1 AND next_check_at IS NOT NULL;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;
