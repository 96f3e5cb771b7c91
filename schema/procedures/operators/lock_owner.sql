-- Internal. The owner of a wallet that is not closed, locked; NULL if there is no such wallet.
CREATE PROCEDURE lock_owner(
    IN p_wallet_id BINARY(16),
    OUT p_user_id BINARY(16),
    OUT p_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
READS SQL DATA
BEGIN
    DECLARE v_user_id BINARY(16) DEFAULT NULL;

    SET p_user_id = NULL;
    SELECT user_id INTO v_user_id FROM wallets WHERE id = p_wallet_id AND status <> 'closed';
    SELECT id, kind, name, phone INTO p_user_id, p_kind, p_name, p_phone FROM users WHERE id = v_user_id FOR UPDATE;
END
