-- Confirmations: money out takes a second factor, by default all of it. A request that a rule of its tier wants confirmed
-- is refused, and a row here says what it was for; once that row is granted, the same request under the same key
-- goes through and uses it up in the commit of the money. So what moves money needs no cryptography for it.
--
-- And what waits: withdrawals to a VPA that a wallet has not known for long, and after a reset of the password whatever needs
-- a confirmation, or goes on without a session.
--
-- Code of before doesn't know how to ask for a confirmation; no rule is in force until the deployment is over.
-- serves code from 0031

-- What of a tier's money out is confirmed, from which moment on; amounts are minor units, NULL is no such rule. A debit above
-- `above`, one that brings the day's sum of unconfirmed ones above `day_above`, one above `new_payee_above` to somebody to
-- whom none has been confirmed before, and each withdrawal to a VPA that is new. `new_vpa_wait_s`: for so long the first
-- withdrawals to a VPA wait. `reset_wait_s`: for so long nothing is confirmed after a reset of the password.
CREATE TABLE IF NOT EXISTS confirmation_rules (
    tier            VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    valid_from      DATETIME(6)  NOT NULL,
    above           BIGINT       NULL,
    day_above       BIGINT       NULL,
    new_payee_above BIGINT       NULL,
    new_vpa         BOOLEAN      NOT NULL DEFAULT FALSE,
    new_vpa_wait_s  INT UNSIGNED NOT NULL DEFAULT 0,
    reset_wait_s    INT UNSIGNED NOT NULL DEFAULT 0,
    CONSTRAINT confirmation_rules_pk PRIMARY KEY (tier, valid_from),
    CONSTRAINT confirmation_rules_tier_exists FOREIGN KEY (tier) REFERENCES tiers (code),
    CONSTRAINT confirmation_rules_are_amounts CHECK (above >= 0 AND day_above >= 0 AND new_payee_above >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who may confirm what: it is bound to the caller, their key, what was asked under it, and the wallet or VPA that this came to
-- and the amount, which the commit compares once more. `code_hash` is a keyed hash. `session_quota` is what its
-- codes are counted under until it is used. `granted_until`: from its grant on for so long it may be used, in sessions of the
-- generation `granted_in`, by what is in `used_for`. One that was used stays, as evidence.
CREATE TABLE IF NOT EXISTS confirmations (
    id              BINARY(16)   NOT NULL,
    user_id         BINARY(16)   NOT NULL,
    idem_key        VARBINARY(64) NOT NULL,
    request_hash    BINARY(32)   NOT NULL,
    kind            VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    payee_wallet_id BINARY(16)   NULL,
    vpa             VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
    payee_name      VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    amount          BIGINT       NOT NULL,
    currency        CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at      DATETIME(6)  NOT NULL,
    expires_at      DATETIME(6)  NOT NULL,
    code_hash       BINARY(32)   NULL,
    code_sent_at    DATETIME(6)  NULL,
    session_quota   BINARY(32)   NULL,
    codes           TINYINT UNSIGNED NOT NULL DEFAULT 0,
    tries           TINYINT UNSIGNED NOT NULL DEFAULT 0,
    method          VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NULL,
    granted_at      DATETIME(6)  NULL,
    granted_until   DATETIME(6)  NULL,
    granted_in      INT UNSIGNED NULL,
    used_for        BINARY(16)   NULL,
    CONSTRAINT confirmations_pk PRIMARY KEY (id),
    CONSTRAINT confirmations_are_used_once UNIQUE (used_for),
    CONSTRAINT confirmations_user_exists FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT confirmations_kind_is_known CHECK (kind IN (
        'payment', 'hold', 'withdrawal', 'bulk_payment', 'new_passkey', 'lost_passkey', 'new_name', 'new_phone')),
    CONSTRAINT confirmations_method_is_known CHECK (method IN ('sms', 'passkey')),
    CONSTRAINT confirmations_used_were_granted CHECK (used_for IS NULL OR granted_at IS NOT NULL),
    INDEX confirmations_of_request (user_id, idem_key, request_hash),
    INDEX confirmations_by_end (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- To whom a wallet's owner has confirmed a payment or a hold.
CREATE TABLE IF NOT EXISTS known_payees (
    wallet_id       BINARY(16)  NOT NULL,
    payee_wallet_id BINARY(16)  NOT NULL,
    CONSTRAINT known_payees_pk PRIMARY KEY (wallet_id, payee_wallet_id),
    -- and none on the payee: it would lock a wallet that everybody pays, out of its turn
    CONSTRAINT known_payees_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- VPAs that a wallet's withdrawals have gone to, or will from `known_from` on.
CREATE TABLE IF NOT EXISTS known_vpas (
    wallet_id  BINARY(16)   NOT NULL,
    vpa        VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    known_from DATETIME(6)  NOT NULL,
    CONSTRAINT known_vpas_pk PRIMARY KEY (wallet_id, vpa),
    CONSTRAINT known_vpas_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
INSERT IGNORE INTO known_vpas (wallet_id, vpa, known_from)
SELECT wallet_id, vpa, MIN(created_at) FROM withdrawals WHERE status = 'succeeded' GROUP BY wallet_id, vpa;

-- What confirms without a message: a key pair of which we have the public half (WebAuthn, COSE), by the authenticator's own id.
-- `sign_count` grows with each use where an authenticator counts; `name` is what its owner calls it. It confirms from
-- `usable_from` on.
CREATE TABLE IF NOT EXISTS passkeys (
    id            BINARY(16)      NOT NULL,
    user_id       BINARY(16)      NOT NULL,
    credential_id VARBINARY(1023) NOT NULL,
    public_key    VARBINARY(1024) NOT NULL,
    sign_count    INT UNSIGNED    NOT NULL,
    name          VARCHAR(64)     CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    created_at    DATETIME(6)     NOT NULL,
    usable_from   DATETIME(6)     NOT NULL,
    last_used_at  DATETIME(6)     NULL,
    CONSTRAINT passkeys_pk PRIMARY KEY (id),
    CONSTRAINT passkeys_credential_is_unique UNIQUE (credential_id),
    CONSTRAINT passkeys_user_exists FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- `unconfirmed_day`: what was debited without a confirmation on the Indian day `unconfirmed_on`. `paused_until`: until then
-- nothing is confirmed, and what was asked for before waits. `waits_until`: before nobody is asked to pay a withdrawal.
DROP PROCEDURE IF EXISTS add_what_confirmations_need;
DELIMITER //
CREATE PROCEDURE add_what_confirmations_need()
MODIFIES SQL DATA
BEGIN
    IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_schema = DATABASE() AND table_name = 'wallets' AND column_name = 'unconfirmed_day') THEN
        ALTER TABLE wallets
            ADD COLUMN unconfirmed_day BIGINT NOT NULL DEFAULT 0,
            ADD COLUMN unconfirmed_on DATE NULL,
            ADD COLUMN paused_until DATETIME(6) NULL;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_schema = DATABASE() AND table_name = 'withdrawals' AND column_name = 'waits_until') THEN
        ALTER TABLE withdrawals ADD COLUMN waits_until DATETIME(6) NULL;
    END IF;
END//
DELIMITER ;
CALL add_what_confirmations_need();
DROP PROCEDURE IF EXISTS add_what_confirmations_need;

-- Locks a wallet that money is to leave, or to be held in. All that decides is read by the statement that takes the
-- lock, never before it; and it locks the wallet alone (a join would lock the tier as well, and everybody would queue
-- there). Holds whose time has passed are ended first, though the sweep be late; then, if too little is available, a hot
-- wallet's slots are gathered, in order, until its own row has what is needed. Behind it, available is total - held.
-- `p_generation` is that of its owner's sessions: whoever asks in one compares it with the one they come with.
-- `p_unconfirmed` is what left today without a confirmation; until `p_paused_until` nothing is confirmed.
DROP PROCEDURE IF EXISTS lock_payer_with_usage;
DELIMITER //
CREATE PROCEDURE lock_payer_with_usage(
    IN p_wallet_id BINARY(16),
    IN p_need BIGINT,
    IN p_transaction_id BINARY(16),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_total BIGINT,
    OUT p_held BIGINT,
    OUT p_last DATETIME(6),
    OUT p_generation INT UNSIGNED,
    OUT p_unconfirmed BIGINT,
    OUT p_paused_until DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_slots, v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_own, v_there BIGINT DEFAULT NULL;
    DECLARE v_there_last, v_now, v_expired_at DATETIME(6) DEFAULT NULL;
    DECLARE v_hold_id, v_gather_id BINARY(16) DEFAULT NULL;

    SELECT status, tier, balance, held, last_entry_at, slots, session_generation, paused_until,
           IF(unconfirmed_on = DATE(GREATEST(UTC_TIMESTAMP(6), last_entry_at + INTERVAL 1 MICROSECOND) + INTERVAL 330 MINUTE),
              unconfirmed_day, 0)
    INTO p_status, p_tier, v_own, p_held, p_last, v_slots, p_generation, p_paused_until, p_unconfirmed
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

-- The same without the last two.
DROP PROCEDURE IF EXISTS lock_payer;
DELIMITER //
CREATE PROCEDURE lock_payer(
    IN p_wallet_id BINARY(16),
    IN p_need BIGINT,
    IN p_transaction_id BINARY(16),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_total BIGINT,
    OUT p_held BIGINT,
    OUT p_last DATETIME(6),
    OUT p_generation INT UNSIGNED
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_unconfirmed BIGINT DEFAULT NULL;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;

    CALL lock_payer_with_usage(p_wallet_id, p_need, p_transaction_id, p_status, p_tier, p_total, p_held, p_last,
                               p_generation, v_unconfirmed, v_paused_until);
END//
DELIMITER ;

-- Counts a debit for the limits, for who was named by it, and one without a confirmation for the rule about their sum. The
-- wallet is locked.
DROP PROCEDURE IF EXISTS record_debit_usage;
DELIMITER //
CREATE PROCEDURE record_debit_usage(
    IN p_wallet_id BINARY(16),
    IN p_amount BIGINT,
    IN p_at DATETIME(6),
    IN p_is_confirmed BOOLEAN
)
MODIFIES SQL DATA
BEGIN
    -- the Indian day and month of that moment (see periods_of)
    DECLARE v_day DATE DEFAULT DATE(p_at + INTERVAL 330 MINUTE);
    DECLARE v_month DATE DEFAULT v_day - INTERVAL (DAYOFMONTH(v_day) - 1) DAY;

    UPDATE wallets
    SET debited_day = IF(usage_day = v_day, debited_day, 0) + p_amount,
        debited_month = IF(usage_month = v_month, debited_month, 0) + p_amount,
        loaded_month = IF(usage_month = v_month, loaded_month, 0),
        usage_day = v_day,
        usage_month = v_month,
        debits = IF(debits_until > p_at, debits, 0) + 1,
        debits_until = IF(debits_until > p_at, debits_until, p_at + INTERVAL 1 HOUR),
        -- what lapses or fails is not taken back from this: it bounds what somebody may try who has no second factor
        unconfirmed_day = LEAST(
            IF(unconfirmed_on = v_day, unconfirmed_day, 0) + IF(p_is_confirmed, 0, p_amount), 9007199254740991),
        unconfirmed_on = v_day
    WHERE id = p_wallet_id;
END//
DELIMITER ;

-- Internal. Uses a granted confirmation up for `p_used_for`, inside the commit of the money and behind the lock of the wallet
-- that it leaves (`p_wallet_id`). `p_outcome` is NULL if there is one, or if the payee is known and no other rule requires one
-- (`p_is_required` FALSE): then `p_is_confirmed` is FALSE. Else it is the refusal, and `p_result` what `open_confirmation`
-- needs, or the seconds until the pause is over.
DROP PROCEDURE IF EXISTS use_confirmation;
DELIMITER //
CREATE PROCEDURE use_confirmation(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_wallet_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_vpa VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payee_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_amount BIGINT,
    IN p_paused_until DATETIME(6),
    IN p_is_required BOOLEAN,
    IN p_used_for BINARY(16),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_is_confirmed BOOLEAN
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_session_quota BINARY(32) DEFAULT NULL;
    DECLARE v_codes TINYINT UNSIGNED DEFAULT 0;

    SET p_is_confirmed = FALSE;
    IF p_is_required OR NOT EXISTS (
        SELECT 1 FROM known_payees WHERE wallet_id = p_wallet_id AND payee_wallet_id = p_payee_wallet_id) THEN
        IF p_paused_until > UTC_TIMESTAMP(6) THEN
            SET p_outcome = 'confirmation_paused';
            CALL tell_retry(p_paused_until, p_result);
        ELSE
            SELECT id, codes, session_quota INTO v_id, v_codes, v_session_quota FROM confirmations
            WHERE user_id = p_actor_id AND idem_key = p_key AND request_hash = p_request_hash AND kind = p_kind
              AND payee_wallet_id <=> p_payee_wallet_id AND vpa <=> p_vpa AND amount = p_amount
              AND granted_until > UTC_TIMESTAMP(6) AND granted_in = p_generation AND used_for IS NULL FOR UPDATE;
            IF v_id IS NULL THEN
                SET p_outcome = 'confirmation_required';
                SET p_result = JSON_OBJECT(
                    'payee_wallet_id', COALESCE(LOWER(HEX(p_payee_wallet_id)), ''), 'vpa', COALESCE(p_vpa, ''),
                    'payee_name', COALESCE(p_payee_name, ''), 'amount', p_amount + 0);
            ELSE
                UPDATE confirmations SET used_for = p_used_for WHERE id = v_id;
                SET p_is_confirmed = TRUE;
                -- what is confirmed and done was its owner's, whose session may go on
                UPDATE quotas SET uses = uses - v_codes WHERE subject_hash = v_session_quota AND uses >= v_codes;
                IF p_payee_wallet_id IS NOT NULL THEN
                    INSERT INTO known_payees (wallet_id, payee_wallet_id) VALUES (p_wallet_id, p_payee_wallet_id)
                    ON DUPLICATE KEY UPDATE wallet_id = p_wallet_id;
                END IF;
            END IF;
        END IF;
    END IF;
END//
DELIMITER ;

-- Internal. After a refusal with 'confirmation_required', and the rollback of what had been begun: writes down what is to be
-- confirmed, unless that is there and open, and puts its id into `p_result`. After any other outcome it does nothing. What
-- is there for the same request and is no longer open, or came to somebody else, is replaced: its id confirms nothing then.
-- Its message will name the payee, so it counts as a debit among those that name people by phone (see `check_payer`). Of a
-- request there is one that was not used, as whoever opens another holds the wallet's lock.
DROP PROCEDURE IF EXISTS open_confirmation;
DELIMITER //
CREATE PROCEDURE open_confirmation(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_movement_id BINARY(16),
    IN p_kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    INOUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    INOUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_id, v_user_id, v_wallet_id, v_payee_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_vpa VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_amount BIGINT DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_is_same, v_is_open, v_is_granted BOOLEAN DEFAULT FALSE;
    DECLARE v_expires_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);

    IF p_outcome = 'confirmation_required' THEN
        SET v_payee_wallet_id = UNHEX(NULLIF(JSON_UNQUOTE(JSON_EXTRACT(p_result, '$.payee_wallet_id')), ''));
        SET v_vpa = NULLIF(JSON_UNQUOTE(JSON_EXTRACT(p_result, '$.vpa')), '');
        SET v_name = NULLIF(JSON_UNQUOTE(JSON_EXTRACT(p_result, '$.payee_name')), '');
        SET v_amount = JSON_UNQUOTE(JSON_EXTRACT(p_result, '$.amount'));
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        START TRANSACTION;
        -- first people and wallet, as whoever uses a confirmation locks them
        SELECT id INTO v_user_id FROM users WHERE id = p_actor_id FOR UPDATE;
        SELECT id, session_generation INTO v_wallet_id, v_generation FROM wallets WHERE user_id = p_actor_id FOR UPDATE;
        SELECT id, expires_at,
               kind = p_kind AND payee_wallet_id <=> v_payee_wallet_id AND vpa <=> v_vpa AND amount = v_amount,
               granted_at IS NULL AND expires_at > v_now AND tries < 5,
               COALESCE(granted_until > v_now AND granted_in = v_generation, FALSE)
        INTO v_id, v_expires_at, v_is_same, v_is_open, v_is_granted
        FROM confirmations
        WHERE user_id = p_actor_id AND idem_key = p_key AND request_hash = p_request_hash AND used_for IS NULL FOR UPDATE;
        IF v_is_same AND v_is_granted THEN
            SET p_outcome = 'try_again'; -- granted after we looked
        ELSEIF NOT (v_is_same AND v_is_open) THEN
            DELETE FROM confirmations WHERE id = v_id;
            CALL derive_id(p_movement_id, 'confirmation', v_id);
            SET v_expires_at = v_now + INTERVAL 15 MINUTE;
            INSERT INTO confirmations (id, user_id, idem_key, request_hash, kind, payee_wallet_id, vpa, payee_name, amount,
                                       currency, created_at, expires_at)
            VALUES (v_id, p_actor_id, p_key, p_request_hash, p_kind, v_payee_wallet_id, v_vpa, v_name, v_amount, 'INR',
                    v_now, v_expires_at);
            UPDATE wallets
            SET debits = IF(debits_until > v_now, debits, 0) + 1,
                debits_until = IF(debits_until > v_now, debits_until, v_now + INTERVAL 1 HOUR)
            WHERE id = v_wallet_id;
        END IF;
        COMMIT;
        SET p_result = JSON_OBJECT(
            'confirmation_id', LOWER(HEX(v_id)),
            'methods', IF(EXISTS (SELECT 1 FROM passkeys WHERE user_id = p_actor_id AND usable_from <= v_now),
                          'passkey,sms', 'sms'),
            'expires_at', DATE_FORMAT(v_expires_at, '%Y-%m-%dT%H:%i:%s.%f'));
    END IF;
END//
DELIMITER ;

-- Internal. Who pays, and why that is refused for a reason of their own, before the payee is looked at and before any
-- lock: NULL if it isn't. What a moment can change is asked again under the locks: status, funds, and the limits if the
-- tier has sums (`p_has_sums`) or is another than `p_tier` by then. Holds that have lapsed and a hot wallet's slots are
-- summed only for who has too little without them.
--
-- A debit may have named somebody, who was paid by phone: after 100 of an hour (10,000 of a merchant's) nobody is looked
-- for by phone until it is over. By wallet there is no such bound: who knows an id was told of it. `p_generation` is that of
-- the session in which they ask, NULL for what goes on without one.
--
-- From which amount on, or which sum of a day without one, the payer's tier asks for a confirmation comes from here too, and
-- is compared under the lock.
DROP PROCEDURE IF EXISTS check_payer;
DELIMITER //
CREATE PROCEDURE check_payer(
    IN p_actor_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_payer_id BINARY(16),
    OUT p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_person_to_person BOOLEAN,
    OUT p_has_sums BOOLEAN,
    OUT p_confirm_above BIGINT,
    OUT p_confirm_day_above BIGINT,
    OUT p_confirm_new_payee_above BIGINT
)
READS SQL DATA
BEGIN
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_available, v_left, v_debited_day, v_debited_month BIGINT DEFAULT NULL;
    DECLARE v_debits, v_allowed, v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_today, v_usage_day, v_usage_month DATE DEFAULT NULL;
    DECLARE v_now, v_ends_at, v_debits_until DATETIME(6) DEFAULT NULL;

    SELECT w.id, u.name, u.phone, w.status, w.tier, w.balance - w.held, w.usage_day, w.debited_day, w.usage_month,
           w.debited_month, GREATEST(UTC_TIMESTAMP(6), w.last_entry_at + INTERVAL 1 MICROSECOND),
           IF(q.used >= q.allowed AND q.window_ends_at > UTC_TIMESTAMP(6), q.window_ends_at, NULL),
           w.debits, w.debits_until, w.session_generation
    INTO p_payer_id, p_name, v_phone, v_status, p_tier, v_available, v_usage_day, v_debited_day, v_usage_month,
         v_debited_month, v_now, v_ends_at, v_debits, v_debits_until, v_generation
    FROM wallets w JOIN users u ON u.id = w.user_id
    LEFT JOIN quota_usage q ON q.subject = w.user_id AND q.quota = 'unavailable_payees'
    WHERE w.user_id = p_actor_id;

    IF p_amount > v_available THEN
        CALL sum_available(p_payer_id, v_available);
    END IF;

    IF p_payer_id IS NULL OR v_generation <> p_generation THEN
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
               COALESCE(max_debit_day, max_debit_month) IS NOT NULL, person_to_person,
               c.above, c.day_above, c.new_payee_above
        INTO v_left, p_has_sums, p_person_to_person, p_confirm_above, p_confirm_day_above, p_confirm_new_payee_above
        FROM tier_limits l
        LEFT JOIN confirmation_rules c ON c.tier = l.tier AND c.valid_from <= v_now
        WHERE l.tier = p_tier AND l.valid_from <= v_now ORDER BY l.valid_from DESC, c.valid_from DESC LIMIT 1;
        IF v_left IS NULL THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a tier needs limits that are in force';
        END IF;
        IF p_amount > v_left THEN
            CALL check_debit_limits(p_payer_id, p_tier, p_amount, FALSE, v_now, v_limit, p_result);
        END IF;
        IF p_payee_phone IS NOT NULL AND v_debits >= 100 AND v_debits_until > v_now THEN
            CALL quota_of(p_actor_id, 100, 10000, v_allowed);
            IF v_debits >= v_allowed THEN
                SET v_ends_at = GREATEST(COALESCE(v_ends_at, v_debits_until), v_debits_until);
            END IF;
        END IF;
        IF v_limit IS NOT NULL THEN
            SET p_outcome = 'wallet_limit_exceeded';
        ELSEIF v_ends_at IS NOT NULL THEN
            SET p_outcome = 'too_many_lookups';
            CALL tell_retry(v_ends_at, p_result);
        END IF;
    END IF;
END//
DELIMITER ;

-- Internal. A payment from the actor's wallet to another, named by its id or by its owner's phone, inside the caller's
-- atomic block: 'done', or the code of a refusal, and then it is the caller who rolls back what this has done. The payer's
-- own reasons come first, without a lock and again under it; whatever is the payee's is 'payee_unavailable'. With
-- `p_generation` NULL it is paid whatever has become of the session in which it was asked for, but not
-- in the pause after a reset of the password; with `p_key` NULL it is a part of what was confirmed, or counted as
-- unconfirmed, as a whole.
DROP PROCEDURE IF EXISTS make_payment;
DELIMITER //
CREATE PROCEDURE make_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
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
    DECLARE v_balance, v_held, v_payee_balance, v_fee, v_unconfirmed BIGINT DEFAULT NULL;
    DECLARE v_confirm_above, v_confirm_day_above, v_confirm_new_payee_above BIGINT DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_person_to_person, v_has_sums, v_is_required BOOLEAN DEFAULT FALSE;
    DECLARE v_is_confirmed BOOLEAN DEFAULT p_key IS NULL;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_payer_last, v_payee_last, v_now DATETIME(6) DEFAULT NULL;

    CALL check_payer(p_actor_id, p_generation, p_payee_wallet_id, p_payee_phone, p_amount, p_outcome, p_result, v_payer_id,
                     v_payer_name, v_asked_tier, v_person_to_person, v_has_sums, v_confirm_above, v_confirm_day_above,
                     v_confirm_new_payee_above);
    IF p_outcome IS NULL THEN
        CALL refuse_payee(p_payee_wallet_id, p_payee_phone, v_person_to_person, p_outcome, p_result, v_payee_id,
                          v_payee_name, v_payee_kind);
    END IF;

    IF p_outcome IS NULL THEN
        -- one lock order for everybody, or two people who pay each other would deadlock
        IF v_payer_id < v_payee_id THEN
            CALL lock_payer_with_usage(v_payer_id, p_amount, p_transaction_id, v_payer_status, v_payer_tier, v_balance,
                                       v_held, v_payer_last, v_generation, v_unconfirmed, v_paused_until);
        END IF;
        CALL lock_credit(v_payee_id, v_payee_kind = 'merchant', v_slot, v_payee_status, v_payee_tier, v_payee_balance,
                         v_payee_last);
        IF v_payer_id > v_payee_id THEN
            CALL lock_payer_with_usage(v_payer_id, p_amount, p_transaction_id, v_payer_status, v_payer_tier, v_balance,
                                       v_held, v_payer_last, v_generation, v_unconfirmed, v_paused_until);
        END IF;
        -- a wallet's time never runs backwards, and no two of its entries have the same
        SET v_now = GREATEST(
            UTC_TIMESTAMP(6), v_payer_last + INTERVAL 1 MICROSECOND, v_payee_last + INTERVAL 1 MICROSECOND);

        IF v_generation <> p_generation THEN
            SET p_outcome = 'invalid_token';
        ELSEIF v_payer_status <> 'active' THEN
            SET p_outcome = 'wallet_frozen';
        ELSEIF p_amount > v_balance - v_held THEN
            SET p_outcome = 'insufficient_funds';
        ELSEIF p_generation IS NULL AND v_paused_until > UTC_TIMESTAMP(6) THEN
            SET p_outcome = 'confirmation_paused';
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

    -- last: nobody is asked to confirm what would be refused
    IF p_outcome IS NULL AND NOT v_is_confirmed THEN
        SET v_is_required = COALESCE(p_amount > v_confirm_above, FALSE)
            OR COALESCE(v_unconfirmed + p_amount > v_confirm_day_above, FALSE);
        IF v_payer_tier <> v_asked_tier THEN
            SET p_outcome = 'try_again'; -- the rules are another tier's
        ELSEIF v_is_required OR p_amount > v_confirm_new_payee_above THEN
            CALL use_confirmation(p_actor_id, p_key, p_request_hash, p_generation, 'payment', v_payer_id, v_payee_id, NULL,
                                  v_payee_name, p_amount, v_paused_until, v_is_required, p_transaction_id, p_outcome,
                                  p_result, v_is_confirmed);
        END IF;
    END IF;

    IF p_outcome IS NULL THEN
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, reference, created_at)
        VALUES (p_transaction_id, 'payment', p_amount, 'INR', p_actor_id, p_description, p_reference, v_now);
        CALL post_entry(p_transaction_id, v_payer_id, 0, v_payee_id, v_slot, p_amount, v_now);
        CALL record_debit_usage(v_payer_id, p_amount, v_now, v_is_confirmed);
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
    IN p_generation INT UNSIGNED,
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
        CALL make_payment(p_actor_id, p_key, p_request_hash, p_generation, p_transaction_id, p_payee_wallet_id,
                          p_payee_phone, p_amount, p_description, p_reference, v_outcome, v_result);
    END IF;
    IF v_outcome = 'done' THEN
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SELECT v_outcome AS outcome, v_result AS result;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_actor_id, p_key, p_request_hash, p_transaction_id, 'payment', v_outcome, v_result);
        CALL answer_payer(p_actor_id, v_outcome, v_result);
    END IF;
END//
DELIMITER ;

-- Pays one row, or finds that it has been paid or refused already. Its payment and what is written here of it are one
-- commit, and the row's lock lets one caller at a time at it. A refusal undoes all that the payment began (holds that
-- were ended, slots that were gathered), and is written down; for a payee's sake it is counted like any other. For the
-- payer's own sake it is that of all other rows which it would be: `also_refused` are so many. Files go on when the session
-- ends in which they came.
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
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_actor_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount BIGINT DEFAULT NULL;
    DECLARE v_also_refused INT UNSIGNED DEFAULT 0;
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
        CALL make_payment(v_actor_id, NULL, NULL, NULL, p_transaction_id, v_payee_id, v_phone, v_amount, v_description,
                          v_reference, v_outcome, v_result);
        IF v_outcome = 'done' THEN
            SET v_status = 'paid';
        ELSE
            ROLLBACK TO SAVEPOINT before_the_payment;
            IF v_outcome = 'payee_unavailable' THEN
                CALL count_failed_lookup(v_actor_id, v_outcome, v_result);
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
    -- 'person_to_person' is about the payee as well: others of the file may be merchants
    IF v_outcome IN ('wallet_frozen', 'confirmation_paused', 'insufficient_funds', 'too_many_lookups')
            OR (v_outcome = 'wallet_limit_exceeded'
                AND JSON_UNQUOTE(JSON_EXTRACT(v_result, '$.limit')) <> 'person_to_person') THEN
        CALL refuse_other_rows(p_bulk_payment_id, v_outcome, v_outcome = 'too_many_lookups' AND v_phone IS NOT NULL,
                               v_result, v_also_refused);
    END IF;
    SELECT IF(v_status IS NULL, 'not_found', 'done') AS outcome,
           JSON_OBJECT('status', v_status, 'refusal', v_refusal, 'also_refused', v_also_refused + 0) AS result;
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
    IN p_generation INT UNSIGNED,
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
    DECLARE v_balance, v_held, v_placed, v_unconfirmed BIGINT DEFAULT NULL;
    DECLARE v_confirm_above, v_confirm_day_above, v_confirm_new_payee_above BIGINT DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_person_to_person, v_has_sums, v_is_required, v_is_confirmed BOOLEAN DEFAULT FALSE;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_last, v_now, v_expires_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SET v_outcome = NULL;
        CALL check_payer(p_actor_id, p_generation, p_payee_wallet_id, p_payee_phone, p_amount, v_outcome, v_result,
                         v_payer_id, v_payer_name, v_asked_tier, v_person_to_person, v_has_sums, v_confirm_above,
                         v_confirm_day_above, v_confirm_new_payee_above);
    END IF;
    IF v_outcome IS NULL THEN
        CALL refuse_payee(p_payee_wallet_id, p_payee_phone, v_person_to_person, v_outcome, v_result, v_payee_id,
                          v_payee_name, v_payee_kind);
    END IF;

    IF v_outcome IS NULL THEN
        CALL lock_payer_with_usage(v_payer_id, p_amount, p_hold_id, v_status, v_tier, v_balance, v_held, v_last,
                                   v_generation, v_unconfirmed, v_paused_until);
        SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last);
        -- of the clock that will end it, which may be behind the wallet's own time
        SET v_expires_at = UTC_TIMESTAMP(6) + INTERVAL p_valid_seconds SECOND;
        SELECT COUNT(*) INTO v_placed FROM holds WHERE payer_wallet_id = v_payer_id AND status = 'placed';
        IF v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_status <> 'active' THEN
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

    -- last: nobody is asked to confirm what would be refused
    IF v_outcome IS NULL THEN
        SET v_is_required = COALESCE(p_amount > v_confirm_above, FALSE)
            OR COALESCE(v_unconfirmed + p_amount > v_confirm_day_above, FALSE);
        IF v_tier <> v_asked_tier THEN
            SET v_outcome = 'try_again'; -- the rules are another tier's
        ELSEIF v_is_required OR p_amount > v_confirm_new_payee_above THEN
            CALL use_confirmation(p_actor_id, p_key, p_request_hash, p_generation, 'hold', v_payer_id, v_payee_id, NULL,
                                  v_payee_name, p_amount, v_paused_until, v_is_required, p_hold_id, v_outcome, v_result,
                                  v_is_confirmed);
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        INSERT INTO holds (id, payer_wallet_id, payee_wallet_id, amount, captured, currency, status, description,
                           created_at, expires_at, ended_at)
        VALUES (p_hold_id, v_payer_id, v_payee_id, p_amount, 0, 'INR', 'placed', p_description, v_now,
                v_expires_at, NULL);
        CALL set_aside(v_payer_id, p_amount, 'hold', p_hold_id, v_now);
        CALL record_debit_usage(v_payer_id, p_amount, v_now, v_is_confirmed);
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
        CALL open_confirmation(p_actor_id, p_key, p_request_hash, p_hold_id, 'hold', v_outcome, v_result);
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
    IN p_generation INT UNSIGNED,
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
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_is_paused BOOLEAN DEFAULT FALSE;
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
        -- behind the lock of the payee's wallet, or of one of its slots: who ends sessions takes them all
        SELECT payee.session_generation, COALESCE(payer.paused_until > UTC_TIMESTAMP(6), FALSE)
        INTO v_generation, v_is_paused
        FROM wallets payee JOIN wallets payer ON payer.id = v_payer_id WHERE payee.id = v_payee_id;
        SET v_amount = COALESCE(p_amount, v_left);
        SET v_now = GREATEST(
            UTC_TIMESTAMP(6), v_payer_last + INTERVAL 1 MICROSECOND, v_payee_last + INTERVAL 1 MICROSECOND);
        CALL refuse_credit(v_payee_id, v_payee_tier, v_payee_balance, v_amount, v_kind = 'personal', v_now, v_reason);
        IF v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_status <> 'placed' OR v_expires_at <= UTC_TIMESTAMP(6) OR v_payer_status <> 'active'
            OR v_is_paused THEN
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

-- Sets the money of a withdrawal aside, and its fee, before anybody is asked to pay it out: it is no longer
-- available, and still in the wallet. A replay answers what was answered first. Nobody is asked before `claim_payout`, or
-- the reconciler's `claim_withdrawal_check`, allows it.
-- To a VPA that the wallet has not known for long (`new_vpa_wait_s` of its tier) nobody is asked until then: its owner is told,
-- and may cancel it. Nor is anybody asked behind a reset (`paused_until`): the answer's `waits_until` is the later of the two.
DROP PROCEDURE IF EXISTS request_withdrawal;
DELIMITER //
CREATE PROCEDURE request_withdrawal(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_withdrawal_id BINARY(16),
    IN p_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_vpa VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_total, v_held, v_fee BIGINT DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_unconfirmed, v_confirm_above, v_confirm_day_above BIGINT DEFAULT NULL;
    DECLARE v_new_vpa_wait_s INT UNSIGNED DEFAULT 0;
    DECLARE v_is_allowed, v_confirm_new_vpa BOOLEAN DEFAULT NULL;
    DECLARE v_is_confirmed, v_is_new_vpa BOOLEAN DEFAULT FALSE;
    DECLARE v_last, v_now, v_known_from, v_paused_until, v_waits_until DATETIME(6) DEFAULT NULL;
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
        CALL lock_payer_with_usage(v_wallet_id, p_amount + v_fee, p_withdrawal_id, v_status, v_tier, v_total, v_held,
                                   v_last, v_generation, v_unconfirmed, v_paused_until);
        SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
        IF v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF p_amount < 100 THEN
            SET v_outcome = 'amount_out_of_range';
        ELSEIF p_amount + v_fee > v_total - v_held THEN
            SET v_outcome = 'insufficient_funds';
        ELSE
            CALL check_debit_limits(v_wallet_id, v_tier, p_amount, FALSE, v_now, v_limit, v_result);
            SELECT l.withdrawals, c.above, c.day_above, COALESCE(c.new_vpa, FALSE), COALESCE(c.new_vpa_wait_s, 0),
                   v.known_from
            INTO v_is_allowed, v_confirm_above, v_confirm_day_above, v_confirm_new_vpa, v_new_vpa_wait_s, v_known_from
            FROM tier_limits l
            LEFT JOIN confirmation_rules c ON c.tier = l.tier AND c.valid_from <= v_now
            LEFT JOIN known_vpas v ON v.wallet_id = v_wallet_id AND v.vpa = p_vpa
            WHERE l.tier = v_tier AND l.valid_from <= v_now ORDER BY l.valid_from DESC, c.valid_from DESC LIMIT 1;
            IF v_limit IS NOT NULL THEN
                SET v_outcome = 'wallet_limit_exceeded';
            ELSEIF NOT v_is_allowed THEN
                CALL tell_limit('withdrawals', v_outcome, v_result);
            END IF;
        END IF;
    END IF;

    -- last: nobody is asked to confirm what would be refused
    IF v_outcome IS NULL AND (p_amount > v_confirm_above OR v_unconfirmed + p_amount > v_confirm_day_above
            OR v_confirm_new_vpa AND COALESCE(v_known_from > v_now, TRUE)) THEN
        CALL use_confirmation(
            p_actor_id, p_key, p_request_hash, p_generation, 'withdrawal', v_wallet_id, NULL, p_vpa, NULL, p_amount,
            v_paused_until, TRUE, p_withdrawal_id, v_outcome, v_result, v_is_confirmed);
    END IF;

    IF v_outcome IS NULL THEN
        CALL set_aside(v_wallet_id, p_amount + v_fee, 'withdrawal', p_withdrawal_id, v_now);
        CALL record_debit_usage(v_wallet_id, p_amount, v_now, v_is_confirmed);
        IF v_known_from IS NULL THEN
            SET v_known_from = v_now + INTERVAL v_new_vpa_wait_s SECOND;
            INSERT INTO known_vpas (wallet_id, vpa, known_from) VALUES (v_wallet_id, p_vpa, v_known_from);
            SET v_is_new_vpa = TRUE;
        END IF;
        INSERT INTO withdrawals
            (id, wallet_id, provider, vpa, amount, fee, currency, status, created_at, next_check_at, checks, asked,
             waits_until)
        VALUES (p_withdrawal_id, v_wallet_id, p_provider, p_vpa, p_amount, v_fee, 'INR', 'pending', v_now,
                GREATEST(v_now + INTERVAL p_first_check_seconds SECOND, v_known_from), 0, FALSE,
                IF(v_known_from > v_now, v_known_from, NULL));
        CALL note_withdrawal(p_withdrawal_id, 'WithdrawalRequested', v_now);
        SET v_waits_until = GREATEST(v_known_from, COALESCE(v_paused_until, v_known_from));
        IF v_is_new_vpa OR v_known_from > v_now THEN
            CALL note_event(v_wallet_id, NULL, 'WithdrawalAddressAdded', JSON_OBJECT(
                'withdrawal_id', LOWER(HEX(p_withdrawal_id)), 'amount', p_amount + 0, 'currency', 'INR',
                'waits_until', DATE_FORMAT(v_waits_until, '%Y-%m-%dT%H:%i:%s.%f')), v_now);
        END IF;
        -- "+ 0": MariaDB's JSON_OBJECT shows a bare integer variable as a string
        SET v_result = JSON_OBJECT(
            'withdrawal_id', LOWER(HEX(p_withdrawal_id)), 'amount', p_amount + 0, 'fee', v_fee + 0, 'currency', 'INR',
            'vpa', p_vpa, 'payee_name', v_name, 'balance', v_total + 0, 'held', v_held + p_amount + v_fee,
            'waits_until', IF(v_waits_until > v_now, DATE_FORMAT(v_waits_until, '%Y-%m-%dT%H:%i:%s.%f'), NULL),
            'created_at', DATE_FORMAT(v_now, '%Y-%m-%dT%H:%i:%s.%f'));
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SET v_outcome = 'done';
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_actor_id, p_key, p_request_hash, p_withdrawal_id, 'withdrawal', v_outcome, v_result);
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Internal. Cancels a withdrawal that nobody was asked to pay: what was set aside is available again. 'done', also if it was
-- cancelled before; 'withdrawal_sent' once somebody may have been asked, whatever the provider says of it.
DROP PROCEDURE IF EXISTS cancel_unsent_withdrawal;
DELIMITER //
CREATE PROCEDURE cancel_unsent_withdrawal(
    IN p_withdrawal_id BINARY(16),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_vpa VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_unsent, v_cancelled, v_was_asked BOOLEAN DEFAULT FALSE;

    SELECT wallet_id, vpa, status = 'pending' AND NOT asked AND provider_payout_id IS NULL,
           status = 'failed' AND COALESCE(reason = 'cancelled' AND NOT asked, FALSE)
    INTO v_wallet_id, v_vpa, v_unsent, v_cancelled
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    SET p_outcome = IF(v_unsent OR v_cancelled, 'done', 'withdrawal_sent');
    IF v_unsent THEN
        CALL free_withdrawal(p_withdrawal_id, 'cancelled');
        -- what is stopped was perhaps a thief's: if nobody was ever asked to pay there, it is as new as before. Who is about
        -- to ask waits for the wallet's lock; a DELETE that looked for itself would lock the wallet's other withdrawals
        SELECT EXISTS (SELECT 1 FROM withdrawals WHERE wallet_id = v_wallet_id AND vpa = v_vpa AND asked) INTO v_was_asked;
        IF NOT v_was_asked THEN
            DELETE FROM known_vpas WHERE wallet_id = v_wallet_id AND vpa = v_vpa;
        END IF;
    END IF;
END//
DELIMITER ;

-- Its owner cancels a withdrawal that nobody was asked to pay. Cancelled again it stays cancelled. A wallet that is frozen or
-- being closed stops nobody: nothing leaves it.
DROP PROCEDURE IF EXISTS cancel_withdrawal;
DELIMITER //
CREATE PROCEDURE cancel_withdrawal(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_withdrawal_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_is_own BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        -- before anything of it is locked (an IF would lock what it looks at): a stranger keeps nobody waiting
        SELECT EXISTS (SELECT 1 FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id
                       WHERE d.id = p_withdrawal_id AND w.user_id = p_actor_id) INTO v_is_own;
        IF v_is_own THEN
            CALL cancel_unsent_withdrawal(p_withdrawal_id, v_outcome);
        ELSE
            SET v_outcome = 'not_found';
        END IF;
        SELECT session_generation INTO v_generation FROM wallets WHERE user_id = p_actor_id;
        IF v_outcome <> 'not_found' AND v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        END IF;
        IF v_outcome = 'done' THEN
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
    DECLARE v_open, v_waits BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT wallet_id, status = 'pending' AND NOT asked, COALESCE(waits_until > UTC_TIMESTAMP(6), FALSE)
    INTO v_wallet_id, v_open, v_waits
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    IF v_open THEN
        SELECT status, v_waits OR COALESCE(paused_until > UTC_TIMESTAMP(6), FALSE) INTO v_status, v_waits
        FROM wallets WHERE id = v_wallet_id FOR UPDATE;
        SET v_outcome = IF(v_status = 'active' AND NOT v_waits, 'done', 'paused');
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
    DECLARE v_waits_until, v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- the row first and by its key, as everybody locks it; by the index of due times two could meet crosswise
    SELECT next_check_at <= v_now AND checks = p_checks, status = 'pending' AND provider_payout_id IS NULL, asked, wallet_id,
           waits_until
    INTO v_due, v_unpaid, v_asked, v_wallet_id, v_waits_until
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    IF v_due AND v_unpaid THEN
        SELECT status, paused_until INTO v_wallet_status, v_paused_until
        FROM wallets WHERE id = v_wallet_id FOR UPDATE;
        SET v_waits_until = GREATEST(COALESCE(v_waits_until, v_now), COALESCE(v_paused_until, v_now));
        SET v_may_send = v_wallet_status = 'active' AND v_waits_until <= v_now;
    END IF;
    IF v_due AND v_unpaid AND NOT v_asked AND NOT v_may_send THEN
        SET v_outcome = 'paused';
        UPDATE withdrawals
        SET next_check_at = IF(v_waits_until > v_now, v_waits_until, v_now + INTERVAL 1 HOUR) WHERE id = p_withdrawal_id;
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

-- Withdrawals that nobody was asked to pay, which their owner or an operator may stop, and until when they wait, NULL if for
-- nothing that ends by itself: for an address that is new, and behind a reset.
DROP VIEW IF EXISTS unsent_withdrawals;
CREATE VIEW unsent_withdrawals AS
SELECT d.id, IF(GREATEST(COALESCE(d.waits_until, w.paused_until), COALESCE(w.paused_until, d.waits_until)) > UTC_TIMESTAMP(6),
                GREATEST(COALESCE(d.waits_until, w.paused_until), COALESCE(w.paused_until, d.waits_until)), NULL)
           AS waits_until
FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id
WHERE d.status = 'pending' AND NOT d.asked AND d.provider_payout_id IS NULL;

-- A withdrawal of the actor's own.
DROP PROCEDURE IF EXISTS find_withdrawal;
DELIMITER //
CREATE PROCEDURE find_withdrawal(IN p_withdrawal_id BINARY(16), IN p_actor_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT d.id, d.status, d.amount, d.fee, d.currency, d.vpa, d.reason, d.created_at, v.waits_until
    FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id LEFT JOIN unsent_withdrawals v ON v.id = d.id
    WHERE d.id = p_withdrawal_id AND w.user_id = p_actor_id;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- Takes a file in, whole, or not at all; nothing is paid here. `p_rows` is a JSON array with an array for each row:
-- its line, the payee's wallet (hexadecimal), the payee's phone, amount, description, reference.
DROP PROCEDURE IF EXISTS open_bulk_payment;
DELIMITER //
CREATE PROCEDURE open_bulk_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_bulk_payment_id BINARY(16),
    IN p_row_count INT UNSIGNED,
    IN p_total BIGINT,
    IN p_rows LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_refusal VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_unconfirmed, v_confirm_above, v_confirm_day_above, v_confirm_new_payee_above BIGINT DEFAULT NULL;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_today, v_unconfirmed_on DATE DEFAULT NULL;
    DECLARE v_is_confirmed BOOLEAN DEFAULT FALSE;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT w.id, w.session_generation, w.paused_until,
               IF(w.unconfirmed_on = DATE(v_now + INTERVAL 330 MINUTE), w.unconfirmed_day, 0), c.above, c.day_above,
               c.new_payee_above
        INTO v_wallet_id, v_generation, v_paused_until, v_unconfirmed, v_confirm_above, v_confirm_day_above,
             v_confirm_new_payee_above
        FROM wallets w
        LEFT JOIN confirmation_rules c ON c.tier = w.tier AND c.valid_from <= v_now
        WHERE w.user_id = p_actor_id ORDER BY c.valid_from DESC LIMIT 1;
        IF v_wallet_id IS NULL OR v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        END IF;
    END IF;
    IF v_outcome = 'claimed' THEN
        CALL check_bulk_quota(p_actor_id, p_bulk_payment_id, p_row_count, v_outcome, v_result);
    END IF;
    -- the file as a whole; whether each payee of its rows is new nobody asks
    IF v_outcome = 'claimed' AND (p_total > v_confirm_above OR v_unconfirmed + p_total > v_confirm_day_above
            OR p_total > v_confirm_new_payee_above) THEN
        CALL use_confirmation(p_actor_id, p_key, p_request_hash, p_generation, 'bulk_payment', v_wallet_id, NULL, NULL, NULL,
                              p_total, v_paused_until, TRUE, p_bulk_payment_id, v_refusal, v_result, v_is_confirmed);
        SET v_outcome = COALESCE(v_refusal, v_outcome);
    END IF;

    IF v_outcome = 'claimed' THEN
        INSERT INTO bulk_payments (id, user_id, row_count, total, currency, status, created_at, leased_until)
        VALUES (p_bulk_payment_id, p_actor_id, p_row_count, p_total, 'INR', 'running', v_now, v_now);
        INSERT INTO bulk_payment_rows
            (bulk_payment_id, line, payee_wallet_id, payee_phone, amount, description, reference, status)
        SELECT p_bulk_payment_id, told.line, UNHEX(told.wallet_id), told.phone, told.amount, told.description,
               told.reference, 'waiting'
        FROM JSON_TABLE(p_rows, '$[*]' COLUMNS (
            line        INT          PATH '$[0]' ERROR ON ERROR,
            wallet_id   VARCHAR(32)  PATH '$[1]' ERROR ON ERROR,
            phone       VARCHAR(16)  PATH '$[2]' ERROR ON ERROR,
            amount      BIGINT       PATH '$[3]' ERROR ON ERROR,
            description VARCHAR(200) PATH '$[4]' ERROR ON ERROR,
            reference   VARCHAR(64)  PATH '$[5]' ERROR ON ERROR)) told;
        IF ROW_COUNT() <> p_row_count THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a bulk payment has as many rows as it says';
        END IF;
        IF p_total <> (SELECT SUM(amount) FROM bulk_payment_rows WHERE bulk_payment_id = p_bulk_payment_id) THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a bulk payment comes to what it says';
        END IF;
        -- "+ 0": MariaDB's JSON_OBJECT shows a bare integer variable as a string
        SET v_result = JSON_OBJECT(
            'bulk_payment_id', LOWER(HEX(p_bulk_payment_id)), 'row_count', p_row_count + 0, 'total', p_total + 0,
            'currency', 'INR', 'created_at', DATE_FORMAT(v_now, '%Y-%m-%dT%H:%i:%s.%f'));
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        -- last, as the rows of a large file take their time, and nobody who is paid meanwhile should wait
        SELECT session_generation, DATE(GREATEST(UTC_TIMESTAMP(6), last_entry_at) + INTERVAL 330 MINUTE), unconfirmed_on,
               unconfirmed_day
        INTO v_generation, v_today, v_unconfirmed_on, v_unconfirmed FROM wallets WHERE id = v_wallet_id FOR UPDATE;
        SET v_unconfirmed = IF(v_unconfirmed_on = v_today, v_unconfirmed, 0);
        SET v_outcome = CASE
            WHEN v_generation <> p_generation THEN 'invalid_token'
            -- another file has come meanwhile, and it is for the caller to ask again
            WHEN NOT v_is_confirmed AND v_unconfirmed + p_total > v_confirm_day_above THEN 'try_again'
            ELSE 'done' END;
    END IF;
    IF v_outcome = 'done' AND NOT v_is_confirmed THEN
        UPDATE wallets
        SET unconfirmed_day = LEAST(v_unconfirmed + p_total, 9007199254740991), unconfirmed_on = v_today
        WHERE id = v_wallet_id;
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_actor_id, p_key, p_request_hash, p_bulk_payment_id, 'bulk_payment', v_outcome, v_result);
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Puts every row that has been refused back among the waiting ones, once per key.
DROP PROCEDURE IF EXISTS retry_bulk_payment;
DELIMITER //
CREATE PROCEDURE retry_bulk_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_bulk_payment_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_refusal VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_id, v_retry_id BINARY(16) DEFAULT NULL;
    DECLARE v_is_same BOOLEAN DEFAULT FALSE;
    DECLARE v_total BIGINT DEFAULT 0;
    DECLARE v_unconfirmed, v_confirm_above, v_confirm_day_above, v_confirm_new_payee_above BIGINT DEFAULT NULL;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_today, v_unconfirmed_on DATE DEFAULT NULL;
    DECLARE v_is_confirmed BOOLEAN DEFAULT FALSE;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_retried BIGINT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT status INTO v_status FROM bulk_payments
        WHERE id = p_bulk_payment_id AND user_id = p_actor_id FOR UPDATE;
        IF v_status IS NULL THEN
            SET v_outcome = 'not_found';
        END IF;
    END IF;
    IF v_outcome = 'claimed' THEN
        SELECT COUNT(*), COALESCE(SUM(amount), 0) INTO v_retried, v_total FROM bulk_payment_rows
        WHERE bulk_payment_id = p_bulk_payment_id AND status = 'refused';
        CALL check_bulk_quota(p_actor_id, p_bulk_payment_id, v_retried, v_outcome, v_result);
    END IF;
    -- as much of it as is tried again is confirmed again: somebody else may try than sent the file, and have another reason
    IF v_outcome = 'claimed' AND v_total > 0 THEN
        SELECT w.id, w.paused_until,
               IF(w.unconfirmed_on = DATE(UTC_TIMESTAMP(6) + INTERVAL 330 MINUTE), w.unconfirmed_day, 0), c.above,
               c.day_above, c.new_payee_above
        INTO v_wallet_id, v_paused_until, v_unconfirmed, v_confirm_above, v_confirm_day_above, v_confirm_new_payee_above
        FROM wallets w
        LEFT JOIN confirmation_rules c ON c.tier = w.tier AND c.valid_from <= UTC_TIMESTAMP(6)
        WHERE w.user_id = p_actor_id ORDER BY c.valid_from DESC LIMIT 1;
        IF v_total > v_confirm_above OR v_unconfirmed + v_total > v_confirm_day_above
                OR v_total > v_confirm_new_payee_above THEN
            CALL derive_id(p_bulk_payment_id, LEFT(SHA2(p_key, 256), 32), v_retry_id);
            CALL use_confirmation(p_actor_id, p_key, p_request_hash, p_generation, 'bulk_payment', v_wallet_id, NULL, NULL,
                                  NULL, v_total, v_paused_until, TRUE, v_retry_id, v_refusal, v_result, v_is_confirmed);
            SET v_outcome = COALESCE(v_refusal, v_outcome);
        END IF;
    END IF;

    IF v_outcome = 'claimed' THEN
        UPDATE bulk_payment_rows SET status = 'waiting', refusal = NULL, ended_at = NULL
        WHERE bulk_payment_id = p_bulk_payment_id AND status = 'refused';
        SET v_is_same = ROW_COUNT() = v_retried;
        IF v_retried > 0 AND v_status = 'finished' THEN
            SET v_status = 'running';
            UPDATE bulk_payments SET status = v_status, finished_at = NULL WHERE id = p_bulk_payment_id;
        END IF;
        SET v_result = JSON_OBJECT(
            'bulk_payment_id', LOWER(HEX(p_bulk_payment_id)), 'status', v_status, 'retried', v_retried + 0);
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        -- last, as the rows of a large file take their time, and nobody who is paid meanwhile should wait
        SELECT session_generation, DATE(GREATEST(UTC_TIMESTAMP(6), last_entry_at) + INTERVAL 330 MINUTE), unconfirmed_on,
               unconfirmed_day
        INTO v_generation, v_today, v_unconfirmed_on, v_unconfirmed FROM wallets WHERE user_id = p_actor_id FOR UPDATE;
        SET v_unconfirmed = IF(v_unconfirmed_on = v_today, v_unconfirmed, 0);
        SET v_outcome = CASE
            WHEN v_generation <> p_generation THEN 'invalid_token'
            -- a row was refused meanwhile, which nobody has confirmed
            WHEN NOT v_is_same THEN 'try_again'
            WHEN NOT v_is_confirmed AND v_unconfirmed + v_total > v_confirm_day_above THEN 'try_again'
            ELSE 'done' END;
    END IF;
    IF v_outcome = 'done' AND NOT v_is_confirmed AND v_total > 0 THEN
        UPDATE wallets
        SET unconfirmed_day = LEAST(v_unconfirmed + v_total, 9007199254740991), unconfirmed_on = v_today
        WHERE user_id = p_actor_id;
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_actor_id, p_key, p_request_hash, v_retry_id, 'bulk_payment', v_outcome, v_result);
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
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
        CALL pause_wallet(p_wallet_id, v_now);
        -- whose they are is what the two people have looked at, and not at these
        DELETE FROM passkeys WHERE user_id = v_user_id;
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

-- Another password for whoever proves the phone: every session ends. `not_found` if the
-- phone is nobody's; 'operator_needed' if its owner has not been here for so many days: the number may have another one now.
-- Running it again changes nothing.
DROP PROCEDURE IF EXISTS reset_password;
DELIMITER //
CREATE PROCEDURE reset_password(
    IN p_reset_id BINARY(16),
    IN p_proof_hash BINARY(32),
    IN p_passkey_proof_hash BINARY(32),
    IN p_password_hash VARBINARY(60),
    IN p_seen_within_days INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_phone, v_passkeys_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_user_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_password_hash VARBINARY(60) DEFAULT NULL;
    DECLARE v_seen_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL use_phone_proof(p_proof_hash, 'reset_password', p_reset_id, v_phone);
    IF p_passkey_proof_hash IS NOT NULL THEN
        CALL use_phone_proof(p_passkey_proof_hash, 'passkey_reset', p_reset_id, v_passkeys_phone);
        SET v_phone = IF(v_passkeys_phone = v_phone, v_phone, NULL);
    END IF;
    SELECT id, password_hash, COALESCE(signed_in_at, created_at) INTO v_user_id, v_password_hash, v_seen_at
    FROM users WHERE phone = v_phone FOR UPDATE;
    SELECT GREATEST(v_seen_at, COALESCE(MAX(last_used_at), v_seen_at)) INTO v_seen_at
    FROM sessions WHERE user_id = v_user_id;
    SET v_outcome = CASE
        WHEN v_phone IS NULL THEN 'invalid_proof'
        WHEN v_user_id IS NULL OR EXISTS (SELECT 1 FROM wallets WHERE user_id = v_user_id AND status = 'closed')
            THEN 'not_found'
        WHEN v_seen_at < v_now - INTERVAL p_seen_within_days DAY AND v_passkeys_phone IS NULL THEN 'operator_needed'
        ELSE 'done' END;
    IF v_outcome = 'done' AND v_password_hash <> p_password_hash THEN -- else it is our own commit, whose answer was lost
        SELECT id INTO v_wallet_id FROM wallets WHERE user_id = v_user_id;
        CALL end_sessions(v_user_id, NULL, NULL, v_now);
        UPDATE users SET password_hash = p_password_hash WHERE id = v_user_id;
        CALL pause_wallet(v_wallet_id, v_now);
        CALL note_event(v_wallet_id, NULL, 'PasswordReset', JSON_OBJECT(), v_now);
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Forgets what no sign-in needs any more: counts whose time is over, and proofs and sessions a month past their end (kept
-- that long so that an old token that comes back still finds it, and its owner can look).
DROP PROCEDURE IF EXISTS sweep_identity;
DELIMITER //
CREATE PROCEDURE sweep_identity()
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DELETE FROM quotas WHERE window_ends_at < UTC_TIMESTAMP(6) LIMIT 1000;
    DELETE FROM phone_proofs WHERE expires_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY LIMIT 1000;
    DELETE t FROM session_tokens t
    JOIN (SELECT id FROM sessions WHERE ends_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY ORDER BY ends_at LIMIT 100) s
        ON s.id = t.session_id;
    DELETE FROM sessions WHERE ends_at < UTC_TIMESTAMP(6) - INTERVAL 30 DAY
        AND NOT EXISTS (SELECT 1 FROM session_tokens t WHERE t.session_id = sessions.id) ORDER BY ends_at LIMIT 100;
    -- one that was used stays: it is the evidence of who confirmed what
    DELETE FROM confirmations WHERE used_for IS NULL AND expires_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY
    ORDER BY expires_at LIMIT 1000;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Internal. After a reset of the password, or another phone, nothing of a wallet is confirmed for as long as its tier says.
-- The wallet is locked.
DROP PROCEDURE IF EXISTS pause_wallet;
DELIMITER //
CREATE PROCEDURE pause_wallet(IN p_wallet_id BINARY(16), IN p_at DATETIME(6))
MODIFIES SQL DATA
BEGIN
    DECLARE v_wait_s INT UNSIGNED DEFAULT 0;

    SELECT c.reset_wait_s INTO v_wait_s FROM wallets w JOIN confirmation_rules c ON c.tier = w.tier
    WHERE w.id = p_wallet_id AND c.valid_from <= p_at ORDER BY c.valid_from DESC LIMIT 1;
    IF v_wait_s > 0 THEN
        UPDATE wallets
        SET paused_until = GREATEST(COALESCE(paused_until, p_at), p_at + INTERVAL v_wait_s SECOND) WHERE id = p_wallet_id;
    END IF;
END//
DELIMITER ;

-- Internal. Locks a confirmation of somebody's who asks in a session. `p_outcome` is NULL if it is open, or granted and not
-- used yet; 'invalid_token' if the session has ended, 'not_found' for another's, 'confirmation_ended', or
-- 'confirmation_paused' with the seconds to wait.
DROP PROCEDURE IF EXISTS lock_confirmation;
DELIMITER //
CREATE PROCEDURE lock_confirmation(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_confirmation_id BINARY(16),
    IN p_now DATETIME(6),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
READS SQL DATA
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_is_open BOOLEAN DEFAULT FALSE;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;

    -- first the wallet, as whoever uses a confirmation locks them
    SELECT session_generation, paused_until INTO v_generation, v_paused_until
    FROM wallets WHERE user_id = p_user_id FOR UPDATE;
    SELECT id, used_for IS NULL AND (expires_at > p_now AND tries < 5
                                     OR COALESCE(granted_until > p_now AND granted_in = v_generation, FALSE))
    INTO v_id, v_is_open FROM confirmations WHERE id = p_confirmation_id AND user_id = p_user_id FOR UPDATE;
    IF v_generation IS NULL OR v_generation <> p_generation THEN
        SET p_outcome = 'invalid_token';
    ELSEIF v_id IS NULL THEN
        SET p_outcome = 'not_found';
    ELSEIF NOT v_is_open THEN
        SET p_outcome = 'confirmation_ended';
    ELSEIF v_paused_until > p_now THEN
        SET p_outcome = 'confirmation_paused';
        CALL tell_retry(v_paused_until, p_result);
    END IF;
END//
DELIMITER ;

-- Writes a code down that is to be sent for a confirmation: three at most for one, in a day so many of a session that come to
-- nothing, and ten times as many of a user, whatever comes of them ('too_many_codes' with the seconds to wait). What it is for, and the phone,
-- are in the result. It is good for as long as the confirmation is, which a late code prolongs to ten minutes.
DROP PROCEDURE IF EXISTS ask_for_confirmation_code;
DELIMITER //
CREATE PROCEDURE ask_for_confirmation_code(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_confirmation_id BINARY(16),
    IN p_code_hash BINARY(32),
    IN p_session_quota BINARY(32),
    IN p_user_quota BINARY(32),
    IN p_codes_per_day INT UNSIGNED,
    IN p_pause_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_code_hash BINARY(32) DEFAULT NULL;
    DECLARE v_codes TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_wait, v_unused INT UNSIGNED DEFAULT NULL;
    DECLARE v_is_granted BOOLEAN DEFAULT FALSE;
    DECLARE v_sent_at, v_expires_at, v_free_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_confirmation(p_user_id, p_generation, p_confirmation_id, v_now, v_outcome, v_result);
    IF v_outcome IS NULL THEN
        SELECT code_hash, codes, code_sent_at, expires_at, granted_at IS NOT NULL
        INTO v_code_hash, v_codes, v_sent_at, v_expires_at, v_is_granted FROM confirmations WHERE id = p_confirmation_id;
        SET v_free_at = CASE
            WHEN v_codes >= 3 THEN v_expires_at
            WHEN v_codes > 0 THEN v_sent_at + INTERVAL p_pause_seconds * (1 << (v_codes - 1)) SECOND
            ELSE v_now END;
        IF v_is_granted THEN
            SET v_outcome = 'confirmation_ended';
        ELSEIF COALESCE(v_code_hash = p_code_hash, FALSE) THEN
            SET v_outcome = 'done'; -- our own commit, whose answer was lost
        ELSEIF v_free_at > v_now THEN
            SET v_outcome = 'too_many_codes';
            CALL tell_retry(v_free_at, v_result);
        ELSE
            -- a thief in another session uses up their own; and for nobody there are messages without end
            CALL count_use(p_user_quota, 10 * p_codes_per_day, 86400, 10 * p_codes_per_day, 0, v_now, v_wait, v_unused);
            IF v_wait IS NULL THEN
                CALL count_use(p_session_quota, p_codes_per_day, 86400, p_codes_per_day, 0, v_now, v_wait, v_unused);
            END IF;
            IF v_wait IS NULL THEN
                SET v_codes = v_codes + 1;
                SET v_sent_at = v_now;
                SET v_expires_at = GREATEST(v_expires_at, v_now + INTERVAL 10 MINUTE);
                UPDATE confirmations
                SET code_hash = p_code_hash, codes = v_codes, code_sent_at = v_now, expires_at = v_expires_at,
                    session_quota = p_session_quota
                WHERE id = p_confirmation_id;
                SET v_outcome = 'done';
            ELSE
                SET v_outcome = 'too_many_codes';
                SET v_result = JSON_OBJECT('retry_after_s', v_wait + 0);
            END IF;
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        SELECT JSON_OBJECT(
            'phone', u.phone, 'kind', c.kind, 'amount', c.amount, 'payee_name', c.payee_name, 'vpa', c.vpa,
            'resend_after_s', IF(v_codes >= 3, TIMESTAMPDIFF(SECOND, v_now, v_expires_at) + 1,
                                 p_pause_seconds * (1 << (v_codes - 1))),
            'expires_at', DATE_FORMAT(v_expires_at, '%Y-%m-%dT%H:%i:%s.%f'))
        INTO v_result FROM confirmations c JOIN users u ON u.id = c.user_id WHERE c.id = p_confirmation_id;
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Forgets a code that could not be sent, and takes it back from the counts.
DROP PROCEDURE IF EXISTS forget_confirmation_code;
DELIMITER //
CREATE PROCEDURE forget_confirmation_code(
    IN p_confirmation_id BINARY(16),
    IN p_code_hash BINARY(32),
    IN p_session_quota BINARY(32),
    IN p_user_quota BINARY(32)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    UPDATE confirmations SET code_hash = NULL, codes = codes - 1, code_sent_at = NULL
    WHERE id = p_confirmation_id AND code_hash = p_code_hash AND granted_at IS NULL;
    IF ROW_COUNT() > 0 THEN
        UPDATE quotas SET uses = uses - 1 WHERE subject_hash IN (p_session_quota, p_user_quota) AND uses > 0;
    END IF;
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Grants a confirmation to whoever shows the code that was sent for it, five tries at most, each counted before it is
-- compared; after the last its owner is told. Shown again, the right one has granted it already.
DROP PROCEDURE IF EXISTS confirm_by_code;
DELIMITER //
CREATE PROCEDURE confirm_by_code(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_confirmation_id BINARY(16),
    IN p_code_hash BINARY(32)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_code_hash BINARY(32) DEFAULT NULL;
    DECLARE v_tries TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_is_granted BOOLEAN DEFAULT FALSE;
    DECLARE v_kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount BIGINT DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_confirmation(p_user_id, p_generation, p_confirmation_id, v_now, v_outcome, v_result);
    IF v_outcome IS NULL THEN
        SELECT code_hash, tries, granted_at IS NOT NULL, kind, amount
        INTO v_code_hash, v_tries, v_is_granted, v_kind, v_amount FROM confirmations WHERE id = p_confirmation_id;
        IF v_code_hash IS NULL THEN
            SET v_outcome = 'invalid_code'; -- none was sent, so nobody guesses
        ELSEIF v_code_hash <> p_code_hash THEN
            SET v_outcome = 'invalid_code';
            SET v_tries = v_tries + IF(v_is_granted, 0, 1);
            UPDATE confirmations SET tries = v_tries WHERE id = p_confirmation_id;
            IF v_tries = 5 AND NOT v_is_granted THEN
                SELECT id INTO v_wallet_id FROM wallets WHERE user_id = p_user_id;
                CALL note_event(v_wallet_id, NULL, 'ConfirmationFailed', JSON_OBJECT(
                    'kind', v_kind, 'amount', v_amount + 0, 'currency', 'INR'), v_now);
            END IF;
        ELSE
            SET v_outcome = 'done';
            IF NOT v_is_granted THEN
                UPDATE confirmations
                SET method = 'sms', granted_at = v_now, granted_until = v_now + INTERVAL 15 MINUTE, granted_in = p_generation
                WHERE id = p_confirmation_id;
            END IF;
        END IF;
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- All that a confirmation is bound to, for a passkey to sign (`binding`). The same refusals as of a code.
DROP PROCEDURE IF EXISTS find_confirmation;
DELIMITER //
CREATE PROCEDURE find_confirmation(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_confirmation_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_confirmation(p_user_id, p_generation, p_confirmation_id, UTC_TIMESTAMP(6), v_outcome, v_result);
    IF v_outcome IS NULL THEN
        SELECT JSON_OBJECT(
            'binding', CONCAT_WS(':', HEX(user_id), HEX(idem_key), HEX(request_hash), kind, COALESCE(HEX(payee_wallet_id), ''),
                                 COALESCE(vpa, ''), amount, currency))
        INTO v_result FROM confirmations WHERE id = p_confirmation_id;
        SET v_outcome = 'done';
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Grants a confirmation for the signature of one of its owner's passkeys, which the caller has verified. Again it changes
-- nothing. A signature that was used already ('invalid_code') shows a count that is not above the last one's.
DROP PROCEDURE IF EXISTS confirm_by_passkey;
DELIMITER //
CREATE PROCEDURE confirm_by_passkey(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_confirmation_id BINARY(16),
    IN p_passkey_id BINARY(16),
    IN p_sign_count INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_is_granted BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_confirmation(p_user_id, p_generation, p_confirmation_id, v_now, v_outcome, v_result);
    IF v_outcome IS NULL THEN
        SELECT granted_at IS NOT NULL INTO v_is_granted FROM confirmations WHERE id = p_confirmation_id;
        SET v_outcome = 'done';
    END IF;
    IF v_outcome = 'done' AND NOT v_is_granted THEN
        UPDATE passkeys SET sign_count = p_sign_count, last_used_at = v_now
        WHERE id = p_passkey_id AND user_id = p_user_id AND usable_from <= v_now
          AND (p_sign_count > sign_count OR p_sign_count = 0 AND sign_count = 0);
        IF ROW_COUNT() = 0 THEN
            SET v_outcome = 'invalid_code';
        ELSE
            UPDATE confirmations
            SET method = 'passkey', granted_at = v_now, granted_until = v_now + INTERVAL 15 MINUTE, granted_in = p_generation
            WHERE id = p_confirmation_id;
        END IF;
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Adds a passkey after a confirmation, by a code or by another passkey: ten at most ('too_many_passkeys'). The same one
-- again is there. It confirms as late as somebody who has reset the password: a code for it that was lured out of
-- its owner is as good.
DROP PROCEDURE IF EXISTS add_passkey;
DELIMITER //
CREATE PROCEDURE add_passkey(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_request_hash BINARY(32),
    IN p_passkey_id BINARY(16),
    IN p_credential_id VARBINARY(1023),
    IN p_public_key VARBINARY(1024),
    IN p_sign_count INT UNSIGNED,
    IN p_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome, v_refusal VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id, v_id, v_owner_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_is_confirmed BOOLEAN DEFAULT FALSE;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    IF v_outcome IS NULL THEN
        SELECT id, user_id INTO v_id, v_owner_id FROM passkeys WHERE credential_id = p_credential_id;
        SELECT paused_until INTO v_paused_until FROM wallets WHERE id = v_wallet_id;
        IF v_owner_id = p_user_id THEN
            SET v_outcome = 'done'; -- our own commit, whose answer was lost
        ELSEIF v_id IS NOT NULL THEN
            SET v_outcome = 'invalid_code'; -- somebody else's: nobody's authenticator makes that
        ELSEIF (SELECT COUNT(*) FROM passkeys WHERE user_id = p_user_id) >= 10 THEN
            SET v_outcome = 'too_many_passkeys';
        ELSE
            CALL use_confirmation(p_user_id, 'passkeys', p_request_hash, p_generation, 'new_passkey', v_wallet_id, NULL, NULL,
                                  NULL, 0, v_paused_until, TRUE, p_passkey_id, v_refusal, v_result, v_is_confirmed);
            SET v_outcome = COALESCE(v_refusal, 'done');
            IF v_is_confirmed THEN
                SET v_id = p_passkey_id;
                INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, name, created_at, usable_from)
                SELECT p_passkey_id, p_user_id, p_credential_id, p_public_key, p_sign_count, p_name, v_now,
                       v_now + INTERVAL COALESCE((
                           SELECT c.reset_wait_s FROM wallets w JOIN confirmation_rules c ON c.tier = w.tier
                           WHERE w.id = v_wallet_id AND c.valid_from <= v_now ORDER BY c.valid_from DESC LIMIT 1), 0) SECOND;
                CALL note_event(v_wallet_id, NULL, 'PasskeyAdded', JSON_OBJECT(), v_now);
            END IF;
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        SELECT JSON_OBJECT('passkey_id', LOWER(HEX(id)), 'name', name,
                           'created_at', DATE_FORMAT(created_at, '%Y-%m-%dT%H:%i:%s.%f'))
        INTO v_result FROM passkeys WHERE id = v_id;
        COMMIT;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_user_id, 'passkeys', p_request_hash, p_passkey_id, 'new_passkey', v_outcome, v_result);
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Removes a passkey after a confirmation; one that is gone is gone. Another's is 'not_found'.
DROP PROCEDURE IF EXISTS remove_passkey;
DELIMITER //
CREATE PROCEDURE remove_passkey(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_request_hash BINARY(32),
    IN p_request_id BINARY(16),
    IN p_passkey_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome, v_refusal VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id, v_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_is_confirmed BOOLEAN DEFAULT FALSE;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    IF v_outcome IS NULL THEN
        SELECT id INTO v_id FROM passkeys WHERE id = p_passkey_id AND user_id = p_user_id;
        SELECT paused_until INTO v_paused_until FROM wallets WHERE id = v_wallet_id;
        IF v_id IS NULL AND EXISTS (SELECT 1 FROM confirmations WHERE used_for = p_request_id) THEN
            SET v_outcome = 'done'; -- our own commit, whose answer was lost
        ELSEIF v_id IS NULL THEN
            SET v_outcome = 'not_found';
        ELSE
            CALL use_confirmation(p_user_id, 'passkeys', p_request_hash, p_generation, 'lost_passkey', v_wallet_id, NULL, NULL,
                                  NULL, 0, v_paused_until, TRUE, p_request_id, v_refusal, v_result, v_is_confirmed);
            SET v_outcome = COALESCE(v_refusal, 'done');
            IF v_is_confirmed THEN
                DELETE FROM passkeys WHERE id = v_id;
                CALL note_event(v_wallet_id, NULL, 'PasskeyRemoved', JSON_OBJECT(), v_now);
            END IF;
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_user_id, 'passkeys', p_request_hash, p_request_id, 'lost_passkey', v_outcome, v_result);
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- The passkey of a credential, and whose it is, for somebody who has not signed in: counted by where they are
-- ('too_many_attempts' with the seconds to wait). What is unknown, or doesn't sign yet, is 'invalid_code'.
DROP PROCEDURE IF EXISTS find_passkey;
DELIMITER //
CREATE PROCEDURE find_passkey(
    IN p_credential_id VARBINARY(1023),
    IN p_from_hash BINARY(32),
    IN p_per_address INT UNSIGNED,
    IN p_window_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wait, v_unused INT UNSIGNED DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL count_use(p_from_hash, p_per_address, p_window_seconds, p_per_address, 0, v_now, v_wait, v_unused);
    COMMIT;
    IF v_wait IS NULL THEN
        SELECT JSON_OBJECT('id', HEX(id), 'user_id', HEX(user_id), 'public_key', HEX(public_key)) INTO v_result
        FROM passkeys WHERE credential_id = p_credential_id AND usable_from <= v_now;
        SELECT IF(v_result IS NULL, 'invalid_code', 'done') AS outcome, v_result AS result;
    ELSE
        SELECT 'too_many_attempts' AS outcome, JSON_OBJECT('retry_after_s', v_wait + 0) AS result;
    END IF;
END//
DELIMITER ;

-- The signature of a passkey, which the caller has verified, becomes a proof of its owner's phone: for signing in, or to stand
-- beside a code ('passkey_reset', which is never taken for one) where a password is reset. `p_proof_id` is of the challenge:
-- one signature becomes one proof ('invalid_code'), and again it is the same. A passkey has `p_per_day` a day
-- ('too_many_attempts'), as each is good for a few guesses of the password.
DROP PROCEDURE IF EXISTS prove_by_passkey;
DELIMITER //
CREATE PROCEDURE prove_by_passkey(
    IN p_passkey_id BINARY(16),
    IN p_sign_count INT UNSIGNED,
    IN p_purpose VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_proof_id BINARY(16),
    IN p_proof_hash BINARY(32),
    IN p_valid_seconds INT UNSIGNED,
    IN p_per_day INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_known_hash BINARY(32) DEFAULT NULL;
    DECLARE v_wait, v_unused INT UNSIGNED DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE v_expires_at DATETIME(6) DEFAULT v_now + INTERVAL p_valid_seconds SECOND;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- its count is the mutex of the passkey
    CALL count_use(UNHEX(SHA2(CONCAT('proofs by the passkey ', HEX(p_passkey_id)), 256)), p_per_day, 86400, p_per_day, 0,
                   v_now, v_wait, v_unused);
    SELECT proof_hash, proof_expires_at INTO v_known_hash, v_expires_at FROM phone_proofs WHERE id = p_proof_id;
    IF v_known_hash IS NOT NULL THEN
        -- our own commit, whose answer was lost, or a signature that somebody shows again
        SET v_outcome = IF(v_known_hash = p_proof_hash, 'done', 'invalid_code'), v_wait = NULL;
    ELSEIF v_wait IS NOT NULL THEN
        SET v_outcome = 'too_many_attempts';
    ELSE
        SELECT u.phone INTO v_phone FROM passkeys p JOIN users u ON u.id = p.user_id WHERE p.id = p_passkey_id;
        UPDATE passkeys SET sign_count = p_sign_count, last_used_at = v_now
        WHERE id = p_passkey_id AND v_phone IS NOT NULL AND usable_from <= v_now
          AND (p_sign_count > sign_count OR p_sign_count = 0 AND sign_count = 0);
        IF ROW_COUNT() = 0 THEN
            SET v_outcome = 'invalid_code';
        ELSE
            -- no code becomes it: that has ended as it began
            INSERT INTO phone_proofs (
                id, phone, purpose, code_hash, created_at, expires_at, proof_hash, proof_expires_at)
            VALUES (
                p_proof_id, v_phone, IF(p_purpose = 'reset_password', 'passkey_reset', p_purpose), p_proof_hash, v_now, v_now,
                p_proof_hash, v_expires_at);
        END IF;
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome,
           JSON_OBJECT('retry_after_s', v_wait + 0,
                       'expires_at', DATE_FORMAT(v_expires_at, '%Y-%m-%dT%H:%i:%s.%f')) AS result;
END//
DELIMITER ;

-- How somebody is named where they choose among passkeys.
DROP PROCEDURE IF EXISTS find_passkey_owner;
DELIMITER //
CREATE PROCEDURE find_passkey_owner(IN p_user_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT COALESCE(phone, '') AS phone, name FROM users WHERE id = p_user_id;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- Somebody's passkeys, the newest first.
DROP PROCEDURE IF EXISTS list_passkeys;
DELIMITER //
CREATE PROCEDURE list_passkeys(IN p_user_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT id, credential_id, public_key, sign_count, name, created_at, usable_from, usable_from <= UTC_TIMESTAMP(6) AS is_usable,
           last_used_at
    FROM passkeys WHERE user_id = p_user_id ORDER BY created_at DESC;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- What nothing calls any more, and what is left of the count of debits: giving back what was counted at `p_asked_at` and did
-- not leave after all, as far as that period still runs (`p_amount` is negative). The wallet is locked.
DROP PROCEDURE IF EXISTS pay;
DROP PROCEDURE IF EXISTS refuse_payer;
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

    UPDATE wallets
    SET debited_day = debited_day + IF(usage_day = v_day, p_amount, 0),
        debited_month = debited_month + IF(usage_month = v_month, p_amount, 0)
    WHERE id = p_wallet_id;
END//
DELIMITER ;
