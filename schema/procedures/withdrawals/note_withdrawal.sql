-- Internal. Tells of a withdrawal, under the lock of its wallet.
CREATE PROCEDURE note_withdrawal(
    IN p_withdrawal_id BINARY(16),
    IN p_type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_detail TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;

    SELECT wallet_id, JSON_OBJECT(
        'withdrawal_id', LOWER(HEX(id)), 'amount', amount, 'fee', fee, 'currency', currency, 'provider', provider,
        'reason', reason)
    INTO v_wallet_id, v_detail FROM withdrawals WHERE id = p_withdrawal_id;
    CALL note_event(v_wallet_id, NULL, p_type, v_detail, p_at);
END
