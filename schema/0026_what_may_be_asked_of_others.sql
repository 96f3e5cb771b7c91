-- What one may ask of others, and how often: GET /payees, the names that payments tell, and files of payments.
--
-- Whoever is looked up, paid or promised something by phone is named by the answer, so all three have a quota: a wallet's id
-- can't be guessed, a phone can be counted up. And a file costs us a row for each of its lines, paid or not.

-- How much of a quota is used within the window that ends then. `subject` is whose it is: a user's id, or the first half of
-- the SHA-256 of an address. One rule for all (see use_quota).
CREATE TABLE IF NOT EXISTS quota_usage (
    subject        BINARY(16)   NOT NULL,
    quota          VARCHAR(24)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    used           INT UNSIGNED NOT NULL,
    allowed        INT UNSIGNED NOT NULL,
    window_ends_at DATETIME(6)  NOT NULL,
    CONSTRAINT quota_usage_pk PRIMARY KEY (subject, quota),
    INDEX quota_usage_by_end (window_ends_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- `debits`: how many payments, holds and withdrawals of the wallet are counted in the hour that ends then. Counted in the
-- statement that counts their sum.
DROP PROCEDURE IF EXISTS add_counted_debits;
DELIMITER //
CREATE PROCEDURE add_counted_debits()
MODIFIES SQL DATA
BEGIN
    IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_schema = DATABASE() AND table_name = 'wallets' AND column_name = 'debits') THEN
        ALTER TABLE wallets
            ADD COLUMN debits INT UNSIGNED NOT NULL DEFAULT 0,
            ADD COLUMN debits_until DATETIME(6) NOT NULL DEFAULT '1970-01-01';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM information_schema.statistics
                   WHERE table_schema = DATABASE() AND table_name = 'bulk_payments'
                     AND index_name = 'bulk_payments_of_user') THEN
        ALTER TABLE bulk_payments ADD INDEX bulk_payments_of_user (user_id, status);
    END IF;
END//
DELIMITER ;
CALL add_counted_debits();
DROP PROCEDURE IF EXISTS add_counted_debits;

-- Internal. Uses so many units of a quota. If that is more than there is, `p_free_at` becomes the moment from which on there
-- is some again, of several quotas the latest; else it stays as it was, NULL to begin with. What was not given counts unless
-- the caller rolls it back. The row stays locked until their atomic block ends, so of many at once no more get through than
-- may.
DROP PROCEDURE IF EXISTS use_quota;
DELIMITER //
CREATE PROCEDURE use_quota(
    IN p_subject BINARY(16),
    IN p_quota VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_units INT UNSIGNED,
    IN p_allowed INT UNSIGNED,
    IN p_window_seconds INT UNSIGNED,
    INOUT p_free_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);

    -- assigned from left to right: the window's end comes last
    INSERT INTO quota_usage (subject, quota, used, allowed, window_ends_at)
    VALUES (p_subject, p_quota, p_units, p_allowed, v_now + INTERVAL p_window_seconds SECOND)
    ON DUPLICATE KEY UPDATE
        used = IF(window_ends_at <= v_now, p_units, used + p_units),
        allowed = p_allowed,
        window_ends_at = IF(window_ends_at <= v_now, v_now + INTERVAL p_window_seconds SECOND, window_ends_at);
    SELECT IF(used > allowed, GREATEST(window_ends_at, COALESCE(p_free_at, window_ends_at)), p_free_at) INTO p_free_at
    FROM quota_usage WHERE subject = p_subject AND quota = p_quota;
END//
DELIMITER ;

-- Internal. In how many seconds it is worth to ask again, as an answer tells it.
DROP PROCEDURE IF EXISTS tell_retry;
DELIMITER //
CREATE PROCEDURE tell_retry(
    IN p_free_at DATETIME(6),
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
NO SQL
BEGIN
    SET p_result = JSON_OBJECT(
        'retry_after_s', GREATEST(1, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), p_free_at) + 1));
END//
DELIMITER ;

-- Internal. Which of two quotas a payer has: that of people, or that of merchants, who pay by files of 10,000 rows.
DROP PROCEDURE IF EXISTS quota_of;
DELIMITER //
CREATE PROCEDURE quota_of(
    IN p_user_id BINARY(16),
    IN p_of_people INT UNSIGNED,
    IN p_of_merchants INT UNSIGNED,
    OUT p_allowed INT UNSIGNED
)
READS SQL DATA
BEGIN
    SELECT IF(t.for_merchants AND u.kind = 'merchant', p_of_merchants, p_of_people) INTO p_allowed
    FROM users u JOIN wallets w ON w.user_id = u.id JOIN tiers t ON t.code = w.tier WHERE u.id = p_user_id;
END//
DELIMITER ;

-- Forgets windows that have ended: of addresses there is no end.
DROP PROCEDURE IF EXISTS sweep_quotas;
DELIMITER //
CREATE PROCEDURE sweep_quotas()
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DELETE FROM quota_usage WHERE window_ends_at < UTC_TIMESTAMP(6) LIMIT 1000;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Who somebody would pay, before they do: the one place that names people to others without money. It is counted first,
-- for the caller and for the address that they ask from, whether or not anybody is found, as a directory is read by its
-- hits; and whoever has used up a quota uses up no other one by asking on. `kind` is 'merchant' for who registered as
-- one and is approved. A wallet that is frozen, full or limited is found like any other.
DROP PROCEDURE IF EXISTS look_up_payee;
DELIMITER //
CREATE PROCEDURE look_up_payee(
    IN p_caller_id BINARY(16),
    IN p_address_hash BINARY(16),
    IN p_per_hour INT UNSIGNED,
    IN p_per_day INT UNSIGNED,
    IN p_per_address INT UNSIGNED,
    IN p_wallet_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_free_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL use_quota(p_caller_id, 'lookups_of_hour', 1, p_per_hour, 3600, v_free_at);
    CALL use_quota(p_caller_id, 'lookups_of_day', 1, p_per_day, 86400, v_free_at);
    CALL use_quota(p_address_hash, 'lookups_of_address', 1, p_per_address, 3600, v_free_at);
    IF v_free_at IS NULL THEN
        COMMIT;
        IF p_phone IS NOT NULL THEN
            SELECT w.id, u.name, IF(m.user_id IS NULL, 'personal', u.kind) INTO v_id, v_name, v_kind
            FROM users u JOIN wallets w ON w.user_id = u.id LEFT JOIN merchant_approvals m ON m.user_id = u.id
            WHERE u.phone = p_phone AND w.status <> 'closed';
        ELSE
            SELECT w.id, u.name, IF(m.user_id IS NULL, 'personal', u.kind) INTO v_id, v_name, v_kind
            FROM wallets w JOIN users u ON u.id = w.user_id LEFT JOIN merchant_approvals m ON m.user_id = u.id
            WHERE w.id = p_wallet_id AND w.status <> 'closed';
        END IF;
        SELECT IF(v_id IS NULL, 'payee_not_found', 'done') AS outcome,
               JSON_OBJECT('wallet_id', LOWER(HEX(v_id)), 'name', v_name, 'kind', v_kind) AS result;
    ELSE
        ROLLBACK;
        CALL tell_retry(v_free_at, v_result);
        SELECT 'too_many_lookups' AS outcome, v_result AS result;
    END IF;
END//
DELIMITER ;

-- Internal. Counts that the caller is about to be told of a payee who can't be paid: 'payee_unavailable', or, once that
-- was told often enough, 'too_many_lookups'. Two counts may be one too many if the answer is lost: no money hangs on it.
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
    DECLARE v_free_at DATETIME(6) DEFAULT NULL;

    CALL quota_of(p_user_id, 100, 10000, v_allowed);
    CALL use_quota(p_user_id, 'unavailable_payees', 1, v_allowed, 3600, v_free_at);
    SET p_outcome = IF(v_free_at IS NULL, 'payee_unavailable', 'too_many_lookups');
    IF v_free_at IS NOT NULL THEN
        CALL tell_retry(v_free_at, p_result);
    END IF;
END//
DELIMITER ;

-- Internal. What a wallet may spend, with all that counts for it though nobody may have written that down yet: holds that
-- have lapsed, and a hot wallet's slots. In one statement: what is swept or gathered between two would be in neither.
DROP PROCEDURE IF EXISTS sum_available;
DELIMITER //
CREATE PROCEDURE sum_available(IN p_wallet_id BINARY(16), OUT p_available BIGINT)
READS SQL DATA
BEGIN
    SELECT w.balance - w.held
        + COALESCE((SELECT SUM(h.amount - h.captured) FROM holds h FORCE INDEX (holds_of_payer)
                    WHERE h.payer_wallet_id = w.id AND h.status = 'placed'
                      AND h.expires_at <= UTC_TIMESTAMP(6)), 0)
        + COALESCE((SELECT SUM(s.balance) FROM wallet_slots s WHERE s.wallet_id = w.id), 0)
    INTO p_available FROM wallets w WHERE w.id = p_wallet_id;
END//
DELIMITER ;

-- Counts a debit for the limits, and for how many an hour has. `p_amount` negative gives back what was counted at
-- `p_asked_at` and did not leave after all, as far as that period still runs: the hour has had it all the same. The wallet
-- is locked.
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
        -- assigned from left to right: what a count is of comes behind it
        UPDATE wallets
        SET debited_day = IF(usage_day = v_day, debited_day, 0) + p_amount,
            debited_month = IF(usage_month = v_month, debited_month, 0) + p_amount,
            loaded_month = IF(usage_month = v_month, loaded_month, 0),
            usage_day = v_day,
            usage_month = v_month,
            debits = IF(debits_until > p_asked_at, debits, 0) + 1,
            debits_until = IF(debits_until > p_asked_at, debits_until, p_asked_at + INTERVAL 1 HOUR)
        WHERE id = p_wallet_id;
    ELSE
        UPDATE wallets
        SET debited_day = debited_day + IF(usage_day = v_day, p_amount, 0),
            debited_month = debited_month + IF(usage_month = v_month, p_amount, 0)
        WHERE id = p_wallet_id;
    END IF;
END//
DELIMITER ;

-- Internal. Whether a caller may have so many more rows of files to be paid: 5 files at most that run beside this one, and
-- 100,000 rows a day (1,000,000 of a merchant's), taken in or tried again; a retry of none counts as one. The quota's row
-- stays locked until the caller's atomic block ends, so that no two are counted at once. `p_outcome` is one that the code
-- of the release before knows; `code` in the result is what it is called now.
DROP PROCEDURE IF EXISTS check_bulk_quota;
DELIMITER //
CREATE PROCEDURE check_bulk_quota(
    IN p_user_id BINARY(16),
    IN p_bulk_payment_id BINARY(16),
    IN p_rows INT UNSIGNED,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_allowed, v_running INT UNSIGNED DEFAULT NULL;
    DECLARE v_free_at DATETIME(6) DEFAULT NULL;

    CALL quota_of(p_user_id, 100000, 1000000, v_allowed);
    CALL use_quota(p_user_id, 'bulk_rows', GREATEST(p_rows, 1), v_allowed, 86400, v_free_at);
    SELECT COUNT(*) INTO v_running FROM bulk_payments
    WHERE user_id = p_user_id AND status = 'running' AND id <> p_bulk_payment_id;
    IF v_free_at IS NULL AND v_running >= 5 THEN
        SET v_free_at = UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE;
    END IF;
    IF v_free_at IS NULL THEN
        SET p_outcome = 'claimed';
    ELSE
        SET p_outcome = 'too_many_attempts';
        CALL tell_retry(v_free_at, p_result);
        SET p_result = JSON_SET(p_result, '$.code', 'too_many_bulk_payments');
    END IF;
END//
DELIMITER ;

-- Internal. Refuses all waiting rows of a file that would be refused now for what a row of it has just been refused for,
-- the payer's own: without a payment tried for each. With the file's lock, as a retry has it, and in an atomic block of its
-- own: what it doesn't get to waits, and is tried as ever.
DROP PROCEDURE IF EXISTS refuse_other_rows;
DELIMITER //
CREATE PROCEDURE refuse_other_rows(
    IN p_bulk_payment_id BINARY(16),
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_by_phone BOOLEAN,
    IN p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_refused INT UNSIGNED
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_user_id, v_wallet_id BINARY(16) DEFAULT NULL;
    -- the most that may be paid now: less than any amount, where nothing may
    DECLARE v_most BIGINT DEFAULT 0;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT user_id INTO v_user_id FROM bulk_payments WHERE id = p_bulk_payment_id FOR UPDATE;
    IF p_outcome = 'insufficient_funds' THEN
        SELECT id INTO v_wallet_id FROM wallets WHERE user_id = v_user_id;
        CALL sum_available(v_wallet_id, v_most);
    ELSEIF p_outcome = 'wallet_limit_exceeded' THEN
        SET v_most = JSON_UNQUOTE(JSON_EXTRACT(p_result, '$.left'));
    END IF;
    UPDATE bulk_payment_rows SET status = 'refused', refusal = p_outcome, ended_at = UTC_TIMESTAMP(6)
    WHERE bulk_payment_id = p_bulk_payment_id AND status = 'waiting' AND amount > v_most
      AND (NOT p_by_phone OR payee_phone IS NOT NULL);
    SET p_refused = ROW_COUNT();
    COMMIT;
END//
DELIMITER ;

-- What nothing asks any more. What was counted there begins anew.
DROP TABLE IF EXISTS payee_lookups;
