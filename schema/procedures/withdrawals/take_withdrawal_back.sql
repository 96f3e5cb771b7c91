-- Internal. Books that the money of a withdrawal came back from the bank: to its wallet, with the fee, whatever limits it
-- has. One that was closed meanwhile is closing again, which shows it to the operator. The caller holds the withdrawal's
-- lock.
CREATE PROCEDURE take_withdrawal_back(
    IN p_withdrawal_id BINARY(16),
    IN p_transaction_id BINARY(16),
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id, v_payout_account_id, v_fees_id, v_fee_id, v_cause_id BINARY(16) DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount, v_fee, v_total BIGINT DEFAULT NULL;
    DECLARE v_created_at, v_last, v_now DATETIME(6) DEFAULT NULL;

    SELECT wallet_id, provider, amount, fee, created_at INTO v_wallet_id, v_provider, v_amount, v_fee, v_created_at
    FROM withdrawals WHERE id = p_withdrawal_id;
    SELECT id INTO v_payout_account_id FROM accounts WHERE code = CONCAT('payout:', v_provider);
    SELECT transaction_id INTO v_cause_id
    FROM withdrawal_bookings WHERE withdrawal_id = p_withdrawal_id AND type = 'withdrawal';
    CALL lock_credit(v_wallet_id, v_status, v_tier, v_total, v_last);
    SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
    INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)
    VALUES (p_transaction_id, 'withdrawal_return', v_amount, 'INR', v_cause_id, v_now);
    INSERT INTO withdrawal_bookings (withdrawal_id, type, transaction_id)
    VALUES (p_withdrawal_id, 'withdrawal_return', p_transaction_id);
    CALL post_entry(p_transaction_id, v_payout_account_id, 0, v_wallet_id, v_amount, v_now);
    IF v_fee > 0 THEN
        CALL derive_id(p_transaction_id, 'fee', v_fee_id);
        SELECT id INTO v_fees_id FROM accounts WHERE code = 'fees';
        SET v_now = v_now + INTERVAL 1 MICROSECOND;
        INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)
        VALUES (v_fee_id, 'fee', v_fee, 'INR', p_transaction_id, v_now);
        CALL post_entry(v_fee_id, v_fees_id, 0, v_wallet_id, v_fee, v_now);
    END IF;
    CALL count_debit(v_wallet_id, -v_amount, v_created_at);
    UPDATE wallets SET status = 'closing' WHERE id = v_wallet_id AND status = 'closed';
    UPDATE withdrawals SET status = 'reversed', reason = p_reason, ended_at = v_now, next_check_at = NULL
    WHERE id = p_withdrawal_id;
    CALL note_withdrawal(p_withdrawal_id, 'WithdrawalReversed', v_now);
END
