-- Somebody's withdrawals. Under the key that cancelled one stands that one.
CREATE PROCEDURE list_withdrawals(
    IN p_actor_id BINARY(16),
    IN p_before BINARY(16),
    IN p_key VARBINARY(64),
    IN p_limit INT UNSIGNED
)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT d.id, d.status, d.amount, d.fee, d.currency, d.vpa, d.reason, d.created_at, v.waits_until,
           b.bank_reference AS utr
    FROM wallets w JOIN withdrawals d ON d.wallet_id = w.id LEFT JOIN unsent_withdrawals v ON v.id = d.id
    LEFT JOIN bank_references b
        ON b.kind = 'payout' AND b.gateway = d.provider AND b.outside_id = d.provider_payout_id
    WHERE w.user_id = p_actor_id AND (p_before IS NULL OR d.id < p_before)
        AND (p_key IS NULL OR d.id = (
            SELECT r.made_id FROM idempotency_records r WHERE r.actor_id = p_actor_id AND r.idem_key = p_key))
    ORDER BY d.id DESC LIMIT p_limit;
    COMMIT AND NO CHAIN NO RELEASE;
END
