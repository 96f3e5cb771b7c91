-- As `lock_payer`, for those who debit a wallet whatever its owner's sessions do.
CREATE PROCEDURE lock_debit(
    IN p_wallet_id BINARY(16),
    IN p_need BIGINT,
    IN p_transaction_id BINARY(16),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_total BIGINT,
    OUT p_held BIGINT,
    OUT p_last DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;

    CALL lock_payer(p_wallet_id, p_need, p_transaction_id, p_status, p_tier, p_total, p_held, p_last, v_generation);
END
