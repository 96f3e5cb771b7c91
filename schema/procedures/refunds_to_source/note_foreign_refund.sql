-- Writes down a refund that the gateway, or a person at its dashboard, began without us: it has left our account there,
-- or will. It debits the wallet that the payment was credited to if what is available covers it, with what disputes of the
-- same payment have reserved: those are about this very money. Else suspense, where the gap is an operator's to see. 'done'
-- (the id of its row, whoever wrote it), 'unknown_payment' if the payment is not in the books, 'mismatch' if it can't be this
-- payment's. Locks: disputes, suspended transaction, wallet.
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
    FROM gateway_payments g JOIN transactions t ON t.id = g.transaction_id
    LEFT JOIN payment_attempts a ON a.id = g.attempt_id
    WHERE g.gateway = p_gateway AND g.gateway_payment_id = p_payment_id;

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
END
