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
        -- a wallet that was closed once may have lost its phone to somebody: its owner could not come in any more
        SET v_outcome = CASE
            WHEN v_status IS NULL THEN 'not_found'
            WHEN EXISTS (SELECT 1 FROM wallets w JOIN users u ON u.id = w.user_id
                         WHERE w.id = p_wallet_id AND u.phone IS NULL) THEN 'phone_taken'
            ELSE 'done' END;
        IF v_outcome = 'done' AND v_status <> 'active' THEN
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

-- Closing: what is left of a wallet and can't go back to its source is kept as unclaimed money, with its owner on record;
-- so is a refund to a wallet that is closed. A closed wallet's phone is free for its next owner.

ALTER TABLE accounts MODIFY kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL;
ALTER TABLE accounts
    DROP CONSTRAINT accounts_kind_is_known,
    ADD CONSTRAINT accounts_kind_is_known
        CHECK (kind IN ('wallet', 'gateway', 'payout', 'fees', 'suspense', 'losses', 'unclaimed'));

INSERT IGNORE INTO accounts (id, code, kind, created_at) VALUES
    (UNHEX('00000000000070008000000000000007'), 'unclaimed', 'unclaimed', UTC_TIMESTAMP(6));

-- `phone` is NULL once it has a next owner, and `former_phone` is what it was: the old books keep it.
ALTER TABLE users MODIFY phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL;
DROP PROCEDURE IF EXISTS add_former_phone_to_users;
DELIMITER //
CREATE PROCEDURE add_former_phone_to_users()
MODIFIES SQL DATA
BEGIN
    IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_schema = DATABASE() AND table_name = 'users' AND column_name = 'former_phone') THEN
        ALTER TABLE users
            ADD COLUMN former_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
            ADD INDEX users_by_former_phone (former_phone),
            ADD CONSTRAINT users_have_or_had_a_phone CHECK ((phone IS NULL) = (former_phone IS NOT NULL));
    END IF;
END//
DELIMITER ;
CALL add_former_phone_to_users();
DROP PROCEDURE IF EXISTS add_former_phone_to_users;

-- What came to `unclaimed`: whose it is (`wallet_id`: the wallet that was closed), and what of it is still there.
DROP VIEW IF EXISTS unclaimed_money;
CREATE VIEW unclaimed_money AS
SELECT t.id, t.type, owner.account_id AS wallet_id, t.amount, t.currency, t.created_at,
       CAST(t.amount - COALESCE((SELECT SUM(c.amount) FROM transactions c
                                 WHERE c.cause_id = t.id AND c.type = 'adjustment'), 0) AS SIGNED) AS rest
FROM accounts a
JOIN postings p ON p.account_id = a.id AND p.side = 'credit'
JOIN transactions t ON t.id = p.transaction_id
JOIN postings owner ON owner.transaction_id = COALESCE(t.cause_id, t.id) AND owner.line = 1
WHERE a.code = 'unclaimed';

-- A user, a wallet and its account, in one commit. The idempotency key is optional here (p_key NULL); its scope is
-- p_scope_id, derived from the phone and from how many accounts of it have ended, for nobody is signed in yet. The phone of
-- a closed wallet is free: its owner keeps the books, and every login of theirs ends.
DROP PROCEDURE IF EXISTS register_user;
DELIMITER //
CREATE PROCEDURE register_user(
    IN p_scope_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_user_id BINARY(16),
    IN p_wallet_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_password_hash VARBINARY(60),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'claimed';
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_taken BOOLEAN DEFAULT FALSE;
    DECLARE v_former_id BINARY(16) DEFAULT NULL;
    DECLARE v_former_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_created_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    IF p_key IS NOT NULL THEN
        CALL claim_idempotency_key(p_scope_id, p_key, p_request_hash, v_outcome, v_result);
    END IF;
    IF v_outcome = 'claimed' THEN
        -- the wallet is read behind the lock of its owner, for whom two may be waiting who want the phone
        SELECT id INTO v_former_id FROM users WHERE phone = p_phone FOR UPDATE;
        SELECT status INTO v_former_status FROM wallets WHERE user_id = v_former_id;
        IF v_former_status = 'closed' THEN
            UPDATE users SET phone = NULL, former_phone = p_phone WHERE id = v_former_id;
            UPDATE refresh_families SET revoked_at = v_now WHERE user_id = v_former_id AND revoked_at IS NULL;
        END IF;
        BEGIN
            DECLARE CONTINUE HANDLER FOR 1062 SET v_taken = TRUE;
            INSERT INTO users (id, phone, name, email, kind, password_hash, created_at)
            VALUES (p_user_id, p_phone, p_name, p_email, p_kind, p_password_hash, v_now);
        END;
        IF v_taken THEN
            -- the same id: our own commit, whose answer was lost
            SELECT created_at INTO v_created_at FROM users WHERE id = p_user_id AND phone = p_phone;
            SET v_outcome = IF(v_created_at IS NULL, 'phone_taken', 'done');
        ELSE
            SET v_created_at = v_now;
            INSERT INTO wallets (id, user_id, tier, currency, status, balance, held, entries, last_entry_at, created_at)
            VALUES (p_wallet_id, p_user_id, p_tier, 'INR', 'active', 0, 0, 0, v_now, v_now);
            INSERT INTO accounts (id, code, kind, created_at)
            VALUES (p_wallet_id, CONCAT('wallet:', LOWER(HEX(p_wallet_id))), 'wallet', v_now);
            SET v_outcome = 'done';
        END IF;
        IF v_outcome = 'done' THEN
            SET v_result = JSON_OBJECT(
                'user_id', LOWER(HEX(p_user_id)), 'wallet_id', LOWER(HEX(p_wallet_id)), 'phone', p_phone,
                'name', p_name, 'kind', p_kind, 'currency', 'INR',
                'created_at', DATE_FORMAT(v_created_at, '%Y-%m-%dT%H:%i:%s.%f'));
            UPDATE idempotency_records SET result = v_result WHERE actor_id = p_scope_id AND idem_key = p_key;
        END IF;
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Starts a family of refresh tokens: one login. Running it again changes nothing. Who has lost their phone to its next owner
-- since the password was looked at does not log in: the family's own reference to the user waits for whoever takes it.
DROP PROCEDURE IF EXISTS start_refresh_family;
DELIMITER //
CREATE PROCEDURE start_refresh_family(
    IN p_user_id BINARY(16),
    IN p_family_id BINARY(16),
    IN p_token_hash BINARY(32),
    IN p_valid_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE v_gone INT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    INSERT INTO refresh_families (id, user_id, created_at) VALUES (p_family_id, p_user_id, v_now)
    ON DUPLICATE KEY UPDATE id = p_family_id;
    SELECT COUNT(*) INTO v_gone FROM users WHERE id = p_user_id AND phone IS NULL;
    IF v_gone > 0 THEN
        ROLLBACK;
        SELECT 'invalid_credentials' AS outcome, NULL AS result;
    ELSE
        INSERT INTO refresh_tokens (token_hash, family_id, created_at, expires_at)
        VALUES (p_token_hash, p_family_id, v_now, v_now + INTERVAL p_valid_seconds SECOND)
        ON DUPLICATE KEY UPDATE token_hash = p_token_hash;
        COMMIT;
        SELECT 'done' AS outcome, NULL AS result;
    END IF;
END//
DELIMITER ;

-- Internal. Tells the owner of a closed or closing wallet of money of theirs that is kept as unclaimed. `p_reason`: 'closed' (it
-- left the wallet) or 'refund' (a payment of theirs was given back).
DROP PROCEDURE IF EXISTS note_unclaimed;
DELIMITER //
CREATE PROCEDURE note_unclaimed(
    IN p_transaction_id BINARY(16),
    IN p_wallet_id BINARY(16),
    IN p_amount BIGINT,
    IN p_reason VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    CALL note_event(p_wallet_id, NULL, 'MoneyUnclaimed', JSON_OBJECT(
        'transaction_id', LOWER(HEX(p_transaction_id)), 'amount', p_amount + 0, 'currency', 'INR', 'reason', p_reason),
        p_at);
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
        CALL lock_debit(v_payee_id, COALESCE(p_amount, v_paid), p_transaction_id, v_payee_status, v_tier, v_balance,
                        v_held, v_payee_last);
        IF v_payer_id > v_payee_id THEN
            CALL lock_credit(v_payer_id, FALSE, v_slot, v_payer_status, v_tier, v_unused, v_payer_last);
        END IF;
        SELECT COALESCE(SUM(amount), 0) INTO v_refunded FROM transactions WHERE cause_id = p_payment_id AND type = 'refund';
        SET v_amount = COALESCE(p_amount, v_paid - v_refunded);
        IF v_payee_status <> 'active' THEN
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

-- Internal. What of a wallet's top-ups may still go back to its source: all of it, what is enough for a refund (gateways
-- pay nothing below a rupee), and that of top-ups of which no refund has failed yet. The caller holds the wallet's lock.
DROP PROCEDURE IF EXISTS sum_returnable;
DELIMITER //
CREATE PROCEDURE sum_returnable(
    IN p_wallet_id BINARY(16),
    OUT p_any BIGINT,
    OUT p_enough BIGINT,
    OUT p_untried BIGINT
)
READS SQL DATA
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_left BIGINT DEFAULT NULL;
    DECLARE v_failed, v_ended BOOLEAN DEFAULT FALSE;
    DECLARE top_ups CURSOR FOR
        SELECT t.id, EXISTS (SELECT 1 FROM source_refunds r WHERE r.transaction_id = t.id AND r.status = 'failed')
        FROM payment_attempts a JOIN transactions t ON t.attempt_id = a.id AND t.type = 'top_up'
        WHERE a.wallet_id = p_wallet_id;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_ended = TRUE;

    SET p_any = 0, p_enough = 0, p_untried = 0;
    OPEN top_ups;
    summing: LOOP
        SET v_ended = FALSE; -- what is called below may have found nothing, too
        FETCH top_ups INTO v_id, v_failed;
        IF v_ended THEN
            LEAVE summing;
        END IF;
        CALL left_to_refund(v_id, v_left);
        SET v_left = GREATEST(v_left, 0);
        SET p_any = p_any + v_left;
        IF v_left >= 100 THEN
            SET p_enough = p_enough + v_left, p_untried = p_untried + IF(v_failed, 0, v_left);
        END IF;
    END LOOP;
    CLOSE top_ups;
END//
DELIMITER ;

-- Internal. Begins refunds to source of what is available of a wallet, at most `p_most`. The caller holds the wallet's lock.
DROP PROCEDURE IF EXISTS return_to_sources;
DELIMITER //
CREATE PROCEDURE return_to_sources(
    IN p_wallet_id BINARY(16),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_most INT,
    INOUT p_available BIGINT,
    OUT p_opened INT
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_top_up_id, v_refund_id, v_owner_id BINARY(16) DEFAULT NULL;
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_left BIGINT DEFAULT NULL;
    DECLARE v_ended BOOLEAN DEFAULT FALSE;
    DECLARE top_ups CURSOR FOR
        SELECT t.id
        FROM payment_attempts a
        JOIN transactions t ON t.attempt_id = a.id AND t.type = 'top_up'
        LEFT JOIN source_refunds r ON r.transaction_id = t.id
        WHERE a.wallet_id = p_wallet_id
        GROUP BY t.id, t.created_at
        ORDER BY COALESCE(SUM(r.status = 'failed'), 0), t.created_at DESC, t.id;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_ended = TRUE;

    SET p_opened = 0;
    OPEN top_ups;
    refunding: WHILE p_available >= 100 AND p_opened < p_most DO
        SET v_ended = FALSE; -- what is called below may have found nothing, too
        FETCH top_ups INTO v_top_up_id;
        IF v_ended THEN
            LEAVE refunding;
        END IF;
        CALL left_to_refund(v_top_up_id, v_left);
        IF v_left >= 100 THEN
            SET p_opened = p_opened + 1;
            SET v_left = LEAST(v_left, p_available);
            CALL derive_id(p_action_id, CONCAT('refund', p_opened), v_refund_id);
            CALL open_source_refund(v_refund_id, v_top_up_id, v_left, p_operator, v_outcome, v_owner_id, v_left);
            IF v_outcome <> 'done' THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a refund of what is available is not refused';
            END IF;
            SET p_available = p_available - v_left;
        END IF;
    END WHILE;
    CLOSE top_ups;
END//
DELIMITER ;

-- Closes a wallet, a step at a time: it is frozen as `closing`; withdrawals that nobody was asked to pay are ended; what is
-- available goes back to where it came from, over its top-ups, newest first (those whose refund has failed before come
-- last), at most `p_most` of them in one step; and it is `closed` when nothing is left, here or when the last of these
-- refunds succeeds. Run again, it goes on. What is held for others is left to them. The result says what is on its way,
-- what is held for others, and of what is available: what the next step can send back (`returnable`), what came through a
-- gateway and is too little for a refund (`below_minimum`) or was credited from suspense (`from_suspense`), and what came
-- from other people (`without_a_source`). The last three are the operator's to write off.
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
    DECLARE v_total, v_held, v_available, v_on_its_way BIGINT DEFAULT NULL;
    DECLARE v_any, v_enough, v_untried, v_from_suspense BIGINT DEFAULT 0;
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
            'held_for_others', 0, 'returnable', 0, 'below_minimum', 0, 'from_suspense', 0, 'without_a_source', 0);
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
        CALL return_to_sources(p_wallet_id, p_action_id, p_operator, p_most, v_available, v_opened);
        CALL sum_returnable(p_wallet_id, v_any, v_enough, v_untried);
        SET v_any = LEAST(v_any, v_available), v_enough = IF(v_available < 100, 0, LEAST(v_enough, v_available));
        SELECT COALESCE(SUM(p.amount), 0) INTO v_from_suspense
        FROM postings p
        JOIN transactions t ON t.id = p.transaction_id JOIN transactions c ON c.id = t.cause_id AND c.type = 'suspense'
        WHERE p.account_id = p_wallet_id AND p.slot = 0 AND p.type = 'adjustment' AND p.side = 'credit';
        SET v_from_suspense = LEAST(v_from_suspense, v_available - v_any);

        CALL close_if_empty(p_wallet_id, GREATEST(UTC_TIMESTAMP(6), v_last), v_status);
        SELECT COALESCE(SUM(amount), 0) INTO v_on_its_way
        FROM source_refunds WHERE wallet_id = p_wallet_id AND status = 'pending';
        SELECT held - v_on_its_way INTO v_held FROM wallets WHERE id = p_wallet_id;
        SET v_result = JSON_OBJECT(
            'wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status, 'opened', v_opened + 0,
            'on_its_way', v_on_its_way + 0, 'held_for_others', v_held + 0, 'returnable', v_enough + 0,
            'below_minimum', v_any - v_enough, 'from_suspense', v_from_suspense + 0,
            'without_a_source', v_available - v_any - v_from_suspense);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'close', p_wallet_id,
                     NULL);
END//
DELIMITER ;

-- Keeps what is available of a wallet that is being closed as unclaimed money: it has no other way to its owner. What can
-- still go back to its source does not count: `close` sends that. 'nothing_to_write_off' if there is nothing else, or less
-- than `p_amount` (NULL: all of it), or if the wallet is not being closed.
DROP PROCEDURE IF EXISTS write_off_wallet;
DELIMITER //
CREATE PROCEDURE write_off_wallet(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_transaction_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_amount BIGINT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_unclaimed_id BINARY(16) DEFAULT NULL;
    DECLARE v_total, v_held, v_available, v_amount BIGINT DEFAULT NULL;
    DECLARE v_any, v_enough, v_untried BIGINT DEFAULT 0;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        SET v_outcome = CASE
            WHEN v_tier IS NULL THEN 'not_found'
            WHEN COALESCE(v_status <> 'closing', TRUE) THEN 'nothing_to_write_off'
            ELSE 'done' END;
    END IF;
    IF v_outcome = 'done' THEN
        CALL lock_debit(p_wallet_id, 9007199254740991, p_transaction_id, v_status, v_tier, v_total, v_held, v_last);
        CALL sum_returnable(p_wallet_id, v_any, v_enough, v_untried);
        SET v_available = v_total - v_held;
        SET v_available = v_available - IF(v_available < 100, 0, LEAST(v_untried, v_available));
        SET v_amount = COALESCE(p_amount, v_available);
        IF v_available <= 0 OR v_amount > v_available OR v_amount <= 0 THEN
            SET v_outcome = 'nothing_to_write_off';
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
        SELECT id INTO v_unclaimed_id FROM accounts WHERE code = 'unclaimed';
        INSERT INTO transactions (id, type, amount, currency, actor_id, created_at)
        VALUES (p_transaction_id, 'adjustment', v_amount, 'INR', p_actor_id, v_now);
        CALL post_entry(p_transaction_id, p_wallet_id, 0, v_unclaimed_id, 0, v_amount, v_now);
        CALL note_unclaimed(p_transaction_id, p_wallet_id, v_amount, 'closed', v_now);
        CALL close_if_empty(p_wallet_id, v_now, v_status);
        SET v_result = JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'wallet_id', LOWER(HEX(p_wallet_id)),
            'amount', v_amount + 0, 'status', v_status);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_transaction_id, p_operator, p_reason, 'write_off',
                     p_wallet_id, p_transaction_id);
END//
DELIMITER ;

-- Gives unclaimed money to a wallet: to its owner, who has claimed it and has another wallet now. `p_amount` NULL is all that
-- is left of it. As out of suspense: the limits of the tier apply unless `p_over_limits`, it counts as a load, and whoever
-- gives of the same money holds the lock of the transaction that brought it.
DROP PROCEDURE IF EXISTS credit_from_unclaimed;
DELIMITER //
CREATE PROCEDURE credit_from_unclaimed(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_credit_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_transaction_id BINARY(16),
    IN p_wallet_id BINARY(16),
    IN p_amount BIGINT,
    IN p_over_limits BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_unclaimed_id, v_known_id, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_left, v_amount, v_total BIGINT DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT id INTO v_unclaimed_id FROM accounts WHERE code = 'unclaimed';
        SELECT transaction_id INTO v_known_id FROM postings
        WHERE transaction_id = p_transaction_id AND account_id = v_unclaimed_id AND side = 'credit';
        SELECT id INTO v_locked FROM transactions WHERE id = v_known_id FOR UPDATE;
        CALL lock_credit(p_wallet_id, FALSE, v_slot, v_status, v_tier, v_total, v_last);
        SELECT t.amount - COALESCE((SELECT SUM(c.amount) FROM transactions c
                                    WHERE c.cause_id = t.id AND c.type = 'adjustment'), 0)
        INTO v_left FROM transactions t WHERE t.id = v_known_id;
        SET v_amount = COALESCE(p_amount, v_left);
        SET v_now = GREATEST(UTC_TIMESTAMP(6), COALESCE(v_last, UTC_TIMESTAMP(6)) + INTERVAL 1 MICROSECOND);
        IF v_known_id IS NOT NULL AND v_status IS NOT NULL AND NOT p_over_limits THEN
            CALL refuse_credit(p_wallet_id, v_tier, v_total, v_amount, TRUE, v_now, v_limit);
        END IF;
        SET v_outcome = CASE
            WHEN v_known_id IS NULL THEN 'not_found'
            WHEN v_status IS NULL THEN 'payee_not_found'
            WHEN v_status IN ('closing', 'closed') THEN 'wallet_frozen'
            WHEN v_left <= 0 OR v_amount > v_left OR v_amount <= 0 THEN 'refund_exceeds_payment'
            WHEN v_limit IS NOT NULL THEN 'wallet_limit_exceeded'
            ELSE 'done' END;
    END IF;
    IF v_outcome = 'done' THEN
        INSERT INTO transactions (id, type, amount, currency, actor_id, cause_id, created_at)
        VALUES (p_credit_id, 'adjustment', v_amount, 'INR', p_actor_id, p_transaction_id, v_now);
        CALL post_entry(p_credit_id, v_unclaimed_id, 0, p_wallet_id, v_slot, v_amount, v_now);
        CALL count_load(p_wallet_id, v_amount, v_now);
        CALL note_event(p_wallet_id, NULL, 'UnclaimedCredited', JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_credit_id)), 'amount', v_amount + 0, 'currency', 'INR'), v_now);
        SET v_result = JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_credit_id)), 'unclaimed_id', LOWER(HEX(p_transaction_id)),
            'wallet_id', LOWER(HEX(p_wallet_id)), 'amount', v_amount + 0, 'left', v_left - v_amount);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_credit_id, p_operator, p_reason, 'credit_from_unclaimed',
                     p_wallet_id, p_transaction_id);
END//
DELIMITER ;
