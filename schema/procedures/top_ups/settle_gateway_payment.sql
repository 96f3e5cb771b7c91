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
    DECLARE v_attempt_id, v_wallet_id, v_known_id, v_gateway_id, v_suspense_id BINARY(16) DEFAULT NULL;
    DECLARE v_attempt_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier, v_locked_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_attempt_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_asked, v_amount, v_own, v_entries, v_loaded_month, v_loaded_year BIGINT DEFAULT NULL;
    DECLARE v_max_balance, v_max_load_month, v_max_load_year BIGINT DEFAULT NULL;
    DECLARE v_in_slots BIGINT DEFAULT 0;
    DECLARE v_slots TINYINT UNSIGNED DEFAULT 1;
    DECLARE v_day, v_month, v_year, v_usage_month, v_usage_year DATE DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE v_told MEDIUMBLOB DEFAULT NULL;
    DECLARE v_names, v_is_lapsed BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT id, wallet_id, status, amount, currency
    INTO v_attempt_id, v_wallet_id, v_attempt_status, v_asked, v_attempt_currency
    FROM payment_attempts WHERE gateway = p_gateway AND gateway_order_id = p_order_id FOR UPDATE;
    SELECT a.id, suspense.id, g.transaction_id, g.suspense_reason, IF(p_event_id IS NULL, p_answer, e.body),
           w.tier, w.id IS NOT NULL AND r.tier IS NULL, r.max_balance, r.max_load_month, r.max_load_year
    INTO v_gateway_id, v_suspense_id, v_known_id, v_reason, v_told,
         v_tier, v_is_lapsed, v_max_balance, v_max_load_month, v_max_load_year
    FROM accounts a
    JOIN accounts suspense ON suspense.code = 'suspense'
    LEFT JOIN gateway_payments g ON g.gateway = p_gateway AND g.gateway_payment_id = p_payment_id
    LEFT JOIN gateway_events e ON e.id = p_event_id AND e.gateway = p_gateway
    LEFT JOIN wallets w ON w.id = v_wallet_id
    LEFT JOIN rules_in_force r ON r.tier = w.tier
        AND r.valid_from <= UTC_TIMESTAMP(6) AND r.valid_until > UTC_TIMESTAMP(6)
    WHERE a.code = CONCAT('gateway:', p_gateway);

    IF v_known_id IS NOT NULL THEN
        -- the same transaction: our own commit, whose answer was lost
        SET v_outcome = IF(v_known_id = p_transaction_id, 'known', 'duplicate');
    ELSE
        IF ABS(CAST(CONV(LEFT(HEX(p_transaction_id), 12), 16, 10) AS SIGNED) DIV 1000
               - CAST(UNIX_TIMESTAMP() AS SIGNED)) > 900 THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the id of a new transaction is of this moment';
        END IF;
        CALL check_names_payment(v_told, p_payment_id, v_names);
        IF COALESCE(v_names, FALSE) = FALSE THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'money is booked on evidence that names its payment';
        END IF;
        IF v_is_lapsed THEN
            SET v_outcome = 'rules_lapsed';
        ELSEIF v_wallet_id IS NOT NULL THEN
            -- what comes in goes to the wallet's own row, however many slots it has
            SELECT status, tier, balance, entries, slots, last_entry_at, usage_month, loaded_month, usage_year, loaded_year
            INTO v_wallet_status, v_locked_tier, v_own, v_entries, v_slots, v_last,
                 v_usage_month, v_loaded_month, v_usage_year, v_loaded_year
            FROM wallets WHERE id = v_wallet_id FOR UPDATE;
            IF v_locked_tier <> v_tier THEN
                SET v_outcome = 'try_again'; -- the limits are another tier's
            ELSEIF v_slots > 1 AND v_max_balance IS NOT NULL THEN
                SELECT COALESCE(SUM(balance), 0) INTO v_in_slots FROM wallet_slots WHERE wallet_id = v_wallet_id;
            END IF;
        END IF;
    END IF;

    IF v_outcome = 'done' THEN
        -- a wallet's time never runs backwards, and no two of its entries have the same
        SET v_now = GREATEST(UTC_TIMESTAMP(6), COALESCE(v_last + INTERVAL 1 MICROSECOND, UTC_TIMESTAMP(6)));
        -- the Indian month and year of that moment (see periods_of)
        SET v_day = DATE(v_now + INTERVAL 330 MINUTE);
        SET v_month = v_day - INTERVAL (DAYOFMONTH(v_day) - 1) DAY;
        SET v_year = CAST(CONCAT(YEAR(v_day) - (MONTH(v_day) < 4), '-04-01') AS DATE);
        SET v_amount = IF(p_surcharge > 0 AND p_currency = v_attempt_currency AND p_paid - p_surcharge = v_asked,
                          v_asked, p_paid);
        SET v_reason = CASE
            WHEN v_attempt_id IS NULL THEN 'unknown_order'
            WHEN p_currency <> 'INR' OR p_currency <> v_attempt_currency THEN 'currency_mismatch'
            WHEN v_amount <> v_asked THEN 'amount_mismatch'
            WHEN p_amount_refunded > 0 THEN 'already_refunded'
            WHEN v_attempt_status IN ('succeeded', 'refunded') THEN 'order_already_paid'
            WHEN v_wallet_status = 'closed' THEN 'wallet_closed'
            WHEN v_amount > v_max_balance - v_own - v_in_slots THEN 'over_balance_limit'
            WHEN v_amount > v_max_load_month - IF(v_usage_month = v_month, v_loaded_month, 0)
                OR v_amount > v_max_load_year - IF(v_usage_year = v_year, v_loaded_year, 0) THEN 'over_load_limit'
            ELSE NULL END;
        SET v_type = IF(v_reason IS NULL, 'top_up', 'suspense');
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
            VALUES (p_transaction_id, v_type, v_amount, p_currency, v_now);
            INSERT INTO gateway_payments
                (gateway, gateway_payment_id, transaction_id, attempt_id, suspense_reason, event_id, answer,
                 answer_digest, surcharge, created_at)
            VALUES (p_gateway, p_payment_id, p_transaction_id, v_attempt_id, v_reason, p_event_id, p_answer,
                    UNHEX(SHA2(p_answer, 256)), p_paid - v_amount, v_now);
        END;
    END IF;

    IF v_outcome = 'done' THEN
        IF v_reason IS NULL THEN
            -- the servers assign from left to right: what a line looks at comes behind it
            UPDATE wallets
            SET balance = balance + v_amount,
                entries = entries + 1,
                last_entry_at = v_now,
                debited_month = IF(usage_month = v_month, debited_month, 0),
                loaded_month = IF(usage_month = v_month, loaded_month, 0) + v_amount,
                loaded_year = IF(usage_year = v_year, loaded_year, 0) + v_amount,
                usage_month = v_month,
                usage_year = v_year
            WHERE id = v_wallet_id;
        END IF;
        INSERT INTO postings
            (transaction_id, line, account_id, slot, type, side, amount, entry_no, balance_after, created_at)
        VALUES (p_transaction_id, 1, v_gateway_id, 0, v_type, 'debit', v_amount, NULL, NULL, v_now),
               (p_transaction_id, 2, IF(v_reason IS NULL, v_wallet_id, v_suspense_id), 0, v_type, 'credit', v_amount,
                IF(v_reason IS NULL, v_entries + 1, NULL), IF(v_reason IS NULL, v_own + v_amount, NULL), v_now);
        IF v_wallet_id IS NOT NULL THEN
            INSERT INTO outbox (wallet_id, type, transaction_id, created_at)
            VALUES (v_wallet_id, IF(v_reason IS NULL, 'TopUpSucceeded', 'TopUpSuspended'), p_transaction_id, v_now);
        END IF;
        IF v_reason IS NULL THEN
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
    IF v_outcome = 'rules_lapsed' THEN
        CALL renew_rules(v_tier);
        SET v_outcome = 'try_again';
    END IF;
    SELECT IF(v_outcome = 'known', 'done', v_outcome) AS outcome, v_reason AS suspense_reason;
END
