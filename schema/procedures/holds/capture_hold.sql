-- Takes what was promised, or a part (`p_amount` NULL: all that is left). `p_final` frees what is left behind it, and is
-- what a capture of everything always is. A hold whose time has passed is none, whether or not the sweep has been; and
-- whatever keeps its payer's wallet from paying has the same answer: it is the payer's, and no business of the payee's.
-- Locks: both wallets, or the payer's and a slot of the payee's, in their order. The hold needs no lock of its own: whoever
-- changes one has its payer's wallet.
CREATE PROCEDURE capture_hold(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_transaction_id BINARY(16),
    IN p_hold_id BINARY(16),
    IN p_amount BIGINT,
    IN p_final BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_made_id, v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_payer_name, v_payee_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_kind, v_payer_status, v_payee_status, v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier, v_locked_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_promised, v_captured, v_amount, v_load, v_held, v_changes, v_own, v_entries BIGINT DEFAULT NULL;
    DECLARE v_payee_own, v_payee_entries, v_loaded_month, v_loaded_year, v_fee BIGINT DEFAULT NULL;
    DECLARE v_max_balance, v_max_load_month, v_max_load_year BIGINT DEFAULT NULL;
    DECLARE v_in_slots BIGINT DEFAULT 0;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_slots, v_spread TINYINT UNSIGNED DEFAULT 1;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_free_slot TINYINT UNSIGNED DEFAULT NULL;
    DECLARE v_is_taken, v_is_charged, v_is_lapsed BOOLEAN DEFAULT FALSE;
    DECLARE v_day, v_month, v_year, v_usage_month, v_usage_year DATE DEFAULT NULL;
    DECLARE v_paused_until, v_created_at, v_expires_at, v_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_is_taken = TRUE;
        INSERT INTO idempotency_records (actor_id, idem_key, request_hash, made_id, created_at)
        VALUES (p_actor_id, p_key, p_request_hash, p_transaction_id, UTC_TIMESTAMP(6));
    END;
    IF v_is_taken THEN
        CALL find_what_a_key_made(p_actor_id, p_key, p_request_hash, v_outcome, v_made_id);
    ELSE
        SELECT h.payer_wallet_id, h.payee_wallet_id, pu.name, u.name, h.amount, h.description, h.created_at, h.expires_at,
               IF(r.for_merchants, u.kind, 'personal'), w.tier, w.slots, w.spread,
               r.max_balance, r.max_load_month, r.max_load_year, r.payees_are_charged, r.tier IS NULL
        INTO v_payer_id, v_payee_id, v_payer_name, v_payee_name, v_promised, v_description, v_created_at, v_expires_at,
             v_kind, v_tier, v_slots, v_spread,
             v_max_balance, v_max_load_month, v_max_load_year, v_is_charged, v_is_lapsed
        FROM holds h
        JOIN wallets w ON w.id = h.payee_wallet_id
        JOIN users u ON u.id = w.user_id
        LEFT JOIN rules_in_force r ON r.tier = w.tier
            AND r.valid_from <= UTC_TIMESTAMP(6) AND r.valid_until > UTC_TIMESTAMP(6)
        JOIN wallets p ON p.id = h.payer_wallet_id
        JOIN users pu ON pu.id = p.user_id
        WHERE h.id = p_hold_id AND w.user_id = p_actor_id;
        SET v_outcome = IF(v_payer_id IS NULL, 'not_found', IF(v_is_lapsed, 'rules_lapsed', NULL));
    END IF;

    IF v_outcome IS NULL THEN
        -- as a payment's: credits of a hot wallet go to its first free slot, but where the tier caps the balance
        SET v_slot = IF(v_spread > 1 AND v_kind = 'merchant' AND v_max_balance IS NULL,
                        1 + CONNECTION_ID() MOD (v_spread - 1), 0);
        IF v_slot > 0 AND v_payee_id < v_payer_id THEN
            SELECT slot INTO v_free_slot FROM wallet_slots
            WHERE wallet_id = v_payee_id AND slot < v_spread ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED;
            IF v_free_slot IS NULL THEN
                SELECT slot INTO v_free_slot FROM wallet_slots WHERE wallet_id = v_payee_id AND slot = v_slot FOR UPDATE;
            END IF;
        END IF;
        -- What is held is in the payer's own row already: nothing is needed beyond it. For the locks alone: the time comes below.
        SELECT MAX(last_entry_at) INTO v_at
        FROM wallets FORCE INDEX (PRIMARY) WHERE id IN (v_payer_id, IF(v_slot = 0, v_payee_id, v_payer_id)) FOR UPDATE;
        IF v_slot > 0 AND v_payee_id > v_payer_id THEN
            SELECT slot INTO v_free_slot FROM wallet_slots
            WHERE wallet_id = v_payee_id AND slot < v_spread ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED;
            IF v_free_slot IS NULL THEN
                SELECT slot INTO v_free_slot FROM wallet_slots WHERE wallet_id = v_payee_id AND slot = v_slot FOR UPDATE;
            END IF;
        END IF;
        SET v_slot = IF(v_slot > 0, v_free_slot, 0);
        -- Behind the locks. Who freezes a wallet, or ends its owner's sessions, takes those of all its slots. A wallet's time never runs backwards, and no two of its entries have the same.
        SELECT payer.status, payer.paused_until, payer.balance, payer.held, payer.held_changes, payer.entries,
               w.status, w.tier, w.session_generation, w.usage_month, w.loaded_month, w.usage_year, w.loaded_year,
               IF(v_slot = 0, w.balance, s.balance), IF(v_slot = 0, w.entries, s.entries),
               GREATEST(UTC_TIMESTAMP(6), payer.last_entry_at + INTERVAL 1 MICROSECOND,
                        IF(v_slot = 0, w.last_entry_at, s.last_entry_at) + INTERVAL 1 MICROSECOND),
               h.status, h.captured
        INTO v_payer_status, v_paused_until, v_own, v_held, v_changes, v_entries,
             v_payee_status, v_locked_tier, v_generation, v_usage_month, v_loaded_month, v_usage_year, v_loaded_year,
             v_payee_own, v_payee_entries,
             v_at,
             v_status, v_captured
        FROM holds h
        JOIN wallets payer ON payer.id = h.payer_wallet_id
        JOIN wallets w ON w.id = h.payee_wallet_id
        LEFT JOIN wallet_slots s ON s.wallet_id = w.id AND s.slot = v_slot
        WHERE h.id = p_hold_id;
        IF v_slots > 1 AND v_max_balance IS NOT NULL THEN
            SELECT COALESCE(SUM(balance), 0) INTO v_in_slots FROM wallet_slots WHERE wallet_id = v_payee_id;
        END IF;

        SET v_amount = COALESCE(p_amount, v_promised - v_captured);
        -- the Indian month and year of that moment (see periods_of); what people are paid counts as loads of theirs
        SET v_day = DATE(v_at + INTERVAL 330 MINUTE);
        SET v_month = v_day - INTERVAL (DAYOFMONTH(v_day) - 1) DAY;
        SET v_year = CAST(CONCAT(YEAR(v_day) - (MONTH(v_day) < 4), '-04-01') AS DATE);
        SET v_load = IF(v_kind = 'personal', v_amount, 0);
        IF v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF COALESCE(v_status <> 'placed', TRUE) OR v_expires_at <= UTC_TIMESTAMP(6) OR v_payer_status <> 'active'
            OR COALESCE(v_paused_until > UTC_TIMESTAMP(6), FALSE) THEN
            SET v_outcome = 'hold_not_placed';
        ELSEIF v_amount > v_promised - v_captured THEN
            SET v_outcome = 'capture_exceeds_hold';
        ELSEIF v_payee_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF v_locked_tier <> v_tier THEN
            SET v_outcome = 'try_again'; -- the limits are another tier's
        ELSEIF v_amount > v_max_balance - v_payee_own - v_in_slots
            OR v_load > 0 AND (v_load > v_max_load_month - IF(v_usage_month = v_month, v_loaded_month, 0)
                               OR v_load > v_max_load_year - IF(v_usage_year = v_year, v_loaded_year, 0)) THEN
            SET v_outcome = 'wallet_limit_exceeded';
            CALL tell_credit_limit(v_payee_id, v_tier, v_payee_own + v_in_slots, v_amount, v_kind = 'personal', v_at, v_result);
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        SET v_status = IF(v_amount = v_promised - v_captured, 'captured', 'placed'), v_captured = v_captured + v_amount;
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, created_at)
        VALUES (p_transaction_id, 'hold_capture', v_amount, 'INR', p_actor_id, v_description, v_at);
        INSERT INTO hold_captures (transaction_id, hold_id) VALUES (p_transaction_id, p_hold_id);
        UPDATE holds SET captured = v_captured, status = v_status, ended_at = IF(v_status = 'captured', v_at, NULL)
        WHERE id = p_hold_id;
        INSERT INTO held_changes (wallet_id, change_no, amount, held_after, cause, cause_id, created_at)
        VALUES (v_payer_id, v_changes + 1, -v_amount, v_held - v_amount, 'hold', p_hold_id, v_at);
        -- the servers assign from left to right: what a line looks at comes behind it
        UPDATE wallets
        SET balance = balance + IF(id = v_payer_id, -v_amount, v_amount),
            held = held - IF(id = v_payer_id, v_amount, 0),
            held_changes = held_changes + (id = v_payer_id),
            entries = entries + 1,
            last_entry_at = v_at,
            debited_month = IF(usage_month = v_month, debited_month, 0),
            loaded_month = IF(usage_month = v_month, loaded_month, 0) + IF(id = v_payer_id, 0, v_load),
            loaded_year = IF(usage_year = v_year, loaded_year, 0) + IF(id = v_payer_id, 0, v_load),
            usage_month = v_month,
            usage_year = v_year
        WHERE id IN (v_payer_id, IF(v_slot = 0, v_payee_id, v_payer_id));
        IF v_slot > 0 THEN
            UPDATE wallet_slots SET balance = balance + v_amount, entries = entries + 1, last_entry_at = v_at
            WHERE wallet_id = v_payee_id AND slot = v_slot;
        END IF;
        INSERT INTO postings
            (transaction_id, line, account_id, slot, type, side, amount, entry_no, balance_after, created_at)
        VALUES (p_transaction_id, 1, v_payer_id, 0, 'hold_capture', 'debit', v_amount, v_entries + 1, v_own - v_amount, v_at),
               (p_transaction_id, 2, v_payee_id, v_slot, 'hold_capture', 'credit', v_amount, v_payee_entries + 1,
                v_payee_own + v_amount, v_at);
        IF v_is_charged AND v_kind = 'merchant' THEN
            CALL charge_payee(p_transaction_id, v_payee_id, v_slot, v_amount, v_at, v_fee);
        END IF;
        IF p_final AND v_status = 'placed' THEN
            CALL end_hold(p_hold_id, 'captured', v_at);
            SET v_status = 'captured';
        END IF;
        INSERT INTO outbox (wallet_id, other_wallet_id, type, transaction_id, created_at)
        VALUES (v_payer_id, v_payee_id, 'HoldCaptured', p_transaction_id, v_at);
        COMMIT;
        SELECT 'done' AS outcome, p_transaction_id AS transaction_id, p_hold_id AS hold_id, v_status AS status,
               v_promised AS amount, v_captured AS captured, 'INR' AS currency, v_description AS description,
               v_payer_id AS payer_wallet_id, v_payer_name AS payer_name,
               v_payee_id AS payee_wallet_id, v_payee_name AS payee_name,
               v_created_at AS created_at, v_expires_at AS expires_at;
    ELSEIF v_outcome = 'replayed' THEN
        ROLLBACK;
        SELECT 'replayed' AS outcome, v_made_id AS transaction_id;
    ELSEIF v_outcome = 'rules_lapsed' THEN
        ROLLBACK;
        CALL renew_rules(v_tier);
        SELECT 'try_again' AS outcome, NULL AS result;
    ELSE
        ROLLBACK;
        SELECT v_outcome AS outcome, v_result AS result;
    END IF;
END
