-- A withdrawal of the actor's own.
CREATE PROCEDURE find_withdrawal(IN p_withdrawal_id BINARY(16), IN p_actor_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT d.id, d.status, d.amount, d.fee, d.currency, d.vpa, d.reason, d.created_at, v.waits_until,
           b.bank_reference AS utr
    FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id LEFT JOIN unsent_withdrawals v ON v.id = d.id
    LEFT JOIN bank_references b
        ON b.kind = 'payout' AND b.gateway = d.provider AND b.outside_id = d.provider_payout_id
    WHERE d.id = p_withdrawal_id AND w.user_id = p_actor_id;
    COMMIT AND NO CHAIN NO RELEASE;
END
