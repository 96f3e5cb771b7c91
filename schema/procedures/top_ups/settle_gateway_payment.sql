-- Books money that has arrived at the gateway: to the wallet that asked for it if everything agrees with what was
-- asked, to suspense otherwise, and once in either case. `p_paid` is what the payer paid, `p_surcharge` what of it the
-- gateway calls its own fee, borne by the payer: if that explains the difference from what was asked for, what was asked
-- for has arrived, and the gateway holds no more for us. `wallet.ledger.attempts.weigh` is the same rule in Python.
-- It is believed on evidence only: `p_event_id`, a stored event of that gateway, or `p_answer`, its answer to our own
-- question, which is kept; either names the payment. And the id is of this moment, give or take a quarter of an hour, for
-- whatever goes by the time in ids. Of what is in the books already, nothing of this is asked.
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
    SELECT transaction_id, suspense_reason INTO v_known_id, v_reason
    FROM gateway_payments WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id;

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
            CALL lock_credit(v_wallet_id, v_wallet_status, v_tier, v_balance, v_last);
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
                SELECT transaction_id INTO v_known_id
                FROM gateway_payments WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id LOCK IN SHARE MODE;
                IF v_known_id IS NULL THEN
                    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a new transaction needs an id of its own';
                END IF;
                SET v_outcome = 'duplicate';
            END;
            INSERT INTO transactions (id, type, amount, currency, created_at)
            VALUES (p_transaction_id, IF(v_reason IS NULL, 'top_up', 'suspense'), v_amount, p_currency, v_now);
            INSERT INTO gateway_payments
                (gateway, gateway_payment_id, transaction_id, attempt_id, suspense_reason, event_id, answer,
                 answer_digest, surcharge, created_at)
            VALUES (p_gateway, p_payment_id, p_transaction_id, v_attempt_id, v_reason, p_event_id, p_answer,
                    UNHEX(SHA2(p_answer, 256)), p_paid - v_amount, v_now);
        END;
    END IF;

    IF v_outcome = 'done' THEN
        CALL post_entry(p_transaction_id, v_gateway_account_id, 0, v_account_id, v_amount, v_now);
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
END
