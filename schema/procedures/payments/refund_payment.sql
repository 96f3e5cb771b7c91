-- A payment, or a part of it (`p_amount` NULL: what is left), back from its payee to its payer. All refunds of a payment
-- debit the same wallet, so that wallet's lock is what counts them. The payer's caps don't matter: it was theirs. If the
-- payer's wallet is closed the money is kept as unclaimed for them: the payee has given it back all the same. In its answer
-- `refunded` is what of the payment went back in all, and `balance` the payee's behind it.
CREATE PROCEDURE refund_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_transaction_id BINARY(16),
    IN p_payment_id BINARY(16),
    IN p_amount BIGINT,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_made_id, v_payer_id, v_payee_id, v_credited_id BINARY(16) DEFAULT NULL;
    DECLARE v_status, v_payer_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_paid, v_refunded, v_amount, v_own, v_held, v_entries, v_payer_own, v_payer_entries, v_total BIGINT DEFAULT NULL;
    DECLARE v_in_slots BIGINT DEFAULT 0;
    DECLARE v_generation, v_ended INT UNSIGNED DEFAULT NULL;
    DECLARE v_slots TINYINT UNSIGNED DEFAULT 1;
    DECLARE v_is_taken BOOLEAN DEFAULT FALSE;
    DECLARE v_last, v_payer_last, v_at DATETIME(6) DEFAULT NULL;
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
        SELECT t.amount, debit.account_id, credit.account_id, payee.slots INTO v_paid, v_payer_id, v_payee_id, v_slots
        FROM transactions t
        JOIN postings debit ON debit.transaction_id = t.id AND debit.line = 1
        JOIN postings credit ON credit.transaction_id = t.id AND credit.line = 2
        JOIN wallets payee ON payee.id = credit.account_id
        WHERE t.id = p_payment_id AND t.type IN ('payment', 'hold_capture') AND payee.user_id = p_actor_id;
        SET v_outcome = IF(v_paid IS NULL, 'not_found', NULL);
    END IF;

    IF v_outcome IS NULL THEN
        IF v_slots > 1 THEN
            -- what lies in a hot wallet's slots is gathered as far as it is needed; locks in the order of wallets
            IF v_payer_id < v_payee_id THEN
                SELECT id INTO v_payer_id FROM wallets WHERE id = v_payer_id FOR UPDATE;
            END IF;
            CALL lock_payer(v_payee_id, COALESCE(p_amount, v_paid), p_transaction_id, v_status, v_tier, v_total, v_held, v_last,
                            v_generation);
        END IF;
        locking: LOOP
            SELECT MAX(IF(id = v_payee_id, status, NULL)), MAX(IF(id = v_payee_id, balance, NULL)),
                   MAX(IF(id = v_payee_id, held, NULL)), MAX(IF(id = v_payee_id, entries, NULL)),
                   MAX(IF(id = v_payee_id, last_entry_at, NULL)), MAX(IF(id = v_payee_id, session_generation, NULL)),
                   MAX(IF(id = v_payer_id, status, NULL)), MAX(IF(id = v_payer_id, balance, NULL)),
                   MAX(IF(id = v_payer_id, entries, NULL)), MAX(IF(id = v_payer_id, last_entry_at, NULL))
            INTO v_status, v_own, v_held, v_entries, v_last, v_generation, v_payer_status, v_payer_own, v_payer_entries,
                 v_payer_last
            FROM wallets FORCE INDEX (PRIMARY) WHERE id IN (v_payee_id, v_payer_id) FOR UPDATE;
            IF v_slots > 1 THEN
                SET v_in_slots = v_total - v_own;
            ELSEIF v_held > 0 AND v_ended IS NULL THEN
                CALL end_lapsed_holds(v_payee_id, v_ended);
                IF v_ended > 0 THEN
                    ITERATE locking; -- what they held is free
                END IF;
            END IF;
            LEAVE locking;
        END LOOP;
        SELECT COALESCE(SUM(amount), 0) INTO v_refunded FROM transactions WHERE cause_id = p_payment_id AND type = 'refund';
        SET v_amount = COALESCE(p_amount, v_paid - v_refunded);
        SET v_outcome = CASE
            WHEN v_generation <> p_generation THEN 'invalid_token'
            WHEN v_status <> 'active' THEN 'wallet_frozen'
            WHEN v_amount > v_paid - v_refunded OR v_amount <= 0 THEN 'refund_exceeds_payment'
            WHEN v_amount > v_own - v_held THEN 'insufficient_funds'
            ELSE 'done' END;
    END IF;

    IF v_outcome = 'done' THEN
        SET v_at = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND, v_payer_last + INTERVAL 1 MICROSECOND);
        SET v_credited_id = v_payer_id;
        IF v_payer_status = 'closed' THEN
            SELECT id, NULL, NULL INTO v_credited_id, v_payer_own, v_payer_entries FROM accounts WHERE code = 'unclaimed';
        END IF;
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, cause_id, created_at)
        VALUES (p_transaction_id, 'refund', v_amount, 'INR', p_actor_id, p_reason, p_payment_id, v_at);
        UPDATE wallets
        SET balance = balance + IF(id = v_payee_id, -v_amount, v_amount), entries = entries + 1, last_entry_at = v_at
        WHERE id IN (v_payee_id, v_credited_id);
        INSERT INTO postings
            (transaction_id, line, account_id, slot, type, side, amount, entry_no, balance_after, created_at)
        VALUES (p_transaction_id, 1, v_payee_id, 0, 'refund', 'debit', v_amount, v_entries + 1, v_own - v_amount, v_at),
               (p_transaction_id, 2, v_credited_id, 0, 'refund', 'credit', v_amount, v_payer_entries + 1,
                v_payer_own + v_amount, v_at);
        INSERT INTO outbox (wallet_id, other_wallet_id, type, transaction_id, created_at)
        VALUES (v_payee_id, v_payer_id, 'PaymentRefunded', p_transaction_id, v_at);
        IF v_credited_id <> v_payer_id THEN
            CALL note_unclaimed(p_transaction_id, v_payer_id, v_amount, 'refund', v_at);
        END IF;
        COMMIT;
        SELECT 'done' AS outcome, p_transaction_id AS transaction_id, p_payment_id AS payment_id, v_amount AS amount,
               'INR' AS currency, p_reason AS reason, v_refunded + v_amount AS refunded,
               v_own + v_in_slots - v_amount AS balance, v_held AS held, v_at AS created_at;
    ELSEIF v_outcome = 'replayed' THEN
        ROLLBACK;
        SELECT 'replayed' AS outcome, v_made_id AS transaction_id;
    ELSE
        ROLLBACK;
        SELECT v_outcome AS outcome, NULL AS result;
    END IF;
END
