-- Internal. Cancels a withdrawal that nobody was asked to pay: what was set aside is available again. 'done', also if it was
-- cancelled before; 'withdrawal_sent' once somebody may have been asked, whatever the provider says of it.
CREATE PROCEDURE cancel_unsent_withdrawal(
    IN p_withdrawal_id BINARY(16),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_vpa VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_unsent, v_cancelled, v_was_asked BOOLEAN DEFAULT FALSE;

    SELECT wallet_id, vpa, status = 'pending' AND NOT asked AND provider_payout_id IS NULL,
           status = 'failed' AND COALESCE(reason = 'cancelled' AND NOT asked, FALSE)
    INTO v_wallet_id, v_vpa, v_unsent, v_cancelled
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    SET p_outcome = IF(v_unsent OR v_cancelled, 'done', 'withdrawal_sent');
    IF v_unsent THEN
        CALL free_withdrawal(p_withdrawal_id, 'cancelled');
        -- what is stopped was perhaps a thief's: if nobody was ever asked to pay there, it is as new as before. Who is about
        -- to ask waits for the wallet's lock; a DELETE that looked for itself would lock the wallet's other withdrawals
        SELECT EXISTS (SELECT 1 FROM withdrawals WHERE wallet_id = v_wallet_id AND vpa = v_vpa AND asked) INTO v_was_asked;
        IF NOT v_was_asked THEN
            DELETE FROM known_vpas WHERE wallet_id = v_wallet_id AND vpa = v_vpa;
        END IF;
    END IF;
END
