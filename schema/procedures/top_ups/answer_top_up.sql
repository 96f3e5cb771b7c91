-- Internal. An attempt as its maker is told of it, and what the gateway wants to know of the payer. `refused` is why the
-- gateway will never take it.
CREATE PROCEDURE answer_top_up(
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_attempt_id BINARY(16)
)
READS SQL DATA
BEGIN
    SELECT p_outcome AS outcome, a.id AS attempt_id, a.amount, a.currency, a.gateway, a.gateway_order_id, a.checkout_session,
           a.intent_url, u.phone AS payer_phone, u.email AS payer_email, a.expires_at <= UTC_TIMESTAMP(6) AS is_over,
           a.created_at, a.expires_at,
           (SELECT e.reason FROM payment_attempt_events e
            WHERE e.attempt_id = a.id AND e.gateway_payment_id = '' AND e.status = a.status
              AND a.status = 'failed') AS refused
    FROM payment_attempts a JOIN wallets w ON w.id = a.wallet_id JOIN users u ON u.id = w.user_id
    WHERE a.id = p_attempt_id;
END
