-- Money out: what is set aside for a withdrawal, the payout, and what its provider says became of it.
--
-- Locks: idempotency record, withdrawal, wallet. What the provider says is believed only as far as it agrees with what
-- was asked: our withdrawal, its amount, its currency, one payout.

-- Internal. Tells of a withdrawal, under the lock of its wallet.
DROP PROCEDURE IF EXISTS note_withdrawal;
DELIMITER //
CREATE PROCEDURE note_withdrawal(
    IN p_withdrawal_id BINARY(16),
    IN p_type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_detail TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;

    SELECT wallet_id, JSON_OBJECT(
        'withdrawal_id', LOWER(HEX(id)), 'amount', amount, 'fee', fee, 'currency', currency, 'provider', provider,
        'reason', reason)
    INTO v_wallet_id, v_detail FROM withdrawals WHERE id = p_withdrawal_id;
    CALL note_event(v_wallet_id, NULL, p_type, v_detail, p_at);
END//
DELIMITER ;

-- Sets the money of a withdrawal aside, and its fee, before anybody is asked to pay it out: it is no longer available,
-- and still in the wallet. A replay answers what was answered first.
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
            (id, wallet_id, provider, vpa, amount, fee, currency, status, created_at, next_check_at, checks)
        VALUES (p_withdrawal_id, v_wallet_id, p_provider, p_vpa, p_amount, v_fee, 'INR', 'pending', v_now,
                v_now + INTERVAL p_first_check_seconds SECOND, 0);
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

-- Writes down which payout the provider has made of a withdrawal. The first stays: 'mismatch' if this is not it.
DROP PROCEDURE IF EXISTS note_payout;
DELIMITER //
CREATE PROCEDURE note_payout(
    IN p_withdrawal_id BINARY(16),
    IN p_payout_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'unknown_withdrawal';

    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 BEGIN END; -- another withdrawal's: it stays unknown here
        UPDATE withdrawals SET provider_payout_id = p_payout_id
        WHERE id = p_withdrawal_id AND provider_payout_id IS NULL;
    END;
    SELECT IF(provider_payout_id <=> p_payout_id, 'done', 'mismatch') INTO v_outcome
    FROM withdrawals WHERE id = p_withdrawal_id;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Internal. Ends a pending withdrawal that was not paid out: what was set aside is available again, and is not counted
-- as a debit any more. The caller holds the withdrawal's lock.
DROP PROCEDURE IF EXISTS free_withdrawal;
DELIMITER //
CREATE PROCEDURE free_withdrawal(
    IN p_withdrawal_id BINARY(16),
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount, v_fee, v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_created_at, v_last, v_now DATETIME(6) DEFAULT NULL;

    SELECT wallet_id, amount, fee, created_at INTO v_wallet_id, v_amount, v_fee, v_created_at
    FROM withdrawals WHERE id = p_withdrawal_id;
    CALL lock_debit(v_wallet_id, 0, p_withdrawal_id, v_status, v_tier, v_total, v_held, v_last);
    SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
    CALL set_aside(v_wallet_id, -(v_amount + v_fee), 'withdrawal', p_withdrawal_id, v_now);
    CALL count_debit(v_wallet_id, -v_amount, v_created_at);
    UPDATE withdrawals SET status = 'failed', reason = p_reason, ended_at = v_now, next_check_at = NULL
    WHERE id = p_withdrawal_id;
    CALL note_withdrawal(p_withdrawal_id, 'WithdrawalFailed', v_now);
END//
DELIMITER ;

-- Internal. Books a pending withdrawal that was paid out: the amount leaves to the provider, the fee to us. The caller
-- holds the withdrawal's lock. For a week, far longer than a bank takes to send money back, the provider is asked again.
DROP PROCEDURE IF EXISTS pay_withdrawal_out;
DELIMITER //
CREATE PROCEDURE pay_withdrawal_out(IN p_withdrawal_id BINARY(16), IN p_transaction_id BINARY(16))
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id, v_payout_account_id, v_fees_id, v_fee_id BINARY(16) DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount, v_fee, v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;

    SELECT wallet_id, provider, amount, fee INTO v_wallet_id, v_provider, v_amount, v_fee
    FROM withdrawals WHERE id = p_withdrawal_id;
    SELECT id INTO v_payout_account_id FROM accounts WHERE code = CONCAT('payout:', v_provider);
    CALL lock_debit(v_wallet_id, 0, p_transaction_id, v_status, v_tier, v_total, v_held, v_last);
    SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
    CALL set_aside(v_wallet_id, -(v_amount + v_fee), 'withdrawal', p_withdrawal_id, v_now);
    INSERT INTO transactions (id, type, amount, currency, withdrawal_id, created_at)
    VALUES (p_transaction_id, 'withdrawal', v_amount, 'INR', p_withdrawal_id, v_now);
    CALL post_entry(p_transaction_id, v_wallet_id, 0, v_payout_account_id, 0, v_amount, v_now);
    IF v_fee > 0 THEN
        CALL derive_id(p_transaction_id, 'fee', v_fee_id);
        SELECT id INTO v_fees_id FROM accounts WHERE code = 'fees';
        SET v_now = v_now + INTERVAL 1 MICROSECOND;
        INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)
        VALUES (v_fee_id, 'fee', v_fee, 'INR', p_transaction_id, v_now);
        CALL post_entry(v_fee_id, v_wallet_id, 0, v_fees_id, 0, v_fee, v_now);
    END IF;
    UPDATE withdrawals SET status = 'succeeded', ended_at = v_now, next_check_at = v_now + INTERVAL 1 DAY
    WHERE id = p_withdrawal_id;
    CALL note_withdrawal(p_withdrawal_id, 'WithdrawalSucceeded', v_now);
    CALL close_if_empty(v_wallet_id, v_now, v_status); -- its last money has left
END//
DELIMITER ;

-- Internal. Books that the money of a withdrawal came back from the bank: to its wallet, with the fee, whatever limits it
-- has. One that was closed meanwhile is closing again, which shows it to the operator. The caller holds the withdrawal's
-- lock.
DROP PROCEDURE IF EXISTS take_withdrawal_back;
DELIMITER //
CREATE PROCEDURE take_withdrawal_back(
    IN p_withdrawal_id BINARY(16),
    IN p_transaction_id BINARY(16),
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id, v_payout_account_id, v_fees_id, v_fee_id, v_cause_id BINARY(16) DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_amount, v_fee, v_total BIGINT DEFAULT NULL;
    DECLARE v_created_at, v_last, v_now DATETIME(6) DEFAULT NULL;

    SELECT wallet_id, provider, amount, fee, created_at INTO v_wallet_id, v_provider, v_amount, v_fee, v_created_at
    FROM withdrawals WHERE id = p_withdrawal_id;
    SELECT id INTO v_payout_account_id FROM accounts WHERE code = CONCAT('payout:', v_provider);
    SELECT id INTO v_cause_id FROM transactions WHERE withdrawal_id = p_withdrawal_id AND type = 'withdrawal';
    CALL lock_credit(v_wallet_id, FALSE, v_slot, v_status, v_tier, v_total, v_last);
    SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
    INSERT INTO transactions (id, type, amount, currency, cause_id, withdrawal_id, created_at)
    VALUES (p_transaction_id, 'withdrawal_return', v_amount, 'INR', v_cause_id, p_withdrawal_id, v_now);
    CALL post_entry(p_transaction_id, v_payout_account_id, 0, v_wallet_id, 0, v_amount, v_now);
    IF v_fee > 0 THEN
        CALL derive_id(p_transaction_id, 'fee', v_fee_id);
        SELECT id INTO v_fees_id FROM accounts WHERE code = 'fees';
        SET v_now = v_now + INTERVAL 1 MICROSECOND;
        INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)
        VALUES (v_fee_id, 'fee', v_fee, 'INR', p_transaction_id, v_now);
        CALL post_entry(v_fee_id, v_fees_id, 0, v_wallet_id, 0, v_fee, v_now);
    END IF;
    CALL count_debit(v_wallet_id, -v_amount, v_created_at);
    UPDATE wallets SET status = 'closing' WHERE id = v_wallet_id AND status = 'closed';
    UPDATE withdrawals SET status = 'reversed', reason = p_reason, ended_at = v_now, next_check_at = NULL
    WHERE id = p_withdrawal_id;
    CALL note_withdrawal(p_withdrawal_id, 'WithdrawalReversed', v_now);
END//
DELIMITER ;

-- Books what a provider says became of a payout: 'succeeded', 'failed' or 'reversed', in any order and any number of
-- times; `wallet.ledger.withdrawals.hear` is the same rule in Python. Answers 'done', 'duplicate' (known before),
-- 'unknown_withdrawal', 'mismatch' (it is not what was asked for) or 'disputed' (paid out, and failed): the last two
-- move nothing and are for people to look at.
DROP PROCEDURE IF EXISTS settle_withdrawal;
DELIMITER //
CREATE PROCEDURE settle_withdrawal(
    IN p_transaction_id BINARY(16),
    IN p_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_withdrawal_id BINARY(16),
    IN p_payout_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_news VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_payout_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_agrees BOOLEAN DEFAULT FALSE;
    DECLARE v_return_id BINARY(16) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT status, provider_payout_id,
           provider = p_provider AND amount = p_amount AND currency = p_currency
               AND COALESCE(provider_payout_id, p_payout_id) = p_payout_id
    INTO v_status, v_payout_id, v_agrees
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;

    SET v_outcome = CASE
        WHEN v_status IS NULL THEN 'unknown_withdrawal'
        WHEN NOT v_agrees THEN 'mismatch'
        WHEN v_status = 'succeeded' AND p_news = 'failed' OR v_status = 'failed' AND p_news = 'succeeded' THEN 'disputed'
        WHEN v_status = 'pending' OR v_status = 'succeeded' AND p_news = 'reversed' THEN 'done'
        ELSE 'duplicate' END;

    IF v_outcome = 'done' AND v_payout_id IS NULL THEN
        BEGIN
            DECLARE CONTINUE HANDLER FOR 1062 SET v_outcome = 'mismatch'; -- it is another withdrawal's
            UPDATE withdrawals SET provider_payout_id = p_payout_id WHERE id = p_withdrawal_id;
        END;
    END IF;

    IF v_outcome = 'done' THEN
        IF p_news = 'failed' THEN
            CALL free_withdrawal(p_withdrawal_id, p_reason);
        ELSEIF v_status = 'pending' THEN
            CALL pay_withdrawal_out(p_withdrawal_id, p_transaction_id);
        END IF;
        IF p_news = 'reversed' THEN
            CALL derive_id(p_transaction_id, 'return', v_return_id);
            CALL take_withdrawal_back(p_withdrawal_id, v_return_id, p_reason);
        END IF;
        COMMIT;
    ELSE
        ROLLBACK;
        -- our own commit, whose answer was lost, is no duplicate
        CALL derive_id(p_transaction_id, 'return', v_return_id);
        SELECT IF(v_outcome = 'duplicate' AND COUNT(*) > 0, 'done', v_outcome) INTO v_outcome
        FROM transactions WHERE id IN (p_transaction_id, v_return_id);
    END IF;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Ends a withdrawal of which the provider surely has no payout, and will have none. Only while none is known.
DROP PROCEDURE IF EXISTS reject_withdrawal;
DELIMITER //
CREATE PROCEDURE reject_withdrawal(
    IN p_withdrawal_id BINARY(16),
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_open BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT status = 'pending' AND provider_payout_id IS NULL INTO v_open
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    IF v_open THEN
        CALL free_withdrawal(p_withdrawal_id, p_reason);
    END IF;
    COMMIT;
    SELECT IF(v_open, 'done', 'not_open') AS outcome, NULL AS result;
END//
DELIMITER ;

-- Takes one due withdrawal for a question to the provider, tells what is to be asked, and says when the next question
-- is due: while it is pending each waits twice as long, to six hours at most; one that was paid out is asked about daily
-- until a week after it was asked for. Of two that want the same withdrawal, one gets 'done'.
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
    DECLARE v_due BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- the row first and by its key, as everybody locks it; by the index of due times two could meet crosswise
    SELECT next_check_at <= v_now AND checks = p_checks INTO v_due
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    IF v_due THEN
        UPDATE withdrawals
        SET checks = checks + 1,
            next_check_at = CASE
                WHEN status = 'pending' THEN v_now
                    + INTERVAL LEAST(21600, p_first_check_seconds * POW(2, LEAST(p_checks, 16))) SECOND
                WHEN created_at + INTERVAL 6 DAY > v_now THEN v_now + INTERVAL 1 DAY
                ELSE NULL END
        WHERE id = p_withdrawal_id;
        SELECT JSON_OBJECT(
            'withdrawal_id', LOWER(HEX(d.id)), 'status', d.status, 'vpa', d.vpa, 'payee_name', u.name,
            'amount', d.amount, 'currency', d.currency, 'payout_id', d.provider_payout_id,
            'age_s', TIMESTAMPDIFF(SECOND, d.created_at, v_now)) INTO v_result
        FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id JOIN users u ON u.id = w.user_id
        WHERE d.id = p_withdrawal_id;
    END IF;
    COMMIT;
    SELECT IF(v_due, 'done', 'taken') AS outcome, v_result AS result;
END//
DELIMITER ;

-- Gives a taken withdrawal back: the provider could not be asked, so the question is due again soon.
DROP PROCEDURE IF EXISTS release_withdrawal_check;
DELIMITER //
CREATE PROCEDURE release_withdrawal_check(
    IN p_withdrawal_id BINARY(16),
    IN p_checks INT UNSIGNED,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_soon DATETIME(6) DEFAULT UTC_TIMESTAMP(6) + INTERVAL p_first_check_seconds SECOND;

    UPDATE withdrawals SET checks = checks - 1, next_check_at = LEAST(COALESCE(next_check_at, v_soon), v_soon)
    WHERE id = p_withdrawal_id AND checks = p_checks + 1 AND status IN ('pending', 'succeeded');
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;
