-- Internal. Debits a wallet for a withdrawal that was paid out after all, without a fee: 'done', or 'not_covered' if what is
-- available does not cover it. The caller holds the withdrawal's lock.
CREATE PROCEDURE correct_withdrawal(
    IN p_withdrawal_id BINARY(16),
    IN p_transaction_id BINARY(16),
    IN p_payout_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id, v_account_id BINARY(16) DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount, v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;

    SELECT wallet_id, provider, amount, currency INTO v_wallet_id, v_provider, v_amount, v_currency
    FROM withdrawals WHERE id = p_withdrawal_id;
    CALL lock_debit(v_wallet_id, v_amount, p_transaction_id, v_status, v_tier, v_total, v_held, v_last);
    SET p_outcome = IF(v_amount <= v_total - v_held, 'done', 'not_covered');
    IF p_outcome = 'done' THEN
        SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
        SELECT id INTO v_account_id FROM accounts WHERE code = CONCAT('payout:', v_provider);
        INSERT INTO transactions (id, type, amount, currency, created_at)
        VALUES (p_transaction_id, 'adjustment', v_amount, v_currency, v_now);
        INSERT INTO withdrawal_bookings (withdrawal_id, type, transaction_id)
        VALUES (p_withdrawal_id, 'adjustment', p_transaction_id);
        CALL post_entry(p_transaction_id, v_wallet_id, 0, v_account_id, v_amount, v_now);
        UPDATE withdrawals SET provider_payout_id = COALESCE(provider_payout_id, p_payout_id) WHERE id = p_withdrawal_id;
        CALL note_withdrawal(p_withdrawal_id, 'WithdrawalCorrected', v_now);
        CALL close_if_empty(v_wallet_id, v_now, v_status);
    END IF;
END
