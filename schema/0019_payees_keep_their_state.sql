-- What one who pays may learn of others. Whatever keeps a payee from being paid has one answer, `payee_unavailable`, which
-- a caller is given so many times in an hour and no more; and the payer's own wallet, funds and limits are looked at
-- before anything of the payee's, so that neither an answer nor the time that it takes tells of them.
--
-- A refusal that the code of the release before does not know goes out under the one that it knows, and `code` in the
-- result is what it is called now.

-- How often somebody was told, within the hour that ends then, that a payee can't be paid. One row a user, written by
-- refusals alone; a payment reads it with the payer's wallet, in one statement.
CREATE TABLE IF NOT EXISTS payee_lookups (
    user_id        BINARY(16)   NOT NULL,
    failed         INT UNSIGNED NOT NULL,
    allowed        INT UNSIGNED NOT NULL,
    window_ends_at DATETIME(6)  NOT NULL,
    CONSTRAINT payee_lookups_pk PRIMARY KEY (user_id),
    CONSTRAINT payee_lookups_user_exists FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Internal. Counts that the caller is about to be told of a payee who can't be paid: 'payee_unavailable', or, once that
-- was told often enough, 'too_many_lookups'. An approved merchant pays by files of 10,000 rows, and is told as often.
-- Two counts may be one too many if the answer is lost: no money hangs on it.
DROP PROCEDURE IF EXISTS count_failed_lookup;
DELIMITER //
CREATE PROCEDURE count_failed_lookup(
    IN p_user_id BINARY(16),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_allowed INT UNSIGNED DEFAULT NULL;
    DECLARE v_exceeded BOOLEAN DEFAULT NULL;
    DECLARE v_ends_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);

    SELECT IF(t.for_merchants AND u.kind = 'merchant', 10000, 100) INTO v_allowed
    FROM users u JOIN wallets w ON w.user_id = u.id JOIN tiers t ON t.code = w.tier WHERE u.id = p_user_id;
    -- assigned from left to right: the window's end comes last
    INSERT INTO payee_lookups (user_id, failed, allowed, window_ends_at)
    VALUES (p_user_id, 1, v_allowed, v_now + INTERVAL 1 HOUR)
    ON DUPLICATE KEY UPDATE
        failed = IF(window_ends_at <= v_now, 1, failed + 1),
        allowed = v_allowed,
        window_ends_at = IF(window_ends_at <= v_now, v_now + INTERVAL 1 HOUR, window_ends_at);
    SELECT failed > allowed, window_ends_at INTO v_exceeded, v_ends_at FROM payee_lookups WHERE user_id = p_user_id;
    SET p_outcome = IF(v_exceeded, 'too_many_lookups', 'payee_unavailable');
    SET p_result = IF(v_exceeded,
        JSON_OBJECT('retry_after_s', GREATEST(1, TIMESTAMPDIFF(SECOND, v_now, v_ends_at) + 1)), NULL);
END//
DELIMITER ;

-- Internal. What a caller is answered whose payment or hold was rolled back; a refusal for a payee's sake is counted first.
DROP PROCEDURE IF EXISTS answer_payer;
DELIMITER //
CREATE PROCEDURE answer_payer(
    IN p_actor_id BINARY(16),
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_code VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT p_outcome;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT p_result;

    IF v_code = 'payee_unavailable' THEN
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        START TRANSACTION;
        CALL count_failed_lookup(p_actor_id, v_code, v_result);
        COMMIT;
    END IF;
    IF v_code IN ('payee_unavailable', 'too_many_lookups') THEN
        SELECT IF(v_code = 'too_many_lookups', 'too_many_attempts', 'payee_not_found') AS outcome,
               JSON_SET(COALESCE(v_result, '{}'), '$.code', v_code) AS result;
    ELSE
        SELECT v_code AS outcome, v_result AS result;
    END IF;
END//
DELIMITER ;

-- Internal. A refusal for a limit of which nothing is left, and which time does not bring back.
DROP PROCEDURE IF EXISTS tell_limit;
DELIMITER //
CREATE PROCEDURE tell_limit(
    IN p_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
NO SQL
BEGIN
    SET p_outcome = 'wallet_limit_exceeded';
    SET p_result = JSON_OBJECT('limit', p_limit, 'left', 0,
                               'at', DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%f'));
END//
DELIMITER ;

-- Internal. Which limit of its tier a debit would break, if any: its own size, the day's sum, the month's, or that the tier
-- may not pay people. Of several it is the one of which the least is left. `p_result` tells of it: its name, what is left
-- of it in minor units, and the moment that this was so.
DROP PROCEDURE IF EXISTS check_debit_limits;
DELIMITER //
CREATE PROCEDURE check_debit_limits(
    IN p_wallet_id BINARY(16),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_to_person BOOLEAN,
    IN p_at DATETIME(6),
    OUT p_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
READS SQL DATA
BEGIN
    DECLARE v_payment, v_day, v_month, v_left BIGINT DEFAULT NULL;
    DECLARE v_person_to_person BOOLEAN DEFAULT NULL;

    -- a sum of another Indian day or month than that of the moment is nothing (see periods_of)
    SELECT l.max_payment,
           l.max_debit_day - IF(w.usage_day = DATE(p_at + INTERVAL 330 MINUTE), w.debited_day, 0),
           l.max_debit_month - IF(w.usage_month = DATE(p_at + INTERVAL 330 MINUTE)
               - INTERVAL (DAYOFMONTH(p_at + INTERVAL 330 MINUTE) - 1) DAY, w.debited_month, 0),
           l.person_to_person
    INTO v_payment, v_day, v_month, v_person_to_person
    FROM tier_limits l JOIN wallets w ON w.id = p_wallet_id
    WHERE l.tier = p_tier AND l.valid_from <= p_at ORDER BY l.valid_from DESC LIMIT 1;
    IF v_person_to_person IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a tier needs limits that are in force';
    END IF;
    SET v_left = LEAST(COALESCE(v_payment, p_amount), COALESCE(v_month, p_amount), COALESCE(v_day, p_amount));
    IF p_amount > v_left THEN
        -- what lapsed holds held counts no more, though nobody may have written that down yet
        SELECT v_day + COALESCE(SUM(IF(DATE(h.created_at + INTERVAL 330 MINUTE) = DATE(p_at + INTERVAL 330 MINUTE),
                                       h.amount - h.captured, 0)), 0),
               v_month + COALESCE(SUM(IF(EXTRACT(YEAR_MONTH FROM h.created_at + INTERVAL 330 MINUTE)
                                         = EXTRACT(YEAR_MONTH FROM p_at + INTERVAL 330 MINUTE),
                                         h.amount - h.captured, 0)), 0)
        INTO v_day, v_month
        FROM holds h FORCE INDEX (holds_of_payer)
        WHERE h.payer_wallet_id = p_wallet_id AND h.status = 'placed' AND h.expires_at <= UTC_TIMESTAMP(6);
        SET v_left = LEAST(COALESCE(v_payment, p_amount), COALESCE(v_month, p_amount), COALESCE(v_day, p_amount));
    END IF;
    IF p_amount > v_left THEN
        SET p_limit = CASE v_left
            WHEN v_payment THEN 'max_payment' WHEN v_month THEN 'max_debit_month' ELSE 'max_debit_day' END;
    ELSEIF p_to_person AND NOT v_person_to_person THEN
        SET p_limit = 'person_to_person';
        SET v_left = 0;
    END IF;
    IF p_limit IS NOT NULL THEN
        -- "+ 0": MariaDB's JSON_OBJECT shows a bare integer variable as a string
        SET p_result = JSON_OBJECT('limit', p_limit, 'left', GREATEST(v_left, 0) + 0,
                                   'at', DATE_FORMAT(p_at, '%Y-%m-%dT%H:%i:%s.%f'));
    END IF;
END//
DELIMITER ;

-- Internal. Which limit of its tier keeps a wallet from a credit that was refused for one, told as above.
DROP PROCEDURE IF EXISTS tell_credit_limit;
DELIMITER //
CREATE PROCEDURE tell_credit_limit(
    IN p_wallet_id BINARY(16),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_total BIGINT,
    IN p_amount BIGINT,
    IN p_is_load BOOLEAN,
    IN p_at DATETIME(6),
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
READS SQL DATA
BEGIN
    DECLARE v_balance, v_month_left, v_year_left, v_left BIGINT DEFAULT NULL;
    DECLARE v_day, v_month, v_year DATE DEFAULT NULL;

    CALL periods_of(p_at, v_day, v_month, v_year);
    SELECT l.max_balance - p_total,
           IF(p_is_load, l.max_load_month - IF(w.usage_month = v_month, w.loaded_month, 0), NULL),
           IF(p_is_load, l.max_load_year - IF(w.usage_year = v_year, w.loaded_year, 0), NULL)
    INTO v_balance, v_month_left, v_year_left
    FROM tier_limits l JOIN wallets w ON w.id = p_wallet_id
    WHERE l.tier = p_tier AND l.valid_from <= p_at ORDER BY l.valid_from DESC LIMIT 1;
    SET v_left = LEAST(COALESCE(v_balance, p_amount), COALESCE(v_year_left, p_amount), COALESCE(v_month_left, p_amount));
    SET p_result = JSON_OBJECT(
        'limit', CASE v_left
            WHEN v_balance THEN 'max_balance' WHEN v_year_left THEN 'max_load_year' ELSE 'max_load_month' END,
        'left', GREATEST(v_left, 0) + 0, 'at', DATE_FORMAT(p_at, '%Y-%m-%dT%H:%i:%s.%f'));
END//
DELIMITER ;

-- Internal. Who pays, and whether that is refused already for a reason of their own, before the payee is looked at and
-- before any lock: a moment later it is asked again, under the locks, of who gets that far. One statement for who does;
-- holds that have lapsed and a hot wallet's slots are summed for who has too little without them.
DROP PROCEDURE IF EXISTS check_payer;
DELIMITER //
CREATE PROCEDURE check_payer(
    IN p_actor_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_payer_id BINARY(16),
    OUT p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_person_to_person BOOLEAN
)
READS SQL DATA
BEGIN
    DECLARE v_phone, v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_is_covered, v_is_over, v_is_exhausted BOOLEAN DEFAULT NULL;
    DECLARE v_now, v_ends_at DATETIME(6) DEFAULT NULL;

    SELECT own.id, u.name, u.phone, own.status, own.tier, l.person_to_person, own.now,
           IF(p_amount <= own.available, TRUE, p_amount <= own.available
               + COALESCE((SELECT SUM(h.amount - h.captured) FROM holds h FORCE INDEX (holds_of_payer)
                           WHERE h.payer_wallet_id = own.id AND h.status = 'placed'
                             AND h.expires_at <= UTC_TIMESTAMP(6)), 0)
               + COALESCE((SELECT SUM(s.balance) FROM wallet_slots s WHERE s.wallet_id = own.id), 0)),
           COALESCE(p_amount > LEAST(
               COALESCE(l.max_payment, p_amount),
               COALESCE(l.max_debit_day - IF(own.usage_day = own.today, own.debited_day, 0), p_amount),
               COALESCE(l.max_debit_month - IF(
                   own.usage_month = own.today - INTERVAL (DAYOFMONTH(own.today) - 1) DAY, own.debited_month, 0),
                   p_amount)), FALSE),
           COALESCE(q.failed >= q.allowed AND q.window_ends_at > UTC_TIMESTAMP(6), FALSE), q.window_ends_at
    INTO p_payer_id, p_name, v_phone, v_status, v_tier, p_person_to_person, v_now, v_is_covered, v_is_over,
         v_is_exhausted, v_ends_at
    FROM (
        SELECT w.*, w.balance - w.held AS available,
               GREATEST(UTC_TIMESTAMP(6), w.last_entry_at + INTERVAL 1 MICROSECOND) AS now,
               DATE(GREATEST(UTC_TIMESTAMP(6), w.last_entry_at + INTERVAL 1 MICROSECOND) + INTERVAL 330 MINUTE) AS today
        FROM wallets w WHERE w.user_id = p_actor_id
    ) own
    JOIN users u ON u.id = own.user_id
    LEFT JOIN tier_limits l ON l.tier = own.tier AND l.valid_from = (
        SELECT MAX(f.valid_from) FROM tier_limits f WHERE f.tier = own.tier AND f.valid_from <= own.now)
    LEFT JOIN payee_lookups q ON q.user_id = own.user_id;

    IF p_payer_id IS NULL THEN
        SET p_outcome = 'invalid_token';
    ELSEIF p_payee_wallet_id = p_payer_id OR p_payee_phone = v_phone THEN
        SET p_outcome = 'self_payment';
    ELSEIF v_status <> 'active' THEN
        SET p_outcome = 'wallet_frozen';
    ELSEIF NOT v_is_covered THEN
        SET p_outcome = 'insufficient_funds';
    ELSE
        IF v_is_over THEN
            CALL check_debit_limits(p_payer_id, v_tier, p_amount, FALSE, v_now, v_limit, p_result);
        END IF;
        IF v_limit IS NOT NULL THEN
            SET p_outcome = 'wallet_limit_exceeded';
        ELSEIF v_is_exhausted THEN
            SET p_outcome = 'too_many_lookups';
            SET p_result = JSON_OBJECT(
                'retry_after_s', GREATEST(1, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), v_ends_at) + 1));
        END IF;
    END IF;
END//
DELIMITER ;

-- Internal. The wallet that a payee is named by, of those that anybody can be paid in: a closed one is as none. `p_kind` is
-- 'merchant' only with a tier for merchants: what people say of themselves lifts no limit.
DROP PROCEDURE IF EXISTS find_payee;
DELIMITER //
CREATE PROCEDURE find_payee(
    IN p_wallet_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_payee_id BINARY(16),
    OUT p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
)
READS SQL DATA
BEGIN
    IF p_phone IS NOT NULL THEN
        SELECT w.id, u.name, IF(t.for_merchants, u.kind, 'personal') INTO p_payee_id, p_name, p_kind
        FROM users u JOIN wallets w ON w.user_id = u.id JOIN tiers t ON t.code = w.tier
        WHERE u.phone = p_phone AND w.status <> 'closed';
    ELSE
        SELECT w.id, u.name, IF(t.for_merchants, u.kind, 'personal') INTO p_payee_id, p_name, p_kind
        FROM wallets w JOIN users u ON u.id = w.user_id JOIN tiers t ON t.code = w.tier
        WHERE w.id = p_wallet_id AND w.status <> 'closed';
    END IF;
END//
DELIMITER ;

-- Internal. A payment from the actor's wallet to another, named by its id or by its owner's phone, inside the caller's
-- atomic block: 'done', or the code of a refusal, and then it is the caller who rolls back what this has done. The payer's
-- own reasons come first, without a lock and again under it; whatever is the payee's is 'payee_unavailable'.
DROP PROCEDURE IF EXISTS pay;
DELIMITER //
CREATE PROCEDURE pay(
    IN p_actor_id BINARY(16),
    IN p_transaction_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reference VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_payer_name, v_payee_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payee_kind, v_payer_status, v_payee_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_payer_tier, v_payee_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_reason, v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_balance, v_held, v_payee_balance, v_fee BIGINT DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_person_to_person BOOLEAN DEFAULT FALSE;
    DECLARE v_payer_last, v_payee_last, v_now DATETIME(6) DEFAULT NULL;

    CALL check_payer(p_actor_id, p_payee_wallet_id, p_payee_phone, p_amount, p_outcome, p_result, v_payer_id,
                     v_payer_name, v_person_to_person);
    IF p_outcome IS NULL THEN
        CALL find_payee(p_payee_wallet_id, p_payee_phone, v_payee_id, v_payee_name, v_payee_kind);
        IF COALESCE(v_payee_kind, 'personal') = 'personal' AND NOT v_person_to_person THEN
            -- whether or not there is such a person
            CALL tell_limit('person_to_person', p_outcome, p_result);
        ELSEIF v_payee_id IS NULL THEN
            SET p_outcome = 'payee_unavailable';
        END IF;
    END IF;

    IF p_outcome IS NULL THEN
        -- one lock order for everybody, or two people who pay each other would deadlock
        IF v_payer_id < v_payee_id THEN
            CALL lock_debit(v_payer_id, p_amount, p_transaction_id, v_payer_status, v_payer_tier, v_balance, v_held,
                            v_payer_last);
        END IF;
        CALL lock_credit(v_payee_id, v_payee_kind = 'merchant', v_slot, v_payee_status, v_payee_tier, v_payee_balance,
                         v_payee_last);
        IF v_payer_id > v_payee_id THEN
            CALL lock_debit(v_payer_id, p_amount, p_transaction_id, v_payer_status, v_payer_tier, v_balance, v_held,
                            v_payer_last);
        END IF;
        -- a wallet's time never runs backwards, and no two of its entries have the same
        SET v_now = GREATEST(
            UTC_TIMESTAMP(6), v_payer_last + INTERVAL 1 MICROSECOND, v_payee_last + INTERVAL 1 MICROSECOND);

        IF v_payer_status <> 'active' THEN
            SET p_outcome = 'wallet_frozen';
        ELSEIF p_amount > v_balance - v_held THEN
            SET p_outcome = 'insufficient_funds';
        ELSE
            CALL check_debit_limits(v_payer_id, v_payer_tier, p_amount, v_payee_kind = 'personal', v_now, v_limit,
                                    p_result);
            CALL refuse_credit(v_payee_id, v_payee_tier, v_payee_balance, p_amount, v_payee_kind = 'personal', v_now,
                               v_reason);
            IF v_limit IS NOT NULL THEN
                SET p_outcome = 'wallet_limit_exceeded';
            ELSEIF v_payee_status <> 'active' OR v_reason IS NOT NULL THEN
                SET p_outcome = 'payee_unavailable';
            END IF;
        END IF;
    END IF;

    IF p_outcome IS NULL THEN
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, reference, created_at)
        VALUES (p_transaction_id, 'payment', p_amount, 'INR', p_actor_id, p_description, p_reference, v_now);
        CALL post_entry(p_transaction_id, v_payer_id, 0, v_payee_id, v_slot, p_amount, v_now);
        CALL count_debit(v_payer_id, p_amount, v_now);
        IF v_payee_kind = 'merchant' THEN
            CALL charge_payee(p_transaction_id, v_payee_id, v_slot, p_amount, v_now, v_fee);
        ELSE
            CALL count_load(v_payee_id, p_amount, v_now);
        END IF;
        CALL note_event(v_payer_id, v_payee_id, 'PaymentCompleted', JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'payer_wallet_id', LOWER(HEX(v_payer_id)),
            'payee_wallet_id', LOWER(HEX(v_payee_id)), 'amount', p_amount + 0, 'currency', 'INR',
            'description', p_description, 'reference', p_reference, 'fee', COALESCE(v_fee, 0)), v_now);
        -- "+ 0": MariaDB's JSON_OBJECT shows a bare integer variable as a string
        SET p_result = JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'amount', p_amount + 0, 'currency', 'INR',
            'payer_wallet_id', LOWER(HEX(v_payer_id)), 'payer_name', v_payer_name,
            'payee_wallet_id', LOWER(HEX(v_payee_id)), 'payee_name', v_payee_name,
            'description', p_description, 'reference', p_reference,
            'balance', v_balance - p_amount, 'held', v_held + 0,
            'created_at', DATE_FORMAT(v_now, '%Y-%m-%dT%H:%i:%s.%f'));
        SET p_outcome = 'done';
    END IF;
END//
DELIMITER ;

-- A payment that somebody asks for.
DROP PROCEDURE IF EXISTS post_payment;
DELIMITER //
CREATE PROCEDURE post_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_transaction_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reference VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL pay(p_actor_id, p_transaction_id, p_payee_wallet_id, p_payee_phone, p_amount, p_description, p_reference,
                 v_outcome, v_result);
    END IF;
    IF v_outcome = 'done' THEN
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SELECT v_outcome AS outcome, v_result AS result;
    ELSE
        ROLLBACK;
        CALL answer_payer(p_actor_id, v_outcome, v_result);
    END IF;
END//
DELIMITER ;

-- Promises a part of the actor's wallet to another: it stays there and is no longer available. The payer's limits are
-- checked and counted now, for the capture is the payee's to ask for; of the payee nothing matters but that there is such a
-- wallet: whether it may take the money is the capture's to say, and the payee's to hear. A payer has 1,000 holds at most:
-- whoever debits a wallet ends all that have lapsed, and may be holding the lock of a shop that everybody pays meanwhile.
DROP PROCEDURE IF EXISTS place_hold;
DELIMITER //
CREATE PROCEDURE place_hold(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_hold_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_valid_seconds INT UNSIGNED,
    IN p_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_payer_name, v_payee_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payee_kind, v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_balance, v_held, v_placed BIGINT DEFAULT NULL;
    DECLARE v_person_to_person BOOLEAN DEFAULT FALSE;
    DECLARE v_last, v_now, v_expires_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SET v_outcome = NULL;
        CALL check_payer(p_actor_id, p_payee_wallet_id, p_payee_phone, p_amount, v_outcome, v_result, v_payer_id,
                         v_payer_name, v_person_to_person);
    END IF;

    IF v_outcome IS NULL THEN
        CALL lock_debit(v_payer_id, p_amount, p_hold_id, v_status, v_tier, v_balance, v_held, v_last);
        SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last);
        -- of the clock that will end it, which may be behind the wallet's own time
        SET v_expires_at = UTC_TIMESTAMP(6) + INTERVAL p_valid_seconds SECOND;
        SELECT COUNT(*) INTO v_placed FROM holds WHERE payer_wallet_id = v_payer_id AND status = 'placed';
        IF v_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF p_amount > v_balance - v_held THEN
            SET v_outcome = 'insufficient_funds';
        ELSE
            CALL check_debit_limits(v_payer_id, v_tier, p_amount, FALSE, v_now, v_limit, v_result);
            IF v_limit IS NOT NULL THEN
                SET v_outcome = 'wallet_limit_exceeded';
            ELSEIF v_placed >= 1000 THEN
                CALL tell_limit('max_placed_holds', v_outcome, v_result);
            END IF;
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        CALL find_payee(p_payee_wallet_id, p_payee_phone, v_payee_id, v_payee_name, v_payee_kind);
        IF COALESCE(v_payee_kind, 'personal') = 'personal' AND NOT v_person_to_person THEN
            -- whether or not there is such a person
            CALL tell_limit('person_to_person', v_outcome, v_result);
        ELSEIF v_payee_id IS NULL THEN
            SET v_outcome = 'payee_unavailable';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        INSERT INTO holds (id, payer_wallet_id, payee_wallet_id, amount, captured, currency, status, description,
                           created_at, expires_at, ended_at)
        VALUES (p_hold_id, v_payer_id, v_payee_id, p_amount, 0, 'INR', 'placed', p_description, v_now,
                v_expires_at, NULL);
        CALL set_aside(v_payer_id, p_amount, 'hold', p_hold_id, v_now);
        CALL count_debit(v_payer_id, p_amount, v_now);
        CALL note_event(v_payer_id, v_payee_id, 'HoldPlaced', JSON_OBJECT(
            'hold_id', LOWER(HEX(p_hold_id)), 'payer_wallet_id', LOWER(HEX(v_payer_id)),
            'payee_wallet_id', LOWER(HEX(v_payee_id)), 'amount', p_amount + 0, 'currency', 'INR',
            'description', p_description,
            'expires_at', DATE_FORMAT(v_expires_at, '%Y-%m-%dT%H:%i:%s.%f')), v_now);
        CALL tell_hold(p_hold_id, NULL, v_result);
        SET v_result = JSON_SET(v_result, '$.balance', v_balance + 0, '$.held', v_held + p_amount);
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SELECT 'done' AS outcome, v_result AS result;
    ELSE
        ROLLBACK;
        CALL answer_payer(p_actor_id, v_outcome, v_result);
    END IF;
END//
DELIMITER ;

-- Takes what was promised, or a part (`p_amount` NULL: all that is left). `p_final` frees what is left behind it, and is
-- what a capture of everything always is. A hold whose time has passed is none, whether or not the sweep has been; and
-- whatever keeps its payer's wallet from paying has the same answer: it is the payer's, and no business of the payee's.
DROP PROCEDURE IF EXISTS capture_hold;
DELIMITER //
CREATE PROCEDURE capture_hold(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_transaction_id BINARY(16),
    IN p_hold_id BINARY(16),
    IN p_amount BIGINT,
    IN p_final BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_kind, v_payer_status, v_payee_status, v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_payer_tier, v_payee_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount, v_left, v_balance, v_held, v_payee_balance, v_fee BIGINT DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_payer_last, v_payee_last, v_expires_at, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SELECT NULL, h.payer_wallet_id, h.payee_wallet_id, IF(t.for_merchants, u.kind, 'personal')
        INTO v_outcome, v_payer_id, v_payee_id, v_kind
        FROM holds h
        JOIN wallets payee ON payee.id = h.payee_wallet_id
        JOIN users u ON u.id = payee.user_id
        JOIN tiers t ON t.code = payee.tier
        WHERE h.id = p_hold_id AND payee.user_id = p_actor_id;
        IF v_payer_id IS NULL THEN
            SET v_outcome = 'not_found';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        -- what is held is in the payer's own row already: nothing is needed beyond it
        IF v_payer_id < v_payee_id THEN
            CALL lock_debit(v_payer_id, 0, p_transaction_id, v_payer_status, v_payer_tier, v_balance, v_held,
                            v_payer_last);
        END IF;
        CALL lock_credit(v_payee_id, v_kind = 'merchant', v_slot, v_payee_status, v_payee_tier, v_payee_balance,
                         v_payee_last);
        IF v_payer_id > v_payee_id THEN
            CALL lock_debit(v_payer_id, 0, p_transaction_id, v_payer_status, v_payer_tier, v_balance, v_held,
                            v_payer_last);
        END IF;
        SELECT status, amount - captured, expires_at INTO v_status, v_left, v_expires_at
        FROM holds WHERE id = p_hold_id FOR UPDATE;
        SET v_amount = COALESCE(p_amount, v_left);
        SET v_now = GREATEST(
            UTC_TIMESTAMP(6), v_payer_last + INTERVAL 1 MICROSECOND, v_payee_last + INTERVAL 1 MICROSECOND);
        CALL refuse_credit(v_payee_id, v_payee_tier, v_payee_balance, v_amount, v_kind = 'personal', v_now, v_reason);
        IF v_status <> 'placed' OR v_expires_at <= UTC_TIMESTAMP(6) OR v_payer_status <> 'active' THEN
            SET v_outcome = 'hold_not_placed';
        ELSEIF v_amount > v_left THEN
            SET v_outcome = 'capture_exceeds_hold';
        ELSEIF v_payee_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF v_reason IS NOT NULL THEN
            SET v_outcome = 'wallet_limit_exceeded';
            CALL tell_credit_limit(v_payee_id, v_payee_tier, v_payee_balance, v_amount, v_kind = 'personal', v_now,
                                   v_result);
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        CALL set_aside(v_payer_id, -v_amount, 'hold', p_hold_id, v_now);
        UPDATE holds SET captured = captured + v_amount WHERE id = p_hold_id;
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, hold_id, created_at)
        SELECT p_transaction_id, 'hold_capture', v_amount, 'INR', p_actor_id, description, p_hold_id, v_now
        FROM holds WHERE id = p_hold_id;
        CALL post_entry(p_transaction_id, v_payer_id, 0, v_payee_id, v_slot, v_amount, v_now);
        IF v_kind = 'merchant' THEN
            CALL charge_payee(p_transaction_id, v_payee_id, v_slot, v_amount, v_now, v_fee);
        ELSE
            CALL count_load(v_payee_id, v_amount, v_now);
        END IF;
        IF p_final OR v_amount = v_left THEN
            CALL end_hold(p_hold_id, 'captured', v_now);
        END IF;
        CALL note_event(v_payer_id, v_payee_id, 'HoldCaptured', JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'hold_id', LOWER(HEX(p_hold_id)),
            'payer_wallet_id', LOWER(HEX(v_payer_id)), 'payee_wallet_id', LOWER(HEX(v_payee_id)),
            'amount', v_amount + 0, 'currency', 'INR', 'fee', COALESCE(v_fee, 0)), v_now);
        CALL tell_hold(p_hold_id, p_transaction_id, v_result);
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SET v_outcome = 'done';
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Pays one row, or finds that it has been paid or refused already. Its payment and what is written here of it are one
-- commit, and the row's lock lets one caller at a time at it. A refusal undoes all that the payment began (holds that
-- were ended, slots that were gathered), and is written down; for a payee's sake it is counted like any other.
DROP PROCEDURE IF EXISTS pay_bulk_row;
DELIMITER //
CREATE PROCEDURE pay_bulk_row(
    IN p_bulk_payment_id BINARY(16),
    IN p_line INT UNSIGNED,
    IN p_transaction_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_refusal, v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_unused TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_actor_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount BIGINT DEFAULT NULL;
    DECLARE v_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_reference VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT user_id INTO v_actor_id FROM bulk_payments WHERE id = p_bulk_payment_id;
    SELECT status, refusal, payee_wallet_id, payee_phone, amount, description, reference
    INTO v_status, v_refusal, v_payee_id, v_phone, v_amount, v_description, v_reference
    FROM bulk_payment_rows WHERE bulk_payment_id = p_bulk_payment_id AND line = p_line FOR UPDATE;

    IF v_status = 'waiting' THEN
        SAVEPOINT before_the_payment;
        CALL pay(v_actor_id, p_transaction_id, v_payee_id, v_phone, v_amount, v_description, v_reference, v_outcome,
                 v_unused);
        IF v_outcome = 'done' THEN
            SET v_status = 'paid';
        ELSE
            ROLLBACK TO SAVEPOINT before_the_payment;
            IF v_outcome = 'payee_unavailable' THEN
                CALL count_failed_lookup(v_actor_id, v_outcome, v_unused);
            END IF;
            SET v_status = 'refused';
            SET v_refusal = v_outcome;
        END IF;
        UPDATE bulk_payment_rows
        SET status = v_status, refusal = v_refusal, transaction_id = IF(v_status = 'paid', p_transaction_id, NULL),
            -- of a paid one the time of its payment, which may be ahead of the clock
            ended_at = IF(v_status = 'paid', (SELECT created_at FROM transactions WHERE id = p_transaction_id),
                          UTC_TIMESTAMP(6))
        WHERE bulk_payment_id = p_bulk_payment_id AND line = p_line;
    END IF;
    COMMIT;
    SELECT IF(v_status IS NULL, 'not_found', 'done') AS outcome,
           JSON_OBJECT('status', v_status, 'refusal', v_refusal) AS result;
END//
DELIMITER ;
