-- The posting kernel: the parts that every movement is made of. Nothing but post_line writes a balance or a posting.
-- Only the movements' own procedures may be called by the functions' database users; these here are internal, run inside
-- the caller's atomic block, and neither open nor end one.
--
-- Each movement answers one row: `outcome` ('done', 'replayed', 'try_again' or the code of a refusal) and `result`
-- (JSON text; NULL unless done or replayed). A refusal rolls everything back, the key included.
-- Locks are always taken in this order: idempotency record; the outside row (payment attempt, withdrawal, refund to
-- source); wallets by id, and of each wallet its own row before its slots; holds of a locked wallet.

-- Claims a key. The unique key is the mutex: a second caller waits here until the first has committed or rolled back.
DROP PROCEDURE IF EXISTS claim_idempotency_key;
DELIMITER //
CREATE PROCEDURE claim_idempotency_key(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_taken BOOLEAN DEFAULT FALSE;
    DECLARE v_request_hash BINARY(32) DEFAULT NULL;

    SET p_outcome = 'claimed';
    SET p_result = NULL;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_taken = TRUE;
        INSERT INTO idempotency_records (actor_id, idem_key, request_hash, result, created_at)
        VALUES (p_actor_id, p_key, p_request_hash, NULL, UTC_TIMESTAMP(6));
    END;
    IF v_taken THEN
        SELECT request_hash, result INTO v_request_hash, p_result
        FROM idempotency_records WHERE actor_id = p_actor_id AND idem_key = p_key;
        IF v_request_hash IS NULL THEN
            SET p_outcome = 'try_again'; -- the one that had claimed it has just rolled back
        ELSEIF v_request_hash <> p_request_hash THEN
            SET p_outcome = 'idempotency_key_reused';
            SET p_result = NULL;
        ELSE
            SET p_outcome = 'replayed';
        END IF;
    END IF;
END//
DELIMITER ;

-- A second id for the same commit: of the same moment, and the same each time it is derived.
DROP PROCEDURE IF EXISTS derive_id;
DELIMITER //
CREATE PROCEDURE derive_id(
    IN p_id BINARY(16),
    IN p_word VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_derived BINARY(16)
)
NO SQL
BEGIN
    DECLARE v_digest CHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT
        LEFT(SHA2(CONCAT(HEX(p_id), ':', p_word), 256), 32);
    SET p_derived = UNHEX(
        CONCAT(LEFT(HEX(p_id), 12), '7', SUBSTRING(v_digest, 1, 3), '8', SUBSTRING(v_digest, 4, 15)));
END//
DELIMITER ;

-- One line of a transaction: moves the balance, and writes the posting with the balance behind it. The caller holds the
-- wallet's (or the slot's) lock; a posting that would overdraw breaks a CHECK and everything.
DROP PROCEDURE IF EXISTS post_line;
DELIMITER //
CREATE PROCEDURE post_line(
    IN p_transaction_id BINARY(16),
    IN p_line TINYINT UNSIGNED,
    IN p_account_id BINARY(16),
    IN p_slot TINYINT UNSIGNED,
    IN p_side VARCHAR(6) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_change BIGINT DEFAULT IF(p_side = 'credit', p_amount, -p_amount);

    IF p_slot = 0 THEN
        UPDATE wallets SET balance = balance + v_change, entries = entries + 1, last_entry_at = p_at
        WHERE id = p_account_id;
        INSERT INTO postings
            (transaction_id, line, account_id, slot, side, amount, entry_no, balance_after, created_at)
        SELECT p_transaction_id, p_line, a.id, 0, p_side, p_amount, w.entries, w.balance, p_at
        FROM accounts a LEFT JOIN wallets w ON w.id = a.id WHERE a.id = p_account_id;
    ELSE
        UPDATE wallet_slots SET balance = balance + v_change, entries = entries + 1, last_entry_at = p_at
        WHERE wallet_id = p_account_id AND slot = p_slot;
        INSERT INTO postings
            (transaction_id, line, account_id, slot, side, amount, entry_no, balance_after, created_at)
        SELECT p_transaction_id, p_line, s.wallet_id, s.slot, p_side, p_amount, s.entries, s.balance, p_at
        FROM wallet_slots s WHERE s.wallet_id = p_account_id AND s.slot = p_slot;
    END IF;
    IF ROW_COUNT() <> 1 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an entry needs two accounts that exist';
    END IF;
END//
DELIMITER ;

-- Moves `p_amount` from one account to another under a transaction that the caller has just inserted. Slots are 0 but
-- for the credits of a hot wallet.
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
    CALL post_line(p_transaction_id, 1, p_debit_account_id, p_debit_slot, 'debit', p_amount, p_at);
    CALL post_line(p_transaction_id, 2, p_credit_account_id, p_credit_slot, 'credit', p_amount, p_at);
END//
DELIMITER ;

-- Changes what a wallet holds (`p_amount` negative: gives free), and writes that down. Give free before you debit: what
-- is held is always covered. The caller holds the wallet's lock.
DROP PROCEDURE IF EXISTS set_aside;
DELIMITER //
CREATE PROCEDURE set_aside(
    IN p_wallet_id BINARY(16),
    IN p_amount BIGINT,
    IN p_cause VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_cause_id BINARY(16),
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    -- a wallet's time never runs backwards, here neither, or a clock that is set back could begin a day a second time
    UPDATE wallets
    SET held = held + p_amount, held_changes = held_changes + 1, last_entry_at = GREATEST(last_entry_at, p_at)
    WHERE id = p_wallet_id;
    INSERT INTO held_changes (wallet_id, change_no, amount, held_after, cause, cause_id, created_at)
    SELECT id, held_changes, p_amount, held, p_cause, p_cause_id, last_entry_at FROM wallets WHERE id = p_wallet_id;
END//
DELIMITER ;

-- Writes a domain event, in the commit of what it tells. Called under the lock of the wallet, so that its events are
-- numbered in their order.
DROP PROCEDURE IF EXISTS note_event;
DELIMITER //
CREATE PROCEDURE note_event(
    IN p_wallet_id BINARY(16),
    IN p_other_wallet_id BINARY(16),
    IN p_type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_detail TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    INSERT INTO outbox (wallet_id, other_wallet_id, type, detail, created_at)
    VALUES (p_wallet_id, p_other_wallet_id, p_type, p_detail, p_at);
END//
DELIMITER ;

-- The limits of a tier that are in force at a moment.
DROP PROCEDURE IF EXISTS limits_of;
DELIMITER //
CREATE PROCEDURE limits_of(
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6),
    OUT p_max_balance BIGINT,
    OUT p_max_top_up BIGINT,
    OUT p_max_payment BIGINT,
    OUT p_max_load_month BIGINT,
    OUT p_max_load_year BIGINT,
    OUT p_max_debit_day BIGINT,
    OUT p_max_debit_month BIGINT,
    OUT p_person_to_person BOOLEAN,
    OUT p_withdrawals BOOLEAN
)
READS SQL DATA
BEGIN
    SELECT max_balance, max_top_up, max_payment, max_load_month, max_load_year, max_debit_day, max_debit_month,
           person_to_person, withdrawals
    INTO p_max_balance, p_max_top_up, p_max_payment, p_max_load_month, p_max_load_year, p_max_debit_day,
         p_max_debit_month, p_person_to_person, p_withdrawals
    FROM tier_limits WHERE tier = p_tier AND valid_from <= p_at ORDER BY valid_from DESC LIMIT 1;
    IF p_person_to_person IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a tier needs limits that are in force';
    END IF;
END//
DELIMITER ;

-- The Indian day, the first day of the month, and the 1st of April of the financial year that a moment is in. India has
-- one zone and no summer time, so no server needs time zone tables for it.
DROP PROCEDURE IF EXISTS periods_of;
DELIMITER //
CREATE PROCEDURE periods_of(IN p_at DATETIME(6), OUT p_day DATE, OUT p_month DATE, OUT p_year DATE)
NO SQL
BEGIN
    SET p_day = DATE(p_at + INTERVAL 330 MINUTE);
    SET p_month = p_day - INTERVAL (DAYOFMONTH(p_day) - 1) DAY;
    SET p_year = CAST(CONCAT(YEAR(p_day) - (MONTH(p_day) < 4), '-04-01') AS DATE);
END//
DELIMITER ;

-- Whether a debit would break a limit of its tier: this one's size, the day's sum, the month's; and whether the tier may
-- pay people and withdraw at all. The wallet is locked.
DROP PROCEDURE IF EXISTS refuse_debit;
DELIMITER //
CREATE PROCEDURE refuse_debit(
    IN p_wallet_id BINARY(16),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_at DATETIME(6),
    OUT p_exceeded BOOLEAN,
    OUT p_person_to_person BOOLEAN,
    OUT p_withdrawals BOOLEAN
)
READS SQL DATA
BEGIN
    DECLARE v_unused, v_max_payment, v_max_day, v_max_month BIGINT DEFAULT NULL;
    DECLARE v_day, v_month, v_year DATE DEFAULT NULL;

    CALL limits_of(p_tier, p_at, v_unused, v_unused, v_max_payment, v_unused, v_unused, v_max_day, v_max_month,
                   p_person_to_person, p_withdrawals);
    SET p_exceeded = COALESCE(p_amount > v_max_payment, FALSE);
    IF v_max_day IS NOT NULL OR v_max_month IS NOT NULL THEN
        CALL periods_of(p_at, v_day, v_month, v_year);
        SELECT p_exceeded OR COALESCE(IF(usage_day = v_day, debited_day, 0) + p_amount > v_max_day, FALSE)
                          OR COALESCE(IF(usage_month = v_month, debited_month, 0) + p_amount > v_max_month, FALSE)
        INTO p_exceeded FROM wallets WHERE id = p_wallet_id;
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
    DECLARE v_day, v_month, v_year DATE DEFAULT NULL;

    CALL periods_of(p_asked_at, v_day, v_month, v_year);
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

-- Whether a credit would break a limit: NULL, 'over_balance_limit', or (for loads) 'over_load_limit'. `p_total` is the
-- wallet's balance before it; the wallet is locked.
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
    DECLARE v_unused, v_max_balance, v_max_month, v_max_year BIGINT DEFAULT NULL;
    DECLARE v_flag BOOLEAN DEFAULT NULL;
    DECLARE v_day, v_month, v_year DATE DEFAULT NULL;

    CALL limits_of(p_tier, p_at, v_max_balance, v_unused, v_unused, v_max_month, v_max_year, v_unused, v_unused,
                   v_flag, v_flag);
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

-- Counts a load for the limits. The wallet is locked.
DROP PROCEDURE IF EXISTS count_load;
DELIMITER //
CREATE PROCEDURE count_load(IN p_wallet_id BINARY(16), IN p_amount BIGINT, IN p_at DATETIME(6))
MODIFIES SQL DATA
BEGIN
    DECLARE v_day, v_month, v_year DATE DEFAULT NULL;

    CALL periods_of(p_at, v_day, v_month, v_year);
    UPDATE wallets
    SET loaded_month = IF(usage_month = v_month, loaded_month, 0) + p_amount,
        debited_month = IF(usage_month = v_month, debited_month, 0),
        loaded_year = IF(usage_year = v_year, loaded_year, 0) + p_amount,
        usage_month = v_month,
        usage_year = v_year
    WHERE id = p_wallet_id;
END//
DELIMITER ;

-- Ends a placed hold: what is left of it is free again. The caller holds the locks of the payer's wallet and the hold.
DROP PROCEDURE IF EXISTS end_hold;
DELIMITER //
CREATE PROCEDURE end_hold(
    IN p_hold_id BINARY(16),
    IN p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_amount, v_captured BIGINT DEFAULT NULL;
    DECLARE v_created_at DATETIME(6) DEFAULT NULL;

    SELECT payer_wallet_id, payee_wallet_id, amount, captured, created_at
    INTO v_payer_id, v_payee_id, v_amount, v_captured, v_created_at FROM holds WHERE id = p_hold_id;
    UPDATE holds SET status = p_status, ended_at = p_at WHERE id = p_hold_id;
    IF v_amount > v_captured THEN
        CALL set_aside(v_payer_id, v_captured - v_amount, 'hold', p_hold_id, p_at);
        CALL count_debit(v_payer_id, v_captured - v_amount, v_created_at);
    END IF;
    IF p_status IN ('released', 'expired') THEN
        CALL note_event(
            v_payer_id, v_payee_id, IF(p_status = 'expired', 'HoldExpired', 'HoldReleased'),
            JSON_OBJECT('hold_id', LOWER(HEX(p_hold_id)), 'payer_wallet_id', LOWER(HEX(v_payer_id)),
                        'payee_wallet_id', LOWER(HEX(v_payee_id)), 'amount', v_amount + 0, 'captured', v_captured + 0,
                        'currency', 'INR'), p_at);
    END IF;
END//
DELIMITER ;

-- Locks a wallet that money is to leave, or to be held in. All that decides is read by the statement that takes the
-- lock, never before it; and it locks the wallet alone (a join would lock the tier as well, and everybody would queue
-- there). Holds whose time has passed are ended first, though the sweep be late; then, if too little is available, a hot
-- wallet's slots are gathered, in order, until its own row has what is needed. Behind it, available is total - held.
DROP PROCEDURE IF EXISTS lock_debit;
DELIMITER //
CREATE PROCEDURE lock_debit(
    IN p_wallet_id BINARY(16),
    IN p_need BIGINT,
    IN p_transaction_id BINARY(16),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_total BIGINT,
    OUT p_held BIGINT,
    OUT p_last DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_slots, v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_own, v_there BIGINT DEFAULT NULL;
    DECLARE v_there_last, v_now, v_expired_at DATETIME(6) DEFAULT NULL;
    DECLARE v_hold_id, v_gather_id BINARY(16) DEFAULT NULL;

    SELECT status, tier, balance, held, last_entry_at, slots INTO p_status, p_tier, v_own, p_held, p_last, v_slots
    FROM wallets WHERE id = p_wallet_id FOR UPDATE;

    IF p_held > 0 THEN
        SET v_now = UTC_TIMESTAMP(6);
        SET v_expired_at = '1970-01-01';
        expiring: LOOP
            SET v_hold_id = NULL;
            -- by the payer's index and no other: that of all expiries would lock holds of wallets that are not locked;
            -- and not from its beginning, where those are that have just been ended
            SELECT id, expires_at INTO v_hold_id, v_expired_at FROM holds FORCE INDEX (holds_of_payer)
            WHERE payer_wallet_id = p_wallet_id AND status = 'placed' AND expires_at BETWEEN v_expired_at AND v_now
            ORDER BY expires_at LIMIT 1 FOR UPDATE;
            IF v_hold_id IS NULL THEN
                LEAVE expiring;
            END IF;
            CALL end_hold(v_hold_id, 'expired', v_now);
        END LOOP;
        SELECT held INTO p_held FROM wallets WHERE id = p_wallet_id;
    END IF;

    WHILE v_own - p_held < p_need AND v_slot + 1 < v_slots DO
        SET v_slot = v_slot + 1;
        SELECT balance, last_entry_at INTO v_there, v_there_last
        FROM wallet_slots WHERE wallet_id = p_wallet_id AND slot = v_slot FOR UPDATE;
        IF v_there > 0 THEN
            SET p_last = GREATEST(
                UTC_TIMESTAMP(6), p_last + INTERVAL 1 MICROSECOND, v_there_last + INTERVAL 1 MICROSECOND);
            CALL derive_id(p_transaction_id, CONCAT('gather', v_slot), v_gather_id);
            INSERT INTO transactions (id, type, amount, currency, created_at)
            VALUES (v_gather_id, 'gather', v_there, 'INR', p_last);
            CALL post_entry(v_gather_id, p_wallet_id, v_slot, p_wallet_id, 0, v_there, p_last);
            SET v_own = v_own + v_there;
        END IF;
    END WHILE;

    SET p_total = v_own;
    IF v_slots > 1 THEN
        SELECT p_total + COALESCE(SUM(balance), 0) INTO p_total FROM wallet_slots WHERE wallet_id = p_wallet_id;
    END IF;
END//
DELIMITER ;

-- Locks a wallet, or one slot of it, that money is to come into. `p_spread` says that the movement may go to any slot of
-- a hot wallet; where the tier caps the balance none does, for no slot knows the others'. The status of a wallet whose
-- slot is locked is read behind that lock: who freezes a wallet takes the locks of all its slots.
DROP PROCEDURE IF EXISTS lock_credit;
DELIMITER //
CREATE PROCEDURE lock_credit(
    IN p_wallet_id BINARY(16),
    IN p_spread BOOLEAN,
    OUT p_slot TINYINT UNSIGNED,
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_total BIGINT,
    OUT p_last DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_slots, v_over TINYINT UNSIGNED DEFAULT 1;
    DECLARE v_max_balance, v_unused BIGINT DEFAULT NULL;
    DECLARE v_flag BOOLEAN DEFAULT NULL;

    SET p_slot = 0;
    IF p_spread THEN
        SELECT spread, tier INTO v_over, p_tier FROM wallets WHERE id = p_wallet_id;
        IF v_over > 1 THEN
            CALL limits_of(p_tier, UTC_TIMESTAMP(6), v_max_balance, v_unused, v_unused, v_unused, v_unused, v_unused,
                           v_unused, v_flag, v_flag);
            SET p_slot = IF(v_max_balance IS NULL, FLOOR(RAND() * v_over), 0);
        END IF;
    END IF;
    IF p_slot > 0 THEN
        SELECT last_entry_at INTO p_last
        FROM wallet_slots WHERE wallet_id = p_wallet_id AND slot = p_slot FOR UPDATE;
        SELECT status, tier, balance, slots INTO p_status, p_tier, p_total, v_slots
        FROM wallets WHERE id = p_wallet_id;
    ELSE
        SELECT status, tier, balance, last_entry_at, slots INTO p_status, p_tier, p_total, p_last, v_slots
        FROM wallets WHERE id = p_wallet_id FOR UPDATE;
    END IF;
    IF v_slots > 1 THEN
        SELECT p_total + COALESCE(SUM(balance), 0) INTO p_total FROM wallet_slots WHERE wallet_id = p_wallet_id;
    END IF;
END//
DELIMITER ;

-- What a movement costs at a moment, in minor units: half a paisa is rounded up.
DROP PROCEDURE IF EXISTS fee_of;
DELIMITER //
CREATE PROCEDURE fee_of(
    IN p_movement VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_at DATETIME(6),
    OUT p_fee BIGINT
)
READS SQL DATA
BEGIN
    SET p_fee = NULL;
    SELECT flat + (p_amount DIV 10000) * basis_points + ((p_amount MOD 10000) * basis_points + 5000) DIV 10000
    INTO p_fee FROM fee_rates WHERE movement = p_movement AND valid_from <= p_at ORDER BY valid_from DESC LIMIT 1;
    SET p_fee = COALESCE(p_fee, 0);
END//
DELIMITER ;

-- Takes the fee on a payment or a capture from the merchant who has just been paid, out of the very row that took the
-- credit, and never more than that. Its time is right behind the credit's.
DROP PROCEDURE IF EXISTS charge_payee;
DELIMITER //
CREATE PROCEDURE charge_payee(
    IN p_cause_id BINARY(16),
    IN p_payee_id BINARY(16),
    IN p_slot TINYINT UNSIGNED,
    IN p_amount BIGINT,
    IN p_at DATETIME(6),
    OUT p_fee BIGINT
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_fee_id, v_fees_id BINARY(16) DEFAULT NULL;

    CALL fee_of('payment', p_amount, p_at, p_fee);
    SET p_fee = LEAST(p_fee, p_amount);
    IF p_fee > 0 THEN
        CALL derive_id(p_cause_id, 'fee', v_fee_id);
        SELECT id INTO v_fees_id FROM accounts WHERE code = 'fees';
        INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)
        VALUES (v_fee_id, 'fee', p_fee, 'INR', p_cause_id, p_at + INTERVAL 1 MICROSECOND);
        CALL post_entry(v_fee_id, p_payee_id, p_slot, v_fees_id, 0, p_fee, p_at + INTERVAL 1 MICROSECOND);
    END IF;
END//
DELIMITER ;

-- Makes a wallet hot, or ends that: from now on the credits of payments and captures are spread over `p_spread` rows.
-- Nobody waits for it longer than for a payment, and what is in a row that is no longer used still counts.
DROP PROCEDURE IF EXISTS spread_credits;
DELIMITER //
CREATE PROCEDURE spread_credits(IN p_wallet_id BINARY(16), IN p_spread TINYINT UNSIGNED)
MODIFIES SQL DATA
BEGIN
    DECLARE v_slots TINYINT UNSIGNED DEFAULT NULL;
    DECLARE v_last DATETIME(6) DEFAULT NULL;

    SELECT slots, last_entry_at INTO v_slots, v_last FROM wallets WHERE id = p_wallet_id FOR UPDATE;
    WHILE v_slots < p_spread DO
        INSERT INTO wallet_slots (wallet_id, slot, balance, entries, last_entry_at)
        VALUES (p_wallet_id, v_slots, 0, 0, v_last);
        SET v_slots = v_slots + 1;
    END WHILE;
    UPDATE wallets SET slots = v_slots, spread = p_spread WHERE id = p_wallet_id;
END//
DELIMITER ;
