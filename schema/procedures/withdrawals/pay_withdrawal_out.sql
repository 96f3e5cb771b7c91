-- Internal. Books a pending withdrawal that was paid out: the amount leaves to the provider, the fee to us. The caller
-- holds the withdrawal's lock. For a week, far longer than a bank takes to send money back, the provider is asked again.
CREATE PROCEDURE pay_withdrawal_out(IN p_withdrawal_id BINARY(16), IN p_transaction_id BINARY(16))
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id, v_payout_account_id, v_fees_id, v_fee_id BINARY(16) DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount, v_fee, v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;

    SELECT wallet_id, provider, amount, fee INTO v_wallet_id, v_provider, v_amount, v_fee
    FROM withdrawals WHERE id = p_withdrawal_id;
    SELECT id INTO v_payout_account_id FROM accounts WHERE code = CONCAT('payout:', v_provider);
    CALL lock_debit(v_wallet_id, 0, p_transaction_id, v_status, v_tier, v_total, v_held, v_last);
    SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
    CALL set_aside(v_wallet_id, -(v_amount + v_fee), 'withdrawal', p_withdrawal_id, v_now);
    INSERT INTO transactions (id, type, amount, currency, created_at)
    VALUES (p_transaction_id, 'withdrawal', v_amount, 'INR', v_now);
    INSERT INTO withdrawal_bookings (withdrawal_id, type, transaction_id)
    VALUES (p_withdrawal_id, 'withdrawal', p_transaction_id);
    CALL post_entry(p_transaction_id, v_wallet_id, 0, v_payout_account_id, v_amount, v_now);
    IF v_fee > 0 THEN
        CALL derive_id(p_transaction_id, 'fee', v_fee_id);
        SELECT id INTO v_fees_id FROM accounts WHERE code = 'fees';
        SET v_now = v_now + INTERVAL 1 MICROSECOND;
        INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)
        VALUES (v_fee_id, 'fee', v_fee, 'INR', p_transaction_id, v_now);
        CALL post_entry(v_fee_id, v_wallet_id, 0, v_fees_id, v_fee, v_now);
    END IF;
    UPDATE withdrawals SET status = 'succeeded', ended_at = v_now, next_check_at = v_now + INTERVAL 1 DAY
    WHERE id = p_withdrawal_id;
    CALL note_withdrawal(p_withdrawal_id, 'WithdrawalSucceeded', v_now);
    CALL close_if_empty(v_wallet_id, v_now, v_status); -- its last money has left
END
