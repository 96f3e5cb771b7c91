-- The newest payments of a request, for who asks. Who has paid one with an amount sees that it was them; of the many payments of
-- one without, their statement tells them.
CREATE PROCEDURE list_payment_request_payments(
    IN p_actor_id BINARY(16),
    IN p_payment_request_id BINARY(16),
    IN p_limit INT UNSIGNED
)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_is_own BOOLEAN DEFAULT FALSE;

    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT EXISTS (SELECT 1 FROM payment_requests r JOIN wallets w ON w.id = r.wallet_id
                   WHERE r.id = p_payment_request_id AND w.user_id = p_actor_id) INTO v_is_own;
    SELECT STRAIGHT_JOIN t.id AS transaction_id, t.amount, t.created_at, payer.id AS payer_wallet_id, u.name AS payer_name
    FROM (
        (SELECT transaction_id FROM payment_request_payments
         WHERE v_is_own AND payment_request_id = p_payment_request_id ORDER BY transaction_id DESC LIMIT p_limit)
        UNION ALL
        (SELECT transaction_id FROM payment_request_payments WHERE NOT v_is_own AND only_of = p_payment_request_id)
    ) p
    JOIN transactions t ON t.id = p.transaction_id
    JOIN postings debit ON debit.transaction_id = t.id AND debit.side = 'debit'
    JOIN wallets payer ON payer.id = debit.account_id
    JOIN users u ON u.id = payer.user_id
    WHERE v_is_own OR u.id = p_actor_id
    ORDER BY p.transaction_id DESC LIMIT p_limit;
    COMMIT AND NO CHAIN NO RELEASE;
END
