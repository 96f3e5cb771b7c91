-- Sessions: one row for each sign-in, which access tokens name; and a generation on the wallet's row, which every procedure
-- that acts for somebody compares with the one they come with, under the lock that it takes anyway. To end a session is to
-- raise it: what a thief has in hand moves nothing from that commit on. The other sessions are told 401 once, and refresh.
-- What was asked for in a session that has ended since (a hold, a file's rows, a withdrawal) goes on.
-- serves code from 0027

-- `kind`: 'tokens' has refresh tokens that are used once, 'cookie' one secret that stays. `seed` makes a refresh token's
-- successor, so that a repetition gets the very same one though only hashes are stored. A session ends when it is ended,
-- when nobody has used it until `idle_ends_at`, and at `ends_at` in any case.
CREATE TABLE IF NOT EXISTS sessions (
    id           BINARY(16)   NOT NULL,
    user_id      BINARY(16)   NOT NULL,
    kind         VARCHAR(6)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    device       VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    address_hash BINARY(32)   NOT NULL,
    seed         BINARY(32)   NOT NULL,
    created_at   DATETIME(6)  NOT NULL,
    last_used_at DATETIME(6)  NOT NULL,
    idle_ends_at DATETIME(6)  NOT NULL,
    ends_at      DATETIME(6)  NOT NULL,
    ended_at     DATETIME(6)  NULL,
    CONSTRAINT sessions_pk PRIMARY KEY (id),
    CONSTRAINT sessions_user_exists FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT sessions_kind_is_known CHECK (kind IN ('tokens', 'cookie')),
    INDEX sessions_by_end (ends_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A refresh token or a cookie's secret, as its SHA-256. Those that were used are kept as long as their session: one that
-- comes back later was copied.
CREATE TABLE IF NOT EXISTS session_tokens (
    token_hash BINARY(32)  NOT NULL,
    session_id BINARY(16)  NOT NULL,
    created_at DATETIME(6) NOT NULL,
    used_at    DATETIME(6) NULL,
    CONSTRAINT session_tokens_pk PRIMARY KEY (token_hash),
    CONSTRAINT session_tokens_session_exists FOREIGN KEY (session_id) REFERENCES sessions (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP PROCEDURE IF EXISTS add_session_generation_to_wallets;
DELIMITER //
CREATE PROCEDURE add_session_generation_to_wallets()
MODIFIES SQL DATA
BEGIN
    IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_schema = DATABASE() AND table_name = 'wallets' AND column_name = 'session_generation') THEN
        ALTER TABLE wallets ADD COLUMN session_generation INT UNSIGNED NOT NULL DEFAULT 0;
    END IF;
END//
DELIMITER ;
CALL add_session_generation_to_wallets();
DROP PROCEDURE IF EXISTS add_session_generation_to_wallets;

-- Internal. Ends a user's sessions, or one of them, or all but one (`p_spared_id`), and raises the generation under the
-- locks of the whole wallet: who holds one of them has compared it, and commits before.
DROP PROCEDURE IF EXISTS end_sessions;
DELIMITER //
CREATE PROCEDURE end_sessions(
    IN p_user_id BINARY(16),
    IN p_session_id BINARY(16),
    IN p_spared_id BINARY(16),
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;

    SELECT id INTO v_wallet_id FROM wallets WHERE user_id = p_user_id;
    CALL lock_whole_wallet(v_wallet_id, v_status, v_tier);
    UPDATE wallets SET session_generation = session_generation + 1 WHERE id = v_wallet_id;
    UPDATE sessions SET ended_at = p_at
    WHERE user_id = p_user_id AND ended_at IS NULL AND id = COALESCE(p_session_id, id) AND NOT id <=> p_spared_id;
    IF p_session_id IS NULL THEN
        -- where somebody was signed in who is sent out is none of the owner's places
        UPDATE sessions SET address_hash = '' WHERE user_id = p_user_id AND NOT id <=> p_spared_id;
    END IF;
END//
DELIMITER ;

-- Uses a refresh token and puts its successor in its place; a cookie's secret (`p_next_token_hash` NULL) stays. One that
-- comes back within 30 seconds of its use, its successor unused, is a repetition: the answer was lost, or two tabs asked.
-- Later it was copied by somebody: nobody can tell the thief from the owner, so the session ends and both must sign in.
DROP PROCEDURE IF EXISTS renew_session;
DELIMITER //
CREATE PROCEDURE renew_session(
    IN p_token_hash BINARY(32),
    IN p_next_token_hash BINARY(32),
    IN p_kind VARCHAR(6) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_idle_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'invalid_token';
    DECLARE v_session_id, v_user_id BINARY(16) DEFAULT NULL;
    DECLARE v_is_open, v_is_next_unused BOOLEAN DEFAULT FALSE;
    DECLARE v_used_at DATETIME(6) DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT session_id INTO v_session_id FROM session_tokens WHERE token_hash = p_token_hash;
    SELECT user_id, kind = p_kind AND ended_at IS NULL AND LEAST(idle_ends_at, ends_at) > v_now
    INTO v_user_id, v_is_open FROM sessions WHERE id = v_session_id FOR UPDATE;
    SELECT used_at INTO v_used_at FROM session_tokens WHERE token_hash = p_token_hash;
    SELECT used_at IS NULL INTO v_is_next_unused
    FROM session_tokens WHERE token_hash = p_next_token_hash AND session_id = v_session_id;

    IF v_is_open AND v_used_at IS NULL THEN
        IF p_next_token_hash IS NOT NULL THEN
            UPDATE session_tokens SET used_at = v_now WHERE token_hash = p_token_hash;
            INSERT INTO session_tokens (token_hash, session_id, created_at) VALUES (p_next_token_hash, v_session_id, v_now);
        END IF;
        UPDATE sessions SET last_used_at = v_now, idle_ends_at = v_now + INTERVAL p_idle_seconds SECOND
        WHERE id = v_session_id;
        SET v_outcome = 'done';
    ELSEIF v_is_open AND v_is_next_unused AND v_used_at > v_now - INTERVAL 30 SECOND THEN
        SET v_outcome = 'done';
    END IF;
    SELECT session_generation INTO v_generation FROM wallets WHERE user_id = v_user_id;
    COMMIT;

    IF v_outcome <> 'done' AND v_is_open THEN
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        START TRANSACTION;
        CALL end_sessions(v_user_id, v_session_id, NULL, v_now);
        COMMIT;
    END IF;
    SELECT v_outcome AS outcome,
           JSON_OBJECT('user_id', LOWER(HEX(v_user_id)), 'session_id', LOWER(HEX(v_session_id)),
                       'generation', v_generation + 0) AS result;
END//
DELIMITER ;

-- Ends the session of a refresh token or a cookie: a logout. An unknown one is logged out already.
DROP PROCEDURE IF EXISTS end_session_of_token;
DELIMITER //
CREATE PROCEDURE end_session_of_token(IN p_token_hash BINARY(32))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_session_id, v_user_id BINARY(16) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT s.id, s.user_id INTO v_session_id, v_user_id
    FROM session_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.token_hash = p_token_hash AND s.ended_at IS NULL;
    IF v_session_id IS NOT NULL THEN
        CALL end_sessions(v_user_id, v_session_id, NULL, UTC_TIMESTAMP(6));
    END IF;
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Internal. Locks the whole wallet of somebody who asks in a session: NULL, or 'invalid_token' if it has ended.
DROP PROCEDURE IF EXISTS lock_session_owner;
DELIMITER //
CREATE PROCEDURE lock_session_owner(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_wallet_id BINARY(16),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
)
READS SQL DATA
BEGIN
    DECLARE v_locked_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;

    -- the user before the wallet: who registers with their phone, or resets their password, locks them so
    SELECT id INTO v_locked_id FROM users WHERE id = p_user_id FOR UPDATE;
    SELECT id INTO v_wallet_id FROM wallets WHERE user_id = v_locked_id;
    CALL lock_whole_wallet(v_wallet_id, p_status, v_tier);
    SELECT session_generation INTO v_generation FROM wallets WHERE id = v_wallet_id;
    SET p_wallet_id = v_wallet_id;
    SET p_outcome = IF(COALESCE(v_generation <> p_generation, TRUE), 'invalid_token', NULL);
END//
DELIMITER ;

-- Ends a session of one's own, or all but the one that asks (`p_session_id` NULL). 'not_found' for another's. Where nothing is
-- left to end the caller has what they want, though their token be of before: it was they, and the answer was lost.
DROP PROCEDURE IF EXISTS end_own_sessions;
DELIMITER //
CREATE PROCEDURE end_own_sessions(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_asking_id BINARY(16),
    IN p_session_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_id, v_spared_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_open INT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    SET v_spared_id = IF(p_session_id IS NULL, p_asking_id, NULL);
    SELECT COUNT(*) INTO v_open FROM sessions
    WHERE user_id = p_user_id AND ended_at IS NULL AND id = COALESCE(p_session_id, id) AND NOT id <=> v_spared_id;
    IF p_session_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM sessions WHERE id = p_session_id AND user_id = p_user_id) THEN
        SET v_outcome = COALESCE(v_outcome, 'not_found');
    ELSEIF v_open = 0 AND EXISTS (SELECT 1 FROM sessions WHERE id = p_asking_id AND ended_at IS NULL) THEN
        SET v_outcome = 'done';
    ELSEIF v_outcome IS NULL THEN
        CALL end_sessions(p_user_id, p_session_id, v_spared_id, UTC_TIMESTAMP(6));
        SET v_outcome = 'done';
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Locks a wallet that money is to leave, or to be held in. All that decides is read by the statement that takes the
-- lock, never before it; and it locks the wallet alone (a join would lock the tier as well, and everybody would queue
-- there). Holds whose time has passed are ended first, though the sweep be late; then, if too little is available, a hot
-- wallet's slots are gathered, in order, until its own row has what is needed. Behind it, available is total - held.
-- `p_generation` is that of its owner's sessions: whoever asks in one compares it with the one they come with.
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
    DECLARE v_slots, v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_own, v_there BIGINT DEFAULT NULL;
    DECLARE v_there_last, v_now, v_expired_at DATETIME(6) DEFAULT NULL;
    DECLARE v_hold_id, v_gather_id BINARY(16) DEFAULT NULL;

    SELECT status, tier, balance, held, last_entry_at, slots, session_generation
    INTO p_status, p_tier, v_own, p_held, p_last, v_slots, p_generation
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

-- The same, for those who debit a wallet whatever its owner's sessions do.
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
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;

    CALL lock_payer(p_wallet_id, p_need, p_transaction_id, p_status, p_tier, p_total, p_held, p_last, v_generation);
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
DROP PROCEDURE IF EXISTS refuse_payer;
DELIMITER //
CREATE PROCEDURE refuse_payer(
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
    OUT p_has_sums BOOLEAN
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
               COALESCE(max_debit_day, max_debit_month) IS NOT NULL, person_to_person
        INTO v_left, p_has_sums, p_person_to_person
        FROM tier_limits WHERE tier = p_tier AND valid_from <= v_now ORDER BY valid_from DESC LIMIT 1;
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
-- `p_generation` NULL it is paid whatever has become of the session in which it was asked for.
DROP PROCEDURE IF EXISTS pay;
DELIMITER //
CREATE PROCEDURE pay(
    IN p_actor_id BINARY(16),
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
    DECLARE v_balance, v_held, v_payee_balance, v_fee BIGINT DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_person_to_person, v_has_sums BOOLEAN DEFAULT FALSE;
    DECLARE v_payer_last, v_payee_last, v_now DATETIME(6) DEFAULT NULL;

    CALL refuse_payer(p_actor_id, p_generation, p_payee_wallet_id, p_payee_phone, p_amount, p_outcome, p_result, v_payer_id,
                      v_payer_name, v_asked_tier, v_person_to_person, v_has_sums);
    IF p_outcome IS NULL THEN
        CALL refuse_payee(p_payee_wallet_id, p_payee_phone, v_person_to_person, p_outcome, p_result, v_payee_id,
                          v_payee_name, v_payee_kind);
    END IF;

    IF p_outcome IS NULL THEN
        -- one lock order for everybody, or two people who pay each other would deadlock
        IF v_payer_id < v_payee_id THEN
            CALL lock_payer(v_payer_id, p_amount, p_transaction_id, v_payer_status, v_payer_tier, v_balance, v_held,
                            v_payer_last, v_generation);
        END IF;
        CALL lock_credit(v_payee_id, v_payee_kind = 'merchant', v_slot, v_payee_status, v_payee_tier, v_payee_balance,
                         v_payee_last);
        IF v_payer_id > v_payee_id THEN
            CALL lock_payer(v_payer_id, p_amount, p_transaction_id, v_payer_status, v_payer_tier, v_balance, v_held,
                            v_payer_last, v_generation);
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
        CALL pay(p_actor_id, p_generation, p_transaction_id, p_payee_wallet_id, p_payee_phone, p_amount, p_description,
                 p_reference, v_outcome, v_result);
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
        CALL pay(v_actor_id, NULL, p_transaction_id, v_payee_id, v_phone, v_amount, v_description, v_reference,
                 v_outcome, v_result);
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
    IF v_outcome IN ('wallet_frozen', 'insufficient_funds', 'too_many_lookups')
            OR (v_outcome = 'wallet_limit_exceeded'
                AND JSON_UNQUOTE(JSON_EXTRACT(v_result, '$.limit')) <> 'person_to_person') THEN
        CALL refuse_other_rows(p_bulk_payment_id, v_outcome, v_outcome = 'too_many_lookups' AND v_phone IS NOT NULL,
                               v_result, v_also_refused);
    END IF;
    SELECT IF(v_status IS NULL, 'not_found', 'done') AS outcome,
           JSON_OBJECT('status', v_status, 'refusal', v_refusal, 'also_refused', v_also_refused + 0) AS result;
END//
DELIMITER ;

-- A payment, or a part of it (`p_amount` NULL: what is left), back from its payee to its payer. All refunds of a payment
-- debit the same wallet, so that wallet's lock is what counts them. The payer's caps don't matter: it was theirs. If the
-- payer's wallet is closed the money is kept as unclaimed for them: the payee has given it back all the same.
DROP PROCEDURE IF EXISTS refund_payment;
DELIMITER //
CREATE PROCEDURE refund_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_transaction_id BINARY(16),
    IN p_payment_id BINARY(16),
    IN p_amount BIGINT,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payer_id, v_payee_id, v_credited_id BINARY(16) DEFAULT NULL;
    DECLARE v_payer_status, v_payee_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_paid, v_refunded, v_amount, v_balance, v_held, v_unused BIGINT DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_payer_last, v_payee_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SELECT NULL, t.amount, debit.account_id, credit.account_id INTO v_outcome, v_paid, v_payer_id, v_payee_id
        FROM transactions t
        JOIN postings debit ON debit.transaction_id = t.id AND debit.line = 1
        JOIN postings credit ON credit.transaction_id = t.id AND credit.line = 2
        JOIN wallets payee ON payee.id = credit.account_id
        WHERE t.id = p_payment_id AND t.type IN ('payment', 'hold_capture') AND payee.user_id = p_actor_id;
        IF v_paid IS NULL THEN
            SET v_outcome = 'not_found';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        IF v_payer_id < v_payee_id THEN
            CALL lock_credit(v_payer_id, FALSE, v_slot, v_payer_status, v_tier, v_unused, v_payer_last);
        END IF;
        CALL lock_payer(v_payee_id, COALESCE(p_amount, v_paid), p_transaction_id, v_payee_status, v_tier, v_balance,
                        v_held, v_payee_last, v_generation);
        IF v_payer_id > v_payee_id THEN
            CALL lock_credit(v_payer_id, FALSE, v_slot, v_payer_status, v_tier, v_unused, v_payer_last);
        END IF;
        SELECT COALESCE(SUM(amount), 0) INTO v_refunded FROM transactions WHERE cause_id = p_payment_id AND type = 'refund';
        SET v_amount = COALESCE(p_amount, v_paid - v_refunded);
        IF v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_payee_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF v_amount > v_paid - v_refunded OR v_amount <= 0 THEN
            SET v_outcome = 'refund_exceeds_payment';
        ELSEIF v_amount > v_balance - v_held THEN
            SET v_outcome = 'insufficient_funds';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        SET v_now = GREATEST(
            UTC_TIMESTAMP(6), v_payer_last + INTERVAL 1 MICROSECOND, v_payee_last + INTERVAL 1 MICROSECOND);
        SET v_credited_id = v_payer_id;
        IF v_payer_status = 'closed' THEN
            SELECT id INTO v_credited_id FROM accounts WHERE code = 'unclaimed';
        END IF;
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, cause_id, created_at)
        VALUES (p_transaction_id, 'refund', v_amount, 'INR', p_actor_id, p_reason, p_payment_id, v_now);
        CALL post_entry(p_transaction_id, v_payee_id, 0, v_credited_id, v_slot, v_amount, v_now);
        CALL note_event(v_payee_id, v_payer_id, 'PaymentRefunded', JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'payment_id', LOWER(HEX(p_payment_id)),
            'payer_wallet_id', LOWER(HEX(v_payer_id)), 'payee_wallet_id', LOWER(HEX(v_payee_id)),
            'amount', v_amount + 0, 'currency', 'INR', 'reason', p_reason), v_now);
        IF v_credited_id <> v_payer_id THEN
            CALL note_unclaimed(p_transaction_id, v_payer_id, v_amount, 'refund', v_now);
        END IF;
        SET v_result = JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'payment_id', LOWER(HEX(p_payment_id)),
            'amount', v_amount + 0, 'currency', 'INR', 'reason', p_reason,
            'refunded', v_refunded + v_amount, 'balance', v_balance - v_amount, 'held', v_held + 0,
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
    DECLARE v_balance, v_held, v_placed BIGINT DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_person_to_person, v_has_sums BOOLEAN DEFAULT FALSE;
    DECLARE v_last, v_now, v_expires_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SET v_outcome = NULL;
        CALL refuse_payer(p_actor_id, p_generation, p_payee_wallet_id, p_payee_phone, p_amount, v_outcome, v_result,
                          v_payer_id, v_payer_name, v_asked_tier, v_person_to_person, v_has_sums);
    END IF;
    IF v_outcome IS NULL THEN
        CALL refuse_payee(p_payee_wallet_id, p_payee_phone, v_person_to_person, v_outcome, v_result, v_payee_id,
                          v_payee_name, v_payee_kind);
    END IF;

    IF v_outcome IS NULL THEN
        CALL lock_payer(v_payer_id, p_amount, p_hold_id, v_status, v_tier, v_balance, v_held, v_last, v_generation);
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
        SELECT session_generation INTO v_generation FROM wallets WHERE id = v_payee_id;
        SET v_amount = COALESCE(p_amount, v_left);
        SET v_now = GREATEST(
            UTC_TIMESTAMP(6), v_payer_last + INTERVAL 1 MICROSECOND, v_payee_last + INTERVAL 1 MICROSECOND);
        CALL refuse_credit(v_payee_id, v_payee_tier, v_payee_balance, v_amount, v_kind = 'personal', v_now, v_reason);
        IF v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_status <> 'placed' OR v_expires_at <= UTC_TIMESTAMP(6) OR v_payer_status <> 'active' THEN
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

-- Frees what is left of a hold: its payee at any time, its payer once its time has passed. One that has expired already
-- is what the caller wants.
DROP PROCEDURE IF EXISTS release_hold;
DELIMITER //
CREATE PROCEDURE release_hold(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_hold_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payer_id, v_payer_user, v_payee_user, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_expires_at, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SELECT NULL, payer.id, payer.user_id, payee.user_id INTO v_outcome, v_payer_id, v_payer_user, v_payee_user
        FROM holds h
        JOIN wallets payer ON payer.id = h.payer_wallet_id JOIN wallets payee ON payee.id = h.payee_wallet_id
        WHERE h.id = p_hold_id AND p_actor_id IN (payer.user_id, payee.user_id);
        IF v_payer_id IS NULL THEN
            SET v_outcome = 'not_found';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        SELECT id INTO v_locked FROM wallets WHERE id = v_payer_id FOR UPDATE;
        SELECT status, expires_at INTO v_status, v_expires_at FROM holds WHERE id = p_hold_id FOR UPDATE;
        SELECT session_generation INTO v_generation FROM wallets WHERE user_id = p_actor_id;
        SET v_now = UTC_TIMESTAMP(6);
        IF v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_status = 'placed' AND v_expires_at <= v_now THEN
            CALL end_hold(p_hold_id, 'expired', v_now);
        ELSEIF v_status = 'placed' AND p_actor_id = v_payee_user THEN
            CALL end_hold(p_hold_id, 'released', v_now);
        ELSEIF v_status = 'placed' THEN
            SET v_outcome = 'hold_not_due';
        ELSEIF v_status <> 'expired' THEN
            SET v_outcome = 'hold_not_placed';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        CALL tell_hold(p_hold_id, NULL, v_result);
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
        CALL lock_payer(v_wallet_id, p_amount + v_fee, p_withdrawal_id, v_status, v_tier, v_total, v_held, v_last,
                        v_generation);
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
                v_now + INTERVAL p_first_check_seconds SECOND, 0, FALSE);
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

-- Its owner cancels a withdrawal that nobody was asked to pay: what was set aside is available again. Cancelled again it
-- stays cancelled. 'withdrawal_sent' once somebody may have been asked, whatever the provider says of it. A wallet that is
-- frozen or being closed stops nobody: nothing leaves it.
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
    DECLARE v_known_id BINARY(16) DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
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
        SELECT session_generation INTO v_generation FROM wallets WHERE user_id = p_actor_id;
        SET v_outcome = CASE
            WHEN v_known_id IS NULL THEN 'not_found'
            WHEN v_generation <> p_generation THEN 'invalid_token'
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
    IN p_generation INT UNSIGNED,
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
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
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
        SELECT id, status, tier, balance, session_generation INTO v_wallet_id, v_status, v_tier, v_balance, v_generation
        FROM wallets WHERE user_id = p_actor_id;
        IF v_wallet_id IS NULL OR v_generation <> p_generation THEN
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
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' AND NOT EXISTS (SELECT 1 FROM wallets WHERE user_id = p_actor_id) THEN
        SET v_outcome = 'invalid_token';
    END IF;
    IF v_outcome = 'claimed' THEN
        CALL check_bulk_quota(p_actor_id, p_bulk_payment_id, p_row_count, v_outcome, v_result);
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
        -- "+ 0": MariaDB's JSON_OBJECT shows a bare integer variable as a string
        SET v_result = JSON_OBJECT(
            'bulk_payment_id', LOWER(HEX(p_bulk_payment_id)), 'row_count', p_row_count + 0, 'total', p_total + 0,
            'currency', 'INR', 'created_at', DATE_FORMAT(v_now, '%Y-%m-%dT%H:%i:%s.%f'));
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        -- last, as the rows of a large file take their time, and nobody who is paid meanwhile should wait
        SELECT session_generation INTO v_generation FROM wallets WHERE user_id = p_actor_id FOR UPDATE;
        SET v_outcome = IF(v_generation <> p_generation, 'invalid_token', 'done');
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
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
        SELECT COUNT(*) INTO v_retried FROM bulk_payment_rows
        WHERE bulk_payment_id = p_bulk_payment_id AND status = 'refused';
        CALL check_bulk_quota(p_actor_id, p_bulk_payment_id, v_retried, v_outcome, v_result);
    END IF;

    IF v_outcome = 'claimed' THEN
        UPDATE bulk_payment_rows SET status = 'waiting', refusal = NULL, ended_at = NULL
        WHERE bulk_payment_id = p_bulk_payment_id AND status = 'refused';
        SET v_retried = ROW_COUNT();
        IF v_retried > 0 AND v_status = 'finished' THEN
            SET v_status = 'running';
            UPDATE bulk_payments SET status = v_status, finished_at = NULL WHERE id = p_bulk_payment_id;
        END IF;
        SET v_result = JSON_OBJECT(
            'bulk_payment_id', LOWER(HEX(p_bulk_payment_id)), 'status', v_status, 'retried', v_retried + 0);
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        -- last, as the rows of a large file take their time, and nobody who is paid meanwhile should wait
        SELECT session_generation INTO v_generation FROM wallets WHERE user_id = p_actor_id FOR UPDATE;
        SET v_outcome = IF(v_generation <> p_generation, 'invalid_token', 'done');
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- What nothing calls any more, and what sessions were before: everybody signs in again.
DROP PROCEDURE IF EXISTS open_withdrawal;
DROP PROCEDURE IF EXISTS begin_withdrawal;
DROP PROCEDURE IF EXISTS start_refresh_family;
DROP PROCEDURE IF EXISTS rotate_refresh_token;
DROP PROCEDURE IF EXISTS revoke_refresh_family;
DROP TABLE IF EXISTS refresh_tokens;
DROP TABLE IF EXISTS refresh_families;
