-- As `lock_payer_with_usage`, without the last two of what that one says.
CREATE PROCEDURE lock_payer(
    IN p_wallet_id BINARY(16),
    IN p_need BIGINT,
    IN p_transaction_id BINARY(16),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_total BIGINT,
    OUT p_held BIGINT,
    OUT p_last DATETIME(6),
    OUT p_generation INT UNSIGNED
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_unconfirmed BIGINT DEFAULT NULL;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;

    CALL lock_payer_with_usage(p_wallet_id, p_need, p_transaction_id, p_status, p_tier, p_total, p_held, p_last,
                               p_generation, v_unconfirmed, v_paused_until);
END
