-- Somebody's top-ups. Callers see `created` as `pending`. Of several payments of one order the credited one's reference is
-- shown, else the last one's. Joined as it is written: an optimizer that begins with the references reads them all.
CREATE PROCEDURE list_top_ups(
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
    SELECT LOWER(HEX(a.id)) AS attempt_id, a.amount, a.currency, a.gateway, a.gateway_order_id, a.checkout_session,
           a.intent_url, a.created_at, a.expires_at, a.expires_at <= UTC_TIMESTAMP(6) AS is_over, a.status, NULL AS refused,
           (SELECT b.bank_reference FROM payment_attempt_events e STRAIGHT_JOIN bank_references b
                ON b.kind = 'payment' AND b.gateway = a.gateway AND b.outside_id = e.gateway_payment_id
            WHERE e.attempt_id = a.id
            ORDER BY e.status = 'succeeded' AND e.reason IS NULL DESC, e.position DESC LIMIT 1) AS rrn
    FROM wallets w JOIN payment_attempts a ON a.wallet_id = w.id
    WHERE w.user_id = p_actor_id AND (p_before IS NULL OR a.id < p_before)
        AND (p_key IS NULL OR a.id = (
            SELECT r.made_id FROM idempotency_records r WHERE r.actor_id = p_actor_id AND r.idem_key = p_key))
    ORDER BY a.id DESC LIMIT p_limit;
    COMMIT AND NO CHAIN NO RELEASE;
END
