-- Who has a wallet.
CREATE PROCEDURE find_wallet_owner(IN p_wallet_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT u.name, IF(m.user_id IS NULL, 'personal', u.kind) AS kind, COALESCE(u.phone, u.former_phone) AS phone,
           w.currency, w.created_at
    FROM wallets w JOIN users u ON u.id = w.user_id LEFT JOIN merchant_approvals m ON m.user_id = u.id
    WHERE w.id = p_wallet_id;
    COMMIT AND NO CHAIN NO RELEASE;
END
