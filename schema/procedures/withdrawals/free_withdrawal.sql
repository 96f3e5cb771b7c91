-- Internal. Ends a pending withdrawal that was not paid out: what was set aside is available again, and is not counted
-- as a debit any more. The caller holds the withdrawal's lock.
CREATE PROCEDURE free_withdrawal(
    IN p_withdrawal_id BINARY(16),
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount, v_fee, v_total, v_held BIGINT DEFAULT NULL;
    DECLARE v_created_at, v_last, v_now DATETIME(6) DEFAULT NULL;

    SELECT wallet_id, amount, fee, created_at INTO v_wallet_id, v_amount, v_fee, v_created_at
    FROM withdrawals WHERE id = p_withdrawal_id;
    CALL lock_debit(v_wallet_id, 0, p_withdrawal_id, v_status, v_tier, v_total, v_held, v_last);
    SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
    CALL set_aside(v_wallet_id, -(v_amount + v_fee), 'withdrawal', p_withdrawal_id, v_now);
    CALL count_debit(v_wallet_id, -v_amount, v_created_at);
    UPDATE withdrawals SET status = 'failed', reason = p_reason, ended_at = v_now, next_check_at = NULL
    WHERE id = p_withdrawal_id;
    CALL note_withdrawal(p_withdrawal_id, 'WithdrawalFailed', v_now);
END
