-- Internal. A payment from the actor's wallet to another, named by its id or by its owner's phone, inside the caller's
-- atomic block: 'done', or the code of a refusal, and then it is the caller who rolls back what this has done. 'rules_lapsed' is no
-- refusal: the caller rolls back, renews those of the tier in `p_result` in a commit of its own, and is called again.
--
-- With `p_hold_seconds` it is promised for so long instead, by a hold of that id: the payer's money and rules are asked now, as the
-- capture is the payee's to ask for; of the payee nothing but that there is such a wallet, as whether it may take the money is the
-- capture's to say, and the payee's to hear.
--
-- With `p_generation` NULL it is paid whatever has become of the session in which it was asked for, but not in the pause after a
-- reset of the password; with `p_key` NULL it is a part of what was confirmed, or counted as unconfirmed, as a whole.
--
-- One statement reads all that decides, without a lock, and the payment is judged, so that nobody queues for a refusal. The
-- statement that locks the wallets compares them with what was read: if anything that decides has changed, or a payer has slots,
-- everything is read and judged anew behind the locks, once. The payer's own reasons come first, and whatever is the payee's is
-- 'payee_unavailable'. A debit may have named somebody, who was paid by phone: after 100 of an hour (10,000 of a merchant's) nobody
-- is looked for by phone until it is over. By wallet there is no such bound: who knows an id was told of it.
CREATE PROCEDURE make_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_transaction_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reference VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_hold_seconds INT UNSIGNED,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_payer_id BINARY(16),
    OUT p_payer_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_payee_id BINARY(16),
    OUT p_payee_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_balance BIGINT,
    OUT p_held BIGINT,
    OUT p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_status, v_payee_status, v_payee_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier, v_payee_tier, v_tier_to_renew VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_own, v_available, v_total, v_entries, v_held_changes BIGINT DEFAULT NULL;
    DECLARE v_debited_day, v_debited_month, v_unconfirmed BIGINT DEFAULT NULL;
    DECLARE v_payee_own, v_payee_entries, v_loaded_month, v_loaded_year, v_load, v_fee BIGINT DEFAULT NULL;
    DECLARE v_max_payment, v_max_day, v_max_month, v_max_balance, v_max_load_month, v_max_load_year BIGINT DEFAULT NULL;
    DECLARE v_confirm_above, v_confirm_day_above, v_confirm_new_payee_above BIGINT DEFAULT NULL;
    DECLARE v_payee_in_slots, v_placed BIGINT DEFAULT 0;
    DECLARE v_written_id BINARY(16) DEFAULT NULL;
    DECLARE v_generation, v_debits, v_allowed, v_ended INT UNSIGNED DEFAULT NULL;
    DECLARE v_slots, v_payee_slots, v_spread TINYINT UNSIGNED DEFAULT 1;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_free_slot TINYINT UNSIGNED DEFAULT NULL;
    DECLARE v_person_to_person, v_is_charged, v_is_required, v_is_as_read, v_is_locked BOOLEAN DEFAULT FALSE;
    DECLARE v_is_hold BOOLEAN DEFAULT p_hold_seconds IS NOT NULL;
    DECLARE v_is_confirmed BOOLEAN DEFAULT p_key IS NULL;
    DECLARE v_day, v_month, v_year, v_usage_day, v_usage_month, v_unconfirmed_on DATE DEFAULT NULL;
    DECLARE v_payee_usage_month, v_payee_usage_year DATE DEFAULT NULL;
    DECLARE v_paused_until, v_debits_until, v_lookups_until DATETIME(6) DEFAULT NULL;

    SET p_payee_id = p_payee_wallet_id;
    IF p_payee_phone IS NOT NULL THEN
        SELECT w.id INTO p_payee_id FROM users u JOIN wallets w ON w.user_id = u.id WHERE u.phone = p_payee_phone;
    END IF;

    judging: LOOP
        -- A closed wallet is as none; who registered as a merchant is one only in a tier for merchants. A wallet's time never runs
        -- backwards, and no two of its entries have the same. What a slot has is read behind its lock, below.
        SELECT w.id, u.name, w.status, w.tier, w.balance, w.held, w.balance - w.held, w.entries, w.held_changes, w.slots,
               w.session_generation, w.paused_until, w.debits, w.debits_until, w.usage_day, w.debited_day,
               w.usage_month, w.debited_month, w.unconfirmed_on, w.unconfirmed_day,
               IF(q.used >= q.allowed AND q.window_ends_at > UTC_TIMESTAMP(6), q.window_ends_at, NULL),
               r.max_payment, r.max_debit_day, r.max_debit_month, r.person_to_person,
               r.confirm_above, r.confirm_day_above, r.confirm_new_payee_above,
               p.id, pu.name, IF(pr.for_merchants, pu.kind, 'personal'), p.status, p.tier,
               IF(v_slot = 0, p.balance, v_payee_own), IF(v_slot = 0, p.entries, v_payee_entries),
               p.slots, p.spread, p.usage_month, p.loaded_month, p.usage_year, p.loaded_year,
               pr.max_balance, pr.max_load_month, pr.max_load_year, pr.payees_are_charged,
               GREATEST(UTC_TIMESTAMP(6), w.last_entry_at + INTERVAL 1 MICROSECOND,
                        COALESCE(p.last_entry_at + INTERVAL 1 MICROSECOND, w.last_entry_at),
                        COALESCE(p_at, w.last_entry_at)),
               IF(r.tier IS NULL, w.tier, IF(pr.tier IS NULL, p.tier, NULL))
        INTO p_payer_id, p_payer_name, v_status, v_tier, v_own, p_held, v_available, v_entries, v_held_changes, v_slots,
             v_generation, v_paused_until, v_debits, v_debits_until, v_usage_day, v_debited_day,
             v_usage_month, v_debited_month, v_unconfirmed_on, v_unconfirmed,
             v_lookups_until,
             v_max_payment, v_max_day, v_max_month, v_person_to_person,
             v_confirm_above, v_confirm_day_above, v_confirm_new_payee_above,
             p_payee_id, p_payee_name, v_payee_kind, v_payee_status, v_payee_tier,
             v_payee_own, v_payee_entries,
             v_payee_slots, v_spread, v_payee_usage_month, v_loaded_month, v_payee_usage_year, v_loaded_year,
             v_max_balance, v_max_load_month, v_max_load_year, v_is_charged,
             p_at,
             v_tier_to_renew
        FROM wallets w
        JOIN users u ON u.id = w.user_id
        LEFT JOIN rules_in_force r ON r.tier = w.tier
            AND r.valid_from <= UTC_TIMESTAMP(6) AND r.valid_until > UTC_TIMESTAMP(6)
        LEFT JOIN quota_usage q ON q.subject = w.user_id AND q.quota = 'unavailable_payees'
        LEFT JOIN wallets p ON p.id = p_payee_id AND p.status <> 'closed'
        LEFT JOIN users pu ON pu.id = p.user_id
        LEFT JOIN rules_in_force pr ON pr.tier = p.tier
            AND pr.valid_from <= UTC_TIMESTAMP(6) AND pr.valid_until > UTC_TIMESTAMP(6)
        WHERE w.user_id = p_actor_id;
        IF v_tier_to_renew IS NOT NULL THEN
            SET p_outcome = 'rules_lapsed';
            SET p_result = v_tier_to_renew;
            LEAVE judging;
        END IF;
        IF p_amount > v_available AND NOT v_is_locked THEN
            CALL sum_available(p_payer_id, v_available);
        END IF;
        -- the Indian day, month and year of that moment (see periods_of): a sum of another one is nothing
        SET v_day = DATE(p_at + INTERVAL 330 MINUTE);
        SET v_month = v_day - INTERVAL (DAYOFMONTH(v_day) - 1) DAY;
        SET v_year = CAST(CONCAT(YEAR(v_day) - (MONTH(v_day) < 4), '-04-01') AS DATE);

        IF p_payer_id IS NULL OR v_generation <> p_generation THEN
            SET p_outcome = 'invalid_token';
        ELSEIF p_payee_id = p_payer_id THEN
            SET p_outcome = 'self_payment';
        ELSEIF v_status <> 'active' THEN
            SET p_outcome = 'wallet_frozen';
        ELSEIF p_amount > v_available THEN
            SET p_outcome = 'insufficient_funds';
        ELSE
            IF p_amount > LEAST(COALESCE(v_max_payment, p_amount),
                                COALESCE(v_max_day - IF(v_usage_day = v_day, v_debited_day, 0), p_amount),
                                COALESCE(v_max_month - IF(v_usage_month = v_month, v_debited_month, 0), p_amount)) THEN
                CALL check_debit_limits(p_payer_id, v_tier, p_amount, p_at, v_limit, p_result);
            END IF;
            IF p_payee_phone IS NOT NULL AND v_debits >= 100 AND v_debits_until > p_at THEN
                CALL quota_of(p_actor_id, 100, 10000, v_allowed);
                IF v_debits >= v_allowed THEN
                    SET v_lookups_until = GREATEST(COALESCE(v_lookups_until, v_debits_until), v_debits_until);
                END IF;
            END IF;
            IF v_limit IS NOT NULL THEN
                SET p_outcome = 'wallet_limit_exceeded';
            ELSEIF v_lookups_until IS NOT NULL THEN
                SET p_outcome = 'too_many_lookups';
                CALL tell_retry(v_lookups_until, p_result);
            ELSEIF NOT v_person_to_person AND v_payee_kind = 'personal' THEN
                -- whether or not there is such a person
                CALL tell_limit('person_to_person', p_outcome, p_result);
            ELSEIF p_payee_id IS NULL THEN
                SET p_outcome = 'payee_unavailable';
            ELSEIF v_is_hold THEN
                SET v_load = 0;
            ELSEIF p_generation IS NULL AND v_paused_until > UTC_TIMESTAMP(6) THEN
                SET p_outcome = 'confirmation_paused';
            ELSEIF v_payee_status <> 'active' THEN
                SET p_outcome = 'payee_unavailable';
            ELSE
                IF v_payee_slots > 1 AND v_max_balance IS NOT NULL THEN
                    SELECT COALESCE(SUM(balance), 0) INTO v_payee_in_slots FROM wallet_slots WHERE wallet_id = p_payee_id;
                END IF;
                -- what people are paid counts as loads of theirs
                SET v_load = IF(v_payee_kind = 'personal', p_amount, 0);
                IF p_amount > v_max_balance - v_payee_own - v_payee_in_slots
                        OR v_load > 0
                            AND (v_load > v_max_load_month - IF(v_payee_usage_month = v_month, v_loaded_month, 0)
                                 OR v_load > v_max_load_year - IF(v_payee_usage_year = v_year, v_loaded_year, 0)) THEN
                    SET p_outcome = 'payee_unavailable';
                END IF;
            END IF;
        END IF;
        IF p_outcome IS NOT NULL OR v_is_locked THEN
            LEAVE judging;
        END IF;

        -- Credits of a hot wallet go to its first free slot, so that they lie in as many as there are at once; but not where the
        -- tier caps the balance: no slot knows the others'. If none is free they wait for different ones.
        SET v_slot = IF(v_spread > 1 AND v_payee_kind = 'merchant' AND v_max_balance IS NULL AND NOT v_is_hold,
                        1 + CONNECTION_ID() MOD (v_spread - 1), 0);
        SET v_written_id = IF(v_slot = 0 AND NOT v_is_hold, p_payee_id, p_payer_id);
        -- One lock order for everybody, by wallet and slot, or two people who pay each other would deadlock.
        IF p_payee_id < p_payer_id THEN
            IF v_slot > 0 THEN
                SELECT slot INTO v_free_slot FROM wallet_slots
                WHERE wallet_id = p_payee_id AND slot < v_spread ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED;
                IF v_free_slot IS NULL THEN
                    SELECT slot INTO v_free_slot FROM wallet_slots WHERE wallet_id = p_payee_id AND slot = v_slot FOR UPDATE;
                END IF;
            ELSEIF v_slots > 1 AND NOT v_is_hold THEN
                SELECT id INTO v_written_id FROM wallets WHERE id = v_written_id FOR UPDATE;
            END IF;
        END IF;
        IF v_slots > 1 THEN
            -- what lies in a hot wallet's slots is gathered as far as it is needed; what this says of the wallet is read again
            CALL lock_payer(p_payer_id, p_amount, p_transaction_id, v_status, v_tier, v_total, p_held, p_at, v_generation);
        END IF;
        -- `entries` and `held_changes` number all that changes a wallet's money and its sums
        SELECT MAX(last_entry_at) + INTERVAL 1 MICROSECOND,
               MAX(IF(id = p_payer_id, held, 0)), MAX(IF(id = p_payer_id, 0, balance)), MAX(IF(id = p_payer_id, 0, entries)),
               MIN(IF(id = p_payer_id,
                   (status, tier, entries, held_changes, session_generation, unconfirmed_day, slots)
                   = (v_status, v_tier, v_entries, v_held_changes, v_generation, v_unconfirmed, 1)
                   AND unconfirmed_on <=> v_unconfirmed_on AND paused_until <=> v_paused_until AND balance - held >= p_amount,
                   (status, tier) = (v_payee_status, v_payee_tier)
                   AND (entries = v_payee_entries OR COALESCE(v_max_balance, v_max_load_month, v_max_load_year) IS NULL)))
        INTO p_at, p_held, v_payee_own, v_payee_entries, v_is_as_read
        FROM wallets FORCE INDEX (PRIMARY) WHERE id IN (p_payer_id, v_written_id) FOR UPDATE;
        IF v_slot > 0 THEN
            IF p_payee_id > p_payer_id THEN
                SELECT slot INTO v_free_slot FROM wallet_slots
                WHERE wallet_id = p_payee_id AND slot < v_spread ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED;
                IF v_free_slot IS NULL THEN
                    SELECT slot INTO v_free_slot FROM wallet_slots WHERE wallet_id = p_payee_id AND slot = v_slot FOR UPDATE;
                END IF;
            END IF;
            SET v_slot = v_free_slot;
            -- behind the slot's lock: who freezes a wallet takes those of all its slots
            SELECT s.balance, s.entries, GREATEST(p_at, s.last_entry_at + INTERVAL 1 MICROSECOND),
                   v_is_as_read AND (w.status, w.tier) = (v_payee_status, v_payee_tier)
            INTO v_payee_own, v_payee_entries, p_at, v_is_as_read
            FROM wallets w JOIN wallet_slots s ON s.wallet_id = w.id WHERE w.id = p_payee_id AND s.slot = v_slot;
        END IF;
        IF p_held > 0 AND v_slots = 1 THEN
            CALL end_lapsed_holds(p_payer_id, v_ended);
            SET v_is_as_read = v_is_as_read AND v_ended = 0;
        END IF;
        SET p_at = GREATEST(p_at, UTC_TIMESTAMP(6)); -- the clock behind the locks
        IF v_is_as_read AND DATE(p_at + INTERVAL 330 MINUTE) = v_day THEN
            LEAVE judging;
        END IF;
        SET v_is_locked = TRUE;
    END LOOP;
    IF p_outcome IS NULL AND v_slot > 0 AND (v_max_balance IS NOT NULL OR v_payee_kind <> 'merchant') THEN
        SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'the payee has another tier now: pay again';
    END IF;

    -- 1,000 at most: whoever debits a wallet ends all that have lapsed, and may hold the lock of a shop that everybody pays
    IF v_is_hold AND p_outcome IS NULL THEN
        SELECT COUNT(*) INTO v_placed FROM holds WHERE payer_wallet_id = p_payer_id AND status = 'placed';
        IF v_placed >= 1000 THEN
            CALL tell_limit('max_placed_holds', p_outcome, p_result);
        END IF;
    END IF;
    -- last: nobody is asked to confirm what would be refused
    IF p_outcome IS NULL AND NOT v_is_confirmed THEN
        SET v_is_required = COALESCE(p_amount > v_confirm_above, FALSE)
            OR COALESCE(IF(v_unconfirmed_on = v_day, v_unconfirmed, 0) + p_amount > v_confirm_day_above, FALSE);
        IF v_is_required OR p_amount > v_confirm_new_payee_above THEN
            CALL use_confirmation(p_actor_id, p_key, p_request_hash, p_generation, IF(v_is_hold, 'hold', 'payment'),
                                  p_payer_id, p_payee_id, NULL, p_payee_name, p_amount, v_paused_until, v_is_required, p_transaction_id, p_outcome,
                                  p_result, v_is_confirmed);
        END IF;
    END IF;

    IF p_outcome IS NULL THEN
        -- The servers assign from left to right: what a line looks at comes behind it. What lapses or fails is not taken back
        -- from what was unconfirmed: it bounds what somebody may try who has no second factor.
        UPDATE wallets
        SET balance = balance + IF(v_is_hold, 0, IF(id = p_payer_id, -p_amount, p_amount)),
            entries = entries + IF(v_is_hold, 0, 1),
            held = held + IF(v_is_hold, p_amount, 0),
            held_changes = held_changes + IF(v_is_hold, 1, 0),
            last_entry_at = p_at,
            debited_day = IF(usage_day = v_day, debited_day, 0) + IF(id = p_payer_id, p_amount, 0),
            debited_month = IF(usage_month = v_month, debited_month, 0) + IF(id = p_payer_id, p_amount, 0),
            loaded_month = IF(usage_month = v_month, loaded_month, 0) + IF(id = p_payer_id, 0, v_load),
            loaded_year = IF(usage_year = v_year, loaded_year, 0) + IF(id = p_payer_id, 0, v_load),
            usage_day = v_day,
            usage_month = v_month,
            usage_year = v_year,
            debits = IF(id = p_payer_id, IF(debits_until > p_at, debits, 0) + 1, debits),
            debits_until = IF(id = p_payer_id AND debits_until <= p_at, p_at + INTERVAL 1 HOUR, debits_until),
            unconfirmed_day = IF(id = p_payer_id, LEAST(IF(unconfirmed_on = v_day, unconfirmed_day, 0)
                                                        + IF(v_is_confirmed, 0, p_amount), 9007199254740991), unconfirmed_day),
            unconfirmed_on = IF(id = p_payer_id, v_day, unconfirmed_on)
        WHERE id IN (p_payer_id, v_written_id);
        IF v_is_hold THEN
            -- it ends by the clock that will end it, which may be behind the wallet's own time
            INSERT INTO holds (id, payer_wallet_id, payee_wallet_id, amount, captured, currency, status, description,
                               created_at, expires_at)
            VALUES (p_transaction_id, p_payer_id, p_payee_id, p_amount, 0, 'INR', 'placed', p_description, p_at,
                    UTC_TIMESTAMP(6) + INTERVAL p_hold_seconds SECOND);
            INSERT INTO held_changes (wallet_id, change_no, amount, held_after, cause, cause_id, created_at)
            VALUES (p_payer_id, v_held_changes + 1, p_amount, p_held + p_amount, 'hold', p_transaction_id, p_at);
            INSERT INTO outbox (wallet_id, other_wallet_id, type, hold_id, created_at)
            VALUES (p_payer_id, p_payee_id, 'HoldPlaced', p_transaction_id, p_at);
            SET p_balance = COALESCE(v_total, v_own);
            SET p_held = p_held + p_amount;
        ELSE
            INSERT INTO transactions (id, type, amount, currency, actor_id, description, reference, created_at)
            VALUES (p_transaction_id, 'payment', p_amount, 'INR', p_actor_id, p_description, p_reference, p_at);
            IF v_slot > 0 THEN
                UPDATE wallet_slots SET balance = balance + p_amount, entries = entries + 1, last_entry_at = p_at
                WHERE wallet_id = p_payee_id AND slot = v_slot;
            END IF;
            INSERT INTO postings
                (transaction_id, line, account_id, slot, type, side, amount, entry_no, balance_after, created_at)
            VALUES (p_transaction_id, 1, p_payer_id, 0, 'payment', 'debit', p_amount, v_entries + 1, v_own - p_amount, p_at),
                   (p_transaction_id, 2, p_payee_id, v_slot, 'payment', 'credit', p_amount, v_payee_entries + 1,
                    v_payee_own + p_amount, p_at);
            IF v_is_charged AND v_payee_kind = 'merchant' THEN
                CALL charge_payee(p_transaction_id, p_payee_id, v_slot, p_amount, p_at, v_fee);
            END IF;
            INSERT INTO outbox (wallet_id, other_wallet_id, type, transaction_id, created_at)
            VALUES (p_payer_id, p_payee_id, 'PaymentCompleted', p_transaction_id, p_at);
            SET p_balance = COALESCE(v_total, v_own) - p_amount;
        END IF;
        SET p_outcome = 'done';
    END IF;
END
