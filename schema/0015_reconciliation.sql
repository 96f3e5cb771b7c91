-- Reconciliation: how far the gateway's own lists have been read, what its settlement reports said, where they and the
-- books differ (breaks), and what operators do about it. `wallet.ledger.breaks` says what a break is.

-- How far a gateway's list has been read and compared: everything before `done_until` has been. It only grows, so that a
-- run that dies is made up for by the next one, and two at once do the same work twice and nothing else.
CREATE TABLE IF NOT EXISTS reconciliation_walks (
    gateway    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    walk       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    done_until DATETIME(6) NOT NULL,
    CONSTRAINT reconciliation_walks_pk PRIMARY KEY (gateway, walk)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Lines of the gateway's settlement reports, as last told. Amounts are minor units: `amount` is gross, `fee` (with its
-- `tax` in it) is the gateway's, `debit` and `credit` are what our account there lost or gained.
CREATE TABLE IF NOT EXISTS settlement_lines (
    gateway       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    type          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    entity_id     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    payment_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    amount        BIGINT      NOT NULL,
    currency      CHAR(3)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    debit         BIGINT      NOT NULL,
    credit        BIGINT      NOT NULL,
    fee           BIGINT      NOT NULL,
    tax           BIGINT      NOT NULL,
    settlement_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    utr           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    settled_at    DATETIME(6) NULL,
    told_at       DATETIME(6) NOT NULL,
    CONSTRAINT settlement_lines_pk PRIMARY KEY (gateway, type, entity_id),
    CONSTRAINT settlement_lines_amounts_are_not_negative
        CHECK (amount >= 0 AND debit >= 0 AND credit >= 0 AND fee >= 0 AND tax >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Where the books and somebody else's differ. `our_amount` is NULL where we have nothing, `their_amount` where they don't.
-- `resolution`: 'gone' (it is no longer there), 'ended' (an operator's order was carried out), 'operator' (an operator
-- says so, and why). `open_since` is when it was (last) opened: its age. `order_id` is the order of an operator that the
-- reconciler is to carry out.
CREATE TABLE IF NOT EXISTS reconciliation_breaks (
    id            BINARY(16)   NOT NULL,
    kind          VARCHAR(24)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway       VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject       VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    our_amount    BIGINT       NULL,
    their_amount  BIGINT       NULL,
    currency      CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NULL,
    first_seen_at DATETIME(6)  NOT NULL,
    open_since    DATETIME(6)  NOT NULL,
    last_seen_at  DATETIME(6)  NOT NULL,
    resolved_at   DATETIME(6)  NULL,
    resolution    VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NULL,
    resolved_by   VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    reason        VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    order_id      BINARY(16)   NULL,
    CONSTRAINT reconciliation_breaks_pk PRIMARY KEY (id),
    CONSTRAINT reconciliation_breaks_are_told_once UNIQUE (kind, gateway, subject),
    CONSTRAINT reconciliation_breaks_end_somehow CHECK ((resolved_at IS NULL) = (resolution IS NULL)),
    CONSTRAINT reconciliation_breaks_resolution_is_known CHECK (resolution IN ('gone', 'ended', 'operator')),
    CONSTRAINT reconciliation_breaks_people_say_why
        CHECK (resolution <> 'operator' OR (resolved_by IS NOT NULL AND reason IS NOT NULL)),
    INDEX reconciliation_breaks_that_are_open (resolved_at, open_since)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS reconciliation_breaks_keep_their_subject;
DELIMITER //
CREATE TRIGGER reconciliation_breaks_keep_their_subject BEFORE UPDATE ON reconciliation_breaks FOR EACH ROW
BEGIN
    IF NOT (NEW.id = OLD.id AND NEW.kind = OLD.kind AND NEW.gateway = OLD.gateway AND NEW.subject = OLD.subject
            AND NEW.first_seen_at = OLD.first_seen_at) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a break keeps its subject';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS reconciliation_breaks_are_kept;
CREATE TRIGGER reconciliation_breaks_are_kept BEFORE DELETE ON reconciliation_breaks FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'breaks are kept';

-- What is left of each payment that went to suspense: what came, less what went back or is about to, less what was
-- credited. Negative where the gateway gave back what we had credited.
DROP VIEW IF EXISTS money_in_suspense;
CREATE VIEW money_in_suspense AS
SELECT t.id, t.suspense_reason, t.gateway, t.gateway_payment_id, t.amount, t.currency, t.attempt_id, t.created_at,
       CAST(t.amount
            - COALESCE((SELECT SUM(r.amount) FROM source_refunds r
                        WHERE r.transaction_id = t.id AND r.status <> 'failed'), 0)
            - COALESCE((SELECT SUM(c.amount) FROM transactions c
                        WHERE c.cause_id = t.id AND c.type = 'adjustment'), 0) AS SIGNED) AS rest
FROM transactions t WHERE t.suspense_reason IS NOT NULL;

-- Internal. What of an entry may still go back or be credited: what came, less every refund that has not failed, less
-- what was credited out of suspense. The caller holds the lock that these are counted under.
DROP PROCEDURE IF EXISTS left_to_refund;
DELIMITER //
CREATE PROCEDURE left_to_refund(IN p_transaction_id BINARY(16), OUT p_left BIGINT)
READS SQL DATA
BEGIN
    SELECT t.amount
           - COALESCE((SELECT SUM(r.amount) FROM source_refunds r
                       WHERE r.transaction_id = t.id AND r.status <> 'failed'), 0)
           - COALESCE((SELECT SUM(c.amount) FROM transactions c
                       WHERE c.cause_id = t.id AND c.type = 'adjustment'), 0)
    INTO p_left FROM transactions t WHERE t.id = p_transaction_id;
END//
DELIMITER ;

-- Credits money that is in suspense to a wallet: the one whose attempt it came for, or the one that is named. `p_amount`
-- NULL is all that is left of it. The limits of the wallet's tier apply unless `p_over_limits`; it counts as a load all
-- the same. Never more than is left, whoever refunds or credits it at the same time: all of them hold the lock of the
-- suspended transaction. Locks: attempt, suspended transaction, wallet. An attempt that is credited whole has succeeded.
DROP PROCEDURE IF EXISTS credit_from_suspense;
DELIMITER //
CREATE PROCEDURE credit_from_suspense(
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
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_attempt_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_attempt_id, v_owner_id, v_wallet_id, v_suspense_id, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_asked, v_left, v_amount, v_total BIGINT DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        -- none of this ever changes, so it needs no lock: it says which locks are to be taken
        SELECT t.type, t.currency, t.gateway, t.gateway_payment_id, t.attempt_id, a.wallet_id, a.amount
        INTO v_type, v_currency, v_gateway, v_payment_id, v_attempt_id, v_owner_id, v_asked
        FROM transactions t LEFT JOIN payment_attempts a ON a.id = t.attempt_id
        WHERE t.id = p_transaction_id AND t.type = 'suspense';
        SET v_wallet_id = COALESCE(p_wallet_id, v_owner_id);
        IF v_type IS NULL OR v_wallet_id IS NULL THEN
            SET v_outcome = IF(v_type IS NULL, 'not_found', 'payee_not_found');
        ELSE
            IF v_attempt_id IS NOT NULL THEN
                SELECT status INTO v_attempt_status FROM payment_attempts WHERE id = v_attempt_id FOR UPDATE;
            END IF;
            SELECT id INTO v_locked FROM transactions WHERE id = p_transaction_id FOR UPDATE;
            CALL lock_credit(v_wallet_id, FALSE, v_slot, v_status, v_tier, v_total, v_last);
            CALL left_to_refund(p_transaction_id, v_left);
            SET v_amount = COALESCE(p_amount, v_left);
            SET v_now = GREATEST(UTC_TIMESTAMP(6), COALESCE(v_last, UTC_TIMESTAMP(6)) + INTERVAL 1 MICROSECOND);
            IF v_status IS NOT NULL AND NOT p_over_limits THEN
                CALL refuse_credit(v_wallet_id, v_tier, v_total, v_amount, TRUE, v_now, v_limit);
            END IF;
            SET v_outcome = CASE
                WHEN v_status IS NULL THEN 'payee_not_found'
                WHEN v_currency <> 'INR' THEN 'invalid_request' -- wallets hold rupees
                WHEN v_status = 'closed' THEN 'wallet_frozen'
                WHEN v_left <= 0 OR v_amount > v_left THEN 'refund_exceeds_payment'
                WHEN v_limit IS NOT NULL THEN 'wallet_limit_exceeded'
                ELSE 'done' END;
        END IF;
        IF v_outcome = 'done' THEN
            SELECT id INTO v_suspense_id FROM accounts WHERE code = 'suspense';
            INSERT INTO transactions (id, type, amount, currency, actor_id, cause_id, created_at)
            VALUES (p_credit_id, 'adjustment', v_amount, v_currency, p_actor_id, p_transaction_id, v_now);
            CALL post_entry(p_credit_id, v_suspense_id, 0, v_wallet_id, v_slot, v_amount, v_now);
            CALL count_load(v_wallet_id, v_amount, v_now);
            CALL note_event(v_wallet_id, NULL, 'SuspenseCredited', JSON_OBJECT(
                'transaction_id', LOWER(HEX(p_credit_id)), 'amount', v_amount + 0, 'currency', v_currency,
                'gateway', v_gateway,
                'top_up_id', IF(v_wallet_id = v_owner_id, LOWER(HEX(v_attempt_id)), NULL)), v_now);
            IF v_wallet_id = v_owner_id AND v_amount = v_asked
                AND v_attempt_status IN ('created', 'pending', 'failed', 'expired') THEN
                -- asked about once more later, as any that has succeeded: it may be refunded at the gateway
                UPDATE payment_attempts
                SET status = 'succeeded', next_check_at = GREATEST(expires_at, v_now + INTERVAL 1 DAY)
                WHERE id = v_attempt_id;
                CALL note_attempt(v_attempt_id, 'succeeded', 'credited_from_suspense', v_payment_id, v_now);
            END IF;
            SET v_result = JSON_OBJECT(
                'transaction_id', LOWER(HEX(p_credit_id)), 'suspended_id', LOWER(HEX(p_transaction_id)),
                'wallet_id', LOWER(HEX(v_wallet_id)), 'amount', v_amount + 0, 'left', v_left - v_amount);
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_credit_id, p_operator, p_reason, 'credit_from_suspense',
                     v_wallet_id, p_transaction_id);
END//
DELIMITER ;

-- Writes down how far a walk has come. It never goes back.
DROP PROCEDURE IF EXISTS advance_walk;
DELIMITER //
CREATE PROCEDURE advance_walk(
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_walk VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_done_until DATETIME(6)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    INSERT INTO reconciliation_walks (gateway, walk, done_until) VALUES (p_gateway, p_walk, p_done_until)
    ON DUPLICATE KEY UPDATE done_until = GREATEST(done_until, p_done_until);
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Keeps lines of a settlement report (`p_lines` is a JSON array; times are Unix seconds); of a line that was told before,
-- the latest word stays.
DROP PROCEDURE IF EXISTS keep_settlement_lines;
DELIMITER //
CREATE PROCEDURE keep_settlement_lines(
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_lines MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    REPLACE INTO settlement_lines
        (gateway, type, entity_id, payment_id, amount, currency, debit, credit, fee, tax, settlement_id, utr, settled_at,
         told_at)
    SELECT p_gateway, j.type, j.entity_id, j.payment_id, j.amount, j.currency, j.debit, j.credit, j.fee, j.tax,
           j.settlement_id, j.utr, TIMESTAMPADD(SECOND, j.settled_at, '1970-01-01'), UTC_TIMESTAMP(6)
    FROM JSON_TABLE(p_lines, '$[*]' COLUMNS (
        type VARCHAR(16) CHARACTER SET ascii PATH '$.type',
        entity_id VARCHAR(64) CHARACTER SET ascii PATH '$.entity_id',
        payment_id VARCHAR(64) CHARACTER SET ascii PATH '$.payment_id',
        amount BIGINT PATH '$.amount',
        currency CHAR(3) CHARACTER SET ascii PATH '$.currency',
        debit BIGINT PATH '$.debit',
        credit BIGINT PATH '$.credit',
        fee BIGINT PATH '$.fee',
        tax BIGINT PATH '$.tax',
        settlement_id VARCHAR(64) CHARACTER SET ascii PATH '$.settlement_id',
        utr VARCHAR(64) CHARACTER SET ascii PATH '$.utr',
        settled_at BIGINT PATH '$.settled_at')) AS j
    ORDER BY j.type, j.entity_id;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Internal. Writes a break down, or that it is still there. What an operator has resolved stays so as long as it looks
-- as it did then; whatever else was resolved and is there again is open again, from now on.
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

-- Writes a break down, or that it is still there: 'done' if it is (again) new.
DROP PROCEDURE IF EXISTS note_break;
DELIMITER //
CREATE PROCEDURE note_break(
    IN p_id BINARY(16),
    IN p_kind VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_our_amount BIGINT,
    IN p_their_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_is_new BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL keep_break(p_id, p_kind, p_gateway, p_subject, p_our_amount, p_their_amount, p_currency, v_is_new);
    COMMIT;
    SELECT IF(v_is_new, 'done', 'duplicate') AS outcome, NULL AS result;
END//
DELIMITER ;

-- Resolves a break that is no longer there.
DROP PROCEDURE IF EXISTS clear_break;
DELIMITER //
CREATE PROCEDURE clear_break(
    IN p_kind VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    UPDATE reconciliation_breaks SET resolved_at = UTC_TIMESTAMP(6), resolution = 'gone'
    WHERE kind = p_kind AND gateway = p_gateway AND subject = p_subject AND resolved_at IS NULL;
    SELECT IF(ROW_COUNT() > 0, 'done', 'duplicate') AS outcome, NULL AS result;
END//
DELIMITER ;

-- Resolves a break by an operator's word: for what only a person can settle.
DROP PROCEDURE IF EXISTS resolve_break;
DELIMITER //
CREATE PROCEDURE resolve_break(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_break_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_is_open BOOLEAN DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT resolved_at IS NULL INTO v_is_open FROM reconciliation_breaks WHERE id = p_break_id FOR UPDATE;
        SET v_outcome = IF(COALESCE(v_is_open, FALSE), 'done', 'not_found');
        IF v_outcome = 'done' THEN
            UPDATE reconciliation_breaks
            SET resolved_at = UTC_TIMESTAMP(6), resolution = 'operator', resolved_by = p_operator, reason = p_reason
            WHERE id = p_break_id;
            SELECT JSON_OBJECT('break_id', LOWER(HEX(id)), 'kind', kind, 'gateway', gateway, 'subject', subject,
                               'our_amount', our_amount, 'their_amount', their_amount)
            INTO v_result FROM reconciliation_breaks WHERE id = p_break_id;
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'resolve_break',
                     NULL, p_break_id);
END//
DELIMITER ;

-- Every event that can't be acted on is a break until an operator says what became of it; and a withdrawal about which an
-- operator's order stands is asked about until that is carried out.
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

-- Orders that a disputed withdrawal be ended: the reconciler asks the provider once more, and books what it then says,
-- whichever of the two contradicting words that is. Only while the dispute is an open break.
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
        SET v_outcome = IF(v_break_id IS NULL, 'not_found', 'done');
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

-- Hears that a provider contradicts what is in the books about a payout that is what was asked for. Without an operator's
-- order it is written down as a break and nothing moves ('disputed'). With one the latest word is booked, once ('done'):
--   paid out in the books, and failed at the provider: the money comes back to the wallet, with the fee;
--   failed in the books, and paid out at the provider: a correction debits the wallet, without a fee. If what is available
--   does not cover it, nothing moves ('not_covered'), and the order stands until it does.
-- 'duplicate' if the books say the same by now. `wallet.ledger.withdrawals.hear` says what contradicts what.
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
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_id, v_order_id, v_account_id, v_known_id BINARY(16) DEFAULT NULL;
    DECLARE v_agrees, v_is_new, v_corrected BOOLEAN DEFAULT FALSE;
    DECLARE v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT wallet_id, provider, status,
           amount = p_amount AND currency = p_currency AND COALESCE(provider_payout_id, p_payout_id) = p_payout_id
    INTO v_wallet_id, v_provider, v_status, v_agrees
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    SELECT COUNT(*) > 0 INTO v_corrected
    FROM transactions WHERE withdrawal_id = p_withdrawal_id AND type = 'adjustment';

    IF v_agrees AND NOT v_corrected
        AND (v_status = 'succeeded' AND p_news = 'failed' OR v_status = 'failed' AND p_news = 'succeeded') THEN
        CALL keep_break(p_break_id, 'disputed_withdrawal', v_provider, p_subject,
                        IF(v_status = 'succeeded', p_amount, 0), IF(p_news = 'succeeded', p_amount, 0), p_currency,
                        v_is_new);
        SELECT order_id INTO v_order_id FROM reconciliation_breaks
        WHERE kind = 'disputed_withdrawal' AND gateway = v_provider AND subject = p_subject AND resolved_at IS NULL;
        SET v_outcome = 'disputed';
        IF v_order_id IS NOT NULL AND p_asked THEN
            IF v_status = 'succeeded' THEN
                CALL take_withdrawal_back(p_withdrawal_id, p_transaction_id, 'disputed');
                SET v_outcome = 'done';
            ELSE
                CALL lock_debit(v_wallet_id, p_amount, p_transaction_id, v_wallet_status, v_tier, v_total, v_held, v_last);
                SET v_outcome = IF(p_amount <= v_total - v_held, 'done', 'not_covered');
                IF v_outcome = 'done' THEN
                    SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
                    SELECT id INTO v_account_id FROM accounts WHERE code = CONCAT('payout:', v_provider);
                    INSERT INTO transactions (id, type, amount, currency, withdrawal_id, created_at)
                    VALUES (p_transaction_id, 'adjustment', p_amount, p_currency, p_withdrawal_id, v_now);
                    CALL post_entry(p_transaction_id, v_wallet_id, 0, v_account_id, 0, p_amount, v_now);
                    UPDATE withdrawals SET provider_payout_id = COALESCE(provider_payout_id, p_payout_id)
                    WHERE id = p_withdrawal_id;
                    CALL note_withdrawal(p_withdrawal_id, 'WithdrawalCorrected', v_now);
                    CALL close_if_empty(v_wallet_id, v_now, v_wallet_status);
                END IF;
            END IF;
            IF v_outcome = 'done' THEN
                UPDATE withdrawals SET next_check_at = NULL WHERE id = p_withdrawal_id;
                UPDATE reconciliation_breaks SET resolved_at = UTC_TIMESTAMP(6), resolution = 'ended'
                WHERE kind = 'disputed_withdrawal' AND gateway = v_provider AND subject = p_subject;
            END IF;
        END IF;
        COMMIT;
    ELSE
        IF v_agrees AND (v_corrected OR v_status IN (p_news, 'reversed')) THEN
            UPDATE reconciliation_breaks SET resolved_at = UTC_TIMESTAMP(6), resolution = 'gone'
            WHERE kind = 'disputed_withdrawal' AND gateway = v_provider AND subject = p_subject
              AND resolved_at IS NULL;
        END IF;
        COMMIT;
        SELECT id INTO v_known_id FROM transactions WHERE id = p_transaction_id;
        SET v_outcome = IF(v_known_id IS NULL, 'duplicate', 'done'); -- our own commit, whose answer was lost
    END IF;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Gives a taken withdrawal back: the provider could not be asked, so the question is due again soon. Also one that has
-- ended: an operator wants to know.
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
    WHERE id = p_withdrawal_id AND checks = p_checks + 1;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Writes down which payout the provider has made of a withdrawal, believed only as far as it agrees with what was asked
-- for, as everything that a provider says. The first stays: 'mismatch' if this is not it.
DROP PROCEDURE IF EXISTS note_agreeing_payout;
DELIMITER //
CREATE PROCEDURE note_agreeing_payout(
    IN p_withdrawal_id BINARY(16),
    IN p_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payout_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'unknown_withdrawal';

    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 BEGIN END; -- another withdrawal's: it stays unknown here
        UPDATE withdrawals SET provider_payout_id = p_payout_id
        WHERE id = p_withdrawal_id AND provider_payout_id IS NULL
          AND provider = p_provider AND amount = p_amount AND currency = p_currency;
    END;
    SELECT IF(provider_payout_id <=> p_payout_id AND provider = p_provider AND amount = p_amount
              AND currency = p_currency, 'done', 'mismatch') INTO v_outcome
    FROM withdrawals WHERE id = p_withdrawal_id;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Ends an attempt whose time is over, after the gateway has said that no money came. Cashfree gives no list of payments
-- that would show a later one, and its FAILED is not the end: so there the order is asked about once more, a day later.
DROP PROCEDURE IF EXISTS expire_attempt;
DELIMITER //
CREATE PROCEDURE expire_attempt(IN p_attempt_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_expires_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT status, gateway, expires_at INTO v_status, v_gateway, v_expires_at
    FROM payment_attempts WHERE id = p_attempt_id AND expires_at <= v_now FOR UPDATE;
    IF v_status IS NOT NULL THEN
        UPDATE payment_attempts
        SET next_check_at = IF(v_gateway = 'cashfree' AND v_status <> 'refunded' AND v_now < v_expires_at + INTERVAL 1 DAY,
                               v_expires_at + INTERVAL 1 DAY, NULL)
        WHERE id = p_attempt_id;
    END IF;
    IF v_status IN ('created', 'pending') THEN
        UPDATE payment_attempts SET status = 'expired' WHERE id = p_attempt_id;
        CALL note_attempt(p_attempt_id, 'expired', NULL, '', v_now);
    END IF;
    COMMIT;
    SELECT IF(v_status IN ('created', 'pending'), 'done', 'ended_before') AS outcome, NULL AS result;
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
            SET v_outcome = CASE
                WHEN v_open >= 50 THEN 'too_many_open_top_ups'
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
        SELECT v_outcome AS outcome,
               IF(v_outcome = 'too_many_open_top_ups',
                  JSON_OBJECT('retry_after_s', GREATEST(1, TIMESTAMPDIFF(SECOND, v_now, v_first_over))), NULL) AS result;
    END IF;
END//
DELIMITER ;
