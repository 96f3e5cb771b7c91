-- Internal. Who pays, and why that is refused for a reason of their own, before the payee is looked at and before any
-- lock: NULL if it isn't. What a moment can change is asked again under the locks: status, funds, and the limits if the
-- tier has sums (`p_has_sums`) or is another than `p_tier` by then. Holds that have lapsed and a hot wallet's slots are
-- summed only for who has too little without them.
--
-- A debit may have named somebody, who was paid by phone: after 100 of an hour (10,000 of a merchant's) nobody is looked
-- for by phone until it is over. By wallet there is no such bound: who knows an id was told of it. `p_generation` is that of
-- the session in which they ask, NULL for what goes on without one.
--
-- From which amount on, or which sum of a day without one, the payer's tier asks for a confirmation comes from here too, and
-- is compared under the lock.
CREATE PROCEDURE check_payer(
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
    OUT p_has_sums BOOLEAN,
    OUT p_confirm_above BIGINT,
    OUT p_confirm_day_above BIGINT,
    OUT p_confirm_new_payee_above BIGINT
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
               COALESCE(max_debit_day, max_debit_month) IS NOT NULL, person_to_person,
               c.above, c.day_above, c.new_payee_above
        INTO v_left, p_has_sums, p_person_to_person, p_confirm_above, p_confirm_day_above, p_confirm_new_payee_above
        FROM tier_limits l
        LEFT JOIN confirmation_rules c ON c.tier = l.tier AND c.valid_from <= v_now
        WHERE l.tier = p_tier AND l.valid_from <= v_now ORDER BY l.valid_from DESC, c.valid_from DESC LIMIT 1;
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
END
