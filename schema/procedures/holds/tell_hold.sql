-- Internal. A hold as both its sides are told of it.
CREATE PROCEDURE tell_hold(
    IN p_hold_id BINARY(16),
    IN p_transaction_id BINARY(16),
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
READS SQL DATA
BEGIN
    SELECT JSON_OBJECT(
        'hold_id', LOWER(HEX(h.id)), 'status', h.status, 'amount', h.amount, 'captured', h.captured,
        'currency', h.currency, 'description', h.description,
        'payer_wallet_id', LOWER(HEX(h.payer_wallet_id)), 'payer_name', payer.name,
        'payee_wallet_id', LOWER(HEX(h.payee_wallet_id)), 'payee_name', payee.name,
        'transaction_id', LOWER(HEX(p_transaction_id)),
        'created_at', DATE_FORMAT(h.created_at, '%Y-%m-%dT%H:%i:%s.%f'),
        'expires_at', DATE_FORMAT(h.expires_at, '%Y-%m-%dT%H:%i:%s.%f'))
    INTO p_result
    FROM holds h
    JOIN wallets payer_wallet ON payer_wallet.id = h.payer_wallet_id
    JOIN wallets payee_wallet ON payee_wallet.id = h.payee_wallet_id
    JOIN users payer ON payer.id = payer_wallet.user_id
    JOIN users payee ON payee.id = payee_wallet.user_id
    WHERE h.id = p_hold_id;
END
