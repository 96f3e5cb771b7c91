-- Takes a file in, whole, or not at all; nothing is paid here. `p_rows` is a JSON array with an array for each row:
-- its line, the payee's wallet (hexadecimal), the payee's phone, amount, description, reference.
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
    DECLARE v_made_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_unconfirmed, v_confirm_above, v_confirm_day_above, v_confirm_new_payee_above BIGINT DEFAULT NULL;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_today, v_unconfirmed_on DATE DEFAULT NULL;
    DECLARE v_is_confirmed BOOLEAN DEFAULT FALSE;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_key(p_actor_id, p_key, p_request_hash, p_bulk_payment_id, v_outcome, v_made_id);
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
    IF v_outcome IN ('done', 'replayed') THEN
        SELECT v_outcome AS outcome, id AS bulk_payment_id, row_count, total, currency, created_at
        FROM bulk_payments WHERE id = COALESCE(v_made_id, p_bulk_payment_id) AND user_id = p_actor_id;
    ELSE
        SELECT v_outcome AS outcome, v_result AS result;
    END IF;
END
