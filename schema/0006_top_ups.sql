-- Money in: the attempt, its order at the gateway, and the settlement of what arrived.

-- Internal. Adds to an attempt's history, unless it already says so. The caller holds the attempt's lock.
DROP PROCEDURE IF EXISTS note_attempt;
DELIMITER //
CREATE PROCEDURE note_attempt(
    IN p_attempt_id BINARY(16),
    IN p_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_position INT UNSIGNED DEFAULT 0;
    DECLARE v_known BOOLEAN DEFAULT FALSE;

    SELECT COALESCE(MAX(position), 0) + 1, COALESCE(MAX(status = p_status AND gateway_payment_id = p_payment_id), FALSE)
    INTO v_position, v_known
    FROM payment_attempt_events WHERE attempt_id = p_attempt_id;
    IF NOT v_known THEN
        INSERT INTO payment_attempt_events (attempt_id, position, status, reason, gateway_payment_id, created_at)
        VALUES (p_attempt_id, v_position, p_status, p_reason, p_payment_id, p_at);
    END IF;
END//
DELIMITER ;

-- Internal. An attempt as its maker is told of it, and what the gateway wants to know of the payer.
DROP PROCEDURE IF EXISTS answer_top_up;
DELIMITER //
CREATE PROCEDURE answer_top_up(
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_attempt_id BINARY(16)
)
READS SQL DATA
BEGIN
    SELECT p_outcome AS outcome, JSON_OBJECT(
        'attempt_id', LOWER(HEX(a.id)), 'amount', a.amount, 'currency', a.currency, 'gateway', a.gateway,
        'gateway_order_id', a.gateway_order_id, 'checkout_session', a.checkout_session, 'intent_url', a.intent_url,
        'payer_phone', u.phone, 'payer_email', u.email, 'is_over', a.expires_at <= UTC_TIMESTAMP(6),
        'expires_at', DATE_FORMAT(a.expires_at, '%Y-%m-%dT%H:%i:%s.%f')) AS result
    FROM payment_attempts a JOIN wallets w ON w.id = a.wallet_id JOIN users u ON u.id = w.user_id
    WHERE a.id = p_attempt_id;
END//
DELIMITER ;

-- Opens an attempt to top up the actor's wallet: our row comes before the gateway's order, so that no order is ever
-- made that we don't know of. A replay answers the attempt as it stands, so that a lost order is made again.
DROP PROCEDURE IF EXISTS open_top_up;
DELIMITER //
CREATE PROCEDURE open_top_up(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_attempt_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_valid_seconds INT,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_balance, v_max_top_up, v_unused BIGINT DEFAULT NULL;
    DECLARE v_flag BOOLEAN DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        -- No lock: the limits are checked again, under the lock, when the money arrives. This is a courtesy.
        SELECT id, status, tier, balance INTO v_wallet_id, v_status, v_tier, v_balance
        FROM wallets WHERE user_id = p_actor_id;
        IF v_wallet_id IS NULL THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSE
            CALL limits_of(v_tier, v_now, v_unused, v_max_top_up, v_unused, v_unused, v_unused, v_unused, v_unused,
                           v_flag, v_flag);
            SELECT v_balance + COALESCE(SUM(balance), 0) INTO v_balance FROM wallet_slots WHERE wallet_id = v_wallet_id;
            CALL refuse_credit(v_wallet_id, v_tier, v_balance, p_amount, TRUE, v_now, v_reason);
            SET v_outcome = CASE
                WHEN p_amount < 100 OR p_amount > v_max_top_up THEN 'amount_out_of_range'
                WHEN v_reason IS NOT NULL THEN 'wallet_limit_exceeded'
                ELSE 'done' END;
        END IF;
        IF v_outcome = 'done' THEN
            INSERT INTO payment_attempts
                (id, wallet_id, gateway, amount, currency, status, created_at, expires_at, next_check_at, checks)
            VALUES (p_attempt_id, v_wallet_id, p_gateway, p_amount, 'INR', 'created', v_now,
                    v_now + INTERVAL p_valid_seconds SECOND, v_now + INTERVAL p_first_check_seconds SECOND, 0);
            CALL note_attempt(p_attempt_id, 'pending', NULL, '', v_now);
            UPDATE idempotency_records SET result = JSON_OBJECT('attempt_id', LOWER(HEX(p_attempt_id)))
            WHERE actor_id = p_actor_id AND idem_key = p_key;
            COMMIT;
        ELSE
            ROLLBACK;
        END IF;
    ELSE
        ROLLBACK;
    END IF;

    IF v_outcome = 'done' THEN
        CALL answer_top_up(v_outcome, p_attempt_id);
    ELSEIF v_outcome = 'replayed' THEN
        CALL answer_top_up(v_outcome, UNHEX(JSON_UNQUOTE(JSON_EXTRACT(v_result, '$.attempt_id'))));
    ELSE
        SELECT v_outcome AS outcome, NULL AS result;
    END IF;
END//
DELIMITER ;

-- Writes down the order that the gateway made for an attempt, and how it is paid once that is known. The first
-- order stays: a second one, made by a caller that ran beside, is never shown to anybody. An order is always asked
-- about at least once more. 'order_taken': a gateway that gives the order of another attempt is not believed.
DROP PROCEDURE IF EXISTS attach_order;
DELIMITER //
CREATE PROCEDURE attach_order(
    IN p_attempt_id BINARY(16),
    IN p_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_checkout_session VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_intent_url VARCHAR(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE CONTINUE HANDLER FOR 1062 SET v_outcome = 'order_taken';

    UPDATE payment_attempts
    SET next_check_at = IF(gateway_order_id IS NULL, COALESCE(next_check_at, UTC_TIMESTAMP(6)), next_check_at),
        checkout_session = IF(COALESCE(gateway_order_id, p_order_id) = p_order_id,
                              COALESCE(checkout_session, p_checkout_session), checkout_session),
        intent_url = IF(COALESCE(gateway_order_id, p_order_id) = p_order_id, COALESCE(intent_url, p_intent_url), intent_url),
        gateway_order_id = COALESCE(gateway_order_id, p_order_id),
        status = IF(status = 'created', 'pending', status)
    WHERE id = p_attempt_id;
    CALL answer_top_up(v_outcome, p_attempt_id);
END//
DELIMITER ;

-- Books money that has arrived at the gateway: to the wallet that asked for it if everything agrees with what was
-- asked, to suspense otherwise, and once in either case. `wallet.ledger.attempts.weigh` is the same rule in Python.
DROP PROCEDURE IF EXISTS settle_payment;
DELIMITER //
CREATE PROCEDURE settle_payment(
    IN p_transaction_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount_refunded BIGINT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_attempt_id, v_wallet_id, v_gateway_account_id, v_account_id BINARY(16) DEFAULT NULL;
    DECLARE v_attempt_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_attempt_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount, v_balance BIGINT DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE v_known_id BINARY(16) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT id, wallet_id, status, amount, currency
    INTO v_attempt_id, v_wallet_id, v_attempt_status, v_amount, v_attempt_currency
    FROM payment_attempts WHERE gateway = p_gateway AND gateway_order_id = p_order_id FOR UPDATE;
    SELECT id, suspense_reason INTO v_known_id, v_reason
    FROM transactions WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id;

    IF v_known_id IS NOT NULL THEN
        -- the same transaction: our own commit, whose answer was lost
        SET v_outcome = IF(v_known_id = p_transaction_id, 'known', 'duplicate');
    ELSE
        SET v_now = UTC_TIMESTAMP(6);
        IF v_wallet_id IS NOT NULL THEN
            CALL lock_credit(v_wallet_id, FALSE, v_slot, v_wallet_status, v_tier, v_balance, v_last);
            SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
            CALL refuse_credit(v_wallet_id, v_tier, v_balance, p_amount, TRUE, v_now, v_limit);
        END IF;
        SET v_reason = CASE
            WHEN v_attempt_id IS NULL THEN 'unknown_order'
            WHEN p_currency <> 'INR' OR p_currency <> v_attempt_currency THEN 'currency_mismatch'
            WHEN p_amount <> v_amount THEN 'amount_mismatch'
            WHEN p_amount_refunded > 0 THEN 'already_refunded'
            WHEN v_attempt_status IN ('succeeded', 'refunded') THEN 'order_already_paid'
            WHEN v_wallet_status = 'closed' THEN 'wallet_closed'
            ELSE v_limit END;
        SELECT id INTO v_gateway_account_id FROM accounts WHERE code = CONCAT('gateway:', p_gateway);
        IF v_reason IS NULL THEN
            SET v_account_id = v_wallet_id;
        ELSE
            SELECT id INTO v_account_id FROM accounts WHERE code = 'suspense';
        END IF;
        BEGIN
            -- two that know of no order hold no lock in common: the unique key decides between them
            DECLARE CONTINUE HANDLER FOR 1062
            BEGIN
                SELECT id INTO v_known_id
                FROM transactions WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id LOCK IN SHARE MODE;
                IF v_known_id IS NULL THEN
                    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a new transaction needs an id of its own';
                END IF;
                SET v_outcome = 'duplicate';
            END;
            INSERT INTO transactions
                (id, type, amount, currency, attempt_id, gateway, gateway_payment_id, suspense_reason, created_at)
            VALUES (p_transaction_id, IF(v_reason IS NULL, 'top_up', 'suspense'), p_amount, p_currency,
                    v_attempt_id, p_gateway, p_payment_id, v_reason, v_now);
        END;
    END IF;

    IF v_outcome = 'done' THEN
        CALL post_entry(p_transaction_id, v_gateway_account_id, 0, v_account_id, v_slot, p_amount, v_now);
        IF v_wallet_id IS NOT NULL THEN
            CALL note_event(
                v_wallet_id, NULL, IF(v_reason IS NULL, 'TopUpSucceeded', 'TopUpSuspended'), JSON_OBJECT(
                    'top_up_id', LOWER(HEX(v_attempt_id)), 'transaction_id', LOWER(HEX(p_transaction_id)),
                    'wallet_id', LOWER(HEX(v_wallet_id)), 'amount', p_amount + 0, 'currency', p_currency,
                    'gateway', p_gateway, 'reason', v_reason), v_now);
        END IF;
        IF v_reason IS NULL THEN
            CALL count_load(v_wallet_id, p_amount, v_now);
            -- asked about once more, when its time is over: it may be refunded at the gateway, and that news be lost
            UPDATE payment_attempts
            SET status = 'succeeded', next_check_at = GREATEST(expires_at, v_now + INTERVAL 1 DAY)
            WHERE id = v_attempt_id;
            CALL note_attempt(v_attempt_id, 'succeeded', NULL, p_payment_id, v_now);
        ELSEIF v_attempt_id IS NOT NULL THEN
            IF v_attempt_status IN ('created', 'pending') THEN
                SET v_attempt_status = 'failed';
                UPDATE payment_attempts SET status = v_attempt_status WHERE id = v_attempt_id;
            END IF;
            CALL note_attempt(v_attempt_id, v_attempt_status, v_reason, p_payment_id, v_now);
        END IF;
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT IF(v_outcome = 'known', 'done', v_outcome) AS outcome, JSON_OBJECT('suspense_reason', v_reason) AS result;
END//
DELIMITER ;

-- Writes down that a payment of an attempt failed, or that its outcome is unknown (`p_failed` false: the attempt
-- stays as it is). Nothing moves, and the attempt stays open: the same payment may still be captured.
DROP PROCEDURE IF EXISTS note_unsuccessful_payment;
DELIMITER //
CREATE PROCEDURE note_unsuccessful_payment(
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_failed BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_attempt_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT id, status INTO v_attempt_id, v_status
    FROM payment_attempts WHERE gateway = p_gateway AND gateway_order_id = p_order_id FOR UPDATE;
    IF v_attempt_id IS NULL THEN
        SET v_outcome = 'unknown_order';
    ELSEIF v_status NOT IN ('created', 'pending', 'failed') THEN
        SET v_outcome = 'duplicate'; -- late news: the attempt is further on
    ELSE
        IF p_failed THEN
            SET v_status = 'failed';
            UPDATE payment_attempts SET status = v_status WHERE id = v_attempt_id;
        END IF;
        CALL note_attempt(v_attempt_id, v_status, p_reason, p_payment_id, UTC_TIMESTAMP(6));
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Stores a verified event before it is acted on, or finds it stored.
DROP PROCEDURE IF EXISTS store_gateway_event;
DELIMITER //
CREATE PROCEDURE store_gateway_event(
    IN p_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_digest BINARY(32),
    IN p_event_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_body MEDIUMBLOB
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 BEGIN END;
        INSERT INTO gateway_events (id, gateway, digest, event_id, name, body, received_at)
        VALUES (p_id, p_gateway, p_digest, p_event_id, p_name, p_body, UTC_TIMESTAMP(6));
    END;
    SELECT 'done' AS outcome, JSON_OBJECT('event_id', LOWER(HEX(id)), 'outcome', outcome) AS result
    FROM gateway_events WHERE gateway = p_gateway AND digest = p_digest;
END//
DELIMITER ;

-- Writes down what a stored event came to. The first word stays.
DROP PROCEDURE IF EXISTS finish_gateway_event;
DELIMITER //
CREATE PROCEDURE finish_gateway_event(
    IN p_id BINARY(16),
    IN p_outcome VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    UPDATE gateway_events SET outcome = p_outcome, processed_at = UTC_TIMESTAMP(6)
    WHERE id = p_id AND outcome IS NULL;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Takes one due attempt for a question to the gateway, and says when the next question is due: each waits twice as
-- long, to six hours at most. Of two that want the same attempt, one gets 'done'.
DROP PROCEDURE IF EXISTS claim_check;
DELIMITER //
CREATE PROCEDURE claim_check(
    IN p_attempt_id BINARY(16),
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
    -- the row first and by its key, as everybody locks it; by the index of due times two could meet crosswise
    SELECT checks, next_check_at <= v_now INTO v_checks, v_due
    FROM payment_attempts WHERE id = p_attempt_id FOR UPDATE;
    SET v_due = v_due AND v_checks = p_checks;
    IF v_due THEN
        UPDATE payment_attempts
        SET checks = checks + 1,
            next_check_at = v_now + INTERVAL LEAST(21600, p_first_check_seconds * POW(2, LEAST(v_checks, 16))) SECOND
        WHERE id = p_attempt_id;
    END IF;
    COMMIT;
    SELECT IF(v_due, 'done', 'taken') AS outcome, NULL AS result;
END//
DELIMITER ;

-- Gives a taken attempt back: the gateway could not be asked, so the question is due again soon.
DROP PROCEDURE IF EXISTS release_check;
DELIMITER //
CREATE PROCEDURE release_check(
    IN p_attempt_id BINARY(16),
    IN p_checks INT UNSIGNED,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    UPDATE payment_attempts
    SET checks = checks - 1,
        next_check_at = LEAST(next_check_at, UTC_TIMESTAMP(6) + INTERVAL p_first_check_seconds SECOND)
    WHERE id = p_attempt_id AND checks = p_checks + 1 AND next_check_at IS NOT NULL;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Ends an attempt whose time is over, after the gateway has said that no money came.
DROP PROCEDURE IF EXISTS expire_attempt;
DELIMITER //
CREATE PROCEDURE expire_attempt(IN p_attempt_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT status INTO v_status FROM payment_attempts WHERE id = p_attempt_id AND expires_at <= v_now FOR UPDATE;
    IF v_status IN ('created', 'pending') THEN
        UPDATE payment_attempts SET status = 'expired', next_check_at = NULL WHERE id = p_attempt_id;
        CALL note_attempt(p_attempt_id, 'expired', NULL, '', v_now);
    ELSEIF v_status IS NOT NULL THEN
        UPDATE payment_attempts SET next_check_at = NULL WHERE id = p_attempt_id; -- it has ended already
    END IF;
    COMMIT;
    SELECT IF(v_status IN ('created', 'pending'), 'done', 'ended_before') AS outcome, NULL AS result;
END//
DELIMITER ;
