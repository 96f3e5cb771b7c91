-- What a provider says after an operator's order has ended a dispute; refunds that nobody's money covers; breaks that differ
-- in their currency only.

-- Internal. Writes a break down, or that it is still there. What an operator has resolved stays so as long as it looks
-- as it did then, in amounts and currency; whatever else was resolved and is there again is open again, from now on.
DROP PROCEDURE IF EXISTS keep_break;
DELIMITER //
CREATE PROCEDURE keep_break(
    IN p_id BINARY(16),
    IN p_kind VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_our_amount BIGINT,
    IN p_their_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_is_new BOOLEAN
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_resolution VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_same, v_reopened BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);

    SET p_is_new = TRUE;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET p_is_new = FALSE;
        INSERT INTO reconciliation_breaks
            (id, kind, gateway, subject, our_amount, their_amount, currency, first_seen_at, open_since, last_seen_at)
        VALUES (p_id, p_kind, p_gateway, p_subject, p_our_amount, p_their_amount, p_currency, v_now, v_now, v_now);
    END;
    IF NOT p_is_new THEN
        SELECT id, resolution, our_amount <=> p_our_amount AND their_amount <=> p_their_amount
               AND currency <=> p_currency
        INTO v_id, v_resolution, v_same
        FROM reconciliation_breaks
        WHERE kind = p_kind AND gateway = p_gateway AND subject = p_subject FOR UPDATE;
        SET v_reopened = v_resolution IS NOT NULL AND NOT (v_resolution = 'operator' AND v_same);
        UPDATE reconciliation_breaks
        SET last_seen_at = v_now, our_amount = p_our_amount, their_amount = p_their_amount, currency = p_currency,
            open_since = IF(v_reopened, v_now, open_since),
            resolved_at = IF(v_reopened, NULL, resolved_at),
            resolution = IF(v_reopened, NULL, resolution),
            resolved_by = IF(v_reopened, NULL, resolved_by),
            reason = IF(v_reopened, NULL, reason),
            order_id = IF(v_reopened, NULL, order_id)
        WHERE id = v_id;
        SET p_is_new = v_reopened;
    END IF;
END//
DELIMITER ;

-- Every event that can't be acted on is a break until an operator says what became of it, and so is every refund that was
-- begun at the gateway and that neither its wallet nor what is in suspense covers (until the gateway says that it failed).
-- A withdrawal about which an operator's order stands is asked about until that is carried out.
DROP PROCEDURE IF EXISTS tidy_breaks;
DELIMITER //
CREATE PROCEDURE tidy_breaks()
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    INSERT IGNORE INTO reconciliation_breaks
        (id, kind, gateway, subject, first_seen_at, open_since, last_seen_at)
    SELECT e.id, 'stuck_event', e.gateway, LOWER(HEX(e.id)), e.received_at, e.received_at, UTC_TIMESTAMP(6)
    FROM gateway_events e WHERE e.outcome = 'stuck';
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    INSERT IGNORE INTO reconciliation_breaks
        (id, kind, gateway, subject, their_amount, currency, first_seen_at, open_since, last_seen_at)
    SELECT r.id, 'uncovered_refund', r.gateway, r.gateway_refund_id, r.amount, r.currency, r.created_at, r.created_at,
           UTC_TIMESTAMP(6)
    FROM source_refunds r
    JOIN transactions t ON t.id = r.transaction_id
    LEFT JOIN reconciliation_breaks b ON b.id = r.id
    WHERE r.wallet_id IS NULL AND r.origin = 'gateway' AND r.status <> 'failed' AND b.id IS NULL
      AND (t.type = 'top_up' OR EXISTS (SELECT 1 FROM money_in_suspense m WHERE m.id = t.id AND m.rest < 0));
    UPDATE reconciliation_breaks
    SET resolved_at = UTC_TIMESTAMP(6), resolution = 'gone'
    WHERE kind = 'uncovered_refund' AND resolved_at IS NULL
      AND id IN (SELECT r.id FROM source_refunds r WHERE r.wallet_id IS NULL AND r.status = 'failed');
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- from the few breaks that are open, so that no other withdrawal is locked
    UPDATE reconciliation_breaks b
    STRAIGHT_JOIN operator_actions o ON o.id = b.order_id
    STRAIGHT_JOIN withdrawals d ON d.id = o.subject_id
    SET d.next_check_at = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR
    WHERE b.resolved_at IS NULL AND b.order_id IS NOT NULL
      AND (d.next_check_at IS NULL OR d.next_check_at > UTC_TIMESTAMP(6) + INTERVAL 1 HOUR);
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Books what a provider says became of a payout: 'succeeded', 'failed' or 'reversed', in any order and any number of
-- times; `wallet.ledger.withdrawals.hear` is the same rule in Python. Answers 'done', 'duplicate' (known before),
-- 'unknown_withdrawal', 'mismatch' (it is not what was asked for) or 'disputed' (paid out, and failed): the last two
-- move nothing. One that was corrected does not stand as its status says: any news of it is 'disputed', for
-- `hear_dispute` to weigh.
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
    DECLARE v_agrees, v_corrected BOOLEAN DEFAULT FALSE;
    DECLARE v_return_id BINARY(16) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT status, provider_payout_id,
           provider = p_provider AND amount = p_amount AND currency = p_currency
               AND COALESCE(provider_payout_id, p_payout_id) = p_payout_id
    INTO v_status, v_payout_id, v_agrees
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    SELECT COUNT(*) > 0 INTO v_corrected
    FROM transactions WHERE withdrawal_id = p_withdrawal_id AND type = 'adjustment';

    SET v_outcome = CASE
        WHEN v_status IS NULL THEN 'unknown_withdrawal'
        WHEN NOT v_agrees THEN 'mismatch'
        WHEN v_corrected THEN 'disputed'
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

-- Takes one due withdrawal for a question to the provider, tells what is to be asked, and says when the next question
-- is due: while it is pending each waits twice as long, to six hours at most; one that has ended is asked about daily
-- until a week after its end, and the end of a dispute is one. Of two that want the same withdrawal, one gets 'done'.
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
                WHEN GREATEST(created_at, COALESCE(ended_at, created_at)) + INTERVAL 6 DAY > v_now THEN v_now + INTERVAL 1 DAY
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

-- Orders that a disputed withdrawal be ended: the reconciler asks the provider once more, and books what it then says,
-- whichever of the two contradicting words that is. Only while the dispute is an open break; and not of one that has come
-- back and was corrected, in whatever order: both are booked once at most.
DROP PROCEDURE IF EXISTS end_dispute;
DELIMITER //
CREATE PROCEDURE end_dispute(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_withdrawal_id BINARY(16),
    IN p_subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id, v_break_id BINARY(16) DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount BIGINT DEFAULT NULL;
    DECLARE v_turns INT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT wallet_id, provider, status, amount INTO v_wallet_id, v_provider, v_status, v_amount
        FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
        SELECT id INTO v_break_id FROM reconciliation_breaks
        WHERE kind = 'disputed_withdrawal' AND gateway = v_provider AND subject = p_subject AND resolved_at IS NULL
        FOR UPDATE;
        SELECT COUNT(*) INTO v_turns FROM transactions
        WHERE withdrawal_id = p_withdrawal_id AND type IN ('withdrawal_return', 'adjustment');
        SET v_outcome = IF(v_break_id IS NULL OR v_turns > 1, 'not_found', 'done');
        IF v_outcome = 'done' THEN
            UPDATE reconciliation_breaks SET order_id = p_action_id WHERE id = v_break_id;
            UPDATE withdrawals SET next_check_at = UTC_TIMESTAMP(6) WHERE id = p_withdrawal_id;
            SET v_result = JSON_OBJECT(
                'withdrawal_id', LOWER(HEX(p_withdrawal_id)), 'wallet_id', LOWER(HEX(v_wallet_id)),
                'break_id', LOWER(HEX(v_break_id)), 'status', v_status, 'amount', v_amount + 0);
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'end_dispute',
                     v_wallet_id, p_withdrawal_id);
END//
DELIMITER ;

-- Internal. Debits a wallet for a withdrawal that was paid out after all, without a fee: 'done', or 'not_covered' if what is
-- available does not cover it. The caller holds the withdrawal's lock.
DROP PROCEDURE IF EXISTS correct_withdrawal;
DELIMITER //
CREATE PROCEDURE correct_withdrawal(
    IN p_withdrawal_id BINARY(16),
    IN p_transaction_id BINARY(16),
    IN p_payout_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id, v_account_id BINARY(16) DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount, v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;

    SELECT wallet_id, provider, amount, currency INTO v_wallet_id, v_provider, v_amount, v_currency
    FROM withdrawals WHERE id = p_withdrawal_id;
    CALL lock_debit(v_wallet_id, v_amount, p_transaction_id, v_status, v_tier, v_total, v_held, v_last);
    SET p_outcome = IF(v_amount <= v_total - v_held, 'done', 'not_covered');
    IF p_outcome = 'done' THEN
        SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
        SELECT id INTO v_account_id FROM accounts WHERE code = CONCAT('payout:', v_provider);
        INSERT INTO transactions (id, type, amount, currency, withdrawal_id, created_at)
        VALUES (p_transaction_id, 'adjustment', v_amount, v_currency, p_withdrawal_id, v_now);
        CALL post_entry(p_transaction_id, v_wallet_id, 0, v_account_id, 0, v_amount, v_now);
        UPDATE withdrawals SET provider_payout_id = COALESCE(provider_payout_id, p_payout_id) WHERE id = p_withdrawal_id;
        CALL note_withdrawal(p_withdrawal_id, 'WithdrawalCorrected', v_now);
        CALL close_if_empty(v_wallet_id, v_now, v_status);
    END IF;
END//
DELIMITER ;

-- Internal. Books that the money of a corrected withdrawal came back from the bank: to its wallet, whatever limits it has,
-- and without a fee, for the correction took none. Its status stays as it is. A wallet that was closed meanwhile is closing
-- again, which shows it to the operator. The caller holds the withdrawal's lock.
DROP PROCEDURE IF EXISTS take_correction_back;
DELIMITER //
CREATE PROCEDURE take_correction_back(IN p_withdrawal_id BINARY(16), IN p_transaction_id BINARY(16))
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id, v_account_id, v_cause_id BINARY(16) DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_detail TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_amount, v_total BIGINT DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;

    SELECT wallet_id, provider, amount, currency, JSON_OBJECT(
        'withdrawal_id', LOWER(HEX(id)), 'amount', amount, 'fee', 0, 'currency', currency, 'provider', provider,
        'reason', reason)
    INTO v_wallet_id, v_provider, v_amount, v_currency, v_detail FROM withdrawals WHERE id = p_withdrawal_id;
    SELECT id INTO v_account_id FROM accounts WHERE code = CONCAT('payout:', v_provider);
    SELECT id INTO v_cause_id FROM transactions WHERE withdrawal_id = p_withdrawal_id AND type = 'adjustment';
    CALL lock_credit(v_wallet_id, FALSE, v_slot, v_status, v_tier, v_total, v_last);
    SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
    INSERT INTO transactions (id, type, amount, currency, cause_id, withdrawal_id, created_at)
    VALUES (p_transaction_id, 'withdrawal_return', v_amount, v_currency, v_cause_id, p_withdrawal_id, v_now);
    CALL post_entry(p_transaction_id, v_account_id, 0, v_wallet_id, 0, v_amount, v_now);
    UPDATE wallets SET status = 'closing' WHERE id = v_wallet_id AND status = 'closed';
    CALL note_event(v_wallet_id, NULL, 'WithdrawalReversed', v_detail, v_now);
END//
DELIMITER ;

-- Weighs what a provider says of a payout that is what was asked for against where its money is by the books, corrections
-- and all; `wallet.ledger.withdrawals.weigh` is the same rule in Python. `p_asked`: it answers our own question.
--   The same: 'duplicate'. If it was asked for, a dispute is over: gone.
--   Corrected, and sent back by the bank now: the money comes back to the wallet ('done').
--   Back in the wallet, and an event says that it was paid out: an old one ('duplicate').
--   Any other contradiction is an open break, and nothing moves ('disputed'), unless an operator has ordered the end of
--   this very contradiction and this answers our question. Then it is booked, once ('done'):
--     paid out in the books, not by the provider's word: the money comes back to the wallet, with the fee it took;
--     not paid out in the books, paid out by the provider's word: a correction debits the wallet, without a fee. If what
--     is available does not cover it, nothing moves ('not_covered'), and the order stands until it does.
-- Whatever ends a dispute, the provider is asked for a week more; and at once about an event that contradicts what an
-- order has brought about. Locks: withdrawal, break, wallet.
DROP PROCEDURE IF EXISTS hear_dispute;
DELIMITER //
CREATE PROCEDURE hear_dispute(
    IN p_break_id BINARY(16),
    IN p_transaction_id BINARY(16),
    IN p_withdrawal_id BINARY(16),
    IN p_subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payout_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_news VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_asked BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'duplicate';
    DECLARE v_verdict VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_order_id, v_known_id BINARY(16) DEFAULT NULL;
    DECLARE v_agrees, v_is_new, v_corrected, v_returned BOOLEAN DEFAULT FALSE;
    DECLARE v_is_paid BOOLEAN DEFAULT NULL;
    DECLARE v_ours, v_theirs BIGINT DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT provider, status,
           amount = p_amount AND currency = p_currency AND COALESCE(provider_payout_id, p_payout_id) = p_payout_id
    INTO v_provider, v_status, v_agrees
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    SELECT COALESCE(SUM(type = 'adjustment'), 0) > 0, COALESCE(SUM(type = 'withdrawal_return'), 0) > 0
    INTO v_corrected, v_returned
    FROM transactions WHERE withdrawal_id = p_withdrawal_id;
    SET v_is_paid = CASE v_status
        WHEN 'succeeded' THEN TRUE
        WHEN 'failed' THEN v_corrected AND NOT v_returned
        WHEN 'reversed' THEN v_corrected END;
    SET v_ours = IF(v_is_paid, p_amount, 0), v_theirs = IF(p_news = 'succeeded', p_amount, 0);
    SET v_verdict = CASE
        WHEN NOT v_agrees OR v_is_paid IS NULL THEN 'unknown'
        WHEN v_ours = v_theirs THEN 'agrees'
        WHEN p_news = 'reversed' AND NOT v_returned THEN 'comes_back'
        WHEN p_news = 'succeeded' AND v_returned AND NOT p_asked THEN 'old'
        ELSE 'disputed' END;
    -- of an order only what was ordered is carried out: the end of these two words against each other
    SELECT order_id INTO v_order_id FROM reconciliation_breaks
    WHERE kind = 'disputed_withdrawal' AND gateway = v_provider AND subject = p_subject AND resolved_at IS NULL
      AND our_amount = v_ours AND their_amount = v_theirs FOR UPDATE;

    IF v_verdict = 'disputed' THEN
        CALL keep_break(p_break_id, 'disputed_withdrawal', v_provider, p_subject, v_ours, v_theirs, p_currency, v_is_new);
        UPDATE reconciliation_breaks SET order_id = v_order_id
        WHERE kind = 'disputed_withdrawal' AND gateway = v_provider AND subject = p_subject AND resolved_at IS NULL;
        SET v_outcome = 'disputed';
        IF v_order_id IS NOT NULL AND p_asked AND NOT v_is_paid AND NOT v_corrected THEN
            CALL correct_withdrawal(p_withdrawal_id, p_transaction_id, p_payout_id, v_outcome);
        ELSEIF v_order_id IS NOT NULL AND p_asked AND v_is_paid AND NOT v_returned THEN
            SET v_verdict = 'comes_back';
        ELSEIF v_is_new AND (v_corrected OR v_returned) THEN
            UPDATE withdrawals SET next_check_at = IF(p_asked, COALESCE(next_check_at, v_now + INTERVAL 1 DAY), v_now)
            WHERE id = p_withdrawal_id;
        END IF;
    END IF;
    IF v_verdict = 'comes_back' THEN
        IF v_corrected THEN
            CALL take_correction_back(p_withdrawal_id, p_transaction_id);
        ELSE
            CALL take_withdrawal_back(p_withdrawal_id, p_transaction_id, 'disputed');
        END IF;
        SET v_outcome = 'done';
    END IF;
    IF v_outcome = 'done' OR v_verdict = 'agrees' AND p_asked THEN
        UPDATE reconciliation_breaks
        SET resolved_at = v_now, resolution = IF(v_outcome = 'done' AND order_id IS NOT NULL, 'ended', 'gone')
        WHERE kind = 'disputed_withdrawal' AND gateway = v_provider AND subject = p_subject AND resolved_at IS NULL;
        IF v_outcome = 'done' OR ROW_COUNT() > 0 THEN
            UPDATE withdrawals SET ended_at = GREATEST(ended_at, v_now), next_check_at = v_now + INTERVAL 1 DAY
            WHERE id = p_withdrawal_id;
        END IF;
    END IF;
    COMMIT;
    IF v_outcome = 'duplicate' THEN
        SELECT id INTO v_known_id FROM transactions WHERE id = p_transaction_id;
        SET v_outcome = IF(v_known_id IS NULL, 'duplicate', 'done'); -- our own commit, whose answer was lost
    END IF;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;
