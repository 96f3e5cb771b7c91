-- Settlement: no money without evidence; what of a payment is ours, when its payer also bore the gateway's fee; and top-ups
-- that the gateway refuses.

-- What stands behind each payment of a gateway in the ledger, written in the commit that books it: the stored event that
-- told of it, or what the gateway said of it when we asked (`answer`, as it was said, and the SHA-256 of that).
-- `surcharge` is what the payer paid on top of the transaction's amount, and the gateway keeps; minor units, the tax in it.
-- The index is what finds payments by the time of their booking: ids are made by callers.
CREATE TABLE IF NOT EXISTS payment_evidence (
    transaction_id BINARY(16)  NOT NULL,
    event_id       BINARY(16)  NULL,
    answer         MEDIUMBLOB  NULL,
    answer_digest  BINARY(32)  NULL,
    surcharge      BIGINT      NOT NULL,
    created_at     DATETIME(6) NOT NULL,
    CONSTRAINT payment_evidence_pk PRIMARY KEY (transaction_id),
    CONSTRAINT payment_evidence_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT payment_evidence_event_exists FOREIGN KEY (event_id) REFERENCES gateway_events (id),
    CONSTRAINT payment_evidence_is_one CHECK ((event_id IS NULL) <> (answer IS NULL)),
    CONSTRAINT payment_evidence_answer_has_its_digest CHECK ((answer IS NULL) = (answer_digest IS NULL)),
    CONSTRAINT payment_evidence_surcharge_is_not_negative CHECK (surcharge >= 0),
    INDEX payment_evidence_by_time (created_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS payment_evidence_is_not_changed;
CREATE TRIGGER payment_evidence_is_not_changed BEFORE UPDATE ON payment_evidence FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the evidence of payments only grows';

DROP TRIGGER IF EXISTS payment_evidence_is_kept;
CREATE TRIGGER payment_evidence_is_kept BEFORE DELETE ON payment_evidence FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the evidence of payments only grows';

-- Internal. Whether a gateway's JSON names a payment: its id as a text, or as a number where it is one.
DROP PROCEDURE IF EXISTS check_names_payment;
DELIMITER //
CREATE PROCEDURE check_names_payment(
    IN p_told MEDIUMBLOB,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_names BOOLEAN
)
NO SQL
BEGIN
    DECLARE v_close MEDIUMBLOB DEFAULT NULL;

    SET p_names = LOCATE(CONCAT('"', p_payment_id, '"'), p_told) > 0;
    IF p_names = FALSE AND p_payment_id REGEXP '^[0-9]+$' THEN
        SET v_close = REPLACE(REPLACE(REPLACE(REPLACE(p_told, ' ', ''), CHAR(9), ''), CHAR(10), ''), CHAR(13), '');
        SET p_names = LOCATE(CONCAT(':', p_payment_id, ','), v_close) > 0
            OR LOCATE(CONCAT(':', p_payment_id, '}'), v_close) > 0;
    END IF;
END//
DELIMITER ;

-- Books money that has arrived at the gateway: to the wallet that asked for it if everything agrees with what was
-- asked, to suspense otherwise, and once in either case. `p_paid` is what the payer paid, `p_surcharge` what of it the
-- gateway calls its own fee, borne by the payer: if that explains the difference from what was asked for, what was asked
-- for has arrived, and the gateway holds no more for us. `wallet.ledger.attempts.weigh` is the same rule in Python.
-- It is believed on evidence only: `p_event_id`, a stored event of that gateway, or `p_answer`, its answer to our own
-- question, which is kept; either names the payment. And the id is of this moment, give or take a quarter of an hour, for
-- whatever goes by the time in ids. Of what is in the books already, nothing of this is asked.
DROP PROCEDURE IF EXISTS settle_gateway_payment;
DELIMITER //
CREATE PROCEDURE settle_gateway_payment(
    IN p_transaction_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_paid BIGINT,
    IN p_surcharge BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount_refunded BIGINT,
    IN p_event_id BINARY(16),
    IN p_answer MEDIUMBLOB
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_attempt_id, v_wallet_id, v_gateway_account_id, v_account_id BINARY(16) DEFAULT NULL;
    DECLARE v_attempt_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_attempt_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_asked, v_amount, v_balance BIGINT DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE v_known_id BINARY(16) DEFAULT NULL;
    DECLARE v_told MEDIUMBLOB DEFAULT NULL;
    DECLARE v_names BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT id, wallet_id, status, amount, currency
    INTO v_attempt_id, v_wallet_id, v_attempt_status, v_asked, v_attempt_currency
    FROM payment_attempts WHERE gateway = p_gateway AND gateway_order_id = p_order_id FOR UPDATE;
    SELECT id, suspense_reason INTO v_known_id, v_reason
    FROM transactions WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id;

    IF v_known_id IS NOT NULL THEN
        -- the same transaction: our own commit, whose answer was lost
        SET v_outcome = IF(v_known_id = p_transaction_id, 'known', 'duplicate');
    ELSE
        IF ABS(CAST(CONV(LEFT(HEX(p_transaction_id), 12), 16, 10) AS SIGNED) DIV 1000
               - CAST(UNIX_TIMESTAMP() AS SIGNED)) > 900 THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the id of a new transaction is of this moment';
        END IF;
        SET v_told = p_answer;
        IF p_event_id IS NOT NULL THEN
            SELECT body INTO v_told FROM gateway_events WHERE id = p_event_id AND gateway = p_gateway;
        END IF;
        CALL check_names_payment(v_told, p_payment_id, v_names);
        IF COALESCE(v_names, FALSE) = FALSE THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'money is booked on evidence that names its payment';
        END IF;
        SET v_now = UTC_TIMESTAMP(6);
        SET v_amount = IF(p_surcharge > 0 AND p_currency = v_attempt_currency AND p_paid - p_surcharge = v_asked,
                          v_asked, p_paid);
        IF v_wallet_id IS NOT NULL THEN
            CALL lock_credit(v_wallet_id, FALSE, v_slot, v_wallet_status, v_tier, v_balance, v_last);
            SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
            CALL refuse_credit(v_wallet_id, v_tier, v_balance, v_amount, TRUE, v_now, v_limit);
        END IF;
        SET v_reason = CASE
            WHEN v_attempt_id IS NULL THEN 'unknown_order'
            WHEN p_currency <> 'INR' OR p_currency <> v_attempt_currency THEN 'currency_mismatch'
            WHEN v_amount <> v_asked THEN 'amount_mismatch'
            WHEN p_amount_refunded > 0 THEN 'already_refunded'
            WHEN v_attempt_status IN ('succeeded', 'refunded') THEN 'order_already_paid'
            WHEN v_wallet_status = 'closed' THEN 'wallet_closed'
            ELSE v_limit END;
        SELECT id INTO v_gateway_account_id FROM accounts WHERE code = CONCAT('gateway:', p_gateway);
        IF v_reason IS NULL THEN
            SET v_account_id = v_wallet_id;
        ELSE
            SELECT id INTO v_account_id FROM accounts WHERE code = 'suspense';
        END IF;
        BEGIN
            -- two that know of no order hold no lock in common: the unique key decides between them
            DECLARE CONTINUE HANDLER FOR 1062
            BEGIN
                SELECT id INTO v_known_id
                FROM transactions WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id LOCK IN SHARE MODE;
                IF v_known_id IS NULL THEN
                    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a new transaction needs an id of its own';
                END IF;
                SET v_outcome = 'duplicate';
            END;
            INSERT INTO transactions
                (id, type, amount, currency, attempt_id, gateway, gateway_payment_id, suspense_reason, created_at)
            VALUES (p_transaction_id, IF(v_reason IS NULL, 'top_up', 'suspense'), v_amount, p_currency,
                    v_attempt_id, p_gateway, p_payment_id, v_reason, v_now);
        END;
    END IF;

    IF v_outcome = 'done' THEN
        CALL post_entry(p_transaction_id, v_gateway_account_id, 0, v_account_id, v_slot, v_amount, v_now);
        INSERT INTO payment_evidence (transaction_id, event_id, answer, answer_digest, surcharge, created_at)
        VALUES (p_transaction_id, p_event_id, p_answer, UNHEX(SHA2(p_answer, 256)), p_paid - v_amount, v_now);
        IF v_wallet_id IS NOT NULL THEN
            CALL note_event(
                v_wallet_id, NULL, IF(v_reason IS NULL, 'TopUpSucceeded', 'TopUpSuspended'), JSON_OBJECT(
                    'top_up_id', LOWER(HEX(v_attempt_id)), 'transaction_id', LOWER(HEX(p_transaction_id)),
                    'wallet_id', LOWER(HEX(v_wallet_id)), 'amount', v_amount + 0, 'currency', p_currency,
                    'gateway', p_gateway, 'reason', v_reason), v_now);
        END IF;
        IF v_reason IS NULL THEN
            CALL count_load(v_wallet_id, v_amount, v_now);
            -- asked about once more, when its time is over: it may be refunded at the gateway, and that news be lost
            UPDATE payment_attempts
            SET status = 'succeeded', next_check_at = GREATEST(expires_at, v_now + INTERVAL 1 DAY)
            WHERE id = v_attempt_id;
            CALL note_attempt(v_attempt_id, 'succeeded', NULL, p_payment_id, v_now);
        ELSEIF v_attempt_id IS NOT NULL THEN
            IF v_attempt_status IN ('created', 'pending') THEN
                SET v_attempt_status = 'failed';
                UPDATE payment_attempts SET status = v_attempt_status WHERE id = v_attempt_id;
            END IF;
            CALL note_attempt(v_attempt_id, v_attempt_status, v_reason, p_payment_id, v_now);
        END IF;
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT IF(v_outcome = 'known', 'done', v_outcome) AS outcome, JSON_OBJECT('suspense_reason', v_reason) AS result;
END//
DELIMITER ;

-- As code of before evidence calls it, for one release. It is believed only while an event of that gateway that names the
-- payment is stored and not finished yet; else nobody has told of it, and whoever asks comes back as newer code.
DROP PROCEDURE IF EXISTS settle_payment;
DELIMITER //
CREATE PROCEDURE settle_payment(
    IN p_transaction_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount_refunded BIGINT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_event_id, v_known_id BINARY(16) DEFAULT NULL;
    DECLARE v_told MEDIUMBLOB DEFAULT NULL;
    DECLARE v_names BOOLEAN DEFAULT FALSE;

    SELECT id INTO v_known_id FROM transactions WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id;
    SELECT id, body INTO v_event_id, v_told FROM gateway_events
    WHERE gateway = p_gateway AND outcome IS NULL AND p_payment_id <> '' AND LOCATE(p_payment_id, body) > 0
    ORDER BY id DESC LIMIT 1;
    CALL check_names_payment(v_told, p_payment_id, v_names);
    IF v_known_id IS NULL AND COALESCE(v_names, FALSE) = FALSE THEN
        SELECT 'try_again' AS outcome, NULL AS result;
    ELSE
        CALL settle_gateway_payment(p_transaction_id, p_gateway, p_payment_id, p_order_id, p_amount, 0, p_currency,
                                    p_amount_refunded, v_event_id, NULL);
    END IF;
END//
DELIMITER ;

-- Internal. An attempt as its maker is told of it, and what the gateway wants to know of the payer. `refused` is why the
-- gateway will never take it.
DROP PROCEDURE IF EXISTS answer_top_up;
DELIMITER //
CREATE PROCEDURE answer_top_up(
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_attempt_id BINARY(16)
)
READS SQL DATA
BEGIN
    SELECT p_outcome AS outcome, JSON_OBJECT(
        'attempt_id', LOWER(HEX(a.id)), 'amount', a.amount, 'currency', a.currency, 'gateway', a.gateway,
        'gateway_order_id', a.gateway_order_id, 'checkout_session', a.checkout_session, 'intent_url', a.intent_url,
        'payer_phone', u.phone, 'payer_email', u.email, 'is_over', a.expires_at <= UTC_TIMESTAMP(6),
        'expires_at', DATE_FORMAT(a.expires_at, '%Y-%m-%dT%H:%i:%s.%f'),
        'refused', (SELECT e.reason FROM payment_attempt_events e
                    WHERE e.attempt_id = a.id AND e.gateway_payment_id = '' AND e.status = a.status
                      AND a.status = 'failed')) AS result
    FROM payment_attempts a JOIN wallets w ON w.id = a.wallet_id JOIN users u ON u.id = w.user_id
    WHERE a.id = p_attempt_id;
END//
DELIMITER ;

-- Ends an attempt that the gateway refuses for good: it has failed, is over, and so takes no place among the open ones.
-- It is asked about once more all the same, and money that came of it would be credited. `p_order_id` is what the refused
-- caller knew of its order: 'changed' if another one has got further under the same key.
DROP PROCEDURE IF EXISTS refuse_attempt;
DELIMITER //
CREATE PROCEDURE refuse_attempt(
    IN p_attempt_id BINARY(16),
    IN p_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_ends BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT status IN ('created', 'pending', 'failed') AND intent_url IS NULL AND gateway_order_id <=> p_order_id
    INTO v_ends FROM payment_attempts WHERE id = p_attempt_id FOR UPDATE;
    IF v_ends THEN
        UPDATE payment_attempts SET status = 'failed', expires_at = LEAST(expires_at, v_now) WHERE id = p_attempt_id;
        CALL note_attempt(p_attempt_id, 'failed', p_reason, '', v_now);
    END IF;
    COMMIT;
    SELECT IF(v_ends, 'done', 'changed') AS outcome, NULL AS result;
END//
DELIMITER ;
