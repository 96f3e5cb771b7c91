-- Whom a notice about a wallet goes to, and who is on the other side, NULL if nobody.
CREATE PROCEDURE find_recipient(IN p_wallet_id BINARY(16), IN p_other_wallet_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT u.id, u.phone, p.user_id IS NOT NULL AS phone_is_proved, other_user.name AS other_name,
           IF(m.user_id IS NULL, 'personal', other_user.kind) AS other_kind
    FROM wallets w JOIN users u ON u.id = w.user_id
    LEFT JOIN proved_phones p ON p.user_id = u.id AND p.phone = u.phone
    LEFT JOIN wallets other ON other.id = p_other_wallet_id LEFT JOIN users other_user ON other_user.id = other.user_id
    LEFT JOIN merchant_approvals m ON m.user_id = other_user.id
    WHERE w.id = p_wallet_id;
    COMMIT AND NO CHAIN NO RELEASE;
END
