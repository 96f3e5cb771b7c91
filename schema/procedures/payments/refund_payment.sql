-- A payment, or a part of it (`p_amount` NULL: what is left), back from its payee to its payer. All refunds of a payment
-- debit the same wallet, so that wallet's lock is what counts them. The payer's caps don't matter: it was theirs. If the
-- payer's wallet is closed the money is kept as unclaimed for them: the payee has given it back all the same.
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
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payer_id, v_payee_id, v_credited_id BINARY(16) DEFAULT NULL;
    DECLARE v_payer_status, v_payee_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_paid, v_refunded, v_amount, v_balance, v_held, v_unused BIGINT DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_payer_last, v_payee_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SELECT NULL, t.amount, debit.account_id, credit.account_id INTO v_outcome, v_paid, v_payer_id, v_payee_id
        FROM transactions t
        JOIN postings debit ON debit.transaction_id = t.id AND debit.line = 1
        JOIN postings credit ON credit.transaction_id = t.id AND credit.line = 2
        JOIN wallets payee ON payee.id = credit.account_id
        WHERE t.id = p_payment_id AND t.type IN ('payment', 'hold_capture') AND payee.user_id = p_actor_id;
        IF v_paid IS NULL THEN
            SET v_outcome = 'not_found';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        IF v_payer_id < v_payee_id THEN
            CALL lock_credit(v_payer_id, FALSE, v_slot, v_payer_status, v_tier, v_unused, v_payer_last);
        END IF;
        CALL lock_payer(v_payee_id, COALESCE(p_amount, v_paid), p_transaction_id, v_payee_status, v_tier, v_balance,
                        v_held, v_payee_last, v_generation);
        IF v_payer_id > v_payee_id THEN
            CALL lock_credit(v_payer_id, FALSE, v_slot, v_payer_status, v_tier, v_unused, v_payer_last);
        END IF;
        SELECT COALESCE(SUM(amount), 0) INTO v_refunded FROM transactions WHERE cause_id = p_payment_id AND type = 'refund';
        SET v_amount = COALESCE(p_amount, v_paid - v_refunded);
        IF v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_payee_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF v_amount > v_paid - v_refunded OR v_amount <= 0 THEN
            SET v_outcome = 'refund_exceeds_payment';
        ELSEIF v_amount > v_balance - v_held THEN
            SET v_outcome = 'insufficient_funds';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        SET v_now = GREATEST(
            UTC_TIMESTAMP(6), v_payer_last + INTERVAL 1 MICROSECOND, v_payee_last + INTERVAL 1 MICROSECOND);
        SET v_credited_id = v_payer_id;
        IF v_payer_status = 'closed' THEN
            SELECT id INTO v_credited_id FROM accounts WHERE code = 'unclaimed';
        END IF;
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, cause_id, created_at)
        VALUES (p_transaction_id, 'refund', v_amount, 'INR', p_actor_id, p_reason, p_payment_id, v_now);
        CALL post_entry(p_transaction_id, v_payee_id, 0, v_credited_id, v_slot, v_amount, v_now);
        CALL note_event(v_payee_id, v_payer_id, 'PaymentRefunded', JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'payment_id', LOWER(HEX(p_payment_id)),
            'payer_wallet_id', LOWER(HEX(v_payer_id)), 'payee_wallet_id', LOWER(HEX(v_payee_id)),
            'amount', v_amount + 0, 'currency', 'INR', 'reason', p_reason), v_now);
        IF v_credited_id <> v_payer_id THEN
            CALL note_unclaimed(p_transaction_id, v_payer_id, v_amount, 'refund', v_now);
        END IF;
        SET v_result = JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'payment_id', LOWER(HEX(p_payment_id)),
            'amount', v_amount + 0, 'currency', 'INR', 'reason', p_reason,
            'refunded', v_refunded + v_amount, 'balance', v_balance - v_amount, 'held', v_held + 0,
            'created_at', DATE_FORMAT(v_now, '%Y-%m-%dT%H:%i:%s.%f'));
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SET v_outcome = 'done';
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END
