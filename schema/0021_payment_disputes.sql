-- Payment disputes (chargebacks): what a payer's bank takes back of a payment, through the gateway. What is available of the
-- wallet that the payment was credited to is reserved from the first news on; an operator says how it ended, and that is
-- booked. A withdrawal on which its provider contradicts itself is another thing (`disputed_withdrawal`).
--
-- Locks: idempotency record; payment attempt; refund to source; payment dispute; suspended transaction; wallet; break.

ALTER TABLE accounts
    DROP CONSTRAINT accounts_kind_is_known,
    ADD CONSTRAINT accounts_kind_is_known
        CHECK (kind IN ('wallet', 'gateway', 'payout', 'fees', 'suspense', 'losses', 'unclaimed'));

-- What we bear ourselves: chargebacks that no wallet covered.
INSERT IGNORE INTO accounts (id, code, kind, created_at) VALUES
    (UNHEX('00000000000070008000000000000006'), 'losses', 'losses', UTC_TIMESTAMP(6));

ALTER TABLE transactions
    DROP CONSTRAINT transactions_type_is_known,
    ADD CONSTRAINT transactions_type_is_known CHECK (type IN (
        'top_up', 'payment', 'suspense', 'refund', 'hold_capture', 'withdrawal', 'withdrawal_return',
        'refund_to_source', 'fee', 'adjustment', 'gather', 'chargeback', 'chargeback_reversal'));

ALTER TABLE held_changes
    DROP CONSTRAINT held_changes_cause_is_known,
    ADD CONSTRAINT held_changes_cause_is_known
        CHECK (cause IN ('hold', 'withdrawal', 'refund_to_source', 'dispute'));

-- A dispute as it stands, one row for each of the gateway's. `transaction_id` is the payment in the books, NULL until it is
-- there; `wallet_id` is whose balance it was credited to, NULL if to nobody's. `amount` is what the gateway asks back, as last
-- told, and may be more than was credited. `status` is in force, `gateway_status` the gateway's last word: an operator may be
-- ahead of it. `told_at` is the gateway's time of its last news: older news change nothing. `reserved` is held in the wallet;
-- `from_wallet`, `from_suspense` and `from_losses` are what was booked, less what was reversed. `ends` counts the times that
-- an operator has ended it. It is open while `ended_at` is NULL.
CREATE TABLE IF NOT EXISTS payment_disputes (
    id                 BINARY(16)   NOT NULL,
    gateway            VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway_dispute_id VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway_payment_id VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    transaction_id     BINARY(16)   NULL,
    wallet_id          BINARY(16)   NULL,
    amount             BIGINT       NOT NULL,
    currency           CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    phase              VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status             VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway_status     VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reason             VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    respond_by         DATETIME(6)  NULL,
    told_at            DATETIME(6)  NOT NULL,
    reserved           BIGINT       NOT NULL DEFAULT 0,
    from_wallet        BIGINT       NOT NULL DEFAULT 0,
    from_suspense      BIGINT       NOT NULL DEFAULT 0,
    from_losses        BIGINT       NOT NULL DEFAULT 0,
    ends               INT UNSIGNED NOT NULL DEFAULT 0,
    changes            INT UNSIGNED NOT NULL DEFAULT 0,
    created_at         DATETIME(6)  NOT NULL,
    ended_at           DATETIME(6)  NULL,
    CONSTRAINT payment_disputes_pk PRIMARY KEY (id),
    CONSTRAINT payment_disputes_are_told_once UNIQUE (gateway, gateway_dispute_id),
    CONSTRAINT payment_disputes_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT payment_disputes_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    CONSTRAINT payment_disputes_amount_is_positive CHECK (amount > 0),
    CONSTRAINT payment_disputes_status_is_known
        CHECK (status IN ('open', 'under_review', 'action_required', 'won', 'lost', 'closed')),
    CONSTRAINT payment_disputes_sums_are_not_negative
        CHECK (reserved >= 0 AND from_wallet >= 0 AND from_suspense >= 0 AND from_losses >= 0),
    CONSTRAINT payment_disputes_reserve_in_a_wallet CHECK (reserved = 0 OR wallet_id IS NOT NULL),
    INDEX payment_disputes_of_payment (gateway, gateway_payment_id),
    INDEX payment_disputes_that_are_open (ended_at, respond_by)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How a dispute came to stand as it stands: one row for each time that its row changed. `source`: 'gateway' (its news),
-- 'operator' (an end), 'books' (the payment was booked, or something of it became free).
CREATE TABLE IF NOT EXISTS payment_dispute_events (
    dispute_id    BINARY(16)   NOT NULL,
    position      INT UNSIGNED NOT NULL,
    source        VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    phase         VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status        VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount        BIGINT       NOT NULL,
    reason        VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    respond_by    DATETIME(6)  NULL,
    told_at       DATETIME(6)  NOT NULL,
    reserved      BIGINT       NOT NULL,
    from_wallet   BIGINT       NOT NULL,
    from_suspense BIGINT       NOT NULL,
    from_losses   BIGINT       NOT NULL,
    is_open       BOOLEAN      NOT NULL,
    created_at    DATETIME(6)  NOT NULL,
    CONSTRAINT payment_dispute_events_pk PRIMARY KEY (dispute_id, position),
    CONSTRAINT payment_dispute_events_dispute_exists FOREIGN KEY (dispute_id) REFERENCES payment_disputes (id),
    CONSTRAINT payment_dispute_events_source_is_known CHECK (source IN ('gateway', 'operator', 'books'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Which transactions book a dispute: at its end number `end_no`, from or back to one `part` at most once.
CREATE TABLE IF NOT EXISTS payment_dispute_bookings (
    transaction_id BINARY(16)   NOT NULL,
    dispute_id     BINARY(16)   NOT NULL,
    end_no         INT UNSIGNED NOT NULL,
    part           VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    CONSTRAINT payment_dispute_bookings_pk PRIMARY KEY (transaction_id),
    CONSTRAINT payment_dispute_bookings_are_made_once UNIQUE (dispute_id, end_no, part),
    CONSTRAINT payment_dispute_bookings_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT payment_dispute_bookings_dispute_exists FOREIGN KEY (dispute_id) REFERENCES payment_disputes (id),
    CONSTRAINT payment_dispute_bookings_part_is_known CHECK (part IN ('wallet', 'suspense', 'losses'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS payment_disputes_keep_their_subject;
DELIMITER //
CREATE TRIGGER payment_disputes_keep_their_subject BEFORE UPDATE ON payment_disputes FOR EACH ROW
BEGIN
    IF NOT (NEW.id = OLD.id AND NEW.gateway = OLD.gateway AND NEW.gateway_dispute_id = OLD.gateway_dispute_id
            AND NEW.gateway_payment_id = OLD.gateway_payment_id AND NEW.currency = OLD.currency
            AND NEW.created_at = OLD.created_at AND NEW.told_at >= OLD.told_at AND NEW.changes >= OLD.changes
            AND NEW.ends >= OLD.ends AND NEW.transaction_id <=> COALESCE(OLD.transaction_id, NEW.transaction_id)
            AND NEW.wallet_id <=> COALESCE(OLD.wallet_id, NEW.wallet_id)) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a dispute keeps its subject, and its news move forward only';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS payment_disputes_are_kept;
CREATE TRIGGER payment_disputes_are_kept BEFORE DELETE ON payment_disputes FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'payment disputes are kept';

DROP TRIGGER IF EXISTS payment_dispute_events_are_not_changed;
CREATE TRIGGER payment_dispute_events_are_not_changed BEFORE UPDATE ON payment_dispute_events FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the history of a dispute only grows';

DROP TRIGGER IF EXISTS payment_dispute_events_are_kept;
CREATE TRIGGER payment_dispute_events_are_kept BEFORE DELETE ON payment_dispute_events FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the history of a dispute only grows';

DROP TRIGGER IF EXISTS payment_dispute_bookings_are_not_changed;
CREATE TRIGGER payment_dispute_bookings_are_not_changed BEFORE UPDATE ON payment_dispute_bookings FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the bookings of disputes only grow';

DROP TRIGGER IF EXISTS payment_dispute_bookings_are_kept;
CREATE TRIGGER payment_dispute_bookings_are_kept BEFORE DELETE ON payment_dispute_bookings FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the bookings of disputes only grow';

-- What of each payment is disputed: open or lost, it counts in what is left to refund; won or closed, it does not.
DROP VIEW IF EXISTS disputed_payments;
CREATE VIEW disputed_payments AS
SELECT gateway, gateway_payment_id, CAST(SUM(amount) AS SIGNED) AS amount
FROM payment_disputes WHERE status NOT IN ('won', 'closed') GROUP BY gateway, gateway_payment_id;

-- What is left of each payment that went to suspense: what came, less what went back or is about to, less what was credited,
-- less what is disputed of the rest. Negative where the gateway gave back what we had credited.
DROP VIEW IF EXISTS money_in_suspense;
CREATE VIEW money_in_suspense AS
SELECT s.id, s.suspense_reason, s.gateway, s.gateway_payment_id, s.amount, s.currency, s.attempt_id, s.created_at,
       CAST(IF(s.undisputed > 0,
               GREATEST(0, s.undisputed - COALESCE((
                   SELECT SUM(d.amount) FROM payment_disputes d
                   WHERE d.gateway = s.gateway AND d.gateway_payment_id = s.gateway_payment_id
                     AND d.status NOT IN ('won', 'closed')), 0)),
               s.undisputed) AS SIGNED) AS rest
FROM (SELECT t.id, t.suspense_reason, t.gateway, t.gateway_payment_id, t.amount, t.currency, t.attempt_id, t.created_at,
             t.amount
             - COALESCE((SELECT SUM(r.amount) FROM source_refunds r
                         WHERE r.transaction_id = t.id AND r.status <> 'failed'), 0)
             - COALESCE((SELECT SUM(c.amount) FROM transactions c
                         WHERE c.cause_id = t.id AND c.type = 'adjustment'), 0) AS undisputed
      FROM transactions t WHERE t.suspense_reason IS NOT NULL) s;

-- Internal. What of an entry may still go back or be credited: what came, less every refund that has not failed, less what
-- was credited out of suspense, less every dispute that is open or lost. The caller holds the lock that these are counted
-- under: the wallet's, or the suspended transaction's.
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
           - COALESCE((SELECT SUM(d.amount) FROM payment_disputes d
                       WHERE d.gateway = t.gateway AND d.gateway_payment_id = t.gateway_payment_id
                         AND d.status NOT IN ('won', 'closed')), 0)
    INTO p_left FROM transactions t WHERE t.id = p_transaction_id;
END//
DELIMITER ;

-- Internal. Locks what a dispute is about, and says what of it can be had. The caller holds the dispute's lock.
--   p_suspended: what of the payment lies in suspense, is neither credited nor on its way back, and was not taken yet;
--   p_takeable: the most that this dispute may still take from the wallet, in all of its life: what the payment brought it,
--   less its refunds, less what other disputes of it hold or took, less what this one took;
--   p_available: what of the wallet nothing holds, but for this dispute.
-- `p_seed_id` is new to this commit: what a hot wallet gathers is known by ids made of it.
DROP PROCEDURE IF EXISTS lock_disputed_money;
DELIMITER //
CREATE PROCEDURE lock_disputed_money(
    IN p_dispute_id BINARY(16),
    IN p_seed_id BINARY(16),
    OUT p_transaction_id BINARY(16),
    OUT p_wallet_id BINARY(16),
    OUT p_suspended BIGINT,
    OUT p_takeable BIGINT,
    OUT p_available BIGINT,
    OUT p_now DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_amount, v_brought, v_returned, v_credited, v_taken, v_total, v_held, v_asked, v_reserved BIGINT DEFAULT 0;
    DECLARE v_last DATETIME(6) DEFAULT NULL;

    SET p_transaction_id = NULL, p_suspended = 0, p_takeable = 0, p_available = 0, p_now = UTC_TIMESTAMP(6);
    SELECT d.gateway, d.gateway_payment_id, d.amount, d.reserved, d.wallet_id, t.id, t.type, t.amount,
           IF(t.type = 'top_up', a.wallet_id, NULL)
    INTO v_gateway, v_payment_id, v_asked, v_reserved, p_wallet_id, p_transaction_id, v_type, v_amount, v_locked
    FROM payment_disputes d
    LEFT JOIN transactions t ON t.gateway = d.gateway AND t.gateway_payment_id = d.gateway_payment_id
    LEFT JOIN payment_attempts a ON a.id = t.attempt_id
    WHERE d.id = p_dispute_id;
    SET p_wallet_id = COALESCE(p_wallet_id, v_locked);

    IF v_type = 'suspense' THEN
        SELECT id INTO v_locked FROM transactions WHERE id = p_transaction_id FOR UPDATE;
        IF p_wallet_id IS NULL THEN
            SELECT MIN(p.account_id) INTO p_wallet_id
            FROM transactions c JOIN postings p ON p.transaction_id = c.id AND p.side = 'credit'
            WHERE c.id = (SELECT MIN(f.id) FROM transactions f WHERE f.cause_id = p_transaction_id AND f.type = 'adjustment');
        END IF;
    END IF;
    IF p_wallet_id IS NOT NULL THEN
        CALL lock_debit(p_wallet_id, v_asked, p_seed_id, v_status, v_tier, v_total, v_held, v_last);
        SET p_available = v_total - v_held + v_reserved;
        SET p_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
    END IF;

    -- behind the locks, which all that follows is counted under
    SELECT COALESCE(SUM(amount), 0) INTO v_returned
    FROM source_refunds WHERE transaction_id = p_transaction_id AND status <> 'failed';
    SELECT COALESCE(SUM(c.amount), 0), COALESCE(SUM(IF(p.account_id = p_wallet_id, c.amount, 0)), 0)
    INTO v_credited, v_brought
    FROM transactions c JOIN postings p ON p.transaction_id = c.id AND p.side = 'credit'
    WHERE c.cause_id = p_transaction_id AND c.type = 'adjustment';
    SELECT COALESCE(SUM(from_suspense), 0), COALESCE(SUM(from_wallet + IF(id = p_dispute_id, 0, reserved)), 0)
    INTO v_total, v_taken
    FROM payment_disputes WHERE gateway = v_gateway AND gateway_payment_id = v_payment_id;
    IF v_type = 'suspense' THEN
        SET p_suspended = GREATEST(0, v_amount - v_returned - v_credited - v_total);
        SET v_returned = GREATEST(0, v_returned + v_credited - v_amount); -- of what was credited
    ELSE
        SET v_brought = COALESCE(v_amount, 0);
    END IF;
    SET p_takeable = GREATEST(0, v_brought - v_returned - v_taken);
END//
DELIMITER ;

-- Internal. Brings everything about a dispute in line with how its row stands: the payment and wallet it is about, what is
-- reserved, whether it is open, its break, its events and its history. The caller has changed the row, and holds its lock.
--   Open, or lost and not booked: as much is reserved as can be had, up to what is not booked and does not lie in suspense.
--   Open is what the gateway has not ended; what it says is lost and the books don't say so, to the amount; and what it says
--   is won after a loss was booked: an operator has to end these. `p_was_open`: it was open before, and its wallet known.
DROP PROCEDURE IF EXISTS apply_payment_dispute;
DELIMITER //
CREATE PROCEDURE apply_payment_dispute(
    IN p_dispute_id BINARY(16),
    IN p_seed_id BINARY(16),
    IN p_source VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_was_open BOOLEAN,
    IN p_action_id BINARY(16)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_their_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_detail TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_transaction_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_amount, v_reserved, v_booked, v_suspended, v_takeable, v_available, v_target BIGINT DEFAULT 0;
    DECLARE v_is_over, v_is_open, v_is_new BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT NULL;

    CALL lock_disputed_money(p_dispute_id, p_seed_id, v_transaction_id, v_wallet_id, v_suspended, v_takeable, v_available,
                             v_now);
    SELECT gateway, gateway_dispute_id, status, currency, amount, reserved, from_wallet + from_suspense + from_losses
    INTO v_gateway, v_their_id, v_status, v_currency, v_amount, v_reserved, v_booked
    FROM payment_disputes WHERE id = p_dispute_id;

    SET v_is_over = v_status IN ('won', 'closed');
    SET v_is_open = CASE WHEN v_is_over THEN v_booked > 0 WHEN v_status = 'lost' THEN v_booked <> v_amount ELSE TRUE END;
    SET v_target = GREATEST(0, v_amount - v_booked);
    SET v_target = IF(v_is_over, 0, LEAST(v_target - LEAST(v_target, v_suspended), v_takeable, v_available));
    IF v_target <> v_reserved THEN
        CALL set_aside(v_wallet_id, v_target - v_reserved, 'dispute', p_dispute_id, v_now);
    END IF;
    UPDATE payment_disputes
    SET transaction_id = COALESCE(transaction_id, v_transaction_id),
        wallet_id = COALESCE(wallet_id, v_wallet_id),
        reserved = v_target,
        ended_at = IF(v_is_open, NULL, COALESCE(ended_at, v_now)),
        changes = changes + 1
    WHERE id = p_dispute_id;
    INSERT INTO payment_dispute_events
        (dispute_id, position, source, phase, status, amount, reason, respond_by, told_at, reserved, from_wallet,
         from_suspense, from_losses, is_open, created_at)
    SELECT id, changes, p_source, phase, status, amount, reason, respond_by, told_at, reserved, from_wallet, from_suspense,
           from_losses, v_is_open, v_now
    FROM payment_disputes WHERE id = p_dispute_id;

    IF v_is_open THEN
        CALL keep_break(p_dispute_id, 'payment_dispute', v_gateway, v_their_id, v_target + v_booked,
                        IF(v_is_over, 0, v_amount), v_currency, v_is_new);
    ELSE
        UPDATE reconciliation_breaks
        SET resolved_at = UTC_TIMESTAMP(6), resolution = IF(p_action_id IS NULL, 'gone', 'ended'), order_id = p_action_id
        WHERE kind = 'payment_dispute' AND gateway = v_gateway AND subject = v_their_id AND resolved_at IS NULL;
    END IF;

    SET v_is_open = v_is_open AND v_wallet_id IS NOT NULL;
    IF v_is_open <> p_was_open THEN
        SELECT IF(v_is_open,
            JSON_OBJECT('dispute_id', LOWER(HEX(id)), 'transaction_id', LOWER(HEX(transaction_id)), 'amount', amount,
                        'currency', currency, 'gateway', gateway, 'phase', phase, 'reason', reason, 'reserved', reserved),
            JSON_OBJECT('dispute_id', LOWER(HEX(id)), 'transaction_id', LOWER(HEX(transaction_id)), 'amount', amount,
                        'currency', currency, 'gateway', gateway, 'phase', phase, 'reason', reason, 'outcome', status,
                        'recovered', from_wallet))
        INTO v_detail FROM payment_disputes WHERE id = p_dispute_id;
        CALL note_event(v_wallet_id, NULL, IF(v_is_open, 'TopUpDisputed', 'TopUpDisputeEnded'), v_detail, v_now);
    END IF;
END//
DELIMITER ;

-- Writes down what the gateway says of a dispute, in whatever order it is told and however often. By the gateway's own time
-- the latest news stands; of the same moment the later phase, then the one nearer to the end. A payment that is not in the
-- books (yet) is disputed all the same. 'done'; 'duplicate' (known, or old); 'mismatch': another payment or currency than
-- before, or than the payment's; 'contradicted': ended two ways at one moment. `wallet.ledger.disputes.is_newer` is the same
-- rule in Python.
DROP PROCEDURE IF EXISTS record_payment_dispute;
DELIMITER //
CREATE PROCEDURE record_payment_dispute(
    IN p_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_their_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_phase VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_respond_by DATETIME(6),
    IN p_told_at DATETIME(6)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_word VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_id BINARY(16) DEFAULT p_id;
    DECLARE v_is_new BOOLEAN DEFAULT TRUE;
    DECLARE v_agrees, v_same, v_was_open BOOLEAN DEFAULT FALSE;
    DECLARE v_told_at DATETIME(6) DEFAULT NULL;
    DECLARE v_rank, v_news_rank INT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_is_new = FALSE;
        INSERT INTO payment_disputes
            (id, gateway, gateway_dispute_id, gateway_payment_id, amount, currency, phase, status, gateway_status, reason,
             respond_by, told_at, created_at)
        VALUES (p_id, p_gateway, p_their_id, p_payment_id, p_amount, p_currency, p_phase, p_status, p_status, p_reason,
                p_respond_by, p_told_at, UTC_TIMESTAMP(6));
    END;
    SELECT id, gateway_payment_id = p_payment_id AND currency = p_currency, told_at,
           FIELD(phase, 'fraud', 'retrieval', 'dispute', 'chargeback', 'pre_arbitration', 'arbitration') * 10
               + FIELD(gateway_status, 'under_review', 'action_required', 'won', 'lost', 'closed'),
           gateway_status = p_status AND phase = p_phase, gateway_status, ended_at IS NULL AND wallet_id IS NOT NULL
    INTO v_id, v_agrees, v_told_at, v_rank, v_same, v_word, v_was_open
    FROM payment_disputes WHERE gateway = p_gateway AND gateway_dispute_id = p_their_id FOR UPDATE;
    SET v_news_rank = FIELD(p_phase, 'fraud', 'retrieval', 'dispute', 'chargeback', 'pre_arbitration', 'arbitration') * 10
        + FIELD(p_status, 'under_review', 'action_required', 'won', 'lost', 'closed');
    IF EXISTS (SELECT 1 FROM transactions t WHERE t.gateway = p_gateway AND t.gateway_payment_id = p_payment_id
                                              AND t.currency <> p_currency) THEN
        SET v_agrees = FALSE;
    END IF;
    SET v_outcome = CASE
        WHEN NOT v_agrees THEN 'mismatch'
        WHEN v_is_new OR p_told_at > v_told_at THEN 'done'
        WHEN p_told_at < v_told_at OR v_same THEN 'duplicate'
        WHEN v_rank DIV 10 = v_news_rank DIV 10 AND v_rank MOD 10 >= 3 AND v_news_rank MOD 10 >= 3
            THEN IF('lost' IN (v_word, p_status), 'contradicted', 'duplicate')
        WHEN v_news_rank > v_rank THEN 'done'
        ELSE 'duplicate' END;

    IF v_outcome = 'done' THEN
        IF NOT v_is_new THEN
            UPDATE payment_disputes
            SET amount = p_amount, phase = p_phase, status = p_status, gateway_status = p_status, told_at = p_told_at,
                reason = COALESCE(p_reason, reason), respond_by = COALESCE(p_respond_by, respond_by)
            WHERE id = v_id;
        END IF;
        CALL apply_payment_dispute(v_id, p_id, 'gateway', v_was_open AND NOT v_is_new, NULL);
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT IF(v_outcome = 'duplicate' AND v_id = p_id, 'done', v_outcome) AS outcome, -- our own commit, whose answer was lost
           JSON_OBJECT('dispute_id', LOWER(HEX(v_id))) AS result;
END//
DELIMITER ;

-- Looks at a dispute again whose payment was not in the books when it was told: it is about that payment's wallet now.
DROP PROCEDURE IF EXISTS attach_payment_dispute;
DELIMITER //
CREATE PROCEDURE attach_payment_dispute(IN p_dispute_id BINARY(16), IN p_seed_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_is_due BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT transaction_id IS NULL INTO v_is_due FROM payment_disputes WHERE id = p_dispute_id FOR UPDATE;
    IF v_is_due THEN
        CALL apply_payment_dispute(p_dispute_id, p_seed_id, 'books', FALSE, NULL);
    END IF;
    COMMIT;
    SELECT IF(v_is_due, 'done', 'duplicate') AS outcome, NULL AS result;
END//
DELIMITER ;

-- Internal. One booking of a dispute's end: from its part to the gateway, or (`p_back`) back. A wallet that was closed
-- meanwhile is closing again when something comes back to it, which shows it to the operator. The caller holds all locks.
DROP PROCEDURE IF EXISTS post_chargeback;
DELIMITER //
CREATE PROCEDURE post_chargeback(
    IN p_dispute_id BINARY(16),
    IN p_action_id BINARY(16),
    IN p_part VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_back BOOLEAN,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_posting_id, v_account_id, v_gateway_account_id BINARY(16) DEFAULT NULL;

    IF p_amount > 0 THEN
        CALL derive_id(p_action_id, CONCAT('chargeback:', p_part), v_posting_id);
        SELECT a.id INTO v_gateway_account_id
        FROM payment_disputes d JOIN accounts a ON a.code = CONCAT('gateway:', d.gateway) WHERE d.id = p_dispute_id;
        IF p_part = 'wallet' THEN
            SELECT wallet_id INTO v_account_id FROM payment_disputes WHERE id = p_dispute_id;
        ELSE
            SELECT id INTO v_account_id FROM accounts WHERE code = p_part;
        END IF;
        INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)
        SELECT v_posting_id, IF(p_back, 'chargeback_reversal', 'chargeback'), p_amount, currency, transaction_id, p_at
        FROM payment_disputes WHERE id = p_dispute_id;
        IF p_back THEN
            CALL post_entry(v_posting_id, v_gateway_account_id, 0, v_account_id, 0, p_amount, p_at);
            UPDATE wallets SET status = 'closing' WHERE id = v_account_id AND status = 'closed';
        ELSE
            CALL post_entry(v_posting_id, v_account_id, 0, v_gateway_account_id, 0, p_amount, p_at);
        END IF;
        INSERT INTO payment_dispute_bookings (transaction_id, dispute_id, end_no, part)
        SELECT v_posting_id, id, ends, p_part FROM payment_disputes WHERE id = p_dispute_id;
    END IF;
END//
DELIMITER ;

-- Ends a dispute that is open, as an operator says, and books what is not booked yet:
--   'won': what is reserved is free; what had been booked as lost comes back from the gateway to where it was taken;
--   'lost_recovered': the wallet pays what is reserved and whatever else of it is available, up to what the payment brought
--   it; what that does not cover is borne by us;
--   'lost_borne': what is reserved is free, and we bear it.
-- Money in suspense bears itself, in both. If more is booked by now than was lost, the rest comes back: to the wallet first.
-- 'not_found' of one that is not open; 'invalid_request' of an end that contradicts the gateway's last word. Locks:
-- idempotency record, dispute, suspended transaction, wallet, break.
DROP PROCEDURE IF EXISTS resolve_payment_dispute;
DELIMITER //
CREATE PROCEDURE resolve_payment_dispute(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_dispute_id BINARY(16),
    IN p_end VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_word VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_transaction_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_is_open, v_was_open BOOLEAN DEFAULT FALSE;
    DECLARE v_amount, v_reserved, v_wallet, v_suspense, v_losses BIGINT DEFAULT 0;
    DECLARE v_suspended, v_takeable, v_available, v_more, v_back BIGINT DEFAULT 0;
    DECLARE v_from_wallet, v_from_suspense, v_from_losses BIGINT DEFAULT 0;
    DECLARE v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT ended_at IS NULL, ended_at IS NULL AND wallet_id IS NOT NULL, gateway_status, amount, reserved, from_wallet,
               from_suspense, from_losses
        INTO v_is_open, v_was_open, v_word, v_amount, v_reserved, v_wallet, v_suspense, v_losses
        FROM payment_disputes WHERE id = p_dispute_id FOR UPDATE;
        SET v_outcome = CASE
            WHEN NOT v_is_open THEN 'not_found'
            WHEN p_end NOT IN ('won', 'lost_recovered', 'lost_borne') THEN 'invalid_request'
            WHEN v_word IN ('won', 'closed') AND p_end <> 'won' OR v_word = 'lost' AND p_end = 'won' THEN 'invalid_request'
            ELSE 'done' END;
    END IF;
    IF v_outcome = 'done' THEN
        CALL lock_disputed_money(p_dispute_id, p_action_id, v_transaction_id, v_wallet_id, v_suspended, v_takeable,
                                 v_available, v_now);
        IF v_reserved > 0 THEN
            CALL set_aside(v_wallet_id, -v_reserved, 'dispute', p_dispute_id, v_now);
        END IF;
        -- the payment may have been booked since the last news
        UPDATE payment_disputes
        SET ends = ends + 1, reserved = 0, status = IF(p_end = 'won', 'won', 'lost'),
            transaction_id = COALESCE(transaction_id, v_transaction_id), wallet_id = COALESCE(wallet_id, v_wallet_id)
        WHERE id = p_dispute_id;
        SET v_more = IF(p_end = 'won', 0, v_amount) - v_wallet - v_suspense - v_losses;
        IF v_more >= 0 THEN
            SET v_from_suspense = LEAST(v_more, v_suspended);
            SET v_from_wallet = IF(p_end = 'lost_recovered',
                                   LEAST(v_more - v_from_suspense, v_takeable, v_available), 0);
            SET v_from_losses = v_more - v_from_suspense - v_from_wallet;
        ELSE
            SET v_from_wallet = -LEAST(-v_more, v_wallet);
            SET v_from_losses = -LEAST(-v_more + v_from_wallet, v_losses);
            SET v_from_suspense = v_more - v_from_wallet - v_from_losses;
        END IF;
        CALL post_chargeback(p_dispute_id, p_action_id, 'wallet', ABS(v_from_wallet), v_more < 0, v_now);
        CALL post_chargeback(p_dispute_id, p_action_id, 'suspense', ABS(v_from_suspense), v_more < 0, v_now);
        CALL post_chargeback(p_dispute_id, p_action_id, 'losses', ABS(v_from_losses), v_more < 0, v_now);
        UPDATE payment_disputes
        SET from_wallet = from_wallet + v_from_wallet, from_suspense = from_suspense + v_from_suspense,
            from_losses = from_losses + v_from_losses
        WHERE id = p_dispute_id;
        CALL derive_id(p_action_id, 'apply', v_transaction_id);
        CALL apply_payment_dispute(p_dispute_id, v_transaction_id, 'operator', v_was_open, p_action_id);
        IF v_wallet_id IS NOT NULL THEN
            CALL close_if_empty(v_wallet_id, v_now, v_wallet_status);
        END IF;
        SELECT JSON_OBJECT(
            'dispute_id', LOWER(HEX(id)), 'wallet_id', LOWER(HEX(wallet_id)), 'status', status, 'amount', amount,
            'from_wallet', from_wallet, 'from_suspense', from_suspense, 'from_losses', from_losses)
        INTO v_result FROM payment_disputes WHERE id = p_dispute_id;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'resolve_payment_dispute',
                     v_wallet_id, p_dispute_id);
END//
DELIMITER ;

-- Internal. Frees what the disputes of a payment have reserved, for as long as it takes to see what else of that money moves:
-- `apply_payment_disputes` reserves again, in the same commit, what is left to be had. The caller holds the disputes' locks
-- and the wallet's.
DROP PROCEDURE IF EXISTS free_disputed_money;
DELIMITER //
CREATE PROCEDURE free_disputed_money(
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6),
    OUT p_freed BIGINT
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_dispute_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_reserved BIGINT DEFAULT 0;

    SET p_freed = 0;
    freeing: LOOP
        SET v_dispute_id = NULL;
        SELECT id, wallet_id, reserved INTO v_dispute_id, v_wallet_id, v_reserved FROM payment_disputes
        WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id AND reserved > 0 ORDER BY id LIMIT 1;
        IF v_dispute_id IS NULL THEN
            LEAVE freeing;
        END IF;
        CALL set_aside(v_wallet_id, -v_reserved, 'dispute', v_dispute_id, p_at);
        UPDATE payment_disputes SET reserved = 0 WHERE id = v_dispute_id;
        SET p_freed = p_freed + v_reserved;
    END LOOP;
END//
DELIMITER ;

-- Internal. Brings all open disputes of a payment in line with what is left of it. The caller holds their locks.
DROP PROCEDURE IF EXISTS apply_payment_disputes;
DELIMITER //
CREATE PROCEDURE apply_payment_disputes(
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_seed_id BINARY(16)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_dispute_id, v_seed_id BINARY(16) DEFAULT NULL;
    DECLARE v_after BINARY(16) DEFAULT UNHEX('00000000000000000000000000000000');
    DECLARE v_is_told BOOLEAN DEFAULT FALSE;

    applying: LOOP
        SET v_dispute_id = NULL;
        SELECT id, wallet_id IS NOT NULL INTO v_dispute_id, v_is_told FROM payment_disputes
        WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id AND ended_at IS NULL AND id > v_after
        ORDER BY id LIMIT 1;
        IF v_dispute_id IS NULL THEN
            LEAVE applying;
        END IF;
        SET v_after = v_dispute_id;
        CALL derive_id(p_seed_id, HEX(v_dispute_id), v_seed_id);
        CALL apply_payment_dispute(v_dispute_id, v_seed_id, 'books', v_is_told, NULL);
    END LOOP;
END//
DELIMITER ;

-- Writes down a refund that the gateway, or a person at its dashboard, began without us: it has left our account there,
-- or will. It debits the wallet that the payment was credited to if what is available covers it, with what disputes of the
-- same payment have reserved: those are about this very money. Else suspense, where the gap is an operator's to see. 'done'
-- (the id of its row, whoever wrote it), 'unknown_payment' if the payment is not in the books, 'mismatch' if it can't be this
-- payment's. Locks: disputes, suspended transaction, wallet.
DROP PROCEDURE IF EXISTS note_foreign_refund;
DELIMITER //
CREATE PROCEDURE note_foreign_refund(
    IN p_refund_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway_refund_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_transaction_id, v_owner_id, v_wallet_id, v_known_id, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_entry, v_total, v_held, v_freed BIGINT DEFAULT 0;
    DECLARE v_disputes INT DEFAULT 0;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT t.id, t.type, t.amount, t.currency, a.wallet_id
    INTO v_transaction_id, v_type, v_entry, v_currency, v_owner_id
    FROM transactions t LEFT JOIN payment_attempts a ON a.id = t.attempt_id
    WHERE t.gateway = p_gateway AND t.gateway_payment_id = p_payment_id;

    IF v_transaction_id IS NULL THEN
        SET v_outcome = 'unknown_payment';
    ELSEIF p_currency <> v_currency OR p_amount > v_entry OR p_amount <= 0 THEN
        SET v_outcome = 'mismatch';
    ELSE
        SELECT COUNT(*) INTO v_disputes FROM payment_disputes
        WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id FOR UPDATE;
        IF v_type = 'suspense' THEN
            SELECT id INTO v_locked FROM transactions WHERE id = v_transaction_id FOR UPDATE;
        END IF;
        IF v_owner_id IS NOT NULL THEN
            CALL lock_debit(v_owner_id, IF(v_type = 'top_up', p_amount, 0), p_refund_id, v_status, v_tier, v_total,
                            v_held, v_last);
        END IF;
        SET v_now = GREATEST(UTC_TIMESTAMP(6), COALESCE(v_last, UTC_TIMESTAMP(6)));
        -- behind the lock: of two that tell of it at once, the second finds the row of the first
        SELECT id INTO v_known_id
        FROM source_refunds WHERE gateway = p_gateway AND gateway_refund_id = p_gateway_refund_id;
        IF v_known_id IS NULL THEN
            SET v_known_id = p_refund_id;
            IF v_type = 'top_up' AND v_disputes > 0 THEN
                CALL free_disputed_money(p_gateway, p_payment_id, v_now, v_freed);
            END IF;
            SET v_wallet_id = IF(v_type = 'top_up' AND p_amount <= v_total - v_held + v_freed, v_owner_id, NULL);
            CALL begin_source_refund(
                p_refund_id, 'gateway', v_transaction_id, v_wallet_id, v_owner_id, p_gateway_refund_id, p_amount, NULL,
                v_now);
            IF v_disputes > 0 THEN
                CALL derive_id(p_refund_id, 'disputes', v_locked);
                CALL apply_payment_disputes(p_gateway, p_payment_id, v_locked);
            END IF;
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, JSON_OBJECT('refund_id', LOWER(HEX(v_known_id))) AS result;
END//
DELIMITER ;

-- Books what the gateway says of a refund, in whatever order it is told and however often. It is believed only as far as
-- it agrees with what was asked for. 'done'; 'duplicate' if it was known; 'unknown_refund'; 'failed_before' if we had
-- concluded by ourselves that it failed, and it was made after all; and what is for people: 'mismatch', 'contradicted'.
-- What is free again because it failed is reserved by the disputes of its payment first, in the same commit.
-- `wallet.ledger.refunds.weigh` is the same rule in Python. Locks: attempt, refund, disputes, suspended transaction, wallet.
DROP PROCEDURE IF EXISTS settle_source_refund;
DELIMITER //
CREATE PROCEDURE settle_source_refund(
    IN p_refund_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway_refund_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_transaction_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status, v_attempt_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_entry_id, v_attempt_id, v_owner_id, v_wallet_id, v_other_id, v_posted_id BINARY(16) DEFAULT NULL;
    DECLARE v_account_id, v_gateway_account_id, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_gateway_refund_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_agrees BOOLEAN DEFAULT FALSE;
    DECLARE v_disputes INT DEFAULT 0;
    DECLARE v_entry, v_back, v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- none of this ever changes, so it needs no lock: it says which locks are to be taken
    SELECT r.transaction_id, r.wallet_id, t.type, t.amount, t.attempt_id, a.wallet_id
    INTO v_entry_id, v_wallet_id, v_type, v_entry, v_attempt_id, v_owner_id
    FROM source_refunds r
    JOIN transactions t ON t.id = r.transaction_id
    LEFT JOIN payment_attempts a ON a.id = t.attempt_id
    WHERE r.id = p_refund_id;

    IF v_entry_id IS NULL THEN
        SET v_outcome = 'unknown_refund';
    ELSE
        IF v_attempt_id IS NOT NULL THEN
            SELECT status INTO v_attempt_status FROM payment_attempts WHERE id = v_attempt_id FOR UPDATE;
        END IF;
        SELECT status, gateway_refund_id,
               gateway = p_gateway AND gateway_payment_id = p_payment_id AND amount = p_amount
               AND currency = p_currency AND COALESCE(gateway_refund_id = p_gateway_refund_id, TRUE)
        INTO v_status, v_gateway_refund_id, v_agrees
        FROM source_refunds WHERE id = p_refund_id FOR UPDATE;
        IF p_status = 'failed' THEN
            SELECT COUNT(*) INTO v_disputes FROM payment_disputes
            WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id FOR UPDATE;
        END IF;
        IF v_type = 'suspense' THEN
            -- before the wallet, as who begins a refund does: the entry that we post points at it
            SELECT id INTO v_locked FROM transactions WHERE id = v_entry_id FOR UPDATE;
        END IF;
        SELECT id INTO v_other_id FROM source_refunds
        WHERE gateway = p_gateway AND gateway_refund_id = p_gateway_refund_id AND id <> p_refund_id;
        SELECT id INTO v_posted_id FROM transactions WHERE source_refund_id = p_refund_id AND type = 'refund_to_source';
        SET v_outcome = CASE
            WHEN v_posted_id = p_transaction_id AND v_agrees THEN 'known' -- our own commit, whose answer was lost
            WHEN v_agrees AND v_status = 'failed' AND v_gateway_refund_id IS NULL
                AND (p_status = 'succeeded' OR v_other_id IS NOT NULL) THEN 'failed_before'
            WHEN NOT v_agrees OR v_other_id IS NOT NULL THEN 'mismatch'
            -- a refusal that somebody heard before the refund was made after all
            WHEN p_gateway_refund_id IS NULL AND v_gateway_refund_id IS NOT NULL THEN 'duplicate'
            WHEN v_status = 'pending' THEN NULL
            WHEN v_status = p_status OR p_status = 'pending' THEN 'duplicate'
            ELSE 'contradicted' END;
    END IF;

    IF v_outcome IS NULL THEN
        SET v_outcome = IF(p_status = 'pending' AND v_gateway_refund_id IS NOT NULL, 'duplicate', 'done');
        SET v_now = UTC_TIMESTAMP(6);
        IF v_owner_id IS NOT NULL THEN
            CALL lock_debit(v_owner_id, 0, p_refund_id, v_wallet_status, v_tier, v_total, v_held, v_last);
            SET v_now = GREATEST(v_now, v_last + INTERVAL 1 MICROSECOND);
        END IF;
        UPDATE source_refunds
        SET status = p_status,
            gateway_refund_id = COALESCE(gateway_refund_id, p_gateway_refund_id),
            reason = IF(p_status = 'failed', p_reason, NULL),
            ended_at = IF(p_status = 'pending', NULL, v_now),
            next_check_at = IF(p_status = 'pending', next_check_at, NULL)
        WHERE id = p_refund_id;
        IF p_status <> 'pending' AND v_wallet_id IS NOT NULL THEN
            CALL set_aside(v_wallet_id, -p_amount, 'refund_to_source', p_refund_id, v_now);
        END IF;
        IF p_status = 'failed' THEN
            CALL tell_source_refund(p_refund_id, v_owner_id, 'RefundToSourceFailed', v_now);
            IF v_disputes > 0 THEN
                CALL derive_id(p_refund_id, 'failed', v_locked);
                CALL apply_payment_disputes(p_gateway, p_payment_id, v_locked);
            END IF;
        ELSEIF p_status = 'succeeded' THEN
            SELECT id INTO v_gateway_account_id FROM accounts WHERE code = CONCAT('gateway:', p_gateway);
            SELECT COALESCE(v_wallet_id, id) INTO v_account_id FROM accounts WHERE code = 'suspense';
            INSERT INTO transactions (id, type, amount, currency, cause_id, source_refund_id, created_at)
            VALUES (p_transaction_id, 'refund_to_source', p_amount, p_currency, v_entry_id, p_refund_id, v_now);
            CALL post_entry(p_transaction_id, v_account_id, 0, v_gateway_account_id, 0, p_amount, v_now);
            CALL tell_source_refund(p_refund_id, v_owner_id, 'RefundToSourceSucceeded', v_now);
            SELECT SUM(amount) INTO v_back FROM source_refunds
            WHERE transaction_id = v_entry_id AND status = 'succeeded';
            -- money in suspense that came for an attempt which another payment has settled leaves that alone
            IF v_back = v_entry AND (v_type = 'top_up' OR v_attempt_status <> 'succeeded') THEN
                UPDATE payment_attempts SET status = 'refunded', next_check_at = NULL WHERE id = v_attempt_id;
                CALL note_attempt(v_attempt_id, 'refunded', NULL, p_payment_id, v_now);
            END IF;
            IF v_wallet_id IS NOT NULL THEN
                CALL close_if_empty(v_wallet_id, v_now, v_wallet_status);
            END IF;
        END IF;
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT IF(v_outcome = 'known', 'done', v_outcome) AS outcome, NULL AS result;
END//
DELIMITER ;

-- Takes one due refund for a question to the gateway; as claim_check does for attempts. A refund is asked about until
-- the gateway has said its last word. 'disputed': it is one of ours that the gateway is not known to have, and disputes of its
-- payment leave nothing for it: it is not to be asked for any more, or the same money would go back twice.
DROP PROCEDURE IF EXISTS claim_refund_check;
DELIMITER //
CREATE PROCEDURE claim_refund_check(
    IN p_refund_id BINARY(16),
    IN p_checks INT UNSIGNED,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_checks INT UNSIGNED DEFAULT NULL;
    DECLARE v_due, v_is_unsent BOOLEAN DEFAULT FALSE;
    DECLARE v_transaction_id BINARY(16) DEFAULT NULL;
    DECLARE v_left BIGINT DEFAULT 0;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT checks, next_check_at <= v_now, origin = 'ours' AND gateway_refund_id IS NULL, transaction_id
    INTO v_checks, v_due, v_is_unsent, v_transaction_id FROM source_refunds WHERE id = p_refund_id FOR UPDATE;
    SET v_due = v_due AND v_checks = p_checks;
    IF v_due THEN
        UPDATE source_refunds
        SET checks = checks + 1,
            next_check_at = v_now + INTERVAL LEAST(21600, p_first_check_seconds * POW(2, LEAST(v_checks, 16))) SECOND
        WHERE id = p_refund_id;
    END IF;
    IF v_due AND v_is_unsent THEN
        CALL left_to_refund(v_transaction_id, v_left);
    END IF;
    COMMIT;
    SELECT CASE WHEN NOT v_due THEN 'taken' WHEN v_left < 0 THEN 'disputed' ELSE 'done' END AS outcome, NULL AS result;
END//
DELIMITER ;

-- Resolves a break by an operator's word: for what only a person can settle. A payment's dispute ends by an order of its own,
-- which says what becomes of the money: 'invalid_request' here.
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
    DECLARE v_is_open, v_is_dispute BOOLEAN DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT resolved_at IS NULL, kind = 'payment_dispute' INTO v_is_open, v_is_dispute
        FROM reconciliation_breaks WHERE id = p_break_id FOR UPDATE;
        SET v_outcome = CASE
            WHEN NOT COALESCE(v_is_open, FALSE) THEN 'not_found'
            WHEN v_is_dispute THEN 'invalid_request'
            ELSE 'done' END;
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

-- Which dispute a line of a settlement report is about: gateways take disputed money, and give it back, by adjustments.
-- And operators' orders are found by what they were about.
DROP PROCEDURE IF EXISTS add_what_disputes_need;
DELIMITER //
CREATE PROCEDURE add_what_disputes_need()
MODIFIES SQL DATA
BEGIN
    IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_schema = DATABASE() AND table_name = 'settlement_lines' AND column_name = 'dispute_id') THEN
        ALTER TABLE settlement_lines
            ADD COLUMN dispute_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
            ADD INDEX settlement_lines_of_dispute (gateway, dispute_id);
    END IF;
    IF NOT EXISTS (SELECT 1 FROM information_schema.statistics
                   WHERE table_schema = DATABASE() AND table_name = 'operator_actions'
                     AND index_name = 'operator_actions_by_subject') THEN
        ALTER TABLE operator_actions ADD INDEX operator_actions_by_subject (subject_id);
    END IF;
END//
DELIMITER ;
CALL add_what_disputes_need();
DROP PROCEDURE IF EXISTS add_what_disputes_need;

-- Keeps lines of a settlement report (`p_lines` is a JSON array; times are Unix seconds); of a line that was told before,
-- the latest word stays. Who knows of no disputes tells of none.
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
         told_at, dispute_id)
    SELECT p_gateway, j.type, j.entity_id, j.payment_id, j.amount, j.currency, j.debit, j.credit, j.fee, j.tax,
           j.settlement_id, j.utr, TIMESTAMPADD(SECOND, j.settled_at, '1970-01-01'), UTC_TIMESTAMP(6), j.dispute_id
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
        settled_at BIGINT PATH '$.settled_at',
        dispute_id VARCHAR(64) CHARACTER SET ascii PATH '$.dispute_id')) AS j
    ORDER BY j.type, j.entity_id;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;
