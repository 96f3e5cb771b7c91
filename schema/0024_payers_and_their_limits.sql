-- What a payment asks before its locks, and under them: each thing once, by keys, and a wallet's sums only for a tier that
-- limits them. And whatever refuses for a limit of one's own names it: withdrawals and top-ups as well.
--
-- A form with other parameters has another name, and what it replaces goes at the end: whoever pays while this is applied
-- meets a procedure that is away for a moment, and never one that is half of the old and half of the new.

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
    DECLARE v_payment, v_max_day, v_max_month, v_day, v_month, v_left BIGINT DEFAULT NULL;
    DECLARE v_person_to_person BOOLEAN DEFAULT NULL;
    DECLARE v_today, v_first DATE DEFAULT NULL;

    SELECT max_payment, max_debit_day, max_debit_month, person_to_person
    INTO v_payment, v_max_day, v_max_month, v_person_to_person
    FROM tier_limits WHERE tier = p_tier AND valid_from <= p_at ORDER BY valid_from DESC LIMIT 1;
    IF v_person_to_person IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a tier needs limits that are in force';
    END IF;
    IF COALESCE(v_max_day, v_max_month) IS NOT NULL THEN
        SET v_today = DATE(p_at + INTERVAL 330 MINUTE);
        SET v_first = v_today - INTERVAL (DAYOFMONTH(v_today) - 1) DAY;
        -- a sum of another Indian day or month than that of the moment is nothing (see periods_of)
        SELECT v_max_day - IF(usage_day = v_today, debited_day, 0),
               v_max_month - IF(usage_month = v_first, debited_month, 0)
        INTO v_day, v_month FROM wallets WHERE id = p_wallet_id;
    END IF;
    SET v_left = LEAST(COALESCE(v_payment, p_amount), COALESCE(v_month, p_amount), COALESCE(v_day, p_amount));
    IF p_amount > v_left THEN
        -- What lapsed holds held counts no more, though nobody may have written that down yet; with the sums, as it may
        -- be written down at this moment.
        SELECT v_max_day - IF(w.usage_day = v_today, w.debited_day, 0)
                   + COALESCE(SUM(IF(DATE(h.created_at + INTERVAL 330 MINUTE) = v_today, h.amount - h.captured, 0)), 0),
               v_max_month - IF(w.usage_month = v_first, w.debited_month, 0)
                   + COALESCE(SUM(IF(EXTRACT(YEAR_MONTH FROM h.created_at + INTERVAL 330 MINUTE)
                                     = EXTRACT(YEAR_MONTH FROM v_today), h.amount - h.captured, 0)), 0)
        INTO v_day, v_month
        FROM wallets w
        LEFT JOIN holds h FORCE INDEX (holds_of_payer)
            ON h.payer_wallet_id = w.id AND h.status = 'placed' AND h.expires_at <= UTC_TIMESTAMP(6)
        WHERE w.id = p_wallet_id GROUP BY w.id;
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

-- Internal. Who pays, and why that is refused for a reason of their own, before the payee is looked at and before any
-- lock: NULL if it isn't. What a moment can change is asked again under the locks: status, funds, and the limits if the
-- tier has sums (`p_has_sums`) or is another than `p_tier` by then. Holds that have lapsed and a hot wallet's slots are
-- summed only for who has too little without them.
DROP PROCEDURE IF EXISTS refuse_payer;
DELIMITER //
CREATE PROCEDURE refuse_payer(
    IN p_actor_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_payer_id BINARY(16),
    OUT p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_person_to_person BOOLEAN,
    OUT p_has_sums BOOLEAN
)
READS SQL DATA
BEGIN
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_available, v_left, v_debited_day, v_debited_month BIGINT DEFAULT NULL;
    DECLARE v_is_exhausted BOOLEAN DEFAULT NULL;
    DECLARE v_today, v_usage_day, v_usage_month DATE DEFAULT NULL;
    DECLARE v_now, v_ends_at DATETIME(6) DEFAULT NULL;

    SELECT w.id, u.name, u.phone, w.status, w.tier, w.balance - w.held, w.usage_day, w.debited_day, w.usage_month,
           w.debited_month, GREATEST(UTC_TIMESTAMP(6), w.last_entry_at + INTERVAL 1 MICROSECOND),
           q.failed >= q.allowed AND q.window_ends_at > UTC_TIMESTAMP(6), q.window_ends_at
    INTO p_payer_id, p_name, v_phone, v_status, p_tier, v_available, v_usage_day, v_debited_day, v_usage_month,
         v_debited_month, v_now, v_is_exhausted, v_ends_at
    FROM wallets w JOIN users u ON u.id = w.user_id LEFT JOIN payee_lookups q ON q.user_id = w.user_id
    WHERE w.user_id = p_actor_id;

    IF p_amount > v_available THEN
        -- the balance again: what is swept or gathered between two statements would be in neither
        SELECT w.balance - w.held
            + COALESCE((SELECT SUM(h.amount - h.captured) FROM holds h FORCE INDEX (holds_of_payer)
                        WHERE h.payer_wallet_id = w.id AND h.status = 'placed'
                          AND h.expires_at <= UTC_TIMESTAMP(6)), 0)
            + COALESCE((SELECT SUM(s.balance) FROM wallet_slots s WHERE s.wallet_id = w.id), 0)
        INTO v_available FROM wallets w WHERE w.id = p_payer_id;
    END IF;

    IF p_payer_id IS NULL THEN
        SET p_outcome = 'invalid_token';
    ELSEIF p_payee_wallet_id = p_payer_id OR p_payee_phone = v_phone THEN
        SET p_outcome = 'self_payment';
    ELSEIF v_status <> 'active' THEN
        SET p_outcome = 'wallet_frozen';
    ELSEIF p_amount > v_available THEN
        SET p_outcome = 'insufficient_funds';
    ELSE
        SET v_today = DATE(v_now + INTERVAL 330 MINUTE);
        -- a sum of another Indian day or month than that of the moment is nothing (see periods_of)
        SELECT LEAST(COALESCE(max_payment, p_amount),
                     COALESCE(max_debit_day - IF(v_usage_day = v_today, v_debited_day, 0), p_amount),
                     COALESCE(max_debit_month - IF(
                         v_usage_month = v_today - INTERVAL (DAYOFMONTH(v_today) - 1) DAY, v_debited_month, 0), p_amount)),
               COALESCE(max_debit_day, max_debit_month) IS NOT NULL, person_to_person
        INTO v_left, p_has_sums, p_person_to_person
        FROM tier_limits WHERE tier = p_tier AND valid_from <= v_now ORDER BY valid_from DESC LIMIT 1;
        IF v_left IS NULL THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a tier needs limits that are in force';
        END IF;
        IF p_amount > v_left THEN
            CALL check_debit_limits(p_payer_id, p_tier, p_amount, FALSE, v_now, v_limit, p_result);
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

-- Internal. The wallet that a payee is named by, of those that anybody can be paid in (a closed one is as none), and why a
-- payer who may (`p_person_to_person`) or may not pay people is refused it, before any lock: NULL if it isn't. `p_kind`
-- is 'merchant' only with a tier for merchants: what people say of themselves lifts no limit.
DROP PROCEDURE IF EXISTS refuse_payee;
DELIMITER //
CREATE PROCEDURE refuse_payee(
    IN p_wallet_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_person_to_person BOOLEAN,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
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
    IF NOT p_person_to_person AND COALESCE(p_kind, 'personal') = 'personal' THEN
        -- whether or not there is such a person
        CALL tell_limit('person_to_person', p_outcome, p_result);
    ELSEIF p_payee_id IS NULL THEN
        SET p_outcome = 'payee_unavailable';
    END IF;
END//
DELIMITER ;

-- Internal. Why a wallet can't take a credit: NULL, 'over_balance_limit' or 'over_load_limit'. `p_total` is what it has, and
-- `p_is_load` whether the credit counts as a load of it.
DROP PROCEDURE IF EXISTS refuse_credit;
DELIMITER //
CREATE PROCEDURE refuse_credit(
    IN p_wallet_id BINARY(16),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_total BIGINT,
    IN p_amount BIGINT,
    IN p_is_load BOOLEAN,
    IN p_at DATETIME(6),
    OUT p_reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
)
READS SQL DATA
BEGIN
    DECLARE v_max_balance, v_max_month, v_max_year BIGINT DEFAULT NULL;
    DECLARE v_person_to_person BOOLEAN DEFAULT NULL;
    DECLARE v_day, v_month, v_year DATE DEFAULT NULL;

    SELECT max_balance, max_load_month, max_load_year, person_to_person
    INTO v_max_balance, v_max_month, v_max_year, v_person_to_person
    FROM tier_limits WHERE tier = p_tier AND valid_from <= p_at ORDER BY valid_from DESC LIMIT 1;
    IF v_person_to_person IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a tier needs limits that are in force';
    END IF;
    SET p_reason = IF(p_amount > v_max_balance - p_total, 'over_balance_limit', NULL);
    IF p_reason IS NULL AND p_is_load AND (v_max_month IS NOT NULL OR v_max_year IS NOT NULL) THEN
        CALL periods_of(p_at, v_day, v_month, v_year);
        SELECT IF(COALESCE(IF(usage_month = v_month, loaded_month, 0) + p_amount > v_max_month, FALSE)
                  OR COALESCE(IF(usage_year = v_year, loaded_year, 0) + p_amount > v_max_year, FALSE),
                  'over_load_limit', NULL)
        INTO p_reason FROM wallets WHERE id = p_wallet_id;
    END IF;
END//
DELIMITER ;

-- Counts a debit for the limits. `p_amount` negative gives back what was counted at `p_asked_at` and did not leave
-- after all, as far as that period still runs. The wallet is locked.
DROP PROCEDURE IF EXISTS count_debit;
DELIMITER //
CREATE PROCEDURE count_debit(
    IN p_wallet_id BINARY(16),
    IN p_amount BIGINT,
    IN p_asked_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    -- the Indian day and month of that moment (see periods_of)
    DECLARE v_day DATE DEFAULT DATE(p_asked_at + INTERVAL 330 MINUTE);
    DECLARE v_month DATE DEFAULT v_day - INTERVAL (DAYOFMONTH(v_day) - 1) DAY;

    IF p_amount > 0 THEN
        UPDATE wallets
        SET debited_day = IF(usage_day = v_day, debited_day, 0) + p_amount,
            debited_month = IF(usage_month = v_month, debited_month, 0) + p_amount,
            loaded_month = IF(usage_month = v_month, loaded_month, 0),
            usage_day = v_day,
            usage_month = v_month
        WHERE id = p_wallet_id;
    ELSE
        UPDATE wallets
        SET debited_day = debited_day + IF(usage_day = v_day, p_amount, 0),
            debited_month = debited_month + IF(usage_month = v_month, p_amount, 0)
        WHERE id = p_wallet_id;
    END IF;
END//
DELIMITER ;

-- Counts a load for the limits. The wallet is locked.
DROP PROCEDURE IF EXISTS count_load;
DELIMITER //
CREATE PROCEDURE count_load(IN p_wallet_id BINARY(16), IN p_amount BIGINT, IN p_at DATETIME(6))
MODIFIES SQL DATA
BEGIN
    -- the Indian month and year of that moment (see periods_of)
    DECLARE v_day DATE DEFAULT DATE(p_at + INTERVAL 330 MINUTE);
    DECLARE v_month DATE DEFAULT v_day - INTERVAL (DAYOFMONTH(v_day) - 1) DAY;
    DECLARE v_year DATE DEFAULT CAST(CONCAT(YEAR(v_day) - (MONTH(v_day) < 4), '-04-01') AS DATE);

    UPDATE wallets
    SET loaded_month = IF(usage_month = v_month, loaded_month, 0) + p_amount,
        debited_month = IF(usage_month = v_month, debited_month, 0),
        loaded_year = IF(usage_year = v_year, loaded_year, 0) + p_amount,
        usage_month = v_month,
        usage_year = v_year
    WHERE id = p_wallet_id;
END//
DELIMITER ;

-- Moves `p_amount` from one account to another under a transaction that the caller has just inserted: each balance, and
-- a posting with the balance behind it. Slots are 0 but for the credits of a hot wallet. The caller holds the locks of
-- the wallets (or of the slots); a posting that would overdraw breaks a CHECK and everything.
DROP PROCEDURE IF EXISTS post_entry;
DELIMITER //
CREATE PROCEDURE post_entry(
    IN p_transaction_id BINARY(16),
    IN p_debit_account_id BINARY(16),
    IN p_debit_slot TINYINT UNSIGNED,
    IN p_credit_account_id BINARY(16),
    IN p_credit_slot TINYINT UNSIGNED,
    IN p_amount BIGINT,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    IF p_debit_slot = 0 THEN
        UPDATE wallets SET balance = balance - p_amount, entries = entries + 1, last_entry_at = p_at
        WHERE id = p_debit_account_id;
        INSERT INTO postings
            (transaction_id, line, account_id, slot, side, amount, entry_no, balance_after, created_at)
        SELECT p_transaction_id, 1, a.id, 0, 'debit', p_amount, w.entries, w.balance, p_at
        FROM accounts a LEFT JOIN wallets w ON w.id = a.id WHERE a.id = p_debit_account_id;
    ELSE
        UPDATE wallet_slots SET balance = balance - p_amount, entries = entries + 1, last_entry_at = p_at
        WHERE wallet_id = p_debit_account_id AND slot = p_debit_slot;
        INSERT INTO postings
            (transaction_id, line, account_id, slot, side, amount, entry_no, balance_after, created_at)
        SELECT p_transaction_id, 1, wallet_id, slot, 'debit', p_amount, entries, balance, p_at
        FROM wallet_slots WHERE wallet_id = p_debit_account_id AND slot = p_debit_slot;
    END IF;
    IF ROW_COUNT() <> 1 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an entry needs two accounts that exist';
    END IF;

    IF p_credit_slot = 0 THEN
        UPDATE wallets SET balance = balance + p_amount, entries = entries + 1, last_entry_at = p_at
        WHERE id = p_credit_account_id;
        INSERT INTO postings
            (transaction_id, line, account_id, slot, side, amount, entry_no, balance_after, created_at)
        SELECT p_transaction_id, 2, a.id, 0, 'credit', p_amount, w.entries, w.balance, p_at
        FROM accounts a LEFT JOIN wallets w ON w.id = a.id WHERE a.id = p_credit_account_id;
    ELSE
        UPDATE wallet_slots SET balance = balance + p_amount, entries = entries + 1, last_entry_at = p_at
        WHERE wallet_id = p_credit_account_id AND slot = p_credit_slot;
        INSERT INTO postings
            (transaction_id, line, account_id, slot, side, amount, entry_no, balance_after, created_at)
        SELECT p_transaction_id, 2, wallet_id, slot, 'credit', p_amount, entries, balance, p_at
        FROM wallet_slots WHERE wallet_id = p_credit_account_id AND slot = p_credit_slot;
    END IF;
    IF ROW_COUNT() <> 1 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an entry needs two accounts that exist';
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
    DECLARE v_asked_tier, v_payer_tier, v_payee_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_reason, v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_balance, v_held, v_payee_balance, v_fee BIGINT DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_person_to_person, v_has_sums BOOLEAN DEFAULT FALSE;
    DECLARE v_payer_last, v_payee_last, v_now DATETIME(6) DEFAULT NULL;

    CALL refuse_payer(p_actor_id, p_payee_wallet_id, p_payee_phone, p_amount, p_outcome, p_result, v_payer_id,
                      v_payer_name, v_asked_tier, v_person_to_person, v_has_sums);
    IF p_outcome IS NULL THEN
        CALL refuse_payee(p_payee_wallet_id, p_payee_phone, v_person_to_person, p_outcome, p_result, v_payee_id,
                          v_payee_name, v_payee_kind);
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
            -- else what was asked before the lock still holds
            IF v_has_sums OR v_payer_tier <> v_asked_tier THEN
                CALL check_debit_limits(v_payer_id, v_payer_tier, p_amount, v_payee_kind = 'personal', v_now, v_limit,
                                        p_result);
            END IF;
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
    DECLARE v_asked_tier, v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_balance, v_held, v_placed BIGINT DEFAULT NULL;
    DECLARE v_person_to_person, v_has_sums BOOLEAN DEFAULT FALSE;
    DECLARE v_last, v_now, v_expires_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SET v_outcome = NULL;
        CALL refuse_payer(p_actor_id, p_payee_wallet_id, p_payee_phone, p_amount, v_outcome, v_result, v_payer_id,
                          v_payer_name, v_asked_tier, v_person_to_person, v_has_sums);
    END IF;
    IF v_outcome IS NULL THEN
        CALL refuse_payee(p_payee_wallet_id, p_payee_phone, v_person_to_person, v_outcome, v_result, v_payee_id,
                          v_payee_name, v_payee_kind);
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
            IF v_has_sums OR v_tier <> v_asked_tier THEN
                CALL check_debit_limits(v_payer_id, v_tier, p_amount, v_payee_kind = 'personal', v_now, v_limit,
                                        v_result);
            END IF;
            IF v_limit IS NOT NULL THEN
                SET v_outcome = 'wallet_limit_exceeded';
            ELSEIF v_placed >= 1000 THEN
                CALL tell_limit('max_placed_holds', v_outcome, v_result);
            END IF;
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
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_is_allowed BOOLEAN DEFAULT NULL;
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
        IF v_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF p_amount < 100 THEN
            SET v_outcome = 'amount_out_of_range';
        ELSEIF p_amount + v_fee > v_total - v_held THEN
            SET v_outcome = 'insufficient_funds';
        ELSE
            CALL check_debit_limits(v_wallet_id, v_tier, p_amount, FALSE, v_now, v_limit, v_result);
            SELECT withdrawals INTO v_is_allowed
            FROM tier_limits WHERE tier = v_tier AND valid_from <= v_now ORDER BY valid_from DESC LIMIT 1;
            IF v_limit IS NOT NULL THEN
                SET v_outcome = 'wallet_limit_exceeded';
            ELSEIF NOT v_is_allowed THEN
                CALL tell_limit('withdrawals', v_outcome, v_result);
            END IF;
        END IF;
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

-- Opens an attempt to top up the actor's wallet: our row comes before the gateway's order, so that no order is ever
-- made that we don't know of. A replay answers the attempt as it stands, so that a lost order is made again. A wallet has
-- 50 attempts at most that are open: each costs the reconciler its time. Two at once may get past the count by one: it is
-- no money, and a lock on the wallet would be.
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
    DECLARE v_open INT DEFAULT 0;
    DECLARE v_first_over DATETIME(6) DEFAULT NULL;
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
            -- ids begin with their time: those of attempts that may be open are the last of the wallet's
            SELECT COUNT(*), MIN(expires_at) INTO v_open, v_first_over
            FROM payment_attempts
            WHERE wallet_id = v_wallet_id AND status IN ('created', 'pending', 'failed') AND expires_at > v_now
              AND id > UNHEX(RPAD(LPAD(HEX(CAST((UNIX_TIMESTAMP() - p_valid_seconds - 3600) * 1000 AS UNSIGNED)), 12, '0'),
                                  32, '0'));
            IF v_open >= 50 THEN
                SET v_outcome = 'too_many_open_top_ups';
                SET v_result = JSON_OBJECT(
                    'retry_after_s', GREATEST(1, TIMESTAMPDIFF(SECOND, v_now, v_first_over)));
            ELSEIF p_amount < 100 OR p_amount > v_max_top_up THEN
                SET v_outcome = 'amount_out_of_range';
            ELSEIF v_reason IS NOT NULL THEN
                SET v_outcome = 'wallet_limit_exceeded';
                CALL tell_credit_limit(v_wallet_id, v_tier, v_balance, p_amount, TRUE, v_now, v_result);
            ELSE
                SET v_outcome = 'done';
            END IF;
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
        SELECT v_outcome AS outcome, v_result AS result;
    END IF;
END//
DELIMITER ;

-- What nothing calls any more.
DROP PROCEDURE IF EXISTS check_payer;
DROP PROCEDURE IF EXISTS find_payee;
DROP PROCEDURE IF EXISTS refuse_debit;
DROP PROCEDURE IF EXISTS post_line;
DROP VIEW IF EXISTS disputed_payments;
