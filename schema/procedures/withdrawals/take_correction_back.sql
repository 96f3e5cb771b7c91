-- Internal. Books that the money of a corrected withdrawal came back from the bank: to its wallet, whatever limits it has,
-- and without a fee, for the correction took none. Its status stays as it is. A wallet that was closed meanwhile is closing
-- again, which shows it to the operator. The caller holds the withdrawal's lock.
CREATE PROCEDURE take_correction_back(IN p_withdrawal_id BINARY(16), IN p_transaction_id BINARY(16))
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id, v_account_id, v_cause_id BINARY(16) DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_detail TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_amount, v_total BIGINT DEFAULT NULL;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;

    SELECT wallet_id, provider, amount, currency, JSON_OBJECT(
        'withdrawal_id', LOWER(HEX(id)), 'amount', amount, 'fee', 0, 'currency', currency, 'provider', provider,
        'reason', reason)
    INTO v_wallet_id, v_provider, v_amount, v_currency, v_detail FROM withdrawals WHERE id = p_withdrawal_id;
    SELECT id INTO v_account_id FROM accounts WHERE code = CONCAT('payout:', v_provider);
    SELECT transaction_id INTO v_cause_id
    FROM withdrawal_bookings WHERE withdrawal_id = p_withdrawal_id AND type = 'adjustment';
    CALL lock_credit(v_wallet_id, v_status, v_tier, v_total, v_last);
    SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
    INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)
    VALUES (p_transaction_id, 'withdrawal_return', v_amount, v_currency, v_cause_id, v_now);
    INSERT INTO withdrawal_bookings (withdrawal_id, type, transaction_id)
    VALUES (p_withdrawal_id, 'withdrawal_return', p_transaction_id);
    CALL post_entry(p_transaction_id, v_account_id, 0, v_wallet_id, v_amount, v_now);
    UPDATE wallets SET status = 'closing' WHERE id = v_wallet_id AND status = 'closed';
    CALL note_event(v_wallet_id, NULL, 'WithdrawalReversed', v_detail, v_now);
END
